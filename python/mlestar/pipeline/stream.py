"""Tables larger than memory, a chunk at a time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlestar._lazy import require
from mlestar.exceptions import DataError
from mlestar.pipeline.sinks import open_sink
from mlestar.pipeline.sources import Source, open_source

_PROBED_ROWS = 1024
_STANDING = 8  # copies of a chunk that reading, waiting, transforming and writing hold at a time
_END = object()
_PATIENCE = 5.0


class StreamProcessor:
    """Reads sources in chunks of rows, ahead of who uses them, in bounded memory.

    Parameters
    ----------
    chunk_rows : int, default=65536
        Rows of a chunk, at most.
    max_bytes : int or None, default=None
        Memory that the chunks in flight and their reader may take, all together; chunks get as
        many rows as fit. A Parquet file's reader takes 3 MB a column.
        What a transform itself keeps is not counted.
    prefetch : int, default=2
        Chunks that a background thread reads ahead; it waits while as many are there. 0 reads
        without a thread; so are sources that are in memory.
    columns : sequence of str or int, default=None
        The columns to read, others are not; of arrays by number.
    types : mapping of str to str, default=None
        Arrow types of a CSV file's columns ("float64", "string", ...); by default as its first
        MB shows them.
    progress : callable or None, default=None
        progress(rows, total) after each chunk; total is None where it is not known.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar import StreamProcessor
    >>> [len(chunk) for chunk in StreamProcessor(chunk_rows=4).chunks(np.zeros((10, 2)))]
    [4, 4, 2]
    """

    def __init__(
        self,
        chunk_rows: int = 65536,
        *,
        max_bytes: int | None = None,
        prefetch: int = 2,
        columns: Sequence[Any] | None = None,
        types: Mapping[str, str] | None = None,
        progress: Callable[[int, int | None], object] | None = None,
    ) -> None:
        for name, value, least in (
            ("chunk_rows", chunk_rows, 1),
            ("max_bytes", 1 if max_bytes is None else max_bytes, 1),
            ("prefetch", prefetch, 0),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} is {value!r}, but must be at least {least}")
        if isinstance(columns, str):
            raise ValueError(f"columns is {columns!r}, but must be a list of columns")
        self.chunk_rows = chunk_rows
        self.max_bytes = max_bytes
        self.prefetch = prefetch
        self.columns = columns
        self.types = types
        self.progress = progress

    def chunks(self, source: Any, first_row: int = 0) -> Stream:
        """Chunks of a source, in order.

        Parameters
        ----------
        source : path, paths, array, memmap, DataFrame, Arrow table, reader or dataset, polars \
frame, iterator, or callable that gives an iterator
            Files end in .parquet, .csv (also .gz, .bz2, .zst), .tsv, .arrow, .feather or .npy and
            are never read whole. Items of iterators are tables or arrays.
        first_row : int, default=0
            Row to begin with: the `position` of an earlier stream, to go on from there.

        Returns
        -------
        Stream
            An iterator. Arrays give arrays; all other sources DataFrames, which hold every column
            of a file, also one that was a DataFrame's index. Whole numbers and booleans of a file
            stay exact: where a chunk lacks some, the column has pandas' type that knows missing
            ones (Int64, boolean). Empty cells of a CSV file are missing.

        Raises
        ------
        DataError
            While reading: names the file, the rows and the column.
        """
        if isinstance(first_row, bool) or not isinstance(first_row, int) or first_row < 0:
            raise ValueError(f"first_row is {first_row!r}, but must be a whole number, 0 or more")
        return Stream(self, open_source(source, self.columns, self.types), first_row)

    def process(self, source: Any, function: Callable[[Any], Any]) -> Iterator[Any]:
        """function(chunk) for each chunk, as they are asked for.

        Raises
        ------
        DataError
            If the function raises: names the source and the rows.
        """
        with self.chunks(source) as stream:
            for chunk in stream:
                yield stream.apply(function, chunk)

    def write(
        self,
        source: Any,
        target: str | Path,
        function: Callable[[Any], Any] | None = None,
        *,
        resume: bool = False,
    ) -> int:
        """Stream a source, changed by a function, to a file.

        Parameters
        ----------
        source : object
            As of `chunks`.
        target : path
            A .parquet file, a .npy file (to be read as a memmap), or a folder for one Parquet file
            a chunk. Files appear when all is written; where something fails, the rows before are
            whole and readable in ``<target>.partial``, or in the folder. (Where the disk is full,
            a single Parquet file cannot be ended and is removed; a folder keeps its files.)
        function : callable or None
            function(chunk) is written instead of the chunk.
        resume : bool, default=False
            Go on after the chunks that are in the folder.

        Returns
        -------
        int
            Rows of the source that were read, those of an earlier call included.
        """
        sink = open_sink(Path(target), resume)
        try:
            with self.chunks(source, sink.position) as stream:
                sink.expected = stream.schema if function is None else None
                for chunk in stream:
                    result = chunk if function is None else stream.apply(function, chunk)
                    try:
                        sink.write(result, stream.position)
                    except (OSError, ValueError, TypeError) as error:
                        raise stream.error(error, f"could not be written to {target}") from error
        except BaseException:
            sink.abort()
            raise
        sink.close()
        return stream.position

    def dataset(self, source: Any, function: Callable[[Any], Any] | None = None) -> Any:
        """A PyTorch ``IterableDataset`` of the chunks.

        Workers of a ``DataLoader`` take turns at the chunks: each reads all and gives its share.

        Parameters
        ----------
        source : object
            As of `chunks`; one that can be read again for a second epoch.
        function : callable or None
            function(chunk) gives what the dataset yields; by default tensors of arrays and of
            DataFrames' numbers.
        """
        from mlestar.pipeline.torch_dataset import ChunkDataset

        return ChunkDataset(self, source, function)


class Stream:
    """Chunks of one source, as they are asked for; close it, or use it in a ``with``.

    Attributes
    ----------
    position : int
        Rows given so far, those before `first_row` included: where to go on.
    total : int or None
        Rows of the source, where that is known.
    chunk_rows : int
        Rows of a chunk, as the memory allows.
    schema : pyarrow.Schema or None
        The types of the source's columns, where they are known.
    """

    def __init__(self, processor: StreamProcessor, source: Source, first_row: int) -> None:
        self._processor = processor
        self._source = source
        self.position = first_row
        self.total = source.rows
        self.schema = source.schema
        self.chunk_rows = processor.chunk_rows
        self._last = first_row
        self._stopped = threading.Event()
        self._pieces = self._read(first_row)
        self._queue: queue.Queue[Any] | None = None
        self._thread: threading.Thread | None = None

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Any:
        if self._stopped.is_set():
            raise StopIteration
        try:
            chunk = self._next()
        except StopIteration:
            self.close()
            raise
        except Exception as error:
            self.close()
            place = f"rows from {self.position} on"
            raise DataError(
                f"{self._source.name}, {place}, could not be read: {_words(error)}"
            ) from error
        except BaseException:  # the end of the program: as it is
            self.close()
            raise
        self._last = self.position
        self.position += len(chunk)
        if self._processor.progress is not None:
            self._processor.progress(self.position, self.total)
        return chunk

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self._stopped.set()

    def close(self) -> None:
        """Stop reading ahead."""
        self._stopped.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE)  # a source that hangs is left to itself
        if self._queue is not None:
            while not self._queue.empty():
                self._queue.get_nowait()
        if self._thread is None:
            with suppress(ValueError):  # where it is the source itself that closes this
                self._pieces.close()

    def apply(self, function: Callable[[Any], Any], chunk: Any) -> Any:
        """function(chunk); an error of it says at which rows."""
        try:
            return function(chunk)
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise self.error(error, "could not be transformed") from error

    def error(self, error: Exception, what: str) -> DataError:
        """A DataError that says where in the source something went wrong."""
        place = f"rows {self._last} to {self.position - 1}"
        return DataError(f"{self._source.name}, {place}, {what}: {_words(error)}")

    def _read(self, first_row: int) -> Generator[Any]:
        limit = self._processor.max_bytes
        pieces = self._source.pieces
        if limit is None:
            yield from pieces(self.chunk_rows, first_row)
            return
        if self._source.again:
            for piece in pieces(min(_PROBED_ROWS, self.chunk_rows), first_row):
                self._fit(piece, limit)
                break
            for piece in pieces(self.chunk_rows, first_row):
                yield from self._fitting(piece, limit)
                self._release()
            return
        # What can be read once is cut into small chunks: it cannot be looked at before.
        self.chunk_rows = min(_PROBED_ROWS, self.chunk_rows)
        for piece in pieces(self.chunk_rows, first_row):
            yield from self._fitting(piece, limit)
            self._release()

    def _fitting(self, piece: Any, limit: int) -> Iterator[Any]:
        """Parts of a piece that fit: its rows may be wider than those before, or each other."""
        self._fit(piece, limit)
        if len(piece) <= self.chunk_rows:
            yield piece
            return
        for part in _parts(piece, self.chunk_rows):
            yield from self._fitting(part, limit)

    def _release(self) -> None:
        """What Arrow keeps for later would count against the limit."""
        if self._source.overhead:
            require("pyarrow", "run").default_memory_pool().release_unused()

    def _fit(self, piece: Any, limit: int) -> None:
        width = max(1, bytes_of(piece) // max(1, len(piece)))
        row = width * (self._processor.prefetch + _STANDING)
        least = self._source.overhead + row
        if limit < least:
            raise ValueError(
                f"max_bytes is {limit}, but must be at least {least} to hold one row and what "
                "reading takes"
            )
        self.chunk_rows = min(self.chunk_rows, (limit - self._source.overhead) // row)

    def _next(self) -> Any:
        if not self._processor.prefetch or self._source.held:
            return next(self._pieces)
        if self._thread is None:
            self._queue = queue.Queue(self._processor.prefetch)
            self._thread = threading.Thread(
                target=_fill, args=(self._pieces, self._queue, self._stopped), daemon=True
            )
            self._thread.start()
        assert self._queue is not None
        kind, value = self._queue.get()
        if kind is _END:
            raise StopIteration
        if kind is Exception:
            raise value
        return value


def _parts(piece: Any, rows: int) -> Iterator[Any]:
    """Equal parts, of so many rows at most."""
    part = piece.iloc if hasattr(piece, "iloc") else piece
    rows = -(-len(piece) // -(-len(piece) // rows))
    for start in range(0, len(piece), rows):
        yield part[start : start + rows]


def _fill(pieces: Iterator[Any], into: queue.Queue[Any], stopped: threading.Event) -> None:
    """Read ahead; hold no reference to the stream, so that one that is dropped ends this."""

    def put(item: Any) -> bool:
        while not stopped.is_set():
            try:
                into.put(item, timeout=0.05)
                return True
            except queue.Full:
                continue
        return False

    try:
        for piece in pieces:
            if not put((None, piece)):
                return
            del piece
    except BaseException as error:  # the reader waits: a SystemExit is its to end with
        put((Exception, error))
        return
    finally:
        if hasattr(pieces, "close"):
            pieces.close()
    put((_END, None))


def bytes_of(chunk: Any) -> int:
    """Bytes that an array or a table takes."""
    if hasattr(chunk, "memory_usage"):
        return int(chunk.memory_usage(deep=True).sum())
    return int(getattr(chunk, "nbytes", 0))


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
