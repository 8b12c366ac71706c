"""Splits that leave out every row, every pair of rows, or given folds."""

import numpy as np
import sklearn.model_selection as theirs

import mlestar.model_selection as ours
from bench.model_selection.bench_splitters import same
from bench.row import SMALL, Row, bench_rows


def rows(n: int) -> list[Row]:
    """Given folds at any size; the others have a split for each row or pair, so few rows."""
    folds = np.random.default_rng(0).integers(-1, 5, n)

    def row(name: str, size: int, *arguments: object) -> Row:
        X = np.zeros(size)
        return Row(
            name,
            size,
            lambda: list(getattr(ours, name)(*arguments).split(X)),
            {"scikit-learn": lambda: list(getattr(theirs, name)(*arguments).split(X))},
            0,
            name,
            same=same,
        )

    return [
        row("PredefinedSplit", n, folds),
        row("LeaveOneOut", min(n, SMALL)),
        row("LeavePOut", min(n, 50), 2),
    ]


test_rows = bench_rows(rows)
