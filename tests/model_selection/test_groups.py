"""Splits of whole groups: scikit-learn's indices bit for bit, and the mended empty folds."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

import mlestar.model_selection as ours
from model_selection.compare import STATES, same

KINDS = {
    "int64": lambda k: k,
    "int8": lambda k: (k % 100).astype(np.int8),
    "float": lambda k: k.astype(float) * 2 - 1,
    "strings": lambda k: np.array([f"group {i * 7 % 5}{i}" for i in range(k.max() + 1)])[k],
    "far apart": lambda k: k * 2**40 - 2**50,
    "list": lambda k: k.tolist(),
    "objects": lambda k: np.array([f"g{i}" for i in k], dtype=object),
}


def tables(rng, n, groups, classes):
    return np.zeros((n, 1)), rng.integers(0, classes, n), rng.integers(0, groups, n)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("n", "groups"), [(12, 3), (200, 17), (100_000, 90)])
def test_same_indices_bit_for_bit(rng, kind, state, n, groups):
    X, y, g = tables(rng, n, groups, 3)
    g = KINDS[kind](g)
    core = kind != "objects"
    for splits in (2, 3, 10):
        options = {"n_splits": splits}
        if state == "none":
            same("GroupKFold", X, y, g, core=core, **options)
            same("StratifiedGroupKFold", X, y, g, core=core, **options)
        same("GroupKFold", X, y, g, core=core, state=state, shuffle=True, **options)
        same("StratifiedGroupKFold", X, y, g, core=core, state=state, shuffle=True, **options)
    if state != "none":
        for sizes in ({}, {"test_size": 0.4}, {"test_size": 1, "train_size": 1}):
            same("GroupShuffleSplit", X, y, g, core=core, state=state, **sizes)
    else:
        same("LeaveOneGroupOut", X, y, g, core=core)
        if groups < 20:
            same("LeavePGroupsOut", X, y, g, core=core, arguments=(2,))


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 120),
    groups=st.integers(1, 15),
    classes=st.integers(1, 140),
    splits=st.integers(2, 12),
    state=st.sampled_from(sorted(STATES)),
)
@settings(max_examples=150, deadline=None)
def test_random_groups_classes_and_splits(seed, n, groups, classes, splits, state):
    rng = np.random.default_rng(seed)
    X, y, g = tables(rng, n, groups, classes)
    for name in ("GroupKFold", "StratifiedGroupKFold"):
        same(name, X, y, g, n_splits=splits, core=False)
        same(name, X, y, g, n_splits=splits, shuffle=True, state=state, core=False)
    same("LeaveOneGroupOut", X, y, g, core=False)
    same("LeavePGroupsOut", X, y, g, arguments=(2,), core=False)
    if state != "none":
        same("GroupShuffleSplit", X, y, g, state=state, core=False)


BAD = {
    "no groups": (None, 2),
    "one group": (np.zeros(9, int), 2),
    "too few groups": (np.arange(9) % 3, 4),
    "NaN": (np.array([0, 1, np.nan] * 3), 2),
    "lengths": (np.arange(8), 2),
    "two axes": (np.zeros((9, 2)), 2),
    "missing string": (np.array(["a", "b", None] * 3, dtype=object), 2),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_groups_are_worded_by_scikit_learn(case):
    groups, splits = BAD[case]
    X, y = np.zeros((9, 1)), np.arange(9) % 2
    for name in ("GroupKFold", "StratifiedGroupKFold"):
        same(name, X, y, groups, n_splits=splits, core=False)
    same("LeaveOneGroupOut", X, y, groups, core=False)
    same("LeavePGroupsOut", X, y, groups, arguments=(2,), core=False)
    same("GroupShuffleSplit", X, y, groups, state="int", core=False)


@pytest.mark.parametrize("splits", [1, 0, -1, 2.0, "2"])
def test_bad_numbers_of_folds_are_worded_by_scikit_learn(splits):
    X, y, g = np.zeros((9, 1)), np.arange(9) % 2, np.arange(9)
    for name in ("GroupKFold", "StratifiedGroupKFold"):
        same(name, X, y, g, n_splits=splits, core=False)


def test_an_empty_fold_stays_unless_it_is_to_be_filled():
    """scikit-learn's issue 34828: one class in few groups, and a fold that nobody tests."""
    empty = 0
    for seed in range(3_000, 13_000):
        rng = np.random.default_rng(seed)
        count = int(rng.integers(2, 9))
        splits, classes = int(rng.integers(2, count + 1)), int(rng.integers(2, 6))
        large = rng.random(count) < 0.5
        sizes = np.where(large, rng.integers(1, 4, count), rng.integers(1, 60, count))
        groups = np.repeat(np.arange(count), sizes)
        random = rng.random(len(groups)) >= rng.random()
        y = np.where(random, rng.integers(0, classes, len(groups)), groups % classes)
        X = np.zeros((len(y), 1))
        if len(np.unique(y)) < 2 or np.bincount(y).max() < splits:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            filled = ours.StratifiedGroupKFold(splits, fill_empty_folds=True)
            parts = [test for _, test in filled.split(X, y, groups)]
            plain = ours.StratifiedGroupKFold(splits).split(X, y, groups)
            left_empty = min(len(test) for _, test in plain) == 0
        assert min(map(len, parts)) > 0
        assert sorted(np.concatenate(parts).tolist()) == list(range(len(y)))
        assert sum(len(set(groups[test])) for test in parts) == count
        if left_empty:
            empty += 1
            same("StratifiedGroupKFold", X, y, groups, n_splits=splits)
    assert empty > 0, "no table left a fold empty"


def test_fill_empty_folds_is_a_parameter_like_any_other():
    splitter = ours.StratifiedGroupKFold(3, fill_empty_folds=True)
    assert "fill_empty_folds=True" in repr(splitter)
    for other in (copy.deepcopy(splitter), pickle.loads(pickle.dumps(splitter))):
        assert other.fill_empty_folds
    assert clone(splitter, safe=False).fill_empty_folds
    with pytest.raises(TypeError, match="fill_empty_folds is 'yes'"):
        ours.StratifiedGroupKFold(fill_empty_folds="yes")
    with pytest.raises(ValueError, match="fill_empty_folds=True needs"):
        list(splitter.split(np.zeros(6), np.arange(6) / 2, np.arange(6)))


def test_a_subclass_that_computes_for_itself_does():
    class Mine(ours.GroupKFold):
        def _iter_test_indices(self, X, y, groups):
            yield np.array([1])

    assert [t.tolist() for _, t in Mine(2).split(np.zeros(3), groups=[1, 2, 3])] == [[1]]
