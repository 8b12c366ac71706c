"""Where streams go: files that are whole whatever happens."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from mlestar._lazy import require
from mlestar.pipeline.tables import as_frame, numbers_matrix

_POSITION = b"mlestar.position"


class Sink(ABC):
    """Takes chunks.

    Attributes
    ----------
    position : int
        The row of the source to begin with.
    expected : pyarrow.Schema or None
        Of a source that is written as it is.
    """

    position = 0
    expected: Any = None

    @abstractmethod
    def write(self, chunk: Any, position: int) -> None:
        """A chunk, and the row of the source after it."""

    def close(self) -> None:
        """All is written."""

    def abort(self) -> None:
        """Something failed: what is written stays readable."""


def open_sink(target: Path, resume: bool) -> Sink:
    """The sink for a target, by its name.

    Raises
    ------
    ValueError
        If it is neither a .parquet or .npy file nor a folder, or cannot be resumed.
    """
    if target.suffix in ("", ".parts") or target.is_dir():
        return _Folder(target, resume)
    if resume:
        raise ValueError(f"resume is True, but target is {str(target)!r}: only a folder goes on")
    if not target.parent.is_dir():
        raise ValueError(f"target is {str(target)!r}, but {str(target.parent)!r} is no folder")
    if target.suffix == ".parquet":
        return _Parquet(target)
    if target.suffix == ".npy":
        return _Memmap(target)
    raise ValueError(f"target is {str(target)!r}, but must be a folder, a .parquet or a .npy file")


def _arrow_table(chunk: Any) -> Any:
    return require("pyarrow", "run").Table.from_pandas(as_frame(chunk), preserve_index=False)


def _first(table: Any, expected: Any) -> Any:
    """The schema of what follows a first chunk, which may hold only missing values of a column."""
    arrow = require("pyarrow", "run")
    schema = table.schema.remove_metadata()
    for place, field in enumerate(schema):
        vague = arrow.types.is_null(field.type) or arrow.types.is_decimal(field.type)
        known = -1 if expected is None else expected.get_field_index(field.name)
        if vague and known >= 0:
            schema = schema.set(place, arrow.field(field.name, expected.field(known).type))
    return schema


def _as_before(table: Any, schema: Any) -> Any:
    """A table with the types of those before it, where that loses nothing.

    Raises
    ------
    ValueError
        If columns are others, or hold something else.
    """
    if table.schema.remove_metadata() == schema:
        return table
    arrow = require("pyarrow", "run")
    if table.schema.names == schema.names and all(
        _alike(now.type, before.type) for now, before in zip(table.schema, schema, strict=True)
    ):
        try:
            return table.cast(schema.with_metadata(table.schema.metadata))
        except arrow.ArrowException:  # a number that does not fit
            pass
    raise ValueError(_changed(schema, table.schema))


def _alike(now: Any, before: Any) -> bool:
    """Whether a type may stand for another: a chunk of missing values shows less than others."""
    types = require("pyarrow", "run").types

    def is_number(kind: Any) -> bool:
        return bool(types.is_integer(kind) or types.is_floating(kind))

    def is_text(kind: Any) -> bool:
        return bool(types.is_string(kind) or types.is_large_string(kind))

    def same(test: Any) -> bool:
        return bool(test(now) and test(before))

    if same(types.is_floating) and now.bit_width > before.bit_width:
        return False  # a cast would round
    kinds = is_number, is_text, types.is_decimal
    return now == before or types.is_null(now) or any(map(same, kinds))


class _Parquet(Sink):
    def __init__(self, target: Path) -> None:
        self._target = target
        self._partial = target.with_name(target.name + ".partial")
        self._writer: Any = None

    def write(self, chunk: Any, position: int) -> None:
        table = _arrow_table(chunk)
        if self._writer is None:
            parquet = require("pyarrow.parquet", "run")
            schema = _first(table, self.expected).with_metadata(table.schema.metadata)
            self._writer = parquet.ParquetWriter(self._partial, schema)
        before = self._writer.schema.remove_metadata()
        self._writer.write_table(_as_before(table, before))

    def close(self) -> None:
        if self._writer is None:
            raise ValueError(f"nothing was written to {self._target}: the source has no rows")
        self._writer.close()
        os.replace(self._partial, self._target)

    def abort(self) -> None:
        if self._writer is None:
            return
        arrow = require("pyarrow", "run")
        try:
            self._writer.close()
            require("pyarrow.parquet", "run").read_metadata(self._partial)
        except (OSError, arrow.ArrowException):
            # No room for the list of what is in the file, without which it cannot be read.
            self._partial.unlink(missing_ok=True)


def _changed(before: Any, now: Any) -> str:
    wrong = [
        f"column {field.name!r} is {now.field(field.name).type}, but was {field.type}"
        for field in before
        if field.name in now.names and now.field(field.name).type != field.type
    ]
    return "; ".join(wrong) or f"the columns are {now.names}, but were {before.names}"


class _Folder(Sink):
    """Parquet files, one a chunk, each whole; the last one says how far the source was read."""

    def __init__(self, target: Path, resume: bool) -> None:
        self._target = target
        target.mkdir(parents=True, exist_ok=True)
        parts = target.glob("part-*.parquet")
        files = sorted(parts, key=lambda path: (_number(path), path.name))
        if files and not resume:
            raise ValueError(f"target is {str(target)!r}, which holds parts: resume, or empty it")
        # Not their number: an earlier one may be gone, and the last would be written over.
        self._count = _number(files[-1]) + 1 if files else 0
        self._schema: Any = None
        if files:
            schema = require("pyarrow.parquet", "run").read_schema(files[-1])
            self.position = int((schema.metadata or {}).get(_POSITION, b"0"))
            self._schema = schema.remove_metadata()

    def write(self, chunk: Any, position: int) -> None:
        table = _arrow_table(chunk)
        if self._schema is None:
            self._schema = _first(table, self.expected)
        table = _as_before(table, self._schema)
        about = {**(table.schema.metadata or {}), _POSITION: str(position).encode()}
        path = self._target / f"part-{self._count:06d}.parquet"
        part = path.with_suffix(".part")
        try:
            parquet = require("pyarrow.parquet", "run")
            parquet.write_table(table.replace_schema_metadata(about), part)
            os.replace(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        self._count += 1


def _number(part: Path) -> int:
    """Of a file of a folder; -1 for one that is not ours."""
    found = re.fullmatch(r"part-(\d+)\.parquet", part.name)
    return int(found[1]) if found else -1


class _Memmap(Sink):
    """A .npy file that grows; its header is written again when the number of rows is known."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._partial = target.with_name(target.name + ".partial")
        self._file: BinaryIO | None = None
        self._rows = 0
        self._shape: tuple[int, ...] = ()
        self._dtype: Any = None

    def write(self, chunk: Any, position: int) -> None:
        array = np.ascontiguousarray(numbers_matrix(chunk) if hasattr(chunk, "iloc") else chunk)
        if array.dtype.hasobject:
            raise ValueError(f"the chunk holds {array.dtype}, but a memmap must hold numbers")
        if self._file is None:
            self._shape, self._dtype = array.shape[1:], array.dtype
            self._file = open(self._partial, "w+b")  # noqa: SIM115 - open until the stream ends
            self._header()
        if array.shape[1:] != self._shape or array.dtype != self._dtype:
            raise ValueError(
                f"the chunk has rows of {array.dtype}{array.shape[1:]}, but must have "
                f"{self._dtype}{self._shape}, as those before"
            )
        place = self._file.tell()
        try:
            self._file.write(array.reshape(-1).view(np.uint8).data)
        except OSError:
            self._file.seek(place)
            self._file.truncate()
            raise
        self._rows += len(array)

    def _header(self) -> None:
        assert self._file is not None
        self._file.seek(0)
        # NumPy leaves room for the number of rows to grow.
        np.lib.format.write_array_header_1_0(
            self._file,
            {
                "descr": np.lib.format.dtype_to_descr(self._dtype),
                "fortran_order": False,
                "shape": (self._rows, *self._shape),
            },
        )

    def close(self) -> None:
        if self._file is None:
            raise ValueError(f"nothing was written to {self._target}: the source has no rows")
        self.abort()
        os.replace(self._partial, self._target)

    def abort(self) -> None:
        if self._file is not None:
            self._header()
            self._file.close()
