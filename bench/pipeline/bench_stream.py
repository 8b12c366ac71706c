"""Streams: what reading ahead costs and saves, against the plain readers."""

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from pyarrow import csv, parquet

from bench.row import Row, bench_rows
from mlestar import StreamProcessor

_CHUNK = 65_536


def _total(chunks: Any) -> float:
    return float(sum(np.asarray(chunk["a"], dtype=float).sum() for chunk in chunks))


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    n_file = max(10, n // 4)
    table = pandas.DataFrame(rng.normal(size=(n_file, 4)), columns=list("abcd"))
    table.to_parquet(folder / "t.parquet")
    table.round(6).to_csv(folder / "t.csv", index=False)
    X = rng.normal(size=(n, 4))
    stream = StreamProcessor(_CHUNK)

    def their_parquet() -> float:
        with parquet.ParquetFile(folder / "t.parquet") as file:
            return _total(batch.to_pandas() for batch in file.iter_batches(_CHUNK))

    def their_csv() -> float:
        with csv.open_csv(folder / "t.csv") as reader:
            return _total(batch.to_pandas() for batch in reader)

    def pandas_csv() -> float:
        with pandas.read_csv(folder / "t.csv", chunksize=_CHUNK) as reader:
            return _total(reader)

    return [
        Row(
            "StreamProcessor, Parquet",
            n,
            lambda: _total(stream.chunks(folder / "t.parquet")),
            {"pyarrow iter_batches": their_parquet},
            table.to_numpy().nbytes,
        ),
        Row(
            "StreamProcessor, CSV",
            n,
            lambda: _total(stream.chunks(folder / "t.csv")),
            {"pandas read_csv in chunks": pandas_csv, "pyarrow open_csv": their_csv},
            (folder / "t.csv").stat().st_size,
        ),
        Row(
            "StreamProcessor, array",
            n,
            lambda: sum(chunk.sum() for chunk in stream.chunks(X)),
            {"slices": lambda: sum(X[i : i + _CHUNK].sum() for i in range(0, n, _CHUNK))},
            X.nbytes,
        ),
    ]


test_rows = bench_rows(rows)
