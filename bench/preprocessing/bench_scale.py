"""Scalers: tables of 20 columns, `n` elements and at least 50 rows (2 000 000 are 100 000 rows)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn.preprocessing as theirs

import mlestar.preprocessing as ours
from bench.row import Row, bench_rows

COLUMNS = 20


def fitted(mine: Any, other: Any) -> None:
    """What was fitted is what scikit-learn's has fitted."""
    np.testing.assert_allclose(mine.scale_, other.scale_, rtol=1e-9)


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    count = max(50, n // COLUMNS)
    # As many rows as the issue of speed names, where the size is the large one.
    count = 1_000_000 if n >= 2_000_000 else count
    X = rng.normal(size=(count, COLUMNS)) * 3 + 5
    single = X.astype(np.float32)
    by_columns = np.asfortranarray(X)
    missing = np.where(rng.random(X.shape) < 0.05, np.nan, X)
    weight = rng.random(count)
    batches = np.array_split(X, 100) if count >= 10_000 else np.array_split(X, 10)

    def fit(name: str, what: str, data: Any, **options: Any) -> Row:
        return Row(
            f"{name} fit{what}",
            n,
            lambda: getattr(ours, name)().fit(data, **options),
            {"scikit-learn": lambda: getattr(theirs, name)().fit(data, **options)},
            data.nbytes,
            name,
            same=fitted,
        )

    def in_batches(module: Any) -> Any:
        scaler = module.StandardScaler()
        for batch in batches:
            scaler.partial_fit(batch)
        return scaler

    def transform(name: str, what: str, data: Any, out: Any = None, back: bool = False) -> Row:
        mine, other = (getattr(m, name)().fit(data) for m in (ours, theirs))
        call = "inverse_transform" if back else "transform"
        into = {} if out is None else {"out": out}
        peer: Callable[[], Any] = lambda: getattr(other, call)(data)  # noqa: E731
        return Row(
            f"{name} {call}{what}",
            n,
            lambda: getattr(mine, call)(data, **into),
            {"scikit-learn": peer},
            2 * data.nbytes,
            name,
            same=lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4),
        )

    return [
        fit("StandardScaler", "", X),
        fit("StandardScaler", ", float32", single),
        fit("StandardScaler", ", Fortran order", by_columns),
        fit("StandardScaler", ", 5% missing", missing),
        fit("StandardScaler", ", weights", X, sample_weight=weight),
        Row(
            "StandardScaler partial_fit, 100 batches",
            n,
            lambda: in_batches(ours),
            {"scikit-learn": lambda: in_batches(theirs)},
            X.nbytes,
            "StandardScaler",
            same=fitted,
        ),
        fit("MinMaxScaler", "", X),
        fit("MaxAbsScaler", "", X),
        transform("StandardScaler", "", X),
        transform("StandardScaler", " into out", X, np.empty_like(X)),
        transform("StandardScaler", " into out, float32", single, np.empty_like(single)),
        transform("StandardScaler", ", Fortran order", by_columns),
        transform("StandardScaler", "", X, back=True),
        transform("MinMaxScaler", "", X),
        transform("MaxAbsScaler", "", X),
        transform("Normalizer", "", X),
        transform("Binarizer", "", X),
    ]


test_rows = bench_rows(rows)
