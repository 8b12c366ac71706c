"""The tables that patterns are carried between: what scikit-learn ships and generates, and real ones.

The lists of tables, and what is asked of them, were fixed before the first run. The runs that patterns come from
were made cheaper after it (they had 150 fits of five folds), when the first rule for choosing starts had lost.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

SHIPPED = ("breast_cancer", "wine", "iris", "digits", "diabetes")
GENERATED = (
    "classification_wide",
    "classification_clusters",
    "classification_rare",
    "gaussian_quantiles",
    "hastie",
    "moons",
    "circles",
    "categories_classes",
    "friedman1",
    "friedman2",
    "friedman3",
    "regression_sparse",
    "regression_low_rank",
    "sparse_uncorrelated",
    "swiss_roll",
    "categories_values",
)
REAL = ("adult", "abalone", "winequality-red", "pima-diabetes", "beijing-pm25")
TABLES = SHIPPED + GENERATED
"""Tables that need no file."""

ROWS = 400
"""Rows of a table that a run may see, at most; as many others judge what it found."""

SEEDS = 5
FITS = 10
FOLDS = 5
KNOWN_FITS, KNOWN_FOLDS = 72, 3
"""Fits and folds of the one run on each other table that patterns come from."""

_TARGETS = {
    "adult": "income",
    "abalone": "rings",
    "winequality-red": "quality",
    "pima-diabetes": "diabetes",
    "beijing-pm25": "pm2.5",
}
_LEAKS = {"beijing-pm25": ["No", "row"]}


def load(name: str, data: Path | None = None) -> tuple[Any, Any, Any, Any]:
    """Features and target of the rows that a run sees, and of those that judge it.

    Returns
    -------
    X, y, X_test, y_test
        Data frames, and arrays of classes or values.
    """
    import pandas

    X, y = _real(name, data) if name in REAL else _made(name)
    X = X if hasattr(X, "columns") else pandas.DataFrame(X).add_prefix("x")
    y = np.asarray(y)
    order = np.random.default_rng(0).permutation(len(y))
    size = min(ROWS, len(y) * 6 // 10)
    seen, unseen = order[:size], order[size : 2 * size]
    return (
        X.iloc[seen].reset_index(drop=True),
        y[seen],
        X.iloc[unseen].reset_index(drop=True),
        y[unseen],
    )


def _real(name: str, data: Path | None) -> tuple[Any, Any]:
    import pandas

    if data is None:
        raise FileNotFoundError(f"{name} needs --data FOLDER with {name}.csv.gz")
    frame = pandas.read_csv(data / f"{name}.csv.gz")
    frame = frame.drop(columns=[c for c in _LEAKS.get(name, []) if c in frame.columns])
    frame = frame.dropna(subset=[_TARGETS[name]])
    y = frame.pop(_TARGETS[name])
    return frame, y.to_numpy()


def _made(name: str) -> tuple[Any, Any]:
    from sklearn import datasets

    if name in SHIPPED:
        return getattr(datasets, f"load_{name}")(return_X_y=True)
    rng = np.random.default_rng(len(name))
    rows = 2 * ROWS
    common = {"n_samples": rows, "random_state": 0}
    if name == "classification_wide":
        return datasets.make_classification(n_features=60, n_informative=8, flip_y=0.05, **common)
    if name == "classification_clusters":
        return datasets.make_classification(
            n_features=12, n_informative=6, n_classes=4, n_clusters_per_class=3, **common
        )
    if name == "classification_rare":
        return datasets.make_classification(
            n_features=20, n_informative=5, weights=[0.9], flip_y=0.02, **common
        )
    if name == "gaussian_quantiles":
        return datasets.make_gaussian_quantiles(n_features=6, n_classes=3, **common)
    if name == "hastie":
        X, y = datasets.make_hastie_10_2(rows, random_state=0)
        return X, (y > 0).astype(int)
    if name in ("moons", "circles"):
        X, y = getattr(datasets, f"make_{name}")(noise=0.25, **common)
        return np.column_stack([X, rng.normal(size=(rows, 4))]), y
    if name.startswith("friedman"):
        extra = {"n_features": 12} if name == "friedman1" else {}
        X, y = getattr(datasets, f"make_{name}")(noise=0.5, **extra, **common)
        return X, y + (0.05 * y.std()) * rng.normal(size=rows)
    if name == "regression_sparse":
        return datasets.make_regression(n_features=40, n_informative=6, noise=30.0, **common)
    if name == "regression_low_rank":
        return datasets.make_regression(n_features=30, effective_rank=6, noise=2.0, **common)
    if name == "sparse_uncorrelated":
        return datasets.make_sparse_uncorrelated(rows, n_features=15, random_state=0)
    if name == "swiss_roll":
        X, y = datasets.make_swiss_roll(rows, noise=0.5, random_state=0)
        return np.column_stack([X, rng.normal(size=(rows, 3))]), y
    return _with_categories(rng, rows, classes=name == "categories_classes")


def _with_categories(rng: Any, rows: int, *, classes: bool) -> tuple[Any, Any]:
    """Numbers with holes beside categories, some with many values, and a target of both."""
    import pandas

    kinds = rng.integers(0, 6, rows)
    places = np.minimum(rng.geometric(0.06, rows), 60)
    numbers = rng.lognormal(size=(rows, 4))
    effects, levels = rng.normal(size=6), rng.normal(size=61)
    value = (
        effects[kinds] + levels[places] + np.log(numbers[:, 0]) * (kinds < 3) + numbers[:, 1] / 4
    )
    value += 0.5 * rng.normal(size=rows)
    numbers[rng.random(numbers.shape) < 0.08] = np.nan
    frame = pandas.DataFrame(numbers, columns=["a", "b", "c", "d"])
    frame["kind"] = [f"k{i}" for i in kinds]
    frame["place"] = [f"p{i}" for i in places]
    return frame, (value > np.median(value)).astype(int) if classes else value
