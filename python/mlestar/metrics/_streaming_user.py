"""A user's compiled metric of rows that come in batches."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Mapping
from threading import RLock
from typing import Any

import numpy as np

from mlestar.metrics._labels import as_integer
from mlestar.metrics._streaming_base import Metric
from mlestar.metrics.user import CompiledMetric

_Batch = tuple[Any, Any, Any]  # truth, answer, weight or None
_CHUNK = 1 << 15  # rows moved at once between files
_LEAST = 1 << 12  # bytes


class _Column:
    """Numbers that are appended to a file and read where it is mapped.

    The file has no name, so nobody else can open it and the system frees it when the last of its
    users goes, or the process ends, however it ends.
    """

    def __init__(self, folder: str | None) -> None:
        self._folder = folder
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._size = 0

    def append(self, values: Any) -> None:
        """All of the values, or an OSError and none of them."""
        data = memoryview(values.tobytes())
        at = 8 * self._size
        while data.nbytes:
            try:
                done = os.pwrite(self._file.fileno(), data, at)
            except OSError as error:
                where = self._folder or tempfile.gettempdir()
                words = f"cannot write a temporary file in '{where}': {error.strerror}"
                raise OSError(error.errno, words) from None
            at, data = at + done, data[done:]
        self._size = at // 8

    def cut(self, size: int) -> None:
        """Only the first numbers."""
        self._size = size

    def read(self) -> Any:
        """All of them; the system keeps in memory what it has room for."""
        if not self._size:
            return np.empty(0)
        mapped = np.memmap(self._file, dtype=np.float64, mode="c", shape=(self._size,))
        return np.asarray(mapped)


class _Spilled:
    """Rows in files."""

    def __init__(self, folder: str | None) -> None:
        self._folder = folder
        self._columns = [_Column(folder), _Column(folder)]
        self._owner = os.getpid()
        self.rows = 0

    @property
    def weighted(self) -> bool:
        return len(self._columns) == 3

    def append(self, batch: _Batch) -> None:
        """The rows of a batch; where that fails, none of them."""
        truth, answer, weight = batch
        self._own()
        try:
            if weight is not None and not self.weighted:
                ones = _Column(self._folder)
                for at in range(0, self.rows, _CHUNK):
                    ones.append(np.ones(min(_CHUNK, self.rows - at)))
                self._columns.append(ones)
            if self.weighted and weight is None:
                weight = np.ones(len(truth))
            for column, values in zip(self._columns, (truth, answer, weight), strict=False):
                column.append(values)
        except OSError:
            self.cut(self.rows)
            raise
        self.rows += len(truth)

    def cut(self, rows: int) -> None:
        """Only the first rows."""
        for column in self._columns:
            column.cut(rows)
        self.rows = rows

    def _own(self) -> None:
        """A forked process writes to files of its own: both would append at one place."""
        if self._owner == os.getpid():
            return
        copies = [_Column(self._folder) for _ in self._columns]
        for copy, column in zip(copies, self._columns, strict=True):
            copy.append(column.read())
        self._columns, self._owner = copies, os.getpid()

    def read(self) -> _Batch:
        truth, answer, *weight = (column.read() for column in self._columns)
        return truth, answer, weight[0] if weight else None


class _Rows:
    """All rows so far, in the order in which they came."""

    def __init__(
        self, metric: CompiledMetric, memory_limit: int | None, folder: str | None
    ) -> None:
        self._metric = metric
        self._memory_limit = memory_limit
        self._folder = folder
        self._lock = RLock()
        # In this order; those in memory came after those on disk.
        self._spilled: _Spilled | None = None
        self._batches: list[_Batch] = []
        self.bytes_in_memory = 0

    def _read(self, y_true: Any, y_pred: Any, sample_weight: Any) -> _Batch:
        rows = self._metric._checked(y_true, y_pred, sample_weight)
        truth, answer, weight = (None if a is None else np.array(a) for a in rows)
        return truth, answer, weight

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any) -> None:
        self._append(self._read(y_true, y_pred, sample_weight))

    def _append(self, batch: _Batch) -> None:
        size = sum(part.nbytes for part in batch if part is not None)
        with self._lock:
            if self._memory_limit is not None and self.bytes_in_memory + size > self._memory_limit:
                self._spill()
                if size > self._memory_limit:
                    self._on_disk().append(batch)
                    return
            self._batches.append(batch)
            self.bytes_in_memory += size

    def _on_disk(self) -> _Spilled:
        if self._spilled is None:
            self._spilled = _Spilled(self._folder)
        return self._spilled

    def _spill(self) -> None:
        """Batches go to disk one by one: those that are there are no longer here."""
        while self._batches:
            batch = self._batches[0]
            self._on_disk().append(batch)
            del self._batches[0]
            self.bytes_in_memory -= sum(part.nbytes for part in batch if part is not None)

    def prepare(self, y_true: Any, y_pred: Any, sample_weight: Any) -> _Rows:
        one = _Rows(self._metric, self._memory_limit, self._folder)
        one.update(y_true, y_pred, sample_weight)
        return one

    def merge(self, other: _Rows) -> None:
        with other._lock:
            spilled = None if other._spilled is None else other._spilled.read()
            batches = list(other._batches)
        with self._lock:
            before = self.rows
            try:
                if spilled is not None:  # in pieces, so that little of it is in memory
                    for at in range(0, len(spilled[0]), _CHUNK):
                        truth, answer, weight = (
                            None if part is None else np.array(part[at : at + _CHUNK])
                            for part in spilled
                        )
                        self._append((truth, answer, weight))
                for batch in batches:
                    self._append(batch)
            except OSError:
                self._forget_after(before)
                raise

    def _forget_after(self, rows: int) -> None:
        """Keep the first rows; a batch is kept or not as a whole."""
        while self._batches and self.rows > rows:
            gone = self._batches.pop()
            self.bytes_in_memory -= sum(part.nbytes for part in gone if part is not None)
        if self._spilled is not None and self.rows > rows:
            self._spilled.cut(rows)

    def reset(self) -> None:
        with self._lock:
            self._batches, self._spilled, self.bytes_in_memory = [], None, 0

    @property
    def rows(self) -> int:
        with self._lock:
            spilled = 0 if self._spilled is None else self._spilled.rows
            return spilled + sum(len(truth) for truth, _, _ in self._batches)

    def whole(self) -> _Batch:
        """The rows as one batch; rows that came without weights weigh one."""
        with self._lock:
            if self._spilled is not None:
                self._spill()
                return self._on_disk().read()
            batches = list(self._batches)
        empty = np.empty(0)
        truth = np.concatenate([empty, *(batch[0] for batch in batches)])
        answer = np.concatenate([empty, *(batch[1] for batch in batches)])
        if all(batch[2] is None for batch in batches):
            return truth, answer, None
        weights = [np.ones(len(b[0])) if b[2] is None else b[2] for b in batches]
        return truth, answer, np.concatenate([empty, *weights])

    def state(self) -> tuple[Any, Any]:
        parts = [part for part in self.whole() if part is not None]
        return np.array([len(parts[0]), len(parts) - 2], dtype=np.int64), np.concatenate(parts)

    def load(self, integers: Any, reals: Any) -> None:
        integers, reals = np.asarray(integers), np.array(reals, dtype=np.float64)
        columns = 2 + int(integers[1]) if integers.shape == (2,) else 0
        if columns not in (2, 3) or integers[0] < 0 or reals.shape != (columns * integers[0],):
            raise ValueError("state is damaged: its arrays are not of the rows that it says")
        loaded = _Rows(self._metric, self._memory_limit, self._folder)
        if integers[0]:
            parts = [*np.split(reals, columns), None]
            loaded.update(*parts[:3])
        with self._lock:
            self._batches, self._spilled = loaded._batches, loaded._spilled
            self.bytes_in_memory = loaded.bytes_in_memory


class UserMetric(Metric):
    """A user's own metric, made by `mlestar.metrics.metric`.

    Nothing is known of it that could be summed, so all rows are kept (16 bytes a row, 24 with
    weights) and the metric is called at `compute`, on the rows in the order in which they came;
    those of a merged metric follow. What depends on the order, if only in rounding, depends on it
    here. Above `memory_limit` rows are written to disk, and `compute` maps what was written: the
    metric reads the files through as much memory as the system has to spare.

    Parameters
    ----------
    metric : CompiledMetric
    memory_limit : int, default=None
        Bytes that rows may take, at least 4 096. None: no limit.
    spill_dir : path, default=None
        Where to write; by default the system's folder of temporary files. The files have no name:
        nobody else can open them, and the system frees them when the metric is reset or goes, or
        the process ends, however it ends.

    Raises
    ------
    TypeError
        If `metric` is none.
    OSError
        From `update`, where the disk is full or the folder cannot be written; the metric has the
        rows that it had.

    Notes
    -----
    States hold the metric by the name that it is imported by. Rows that came without weights weigh
    one where others have weights.

    Examples
    --------
    >>> from mlestar.metrics import metric
    >>> from mlestar.metrics.streaming import UserMetric
    >>> @metric(greater_is_better=False)
    ... def highest(y_true, y_pred):
    ...     return (y_pred - y_true).max()
    >>> streamed = UserMetric(highest)
    >>> streamed.update([1, 2, 3], [1, 2, 5])
    >>> streamed.update([4], [4.5])
    >>> streamed.compute()
    2.0
    """

    def __init__(
        self,
        metric: CompiledMetric,
        *,
        memory_limit: int | None = None,
        spill_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        if not isinstance(metric, CompiledMetric):
            raise TypeError(
                f"metric is {metric!r}, but must be a function decorated by mlestar.metrics.metric"
            )
        limit = None if memory_limit is None else as_integer(memory_limit)
        if memory_limit is not None and (limit is None or limit < _LEAST):
            raise ValueError(
                f"memory_limit is {memory_limit!r}, but must be None or at least {_LEAST} bytes"
            )
        self._metric = metric
        self._memory_limit = limit
        self._spill_dir = None if spill_dir is None else os.fspath(spill_dir)
        super().__init__()

    def _make(self) -> _Rows:
        return _Rows(self._metric, self._memory_limit, self._spill_dir)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {
            "metric": self._metric,
            "memory_limit": self._memory_limit,
            "spill_dir": self._spill_dir,
        }

    @property
    def bytes_in_memory(self) -> int:
        """Bytes that the rows take now; the rest is on disk."""
        held: int = self._core.bytes_in_memory
        return held

    def _result(self) -> float:
        return self._metric._on_rows(*self._core.whole())

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "parameters": self._by_name()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if state.get("parameters") == self._by_name():
            state = {**state, "parameters": self._parameters}
        super().load_state_dict(state)

    def _by_name(self) -> dict[str, Any]:
        return {**self._parameters, "metric": f"{self._metric.__module__}:{self._metric._qualname}"}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.state_dict(), "parameters": self._parameters}
