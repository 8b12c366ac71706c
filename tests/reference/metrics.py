"""Metrics by their definitions, in plain Python with exact sums."""

from __future__ import annotations

import math
from fractions import Fraction


def accuracy(truth, predicted, weights):
    hit = math.fsum(w for t, p, w in zip(truth, predicted, weights, strict=True) if t == p)
    return hit / math.fsum(weights)


def confusion(truth, predicted, weights):
    labels = sorted(set(truth) | set(predicted))
    return labels, [
        [
            math.fsum(
                w for t, p, w in zip(truth, predicted, weights, strict=True) if t == a and p == b
            )
            for b in labels
        ]
        for a in labels
    ]


def roc_auc(truth, scores):
    """The exact share of (positive, negative) pairs in order, ties counting half."""
    positive = [s for t, s in zip(truth, scores, strict=True) if t]
    negative = [s for t, s in zip(truth, scores, strict=True) if not t]
    twice = sum(2 * (p > n) + (p == n) for p in positive for n in negative)
    return float(Fraction(twice, 2 * len(positive) * len(negative)))


def roc_auc_weighted(truth, scores, weights):
    rows = list(zip(truth, scores, weights, strict=True))
    positive = [(s, w) for t, s, w in rows if t]
    negative = [(s, w) for t, s, w in rows if not t]
    area = math.fsum(
        wp * wn * ((p > n) + 0.5 * (p == n)) for p, wp in positive for n, wn in negative
    )
    return area / (math.fsum(w for _, w in positive) * math.fsum(w for _, w in negative))


def average_precision(truth, scores, weights):
    rows = list(zip(truth, scores, weights, strict=True))
    total = math.fsum(w for t, _, w in rows if t)
    result = []
    for threshold in sorted(set(scores), reverse=True):
        at = math.fsum(w for t, s, w in rows if t and s == threshold)
        hits = math.fsum(w for t, s, w in rows if t and s >= threshold)
        all_ = math.fsum(w for _, s, w in rows if s >= threshold)
        if at > 0:
            result.append(at / total * (hits / all_))
    return math.fsum(result)


def log_loss(codes, rows, weights, eps):
    terms = [
        -w * math.log(min(max(row[c], eps), 1 - eps))
        for c, row, w in zip(codes, rows, weights, strict=True)
    ]
    return math.fsum(terms) / math.fsum(weights)


def mean_error(truth, predicted, weights, power):
    terms = [w * abs(t - p) ** power for t, p, w in zip(truth, predicted, weights, strict=True)]
    return math.fsum(terms) / math.fsum(weights)


def r2(truth, predicted, weights):
    exact = [
        (Fraction(t), Fraction(p), Fraction(w))
        for t, p, w in zip(truth, predicted, weights, strict=True)
    ]
    mean = sum(w * t for t, _, w in exact) / sum(w for _, _, w in exact)
    residual = sum(w * (t - p) ** 2 for t, p, w in exact)
    total = sum(w * (t - mean) ** 2 for t, _, w in exact)
    return float(1 - residual / total)
