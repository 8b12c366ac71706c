import math
from fractions import Fraction

import numpy as np
import pytest
import sklearn.preprocessing as theirs
from scipy import sparse

import mlestar.preprocessing as ours
from mlestar.testing import TransformerContract, core_calls


class TestStandardScaler(TransformerContract):
    attributes = ("scale_", "mean_", "var_", "n_samples_seen_")
    rtol = 1e-12
    batching_rtol = 4 * 2.0**-52

    def make(self, **parameters):
        return ours.StandardScaler(**parameters)

    def original(self, **parameters):
        return theirs.StandardScaler(**parameters)


class TestMinMaxScaler(TransformerContract):
    attributes = ("scale_", "min_", "data_min_", "data_max_", "data_range_")

    def make(self, **parameters):
        return ours.MinMaxScaler(**parameters)

    def original(self, **parameters):
        return theirs.MinMaxScaler(**parameters)


class TestClippingMinMaxScaler(TestMinMaxScaler):
    def make(self, **parameters):
        return ours.MinMaxScaler(feature_range=(-0.3, 0.9), clip=True, **parameters)

    def original(self, **parameters):
        return theirs.MinMaxScaler(feature_range=(-0.3, 0.9), clip=True, **parameters)


class TestMaxAbsScaler(TransformerContract):
    attributes = ("scale_", "max_abs_", "n_samples_seen_")

    def make(self, **parameters):
        return ours.MaxAbsScaler(**parameters)

    def original(self, **parameters):
        return theirs.MaxAbsScaler(**parameters)


class Stateless(TransformerContract):
    missing_values = False
    inverse = False


class TestNormalizer(Stateless):
    rtol = 1e-14

    def make(self, **parameters):
        return ours.Normalizer(**parameters)

    def original(self, **parameters):
        return theirs.Normalizer(**parameters)


class TestBinarizer(Stateless):
    def make(self, **parameters):
        return ours.Binarizer(threshold=0.1, **parameters)

    def original(self, **parameters):
        return theirs.Binarizer(threshold=0.1, **parameters)


def exact(column, weight=None):
    """Mean and variance by fractions, rounded once."""
    present = [i for i, v in enumerate(column) if not math.isnan(v)]
    values = [Fraction(float(column[i])) for i in present]
    weights = [Fraction(1) if weight is None else Fraction(float(weight[i])) for i in present]
    total = sum(weights)
    mean = sum(v * w for v, w in zip(values, weights, strict=True)) / total
    var = sum(w * (v - mean) ** 2 for v, w in zip(values, weights, strict=True)) / total
    return float(mean), float(var)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("cuts", [[], [1, 2, 500, 501, 1900]])
def test_moments_are_those_of_fractions(rng, weighted, cuts):
    n = 2_100
    X = np.stack(
        [
            rng.normal(size=n),
            rng.normal(size=n) + 1e8,
            np.arange(n) * 1e-3,
            np.where(rng.random(n) < 0.3, np.nan, rng.exponential(size=n) * 1e-200),
            rng.normal(size=n) * 10.0 ** rng.integers(-8, 9, n),
        ],
        axis=1,
    )
    weight = rng.random(n) + 0.01 if weighted else None
    scaler = ours.StandardScaler()
    for a, b in zip([0, *cuts], [*cuts, n], strict=True):
        scaler.partial_fit(X[a:b], sample_weight=None if weight is None else weight[a:b])
    for j in range(5):
        mean, var = exact(X[:, j], weight)
        assert abs(scaler.mean_[j] - mean) <= 4 * math.ulp(mean), j
        if var > 1e-300:
            assert abs(scaler.var_[j] - var) <= 4 * math.ulp(var), j


def test_weights(rng):
    X = rng.normal(size=(400, 4))
    X[rng.random(X.shape) < 0.2] = np.nan
    for weight in (rng.random(400), rng.integers(0, 3, 400), np.ones(400, "f"), 2.5):
        mine = ours.StandardScaler().fit(X, sample_weight=weight)
        other = theirs.StandardScaler().fit(X, sample_weight=weight)
        for name in ("mean_", "var_", "scale_", "n_samples_seen_"):
            np.testing.assert_allclose(getattr(mine, name), getattr(other, name), rtol=1e-12)
    with pytest.raises(ValueError, match="sample_weight"):
        ours.StandardScaler().fit(X, sample_weight=[1.0, 2.0])
    # The weight of two halves is that of the whole.
    weight = rng.random(400)
    one = ours.StandardScaler().fit(X[:150], sample_weight=weight[:150])
    one.merge(ours.StandardScaler().fit(X[150:], sample_weight=weight[150:]))
    whole = ours.StandardScaler().fit(X, sample_weight=weight)
    np.testing.assert_allclose(one.var_, whole.var_, rtol=1e-15)
    np.testing.assert_allclose(one.n_samples_seen_, whole.n_samples_seen_, rtol=1e-15)


@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
def test_half_of_it(rng, with_mean, with_std):
    X = rng.normal(size=(60, 3)) + 5
    options = {"with_mean": with_mean, "with_std": with_std}
    mine, other = (m.StandardScaler(**options).fit(X) for m in (ours, theirs))
    np.testing.assert_allclose(mine.transform(X), other.transform(X), rtol=1e-12)
    np.testing.assert_allclose(
        mine.inverse_transform(X), other.inverse_transform(X), rtol=1e-12, atol=1e-12
    )
    for name in ("mean_", "var_", "scale_"):
        assert (getattr(mine, name) is None) == (getattr(other, name) is None)
    assert mine.n_samples_seen_ == other.n_samples_seen_ == 60
    mine.merge(ours.StandardScaler(**options).fit(X[:10]))
    assert mine.n_samples_seen_ == 70
    loaded = ours.StandardScaler(**options).load_state_dict(mine.state_dict())
    np.testing.assert_array_equal(loaded.transform(X), mine.transform(X))


def test_constant_columns_and_columns_without_values():
    X = np.array([[1e100, 0.1, np.nan, -0.0], [1e100, 0.1, np.nan, 0.0]] * 60)
    with pytest.warns(RuntimeWarning):
        other = theirs.StandardScaler().fit(X)
    mine = ours.StandardScaler().fit(X)
    np.testing.assert_array_equal(mine.scale_[[1, 3]], other.scale_[[1, 3]])
    assert np.isnan(mine.mean_[2])
    assert np.isnan(mine.scale_[2])
    assert mine.n_samples_seen_.tolist() == [120, 120, 0, 120]
    for kind in ("MinMaxScaler", "MaxAbsScaler"):
        with pytest.warns(RuntimeWarning, match="All-NaN"):
            other = getattr(theirs, kind)().fit(X)
        with pytest.warns(RuntimeWarning, match="All-NaN"):
            mine = getattr(ours, kind)().fit(X)
        np.testing.assert_array_equal(mine.scale_, other.scale_)


@pytest.mark.filterwarnings("ignore:All-NaN")
def test_a_batch_without_values_adds_nothing(rng):
    X = rng.normal(size=(40, 2))
    gap = np.where([True, False], np.nan, X)
    whole = np.concatenate([X, gap])
    for kind, names in (
        ("StandardScaler", ("mean_", "var_")),
        ("MinMaxScaler", ("data_min_", "data_max_")),
        ("MaxAbsScaler", ("max_abs_",)),
    ):
        mine = getattr(ours, kind)().partial_fit(X).partial_fit(gap)
        other = getattr(ours, kind)().partial_fit(gap).merge(getattr(ours, kind)().fit(X))
        at_once = getattr(theirs, kind)().fit(whole)
        for name in names:
            np.testing.assert_allclose(getattr(mine, name), getattr(at_once, name), rtol=1e-13)
            np.testing.assert_allclose(getattr(other, name), getattr(at_once, name), rtol=1e-13)


@pytest.mark.parametrize("kind", ["StandardScaler", "MinMaxScaler", "MaxAbsScaler"])
def test_infinity_is_scikit_learns_error_and_changes_nothing(rng, kind):
    X = rng.normal(size=(2_000, 3))
    mine = getattr(ours, kind)().fit(X)
    state = repr(mine.state_dict())
    for place, value in ((0, np.inf), (1_999, -np.inf)):
        bad = X.copy()
        bad[place, 1] = value
        kept = bad.copy()
        for call in (mine.partial_fit, mine.transform, mine.inverse_transform):
            with pytest.raises(ValueError, match="Input (X )?contains infinity"):
                call(bad)
        with pytest.raises(ValueError, match="Input (X )?contains infinity"):
            mine.transform(bad, out=bad)
        np.testing.assert_array_equal(bad, kept)
    assert repr(mine.state_dict()) == state


@pytest.mark.parametrize("kind", ["Normalizer", "Binarizer"])
def test_what_is_not_finite(rng, kind):
    X = rng.normal(size=(2_000, 3))
    mine = getattr(ours, kind)().fit(X)
    for value in (np.nan, np.inf, -np.inf):
        bad = X.copy()
        bad[1_500, 2] = value
        with pytest.raises(ValueError, match="Input X contains"):
            mine.transform(bad)
    other = getattr(theirs, kind)()
    whole = np.arange(12).reshape(4, 3)
    np.testing.assert_array_equal(getattr(ours, kind)().transform(whole), other.transform(whole))


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_norms(rng, norm):
    X = rng.normal(size=(50, 7))
    X[3] = 0.0
    X[4] = 1e-17
    for dtype, rtol in (("float64", 1e-14), ("float32", 1e-6)):
        rows = X.astype(dtype)
        mine = ours.Normalizer(norm=norm).fit_transform(rows)
        other = theirs.Normalizer(norm=norm).fit_transform(rows)
        assert mine.dtype == other.dtype
        np.testing.assert_allclose(mine, other, rtol=rtol)


@pytest.mark.parametrize("kind", ["StandardScaler", "MaxAbsScaler", "Normalizer", "Binarizer"])
def test_sparse_matrices_are_scikit_learns(rng, kind):
    X = sparse.random(50, 6, 0.3, "csr", random_state=0)
    options = {"with_mean": False} if kind == "StandardScaler" else {}
    mine, other = (getattr(m, kind)(**options) for m in (ours, theirs))
    one, two = mine.fit_transform(X), other.fit_transform(X)
    assert sparse.issparse(one)
    np.testing.assert_allclose(one.toarray(), two.toarray(), rtol=1e-15)
    with pytest.raises(ValueError, match="out is given, but X is sparse"):
        mine.transform(X, out=np.empty((50, 6)))
    if kind == "StandardScaler":  # and dense rows after them
        dense = rng.normal(size=(20, 6))
        mine.partial_fit(dense).partial_fit(X)
        other.partial_fit(dense).partial_fit(X)
        np.testing.assert_allclose(mine.var_, other.var_, rtol=1e-12)
        np.testing.assert_allclose(mine.merge(mine).mean_, other.mean_, rtol=1e-12)


def test_integers_and_lists_are_read(rng):
    whole = rng.integers(-50, 50, (200, 3))
    for kind in ("StandardScaler", "MinMaxScaler", "MaxAbsScaler"):
        for X in (whole, whole.astype("i1"), whole > 0, whole.tolist(), whole.astype("f2")):
            mine, other = getattr(ours, kind)(), getattr(theirs, kind)()
            one, two = mine.fit_transform(X), other.fit_transform(X)
            assert one.dtype == two.dtype
            np.testing.assert_allclose(one, two, rtol=1e-12)


def test_types_of_fit_and_transform_may_differ(rng):
    X = rng.normal(size=(100, 3))
    for kind in ("StandardScaler", "MinMaxScaler", "MaxAbsScaler"):
        for first, second in (("f4", "f8"), ("f8", "f4")):
            mine = getattr(ours, kind)().fit(X.astype(first))
            other = getattr(theirs, kind)().fit(X.astype(first))
            if kind == "StandardScaler":  # its last bit may differ, and the parameters with it
                other.mean_, other.scale_ = mine.mean_, mine.scale_
            rows = X.astype(second)
            np.testing.assert_array_equal(mine.transform(rows), other.transform(rows))
            back = other.inverse_transform(rows)
            np.testing.assert_array_equal(mine.inverse_transform(rows), back)


def test_merging_needs_the_same_parameters(rng):
    X = rng.normal(size=(9, 2))
    with pytest.raises(ValueError, match="other has the parameters"):
        ours.MinMaxScaler().fit(X).merge(ours.MinMaxScaler(clip=True).fit(X))


def test_a_damaged_state_is_refused(rng):
    mine = ours.StandardScaler().fit(rng.normal(size=(9, 2)))
    state = mine.state_dict()
    short = {**state["attributes"], "mean_": np.zeros(3)}
    with pytest.raises(ValueError, match="mean_ for 3 columns"):
        mine.load_state_dict({**state, "attributes": short})
    del short["mean_"]
    with pytest.raises(ValueError, match=r"lacks the attributes \['mean_'\]"):
        mine.load_state_dict({**state, "attributes": short})


def test_callbacks_are_scikit_learns(rng):
    from sklearn.callback import ScoringMonitor

    scaler = ours.StandardScaler()
    scaler._skl_callbacks = []  # as set_callbacks leaves it
    assert isinstance(ScoringMonitor, type)
    before = core_calls()["StandardScaler"]["core"]
    scaler.fit(rng.normal(size=(9, 2)))
    assert core_calls()["StandardScaler"]["core"] == before + 1


def test_every_name_of_scikit_learns_is_here():
    assert set(theirs.__all__) <= set(ours.__all__)
    for name in ours.__all__:
        assert getattr(ours, name) is not None
    assert ours.scale is theirs.scale
    assert ours.StandardScaler.__module__ == "mlestar.preprocessing"
    with pytest.raises(AttributeError):
        ours.nonsense  # noqa: B018


def test_a_pipeline_and_routing(rng):
    from sklearn import config_context
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline

    X = rng.normal(size=(30, 4))
    made = make_pipeline(
        ColumnTransformer([("a", ours.StandardScaler(), [0, 1]), ("b", ours.MinMaxScaler(), [2])]),
        ours.Normalizer(),
    )
    other = make_pipeline(
        ColumnTransformer(
            [("a", theirs.StandardScaler(), [0, 1]), ("b", theirs.MinMaxScaler(), [2])]
        ),
        theirs.Normalizer(),
    )
    np.testing.assert_allclose(made.fit_transform(X), other.fit_transform(X), rtol=1e-12)
    with config_context(enable_metadata_routing=True):
        np.testing.assert_allclose(made.fit_transform(X), other.fit_transform(X), rtol=1e-12)
        assert not hasattr(ours.MinMaxScaler(), "set_transform_request")
