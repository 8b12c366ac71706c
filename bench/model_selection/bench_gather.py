"""Rows by number."""

import numpy as np

from bench.row import Row, bench_rows
from mlestar.model_selection import take_rows


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
    ]


test_rows = bench_rows(rows)
