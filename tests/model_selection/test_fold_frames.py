"""Folds of pandas tables, gathered by column."""

import numpy as np
import pytest
import sklearn.model_selection as theirs
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import mlestar.model_selection as ours
from mlestar.model_selection._fold_data import FoldBuffer

pandas = pytest.importorskip("pandas")
N = 20_000


def numbers(rng):
    return pandas.DataFrame(rng.random((N, 5)), columns=list("abcde"))


def mixed(rng):
    table = numbers(rng)
    table["b"] = rng.integers(0, 9, N).astype(np.int8)
    table["truth"] = rng.random(N) > 0.5
    table["kind"] = pandas.Categorical(rng.choice(["x", "y", "z"], N))
    table["word"] = rng.choice(["one", "two"], N)
    table["thing"] = pandas.Series([None, 1] * (N // 2), dtype=object)
    table["whole"] = pandas.array([1, None] * (N // 2), dtype="Int64")
    table["when"] = pandas.Timestamp("2024-01-01") + pandas.to_timedelta(np.arange(N), unit="h")
    return table


def apart(rng):
    """Of one type, but in several blocks."""
    table = numbers(rng)
    table["f"] = rng.random(N)
    return table


def labelled(rng):
    table = numbers(rng).set_axis(["a", "a", 3, ("b", 1), None], axis=1)
    table.index = pandas.MultiIndex.from_arrays([np.arange(N) // 7, np.arange(N)], names=["g", "i"])
    table.attrs["source"] = "here"
    return table


def small(rng):
    return numbers(rng).astype(np.float32)[["a"]]


@pytest.mark.parametrize("make", [numbers, mixed, apart, labelled, small])
@pytest.mark.parametrize("rows", ["runs", "random"])
def test_rows_are_those_of_pandas(rng, make, rows):
    table = make(rng)
    rows = np.arange(N)[N // 5 :] if rows == "runs" else rng.integers(0, N, N // 2)
    taken, expected = FoldBuffer().take(table, rows), table.take(rows)
    pandas.testing.assert_frame_equal(taken, expected, check_exact=True)
    assert taken.attrs == expected.attrs
    taken.iloc[0, 0] = 99.0  # one's own, as pandas has it
    pandas.testing.assert_frame_equal(table, make(np.random.default_rng(20240917)))


def test_a_table_that_is_kept_is_not_overwritten(rng):
    table, buffer = numbers(rng), FoldBuffer()
    rows = np.arange(N // 2)
    first = buffer.take(table, rows)
    column = buffer.take(table, rows + 5)["c"]
    third = buffer.take(table, rows + 9)
    pandas.testing.assert_frame_equal(first, table.take(rows))
    pandas.testing.assert_series_equal(column, table["c"].take(rows + 5))
    pandas.testing.assert_frame_equal(third, table.take(rows + 9))


def test_memory_is_used_again(rng):
    table, buffer = numbers(rng), FoldBuffer()
    taken = buffer.take(table, np.arange(N // 2))
    place = taken.to_numpy().ctypes.data
    del taken
    assert buffer.take(table, np.arange(N // 2)).to_numpy().ctypes.data == place


def test_rows_that_are_not_there_are_pandas_error(rng):
    table = numbers(rng)
    for rows in ([N], [-N - 1]):
        with pytest.raises(IndexError):
            FoldBuffer().take(table, np.array(rows * N))
    pandas.testing.assert_frame_equal(
        FoldBuffer().take(table, np.full(N, -1)), table.take(np.full(N, -1))
    )


def test_cross_validation_of_a_mixed_table(rng):
    table = mixed(rng)[["a", "b", "c", "kind", "word"]]
    y = (table["a"] + (table["kind"] == "x") > 1).astype(int)
    pipeline = make_pipeline(
        ColumnTransformer([("kinds", OneHotEncoder(), ["kind", "word"])], remainder="passthrough"),
        LogisticRegression(),
    )
    expected, found = (room.cross_val_score(pipeline, table, y, cv=3) for room in (theirs, ours))
    np.testing.assert_array_equal(found, expected)
