import pickle

import numpy as np
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_validate

from mlestar._native import _core
from mlestar.model_selection import GroupTimeSeriesSplit, WalkForwardSplit
from model_selection.timed import FORMS, LENGTHS, compare, intervals, same
from reference import temporal as reference

DAY = np.timedelta64(1, "D")
SIZE = st.integers(1, 8)


@given(intervals(), SIZE, SIZE, st.integers(0, 4), st.none() | SIZE, st.booleans(), st.booleans())
def test_rows_are_the_definition(times, test, train, gap, step, expanding, partial):
    t0, t1 = times
    splitter = WalkForwardSplit(
        test, train, gap=gap, step=step, expand_train=expanding, reduce_test=partial
    )
    expected = list(reference.walk_rows(t0, t1, train, test, gap, step or test, expanding, partial))
    if not expected:
        with pytest.raises(ValueError, match="must fit into"):
            splitter.get_n_splits(t0, t0=t0, t1=t1)
        return
    assert splitter.get_n_splits(t0, t0=t0, t1=t1) == len(expected)
    compare(splitter.split(t0, t0=t0, t1=t1), expected)


@given(
    intervals(),
    SIZE,
    st.integers(1, 20),
    st.integers(0, 4),
    st.none() | SIZE,
    st.booleans(),
    st.booleans(),
    st.sampled_from(list(FORMS)),
)
def test_times_are_the_definition(times, test, train, gap, step, expanding, partial, form):
    t0, t1 = times
    length = LENGTHS.get(form, int)
    splitter = WalkForwardSplit(
        length(test),
        length(train),
        gap=length(gap),
        step=None if step is None else length(step),
        expand_train=expanding,
        reduce_test=partial,
        unit="time",
    )
    expected = list(reference.walk_time(t0, t1, train, test, gap, step or test, expanding, partial))
    given_times = {"t0": FORMS[form](t0), "t1": FORMS[form](t1)}
    if not expected:
        with pytest.raises(ValueError, match="must fit into"):
            splitter.get_n_splits(t0, **given_times)
        return
    assert splitter.get_n_splits(t0, **given_times) == len(expected)
    compare(splitter.split(t0, **given_times), expected)


@given(intervals(), st.data())
def test_groups_are_the_definition(times, data):
    t0, t1 = times
    groups = data.draw(st.lists(st.integers(0, 9), min_size=len(t0), max_size=len(t0)))
    n_splits, gap = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 2))
    test_size, most = data.draw(st.none() | st.integers(1, 3)), data.draw(st.none() | SIZE)
    splitter = GroupTimeSeriesSplit(n_splits, max_train_size=most, test_size=test_size, gap=gap)
    count = len(set(groups))
    size = test_size or count // (n_splits + 1)
    if size == 0 or count - n_splits * size - gap <= 0:
        with pytest.raises(ValueError, match="together they must leave"):
            list(splitter.split(t0, groups=groups, t0=t0, t1=t1))
        return
    expected = list(reference.group_series(t0, t1, groups, n_splits, most, test_size, gap))
    compare(splitter.split(t0, groups=groups, t0=t0, t1=t1), expected)
    order = list(dict.fromkeys(groups[i] for i in reference.in_time(t0)))
    for train, test in expected:
        mine, other = {groups[i] for i in train}, {groups[i] for i in test}
        assert not mine & other
        assert all(order.index(a) < order.index(b) for a in mine for b in other)
        assert all(t1[i] < t0[j] for i in train for j in test)


@pytest.mark.parametrize("gap", [0, 2])
@pytest.mark.parametrize("most", [None, 4])
@pytest.mark.parametrize("test_size", [None, 3])
def test_rows_as_groups_are_a_time_series_split(gap, most, test_size):
    options = {"max_train_size": most, "test_size": test_size, "gap": gap}
    X = np.arange(23)
    expected = [(a.tolist(), b.tolist()) for a, b in TimeSeriesSplit(4, **options).split(X)]
    same(GroupTimeSeriesSplit(4, **options).split(X, groups=X[::-1]), expected)
    if most is None:
        size = test_size or 23 // 5
        first = 23 - 4 * size
        walk = WalkForwardSplit(size, first - gap, gap=gap, expand_train=True)
        same(walk.split(X), expected)


@pytest.mark.parametrize(
    "groups",
    [
        ["b", "b", "a", "c"],
        np.array(["b", "b", "a", "c"], object),
        [2.5, 2.5, 0.5, 7.5],
        [2**62, 2**62, -(2**62), 0],
        [True, True, False, 2],
    ],
)
def test_groups_of_any_kind(groups):
    found = GroupTimeSeriesSplit(2, test_size=1).split(groups, groups=groups)
    same(found, [([0, 1], [2]), ([0, 1, 2], [3])])


def test_every_row_once_from_the_first_window_on():
    tested = np.concatenate(
        [test for _, test in WalkForwardSplit(7, 20, reduce_test=True).split(range(100))]
    )
    assert tested.tolist() == list(range(20, 100))


def test_times_far_apart():
    # Windows in which nothing happens cost nothing, and none is lost.
    t0 = np.array([0, 1, 10**15, 10**15 + 1])
    splitter = WalkForwardSplit(2, 2, expand_train=True, unit="time", reduce_test=True)
    same(splitter.split(t0, t0=t0), [([0, 1], [2, 3])])
    same(splitter.split(t0, t0=t0.astype(float)), [([0, 1], [2, 3])])
    odd = WalkForwardSplit(3, 2, expand_train=True, unit="time", reduce_test=True, step=7)
    expected = reference.walk_time(
        [0, 1, 7 * 10**6, 7 * 10**6 + 3], [0, 1, 7 * 10**6, 7 * 10**6 + 3], 2, 3, 0, 7, True, True
    )
    t0 = np.array([0, 1, 7 * 10**6, 7 * 10**6 + 3])
    same(odd.split(t0, t0=t0), list(expected))
    end = np.iinfo(np.int64).max
    same(
        WalkForwardSplit(1, 1, unit="time", reduce_test=True, step=2**62).split(
            range(3), t0=[end - 2, end - 1, end]
        ),
        [([0], [1])],
    )
    with pytest.raises(ValueError, match="step is so small"):
        splitter.set_params(step=1).get_n_splits(range(2), t0=[0, 2**60])


CASES = [
    (lambda: WalkForwardSplit(0, 1), "test_size is 0, but must be a number of rows"),
    (lambda: WalkForwardSplit(1, 2.5), "train_size is 2.5, but must be a number of rows"),
    (lambda: WalkForwardSplit(1, 1, gap=-1), "gap is -1, but must be .* not negative"),
    (lambda: WalkForwardSplit(1, 1, step=0), "step is 0"),
    (lambda: WalkForwardSplit(True, 1), "test_size is True"),
    (lambda: WalkForwardSplit(1, 1, unit="x"), "unit is 'x'"),
    (
        lambda: WalkForwardSplit(1, 1, expand_train=1),
        "expand_train is 1, but must be True or False",
    ),
    (
        lambda: WalkForwardSplit(DAY, 5),
        "train_size is 5, but must be a length of time as test_size",
    ),
    (
        lambda: WalkForwardSplit(5, 5, gap=DAY),
        "gap is .*, but must be a number of rows as test_size",
    ),
    (lambda: WalkForwardSplit(0 * DAY, DAY), "test_size is .*, but must be positive"),
    (lambda: GroupTimeSeriesSplit(0), "n_splits is 0"),
    (lambda: GroupTimeSeriesSplit(2, gap=-1), "gap is -1"),
    (lambda: GroupTimeSeriesSplit(2, test_size=0), "test_size is 0"),
    (
        lambda: list(WalkForwardSplit(5, 6).split(range(10))),
        "train_size is 6, gap 0 and test_size 5, .* the 10 rows",
    ),
    (lambda: list(WalkForwardSplit(10**30, 6).split(range(10))), "must fit into the 10 rows"),
    (
        lambda: list(WalkForwardSplit(DAY, DAY).split(range(10))),
        "test_size is .*, but must be a number",
    ),
    (lambda: WalkForwardSplit(1, 1).get_n_splits(), "must be given, to tell the number of rows"),
    (
        lambda: list(WalkForwardSplit(2, 2).split(range(4), t0=[1, 1, 1, 1])),
        "split 0 of WalkForwardSplit has no row",
    ),
    (lambda: list(GroupTimeSeriesSplit(2).split(range(4))), "groups is None"),
    (lambda: list(GroupTimeSeriesSplit(2).split(range(4), groups=[1, 2])), "groups has 2 rows"),
    (lambda: list(GroupTimeSeriesSplit(2).split(range(4), groups=[1] * 4)), "of the 1 groups"),
    (
        lambda: list(GroupTimeSeriesSplit(2).split(range(3), groups=[1, 2, np.nan])),
        "groups holds NaN",
    ),
    (
        lambda: list(GroupTimeSeriesSplit(2).split(range(3), groups=[[1], [2], [3]])),
        "groups has 2 axes",
    ),
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_bad_input(case):
    make, words = CASES[case]
    with pytest.raises(ValueError, match=words):
        make()


def test_in_scikit_learns_tools(rng):
    X, y = rng.normal(size=(40, 2)), rng.normal(size=40)
    groups, t0 = np.arange(40) // 4, np.arange(40)
    with sklearn.config_context(enable_metadata_routing=True):
        for splitter in (GroupTimeSeriesSplit(3), WalkForwardSplit(10, 10)):
            extra = {"groups": groups} if isinstance(splitter, GroupTimeSeriesSplit) else {}
            found = cross_validate(Ridge(), X, y, cv=splitter, params={"t0": t0, **extra})
            assert len(found["test_score"]) == 3
            search = GridSearchCV(Ridge(), {"alpha": [0.1, 1]}, cv=splitter)
            assert search.fit(X, y, t0=t0, **extra).n_splits_ == 3
    assert (
        len(cross_validate(Ridge(), X, y, groups=groups, cv=GroupTimeSeriesSplit(3))["fit_time"])
        == 3
    )
    for splitter in (WalkForwardSplit(3 * DAY, 9 * DAY, gap=DAY), GroupTimeSeriesSplit(3, gap=1)):
        copy = pickle.loads(pickle.dumps(clone(splitter)))
        assert copy.get_params() == splitter.get_params()
        assert repr(copy) == repr(splitter)


def test_the_core_checks_for_itself():
    times = _core.model_selection.row_timeline(10)
    for window in [(0, 5, 4, 6), (0, 2, 3, 11), (-1, 2, 3, 4), (3, 2, 4, 5), (0, 2, 4, 4)]:
        with pytest.raises(ValueError, match="test_first|_first and"):
            times.split(*window)
    with pytest.raises(ValueError, match="positive"):
        times.walk(0, 1, 0, 1, False, False)
    folds = _core.model_selection.PurgedFolds(times, 3, 0, None)
    for chosen in ([], [3], [-1]):
        with pytest.raises(ValueError, match="test_folds must hold"):
            folds.split(chosen)
