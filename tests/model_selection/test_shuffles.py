"""Random splits: scikit-learn's indices and draws."""

import numpy as np
import pytest
import sklearn.model_selection as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.extmath import _approximate_mode

import mlestar.model_selection as ours
from mlestar._native import _core
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


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32 - 1])
@pytest.mark.parametrize("size", [1, 2, 3, 64, 65, 66, 1000, 200_003])
def test_a_seed_draws_as_its_random_state(seed, size):
    mine, other = _core.model_selection.seeded(seed), np.random.RandomState(seed)
    for _ in range(3):  # one state through all of them
        np.testing.assert_array_equal(
            _core.model_selection.permutation(size, mine), other.permutation(size)
        )


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_is_none(seed):
    with pytest.raises(ValueError, match=f"seed is {seed}, but must be between 0"):
        _core.model_selection.seeded(seed)


@given(
    counts=st.lists(st.integers(0, 60), min_size=1, max_size=20).filter(any),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=200, deadline=None)
def test_shares_are_scikit_learns(counts, share, seed):
    counts = np.array(counts)
    draws = int(share * counts.sum())
    mine, other = np.random.RandomState(seed), np.random.RandomState(seed)
    found = _core.model_selection.proportional_counts(counts, draws, mine._bit_generator.capsule)
    np.testing.assert_array_equal(found, _approximate_mode(counts, draws, other))
    assert mine.randint(2**31) == other.randint(2**31)


@pytest.mark.parametrize(
    "options",
    [
        {"test_size": np.float32(0.25)},
        {"train_size": np.float16(0.25)},
        {"random_state": -1},
        {"random_state": 2**32},
    ],
)
def test_sizes_and_seeds_that_scikit_learn_refuses(options):
    with pytest.raises(ValueError) as expected:
        theirs.train_test_split(np.arange(20), **options)
    with pytest.raises(type(expected.value)) as caught:
        ours.train_test_split(np.arange(20), **options)
    assert str(caught.value) == str(expected.value)
