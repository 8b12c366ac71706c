import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlestar
from mlestar.ensemble import weighted_sum


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 3000),
    columns=st.sampled_from([0, 1, 2, 5, 1500]),
    models=st.integers(1, 7),
    seed=st.integers(0, 10),
    dtype=st.sampled_from(["f8", "f4", "i4", "u1", "?"]),
    layout=st.sampled_from(["C", "F", "strided"]),
)
def test_the_sum_by_its_definition(rows, columns, models, seed, dtype, layout):
    rng = np.random.default_rng(seed)
    if columns == 1500:
        rows = min(rows, 30)
    shape = (rows,) if columns == 0 else (rows, columns)
    arrays = [(rng.random(shape) * 9).astype(dtype) for _ in range(models)]
    weights = rng.normal(size=models) * (rng.random(models) > 0.3)
    given_ = arrays
    if layout == "F":
        given_ = [np.asfortranarray(a) for a in arrays]
    elif layout == "strided":
        given_ = [np.repeat(a, 2, axis=0)[::2] for a in arrays]
    want = np.zeros(shape)
    for weight, array in zip(weights, arrays, strict=True):
        if weight != 0:
            want = want + weight * array.astype(float)
    found = weighted_sum(given_, weights)
    assert found.shape == shape
    np.testing.assert_array_equal(found, want)


def test_models_of_weight_zero_are_not_read():
    bad = np.full(4, np.nan)
    assert weighted_sum([bad, np.ones(4)], [0, 2]).tolist() == [2.0] * 4
    assert weighted_sum([bad, bad], [0, 0]).tolist() == [0.0] * 4


def test_containers_and_threads(rng, tmp_path):
    stack = rng.random((5, 200_000))
    weights = rng.random(5)
    want = weighted_sum(list(stack), weights)
    np.testing.assert_array_equal(weighted_sum(stack, weights), want)
    np.testing.assert_array_equal(
        weighted_sum({f"m{j}": p for j, p in enumerate(stack)}, weights.tolist()), want
    )
    np.save(tmp_path / "p.npy", stack)
    mapped = np.load(tmp_path / "p.npy", mmap_mode="r")
    np.testing.assert_array_equal(weighted_sum(mapped, weights), want)
    before = mlestar.get_num_threads()
    try:
        mlestar.set_num_threads(3)
        np.testing.assert_array_equal(weighted_sum(stack, weights), want)
    finally:
        mlestar.set_num_threads(before)


@pytest.mark.parametrize(
    ("predictions", "weights", "words"),
    [
        ([], [], "predictions is empty"),
        ([np.ones(3)], [1, 2], "weights holds 2 values"),
        ([np.ones(3)], [np.nan], "weights holds NaN"),
        ([np.ones(3)], "ab", "weights is 'ab'"),
        ([np.ones(3)], [[1.0]], "weights is"),
        ({"a": np.ones(3), "b": np.ones(4)}, [1, 1], r"predictions\['b'\] has shape \(4, 1\)"),
        ({"a": np.ones(3), "b": "x"}, [1, 1], r"predictions\['b'\] is"),
        (np.ones(3), [1, 1, 1], r"predictions\[0\] is"),
    ],
)
def test_bad_input_is_named(predictions, weights, words):
    with pytest.raises(ValueError, match=words):
        weighted_sum(predictions, weights)
