"""That nothing of a source is lost or changed on its way through a stream."""

import datetime
import decimal
import sys
import threading

import numpy as np
import pytest

pandas = pytest.importorskip("pandas")
pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

from mlestar import DataPipeline, StreamProcessor  # noqa: E402
from mlestar.exceptions import DataError  # noqa: E402
from mlestar.pipeline import TableEncoder  # noqa: E402

LARGE = 2**60 + 1  # which no float64 is


def test_line_breaks_in_quotes_end_no_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,t\n" + "".join(f'n{i},"zzz\nq{i},w"\n' for i in range(60_000)))
    chunks = list(StreamProcessor(20_000).chunks(path))
    assert [len(chunk) for chunk in chunks] == [20_000] * 3
    assert chunks[-1].iloc[-1].tolist() == ["n59999", "zzz\nq59999,w"]


@pytest.mark.parametrize("columns", [None, ["t", "n"]])
@pytest.mark.parametrize("more", ["", ","])
def test_empty_cells_of_a_csv_are_missing(tmp_path, columns, more):
    # A column without any value, or a choice of columns, must not change what others hold.
    path = tmp_path / "t.csv"
    path.write_text("\n".join(row + more for row in ("t,n", "x,1", ",", '"",2')))
    (chunk,) = StreamProcessor(columns=columns).chunks(path)
    assert chunk["t"].isna().tolist() == [False, True, True]
    assert chunk["n"].isna().tolist() == [False, True, False]


def test_numbers_and_booleans_stay_exact_where_some_are_missing(tmp_path):
    table = pyarrow.table(
        {"i": [1, 2, LARGE, None], "b": [True, False, True, None], "x": [1, 2, 3, 4]}
    )
    source = tmp_path / "t.parquet"
    parquet.write_table(table, source)
    first, second = StreamProcessor(2).chunks(source)
    assert first["i"].dtype == np.int64
    assert second["i"].iloc[0] == LARGE
    assert second["x"].dtype == np.int64
    assert second["b"].tolist() == [True, pandas.NA]
    for target in ("o.parquet", "parts"):
        StreamProcessor(2).write(source, tmp_path / target)
        assert parquet.read_table(tmp_path / target).to_pydict() == table.to_pydict()
    pipeline = DataPipeline([TableEncoder()], streaming=StreamProcessor(2)).fit_stream(source)
    encoded = np.vstack(list(pipeline.stream(source)))
    np.testing.assert_array_equal(encoded[:, 1], [1, 0, 1, np.nan])
    StreamProcessor(4, columns=["i", "x"]).write(source, tmp_path / "o.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "o.npy")[3], [np.nan, 4])
    assert TableEncoder().fit(pandas.DataFrame({"i": pandas.array([None], "Int64")})).schema_


@pytest.mark.parametrize("target", ["o.parquet", "parts"])
def test_later_chunks_take_the_types_of_the_first(tmp_path, target):
    whole, lacking = pandas.DataFrame({"i": [1, 2]}), pandas.DataFrame({"i": [3.0, np.nan]})
    StreamProcessor().write(iter([whole, lacking, whole]), tmp_path / target)
    written = parquet.read_table(tmp_path / target)["i"]
    assert written.to_pylist() == [1, 2, 3, None, 1, 2]
    for other in ([0.5, 1.0], ["1", "2"], [True, False]):
        chunks = [whole, pandas.DataFrame({"i": other})]
        with pytest.raises(DataError, match="column 'i' is .*, but was int64"):
            StreamProcessor().write(iter(chunks), tmp_path / f"other{other[0]}" / "parts")
    single = [pandas.DataFrame({"i": np.zeros(1, t)}) for t in (np.float32, np.float64)]
    with pytest.raises(DataError, match="column 'i' is double, but was float"):
        StreamProcessor().write(iter(single), tmp_path / "single")


@pytest.mark.parametrize("target", ["o.parquet", "parts"])
def test_a_file_is_copied_though_its_first_chunk_shows_nothing(tmp_path, target):
    day, price = datetime.date(2020, 1, 1), decimal.Decimal("10.25")
    table = pyarrow.table(
        {
            "day": [None, None, day, day],
            "price": [decimal.Decimal("0.50"), None, price, price],
            "list": [None, None, [1], [2]],
            "text": [None, None, "a", "b"],
        }
    )
    parquet.write_table(table, tmp_path / "t.parquet")
    StreamProcessor(2).write(tmp_path / "t.parquet", tmp_path / target)
    assert parquet.read_table(tmp_path / target).to_pydict() == table.to_pydict()


def test_an_index_that_is_stored_is_a_column(tmp_path):
    frame = pandas.DataFrame({"a": [1.0, 2.0]}, index=pandas.Index([7, 8], name="id"))
    frame.to_parquet(tmp_path / "t.parquet")
    StreamProcessor().write(tmp_path / "t.parquet", tmp_path / "o.parquet")
    written = parquet.read_table(tmp_path / "o.parquet")
    assert written.to_pydict() == {"a": [1.0, 2.0], "id": [7, 8]}


def test_parts_are_not_written_over_where_one_is_gone(tmp_path):
    frame = pandas.DataFrame({"a": np.arange(10)})
    StreamProcessor(2).write(frame[:8], tmp_path / "parts")
    (tmp_path / "parts" / "part-000001.parquet").unlink()
    # Numbers have no fixed width: the last is found by its number.
    (tmp_path / "parts" / "part-000003.parquet").rename(tmp_path / "parts" / "part-1000000.parquet")
    (tmp_path / "parts" / "part-000002.parquet").rename(tmp_path / "parts" / "part-999999.parquet")
    assert StreamProcessor(2).write(frame, tmp_path / "parts", resume=True) == 10
    values = parquet.read_table(tmp_path / "parts")["a"].to_pylist()
    assert sorted(values) == [0, 1, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("prefetch", [0, 2])
def test_the_end_of_the_program_is_passed_on(prefetch):
    def source():
        yield np.zeros((3, 1))
        sys.exit(4)

    stream = StreamProcessor(prefetch=prefetch).chunks(source())
    next(stream)
    caught = []

    def read():
        try:
            next(stream)
        except BaseException as error:
            caught.append(error)

    # In a thread, so that a reader that hangs does not hang the tests.
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(5)
    assert [type(error) for error in caught] == [SystemExit]
    assert caught[0].code == 4
    assert list(stream) == []


@pytest.mark.parametrize("prefetch", [0, 2])
def test_a_stream_that_is_closed_has_closed_its_source(prefetch):
    closed = []

    def source():
        try:
            while True:
                yield np.zeros((3, 1))
        finally:
            closed.append(True)

    stream = StreamProcessor(prefetch=prefetch).chunks(source)
    next(stream)
    stream.close()
    assert closed == [True]


def test_rows_that_get_wider_keep_to_the_memory():
    texts = ["x"] * 2000 + ["x" * 2000] * 2000
    frame = pandas.DataFrame({"t": np.array(texts, dtype=object)})
    limit = 1_000_000
    for source in (frame, iter([frame])):
        chunks = list(StreamProcessor(max_bytes=limit).chunks(source))
        sizes = [chunk.memory_usage(deep=True).sum() for chunk in chunks]
        assert max(sizes) * 10 <= limit * 1.01
        pandas.testing.assert_frame_equal(pandas.concat(chunks, ignore_index=True), frame)


def test_columns_and_types_that_are_not_there_are_named(tmp_path):
    frame = pandas.DataFrame({"a": [1, 2], "b": [3, 4]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_feather(tmp_path / "t.feather")
    sources = [frame, pyarrow.Table.from_pandas(frame), tmp_path / "t.feather"]
    for source in (*sources, tmp_path / "t.csv", tmp_path / "t.parquet", iter([frame])):
        with pytest.raises(
            DataError, match=r"columns names \['zz'\], which .* lacks; it has \['a'"
        ):
            list(StreamProcessor(columns=["a", "zz"]).chunks(source))
    for columns in (["a"], [2], [True]):
        with pytest.raises(DataError, match="columns names .*numbers below 2"):
            StreamProcessor(columns=columns).chunks(frame.to_numpy())
    with pytest.raises(DataError, match=r"types names \['zz'\]"):
        list(StreamProcessor(types={"zz": "string"}).chunks(tmp_path / "t.csv"))


def test_lazy_frames_are_refused():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"a": [LARGE, None]})
    with pytest.raises(ValueError, match="source is a LazyFrame, but must be a table in memory"):
        StreamProcessor().chunks(frame.lazy())
    with pytest.raises(DataError, match=r"columns names \['zz'\]"):
        StreamProcessor(columns=["zz"]).chunks(frame)
    (chunk,) = StreamProcessor().chunks(frame)
    assert chunk["a"].iloc[0] == LARGE
