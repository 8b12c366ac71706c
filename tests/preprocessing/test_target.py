import numpy as np
import pytest
import sklearn.preprocessing as theirs
from sklearn.model_selection import GroupKFold, KFold, RepeatedKFold, StratifiedKFold

import mlestar.preprocessing as ours
from mlestar import _core
from mlestar.testing import TransformerContract, core_calls

RNG = np.random.default_rng(11)
NUMBERS = RNG.normal(size=400) * 3 + 1
TARGETS = {
    "continuous": NUMBERS,
    "whole numbers": RNG.integers(0, 300, 400) + 0.5,
    "binary": RNG.integers(0, 2, 400),
    "words": np.array(["no", "yes"])[RNG.integers(0, 2, 400)],
    "multiclass": RNG.integers(0, 4, 400) * 10,
    "names": np.array(["a", "bb", "c"], dtype=object)[RNG.integers(0, 3, 400)],
}


def table(kind="U"):
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 7, (400, 3))
    codes[5, 1] = 7  # one row of its own
    words = np.array(["a", "b", "cc", "d", "e", "f", "g", "lonely"])
    if kind == "missing":
        values = words.astype(object)
        values[3] = np.nan
        return values[codes]
    return words[codes] if kind == "U" else codes * 1.5


class TargetContract(TransformerContract):
    attributes = ("encodings_", "categories_", "target_mean_")
    rtol = 1e-12
    batching_rtol = 1e-12
    inverse = False
    out = False
    shapes = ((70_000, 3), (40, 300))
    make = staticmethod(ours.TargetEncoder)
    original = staticmethod(theirs.TargetEncoder)

    def rows(self, n=300, dtype="float64"):
        rng = np.random.default_rng(5)
        X = rng.integers(0, 6, (n, 5)).astype(dtype)
        X[rng.random(X.shape) < 0.1] = np.nan
        return X

    def table(self, shape, seed):
        return np.random.default_rng(seed).integers(0, 9, shape) * 0.5

    def target(self, n):
        return np.random.default_rng(8).normal(size=n) * 4 + 2

    def test_scikit_learns_results(self):
        """Folds are drawn: see below for those of `fit_transform`."""
        X, y = self.rows(), self.target(300)
        theirs = self.original().fit(X, y)
        for rows in self.layouts(X):
            mine = self.make().fit(rows, y)
            self.same_attributes(mine, theirs, self.rtol)
            result = self.counted(lambda m=mine, r=rows: m.transform(r))
            self.close(result, theirs.transform(X), self.rtol)


class TestContinuous(TargetContract):
    pass


class TestLabels(TargetContract):
    attributes = ("encodings_", "categories_", "target_mean_", "classes_")

    def make(self, **parameters):
        return ours.TargetEncoder(target_type="multiclass", **parameters)

    def original(self, **parameters):
        return theirs.TargetEncoder(target_type="multiclass", **parameters)

    def target(self, n):
        return np.arange(n) % 3

    def test_estimator(self):
        """scikit-learn's checks give two labels, which are not for this type."""


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("smooth", ["auto", 0.0, 7.5])
@pytest.mark.parametrize("columns", ["U", "missing", "floats"])
def test_cross_fitting(kind, smooth, columns):
    X, y = table(columns), TARGETS[kind]
    mine, other = ours.TargetEncoder(smooth=smooth), theirs.TargetEncoder(smooth=smooth)
    before = core_calls().get("TargetEncoder", {"core": 0})["core"]
    np.random.seed(4)
    one = mine.fit_transform(X, y)
    np.random.seed(4)
    two = other.fit_transform(X, y)
    assert core_calls()["TargetEncoder"]["core"] > before
    np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-13)
    assert one.dtype == two.dtype
    assert mine.target_type_ == other.target_type_
    np.testing.assert_allclose(mine.target_mean_, other.target_mean_, rtol=1e-14)
    for a, b in zip(mine.encodings_, other.encodings_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    unknown = X.copy()
    unknown[::3] = "new" if columns != "floats" else -9.0
    result = mine.transform(unknown)
    np.testing.assert_allclose(result, other.transform(unknown), rtol=1e-12)
    out = np.empty_like(result)
    assert mine.transform(unknown, out=out) is out
    np.testing.assert_array_equal(out, result)
    assert list(mine.get_feature_names_out()) == list(other.get_feature_names_out())
    loaded = ours.TargetEncoder(smooth=smooth).load_state_dict(mine.state_dict())
    np.testing.assert_array_equal(loaded.transform(X), mine.transform(X))


@pytest.mark.parametrize(
    "cv",
    [
        3,
        KFold(4),
        StratifiedKFold(3, shuffle=True, random_state=1),
        RepeatedKFold(n_splits=2, n_repeats=1),
    ],
    ids=str,
)
def test_folds_that_are_given(cv):
    X, y = table(), TARGETS["binary"]
    np.random.seed(0)
    one = ours.TargetEncoder(cv=cv).fit_transform(X, y)
    np.random.seed(0)
    two = theirs.TargetEncoder(cv=cv).fit_transform(X, y)
    np.testing.assert_allclose(one, two, rtol=1e-12)


def test_folds_that_may_not_be():
    X, y = table(), TARGETS["binary"]
    with pytest.raises(ValueError, match="cover each sample index exactly once"):
        ours.TargetEncoder(cv=RepeatedKFold(n_splits=2, n_repeats=2)).fit_transform(X, y)
    with pytest.raises(ValueError, match="groups"):
        ours.TargetEncoder(cv=GroupKFold(2)).fit_transform(X, y)
    many = ours.TargetEncoder(cv=KFold(100)).fit_transform(X, y)  # scikit-learn's
    np.testing.assert_allclose(many, theirs.TargetEncoder(cv=KFold(100)).fit_transform(X, y))


def test_batches_of_labels_that_come_later():
    X, y = table(), TARGETS["multiclass"]
    order = np.argsort(y, kind="stable")
    X, y = X[order], y[order]
    early = np.flatnonzero(y <= 10)
    late = np.flatnonzero(y > 10)
    made = ours.TargetEncoder().partial_fit(X[early], y[early])
    assert made.target_type_ == "binary"
    made.partial_fit(X[late], y[late])
    other = theirs.TargetEncoder().fit(X, y)
    assert made.target_type_ == "multiclass"
    np.testing.assert_array_equal(made.classes_, other.classes_)
    np.testing.assert_allclose(made.transform(X), other.transform(X), rtol=1e-12)
    fixed = ours.TargetEncoder(target_type="binary").fit(X[early], y[early])
    with pytest.raises(ValueError, match="there are 4 labels"):
        fixed.partial_fit(X[late], y[late])
    with pytest.raises(ValueError, match="numbers in all batches"):
        made.partial_fit(X, NUMBERS)


def test_what_is_left_to_scikit_learn():
    X, y = table(), TARGETS["continuous"]
    given = [np.unique(X[:, j]).tolist() for j in range(3)]
    one = ours.TargetEncoder(categories=given).fit(X, y)
    two = theirs.TargetEncoder(categories=given).fit(X, y)
    np.testing.assert_allclose(one.transform(X), two.transform(X), rtol=1e-12)
    for call in (lambda: one.partial_fit(X, y), one.state_dict, lambda: one.merge(one)):
        with pytest.raises(ValueError, match="nothing can be added"):
            call()
    with pytest.warns(FutureWarning, match="random_state"):
        ours.TargetEncoder(random_state=0).fit_transform(X, y)
    for bad in (np.where(y > 0, np.nan, y), np.where(y > 0, np.inf, y)):
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            ours.TargetEncoder(target_type="continuous").fit(X, bad)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ours.TargetEncoder().fit(X, y[:-1])
    state = ours.TargetEncoder().fit(X, y).state_dict()
    damaged = {**state["attributes"], "_statistics": [np.zeros((2, 3))] * 3}
    with pytest.raises(ValueError, match="state has statistics"):
        ours.TargetEncoder().load_state_dict({**state, "attributes": damaged})


def test_bindings_refuse_what_does_not_fit():
    codes = np.zeros((2, 5), np.int32)
    labels, y = np.zeros(5, np.int32), np.zeros(5)
    counts = _core.preprocessing.label_counts(codes, [1, 2], None, 1, labels, 3)
    assert [one.shape for one in counts] == [(1, 1, 3), (2, 1, 3)]
    for arguments, words in (
        ((codes, [1], None, 1, labels, 3), "codes must have"),
        ((codes - 1, [1, 2], None, 1, labels, 3), "codes must lie"),
        ((codes, [1, 2**40], None, 1, labels, 3), "codes must lie"),
        ((codes, [1, 2], labels + 2, 2, labels, 3), "folds must have"),
        ((codes, [1, 2], labels, 0, labels, 3), "count is 0"),
        ((codes, [1, 2], None, 1, labels + 3, 3), "labels must have"),
        ((codes, [1, 2], None, 1, labels, 2**40), "labels must have"),
    ):
        with pytest.raises(ValueError, match=words):
            _core.preprocessing.label_counts(*arguments)
    with pytest.raises(ValueError, match="y must have"):
        _core.preprocessing.moments_of_target(codes, [1, 2], None, 1, y[:3])
    tables = [np.zeros((1, 1)), np.zeros((2, 1))]
    for some, out, words in (
        (tables[:1], np.empty((5, 2)), "tables must have"),
        (tables[::-1], np.empty((5, 2)), "tables must have"),
        (tables, np.empty((5, 3)), "out must be"),
    ):
        with pytest.raises(ValueError, match=words):
            _core.preprocessing.target_encodings_into(codes, [1, 2], None, 1, some, out)


def test_numbers_that_are_no_labels():
    X = table()
    with pytest.raises(ValueError, match="Unknown label type"):
        ours.TargetEncoder(target_type="multiclass").fit(X, NUMBERS)
    with pytest.raises(ValueError, match="Unknown label type"):
        ours.TargetEncoder(target_type="multiclass").partial_fit(X, NUMBERS)


def test_numbers_and_words_are_not_both_labels():
    X = table()
    made = ours.TargetEncoder().fit(X, TARGETS["multiclass"])
    expected = made.transform(X)
    words = ours.TargetEncoder().fit(X, TARGETS["names"])
    for call in (lambda: made.partial_fit(X, TARGETS["names"]), lambda: made.merge(words)):
        with pytest.raises(ValueError, match="the target has labels of int64 and"):
            call()
    np.testing.assert_array_equal(made.transform(X), expected)


@pytest.mark.parametrize(
    ("kind", "target_type"),
    [
        ("binary", "auto"),
        ("words", "binary"),
        ("multiclass", "auto"),
        ("multiclass", "multiclass"),
        ("names", "multiclass"),
    ],
)
def test_batches_of_one_label_each(kind, target_type):
    X, y = table(), TARGETS[kind]
    order = np.argsort(y, kind="stable")
    made, merged = (ours.TargetEncoder(target_type=target_type) for _ in range(2))
    for label in np.unique(y):
        rows = order[y[order] == label]
        made.partial_fit(X[rows], y[rows])
        merged.merge(ours.TargetEncoder(target_type=target_type).partial_fit(X[rows], y[rows]))
        assert np.isfinite(made.transform(X)).all()
    # Two labels of three or four, and one label, after all of them.
    made.partial_fit(X[:0:-1], y[:0:-1]).partial_fit(X[:1], y[:1])
    merged.merge(ours.TargetEncoder(target_type=target_type).partial_fit(X[:2], y[:2]))
    merged.partial_fit(X[2:], y[2:])
    twice = np.concatenate([X, X]), np.concatenate([y, y])
    other = theirs.TargetEncoder(target_type=target_type).fit(*twice)
    for one in (made, merged):
        assert one.target_type_ == other.target_type_
        np.testing.assert_array_equal(one.classes_, other.classes_)
        np.testing.assert_allclose(one.target_mean_, other.target_mean_, rtol=1e-14)
        np.testing.assert_allclose(one.transform(X), other.transform(X), rtol=1e-12)


def test_one_label_alone():
    X, y = table(), np.full(400, 3)
    one, two = ours.TargetEncoder().fit(X, y), theirs.TargetEncoder().fit(X, y)
    np.testing.assert_array_equal(one.transform(X), two.transform(X))
    assert one.target_mean_ == two.target_mean_ == 0.0
    loaded = ours.TargetEncoder().load_state_dict(one.state_dict())
    np.testing.assert_array_equal(loaded.transform(X), two.transform(X))


@pytest.mark.parametrize("target_type", ["auto", "continuous"])
def test_batches_of_whole_numbers_of_a_continuous_target(target_type):
    X, y = table(), NUMBERS.copy()
    y[100:200] = np.round(y[100:200])
    made = ours.TargetEncoder(target_type=target_type)
    made.partial_fit(X[:100], y[:100]).partial_fit(X[100:199], y[100:199].astype(int))
    made.partial_fit(X[199:200], y[199:200]).partial_fit(X[200:], y[200:])
    other = theirs.TargetEncoder().fit(X, y)
    np.testing.assert_allclose(made.transform(X), other.transform(X), rtol=1e-12)
    with pytest.raises(ValueError, match="the target is multiclass, but was continuous"):
        ours.TargetEncoder().fit(X, y).partial_fit(X, TARGETS["names"])
