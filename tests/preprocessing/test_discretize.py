import warnings

import numpy as np
import pytest
import sklearn.preprocessing as theirs

import mlestar.preprocessing as ours
from mlestar import _core
from mlestar.testing import TransformerContract, core_calls

METHODS = [
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "linear",
    "median_unbiased",
    "normal_unbiased",
]


class BinsContract(TransformerContract):
    attributes = ("n_bins_",)
    missing_values = False
    shapes = ((70_000, 3), (3, 700), (1, 1), (2, 70))
    out = False  # in an array apart from X: see below
    options = ()

    def make(self, **parameters):
        return ours.KBinsDiscretizer(**dict(self.options), **parameters)

    def original(self, **parameters):
        return theirs.KBinsDiscretizer(**dict(self.options), **parameters)

    def same_attributes(self, mine, theirs, rtol):
        super().same_attributes(mine, theirs, rtol)
        assert mine.bin_edges_.dtype == theirs.bin_edges_.dtype == object
        for one, two in zip(mine.bin_edges_, theirs.bin_edges_, strict=True):
            self.close(one, two, rtol)


@pytest.mark.filterwarnings("ignore:Feature", "ignore:Bins whose width")
class TestUniform(BinsContract):
    options = (("encode", "ordinal"), ("strategy", "uniform"))


@pytest.mark.filterwarnings("ignore:Feature", "ignore:Bins whose width")
class TestQuantiles(BinsContract):
    options = (("encode", "ordinal"), ("n_bins", 7))


@pytest.mark.filterwarnings("ignore:Feature", "ignore:Bins whose width")
class TestQuantilesExactly(BinsContract):
    options = (("encode", "ordinal"), ("quantile_method", "linear"), ("n_bins", 40))

    def make(self, **parameters):
        return super().make(quantiles="exact", **parameters)

    def test_estimator(self):
        """scikit-learn's own fails them: weights are not for this method."""


@pytest.mark.filterwarnings("ignore:Feature", "ignore:Bins whose width")
class TestDenseOnes(BinsContract):
    options = (("encode", "onehot-dense"), ("strategy", "uniform"))


def fit_both(X, **options):
    with warnings.catch_warnings(record=True) as mine_said:
        warnings.simplefilter("always")
        mine = ours.KBinsDiscretizer(**options).fit(X)
    with warnings.catch_warnings(record=True) as they_said:
        warnings.simplefilter("always")
        other = theirs.KBinsDiscretizer(**options).fit(X)
    assert [str(w.message) for w in mine_said] == [str(w.message) for w in they_said]
    return mine, other


def same(mine, other):
    if hasattr(other, "toarray"):
        assert type(mine) is type(other)
        assert mine.indices.dtype == other.indices.dtype
        mine, other = mine.toarray(), other.toarray()
    assert mine.dtype == other.dtype
    np.testing.assert_array_equal(mine, other)


def table(rng, n=500):
    X = rng.normal(size=(n, 4)) * [1, 1e3, 1e-3, 1]
    X[:, 3] = np.round(X[:, 3])  # few values: edges fall together
    return np.column_stack([X, np.full(n, 2.5)])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_quantile_methods(rng, method, dtype):
    X = (table(rng) * 10).astype(dtype)
    mine, other = fit_both(X, quantile_method=method, n_bins=[2, 3, 25, 6, 5], encode="ordinal")
    for one, two in zip(mine.bin_edges_, other.bin_edges_, strict=True):
        np.testing.assert_array_equal(one, two)
        assert one.dtype == two.dtype
    np.testing.assert_array_equal(mine.n_bins_, other.n_bins_)
    same(mine.transform(X), other.transform(X))


@pytest.mark.filterwarnings("ignore:invalid value encountered")  # of constant columns, taken back
@pytest.mark.parametrize("encode", ["onehot", "onehot-dense", "ordinal"])
@pytest.mark.parametrize(
    ("strategy", "dtype", "bins"),
    [
        ("uniform", None, 40),
        ("uniform", np.float32, 5),
        ("quantile", None, 5),
        ("quantile", np.float64, 40),
        ("kmeans", None, 3),
    ],
)
def test_encodings(rng, encode, strategy, dtype, bins):
    X = table(rng, 300)
    mine, other = fit_both(X, encode=encode, strategy=strategy, dtype=dtype, n_bins=bins)
    before = core_calls()["KBinsDiscretizer"]["core"]
    for rows in (X, X.astype("f"), np.asfortranarray(X), X * 3, X[:1]):
        same(mine.transform(rows), other.transform(rows))
    assert core_calls()["KBinsDiscretizer"]["core"] == before + 5
    edges = np.array([X[0], X[1]])
    edges[0, :4] = [e[1] for e in mine.bin_edges_[:4]]  # a value on an edge belongs above it
    same(mine.transform(edges), other.transform(edges))
    codes = mine.transform(X)
    same(mine.inverse_transform(codes), other.inverse_transform(codes))
    assert list(mine.get_feature_names_out()) == list(other.get_feature_names_out())
    loaded = ours.KBinsDiscretizer(
        encode=encode, strategy=strategy, dtype=dtype, n_bins=bins
    ).load_state_dict(mine.state_dict())
    same(loaded.transform(X), other.transform(X))
    if encode != "onehot":
        out = np.empty_like(codes)
        assert mine.transform(X, out=out) is out
        same(out, codes)
        with pytest.raises(ValueError, match="out has dtype"):
            mine.transform(X, out=out.astype("f2"))
    else:
        with pytest.raises(ValueError, match="which is sparse"):
            mine.transform(X, out=np.empty((2, 2)))


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_samples_of_many_rows(rng, strategy):
    X = rng.normal(size=(2_000, 3))
    mine, other = fit_both(X, strategy=strategy, subsample=500, random_state=3)
    for one, two in zip(mine.bin_edges_, other.bin_edges_, strict=True):
        np.testing.assert_array_equal(one, two)


def test_sketches_are_near(rng):
    X = rng.normal(size=(40_000, 2))
    exact = ours.KBinsDiscretizer(n_bins=10, encode="ordinal").fit(X)
    for made in (
        ours.KBinsDiscretizer(n_bins=10, encode="ordinal", quantiles="sketch").fit(X),
        ours.KBinsDiscretizer(n_bins=10, encode="ordinal")
        .partial_fit(X[:9_000])
        .partial_fit(X[9_000:]),
    ):
        for one, two in zip(made.bin_edges_, exact.bin_edges_, strict=True):
            np.testing.assert_allclose(one[1:-1], two[1:-1], atol=0.02)
    with pytest.raises(ValueError, match="nothing is kept"):
        exact.partial_fit(X)


def test_what_is_left_to_scikit_learn(rng):
    X = rng.normal(size=(60, 2))
    for bad, words in ((np.nan, "NaN"), (np.inf, "infinity")):
        rows = X.copy()
        rows[3, 1] = bad
        fitted = ours.KBinsDiscretizer(strategy="uniform").fit(X)
        for call in (fitted.fit, fitted.partial_fit, fitted.transform):
            with pytest.raises(ValueError, match=words):
                call(rows)
    weights = rng.integers(0, 3, 60)
    mine = ours.KBinsDiscretizer(encode="ordinal").fit(X, sample_weight=weights)
    other = theirs.KBinsDiscretizer(encode="ordinal").fit(X, sample_weight=weights)
    same(mine.transform(X), other.transform(X))
    for one in (mine, ours.KBinsDiscretizer(strategy="kmeans").fit(X)):
        with pytest.raises(ValueError, match="was fitted by scikit-learn"):
            one.partial_fit(X)
    with pytest.raises(ValueError, match="strategy is 'kmeans'"):
        ours.KBinsDiscretizer(strategy="kmeans").partial_fit(X)
    with pytest.raises(ValueError, match="invalid number of bins"):
        ours.KBinsDiscretizer(n_bins=[2, 1]).fit(X)
    with pytest.raises(ValueError, match="numeric"):
        ours.KBinsDiscretizer().fit([["a"], ["b"]])


def test_damaged_states_are_refused(rng):
    mine = ours.KBinsDiscretizer(strategy="uniform", encode="ordinal").fit(rng.normal(size=(30, 2)))
    state = mine.state_dict()
    for edges in ([np.arange(6.0)], [np.arange(6.0), np.arange(3.0)], [-np.arange(6.0)] * 2):
        damaged = {**state, "attributes": {**state["attributes"], "bin_edges_": edges}}
        with pytest.raises(ValueError, match="state has"):
            mine.load_state_dict(damaged)


def test_bindings_refuse_what_does_not_fit():
    for edges in ([[1.0, 0.0]], [[np.nan]]):
        with pytest.raises(ValueError, match="edges must ascend"):
            _core.preprocessing.bin_coders(edges)
    assert _core.preprocessing.bin_coders([[], [1.0]]).sizes() == [1, 2]


@pytest.mark.filterwarnings("ignore:Bins whose width")
def test_a_column_whose_edges_all_fall_together():
    X = np.random.default_rng(0).normal(size=(20, 2)) * [1e-10, 100]
    mine, other = fit_both(X, n_bins=3, encode="ordinal")
    assert mine.n_bins_.tolist() == other.n_bins_.tolist() == [0, 3]
    np.testing.assert_array_equal(mine.transform(X), other.transform(X))
    assert not mine.transform(X)[:, 0].any()


def test_edges_that_are_replaced_are_seen():
    mine, other = fit_both(np.arange(9.0)[:, None], n_bins=3, encode="ordinal")
    mine.transform([[1.0]])
    for one in (mine, other):
        one.bin_edges_[0] = np.array([0.0, 0.5, 8.0])
    np.testing.assert_array_equal(mine.transform([[1.0]]), other.transform([[1.0]]))
