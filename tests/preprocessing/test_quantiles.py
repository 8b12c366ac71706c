import numpy as np
import pytest
import sklearn.preprocessing as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

import mlestar.preprocessing as ours
from mlestar._native import _core
from mlestar.testing import TransformerContract


class TestExact(TransformerContract):
    attributes = ("center_", "scale_")
    rtol = 0.0

    def make(self, **parameters):
        return ours.RobustScaler(quantiles="exact", **parameters)

    def original(self, **parameters):
        return theirs.RobustScaler(**parameters)

    def test_estimator(self):
        """That of the default is below."""


class TestSketch(TransformerContract):
    attributes = ("center_", "scale_")
    # Few rows are exact, and so are batches and parts of them; many are near.
    rtol = 0.0

    def make(self, **parameters):
        return ours.RobustScaler(quantiles="sketch", **parameters)

    def original(self, **parameters):
        return theirs.RobustScaler(**parameters)

    def test_large_and_wide_tables(self):
        X = np.random.default_rng(3).normal(size=(70_000, 3))
        mine, other = self.make().fit(X), self.original().fit(X)
        np.testing.assert_allclose(mine.center_, other.center_, atol=0.004)
        np.testing.assert_allclose(mine.scale_, other.scale_, atol=0.008)


class TestDefault(TransformerContract):
    attributes = ("center_", "scale_")
    rtol = 0.0

    def make(self, **parameters):
        return ours.RobustScaler(**parameters)

    def original(self, **parameters):
        return theirs.RobustScaler(**parameters)

    def test_any_batching_and_any_merging(self):
        X = self.rows()
        batched = self.make().partial_fit(X[:9]).partial_fit(X[9:])
        batched.merge(self.make().partial_fit(X))
        self.same_attributes(batched, self.make().fit(np.concatenate([X, X])), 0.0)
        assert repr(self.make()) == repr(self.original())
        fitted = self.make().fit(np.ones((8_192, 5)))
        for call in (
            lambda: fitted.partial_fit(X),
            lambda: fitted.merge(batched),
            lambda: batched.merge(fitted),
        ):
            self.refused(call, "was fitted by fit()")


# Large enough for the bins, and of any shape.
SHAPES = {
    "normal": lambda rng, n: rng.normal(size=n),
    "few values": lambda rng, n: np.round(rng.normal(size=n)),
    "one value": lambda rng, n: np.full(n, -2.5),
    "all but one": lambda rng, n: np.where(np.arange(n) == 7, 1e300, 1.0),
    "heavy tail": lambda rng, n: np.exp(100 * rng.normal(size=n)),
    "whole range": lambda rng, n: rng.choice([-1.7e308, 0.0, 1.7e308], n),
    "tiny": lambda rng, n: rng.random(n) * 5e-320,
    "sorted": lambda rng, n: np.arange(n)[::-1] * 0.5,
    "zeros": lambda rng, n: rng.choice([-0.0, 0.0], n),
    "missing": lambda rng, n: np.where(rng.random(n) < 0.6, np.nan, rng.random(n)),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [1, 2, 3, 2_047, 2_048, 30_001])
def test_order_statistics_are_those_of_a_sort(rng, shape, n):
    X = np.stack([SHAPES[shape](rng, n), rng.normal(size=n)], axis=1)
    shares = [0.0, 0.25, 0.5, 0.5, 0.75, 1.0]
    counts, lower, upper = _core.preprocessing.order_statistics(X, shares, np.nan)
    for j in range(2):
        column = np.sort(X[~np.isnan(X[:, j]), j])
        assert counts[j] == len(column)
        if not len(column):
            assert np.isnan(lower[:, j]).all()
            continue
        ranks = [int(q * (len(column) - 1)) for q in shares]
        np.testing.assert_array_equal(lower[:, j], column[ranks])
        np.testing.assert_array_equal(
            upper[:, j], column[np.minimum(np.add(ranks, 1), len(column) - 1)]
        )


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 40), st.integers(1, 4)),
               elements=st.floats(-1e6, 1e6, width=32)),
    st.tuples(st.floats(0, 50), st.floats(50, 100)),
)  # fmt: skip
def test_scikit_learns_bits(X, ranges):
    mine, other = (m.RobustScaler(quantile_range=ranges).fit(X) for m in (ours, theirs))
    np.testing.assert_array_equal(mine.center_, other.center_)
    np.testing.assert_array_equal(mine.scale_, other.scale_)


def test_what_stands_for_missing(rng):
    X = rng.integers(-1, 4, (100, 3)).astype(float)
    counts, lower, upper = _core.preprocessing.order_statistics(X, [0.5], -1.0)
    for j in range(3):
        column = np.sort(X[X[:, j] != -1, j])
        assert lower[0, j] == column[(len(column) - 1) // 2]
        assert upper[0, j] == column[(len(column) - 1) // 2 + 1]
        assert counts[j] == (X[:, j] != -1).sum()
    X[3, 1] = np.nan
    assert _core.preprocessing.order_statistics(X, [0.5], -1.0) is None


@pytest.mark.parametrize("options", [
    {"with_centering": False}, {"with_scaling": False}, {"unit_variance": True},
    {"with_centering": False, "with_scaling": False}, {"quantile_range": (10.0, 60.0)},
])  # fmt: skip
def test_parameters(rng, options):
    X = rng.exponential(size=(200, 3))
    mine, other = (m.RobustScaler(**options).fit(X) for m in (ours, theirs))
    np.testing.assert_array_equal(mine.transform(X), other.transform(X))
    np.testing.assert_array_equal(mine.inverse_transform(X), other.inverse_transform(X))
    stream = ours.RobustScaler(quantiles="sketch", **options).fit(X[:50]).partial_fit(X[50:])
    stream.merge(ours.RobustScaler(quantiles="sketch", **options))
    np.testing.assert_array_equal(stream.transform(X), other.transform(X))


@pytest.mark.parametrize("how", ["auto", "exact", "sketch"])
def test_what_scikit_learn_refuses(rng, how):
    X = rng.normal(size=(20, 2))
    scaler = ours.RobustScaler(quantiles=how).partial_fit(X)
    state = repr(scaler.state_dict())
    bad = X.copy()
    bad[3, 1] = np.inf
    for call in (scaler.partial_fit, scaler.transform):
        with pytest.raises(ValueError, match="infinity"):
            call(bad)
    assert repr(scaler.state_dict()) == state
    with pytest.raises(ValueError, match="infinity"):
        ours.RobustScaler(quantiles=how).fit(bad)
    with pytest.raises(ValueError, match="Invalid quantile range"):
        ours.RobustScaler(quantiles=how, quantile_range=(80.0, 20.0)).fit(X)
    with pytest.raises(ValueError, match="'quantiles' parameter"):
        ours.RobustScaler(quantiles="some").fit(X)


def test_sparse_matrices_are_scikit_learns():
    X = sparse.random(50, 6, 0.7, "csc", random_state=0)
    mine, other = (m.RobustScaler(with_centering=False).fit(X) for m in (ours, theirs))
    np.testing.assert_array_equal(mine.transform(X).toarray(), other.transform(X).toarray())
    with pytest.raises(ValueError, match="sparse"):
        ours.RobustScaler(with_centering=False).partial_fit(X)


def test_columns_without_values():
    X = np.array([[np.nan, 1.0], [np.nan, 2.0]])
    with pytest.warns(RuntimeWarning):
        other = theirs.RobustScaler().fit(X)
    mine = ours.RobustScaler().fit(X)
    np.testing.assert_array_equal(mine.center_, other.center_)
    np.testing.assert_array_equal(mine.scale_, other.scale_)


@pytest.mark.parametrize("axis", [0, 1])
def test_in_one_call(rng, axis):
    X = rng.normal(size=(30, 7))
    for rows in (X, X.astype("f"), X.tolist(), (10 * X).astype(int), np.asfortranarray(X)):
        mine = ours.robust_scale(rows, axis=axis, unit_variance=True)
        other = theirs.robust_scale(rows, axis=axis, unit_variance=True)
        assert mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other)
    thin = sparse.csc_array(np.abs(X))
    np.testing.assert_array_equal(
        ours.robust_scale(thin, with_centering=False).toarray(),
        theirs.robust_scale(thin, with_centering=False).toarray(),
    )
    with pytest.raises(ValueError, match="infinity"):
        ours.robust_scale(np.full((2, 2), np.inf))
    with pytest.raises(ValueError, match="axis"):
        ours.robust_scale(X, axis=2)
