"""Bins: tables of 20 columns (at the large size, of 1 000 000 rows)."""

from typing import Any

import numpy as np
import sklearn.preprocessing as theirs

import mlestar.preprocessing as ours
from bench.preprocessing.bench_encode import identical
from bench.row import Row, bench_rows


def fitted(mine: Any, other: Any) -> None:
    """The same edges were found."""
    for one, two in zip(mine.bin_edges_, other.bin_edges_, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    count = 1_000_000 if n >= 2_000_000 else max(50, n // 20)
    X = rng.normal(size=(count, 20)) * 3 + 5
    single = X.astype(np.float32)

    def fit(what: str, **options: Any) -> Row:
        options = {"encode": "ordinal", "random_state": 0, **options}
        return Row(
            f"KBinsDiscretizer fit{what}",
            n,
            lambda: ours.KBinsDiscretizer(**options).fit(X),
            {"scikit-learn": lambda: theirs.KBinsDiscretizer(**options).fit(X)},
            X.nbytes,
            "KBinsDiscretizer",
            same=fitted,
        )

    def transform(what: str, data: Any, into: bool = False, **options: Any) -> Row:
        options = {"encode": "ordinal", "strategy": "uniform", "random_state": 0, **options}
        mine, other = (m.KBinsDiscretizer(**options).fit(data) for m in (ours, theirs))
        out = {"out": np.empty_like(other.transform(data))} if into else {}
        return Row(
            f"KBinsDiscretizer transform{what}",
            n,
            lambda: mine.transform(data, **out),
            {"scikit-learn": lambda: other.transform(data)},
            2 * data.nbytes,
            "KBinsDiscretizer",
            same=identical,
        )

    few = X[: max(50, count // 5)]  # dense ones are five times as wide
    return [
        fit(", uniform", strategy="uniform"),
        fit(", quantiles"),
        transform("", X),
        transform(" into out", X, into=True),
        transform(", float32", single),
        transform(", 100 bins", X, n_bins=100),
        transform(", ones", X, encode="onehot"),
        transform(", dense ones", few, encode="onehot-dense"),
    ]


test_rows = bench_rows(rows)
