"""Imputation: tables of 20 columns with 5% missing (at the large size, of 1 000 000 rows)."""

from typing import Any

import numpy as np
import sklearn.impute as theirs

import mlestar.impute as ours
from bench.row import Row, bench_rows


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1_000_000 if n >= 2_000_000 else max(50, n // 20), 20)) * 3 + 5
    X[rng.random(X.shape) < 0.05] = np.nan
    X[0] = 1.0
    rounded = X.round()
    out = np.empty_like(X)

    def fit(strategy: str, data: Any, what: str = "", tolerance: float = 1e-9, **more: Any) -> Row:
        return Row(
            f"SimpleImputer fit, {strategy}{what}",
            n,
            lambda: ours.SimpleImputer(strategy=strategy, **more).fit(data).statistics_,
            {"scikit-learn": lambda: theirs.SimpleImputer(strategy=strategy).fit(data).statistics_},
            data.nbytes,
            "SimpleImputer",
            rtol=tolerance,
        )

    mine, other = ours.SimpleImputer().fit(X), theirs.SimpleImputer().fit(X)
    return [
        fit("mean", X),
        fit("median", X),
        fit("median", X, " by a sketch", 0.02, quantiles="sketch"),
        fit("most_frequent", rounded),
        Row(
            "SimpleImputer transform",
            n,
            lambda: mine.transform(X),
            {"scikit-learn": lambda: other.transform(X)},
            2 * X.nbytes,
            "SimpleImputer",
        ),
        Row(
            "SimpleImputer transform into out",
            n,
            lambda: mine.transform(X, out=out),
            {"scikit-learn": lambda: other.transform(X)},
            2 * X.nbytes,
            "SimpleImputer",
        ),
    ]


test_rows = bench_rows(rows)
