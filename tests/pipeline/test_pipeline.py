import numpy as np
import pytest

pandas = pytest.importorskip("pandas")

from sklearn.preprocessing import MinMaxScaler, StandardScaler  # noqa: E402

from mlestar import CacheManager, DataPipeline, StreamProcessor  # noqa: E402
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


def test_pipeline_fits_streams_and_caches(tmp_path, rng):
    X = rng.normal(size=(500, 3)) * 5
    pipeline = DataPipeline(
        [StandardScaler(), MinMaxScaler()],
        caching=CacheManager(tmp_path / "cache"),
        streaming=StreamProcessor(chunk_rows=64),
    )
    whole = pipeline.fit_transform(X)
    np.testing.assert_allclose(whole.min(axis=0), 0, atol=1e-12)
    assert len(list((tmp_path / "cache").glob("*.cached"))) == 1
    streamed = DataPipeline([StandardScaler(), MinMaxScaler()], streaming=StreamProcessor(64))
    streamed.fit_stream(X)
    np.testing.assert_allclose(np.vstack(list(streamed.stream(X))), whole, atol=1e-9)
    with pytest.raises(TypeError, match="no fit and transform"):
        DataPipeline([object()])

    class NoStream:
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return X

    with pytest.raises(TypeError, match="has no partial_fit"):
        DataPipeline([NoStream()]).fit_stream(X)


def test_a_table_that_is_wrong_is_not_fitted():
    with pytest.raises(DataError, match="no columns"):
        DataPipeline([StandardScaler()]).fit(pandas.DataFrame())
