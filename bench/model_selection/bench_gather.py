"""Rows by number, and the training rows of a fold as cross-validation gathers them."""

import numpy as np

from bench.row import Row, bench_rows
from mlestar.model_selection import KFold, StratifiedKFold, take_rows
from mlestar.model_selection._fold_data import FoldBuffer


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    order = rng.permutation(n)
    vector = rng.random(n)
    matrix = rng.random((max(2, n // 10), 20))
    some = rng.integers(0, len(matrix), len(matrix))
    return [
        Row(
            "take_rows, a vector",
            n,
            lambda: take_rows(vector, order),
            {"NumPy": lambda: vector[order]},
            3 * vector.nbytes,
            "take_rows",
        ),
        Row(
            "take_rows, a matrix of 20 columns",
            n,
            lambda: take_rows(matrix, some),
            {"NumPy": lambda: matrix[some]},
            2 * matrix.nbytes,
            "take_rows",
        ),
        *folds(rng, max(16, n // 2)),
    ]


def folds(rng: np.random.Generator, n: int) -> list[Row]:
    """Of 1 000 000 rows and 50 columns, four of five folds; in the C order that NumPy gives."""
    by_rows = rng.random((n, 50))
    by_columns = np.asfortranarray(by_rows)
    y = rng.integers(0, 2, n)
    buffer = FoldBuffer()
    runs = list(KFold(5).split(by_rows))[1][0]
    apart = next(StratifiedKFold(5, shuffle=True, random_state=0).split(by_rows, y))[0]
    return [
        Row(
            f"a fold of n/2 rows of 50 columns, {order} order, {name}",
            2 * n,
            lambda X=X, train=train: buffer.take(X, train),
            {"NumPy": lambda X=X, train=train: X[train]},
            2 * by_rows[: len(train)].nbytes,
            same=np.testing.assert_array_equal,
        )
        for order, X in (("C", by_rows), ("F", by_columns))
        for name, train in (("KFold", runs), ("shuffled", apart))
    ]


test_rows = bench_rows(rows)
