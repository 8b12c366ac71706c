import numpy as np
import pytest

pandas = pytest.importorskip("pandas")

from mlestar.exceptions import DataError  # noqa: E402
from mlestar.pipeline import TableSchema  # noqa: E402


def table():
    return pandas.DataFrame(
        {
            "n": [1.0, None, 3.0],
            "c": ["b", "a", None],
            "b": [True, False, True],
            "d": pandas.to_datetime(["2024-01-02 03:00", None, "1970-01-02 00:00"]),
        }
    )


def test_schema_round_trip_and_matrix():
    schema = TableSchema.from_dict(TableSchema.learn(table()).to_dict())
    matrix = schema.matrix(table())
    assert schema.feature_names[:3] == ["n", "c", "b"]
    assert schema.cardinalities[:3] == [0, 2, 0]
    np.testing.assert_array_equal(matrix[:, 0], [1, np.nan, 3])
    np.testing.assert_array_equal(matrix[:, 1], [1, 0, np.nan])
    np.testing.assert_array_equal(matrix[0, 3:], [2024, 1, 2, 1, 3, 19724.125])
    assert np.isnan(matrix[1, 3:]).all()
    text = table().assign(n=["x", "y", "z"])
    with pytest.raises(DataError, match="column 'n' must hold numbers"):
        schema.matrix(text)
    with pytest.raises(DataError, match="lacks columns"):
        schema.matrix(table().drop(columns="c"))
    infinite = table().assign(n=[np.inf, 1.0, 2.0])
    assert np.isnan(schema.matrix(infinite)[0, 0])
