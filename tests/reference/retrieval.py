"""Retrieval metrics of one row by their definitions."""

from math import log


def coverage(truth, score):
    true = [s for t, s in zip(truth, score, strict=True) if t]
    return sum(s >= min(true) for s in score) if true else 0


def average_precision(truth, score):
    true = [s for t, s in zip(truth, score, strict=True) if t]
    if len(true) in (0, len(truth)):
        return 1.0
    return sum(sum(s >= x for s in true) / sum(s >= x for s in score) for x in true) / len(true)


def ranking_loss(truth, score):
    true = [s for t, s in zip(truth, score, strict=True) if t]
    others = [s for t, s in zip(truth, score, strict=True) if not t]
    if not true or not others:
        return 0.0
    return sum(o >= t for t in true for o in others) / (len(true) * len(others))


def discounted_gain(gain, score, k=None):
    """Gains of equal scores averaged over their ranks."""
    order = sorted(range(len(score)), key=lambda i: -score[i])
    total = 0.0
    for rank, i in enumerate(order):
        equal = [g for g, s in zip(gain, score, strict=True) if s == score[i]]
        if k is None or rank < k:
            total += sum(equal) / len(equal) / log(rank + 2, 2)
    return total
