"""Resampling and paired tests by their definitions: loops over rows, pairs and resamples."""

from __future__ import annotations

import itertools
import math


def bootstrap(metric, truth, given, resamples, rng, strata=None, groups=None, weights=None):
    """The metric on rows drawn by index."""
    rows = list(range(len(truth)))
    units = (
        [[i] for i in rows]
        if groups is None
        else [[i for i in rows if groups[i] == g] for g in sorted(set(groups))]
    )
    kinds = [0] * len(units) if strata is None else [strata[unit[0]] for unit in units]
    values = []
    for _ in range(resamples):
        drawn = []
        for kind in sorted(set(kinds)):
            pool = [unit for unit, of in zip(units, kinds, strict=True) if of == kind]
            for u in rng.integers(0, len(pool), len(pool)):
                drawn += pool[u]
        options = {} if weights is None else {"sample_weight": weights[drawn]}
        values.append(metric(truth[drawn], given[drawn], **options))
    return values


def placement_values(truth, scores):
    """DeLong's components: of each positive, and of each negative, in O(mn)."""
    positive = [s for t, s in zip(truth, scores, strict=True) if t]
    negative = [s for t, s in zip(truth, scores, strict=True) if not t]

    def psi(a, b):
        return (a > b) + 0.5 * (a == b)

    return (
        [math.fsum(psi(p, n) for n in negative) / len(negative) for p in positive],
        [math.fsum(psi(p, n) for p in positive) / len(positive) for n in negative],
    )


def _covariance(a, b):
    ma, mb = math.fsum(a) / len(a), math.fsum(b) / len(b)
    return math.fsum((x - ma) * (y - mb) for x, y in zip(a, b, strict=True)) / (len(a) - 1)


def delong_covariance(truth, models):
    """Covariance matrix of the areas."""
    parts = [placement_values(truth, scores) for scores in models]
    return [
        [_covariance(a[0], b[0]) / len(a[0]) + _covariance(a[1], b[1]) / len(a[1]) for b in parts]
        for a in parts
    ]


def permutation_p_value(metric, truth, a, b, two_sided=True):
    """Over all 2^n swaps."""
    observed = metric(truth, a) - metric(truth, b)
    hits = total = 0
    for swaps in itertools.product((0, 1), repeat=len(truth)):
        first = [y if s else x for x, y, s in zip(a, b, swaps, strict=True)]
        second = [x if s else y for x, y, s in zip(a, b, swaps, strict=True)]
        difference = metric(truth, first) - metric(truth, second)
        total += 1
        hits += (
            abs(difference) >= abs(observed) - 1e-12
            if two_sided
            else difference >= observed - 1e-12
        )
    return hits / total


def corrected_t(differences, train, test):
    """Nadeau and Bengio's statistic."""
    count = len(differences)
    mean = math.fsum(differences) / count
    variance = math.fsum((d - mean) ** 2 for d in differences) / (count - 1)
    return mean / math.sqrt((1 / count + test / train) * variance)
