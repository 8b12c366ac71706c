import gzip
import threading
import time

import numpy as np
import pytest

pandas = pytest.importorskip("pandas")
pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

from mlestar import StreamProcessor  # noqa: E402
from mlestar.exceptions import DataError  # noqa: E402


@pytest.fixture
def frame():
    return pandas.DataFrame({"a": np.arange(10), "b": list("abcdefghij"), "c": np.arange(10) / 4})


def written(folder, frame):
    frame.to_csv(folder / "t.csv", index=False)
    frame.to_csv(folder / "t.tsv", index=False, sep="\t")
    with gzip.open(folder / "t.csv.gz", "wt") as file:
        frame.to_csv(file, index=False)
    frame.to_parquet(folder / "t.parquet", row_group_size=3)
    frame.to_feather(folder / "t.feather")
    return [folder / name for name in ("t.csv", "t.tsv", "t.csv.gz", "t.parquet", "t.feather")]


def together(chunks):
    return pandas.concat(list(chunks), ignore_index=True)


@pytest.mark.parametrize("prefetch", [0, 2])
def test_files_are_read_in_chunks(tmp_path, frame, prefetch):
    for path in written(tmp_path, frame):
        stream = StreamProcessor(4, prefetch=prefetch).chunks(path)
        chunks = list(stream)
        assert [len(c) for c in chunks] == [4, 4, 2], path
        assert stream.position == 10
        pandas.testing.assert_frame_equal(together(chunks), frame)
        rest = StreamProcessor(4, columns=["c", "a"]).chunks(path, first_row=5)
        pandas.testing.assert_frame_equal(
            together(rest), frame[["c", "a"]][5:].reset_index(drop=True)
        )


def test_several_files(tmp_path, frame):
    paths = written(tmp_path, frame)[-2:]
    chunks = list(StreamProcessor(4).chunks(paths))
    assert [len(c) for c in chunks] == [4, 4, 2, 4, 4, 2]
    assert len(together(StreamProcessor(4).chunks(paths, first_row=13))) == 7


def test_objects_are_read_in_chunks(tmp_path, frame):
    table = pyarrow.Table.from_pandas(frame)
    dataset = pytest.importorskip("pyarrow.dataset").dataset(table)
    makers = [
        lambda: frame, lambda: table, lambda: table.to_batches()[0], lambda: table.to_reader(max_chunksize=3),
        lambda: dataset, lambda: iter([frame[:7], frame[7:]]), lambda: lambda: iter([frame]), lambda: [frame],
    ]  # fmt: skip
    for make in makers[:-1]:
        chunks = list(StreamProcessor(4).chunks(make()))
        assert max(len(c) for c in chunks) <= 4
        pandas.testing.assert_frame_equal(together(chunks), frame)
        some = together(StreamProcessor(4, columns=["a"]).chunks(make(), first_row=3))
        pandas.testing.assert_frame_equal(some, frame[["a"]][3:].reset_index(drop=True))
    array = np.arange(20.0).reshape(10, 2)
    np.save(tmp_path / "x.npy", array)
    for source in (array, array.tolist(), tmp_path / "x.npy", np.asfortranarray(array)):
        np.testing.assert_array_equal(np.vstack(list(StreamProcessor(3).chunks(source))), array)
    first = np.vstack(list(StreamProcessor(3, columns=[1]).chunks(array, first_row=4)))
    np.testing.assert_array_equal(first, array[4:, [1]])


def test_polars_frames(frame):
    polars = pytest.importorskip("polars")
    chunks = StreamProcessor(4, columns=["a", "c"]).chunks(polars.from_pandas(frame), 2)
    np.testing.assert_array_equal(together(chunks).to_numpy(), frame[["a", "c"]].to_numpy()[2:])


def test_reading_ahead_waits(frame):
    given = []

    def source():
        for i in range(20):
            given.append(i)
            yield frame

    stream = StreamProcessor(10, prefetch=2).chunks(source())
    next(stream)
    time.sleep(0.3)
    assert len(given) <= 5  # one used, two waiting, one in the hand
    stream.close()
    assert list(stream) == []
    before = threading.active_count()
    for _ in range(3):
        with StreamProcessor(2).chunks(frame) as dropped:
            next(dropped)
    assert threading.active_count() <= before


def test_memory_sets_the_rows_of_a_chunk(tmp_path, rng):
    table = pandas.DataFrame(rng.normal(size=(50_000, 10)))
    table.columns = [f"c{i}" for i in range(10)]
    stream = StreamProcessor(max_bytes=2_000_000).chunks(table)
    sizes = [chunk.memory_usage().sum() for chunk in stream]
    assert max(sizes) * 10 <= 2_000_000 * 1.01
    assert sum(sizes) >= 4_000_000
    table[:100].to_parquet(tmp_path / "t.parquet")
    for source in (table, tmp_path / "t.parquet"):
        with pytest.raises(DataError, match="max_bytes is 10, but must be at least"):
            list(StreamProcessor(max_bytes=10).chunks(source))


@pytest.mark.slow
def test_memory_stays_under_its_limit_whatever_the_size(run_python):
    code = """
import psutil, numpy as np, threading, time
import pandas, pyarrow
from mlestar import DataPipeline, StreamProcessor
from mlestar.preprocessing import StandardScaler
block = np.random.default_rng(0).normal(size=(20_000, 20))
def source(n):
    return lambda: (block for _ in range(n))
limit = 100 * 2**20
pipeline = DataPipeline([StandardScaler()], streaming=StreamProcessor(10_000, max_bytes=limit))
pipeline.fit_stream(source(3))
process = psutil.Process()
base = process.memory_info().rss
peak = rows = 0
for chunk in pipeline.stream(source(300)):  # 960 MB
    rows += len(chunk)
    peak = max(peak, process.memory_info().rss)
assert rows == 6_000_000
print((peak - base) / limit)
"""
    assert float(run_python(code)) < 1


@pytest.mark.slow
def test_a_row_group_larger_than_memory(tmp_path, run_python):
    code = """
import numpy as np, pandas, psutil
from mlestar import StreamProcessor
limit = 64 * 2**20
processor = StreamProcessor(max_bytes=limit)
pandas.DataFrame({"a": [1.0]}).to_parquet("PATH")
list(processor.chunks("PATH"))
process = psutil.Process()
base = process.memory_info().rss
peak = rows = 0
for chunk in processor.chunks("LARGE"):
    rows += len(chunk)
    peak = max(peak, process.memory_info().rss)
assert rows == 1_500_000
print((peak - base) / limit)
"""
    large = pandas.DataFrame(np.random.default_rng(0).normal(size=(1_500_000, 10)))
    large.add_prefix("c").to_parquet(tmp_path / "large.parquet", row_group_size=1_500_000)
    code = code.replace("PATH", str(tmp_path / "t.parquet")).replace(
        "LARGE", str(tmp_path / "large.parquet")
    )
    assert float(run_python(code)) < 1


def test_errors_say_where(tmp_path, frame):
    many = pandas.concat([frame] * 60_000, ignore_index=True)
    many.to_csv(tmp_path / "t.csv", index=False)
    lines = (tmp_path / "t.csv").read_text().splitlines()
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("\n".join([*lines[:550_000], "x,y,0.5", *lines[550_000:]]))
    with pytest.raises(
        DataError, match=r"wrong.csv, rows from \d+ on, could not be read: column 'a': .*'x'"
    ):
        list(StreamProcessor().chunks(wrong))
    wrong.write_text("\n".join([*lines[:550_000], "1,y,0.5,7,8", *lines[550_000:]]))
    with pytest.raises(DataError, match=r"wrong.csv, rows from .* on, .*Expected 3 columns, got 5"):
        list(StreamProcessor().chunks(wrong))
    texts = StreamProcessor(types={"a": "string"}).chunks(tmp_path / "t.csv")
    assert next(texts)["a"].iloc[0] == "0"
    texts.close()
    many[:1000].to_parquet(tmp_path / "t.parquet")
    data = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(data[:-100])
    with pytest.raises(DataError, match="cut.parquet cannot be read"):
        StreamProcessor().chunks(tmp_path / "cut.parquet")
    (tmp_path / "bad.parquet").write_bytes(data[:40] + b"\xff" * 400 + data[440:])
    with pytest.raises(DataError, match=r"bad.parquet, rows from 0 on, could not be read"):
        list(StreamProcessor().chunks(tmp_path / "bad.parquet"))

    def breaks():
        yield frame
        raise RuntimeError("the line went dead")

    stream = StreamProcessor().chunks(breaks())
    assert len(next(stream)) == 10
    with pytest.raises(DataError, match="the iterator, rows from 10 on, .*the line went dead"):
        next(stream)

    def no_four(chunk):
        if 4 in chunk["a"].to_numpy():
            raise ValueError("no 4")
        return chunk

    with pytest.raises(DataError, match="the table, rows 4 to 7, could not be transformed: no 4"):
        list(StreamProcessor(4).process(frame, no_four))


def test_sinks(tmp_path, frame):
    processor = StreamProcessor(4)
    assert processor.write(frame, tmp_path / "o.parquet") == 10
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "o.parquet"), frame)
    processor.write(frame, tmp_path / "o.npy", lambda chunk: chunk[["a", "c"]] * 2)
    got = np.load(tmp_path / "o.npy", mmap_mode="r")
    np.testing.assert_array_equal(got, frame[["a", "c"]].to_numpy() * 2)
    processor.write(frame, tmp_path / "parts")
    assert len(list((tmp_path / "parts").iterdir())) == 3
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "parts"), frame)
    assert not list(tmp_path.glob("*.partial"))


def test_what_was_written_before_an_error_is_whole_and_goes_on(tmp_path, frame):
    processor = StreamProcessor(3)
    healed = []

    def breaks(chunk):
        if chunk["a"].iloc[0] == 6 and not healed:
            raise ValueError("not now")
        return chunk[["a", "c"]]

    for name in ("o.parquet", "o.npy", "parts"):
        with pytest.raises(DataError, match="rows 6 to 8, could not be transformed: not now"):
            processor.write(frame, tmp_path / name, breaks)
    assert not (tmp_path / "o.parquet").exists()
    assert parquet.read_table(tmp_path / "o.parquet.partial").num_rows == 6
    assert np.load(tmp_path / "o.npy.partial").shape == (6, 2)
    with pytest.raises(ValueError, match="which holds parts"):
        processor.write(frame, tmp_path / "parts")
    healed.append(True)
    assert processor.write(frame, tmp_path / "parts", breaks, resume=True) == 10
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "parts"), frame[["a", "c"]])


def test_chunks_that_change_their_type_are_not_written(tmp_path):
    chunks = [pandas.DataFrame({"a": [1, 2]}), pandas.DataFrame({"a": ["x", "y"]})]
    with pytest.raises(
        DataError, match=r"rows 2 to 3, could not be written.*column 'a' is .*but was int64"
    ):
        StreamProcessor().write(iter(chunks), tmp_path / "o.parquet")
    assert parquet.read_table(tmp_path / "o.parquet.partial").num_rows == 2
    with pytest.raises(DataError, match="must hold numbers"):
        StreamProcessor().write(chunks[1], tmp_path / "o.npy")


def test_torch_datasets(frame):
    torch = pytest.importorskip("torch")
    data = StreamProcessor(4, columns=["a", "c"]).dataset(frame)
    for _ in range(2):  # epochs
        whole = torch.cat(list(torch.utils.data.DataLoader(data, batch_size=None)))
        np.testing.assert_array_equal(whole.numpy(), frame[["a", "c"]].to_numpy())
    with pytest.raises(ValueError, match="can be read once"):
        StreamProcessor().dataset(iter([frame]))


def test_progress_and_bad_arguments(tmp_path, frame):
    seen = []
    list(StreamProcessor(4, progress=lambda *args: seen.append(args)).chunks(frame))
    assert seen == [(4, 10), (8, 10), (10, 10)]
    for arguments, words in (
        ({"chunk_rows": 0}, "chunk_rows is 0"), ({"prefetch": -1}, "prefetch is -1"), ({"max_bytes": 0}, "max_bytes is 0"),
        ({"columns": "a"}, "columns is 'a'"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            StreamProcessor(**arguments)
    for source, words in (
        (3, "source is a int"), (tmp_path / "no.csv", "is no file"), (np.array(3.0), "must have rows"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            StreamProcessor().chunks(source)
    (tmp_path / "x.xlsx").write_bytes(b"")
    with pytest.raises(DataError, match="must end in one of"):
        StreamProcessor().chunks(tmp_path / "x.xlsx")
    with pytest.raises(ValueError, match="first_row is -1"):
        StreamProcessor().chunks(frame, -1)
    with pytest.raises(ValueError, match="resume is True"):
        StreamProcessor().write(frame, tmp_path / "o.npy", resume=True)
    with pytest.raises(ValueError, match="must be a folder"):
        StreamProcessor().write(frame, tmp_path / "o.csv")
