"""Random splits: scikit-learn's indices and draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_selection.compare import STATES, same

SIZES = [{}, {"test_size": 0.3}, {"test_size": 5, "train_size": 7}, {"train_size": 0.5}]
TARGETS = {
    "int64": lambda k: k,
    "float": lambda k: k * 2.0,
    "strings": lambda k: np.array(["b", "aa", "c"])[k],
    "list": lambda k: k.tolist(),
    "far apart": lambda k: np.array([5, -(2**50), 2**61])[k],
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("n", [12, 1_000, 100_000])
def test_same_indices_and_draws(rng, state, sizes, n):
    X, k = np.zeros((n, 1)), rng.permutation(np.arange(n) % 3)
    same("ShuffleSplit", X, state=state, n_splits=3, **sizes)
    for kind, change in TARGETS.items():
        if n < 100_000 or kind == "int64":
            same("StratifiedShuffleSplit", X, change(k), state=state, n_splits=3, **sizes)


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(0, 60),
    classes=st.integers(1, 9),
    test=st.one_of(st.none(), st.integers(-1, 70), st.floats(-0.1, 1.1)),
    train=st.one_of(st.none(), st.integers(-1, 70), st.floats(-0.1, 1.1)),
    state=st.sampled_from(sorted(STATES)),
)
@settings(max_examples=200, deadline=None)
def test_any_size_and_any_error(seed, n, classes, test, train, state):
    y = np.random.default_rng(seed).integers(0, classes, n)
    X = np.zeros((n, 1))
    options = {"test_size": test, "train_size": train, "n_splits": 2, "state": state}
    same("ShuffleSplit", X, y, core=False, **options)
    same("StratifiedShuffleSplit", X, y, core=False, **options)


def test_rows_of_several_labels_are_scikit_learns(rng):
    y = rng.integers(0, 2, (60, 2))
    same("StratifiedShuffleSplit", np.zeros((60, 1)), y, state="int", core=False)


@pytest.mark.parametrize("name", ["RepeatedKFold", "RepeatedStratifiedKFold"])
@pytest.mark.parametrize("state", STATES)
def test_repetitions_draw_one_after_the_other(rng, name, state):
    X, y = np.zeros((101, 1)), rng.integers(0, 3, 101)
    same(name, X, y, state=state, n_splits=3, n_repeats=4, core=False)
