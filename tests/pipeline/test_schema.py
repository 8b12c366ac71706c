import numpy as np
import pytest

pandas = pytest.importorskip("pandas")

from mlestar import DataPipeline  # noqa: E402
from mlestar.exceptions import DataError  # noqa: E402
from mlestar.pipeline import TableEncoder, TableSchema  # noqa: E402


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


def test_encoder_in_parts_is_the_encoder_of_the_whole(tmp_path):
    frame = table()[["n", "c", "d"]].assign(late=[None, None, "z"], never=[None] * 3)
    parts = TableEncoder()
    for row in range(3):
        parts.partial_fit(frame[row : row + 1])
    whole = TableEncoder().fit(frame)
    np.testing.assert_array_equal(parts.transform(frame), whole.transform(frame))
    with pytest.raises(DataError, match="column 'n' holds category, but held number"):
        parts.partial_fit(frame.assign(n=["x", "y", "z"]))
    with pytest.raises(DataError, match="the columns are"):
        parts.partial_fit(frame[["n"]])
    path = DataPipeline([parts]).save(tmp_path / "p")
    np.testing.assert_array_equal(DataPipeline.load(path).transform(frame), parts.transform(frame))


def test_encoder_goes_on_from_its_state():
    late = pandas.DataFrame({"late": [None, None]})
    loaded = TableEncoder().load_state_dict(TableEncoder().partial_fit(late).state_dict())
    loaded.partial_fit(pandas.DataFrame({"late": [1.0, 2.0]}))
    assert loaded.schema_.columns[0].kind == "number"
