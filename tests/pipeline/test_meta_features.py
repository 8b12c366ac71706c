"""Meta-features: against SciPy and scikit-learn, in any batches, for odd tables."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression

from mlestar.pipeline import META_FEATURES, MetaFeatures


def of(X, y, *, cardinalities=None, classes=0, batch=None):
    task = "regression" if not classes else "binary" if classes == 2 else "multiclass"
    cardinalities = [0] * X.shape[1] if cardinalities is None else cardinalities
    meta = MetaFeatures(task, cardinalities, classes)
    for start in range(0, len(X), batch or len(X)):
        meta.update(X[start : start + (batch or len(X))], y[start : start + (batch or len(X))])
    return meta.compute()


def test_values_of_a_regression(rng):
    X = rng.lognormal(size=(500, 4))
    X[:, 3] = np.round(X[:, 3])
    y = X @ [1.0, -2.0, 0.0, 0.5] + rng.normal(size=500)
    found = of(X, y)
    assert list(found) == list(META_FEATURES)
    assert found["log_rows"] == math.log10(500)
    assert found["log_rows_per_column"] == math.log10(125)
    assert found["log_classes"] == found["class_entropy"] == found["rarest_class"] == 0.0
    skew, kurtosis = stats.skew(X), stats.kurtosis(X, fisher=False)
    assert found["skewness"] == pytest.approx(np.log1p(np.abs(skew)).mean())
    assert found["kurtosis"] == pytest.approx(np.log1p(kurtosis).mean())
    assert found["target_skewness"] == pytest.approx(np.log1p(abs(stats.skew(y))))
    assert found["target_kurtosis"] == pytest.approx(np.log1p(stats.kurtosis(y, fisher=False)))
    correlation = np.abs(np.corrcoef(np.column_stack([X, y]).T))
    assert found["correlation"] == pytest.approx(correlation[:4, :4][np.triu_indices(4, 1)].mean())
    assert found["target_correlation"] == pytest.approx(correlation[4, :4].mean())
    assert found["best_target_correlation"] == pytest.approx(correlation[4, :4].max())
    assert found["linear_fit"] == pytest.approx(LinearRegression().fit(X, y).score(X, y))
    assert found["whole"] == pytest.approx((np.floor(X) == X).mean())
    assert found["zeros"] == pytest.approx((X == 0).mean())


def test_values_of_classes_with_holes_and_categories(rng):
    X = rng.normal(size=(600, 3))
    X[:, 2] = rng.integers(0, 7, 600)
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
    X[rng.random(600) < 0.2, 1] = np.nan
    found = of(X, y, cardinalities=[0, 0, 7], classes=3)
    shares = np.bincount(y) / 600
    assert found["categories"] == pytest.approx(1 / 3)
    assert found["log_cardinality"] == pytest.approx(math.log10(7))
    assert found["missing"] == pytest.approx(np.isnan(X).mean())
    assert found["columns_with_missing"] == pytest.approx(1 / 3)
    assert found["class_entropy"] == pytest.approx(stats.entropy(shares, base=3))
    assert found["rarest_class"] == pytest.approx(shares.min())
    filled = np.where(np.isnan(X[:, :2]), np.nanmean(X[:, :2], axis=0), X[:, :2])
    shown = (y[:, None] == np.arange(3)).astype(float)
    fits = [LinearRegression().fit(filled, part).score(filled, part) for part in shown.T]
    assert found["linear_fit"] == pytest.approx(np.mean(fits))
    present = [X[:, 0], X[~np.isnan(X[:, 1]), 1]]
    assert found["kurtosis"] == pytest.approx(
        np.mean([np.log1p(stats.kurtosis(part, fisher=False)) for part in present])
    )


def test_batches(rng):
    X = rng.normal(5.0, 0.01, size=(10_000, 5))
    y = rng.integers(0, 2, 10_000)
    whole = of(X, y, classes=2)
    assert of(X, y, classes=2) == whole  # to the bit
    for batch in (1000, 4096, 7777):
        assert of(X, y, classes=2, batch=batch) == pytest.approx(whole, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("classes", [0, 2, 12])
def test_odd_tables_give_finite_numbers(classes, rng):
    y = np.arange(24) % classes if classes else np.full(24, 3.0)
    nothing = np.full(24, np.nan)
    columns = [nothing, np.full(24, 1e308), np.zeros(24), np.arange(24.0), np.arange(24.0) * 2]
    columns += [np.where(np.arange(24) == 3, np.inf, 1e-300), rng.normal(size=24)]
    for X in (np.column_stack(columns), nothing[:, None], np.column_stack([columns[3]] * 40)):
        with np.errstate(all="raise", under="ignore"):
            found = of(X, y, classes=classes)
        assert all(math.isfinite(value) for value in found.values())
        assert 0.0 <= found["linear_fit"] <= 1.0
    only = of(np.zeros((24, 1)), y, cardinalities=[3], classes=classes)
    assert only["categories"] == 1.0
    assert only["linear_fit"] == 0.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("clustering", [0], 0), "task is 'clustering'"),
        (("binary", [0], 0), "classes is 0"),
        (("regression", [0], 2), "classes is 2"),
        (("regression", [], 0), "cardinalities is"),
        (("regression", [-1], 0), "cardinalities is"),
    ],
)
def test_bad_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        MetaFeatures(*arguments)


def test_bad_rows():
    meta = MetaFeatures("binary", [0, 0], 2)
    with pytest.raises(ValueError, match="no rows"):
        meta.compute()
    for X, y, words in (
        (np.zeros((3, 1)), [0, 1, 0], "must have 2 columns"),
        (np.zeros((3, 2)), [0, 1], "X has 3 rows"),
        (np.zeros((3, 2)), [0, 1, 2], "class numbers from 0 to 1"),
    ):
        with pytest.raises(ValueError, match=words):
            meta.update(X, y)
    with pytest.raises(ValueError, match="finite"):
        MetaFeatures("regression", [0]).update(np.zeros((1, 1)), [np.nan])
