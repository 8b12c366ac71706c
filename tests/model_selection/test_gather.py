import numpy as np
import pytest

from mlestar._native import _core
from mlestar.model_selection import take_rows


@pytest.mark.parametrize(
    "dtype", [np.float64, np.float32, np.int8, np.int64, bool, "U5", "datetime64[s]"]
)
@pytest.mark.parametrize("shape", [(50,), (50, 1), (50, 7), (200_000,), (40_000, 5)])
def test_rows_are_those_of_fancy_indexing(rng, dtype, shape):
    array = (rng.random(shape) * 100).astype(np.int64).astype(dtype)
    rows = rng.integers(0, shape[0], shape[0] // 2)
    taken = take_rows(array, rows)
    np.testing.assert_array_equal(taken, array[rows])
    assert taken.dtype == array.dtype
    assert taken.base is None
    np.testing.assert_array_equal(take_rows(array[::2], rows // 2), array[::2][rows // 2])


def test_other_layouts_and_types(rng):
    fortran = np.asfortranarray(rng.random((20, 3)))
    objects = np.array([1, "a", None] * 5, dtype=object)
    rows = np.array([3, 0])
    np.testing.assert_array_equal(take_rows(fortran, rows), fortran[rows])
    np.testing.assert_array_equal(take_rows(objects, rows), objects[rows])
    assert take_rows([5, 6, 7, 8], rows) == [8, 5]


@pytest.mark.parametrize("row", [-1, 5])
def test_a_row_that_is_not_there(row):
    with pytest.raises(ValueError, match="rows holds a number that is not a row"):
        take_rows(np.arange(5), np.array([0, row]))


def test_strings_of_any_length_are_not_copied_as_bytes():
    array = np.array(["x" * 100, "y" * 200, "z"], dtype=np.dtypes.StringDType())
    taken = take_rows(array, np.array([2, 0]))
    del array
    assert taken.tolist() == ["z", "x" * 100]


def test_row_numbers_off_an_elements_boundary():
    rows = np.zeros(4 * 8 + 1, np.uint8)[1:].view(np.int64)
    rows[:] = [3, 0, 1, 3]
    assert not rows.flags.aligned
    assert take_rows(np.arange(5), rows).tolist() == [3, 0, 1, 3]


@pytest.mark.parametrize("order", ["C", "F"])
def test_elements_of_no_width_are_left_to_numpy(order):
    nothing = np.zeros((3, 2), "V0", order=order)
    target = np.zeros((2, 2), "V0", order="C")
    assert not _core.model_selection.take_rows_into(nothing, np.array([0, 2]), target)
