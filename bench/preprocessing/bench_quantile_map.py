"""Maps by quantiles: tables of 20 columns (at the large size, of 1 000 000 rows)."""

from typing import Any

import numpy as np
import sklearn.preprocessing as theirs

import mlestar.preprocessing as ours
from bench.row import Row, bench_rows


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    count = 1_000_000 if n >= 2_000_000 else max(50, n // 20)
    X = rng.normal(size=(count, 20)) * 3 + 5
    single = X.astype(np.float32)
    quantiles = min(1_000, count)
    out = np.empty_like(X)

    def made(module: Any, distribution: str) -> Any:
        return module.QuantileTransformer(
            n_quantiles=quantiles, output_distribution=distribution, random_state=0
        )

    def transform(what: str, distribution: str, data: Any, into: Any = None) -> Row:
        mine, other = (made(m, distribution).fit(data) for m in (ours, theirs))
        options = {} if into is None else {"out": into}
        tolerance = 1e-12 if data.dtype == np.float64 else 1e-6
        return Row(
            f"QuantileTransformer transform, {distribution}{what}",
            n,
            lambda: mine.transform(data, **options),
            {"scikit-learn": lambda: other.transform(data)},
            2 * data.nbytes,
            "QuantileTransformer",
            same=lambda a, b: np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance),
        )

    return [
        Row(
            "QuantileTransformer fit",
            n,
            lambda: made(ours, "uniform").fit(X).quantiles_,
            {"scikit-learn": lambda: made(theirs, "uniform").fit(X).quantiles_},
            X.nbytes,
            "QuantileTransformer",
            rtol=1e-15,
        ),
        transform("", "uniform", X),
        transform(" into out", "uniform", X, out),
        transform(", float32", "uniform", single),
        transform("", "normal", X),
        transform(" into out", "normal", X, out),
    ]


test_rows = bench_rows(rows)
