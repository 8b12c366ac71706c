"""Counts at thresholds by their definition: one comparison of every score with every threshold."""


def counts_at_thresholds(y_true, y_score, weight=None):
    """[(threshold, true negatives, false positives, false negatives, true positives)], descending."""
    weight = [1.0] * len(y_true) if weight is None else list(weight)
    rows = [(y, s, w) for y, s, w in zip(y_true, y_score, weight, strict=True) if w]
    found = []
    for threshold in sorted({s for _, s, _ in rows}, reverse=True):
        cells = [0.0, 0.0, 0.0, 0.0]
        for y, s, w in rows:
            cells[2 * int(y == 1) + int(s >= threshold)] += w
        found.append((threshold, *cells))
    return found


def area_between(y_true, y_score, one, other):
    """Fraction of pairs of a row of class `one` and one of `other` that scores put in order."""
    ones = [s for y, s in zip(y_true, y_score, strict=True) if y == one]
    others = [s for y, s in zip(y_true, y_score, strict=True) if y == other]
    pairs = sum((a > b) + 0.5 * (a == b) for a in ones for b in others)
    return pairs / (len(ones) * len(others))
