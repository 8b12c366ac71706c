"""Encoding by the target: 4 columns (at the large size, of 1 000 000 rows)."""

from typing import Any

import numpy as np
import sklearn.preprocessing as theirs

import mlestar.preprocessing as ours
from bench.row import Row, bench_rows


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    count = 1_000_000 if n >= 2_000_000 else n
    count = max(60, count)
    X = rng.integers(0, 200, (count, 4))
    words = np.array([f"category {i}" for i in range(200)])[X]
    y = rng.normal(size=count) + X[:, 0] * 0.01
    labels = (rng.random(count) < 0.3).astype(np.int64)
    labels[:20] = np.arange(20) % 2
    classes = rng.integers(0, 4, count)
    classes[:20] = np.arange(20) % 4

    def drawn(module: Any, data: Any, target: Any) -> Any:
        np.random.seed(3)  # the folds are of NumPy's own generator
        return module.TargetEncoder().fit_transform(data, target)

    def fit_transform(what: str, data: Any, target: Any) -> Row:
        return Row(
            f"TargetEncoder fit_transform{what}",
            n,
            lambda: drawn(ours, data, target),
            {"scikit-learn": lambda: drawn(theirs, data, target)},
            data.nbytes,
            "TargetEncoder",
            same=lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12),
        )

    mine, other = (m.TargetEncoder().fit(X, y) for m in (ours, theirs))
    return [
        fit_transform(", numbers", X, y),
        fit_transform(", two labels", X, labels),
        fit_transform(", four labels", X, classes),
        fit_transform(", strings and numbers", words, y),
        Row(
            "TargetEncoder transform",
            n,
            lambda: mine.transform(X),
            {"scikit-learn": lambda: other.transform(X)},
            2 * X.nbytes,
            "TargetEncoder",
        ),
    ]


test_rows = bench_rows(rows)
