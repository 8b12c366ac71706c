import pickle
import warnings
from fractions import Fraction

import numpy as np
import pytest
import sklearn.model_selection as theirs
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_matrix, csc_array, csr_matrix
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier

from mlestar._native import _core
from mlestar.model_selection import (
    MultilabelStratifiedKFold,
    MultilabelStratifiedShuffleSplit,
    QuantileStratifiedKFold,
    QuantileStratifiedShuffleSplit,
)
from mlestar.testing import core_calls
from reference import stratification as reference


def same(found, expected):
    for mine, other in zip(found, expected, strict=True):
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_array_equal(a, b)


def fold_of_row(splits, n):
    folds = np.full(n, -1)
    for f, (train, test) in enumerate(splits):
        assert (folds[test] == -1).all()
        folds[test] = f
        assert sorted([*train, *test]) == list(range(n))
    assert (folds >= 0).all()
    return folds


# Quantile bins ----------------------------------------------------------------------------------

TARGETS = st.lists(st.integers(-3, 3) | st.integers(-1000, 1000), min_size=2, max_size=80)


@given(TARGETS, st.data(), st.sampled_from([np.float64, np.float32, np.int64, list]))
def test_bins_are_the_definition(y, data, form):
    n_bins = data.draw(st.integers(1, len(y)))
    values = form(y) if form is not list else np.array(y)[::-1].copy()[::-1]
    found = _core.model_selection.quantile_bins(np.asarray(values), n_bins)
    assert found.tolist() == reference.quantile_bins(y, n_bins)


@pytest.mark.parametrize("n", [60, 5001, 150_000])
@pytest.mark.parametrize("n_bins", [2, 7, 10])
@pytest.mark.parametrize("kind", ["normal", "zeros", "sorted", "integers"])
def test_quantile_folds_are_stratified_folds_of_the_bins(rng, n, n_bins, kind):
    y = rng.normal(size=n)
    y = {"normal": y, "zeros": np.maximum(y, 0), "sorted": np.sort(y), "integers": np.round(y * 9)}[
        kind
    ]
    edges = np.sort(y)[[i * n // n_bins for i in range(1, n_bins)]]
    bins = np.searchsorted(edges, y, side="right")
    for options in ({}, {"shuffle": True, "random_state": 3}):
        mine = QuantileStratifiedKFold(5, n_bins=n_bins, **options).split(y, y)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            same(mine, theirs.StratifiedKFold(5, **options).split(y, bins))
    options = {"test_size": 0.2, "random_state": 4}
    mine = QuantileStratifiedShuffleSplit(2, n_bins=n_bins, **options).split(y, y)
    same(mine, theirs.StratifiedShuffleSplit(2, **options).split(y, bins))


@given(TARGETS, st.integers(2, 6), st.booleans())
def test_bins_are_spread_to_one_row(y, n_splits, shuffle):
    if len(y) < n_splits or len(set(y)) == 1:
        return
    splits = QuantileStratifiedKFold(n_splits, shuffle=shuffle).split(y, y)
    folds = fold_of_row(splits, len(y))
    bins = np.array(reference.quantile_bins(y, max(1, min(10, len(y) // n_splits))))
    for b in set(bins.tolist()):
        counts = np.bincount(folds[bins == b], minlength=n_splits)
        assert counts.max() - counts.min() <= 1


@given(TARGETS, st.integers(1, 20), st.integers(1, 20), st.integers(0, 3))
def test_random_parts_have_each_bins_share(y, n_test, n_train, seed):
    if n_test + n_train > len(y) or len(set(y)) == 1:
        return
    splitter = QuantileStratifiedShuffleSplit(
        2, test_size=n_test, train_size=n_train, random_state=seed
    )
    most = max(1, min(10, n_test, n_train, len(y) // 2))
    bins = np.array(reference.quantile_bins(y, most))
    counts = np.bincount(bins)
    for train, test in splitter.split(y, y):
        assert len(train) == n_train
        assert len(test) == n_test
        assert not set(train) & set(test)
        if counts[counts > 0].min() > 1:  # else a row has joined the next bin
            share = counts * n_train / len(y)
            assert (
                np.abs(np.bincount(bins[train], minlength=len(counts)) - share) < 1 + 1e-9
            ).all()


def test_a_lone_value_is_no_class():
    y = np.array([0.0] + [1.0] * 9 + [2.0] * 10)
    splits = list(QuantileStratifiedShuffleSplit(3, test_size=0.5, random_state=0).split(y, y))
    assert all((y[test] == 2).sum() == 5 for _, test in splits)


# Iterative stratification -----------------------------------------------------------------------


@st.composite
def indicators(draw):
    rows, labels = draw(st.integers(2, 24)), draw(st.integers(1, 5))
    row = st.lists(st.integers(0, 1), min_size=labels, max_size=labels)
    y = np.array(draw(st.lists(row, min_size=rows, max_size=rows)))
    y[0, 0] = 1
    return y


@given(indicators(), st.integers(2, 5), st.sampled_from([1, 2]), st.none() | st.integers(0, 9))
@pytest.mark.filterwarnings("ignore:The rarest label")
def test_folds_are_the_papers(y, n_splits, order, seed):
    if len(y) < n_splits:
        return
    options = {"shuffle": seed is not None, "random_state": seed, "order": order}
    mine = MultilabelStratifiedKFold(n_splits, **options).split(y, y)
    state = None if seed is None else np.random.RandomState(seed)
    expected = reference.iterative_stratification(
        y.tolist(), [Fraction(1, n_splits)] * n_splits, order=order, state=state
    )
    folds = fold_of_row(mine, len(y))
    assert folds.tolist() == expected
    assert set(folds) == set(range(n_splits))  # none is empty


@given(indicators(), st.data(), st.sampled_from([1, 2]), st.integers(0, 9))
def test_random_parts_are_the_papers(y, data, order, seed):
    n = len(y)
    n_test = data.draw(st.integers(1, n - 1))
    n_train = data.draw(st.integers(1, n - n_test))
    options = {"test_size": n_test, "train_size": n_train, "order": order}
    mine = MultilabelStratifiedShuffleSplit(2, random_state=seed, **options).split(y, y)
    state = np.random.RandomState(seed)
    sizes = [n_train, n_test] + [n - n_train - n_test] * (n > n_train + n_test)
    for train, test in mine:
        expected = np.array(
            reference.iterative_stratification(
                y.tolist(), [Fraction(size, n) for size in sizes], sizes, order, state
            )
        )
        assert train.tolist() == np.flatnonzero(expected == 0).tolist()
        assert test.tolist() == np.flatnonzero(expected == 1).tolist()
        assert len(test) == n_test


@given(st.lists(st.integers(0, 4), min_size=6, max_size=60), st.integers(2, 6), st.booleans())
@pytest.mark.filterwarnings("ignore:The rarest label")
def test_labels_that_exclude_each_other_come_out_to_one_row(classes, n_splits, shuffle):
    y = np.eye(5, dtype=bool)[classes]
    splits = MultilabelStratifiedKFold(n_splits, shuffle=shuffle).split(y, y)
    folds = fold_of_row(splits, len(y))
    for c in range(5):
        counts = np.bincount(folds[y[:, c]], minlength=n_splits)
        assert counts.max() - counts.min() <= 1


@given(indicators(), st.integers(2, 4), st.booleans())
@pytest.mark.filterwarnings("ignore:The rarest label")
def test_the_rarest_label_comes_out_to_one_row(y, n_splits, shuffle):
    counts = y.sum(axis=0)
    rarest = np.flatnonzero(counts == counts[counts > 0].min())
    if len(y) < n_splits or len(rarest) > 1:
        return
    splits = MultilabelStratifiedKFold(n_splits, shuffle=shuffle).split(y, y)
    folds = fold_of_row(splits, len(y))
    spread = np.bincount(folds[y[:, rarest[0]] == 1], minlength=n_splits)
    assert spread.max() - spread.min() <= 1


@pytest.mark.parametrize("order", [1, 2])
def test_labels_are_spread_better_than_at_random(rng, order):
    y = (rng.random((2000, 12)) < rng.random(12) * 0.2).astype(int)
    folds = fold_of_row(MultilabelStratifiedKFold(5, order=order).split(y, y), len(y))
    mine = reference.uneven(y, folds, 5)
    at_random = [reference.uneven(y, rng.permutation(len(y)) % 5, 5) for _ in range(5)]
    assert mine < min(at_random) / 5
    if order == 2:
        pairs = np.array([y[:, a] & y[:, b] for a in range(12) for b in range(a)]).T
        first = fold_of_row(MultilabelStratifiedKFold(5).split(y, y), len(y))
        assert reference.uneven(pairs, folds, 5) < reference.uneven(pairs, first, 5)


@pytest.mark.filterwarnings("ignore:The rarest label")
def test_every_form_of_indicators(rng):
    y = (rng.random((200, 6)) < 0.3).astype(np.int64)
    y[:, 4] = 0
    expected = list(MultilabelStratifiedKFold(4).split(y, y))
    duplicated = coo_matrix(y).tocsr()
    duplicated.data[:] = 1
    forms = [
        y.astype(bool),
        y.astype(np.float32),
        np.asfortranarray(y),
        y[:, ::-1].copy()[:, ::-1],
        y.tolist(),
        csr_matrix(y),
        csc_array(y),
        duplicated,
    ]
    pandas = pytest.importorskip("pandas")
    forms.append(pandas.DataFrame(y))
    for form in forms:
        same(MultilabelStratifiedKFold(4).split(None, form), expected)
    many = np.tile(y, (1000, 1))
    wide = fold_of_row(MultilabelStratifiedKFold(4).split(many, many), len(many))
    counts = np.array([many[wide == f].sum(axis=0) for f in range(4)])
    assert (counts.max(axis=0) - counts.min(axis=0) <= 20).all()


def test_states_of_every_kind(rng):
    y = (rng.random((90, 4)) < 0.4).astype(int)
    y[:5] = 1
    for cls in (MultilabelStratifiedKFold, MultilabelStratifiedShuffleSplit):
        options = {"shuffle": True} if cls is MultilabelStratifiedKFold else {}
        with_seed = list(cls(3, random_state=7, **options).split(y, y))
        same(cls(3, random_state=np.random.RandomState(7), **options).split(y, y), with_seed)
        np.random.seed(7)
        same(cls(3, **options).split(y, y), with_seed)
        assert not np.array_equal(
            next(cls(3, random_state=8, **options).split(y, y))[1], with_seed[0][1]
        )
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    list(MultilabelStratifiedKFold(3).split(y, y))
    list(QuantileStratifiedKFold(3).split(y, y[:, 0] + np.arange(90)))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # nothing drawn


ONES = np.ones((6, 2), int)
CASES = [
    (lambda: QuantileStratifiedKFold(1), "n_splits is 1, but must be an integer of at least 2"),
    (lambda: QuantileStratifiedKFold(n_bins=1), "n_bins is 1, but must be"),
    (lambda: QuantileStratifiedKFold(random_state=3), "random_state is 3, but has no effect"),
    (lambda: QuantileStratifiedKFold(shuffle="yes"), "shuffle is 'yes', but must be True or"),
    (lambda: MultilabelStratifiedKFold(order=3), "order is 3, but must be 1 or 2"),
    (lambda: MultilabelStratifiedKFold(random_state=3), "random_state is 3, but has no effect"),
    (lambda: MultilabelStratifiedShuffleSplit(0), "n_splits is 0"),
    (lambda: QuantileStratifiedKFold(5).split(None, [1, 2, 3]), "n_splits is 5, .* rows, 3"),
    (lambda: QuantileStratifiedKFold(2).split(range(3), [1, 2]), "X has 3 rows, but must .* y, 2"),
    (
        lambda: QuantileStratifiedKFold(2, n_bins=4).split(None, range(6)),
        "n_bins is 4, but must be at most 3",
    ),
    (lambda: QuantileStratifiedKFold(2).split(None, [1, 2, np.nan]), "y holds NaN or infinity"),
    (lambda: QuantileStratifiedKFold(2).split(None, [1.5] * 3), "y is .*1.5.* in every row"),
    (lambda: QuantileStratifiedKFold(2).split(None, ["a", "b"]), "y is of dtype <U1, but must"),
    (lambda: QuantileStratifiedKFold(2).split(None, ONES), "y has 2 axes, but must have one"),
    (lambda: QuantileStratifiedShuffleSplit(test_size=9).split(None, range(6)), "test_size"),
    (
        lambda: QuantileStratifiedShuffleSplit(test_size=2, n_bins=3).split(None, range(6)),
        "n_bins is 3, but must be at most 2",
    ),
    (lambda: MultilabelStratifiedKFold(7).split(None, ONES), "n_splits is 7, but .* rows, 6"),
    (lambda: MultilabelStratifiedKFold(2).split(range(5), ONES), "X has 5 rows, but must .* y, 6"),
    (
        lambda: MultilabelStratifiedKFold(2).split(None, ONES[:, 0]),
        "y has 1 axes, but must have two",
    ),
    (
        lambda: MultilabelStratifiedKFold(2).split(None, ONES * 2),
        "y must hold 0 and 1 only, but row 0",
    ),
    (lambda: MultilabelStratifiedKFold(2).split(None, ONES * np.nan), "y must hold 0 and 1 only"),
    (lambda: MultilabelStratifiedKFold(2).split(None, csr_matrix(ONES * 2)), "y must hold 0 and 1"),
    (lambda: MultilabelStratifiedKFold(2).split(None, ONES * 0), "y has no label in any row"),
    (
        lambda: MultilabelStratifiedKFold(2).split(None, csr_matrix(ONES * 0)),
        "y has no label in any",
    ),
    (lambda: MultilabelStratifiedKFold(2).split(None, ONES[:, :0]), "y has no label, but must"),
    (lambda: MultilabelStratifiedKFold(2).split(None, ONES.astype(str)), "y is of dtype <U"),
    (lambda: MultilabelStratifiedShuffleSplit(test_size=9).split(None, ONES), "test_size"),
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_bad_input(case):
    make, words = CASES[case]
    with pytest.raises(ValueError, match=words):
        list(make())


def test_a_rare_label_is_said():
    y = np.zeros((8, 2), int)
    y[0, 0] = y[:, 1] = 1
    with pytest.warns(UserWarning, match="rarest label in y has only 1 rows, .* n_splits=3"):
        list(MultilabelStratifiedKFold(3).split(y, y))


def test_in_scikit_learns_tools(rng):
    X = rng.normal(size=(60, 2))
    y, labels = rng.normal(size=60), (rng.random((60, 3)) < 0.5).astype(int)
    for splitter in (QuantileStratifiedKFold(3), QuantileStratifiedShuffleSplit(3)):
        assert len(theirs.cross_val_score(Ridge(), X, y, cv=splitter)) == 3
    for splitter in (MultilabelStratifiedKFold(3), MultilabelStratifiedShuffleSplit(3)):
        search = theirs.GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [1, 3]}, cv=splitter)
        assert clone(search).fit(X, labels).n_splits_ == 3
        copy = pickle.loads(pickle.dumps(clone(splitter.set_params(order=2))))
        assert copy.get_params() == splitter.get_params()
        assert "order=2" in repr(copy)
        name = type(splitter).__name__
        before = core_calls()[name]["core"]
        list(splitter.split(X, labels))
        assert core_calls()[name]["core"] > before


def test_the_core_checks_for_itself():
    rows = _core.model_selection.LabelRows
    for starts, columns in [([0, 2], [1, 1]), ([0, 1], [5]), ([0, 3], [0, 1]), ([1, 2], [0, 1])]:
        with pytest.raises(ValueError, match="sparse matrix by rows|must ascend"):
            rows(np.array(starts), np.array(columns), 2)
    y = rows(ONES)
    for weights, exact in [([], False), ([0, 1], False), ([1] * 7, False), ([2, 2], True)]:
        with pytest.raises(ValueError, match="weights must"):
            y.deal(weights, exact, False, None)
    with pytest.raises(ValueError, match="bins is 7"):
        _core.model_selection.quantile_bins(np.arange(6), 7)
