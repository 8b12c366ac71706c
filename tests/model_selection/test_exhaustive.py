"""Every row, every few rows, and given folds: scikit-learn's indices."""

import numpy as np
import pytest
from sklearn.utils._testing import assert_array_equal

import mlestar.model_selection as ours
from mlestar._native import _core
from mlestar.testing import core_calls
from model_selection.compare import same


@pytest.mark.parametrize("n", [0, 1, 2, 3, 30])
def test_every_row(n):
    same("LeaveOneOut", np.zeros((n, 1)), core=n > 1)
    for p in (1, 2, 3, 0, -1, 2.0):
        same("LeavePOut", np.zeros((n, 1)), arguments=(p,), core=False)


def test_ignored_groups_warn():
    same("LeaveOneOut", np.zeros(4), None, np.arange(4))
    same("LeavePOut", np.zeros(4), None, np.arange(4), arguments=(2,))


@pytest.mark.parametrize(
    "folds", [[0, 1, -1, 1], [2, 2, 7], [-1, -1], [-3, -1, 5, -3], [0.0, 1.0, 1.0], []], ids=str
)
def test_given_folds(folds):
    same("PredefinedSplit", arguments=(folds,), core=len(folds) > 0)
    same("PredefinedSplit", None, None, [1] * len(folds), arguments=(folds,), core=False)


def test_given_folds_of_many_rows(rng):
    same("PredefinedSplit", arguments=(rng.integers(-1, 12, 100_000),))


@pytest.mark.parametrize("n", [5, 70_000])
def test_left_out_rows_are_missing_from_the_rest(rng, n):
    before = core_calls().get("LeavePOut", {"core": 0})["core"]
    train, test = next(iter(ours.LeavePOut(2).split(np.zeros(n))))
    assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(n))
    assert core_calls()["LeavePOut"]["core"] == before + 1


def test_fold_numbers_beyond_what_a_float_tells_apart():
    numbers = np.array([2**53 + 1, 2**53, -1, 2**53 + 1, -(2**63), -(2**63) + 1])
    for test_fold in (numbers, numbers[numbers != -1]):
        same("PredefinedSplit", arguments=(test_fold,))


def test_row_numbers_off_an_elements_boundary():
    rows = np.zeros(3 * 8 + 1, np.uint8)[1:].view(np.int64)
    rows[:] = [1, 3, 4]
    assert not rows.flags.aligned
    assert _core.model_selection.leave_out(6, rows).tolist() == [0, 2, 5]
