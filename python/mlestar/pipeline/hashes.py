"""Rows by their hashes, and samples of them that do not depend on how rows came in batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlestar._lazy import require

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MISSING = np.uint64(0x5851F42D4C957F2D)
"""The hash of a missing value, whatever its column holds."""
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)

_EXACT_BELOW = 2.0**53  # whole numbers that are all float64 too


def mixed(values: Any) -> Any:
    """splitmix64 of each: every bit of the result depends on every bit given."""
    values = values + _GOLDEN
    values = (values ^ (values >> np.uint64(30))) * _FIRST
    values = (values ^ (values >> np.uint64(27))) * _SECOND
    return values ^ (values >> np.uint64(31))


def column_hashes(values: Any) -> Any:
    """A 64-bit hash for each value of a Series; equal numbers are equal whatever their type.

    Raises
    ------
    TypeError
        If it holds lists or other things without a hash.
    """
    pandas = require("pandas", "run")
    types = pandas.api.types
    if types.is_bool_dtype(values.dtype) or types.is_numeric_dtype(values.dtype):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0  # -0.0 is 0.0
        hashed = mixed(numbers.view(np.uint64))
        if values.dtype.kind in "iu" and (np.abs(numbers) >= _EXACT_BELOW).any():
            hashed = _whole_hashes(values, numbers, hashed)
        return np.where(np.isnan(numbers), MISSING, hashed)
    if types.is_datetime64_any_dtype(values.dtype):
        if getattr(values.dt, "tz", None) is not None:
            values = values.dt.tz_convert("UTC").dt.tz_localize(None)
        hashed = mixed(values.to_numpy().astype("datetime64[ns]").view(np.uint64))
    else:
        hashed = pandas.util.hash_pandas_object(values, index=False).to_numpy(copy=False)
    return np.where(values.isna().to_numpy(), MISSING, hashed)


def _whole_hashes(values: Any, numbers: Any, hashed: Any) -> Any:
    """Hashes of whole numbers; neighbours that are one float64 differ by their own bits.

    A number that a float64 holds keeps its hash as one, so that it is equal whatever its type.
    """
    kind = np.dtype(np.uint64 if values.dtype.kind == "u" else np.int64)
    plain = isinstance(values.dtype, np.dtype)
    whole = values.to_numpy(dtype=kind) if plain else values.to_numpy(dtype=kind, na_value=0)
    with np.errstate(invalid="ignore"):  # the largest are beyond the type as floats
        held = (numbers <= np.nextafter(float(np.iinfo(kind).max), 0)) & (
            numbers.astype(kind) == whole
        )
    return np.where(held, hashed, mixed(whole.view(np.uint64) ^ _SECOND))


def row_hashes(columns: list[Any]) -> Any:
    """A 64-bit hash for each row from those of its columns, in order."""
    total = np.zeros(len(columns[0]) if columns else 0, dtype=np.uint64)
    for hashed in columns:
        total = mixed(total * _FIRST + hashed)
    return total


class DistinctSample:
    """How many of many hashes are new, in bounded memory.

    Keeps the hashes that end in a number of zero bits, one more whenever there are too many; all
    equal ones are kept or dropped together, so that the share of repeats stays unbiased (Gibbons,
    "Distinct sampling for highly-accurate answers", 2001). Exact up to `limit` hashes.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.level = 0
        self.total = 0
        self._parts: list[Any] = []
        self._held = 0

    def add(self, hashes: Any) -> None:
        """Count more."""
        self.total += len(hashes)
        kept = self._at(hashes, self.level)
        self._parts.append(kept)
        self._held += len(kept)
        while self._held > self.limit:
            self.level += 1
            self._parts = [self._at(np.concatenate(self._parts), self.level)]
            self._held = len(self._parts[0])

    @staticmethod
    def _at(hashes: Any, level: int) -> Any:
        if not level:
            return hashes
        mask = np.uint64((1 << level) - 1)
        return hashes[(mixed(hashes) & mask) == 0]

    def kept(self, level: int = 0) -> Any:
        """The hashes held, of a level at least."""
        held = np.concatenate(self._parts) if self._parts else np.zeros(0, np.uint64)
        return self._at(held, level) if level > self.level else held

    @property
    def exact(self) -> bool:
        """Whether every hash is held."""
        return self.level == 0

    def repeats(self) -> int:
        """How many occurred before; an estimate where not all are held."""
        held = np.sort(self.kept())
        return int((held[1:] == held[:-1]).sum()) << self.level

    def shared(self, other: DistinctSample) -> int:
        """How many of `other`'s occur here."""
        level = max(self.level, other.level)
        theirs = other.kept(level)
        return int(np.isin(theirs, self.kept(level)).sum()) << level


class RowSample:
    """A sample of a stream's rows: those with the smallest hashes of their row numbers.

    The same rows whatever the batches; all rows, in order, up to `limit`.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._tables: list[Any] = []
        self._ranks: list[Any] = []
        self._bound = np.uint64(2**64 - 1)
        self._held = 0

    def add(self, table: Any, first_row: int) -> None:
        """Rows of a DataFrame, the first of which is number `first_row` of the stream."""
        ranks = mixed(np.arange(first_row, first_row + len(table), dtype=np.uint64))
        kept = ranks <= self._bound
        self._tables.append(table if kept.all() else table[kept])
        self._ranks.append(ranks[kept])
        self._held += int(kept.sum())
        if self._held > 2 * self.limit:
            self._shrink()

    def _shrink(self) -> None:
        pandas = require("pandas", "run")
        ranks = np.concatenate(self._ranks)
        table = pandas.concat(self._tables, ignore_index=True)
        if len(ranks) > self.limit:
            self._bound = np.partition(ranks, self.limit - 1)[self.limit - 1]
            kept = ranks <= self._bound
            ranks, table = ranks[kept], table[kept]
        self._tables, self._ranks, self._held = [table], [ranks], len(ranks)

    def table(self) -> Any:
        """The sample as a DataFrame, in the order of the stream."""
        if not self._tables:
            return require("pandas", "run").DataFrame()
        self._shrink()
        return self._tables[0]
