"""Whole calls of cross_validate."""

import numpy as np
import sklearn.model_selection as theirs
from sklearn.linear_model import Ridge

import mlestar.model_selection as ours
from bench.row import Row, bench_rows


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    X = rng.random((max(20, n // 10), 50))
    y = X @ rng.random(50) + rng.random(len(X))
    return [
        Row(
            "cross_validate, ridge, n/10 rows of 50 columns, 5 folds",
            n,
            lambda: ours.cross_validate(Ridge(), X, y, scoring="r2")["test_score"],
            {
                "scikit-learn": lambda: theirs.cross_validate(Ridge(), X, y, scoring="r2")[
                    "test_score"
                ]
            },
            X.nbytes,
            "cross_validate",
        )
    ]


test_rows = bench_rows(rows)
