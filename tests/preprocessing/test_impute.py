import numpy as np
import pytest
import sklearn.impute
from scipy import sparse

import mlestar.impute
from mlestar.preprocessing import SimpleImputer
from mlestar.testing import TransformerContract


class ImputerContract(TransformerContract):
    attributes = ("statistics_",)
    inverse = False
    strategy = "mean"

    def make(self, **parameters):
        return SimpleImputer(strategy=self.strategy, **parameters)

    def original(self, **parameters):
        return sklearn.impute.SimpleImputer(strategy=self.strategy, **parameters)


class TestMean(ImputerContract):
    rtol = 1e-12
    batching_rtol = 4 * 2.0**-52
    dtypes = ("float64",)


def test_means_of_float32_are_summed_in_float64(rng):
    X = rng.normal(size=(5_000, 3)).astype("f") + 100
    mine, other = SimpleImputer().fit(X), sklearn.impute.SimpleImputer().fit(X)
    assert mine.statistics_.dtype == other.statistics_.dtype
    np.testing.assert_allclose(mine.statistics_, X.astype("d").mean(axis=0), rtol=1e-15)
    np.testing.assert_allclose(mine.statistics_, other.statistics_, rtol=1e-4)
    assert mine.transform(X).dtype == np.float32


class TestMedian(ImputerContract):
    strategy = "median"


class TestMedianBySketch(ImputerContract):
    strategy = "median"

    def make(self, **parameters):
        return super().make(quantiles="sketch", **parameters)

    def test_large_and_wide_tables(self):
        X = np.random.default_rng(3).normal(size=(70_000, 3))
        mine, other = self.make().fit(X), self.original().fit(X)
        np.testing.assert_allclose(mine.statistics_, other.statistics_, atol=0.004)


class TestMedianExactly(ImputerContract):
    strategy = "median"

    def make(self, **parameters):
        return super().make(quantiles="exact", **parameters)


class TestMostFrequent(ImputerContract):
    strategy = "most_frequent"
    shapes = ((5_000, 2), (3, 1_100))

    def test_estimator(self):
        """scikit-learn's own imputer of this strategy fails them: dicts in a table of objects."""


class TestConstant(ImputerContract):
    strategy = "constant"

    def test_estimator(self):
        """scikit-learn's own fails them: the checks have tables of integers."""

    def make(self, **parameters):
        return super().make(fill_value=-7.5, **parameters)

    def original(self, **parameters):
        return super().original(fill_value=-7.5, **parameters)


STRATEGIES = ["mean", "median", "most_frequent", "constant"]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("missing", [-1, 0.0, 2.5])
def test_numbers_that_stand_for_missing(rng, strategy, missing):
    X = rng.choice([-1.0, 0.0, 2.5, 3.0, 4.5], (200, 4))
    options = {"strategy": strategy, "missing_values": missing}
    for dtype in ("float64", "float32"):
        rows = X.astype(dtype)
        mine, other = (
            SimpleImputer(**options).fit(rows),
            sklearn.impute.SimpleImputer(**options).fit(rows),
        )
        np.testing.assert_allclose(mine.transform(rows), other.transform(rows), rtol=1e-6)
        assert mine.transform(rows).dtype == rows.dtype
        bad = rows.copy()
        bad[3, 1] = np.nan
        for call in (mine.fit, mine.transform, mine.partial_fit):
            with pytest.raises(ValueError, match="NaN"):
                call(bad)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.filterwarnings("ignore:Skipping features")
def test_columns_without_values_and_indicators(rng, strategy, keep):
    X = rng.normal(size=(60, 4)).round()
    X[:, 2] = np.nan
    X[5:9, 0] = np.nan
    options = {"strategy": strategy, "keep_empty_features": keep, "add_indicator": True}
    mine, other = SimpleImputer(**options).fit(X), sklearn.impute.SimpleImputer(**options).fit(X)
    np.testing.assert_array_equal(mine.statistics_.astype(float), other.statistics_.astype(float))
    np.testing.assert_array_equal(mine.indicator_.features_, [0, 2])
    np.testing.assert_array_equal(mine.transform(X), other.transform(X))
    np.testing.assert_array_equal(mine.get_feature_names_out(), other.get_feature_names_out())
    loaded = SimpleImputer(**options).load_state_dict(mine.state_dict())
    np.testing.assert_array_equal(loaded.transform(X), other.transform(X))
    if not keep:
        back = mine.inverse_transform(mine.transform(X))
        np.testing.assert_array_equal(back, other.inverse_transform(other.transform(X)))
    # What the second batch brings, the first lacks.
    late = SimpleImputer(**options).partial_fit(X).partial_fit(np.ones((9, 4)))
    assert not np.isnan(late.statistics_.astype(float)).any()
    options["add_indicator"] = False
    mine, other = SimpleImputer(**options).fit(X), sklearn.impute.SimpleImputer(**options).fit(X)
    np.testing.assert_array_equal(mine.transform(X), other.transform(X))
    if keep:
        out = np.empty_like(X)
        assert mine.transform(X, out=out) is out
    else:
        with pytest.raises(ValueError, match="out has shape"):
            mine.transform(X, out=np.empty_like(X))


def test_tables_of_other_things_are_scikit_learns():
    words = np.array([["a", 1], ["a", np.nan], [np.nan, 2]], dtype=object)
    whole = np.array([[1, 2], [-1, 2], [3, -1]])
    thin = sparse.csc_array(np.array([[0.0, 2.0], [np.nan, 0.0], [3.0, np.nan]]))
    for X, options in (
        (words, {"strategy": "most_frequent"}),
        (whole, {"strategy": "most_frequent", "missing_values": -1}),
        (whole, {"strategy": "constant", "missing_values": -1, "fill_value": 9}),
        (thin, {"strategy": "mean"}),
        ([[1.0, np.nan], [2.0, 3.0]], {"strategy": np.max}),
        (whole, {"strategy": "mean", "missing_values": -1}),
        ([[1.0, np.nan], [2.0, 3.0]], {"strategy": "median"}),
        ([[1.0, np.nan], [2.0, 3.0]], {"strategy": "most_frequent"}),
        ([["a", np.nan], ["b", "b"]], {"strategy": "most_frequent"}),
        (whole > 0, {"strategy": "mean"}),
    ):
        mine, other = SimpleImputer(**options), sklearn.impute.SimpleImputer(**options)
        one, two = mine.fit_transform(X), other.fit_transform(X)
        if sparse.issparse(two):
            one, two = one.toarray(), two.toarray()
        assert one.dtype == two.dtype
        assert one.tolist() == two.tolist()
    scaler = SimpleImputer(strategy="most_frequent").fit(words)
    for call in (
        lambda: scaler.partial_fit(words),
        lambda: scaler.merge(scaler),
        scaler.state_dict,
    ):
        with pytest.raises(ValueError, match="was fitted by scikit-learn"):
            call()
    with pytest.raises(ValueError, match="partial_fit must have floats"):
        SimpleImputer(strategy="most_frequent").partial_fit(words)
    with pytest.raises(ValueError, match="Cannot use mean strategy with non-numeric data"):
        SimpleImputer().partial_fit(words)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_infinity(rng, strategy):
    X = rng.normal(size=(30, 2))
    mine = SimpleImputer(strategy=strategy).fit(X)
    state = repr(mine.state_dict())
    bad = X.copy()
    bad[3, 1] = -np.inf
    kept = bad.copy()
    for call in (mine.transform, mine.partial_fit, lambda x: mine.transform(x, out=x)):
        with pytest.raises(ValueError, match="infinity"):
            call(bad)
    np.testing.assert_array_equal(bad, kept)
    assert repr(mine.state_dict()) == state


def test_large_medians_keep_nothing(rng):
    X = rng.normal(size=(8_192, 1))
    mine = SimpleImputer(strategy="median").fit(X)
    assert mine.statistics_[0] == np.median(X)
    with pytest.raises(ValueError, match="nothing is kept"):
        mine.partial_fit(X)


def test_the_room_of_scikit_learns_name():
    assert set(sklearn.impute.__all__) == set(mlestar.impute.__all__)
    assert mlestar.impute.SimpleImputer is SimpleImputer
    assert mlestar.impute.KNNImputer is sklearn.impute.KNNImputer
    with pytest.raises(ImportError, match="experimental"):
        mlestar.impute.IterativeImputer  # noqa: B018
