"""Scaling by quantiles: tables of 20 columns (at the large size, of 1 000 000 rows)."""

from typing import Any

import numpy as np
import sklearn.preprocessing as theirs

import mlestar.preprocessing as ours
from bench.row import Row, bench_rows


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1_000_000 if n >= 2_000_000 else max(50, n // 20), 20)) * 3 + 5
    missing = np.where(rng.random(X.shape) < 0.05, np.nan, X)

    def fitted(tolerance: float) -> Any:
        def same(mine: Any, other: Any) -> None:
            np.testing.assert_allclose(mine.center_, other.center_, rtol=tolerance)
            np.testing.assert_allclose(mine.scale_, other.scale_, rtol=tolerance)

        return same

    def fit(what: str, data: Any, tolerance: float = 1e-12, **options: Any) -> Row:
        return Row(
            f"RobustScaler fit{what}",
            n,
            lambda: ours.RobustScaler(**options).fit(data),
            {"scikit-learn": lambda: theirs.RobustScaler().fit(data)},
            data.nbytes,
            "RobustScaler",
            same=fitted(tolerance),
        )

    mine, other = ours.RobustScaler().fit(X), theirs.RobustScaler().fit(X)
    out = np.empty_like(X)
    return [
        fit("", X),
        fit(", Fortran order", np.asfortranarray(X)),
        fit(", 5% missing", missing),
        fit(" by a sketch", X, 0.02, quantiles="sketch"),
        Row(
            "RobustScaler transform into out",
            n,
            lambda: mine.transform(X, out=out),
            {"scikit-learn": lambda: other.transform(X)},
            2 * X.nbytes,
            "RobustScaler",
        ),
    ]


test_rows = bench_rows(rows)
