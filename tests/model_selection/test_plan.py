import pickle

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from mlestar.model_selection import FoldPlan, KFold, ShuffleSplit, StratifiedKFold, cross_validate


@pytest.fixture
def data(rng):
    X = rng.random((5000, 6))
    return X, (X[:, 0] > 0.7).astype(int)


def test_folds_are_the_splitters(data):
    X, y = data
    splitter = StratifiedKFold(4, shuffle=True, random_state=1)
    plan = FoldPlan.from_cv(X, y, cv=splitter)
    again = FoldPlan.from_labels(plan.fold_of_row, X, y)
    assert plan.n_splits == again.n_splits == plan.get_n_splits() == 4
    for fold, (train, test) in enumerate(splitter.split(X, y)):
        for p in (plan, again):
            for mine, theirs in zip(p.rows(fold), (train, test), strict=True):
                np.testing.assert_array_equal(mine, theirs)
            for part, rows in ((p.train, train), (p.test, test)):
                X_part, y_part = part(fold)
                np.testing.assert_array_equal(X_part, X[rows])
                np.testing.assert_array_equal(y_part, y[rows])


def test_what_is_held_is_not_overwritten(data):
    plan = FoldPlan.from_cv(*data, cv=3)
    parts = [plan.train(fold)[0] for fold in range(3)]
    for fold, part in enumerate(parts):
        np.testing.assert_array_equal(part, data[0][plan.rows(fold)[0]])
    place = parts[-1].ctypes.data
    del part, parts
    assert plan.train(1)[0].ctypes.data == place


def test_a_plan_is_a_splitter(data):
    X, y = data
    plan = FoldPlan.from_cv(X, y, cv=KFold(5))
    mine, theirs = (cross_validate(Ridge(), X, y, cv=cv)["test_score"] for cv in (plan, KFold(5)))
    np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(ValueError, match="X has 10 rows, but must have as many as the plan, 5000"):
        cross_validate(Ridge(), X[:10], y[:10], cv=plan)


def test_collected_answers_are_in_the_tables_order(data):
    X, y = data
    plan = FoldPlan.from_cv(X, y, cv=KFold(5, shuffle=True, random_state=0))
    np.testing.assert_array_equal(plan.collect(plan.test(f)[1] for f in range(5)), y)
    np.testing.assert_array_equal(plan.collect(plan.test(f)[0] for f in range(5)), X)
    mixed = [y[plan.rows(0)[1]], *(y[plan.rows(f)[1]] + 0.5 for f in range(1, 5))]
    assert plan.collect(mixed).dtype == np.float64
    some = FoldPlan.from_cv(X, y, cv=ShuffleSplit(2, test_size=0.1, random_state=0))
    answers = some.collect(some.test(f)[0][:, 0] for f in range(2))
    assert 0.75 < np.isnan(answers).mean() < 0.9
    with pytest.raises(ValueError, match="no partition"):
        some.fold_of_row  # noqa: B018


def test_tables_and_lists(data):
    pandas = pytest.importorskip("pandas")
    X, y = data
    frame = pandas.DataFrame(X, columns=list("abcdef"), index=np.arange(len(X)) * 2)
    frame["g"] = pandas.Categorical(np.where(y, "yes", "no"))
    plan = FoldPlan.from_cv(frame, pandas.Series(y), cv=2)
    pandas.testing.assert_frame_equal(plan.train(0)[0], frame.iloc[plan.rows(0)[0]])
    assert FoldPlan.from_cv([[1], [2], [3]], cv=3).test(2) == ([[3]], None)


def test_memory_is_that_of_the_largest_fold(data):
    X, y = data
    plan = FoldPlan.from_cv(X, y, cv=5)
    assert plan.memory_bytes == X[:4000].nbytes + y[:4000].nbytes + 8 * 5000


def test_the_largest_of_uneven_folds_counts(data):
    X, _ = data
    splits = [(np.arange(3000), np.arange(3000, 5000)), (np.arange(10), np.arange(4500))]
    assert FoldPlan(splits, X).memory_bytes == X[:4500].nbytes + 8 * 5000


def test_a_plan_pickles(data):
    plan = pickle.loads(pickle.dumps(FoldPlan.from_labels(np.arange(5000) % 3, *data)))
    np.testing.assert_array_equal(plan.test(1)[0], data[0][1::3])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda X, y: FoldPlan([], X), "splits is empty"),
        (lambda X, y: FoldPlan([([0], [5000])], X), "test of fold 0 holds rows from 5000 to 5000"),
        (lambda X, y: FoldPlan([([0.5], [1])], X), "train of fold 0 is of dtype float64"),
        (lambda X, y: FoldPlan([([-1], [1])], X), "train of fold 0 holds rows from -1"),
        (lambda X, y: FoldPlan([([0], [1])], X, y[:7]), "y has 7 rows, .* as many as X, 5000"),
        (lambda X, y: FoldPlan.from_labels([0, 1], X), "fold_of_row has 2 rows, .* 5000"),
        (lambda X, y: FoldPlan.from_labels(y * 0.5, X), "fold_of_row is of dtype float64"),
        (lambda X, y: FoldPlan.from_labels(y * 2, X), "fold_of_row names .0, 2., but must name"),
        (lambda X, y: FoldPlan.from_labels(y * 0, X), "two folds or more"),
        (lambda X, y: FoldPlan.from_labels(y - 1, X), "must hold folds from 0"),
        (lambda X, y: FoldPlan.from_labels(y * 10**12, X), "must hold folds from 0"),
        (lambda X, y: FoldPlan.from_cv(X, y).rows(5), "fold is 5, but must be one of 0 to 4"),
        (lambda X, y: FoldPlan.from_cv(X, y).collect([y]), r"parts\[0\] is of shape \(5000,\)"),
        (lambda X, y: FoldPlan.from_cv(X, y).collect([y[:1000]]), "parts has 1 folds, .* 5"),
        (
            lambda X, y: FoldPlan.from_cv(X, y, cv=2).collect([y[:2500], X[:2500]]),
            r"parts\[1\] is of shape \(2500, 6\), but parts\[0\]",
        ),
    ],
)
def test_bad_input(data, make, words):
    with pytest.raises(ValueError, match=words):
        make(*data)
