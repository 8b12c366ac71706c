import pickle
from itertools import combinations
from math import comb

import numpy as np
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_validate

from mlestar.model_selection import CombinatorialPurgedKFold, PurgedKFold
from mlestar.testing import core_calls
from model_selection.timed import FORMS, LENGTHS, compare, intervals, same
from reference import temporal as reference

DAY = np.timedelta64(1, "D")


@given(
    intervals(), st.integers(2, 6), st.integers(0, 8), st.booleans(), st.sampled_from(list(FORMS))
)
def test_purged_is_the_definition(times, n_splits, embargo, in_time, form):
    t0, t1 = times
    if len(t0) < n_splits:
        return
    length = LENGTHS.get(form, int)(embargo) if in_time else embargo
    splitter = PurgedKFold(n_splits, embargo=length, unit="time" if in_time else "rows")
    options = {"embargo_time": embargo} if in_time else {"embargo_rows": embargo}
    compare(
        splitter.split(t0, t0=FORMS[form](t0), t1=FORMS[form](t1)),
        (reference.purged(t0, t1, n_splits, [f], **options) for f in range(n_splits)),
    )


@given(intervals(least=6), st.data(), st.integers(0, 3))
def test_combinatorial_is_the_definition(times, data, embargo):
    t0, t1 = times
    n_folds = data.draw(st.integers(2, 6))
    n_test = data.draw(st.integers(1, n_folds - 1))
    splitter = CombinatorialPurgedKFold(n_folds, n_test, embargo=embargo)
    chosen = list(combinations(range(n_folds), n_test))
    assert splitter.get_n_splits() == len(chosen)
    compare(
        splitter.split(t0, t0=t0, t1=t1),
        (reference.purged(t0, t1, n_folds, folds, embargo) for folds in chosen),
    )


@given(intervals(least=5), st.integers(2, 5), st.integers(0, 5))
def test_no_label_reaches_into_the_test(times, n_splits, embargo):
    t0, t1 = map(np.array, times)
    tested = np.zeros(len(t0), int)
    splitter = PurgedKFold(n_splits, embargo=embargo, unit="time")
    try:
        for train, test in splitter.split(t0, t0=t0, t1=t1):
            tested[test] += 1
            assert np.all(np.diff(train) > 0)
            assert np.all(np.diff(test) > 0)
            reach = (t0[train, None] <= t1[test]) & (t0[test] <= t1[train, None])
            assert not reach.any()
            late = t0[train] > t1[test].max()
            assert np.all(t0[train[late]] > t1[test].max() + embargo)
    except ValueError as error:
        assert "no row to train on" in str(error)
    else:
        assert np.all(tested == 1)


def test_large_and_unsorted_for_any_number_of_threads(rng):
    import mlestar

    n = 300_000
    t0 = rng.integers(0, 10 * n, n)
    t1 = t0 + rng.integers(0, 1000, n)
    splitter = CombinatorialPurgedKFold(5, 2, embargo=100)
    before = mlestar.get_num_threads()
    found = []
    for threads in (1, 2):
        mlestar.set_num_threads(threads)
        found.append(list(splitter.split(t0, t0=t0, t1=t1)))
    mlestar.set_num_threads(before)
    order = np.lexsort((np.arange(n), t0))
    folds = np.empty(n, int)
    folds[order] = np.repeat(np.arange(5), n // 5)
    for k, (a, b) in enumerate(combinations(range(5), 2)):
        test = (folds == a) | (folds == b)
        train = ~test
        for f in (a, b):
            begin, end = t0[folds == f].min(), t1[folds == f].max()
            train &= ~((t0 <= end) & (t1 >= begin))
            train[order[np.searchsorted(t0[order], end, "right") :][:100]] = False
        for splits in found:
            np.testing.assert_array_equal(splits[k][0], np.flatnonzero(train))
            np.testing.assert_array_equal(splits[k][1], np.flatnonzero(test))


@pytest.mark.parametrize(("n_folds", "n_test"), [(6, 2), (5, 1), (5, 4), (7, 3)])
def test_paths(rng, n_folds, n_test):
    splitter = CombinatorialPurgedKFold(n_folds, n_test)
    assert splitter.n_test_paths == comb(n_folds - 1, n_test - 1)
    assert splitter.n_test_paths * n_folds == splitter.get_n_splits() * n_test
    ids = splitter.get_path_ids()
    assert ids.shape == splitter.test_set_index.shape
    t0 = rng.permutation(40)
    numbers = []
    for k, (_, test) in enumerate(splitter.split(t0, t0=t0)):
        numbers.append(np.column_stack([test, np.full(len(test), k)]))
    paths = splitter.backtest_paths(numbers, t0, t0=t0)
    assert paths.shape == (splitter.n_test_paths, 40, 2)
    np.testing.assert_array_equal(paths[:, :, 0], np.tile(np.arange(40), (len(paths), 1)))
    folds = reference.folds_by_time(t0.tolist(), n_folds)
    for f, rows in enumerate(folds):
        # A fold's rows are of one split, which held it out, and another one on each path.
        splits = paths[:, rows, 1]
        assert (splits == splits[:, :1]).all()
        chosen = splits[:, 0].tolist()
        assert chosen == sorted(set(chosen))
        assert all(f in splitter.test_set_index[k] for k in chosen)


def test_times_of_other_kinds(rng):
    pandas = pytest.importorskip("pandas")
    index = pandas.date_range("2024-01-01", periods=12, freq="h", tz="Europe/Berlin")
    ends = index + pandas.Timedelta(90, "min")
    splitter = PurgedKFold(3, embargo=pandas.Timedelta(1, "h"))
    hours = np.arange(12)
    expected = [
        reference.purged(2 * hours, 2 * hours + 3, 3, [f], embargo_time=2) for f in range(3)
    ]
    frame = pandas.DataFrame({"a": hours}, index=index)
    same(splitter.split(frame, t0=index, t1=ends), expected)
    same(splitter.split(frame, t0=index.to_series(), t1=ends.to_series()), expected)
    same(splitter.split(frame, t1=ends), expected)  # the table's own times
    same(
        splitter.split(frame, t0=list(index.tz_localize(None)), t1=list(ends.tz_localize(None))),
        expected,
    )
    shuffled = rng.permutation(12)
    rank = np.argsort(shuffled)
    for (train, test), (first, second) in zip(
        splitter.split(frame.iloc[shuffled], t1=ends[shuffled]), expected, strict=True
    ):
        assert train.tolist() == sorted(rank[first])
        assert test.tolist() == sorted(rank[second])
    # Days, and a label's end and an embargo in minutes, are exact together.
    days = np.arange("2024-01-01", "2024-01-07", dtype="datetime64[D]")
    minutes = np.timedelta64(90, "m")
    found = PurgedKFold(2, embargo=np.timedelta64(22 * 60 + 29, "m")).split(
        days, t0=days, t1=days + minutes
    )
    same(found, [([3, 4, 5], [0, 1, 2]), ([0, 1, 2], [3, 4, 5])])
    found = PurgedKFold(2, embargo=np.timedelta64(22 * 60 + 30, "m")).split(
        days, t0=days, t1=days + minutes
    )
    same(found, [([4, 5], [0, 1, 2]), ([0, 1, 2], [3, 4, 5])])


def test_fractions_and_rows_of_embargo():
    splitter = PurgedKFold(5, embargo=0.1)
    assert next(splitter.split(range(50)))[0][0] == 15
    with pytest.raises(ValueError, match="split 0 of PurgedKFold has no row"):
        next(PurgedKFold(5, embargo=10**30).split(range(50)))
    assert len(list(PurgedKFold(2, embargo=0.0).split(range(4)))) == 2


CASES = [
    (lambda: PurgedKFold(1), "n_splits is 1, but must be an integer of at least 2"),
    (lambda: PurgedKFold(2.5), "n_splits is 2.5, but must be an integer"),
    (lambda: PurgedKFold(True), "n_splits is True"),
    (lambda: PurgedKFold(embargo=-1), "embargo is -1, but must be"),
    (lambda: PurgedKFold(embargo=-DAY), "embargo is .*, but must be not negative"),
    (lambda: PurgedKFold(embargo=np.timedelta64("NaT", "D")), "embargo is .*NaT.*, but must be"),
    (lambda: PurgedKFold(embargo=1.5), "embargo is 1.5, but must be a number of rows, a fraction"),
    (lambda: PurgedKFold(embargo=float("nan"), unit="time"), "embargo is nan, but must be"),
    (lambda: PurgedKFold(embargo="1D"), "embargo is '1D', but must be"),
    (lambda: PurgedKFold(unit="days"), "unit is 'days', but must be 'rows' or 'time'"),
    (lambda: CombinatorialPurgedKFold(3, 3), "n_test_folds is 3, but must be less than n_folds, 3"),
    (lambda: CombinatorialPurgedKFold(3, 0), "n_test_folds is 0, but must be"),
    (lambda: PurgedKFold(2).set_params(n_splits=1), "n_splits is 1"),
    (lambda: PurgedKFold(2).set_params(folds=1), "'folds' is not a parameter of PurgedKFold"),
]
SPLITS = [
    (lambda: PurgedKFold(5).split(range(4)), "n_splits is 5, but must be at most .* 4"),
    (lambda: PurgedKFold(2).split(), "X or y or groups or t0 must be given"),
    (lambda: PurgedKFold(2).split(range(4), t0=range(3)), "t0 has 3 rows, but must have .*X, 4"),
    (lambda: PurgedKFold(2).split(range(4), t0=range(4), t1=range(5)), "t1 has 5 values, .* 4"),
    (
        lambda: PurgedKFold(2).split(range(4), t0=range(4), t1=[0, 1, 1, 3]),
        "t1 must not be before t0, but is in row 2",
    ),
    (lambda: PurgedKFold(2).split(range(4), t1=range(4)), "t1 is given without t0"),
    (lambda: PurgedKFold(2).split(range(2), t0=[0.0, np.nan]), "t0 holds NaN or infinity"),
    (lambda: PurgedKFold(2).split(range(2), t0=[0.0, 1], t1=[1, np.inf]), "t1 holds NaN or inf"),
    (
        lambda: PurgedKFold(2).split(range(2), t0=np.array(["2020", "NaT"], "M8[D]")),
        "t0 is NaT in row 1",
    ),
    (lambda: PurgedKFold(2).split(range(2), t0=["a", "b"]), "t0 is of dtype <U1, but must hold"),
    (lambda: PurgedKFold(2).split(range(2), t0=[True, False]), "t0 is of dtype bool"),
    (lambda: PurgedKFold(2).split(range(2), t0=[None, object()]), "t0 holds objects"),
    (lambda: PurgedKFold(2).split(range(2), t0=[[1], [2]]), "t0 has 2 axes, but must have one"),
    (
        lambda: PurgedKFold(2).split(range(2), t0=np.array([0, 2**63], np.uint64)),
        "t0 holds a time beyond",
    ),
    (
        lambda: PurgedKFold(2).split(range(2), t0=np.arange(2), t1=np.arange(2) * DAY),
        "t1 is of dtype .*, but must be of t0's kind",
    ),
    (
        lambda: PurgedKFold(2, embargo=DAY).split(range(2), t0=range(2)),
        "embargo is .*, but must be a number",
    ),
    (
        lambda: PurgedKFold(2, embargo=2, unit="time").split(range(2), t0=np.arange(2) * DAY),
        "embargo is 2, but must be a timedelta",
    ),
    (
        lambda: PurgedKFold(2, embargo=0.5, unit="time").split(range(2), t0=range(2)),
        "embargo is 0.5, but must be an integer",
    ),
    (
        lambda: PurgedKFold(2, embargo=np.timedelta64(1, "M")).split(
            range(2), t0=np.arange(2) * DAY
        ),
        "must not be in months or years",
    ),
    (
        lambda: PurgedKFold(2).split(range(2), t0=range(2), t1=[9, 9]),
        "split 0 of PurgedKFold.* no row to train on",
    ),
    (
        lambda: PurgedKFold(2).split(range(2), t0=[2**60 + 1, 2**61], t1=[2.0**61, 2.0**62]),
        "cannot hold exactly",
    ),
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_bad_parameters(case):
    make, words = CASES[case]
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("case", range(len(SPLITS)))
def test_bad_times(case):
    make, words = SPLITS[case]
    with pytest.raises(ValueError, match=words):
        list(make())


def test_bad_predictions():
    splitter = CombinatorialPurgedKFold(3, 2)
    with pytest.raises(ValueError, match="predictions has 2 values, but must have .* 3 splits"):
        splitter.backtest_paths([[1], [2]], range(6))
    with pytest.raises(
        ValueError, match=r"predictions\[1\] has shape \(3,\), but must have \(4,\)"
    ):
        splitter.backtest_paths([np.zeros(4), np.zeros(3), np.zeros(4)], range(6))


def test_in_scikit_learns_tools(rng):
    X, y = rng.normal(size=(40, 2)), rng.normal(size=40)
    t0 = rng.permutation(40)
    own = PurgedKFold(4, embargo=2, t0=t0, t1=t0 + 3)
    expected = [test.tolist() for _, test in own.split(X)]
    scores = cross_validate(Ridge(), X, y, cv=own, return_indices=True)
    assert [test.tolist() for test in scores["indices"]["test"]] == expected
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_validate(
            Ridge(),
            X,
            y,
            cv=PurgedKFold(4, embargo=2),
            params={"t0": t0, "t1": t0 + 3},
            return_indices=True,
        )
        np.testing.assert_allclose(routed["test_score"], scores["test_score"])
        search = GridSearchCV(Ridge(), {"alpha": [0.1, 1]}, cv=PurgedKFold(4))
        search.fit(X, y, t0=t0, t1=t0 + 3)
        assert search.n_splits_ == 4
    search = clone(GridSearchCV(Ridge(), {"alpha": [0.1, 1]}, cv=own)).fit(X, y)
    assert search.n_splits_ == 4


@pytest.mark.parametrize(
    "splitter", [PurgedKFold(4, embargo=2), CombinatorialPurgedKFold(5, 3, unit="time")]
)
def test_parameters(splitter):
    copies = [clone(splitter), pickle.loads(pickle.dumps(splitter))]
    for copy in copies:
        assert copy.get_params() == splitter.get_params()
        assert repr(copy) == repr(splitter)
    assert "embargo=" in repr(splitter)
    changed = clone(splitter).set_params(embargo=5)
    assert changed.embargo == 5
    assert splitter.embargo != 5
    before = core_calls().get(type(splitter).__name__, {"core": 0})["core"]
    splits = list(splitter.split(range(50)))
    assert core_calls()[type(splitter).__name__]["core"] == before + 1
    assert len(splits) == splitter.get_n_splits()
