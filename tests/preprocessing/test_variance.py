import numpy as np
import pytest
import sklearn.feature_selection
from scipy import sparse

import mlestar.feature_selection
from mlestar.preprocessing import VarianceThreshold
from mlestar.testing import TransformerContract


class SelectorContract(TransformerContract):
    attributes = ("variances_",)
    rtol = 1e-12
    batching_rtol = 4 * 2.0**-52
    inverse = False
    # Which columns are left is another shape, and the taking is NumPy's.
    out = False

    shapes = ((70_000, 3), (3, 5_000), (2, 70))

    def counted(self, call, declined=False):
        return call()


class TestOfAHalf(SelectorContract):
    def make(self, **parameters):
        return VarianceThreshold(threshold=0.5, **parameters)

    def original(self, **parameters):
        return sklearn.feature_selection.VarianceThreshold(threshold=0.5, **parameters)

    def test_estimator(self):
        """scikit-learn's own fails them: nothing of their tables varies as much."""


class TestOfZero(SelectorContract):
    def make(self, **parameters):
        return VarianceThreshold(**parameters)

    def original(self, **parameters):
        return sklearn.feature_selection.VarianceThreshold(**parameters)


def test_constant_and_missing_columns(rng):
    X = np.stack(
        [np.full(90, 0.1), rng.normal(size=90) * 50, np.full(90, np.nan), rng.normal(size=90)],
        axis=1,
    )
    X[7, 1] = np.nan
    for threshold in (0, 0.2):
        with pytest.warns(RuntimeWarning):
            other = sklearn.feature_selection.VarianceThreshold(threshold).fit(X)
        mine = VarianceThreshold(threshold).fit(X)
        np.testing.assert_allclose(mine.variances_, other.variances_, rtol=1e-12, atol=1e-30)
        np.testing.assert_array_equal(mine.get_support(), other.get_support())
        batched = VarianceThreshold(threshold).partial_fit(X[:1]).partial_fit(X[1:])
        np.testing.assert_array_equal(batched.get_support(), other.get_support())
    out = np.empty((90, 2))
    assert mine.transform(X, out=out) is out
    np.testing.assert_array_equal(out, X[:, [1, 3]])


def test_errors_are_scikit_learns(rng):
    with pytest.raises(
        ValueError,
        match="No feature in X meets the variance threshold 0.00000 .X contains only one",
    ):
        VarianceThreshold().fit([[1.0, 2.0]])
    with pytest.raises(ValueError, match="infinity"):
        VarianceThreshold().fit([[1.0, np.inf], [2.0, 3.0]])
    mine = VarianceThreshold().fit(rng.normal(size=(9, 2)))
    with pytest.raises(ValueError, match="infinity"):
        mine.partial_fit([[1.0, np.inf]])


def test_sparse_matrices_are_scikit_learns():
    X = sparse.random(50, 6, 0.5, "csr", random_state=0)
    mine, other = VarianceThreshold().fit(X), sklearn.feature_selection.VarianceThreshold().fit(X)
    np.testing.assert_array_equal(mine.transform(X).toarray(), other.transform(X).toarray())
    for call in (lambda: mine.partial_fit(X.toarray()), lambda: mine.merge(mine)):
        with pytest.raises(ValueError, match="was fitted by scikit-learn"):
            call()
    with pytest.raises(ValueError, match="batches must be dense"):
        VarianceThreshold().partial_fit(X)


def test_the_room_of_scikit_learns_name():
    assert set(sklearn.feature_selection.__all__) == set(mlestar.feature_selection.__all__)
    assert mlestar.feature_selection.VarianceThreshold is VarianceThreshold
    assert mlestar.feature_selection.chi2 is sklearn.feature_selection.chi2


def test_merged_ranges_reach_to_both_ends():
    """Ranges count where they are smaller than the variance: of few values, far apart."""
    one, other = np.array([[10.0], [11.0]]), np.array([[5.0], [30.0]])
    whole = sklearn.feature_selection.VarianceThreshold().fit(np.concatenate([one, other]))
    assert whole.variances_[0] == 25.0  # the range
    for a, b in ((one, other), (other, one)):
        merged = VarianceThreshold().partial_fit(a).merge(VarianceThreshold().partial_fit(b))
        np.testing.assert_array_equal(merged.variances_, whole.variances_)
