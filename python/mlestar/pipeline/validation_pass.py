"""One pass of a validator over a table or a stream of chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlestar._lazy import require
from mlestar.exceptions import DataError
from mlestar.pipeline.columns import chance_of_equal_rows, identifier_kind, rescaled_copies
from mlestar.pipeline.findings import Finding, is_marked, raise_first, ranked
from mlestar.pipeline.hashes import (
    MISSING,
    DistinctSample,
    RowSample,
    column_hashes,
    mixed,
    row_hashes,
)
from mlestar.pipeline.leakage import alone, target_scores
from mlestar.pipeline.rules import Violations, rule_violations
from mlestar.pipeline.schema import TableSchema
from mlestar.pipeline.tables import as_frame, column_kind, numbers_of
from mlestar.pipeline.times import times_of

if TYPE_CHECKING:
    from mlestar.pipeline.validation import DataValidator

_TARGET = "\0target"  # the target's name among a sample's columns
_FEWEST_FOR_LEAKAGE = 50


class ColumnPass:
    """What has been seen of one column."""

    def __init__(self, label: Any, limit: int, keeps_values: bool) -> None:
        self.label = label
        self.kind = ""
        self.missing = 0
        self.infinite = 0
        self.first_infinite = -1
        self.first_hash: Any = None
        self.constant = True
        self.unhashable = False
        self.fingerprint = 0  # of all values in their order, whatever the chunks
        self.values = DistinctSample(limit) if keeps_values else None
        self.step: float | None = None  # between neighbouring rows, where it is always the same
        self._last: float | None = None
        self.earliest: Any = None
        self.latest: Any = None
        self.clocks: set[str] = set()  # what kinds of times there were: see `times_of`
        self.timeless = 0  # values that are no times

    def add(self, values: Any, hashed: Any, kind: str, first_row: int) -> None:
        """Values of a chunk, and their hashes."""
        self.missing += int(values.isna().sum())
        if self.first_hash is None:
            self.first_hash = hashed[0]
        self.constant = self.constant and bool((hashed == self.first_hash).all())
        rows = np.arange(first_row, first_row + len(hashed), dtype=np.uint64)
        self.fingerprint += int((hashed * mixed(rows)).sum(dtype=np.uint64))
        self.fingerprint %= 2**64
        if kind == "number" and values.dtype.kind not in "biu":
            infinite = np.flatnonzero(np.isinf(numbers_of(values)))
            if infinite.size and not self.infinite:
                self.first_infinite = first_row + int(infinite[0])
            self.infinite += int(infinite.size)
        self._follow(values, kind)
        if self.values is not None:
            known = values.notna()
            self.values.add(hashed[known.to_numpy()])

    def follow_time(self, values: Any, kind: str) -> None:
        """The first and the last time of those values that tell when a row was."""
        times, clock = times_of(values, kind)
        self.timeless += int(values.notna().sum() - times.notna().sum())
        if not times.notna().any():
            return
        self.clocks.add(clock)
        if len(self.clocks) > 1:  # not to be compared
            self.earliest = self.latest = None
            return
        low, high = times.min(), times.max()
        self.earliest = low if self.earliest is None else min(low, self.earliest)
        self.latest = high if self.latest is None else max(high, self.latest)

    def _follow(self, values: Any, kind: str) -> None:
        """Whether the values still rise by one step from row to row."""
        if self.step == 0:
            return
        if values.dtype.kind not in "iuf" or kind != "number":
            self.step = 0
            return
        numbers = numbers_of(values)
        with np.errstate(over="ignore", invalid="ignore"):
            steps = np.diff(numbers, prepend=[] if self._last is None else [self._last])
        self._last = float(numbers[-1])
        if steps.size:
            first = float(steps[0]) if self.step is None else self.step
            self.step = first if first > 0 and (steps == first).all() else 0


def no_times(name: str, seen: ColumnPass, table: str) -> Finding:
    """The finding that a column named as time holds what is none, or times of several kinds."""
    if len(seen.clocks) > 1:
        words = f"is named as time, but holds {' and '.join(sorted(seen.clocks))}"
    else:
        words = f"is named as time, but {seen.timeless} of its values are no times"
    return Finding(
        "warning", name, words + table, "type", {"count": seen.timeless},
        "make dates of one kind of it",
    )  # fmt: skip


class ValidationPass:
    """What a `DataValidator` has seen of a stream so far; `DataValidator.start` makes one.

    Attributes
    ----------
    rows : int
        Rows seen.
    names : list of str
        The columns' names.
    """

    def __init__(self, validator: DataValidator) -> None:
        self._validator = validator
        schema = validator.schema
        self._rules = {c.name: c for c in schema.columns} if isinstance(schema, TableSchema) else {}
        self.rows = 0
        self.names: list[str] = []
        self.columns: dict[str, ColumnPass] = {}
        self.hashes = DistinctSample(validator.max_hashes)
        self.sample = RowSample(validator.sample_rows)
        self._violations = Violations()
        self._structure: list[Finding] = []
        self._target_rows = 0
        self._target_missing = 0
        self._chunks = 0

    def column(self, name: str | None) -> ColumnPass | None:
        """What has been seen of a column; None where there is none of that name."""
        return None if name is None else self.columns.get(name)

    def update(self, chunk: Any, y: Any = None) -> None:
        """See more rows.

        Parameters
        ----------
        chunk : table or array of shape (n_rows, n_columns)
        y : array-like of shape (n_rows,), default=None
            Their targets.

        Raises
        ------
        DataError
            For a value in these rows that breaks the schema, where the user calls that an error;
            or if the columns are not those of the chunks before.
        """
        self._update(as_frame(chunk), y, raising=True)

    def findings(self) -> list[Finding]:
        """Everything found so far, errors first."""
        return ranked(self._findings(), self._validator.errors)

    def check(self) -> list[Finding]:
        """As `findings`, but the first error is raised as a `DataError`."""
        findings = self.findings()
        raise_first(findings)
        return findings

    # Seeing ---------------------------------------------------------------------------------------

    def _update(self, table: Any, y: Any, raising: bool) -> None:
        names = [str(name) for name in table.columns]
        if not self._chunks:
            self._open(table, names)
        elif names != self.names:
            raise DataError(
                f"rows from {self.rows} on have columns {names}, but must have {self.names}, "
                "as those before"
            )
        self._chunks += 1
        rows = len(table)
        if y is not None:
            y = self._read_target(y, rows)
        if not rows:
            return
        hashed = [self._see(name, table.iloc[:, place]) for place, name in enumerate(names)]
        whole = [h for h in hashed if h is not None]
        if whole and len(whole) == len(hashed):
            self.hashes.add(row_hashes(whole))
        if not isinstance(self._validator.schema, TableSchema) and self._validator.schema:
            self._violations.pandera(self._validator.schema, table, self.rows)
        if len(set(names)) == len(names):
            kept = table.set_axis(names, axis=1)
            self.sample.add(kept if y is None else kept.assign(**{_TARGET: y}), self.rows)
        self.rows += rows
        if raising:
            self._raise_marked()

    def _raise_marked(self) -> None:
        errors = self._validator.errors
        if errors:
            marked = [f for f in self._violations.findings() if is_marked(f, errors)]
            raise_first(ranked(marked, errors))

    def _open(self, table: Any, names: list[str]) -> None:
        self.names = names
        validator = self._validator
        wanted = [*validator.required, *(n for n in self._rules if n not in validator.required)]
        self._structure += [
            Finding("warning", name, "is not in the table", "columns", {}, "give the column")
            for name in wanted
            if name not in names
        ]
        self._structure += [
            Finding(
                "warning", role, f"is named as {part}, but is not in the table", "columns", {},
                "give the column, or name the one that there is",
            )
            for part, role in (("time", validator.time), ("groups", validator.groups))
            if role is not None and role not in names and role not in wanted
        ]  # fmt: skip
        self._structure += [
            Finding(
                "note", name, "is not in the schema", "columns", {}, "drop it, or widen the schema"
            )
            for name in names
            if self._rules and name not in self._rules
        ]
        twice = sorted({name for name in names if names.count(name) > 1})
        self._structure += [
            Finding("warning", n, "is the name of more than one column", "names", {}, "rename one")
            for n in twice
        ]
        if not names:
            self._structure.append(
                Finding("warning", "", "the table has no columns to learn from", "columns")
            )
        roles = {validator.time, validator.groups}
        for label, name in zip(table.columns, names, strict=True):
            rule = self._rules.get(name)
            keeps = name in roles or (rule is not None and rule.unique)
            self.columns[name] = ColumnPass(str(label), validator.max_hashes, keeps)

    def _see(self, name: str, values: Any) -> Any:
        """Look at a column of a chunk; its hashes, None where it has none."""
        seen = self.columns[name]
        if values.dtype == np.float16:  # which pandas has no sets of
            values = values.astype(np.float32)
        kind = column_kind(values)
        if kind == "objects":
            seen.unhashable = True
            return None
        if name == self._validator.time:
            seen.follow_time(values, kind)
        if kind == "mixed":
            hashed = self._mixed_hashes(values)
        elif kind == "number" and values.dtype == object:
            hashed = column_hashes(self._numbers(values))
        elif kind == "":
            hashed = np.full(len(values), MISSING)
        else:
            hashed = column_hashes(values)
        seen.add(values, hashed, kind, self.rows)
        rule = self._rules.get(name)
        if rule is not None and name in (self._validator.time, self._validator.groups):
            rule = replace(rule, minimum=None, maximum=None, closed=False)  # new ones always come
        rule_violations(self._violations, rule, name, values, kind, self.rows)
        if rule is None and kind and seen.kind and kind != seen.kind:
            self._violations.add(
                "type", name, f"holds {kind} values, where it held {seen.kind} values before",
                1, self.rows, None, "give every chunk the same types",
            )  # fmt: skip
        seen.kind = seen.kind or kind
        return hashed

    @staticmethod
    def _numbers(values: Any) -> Any:
        """Objects that are numbers, as a Series of numbers; whole ones stay whole."""
        pandas = require("pandas", "run")
        if pandas.api.types.infer_dtype(values, skipna=True) == "integer":
            try:
                return values.astype("Int64")
            except (OverflowError, TypeError, ValueError):
                pass  # beyond 64 bits
        return pandas.Series(numbers_of(values))

    @staticmethod
    def _mixed_hashes(values: Any) -> Any:
        """Numbers hashed as numbers and texts as texts: a stray text changes its own row only."""
        texts = values.map(lambda v: isinstance(v, str)).to_numpy(dtype=bool)
        hashed = column_hashes(values.map(str, na_action="ignore"))
        numbers = require("pandas", "run").Series(numbers_of(values.where(~texts)))
        return np.where(texts, hashed, column_hashes(numbers))

    def _read_target(self, y: Any, rows: int) -> Any:
        pandas = require("pandas", "run")
        given = y if hasattr(y, "dtype") else np.asarray(y)
        if len(given.shape) != 1:
            raise ValueError(
                f"y has shape {tuple(given.shape)}, but must have one axis, a value for each row"
            )
        values = pandas.Series(given)
        values = values.reset_index(drop=True)
        self._target_rows += len(values)
        if len(values) != rows:
            self._structure.append(
                Finding("warning", "", f"the target has {len(values)} values for {rows} rows",
                        "target")
            )  # fmt: skip
            return None
        if column_kind(values) == "objects":
            words = "the target holds lists or objects, not values"
            self._structure.append(Finding("warning", "", words, "target"))
            return None
        self._target_missing += int(values.isna().sum())
        return values.to_numpy()

    # Finding --------------------------------------------------------------------------------------

    def _findings(self) -> Iterator[Finding]:
        validator = self._validator
        yield from self._structure
        if self.rows < validator.min_rows:
            yield Finding(
                "warning", "", f"the table has {self.rows} rows, but needs {validator.min_rows}",
                "rows", {"rows": self.rows}, "gather more rows",
            )  # fmt: skip
        yield from self._violations.findings()
        yield from self._unique()
        sample = self.sample.table()
        told = [name for name in self.names if name in sample.columns]
        yield from self._columns(sample)
        yield from self._copies(sample[told] if told else sample)
        yield from self._rows(sample[told] if told else sample)
        yield from self._target(sample)

    def _unique(self) -> Iterator[Finding]:
        for name, rule in self._rules.items():
            seen = self.columns.get(name)
            if rule.unique and seen is not None and seen.values is not None:
                repeats = seen.values.repeats()
                if repeats:
                    yield Finding(
                        "warning", name, f"has {repeats} values that occurred before", "unique",
                        {"repeats": repeats, "exact": seen.values.exact},
                        "find where rows were doubled, or allow it in the schema",
                    )  # fmt: skip

    def _columns(self, sample: Any) -> Iterator[Finding]:
        roles = {self._validator.time, self._validator.groups}
        for name, seen in self.columns.items():
            if seen.unhashable:
                yield Finding(
                    "warning", name, "holds lists or objects, not values", "objects", {},
                    "make columns of numbers or texts of it, or drop it",
                )  # fmt: skip
                continue
            if seen.timeless or len(seen.clocks) > 1:
                yield no_times(name, seen, "")
            if self.rows and seen.missing == self.rows:
                yield Finding("warning", name, "holds no value at all", "empty", {}, "drop it")
                continue
            if seen.missing:
                evidence = {"missing": seen.missing, "share": seen.missing / self.rows}
                words = f"lacks {seen.missing} of {self.rows} values"
                yield Finding("note", name, words, "missing", evidence, "impute them")
            if seen.infinite:
                yield Finding(
                    "warning", name,
                    f"has {seen.infinite} infinite values; the first in row {seen.first_infinite}",
                    "infinite", {"count": seen.infinite, "first_row": seen.first_infinite},
                    "make them missing, or mend what computed them",
                )  # fmt: skip
            if seen.constant and self.rows > 1:
                yield Finding("warning", name, "holds one value only", "constant", {}, "drop it")
            elif name in sample.columns and name not in roles:
                yield from self._identifier(name, sample)

    def _identifier(self, name: str, sample: Any) -> Iterator[Finding]:
        words = identifier_kind(sample[name])
        if words and self.columns[name].step:
            words = f"a row number that rises by {self.columns[name].step:g}"
        if words:
            yield Finding(
                "warning", name, f"names its rows: {words}; it predicts nothing in new ones",
                "identifier", {"rows": len(sample)},
                "drop it; name it as time or groups where it tells these",
            )  # fmt: skip

    def _copies(self, sample: Any) -> Iterator[Finding]:
        first: dict[tuple[Any, Any], str] = {}
        copied = set()
        mend = "drop one of the two"
        for name, seen in self.columns.items():
            if seen.unhashable or seen.constant:
                continue
            original = first.setdefault((seen.fingerprint, seen.first_hash), name)
            if original != name:
                copied.add(name)
                words = f"holds the same values as {original}"
                evidence = {"copy_of": original}
                yield Finding("warning", name, words, "duplicate_column", evidence, mend)
        kept = [n for n in self.names if n in sample.columns and n not in copied]
        for one, two, scale, shift in rescaled_copies(sample[kept], kept):
            if identifier_kind(sample[one]) and identifier_kind(sample[two]):
                continue  # said already
            yield Finding(
                "warning", two, f"is {one} times {scale:.6g}, plus {shift:.6g}",
                "duplicate_column", {"copy_of": one, "scale": scale, "shift": shift}, mend,
            )  # fmt: skip

    def _rows(self, sample: Any) -> Iterator[Finding]:
        repeats = self.hashes.repeats()
        if not repeats:
            return
        expected = 0.5 * self.rows * self.rows * chance_of_equal_rows(sample, sample)
        evidence = {
            "rows": repeats, "share": repeats / self.rows, "expected": expected,
            "exact": self.hashes.exact,
        }  # fmt: skip
        words = f"{repeats} rows occur before in the table"
        severity = "warning" if repeats > 3 * expected + 1 else "note"
        mend = "drop them, or keep equal rows in one fold"
        yield Finding(severity, "", words, "duplicate_rows", evidence, mend)

    def _target(self, sample: Any) -> Iterator[Finding]:
        if not self._target_rows or _TARGET not in sample.columns:
            return
        target = sample[_TARGET]
        if self._target_missing:
            yield Finding(
                "warning", "", f"the target lacks {self._target_missing} of {self.rows} values",
                "target", {"missing": self._target_missing}, "drop these rows",
            )  # fmt: skip
        if target.nunique() < 2:
            words = "the target is constant; there is nothing to predict"
            yield Finding("warning", "", words, "target")
            return
        known = target.notna().to_numpy()
        kind, outputs = target_scores(target[known])
        if not kind or known.sum() < _FEWEST_FOR_LEAKAGE:
            return
        measure = "R2 of ranks" if kind == "values" else "Youden's J"
        for name in self.names:
            if name == self._validator.groups or self.columns[name].unhashable:
                continue
            score = alone(sample[name][known], kind, outputs)
            if score >= self._validator.leakage:
                yield Finding(
                    "warning", name, f"alone tells the target ({measure} {score:.3f})", "leakage",
                    {"score": score, "measure": measure, "rows": int(known.sum())},
                    "drop it, unless it is known before the target is",
                )  # fmt: skip
