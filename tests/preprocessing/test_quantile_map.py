import warnings

import numpy as np
import pytest
import sklearn.preprocessing as theirs
from scipy import sparse, stats

import mlestar.preprocessing as ours
from mlestar import _core
from mlestar.testing import TransformerContract, core_calls


class QuantileContract(TransformerContract):
    attributes = ("quantiles_", "references_", "n_quantiles_")
    shapes = ((70_000, 3), (50, 700), (50, 70))
    distribution = "uniform"

    def options(self):
        return {"n_quantiles": 40, "output_distribution": self.distribution, "subsample": None}

    def make(self, **parameters):
        return ours.QuantileTransformer(**self.options(), **parameters)

    def original(self, **parameters):
        return theirs.QuantileTransformer(**self.options(), **parameters)

    def same_attributes(self, mine, theirs, rtol):
        for name in self.attributes:
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))


@pytest.mark.filterwarnings("ignore:n_quantiles")
class TestUniform(QuantileContract):
    pass


@pytest.mark.filterwarnings("ignore:n_quantiles")
class TestNormal(QuantileContract):
    distribution = "normal"
    rtol = 2e-14


@pytest.mark.filterwarnings("ignore:n_quantiles")
class TestExactly(QuantileContract):
    def make(self, **parameters):
        return super().make(quantiles="exact", **parameters)


@pytest.mark.filterwarnings("ignore:n_quantiles")
class TestBySketch(QuantileContract):
    shapes = ((5_000, 3), (50, 700))

    def make(self, **parameters):
        return super().make(quantiles="sketch", **parameters)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("distribution", ["uniform", "normal"])
@pytest.mark.parametrize("count", [1, 2, 7, 100, 1_000])
def test_repeated_values_and_ends(rng, dtype, distribution, count):
    X = np.column_stack(
        [
            rng.integers(0, 4, 3_000),  # runs of equal quantiles
            np.full(3_000, 2.5),
            rng.normal(size=3_000),
            np.round(rng.exponential(size=3_000), 1),
        ]
    ).astype(dtype)
    X[rng.random(X.shape) < 0.05] = np.nan
    options = {"n_quantiles": count, "output_distribution": distribution, "subsample": None}
    mine = ours.QuantileTransformer(**options).fit(X)
    other = theirs.QuantileTransformer(**options).fit(X)
    np.testing.assert_array_equal(mine.quantiles_, other.quantiles_)
    assert mine.quantiles_.dtype == other.quantiles_.dtype
    Z = np.concatenate([X, X * 1.5 - 1, mine.quantiles_.astype(dtype), X + np.float32(5e-8)])
    before = core_calls()["QuantileTransformer"]["core"]
    one, two = mine.transform(Z), other.transform(Z)
    assert core_calls()["QuantileTransformer"]["core"] == before + 1
    assert one.dtype == two.dtype
    if distribution == "uniform":
        np.testing.assert_array_equal(one, two)
    else:
        tolerance = 2e-14 if dtype == "float64" else 3e-7
        np.testing.assert_allclose(one, two, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(mine.inverse_transform(two), other.inverse_transform(two))


def test_the_normal_distributions_quantiles():
    shares = np.concatenate([np.linspace(2e-7, 1 - 2e-7, 40_001), np.geomspace(2e-7, 0.2, 2_000)])
    given, mapped = np.empty((len(shares), 1)), np.empty((len(shares), 1))
    for normal, out in ((None, given), ((-9.0, 9.0), mapped)):
        assert _core.preprocessing.quantile_map_into(
            shares[:, None], np.array([[0.0, 1.0]]), [0.0, 1.0], normal, out
        )
    np.testing.assert_allclose(mapped, stats.norm.ppf(given), rtol=2e-15, atol=2e-16)


def test_samples_are_the_same_rows(rng):
    X = rng.normal(size=(3_000, 3))
    for random_state in (0, 7):
        options = {"n_quantiles": 50, "subsample": 200, "random_state": random_state}
        mine = ours.QuantileTransformer(**options).fit(X)
        other = theirs.QuantileTransformer(**options).fit(X)
        np.testing.assert_array_equal(mine.quantiles_, other.quantiles_)
    generator, other_generator = np.random.RandomState(3), np.random.RandomState(3)
    ours.QuantileTransformer(n_quantiles=9, subsample=50, random_state=generator).fit(X)
    theirs.QuantileTransformer(n_quantiles=9, subsample=50, random_state=other_generator).fit(X)
    assert generator.randint(1 << 30) == other_generator.randint(1 << 30)


def test_warnings_and_errors(rng):
    X = rng.normal(size=(30, 2))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ours.QuantileTransformer().fit(X)
        theirs.QuantileTransformer().fit(X)
    assert str(caught[0].message) == str(caught[1].message)
    with pytest.raises(ValueError, match="cannot be greater than the number of samples used"):
        ours.QuantileTransformer(n_quantiles=50, subsample=20).fit(X)
    fitted = ours.QuantileTransformer(n_quantiles=5).fit(X)
    bad = X.copy()
    bad[3, 1] = -np.inf
    kept = bad.copy()
    for call in (
        fitted.fit,
        fitted.partial_fit,
        fitted.transform,
        lambda x: fitted.transform(x, out=x),
    ):
        with pytest.raises(ValueError, match="infinity"):
            call(bad)
    np.testing.assert_array_equal(bad, kept)
    thin = sparse.csc_array(np.abs(X))
    one = ours.QuantileTransformer(n_quantiles=5).fit(thin)
    two = theirs.QuantileTransformer(n_quantiles=5).fit(thin)
    np.testing.assert_array_equal(one.transform(thin).toarray(), two.transform(thin).toarray())
    with pytest.raises(ValueError, match="batches must be dense"):
        ours.QuantileTransformer(n_quantiles=5).partial_fit(thin)
    with pytest.raises(ValueError, match="nothing is"):
        one.partial_fit(X)
    state = fitted.state_dict()
    damaged = {**state["attributes"], "quantiles_": np.zeros((3, 2))}
    with pytest.raises(ValueError, match="state has quantiles_"):
        fitted.load_state_dict({**state, "attributes": damaged})


def test_columns_without_values_are_scikit_learns(rng):
    X = rng.normal(size=(50, 2))
    X[:, 1] = np.nan
    options = {"n_quantiles": 10}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mine = ours.QuantileTransformer(**options).fit(X)
        other = theirs.QuantileTransformer(**options).fit(X)
        np.testing.assert_array_equal(mine.quantiles_, other.quantiles_)
        np.testing.assert_array_equal(mine.transform(X), other.transform(X))


def test_bindings_refuse_what_does_not_fit():
    X, out = np.zeros((4, 2)), np.empty((4, 2))
    for knots, shares in (
        (np.zeros((2, 3)), [0.0, 1.0]),
        (np.zeros((1, 2)), [0.0, 1.0]),
        (np.array([[0.0, 1.0], [1.0, 0.0]]), [0.0, 1.0]),
        (np.array([[0.0, 1.0], [0.0, np.nan]]), [0.0, 1.0]),
        (np.zeros((2, 2)), [1.0, 0.0]),
    ):
        with pytest.raises(ValueError, match="knots"):
            _core.preprocessing.quantile_map_into(X, knots, shares, None, out)
