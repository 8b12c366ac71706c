import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

pandas = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

from sklearn.decomposition import PCA  # noqa: E402
from sklearn.preprocessing import FunctionTransformer  # noqa: E402
from sklearn.preprocessing import StandardScaler as TheirScaler  # noqa: E402

from mlestar import CacheManager, DataPipeline, DataValidator, StreamProcessor  # noqa: E402
from mlestar.exceptions import DataError, ModelFileError  # noqa: E402
from mlestar.pipeline import Column, TableEncoder, TableSchema  # noqa: E402
from mlestar.preprocessing import (  # noqa: E402
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    SimpleImputer,
    StandardScaler,
)


def test_pipeline_fits_and_streams(rng):
    X = rng.normal(size=(500, 3)) * 5
    whole = DataPipeline([StandardScaler(), MinMaxScaler()]).fit_transform(X)
    np.testing.assert_allclose(whole.min(axis=0), 0, atol=1e-12)
    streamed = DataPipeline([StandardScaler(), MinMaxScaler()], streaming=StreamProcessor(64))
    streamed.fit_stream(X)
    np.testing.assert_allclose(np.vstack(list(streamed.stream(X))), whole, atol=1e-9)


def test_fit_transform_is_kept_with_what_was_learned(tmp_path, rng, monkeypatch):
    X = rng.normal(size=(200, 3))
    X[::7, 1] = np.nan

    def made():
        return DataPipeline(
            [SimpleImputer(strategy="median"), StandardScaler()], caching=CacheManager(tmp_path)
        )

    first = made().fit_transform(X)
    monkeypatch.setattr(StandardScaler, "fit", None)
    again = made()
    np.testing.assert_array_equal(again.fit_transform(X), first)
    np.testing.assert_array_equal(again.transform(X), first)
    assert again.caching.statistics()["hits"] == 1
    other = X.copy()
    other[100, 0] += 1
    with pytest.raises(TypeError):
        made().fit_transform(other)
    theirs = [DataPipeline([TheirScaler()], caching=CacheManager(tmp_path)) for _ in range(2)]
    one, two = (pipeline.fit_transform(X) for pipeline in theirs)
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(theirs[1].transform(X), one)


def test_passes_are_said_in_advance(rng):
    X = rng.normal(size=(50, 2))
    pipeline = DataPipeline([StandardScaler(), Normalizer(), MinMaxScaler()])
    assert pipeline.passes() == ["validate and fit StandardScaler", "fit MinMaxScaler"]
    read = []

    def once():
        read.append(1)
        yield X

    with pytest.raises(ValueError, match=r"2 passes are needed: validate and fit Sta"):
        pipeline.fit_stream(once())
    assert not read
    pipeline.fit_stream(once)
    assert len(read) == 2
    assert DataPipeline([Normalizer()]).passes() == ["validate"]
    DataPipeline([Normalizer()]).fit_stream(iter([X]))
    with pytest.raises(TypeError, match=r"preprocessing\[0\].*has no partial_fit"):
        DataPipeline([PCA()]).fit_stream(X)
    with pytest.raises(TypeError, match="no fit and transform"):
        DataPipeline([object()])
    with pytest.raises(TypeError, match="no fit and transform"):
        DataPipeline([StandardScaler])


def test_a_table_that_is_wrong_is_not_fitted(tmp_path):
    with pytest.raises(DataError, match="no columns"):
        DataPipeline([StandardScaler()]).fit(pandas.DataFrame())
    frame = pandas.DataFrame({"a": [1.0, 2.0, -3.0, 4.0], "y": [0, 1, 0, 1]})
    schema = TableSchema((Column("a", "number", minimum=0),))
    strict = DataValidator(schema=schema, errors=["range"])
    pipeline = DataPipeline([StandardScaler()], strict, streaming=StreamProcessor(2))
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match="column 'a' .*the first is -3 in row 2"):
        pipeline.fit_stream(tmp_path / "t.csv", target="y")
    with pytest.raises(DataError, match="-3 in row 2"):
        pipeline.fit(frame)
    with pytest.raises(DataError, match="target is 'z'"):
        pipeline.fit_stream(frame, target="z")


def test_streams_with_a_target_and_to_files(tmp_path, rng):
    frame = pandas.DataFrame(rng.normal(size=(1000, 2)), columns=["a", "b"])
    y = (frame["a"] > 0).astype(int)
    frame.assign(y=y).to_parquet(tmp_path / "t.parquet")
    pipeline = DataPipeline([StandardScaler()], streaming=StreamProcessor(300))
    pipeline.fit_stream(tmp_path / "t.parquet", target="y")
    assert ("leakage", "a") in {(f.check, f.column) for f in pipeline.findings_}
    parts = list(pipeline.stream(tmp_path / "t.parquet", target="y"))
    assert [len(X) for X, _ in parts] == [300, 300, 300, 100]
    np.testing.assert_array_equal(np.concatenate([y for _, y in parts]), y)
    expected = TheirScaler().fit_transform(frame.to_numpy())
    np.testing.assert_allclose(np.vstack([X for X, _ in parts]), expected, rtol=1e-9)
    assert pipeline.write(frame, tmp_path / "o.npy") == 1000
    np.testing.assert_allclose(np.load(tmp_path / "o.npy"), expected, rtol=1e-9)
    with pytest.raises(DataError, match="rows 0 to 299, could not be transformed"):
        list(pipeline.stream(frame[["a"]]))


def test_explanation_counts_and_draws(rng):
    X = rng.normal(size=(1000, 3))
    pipeline = DataPipeline([StandardScaler(), MinMaxScaler()], streaming=StreamProcessor(100))
    pipeline.fit_stream(X)
    list(pipeline.stream(X))
    rows = {row["name"]: row for row in pipeline.explain().rows}
    assert list(rows) == ["read", "validate", "StandardScaler", "MinMaxScaler"]
    assert rows["read"]["rows"] == 3000
    assert rows["validate"]["rows"] == 1000
    assert rows["StandardScaler"]["rows"] == 2000
    assert rows["MinMaxScaler"]["bytes_out"] == X.nbytes
    assert rows["MinMaxScaler"]["fit_seconds"] > 0
    assert "read -> validate -> StandardScaler" in str(pipeline.explain())
    assert ElementTree.fromstring(pipeline.explain().svg()).tag.endswith("svg")


def test_save_and_load(tmp_path, rng):
    X = rng.normal(size=(300, 3))
    X[::5, 0] = np.nan
    steps = [
        SimpleImputer(strategy="median"),
        RobustScaler(quantile_range=(10.0, 90.0)),
        TheirScaler(),
        PCA(2, random_state=0),
    ]
    pipeline = DataPipeline(steps)
    expected = pipeline.fit_transform(X)
    path = pipeline.save(tmp_path / "pipeline")
    loaded = DataPipeline.load(path)
    np.testing.assert_array_equal(loaded.transform(X), expected)
    assert loaded.preprocessing[1].quantile_range == (10.0, 90.0)
    assert b"pickle" not in path.read_bytes()
    data = bytearray(path.read_bytes())
    data[-200] ^= 1
    (tmp_path / "damaged").write_bytes(data)
    with pytest.raises(ModelFileError, match="damaged"):
        DataPipeline.load(tmp_path / "damaged")
    with pytest.raises(ModelFileError, match="cannot be read"):
        DataPipeline.load(tmp_path / "none")
    with pytest.raises(ModelFileError, match="may not"):
        DataPipeline([FunctionTransformer(test_save_and_load)]).save(tmp_path / "f")
    CacheManager(tmp_path).put("k", np.arange(3))
    with pytest.raises(ModelFileError, match="no pipeline"):
        DataPipeline.load(tmp_path / "k.cached")


def test_the_kind_of_output_is_part_of_the_key(tmp_path):
    frame = pandas.DataFrame({"a": [1.0, 2.0, 3.0]})
    cache = CacheManager(tmp_path)
    as_frame = DataPipeline([StandardScaler().set_output(transform="pandas")], caching=cache)
    assert isinstance(as_frame.fit_transform(frame), pandas.DataFrame)
    assert isinstance(
        DataPipeline([StandardScaler()], caching=cache).fit_transform(frame), np.ndarray
    )
    moved = frame.set_axis([7, 8, 9], axis=0)
    assert list(as_frame.fit_transform(moved).index) == [7, 8, 9]


class Counter:
    def __init__(self):
        self.rows = []

    def fit(self, X, y=None):
        return self

    def partial_fit(self, X, y=None):
        self.rows.append(len(X))
        return self

    def transform(self, X):
        return X


def test_fit_stream_starts_afresh(rng):
    X = rng.normal(size=(10, 2))
    scaler, counter, encoder = (
        StandardScaler().set_output(transform="pandas"),
        Counter(),
        TableEncoder(),
    )
    pipeline = DataPipeline([scaler, counter], streaming=StreamProcessor(4))

    def fails():
        yield X
        raise OSError("gone")

    with pytest.raises(DataError):
        pipeline.fit_stream(fails)
    pipeline.fit_stream(X + 5).fit_stream(X)
    assert pipeline.preprocessing[0] is scaler
    assert isinstance(scaler.transform(X), pandas.DataFrame)
    assert counter.rows == [4, 4, 2]
    assert scaler.n_samples_seen_ == 10
    np.testing.assert_allclose(scaler.mean_, X.mean(axis=0))
    tables = DataPipeline([encoder]).fit_stream(pandas.DataFrame({"c": ["a"]}))
    tables.fit_stream(pandas.DataFrame({"d": ["b"]}))
    assert [(c.name, c.categories) for c in encoder.schema_.columns] == [("d", ("b",))]


def test_types_and_outputs_and_what_scikit_learn_fitted_are_saved(tmp_path):
    frame = pandas.DataFrame({"c": ["a", "b", "a"]})
    steps = [
        OneHotEncoder(sparse_output=False).set_output(transform="pandas"),
        OneHotEncoder(dtype=int, sparse_output=False),
        OrdinalEncoder(dtype=np.dtype("f4")),
        SimpleImputer(strategy="most_frequent"),  # of texts, which scikit-learn fits
    ]
    for step in steps:
        expected = DataPipeline([step], caching=CacheManager(tmp_path / "c")).fit_transform(frame)
        loaded = DataPipeline.load(DataPipeline([step]).save(tmp_path / "p"))
        got = loaded.transform(frame)
        assert type(got) is type(expected)
        np.testing.assert_array_equal(got, expected)
        if hasattr(step, "dtype"):
            assert loaded.preprocessing[0].dtype == step.dtype
            assert type(loaded.preprocessing[0].dtype) is type(step.dtype)
