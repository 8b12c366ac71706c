"""Stratification by the papers' words, in fractions."""

from fractions import Fraction
from itertools import combinations


def quantile_bins(y, n_bins):
    edges = [sorted(y)[i * len(y) // n_bins] for i in range(1, n_bins)]
    return [sum(edge <= value for edge in edges) for value in y]


def iterative_stratification(y, shares, exact_sizes=None, order=1, state=None):
    """The fold of each row (Sechidis, Tsoumakas and Vlahavas 2011, algorithm 1).

    `shares` of the folds, summing to 1; with `exact_sizes` a fold that has its rows gets no more.
    """
    n = len(y)
    rows = list(range(n))
    if state is not None:
        state.shuffle(rows)
    fold_of = {}
    wants = [n * share for share in shares]

    def choose(wish):
        open_folds = [
            f
            for f in range(len(shares))
            if exact_sizes is None or list(fold_of.values()).count(f) < exact_sizes[f]
        ]
        best = max((wish[f], wants[f]) for f in open_folds)
        ties = [f for f in open_folds if (wish[f], wants[f]) == best]
        if state is not None:
            state.shuffle(ties)
        return ties[0]

    def assign(row, fold):
        fold_of[row] = fold
        wants[fold] -= 1

    def deal(items):
        """`items`: of each, the rows that have it."""
        turn = list(range(len(items)))
        if state is not None:
            state.shuffle(turn)
        while True:
            left = [sum(row not in fold_of for row in item) for item in items]
            candidates = [i for i in turn if left[i]]
            if not candidates:
                return
            item = items[min(candidates, key=lambda i: left[i])]
            for row in [row for row in rows if row in item and row not in fold_of]:
                wish = [
                    len(item) * share - sum(fold_of.get(r) == f for r in item)
                    for f, share in enumerate(shares)
                ]
                assign(row, choose(wish))

    labels = [{row for row in range(n) if y[row][c]} for c in range(len(y[0]))]
    if order == 2:
        pairs = [a & b for a, b in combinations(labels, 2)]
        deal([pair for pair in pairs if pair])
    deal(labels)
    for row in rows:
        if row not in fold_of:
            assign(row, choose(wants))
    return [fold_of[row] for row in range(n)]


def uneven(y, fold_of, count):
    """The paper's labels distribution measure: mean difference of odds, over folds and labels."""
    total, n = Fraction(0), len(y)
    for c in range(len(y[0])):
        having = sum(row[c] for row in y)
        for f in range(count):
            rows = [row for row, fold in zip(y, fold_of, strict=True) if fold == f]
            mine = sum(row[c] for row in rows)
            total += abs(Fraction(int(mine), max(1, len(rows))) - Fraction(int(having), n))
    return total / len(y[0]) / count
