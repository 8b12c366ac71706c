"""Where streams come from: files, arrays, tables of other libraries, iterators."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mlestar._lazy import require
from mlestar.exceptions import DataError
from mlestar.pipeline.tables import arrow_frame

_CSV_BLOCK = 1 << 20
_CSV_BLOCKS = 8  # that the reader holds
_PARQUET_BUFFER = 1 << 16
_PARQUET_COLUMN = 3 << 20  # bytes that the reader holds of a column: a dictionary, pages
_PARQUET = (".parquet", ".pq")
_ARROW = (".arrow", ".feather", ".ipc")
_CSV = (".csv", ".csv.gz", ".csv.bz2", ".csv.zst", ".tsv", ".txt")


class Source:
    """One source: what it is called, whether it can be read again, and its pieces.

    Attributes
    ----------
    name : str
        For messages.
    rows : int or None
        How many there are, where that is known before reading.
    again : bool
        Whether it can be read more than once.
    held : bool
        Whether all of it is in memory: nothing is won by reading ahead.
    overhead : int
        Bytes that the reader holds beyond the chunks, about.
    schema : pyarrow.Schema or None
        The types of its columns, where they are known before reading.
    """

    def __init__(
        self,
        name: str,
        pieces: Callable[[int, int], Iterator[Any]],
        rows: int | None = None,
        again: bool = True,
        held: bool = False,
        overhead: int = 0,
        schema: Any = None,
    ) -> None:
        self.name = name
        self.rows = rows
        self.again = again
        self.held = held
        self.overhead = overhead
        self.schema = schema
        # pieces(chunk_rows, first_row): tables of at most about chunk_rows rows, from that row on.
        self.pieces = pieces


def open_source(
    source: Any, columns: Sequence[Any] | None, types: Mapping[str, str] | None
) -> Source:
    """A `Source` of whatever it is that a `StreamProcessor` reads.

    Raises
    ------
    ValueError
        If it is nothing that can be read in pieces.
    """
    if isinstance(source, str | Path):
        return _file(Path(source), columns, types)
    if isinstance(source, list | tuple) and source and isinstance(source[0], str | Path):
        return _several([_file(Path(path), columns, types) for path in source])
    if callable(source) and not hasattr(source, "columns"):
        return Source("the source", lambda n, first: _iterated(source(), n, first, columns))
    module = type(source).__module__.split(".")[0]
    if module == "pyarrow":
        return _arrow(source, columns)
    if module in ("polars", "narwhals"):
        return _narwhals(source, columns)
    if hasattr(source, "iloc"):
        if columns is not None:
            _has("the table", list(columns), list(source.columns))
        table = source if columns is None else source[list(columns)]
        return Source(
            "the table", lambda n, first: _sliced(table.iloc, len(table), n, first), len(table)
        )
    if hasattr(source, "__next__"):
        return Source(
            "the iterator", lambda n, first: _iterated(source, n, first, columns), again=False
        )
    if hasattr(source, "__array__") or hasattr(source, "shape") or isinstance(source, list):
        array = source if hasattr(source, "shape") else np.asarray(source)
        if not array.shape:
            raise ValueError("source is a number, but must have rows")
        places = None if columns is None else _places(columns, array.shape)
        return Source(
            "the array",
            lambda n, first: _sliced(array, len(array), n, first, places),
            len(array),
            held=True,
        )
    if hasattr(source, "__iter__"):
        return Source("the iterable", lambda n, first: _iterated(iter(source), n, first, columns))
    raise ValueError(
        f"source is a {type(source).__name__}, but must be a path, an array, a table or an iterator"
    )


def _has(name: str, columns: Sequence[Any], known: Sequence[Any]) -> None:
    missing = [column for column in columns if column not in known]
    if missing:
        raise DataError(f"columns names {missing}, which {name} lacks; it has {list(known)}")


def _places(columns: Sequence[Any], shape: Sequence[int]) -> list[int]:
    """Numbers of an array's columns."""
    width = shape[1] if len(shape) > 1 else 0
    for place in columns:
        whole = isinstance(place, int | np.integer) and not isinstance(place, bool)
        if not whole or not -width <= place < width:
            raise DataError(
                f"columns names {place!r}, but those of an array of shape {tuple(shape)} are "
                f"numbers below {width}"
            )
    return [int(place) for place in columns]


def _sliced(
    part: Any, rows: int, size: int, first: int, places: list[Any] | None = None
) -> Iterator[Any]:
    for start in range(first, rows, size):
        piece = part[start : min(start + size, rows)]
        yield piece if places is None else piece[:, places]


def _several(files: list[Source]) -> Source:
    def pieces(size: int, first: int) -> Iterator[Any]:
        for file in files:
            if file.rows is not None and file.rows <= first:
                first -= file.rows
                continue
            if first and file.rows is None:
                raise ValueError(
                    f"first_row is {first}, but the rows of {file.name} are not known before it "
                    "is read"
                )
            yield from file.pieces(size, first)
            first = 0

    counts = [file.rows for file in files]
    total = None if None in counts else sum(c for c in counts if c is not None)
    overhead = max(file.overhead for file in files)
    schema = files[0].schema
    return Source(f"{len(files)} files", pieces, total, overhead=overhead, schema=schema)


def _iterated(items: Any, size: int, first: int, columns: Sequence[Any] | None) -> Iterator[Any]:
    """The items as they come, cut where they are too large."""
    for item in items:
        if not hasattr(item, "__len__"):
            raise ValueError(f"the source gave a {type(item).__name__}, but must give tables")
        rows = len(item)
        if rows <= first:
            first -= rows
            continue
        inner = open_source(item if hasattr(item, "shape") else np.asarray(item), columns, None)
        yield from inner.pieces(size, first)
        first = 0


def _narwhals(source: Any, columns: Sequence[Any] | None) -> Source:
    narwhals = require("narwhals", "run")
    try:
        frame = narwhals.from_native(source, eager_only=True, pass_through=False)
    except TypeError as error:
        raise ValueError(
            f"source is a {type(source).__name__}, but must be a table in memory: collect it"
        ) from error
    if columns is not None:
        _has("the table", list(columns), frame.columns)
    frame = frame if columns is None else frame.select(list(columns))

    def pieces(size: int, first: int) -> Iterator[Any]:
        for start in range(first, len(frame), size):
            yield arrow_frame(frame[start : start + size].to_arrow(), plain=False)

    return Source("the table", pieces, len(frame))


def _arrow(source: Any, columns: Sequence[Any] | None) -> Source:
    names = None if columns is None else list(columns)
    if names is not None and hasattr(source, "schema"):
        _has("the table", names, source.schema.names)
    if hasattr(source, "read_next_batch"):

        def batches() -> Iterator[Any]:
            for batch in source:
                yield batch if names is None else batch.select(names)

        return Source(
            "the reader",
            lambda n, first: _rebatched(batches(), n, first),
            again=False,
            schema=source.schema,
        )
    if hasattr(source, "to_batches"):
        table = source if names is None or not hasattr(source, "select") else source.select(names)
        if hasattr(source, "scanner"):  # a dataset
            return Source(
                "the dataset",
                lambda n, first: _rebatched(
                    source.to_batches(columns=names, batch_size=n), n, first
                ),
                source.count_rows(),
                schema=source.schema,
            )
        return Source(
            "the table",
            lambda n, first: _rebatched(table.to_batches(max_chunksize=n), n, first),
            table.num_rows,
            schema=source.schema,
        )
    if hasattr(source, "num_rows"):  # a batch
        arrow = require("pyarrow", "run")
        return _arrow(arrow.Table.from_batches([source]), columns)
    raise ValueError(f"source is a pyarrow {type(source).__name__}, but must be a table or reader")


def _rebatched(batches: Any, size: int, first: int) -> Iterator[Any]:
    """Frames of `size` rows from Arrow batches of any."""
    arrow = require("pyarrow", "run")
    held: list[Any] = []
    rows = 0
    for batch in batches:
        if batch.num_rows <= first:
            first -= batch.num_rows
            continue
        batch = batch.slice(first)
        first = 0
        while rows + batch.num_rows >= size:
            head = batch.slice(0, size - rows)
            yield arrow_frame(arrow.Table.from_batches([*held, head]))
            batch, held, rows = batch.slice(size - rows), [], 0
        if batch.num_rows:
            held.append(batch)
            rows += batch.num_rows
    if held:
        yield arrow_frame(arrow.Table.from_batches(held))


def _file(path: Path, columns: Sequence[Any] | None, types: Mapping[str, str] | None) -> Source:
    if not path.is_file():
        raise DataError(f"source is {str(path)!r}, which is no file")
    name = path.name.lower()
    if name.endswith(".npy"):
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        source = open_source(array, columns, None)
        source.name = str(path)
        return source
    names = None if columns is None else [str(column) for column in columns]
    if name.endswith(_PARQUET):
        return _parquet(path, names)
    if name.endswith(_ARROW):
        ipc = require("pyarrow.ipc", "run")
        reader = _opened(path, lambda: ipc.open_file(_mapped(path)))
        _has(str(path), names or (), reader.schema.names)
        rows = sum(reader.get_batch(i).num_rows for i in range(reader.num_record_batches))

        def pieces(size: int, first: int) -> Iterator[Any]:
            batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
            chosen = (b if names is None else b.select(names) for b in batches)
            return _rebatched(chosen, size, first)

        return Source(str(path), pieces, rows, schema=reader.schema)
    if name.endswith(_CSV):
        return Source(
            str(path),
            lambda n, first: _rebatched(_csv(path, names, types), n, first),
            overhead=_CSV_BLOCK * _CSV_BLOCKS,
        )
    raise DataError(
        f"source is {str(path)!r}, but must end in one of {', '.join((*_PARQUET, *_ARROW, *_CSV))}"
    )


def _mapped(path: Path) -> Any:
    return require("pyarrow", "run").memory_map(str(path))


def _opened(path: Path, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _parquet(path: Path, names: list[str] | None) -> Source:
    parquet = require("pyarrow.parquet", "run")

    def opened() -> Any:
        # Pages are read as they are needed: a row group may be larger than memory.
        return _opened(
            path, lambda: parquet.ParquetFile(path, buffer_size=_PARQUET_BUFFER, pre_buffer=False)
        )

    with opened() as file:
        rows = file.metadata.num_rows
        sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        schema = file.schema_arrow
        known = schema.names
    _has(str(path), names or (), known)

    def pieces(size: int, first: int) -> Iterator[Any]:
        group = 0
        while group < len(sizes) and sizes[group] <= first:
            first -= sizes[group]
            group += 1
        with opened() as file:
            batches = file.iter_batches(
                batch_size=size,
                row_groups=list(range(group, len(sizes))),
                columns=names,
                use_threads=False,
            )
            yield from _rebatched(batches, size, first)

    width = len(known if names is None else names)
    return Source(str(path), pieces, rows, overhead=width * _PARQUET_COLUMN, schema=schema)


def _csv(path: Path, names: list[str] | None, types: Mapping[str, str] | None) -> Iterator[Any]:
    arrow, csv = require("pyarrow", "run"), require("pyarrow.csv", "run")
    tabs = path.name.lower().endswith(".tsv")
    parse = csv.ParseOptions(delimiter="\t" if tabs else ",", newlines_in_values=True)
    read = csv.ReadOptions(block_size=_CSV_BLOCK, use_threads=False)
    given = {name: arrow.type_for_alias(kind) for name, kind in (types or {}).items()}

    def opened(kinds: Mapping[str, Any], chosen: list[str] | None) -> Any:
        convert = csv.ConvertOptions(
            column_types=kinds, include_columns=chosen, strings_can_be_null=True
        )
        return csv.open_csv(str(path), read, parse, convert)

    reader = _opened(path, lambda: opened(given, None))
    header = reader.schema.names
    # Whole numbers in the first block may be followed by others, nothing by numbers.
    empty = [field.name for field in reader.schema if arrow.types.is_null(field.type)]
    kinds = {**{name: arrow.float64() for name in empty}, **given}
    strange = [name for name in given if name not in header]
    if strange:
        raise DataError(f"types names {strange}, which it lacks; it has {header}")
    _has("it", names or (), header)

    def named(match: re.Match[str]) -> str:
        return f"column {header[int(match[1])]!r}"

    if empty or names is not None:
        reader.close()
        reader = _opened(path, lambda: opened(kinds, names))
    with reader:
        try:
            yield from reader
        except arrow.ArrowInvalid as error:
            words = re.sub(r"(?:In )?CSV column #(\d+)", named, str(error))
            raise DataError(f"{words} (the processor's types say what columns hold)") from error
