import copy
import inspect
import pickle
import warnings

import numpy as np
import pytest
import sklearn.model_selection as theirs
from sklearn.base import clone

import mlestar.model_selection as ours
from mlestar.testing import core_calls

TARGETS = {
    "int64": lambda k: k,
    "int8": lambda k: k.astype(np.int8),
    "bool": lambda k: k > 0,
    "float": lambda k: k.astype(float) * 2 - 1,
    "strings": lambda k: np.array(["b", "aa", "c"])[k],
    "far apart": lambda k: np.array([5, -(2**50), 2**61])[k],
    "list": lambda k: k.tolist(),
}
STATES = {
    "int": lambda: 7,
    "instance": lambda: np.random.RandomState(3),
    "PCG64": lambda: np.random.RandomState(np.random.PCG64(11)),
}


def same(mine, other):
    mine, other = list(mine), list(other)
    assert len(mine) == len(other)
    for a, b in zip(mine, other, strict=True):
        for x, y in zip(a, b, strict=True):
            assert x.dtype == y.dtype
            np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("name", ["KFold", "StratifiedKFold"])
@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("n", [11, 64, 1000, 140_000])
def test_same_indices_bit_for_bit(rng, name, kind, n):
    y = TARGETS[kind](rng.permutation(np.arange(n) % 3))
    X = np.zeros((n, 1))
    for splits in (2, 3, 5, 10):
        for state in (None, *STATES):
            options = {} if state is None else {"shuffle": True}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                before = core_calls().get(name, {"core": 0})["core"]
                my_state, their_state = (
                    (STATES[state](), STATES[state]()) if state else (None, None)
                )
                expected = None
                try:
                    expected = list(
                        getattr(theirs, name)(splits, random_state=their_state, **options).split(
                            X, y
                        )
                    )
                except ValueError as error:
                    with pytest.raises(ValueError, match="n_splits") as caught:
                        list(
                            getattr(ours, name)(splits, random_state=my_state, **options).split(
                                X, y
                            )
                        )
                    assert str(caught.value) == str(error)
                    continue
                mine = getattr(ours, name)(splits, random_state=my_state, **options).split(X, y)
                same(mine, expected)
                assert core_calls()[name]["core"] == before + 1
            if isinstance(my_state, np.random.RandomState):
                # The states have moved by the same draws.
                assert my_state.randint(2**31) == their_state.randint(2**31)


def test_global_state_is_consumed_as_scikit_learn_does(rng):
    y = rng.integers(0, 2, 100)
    results = []
    for module in (ours, theirs):
        np.random.seed(5)
        first = list(module.StratifiedKFold(3, shuffle=True).split(y, y))
        second = list(module.KFold(3, shuffle=True).split(y))
        parts = module.train_test_split(y)
        results.append((first, second, parts, np.random.random()))
    same(results[0][0], results[1][0])
    same(results[0][1], results[1][1])
    for a, b in zip(results[0][2], results[1][2], strict=True):
        np.testing.assert_array_equal(a, b)
    assert results[0][3] == results[1][3]


def test_uneven_classes_warn_and_agree():
    y = np.array([0] * 20 + [1] * 3 + [2] * 7)
    messages = []
    for module in (ours, theirs):
        with pytest.warns(UserWarning, match="least populated") as caught:
            folds = list(module.StratifiedKFold(5).split(y, y))
        messages.append((folds, str(caught[0].message)))
    same(messages[0][0], messages[1][0])
    assert messages[0][1] == messages[1][1]


BAD = [
    (lambda m: list(m.KFold(5).split(np.zeros(3))), "n_splits=5 greater"),
    (lambda m: list(m.StratifiedKFold(5).split(np.zeros(8), np.arange(8))), "n_splits=5 cannot"),
    (
        lambda m: list(m.StratifiedKFold(2).split(np.zeros(4), np.array([0.5, 1, 0.5, 1]))),
        "Supported",
    ),
    (
        lambda m: list(m.StratifiedKFold(2).split(np.zeros(5), np.array([0, 1, 0, 1]))),
        "inconsistent",
    ),
    (lambda m: m.KFold(1), "n_splits=2 or more"),
    (lambda m: m.KFold(3, random_state=1), "shuffle"),
    (lambda m: m.train_test_split(), "At least one"),
    (lambda m: m.train_test_split([1, 2], [1]), "inconsistent"),
    (lambda m: m.train_test_split([1, 2, 3], test_size=1.5), "test_size"),
    (lambda m: m.train_test_split([1, 2, 3], test_size=7), "test_size"),
    (lambda m: m.train_test_split([1, 2, 3], stratify=[0, 1, 2]), "least populated"),
    (lambda m: m.train_test_split([1, 2, 3], shuffle=False, stratify=[0, 1, 1]), "shuffle=False"),
    (lambda m: m.train_test_split([1, 2, 3], random_state="x"), "random_state"),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_input_gets_scikit_learns_error(case):
    call, words = BAD[case]
    with pytest.raises(Exception, match=words) as expected:
        call(theirs)
    with pytest.raises(type(expected.value)) as caught:
        call(ours)
    assert str(caught.value) == str(expected.value)


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize(
    "options", [{}, {"test_size": 0.3}, {"test_size": 30, "train_size": 50}, {"shuffle": False}]
)
def test_train_test_split(rng, stratified, options):
    if stratified and options.get("shuffle") is False:
        pytest.skip("not a combination")
    n = 500
    y = rng.integers(0, 3, n)
    arrays = [
        np.arange(n),
        rng.normal(size=(n, 3)),
        np.asfortranarray(rng.normal(size=(n, 2))),
        y,
        [str(i) for i in range(n)],
        np.arange(n, dtype=np.float32)[::-1],
        rng.random((n, 2, 2)),
        np.array(["x", "yy"])[y % 2],
    ]
    chosen = {**options, "random_state": 4, "stratify": y if stratified else None}
    if options.get("shuffle") is False:
        chosen.pop("random_state")
    before = core_calls().get("train_test_split", {"core": 0})["core"]
    mine, other = (
        ours.train_test_split(*arrays, **chosen),
        theirs.train_test_split(*arrays, **chosen),
    )
    assert core_calls()["train_test_split"]["core"] == before + 1
    for a, b in zip(mine, other, strict=True):
        assert type(a) is type(b)
        np.testing.assert_array_equal(a, b)


def test_tables_and_sparse_matrices(rng):
    pandas = pytest.importorskip("pandas")
    from scipy.sparse import csr_array

    frame = pandas.DataFrame({"a": np.arange(20), "b": list("xy" * 10)}, index=np.arange(20) * 2)
    sparse = csr_array(np.eye(20))
    mine, other = (
        m.train_test_split(frame, sparse, frame["a"], random_state=0) for m in (ours, theirs)
    )
    pandas.testing.assert_frame_equal(mine[0], other[0])
    pandas.testing.assert_series_equal(mine[5], other[5])
    np.testing.assert_array_equal(mine[2].toarray(), other[2].toarray())


def test_they_are_scikit_learns_classes():
    for name in ("KFold", "StratifiedKFold"):
        mine, other = getattr(ours, name)(4), getattr(theirs, name)(4)
        assert isinstance(mine, type(other))
        assert repr(mine) == repr(other)
        assert mine.get_n_splits() == 4
        assert inspect.signature(type(mine)) == inspect.signature(type(other))
        assert pickle.loads(pickle.dumps(mine)).n_splits == 4
        assert mine.get_metadata_routing() is not None
        assert theirs.check_cv(mine) is mine
        assert clone(mine, safe=False).n_splits == 4
        assert copy.deepcopy(mine).n_splits == 4


def test_a_subclass_that_computes_for_itself_is_asked():
    class Mine(ours.KFold):
        def _iter_test_indices(self, X, y=None, groups=None):
            yield np.array([0])
            yield np.array([1])

    assert [test.tolist() for _, test in Mine(2).split(np.zeros(4))] == [[0], [1]]


def test_groups_are_ignored_with_a_word():
    for module in (ours, theirs):
        with pytest.warns(UserWarning, match="groups parameter is ignored"):
            list(module.KFold(2).split(np.zeros(4), groups=[0, 0, 1, 1]))


def test_numbers_too_large_for_a_size():
    from _datetime import datetime_CAPI

    from mlestar._native import _core

    many = np.broadcast_to(np.int8(0), 2**62)
    with pytest.raises((MemoryError, ValueError)):
        next(ours.KFold(3, shuffle=True, random_state=0).split(many))
    classes, _ = _core.model_selection.group_by_class(np.array([0, 1, 1]))
    generator = np.random.MT19937(0)
    with pytest.raises(ValueError, match="fewer rows"):
        _core.model_selection.stratified_draw(classes, [2**62, 0], [2**62, 0], generator.capsule)
    with pytest.raises(ValueError, match="not a NumPy bit generator"):
        _core.model_selection.permutation(3, datetime_CAPI)


def test_targets_are_looked_at_when_split_is_called():
    y = np.array([0, 1, np.nan, 1])
    for module in (ours, theirs):
        for name in ("StratifiedKFold", "RepeatedStratifiedKFold"):
            with pytest.raises(ValueError, match="y contains NaN"):
                getattr(module, name)(n_splits=2).split(np.zeros(3), y)


@pytest.mark.parametrize("bad", ["groups", "cv", "cvargs"])
def test_repetitions_of_something_else_are_scikit_learns(bad):
    results = []
    for module in (ours, theirs):
        splitter = module.RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=3)
        if bad == "cv":
            splitter.cv = theirs.KFold
        if bad == "cvargs":
            splitter.cvargs = {}
        y = np.arange(12) % 2
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            folds = list(splitter.split(y, y, y if bad == "groups" else None))
        results.append((folds, sorted(str(w.message) for w in caught)))
    same(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]
