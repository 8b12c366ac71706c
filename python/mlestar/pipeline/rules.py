"""Values of a chunk held to a schema."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlestar._lazy import require
from mlestar.pipeline.findings import Finding
from mlestar.pipeline.schema import Column
from mlestar.pipeline.tables import numbers_of

_MOST_CATEGORIES_SHOWN = 5


class Violations:
    """What broke the schema, gathered over chunks: one finding for each check and column."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], dict[str, Any]] = {}

    def add(
        self, check: str, column: str, rule: str, count: int, row: int, value: Any, mend: str
    ) -> None:
        """`count` values broke a rule, first `value` in `row`."""
        entry = self._found.setdefault(
            (check, column, rule),
            {"count": 0, "first_row": int(row), "first_value": _plain(value), "mend": mend},
        )
        entry["count"] += int(count)

    def pandera(self, schema: Any, table: Any, first_row: int) -> None:
        """Hold a chunk to a pandera schema."""
        errors = require("pandera.errors", "run")
        try:
            schema.validate(table.reset_index(drop=True), lazy=True)
        except errors.SchemaErrors as found:
            for keys, cases in found.failure_cases.groupby(["column", "check"], dropna=False):
                column = "" if keys[0] is None or keys[0] != keys[0] else str(keys[0])
                place = cases["index"].iloc[0]
                row = first_row + (int(place) if isinstance(place, int | np.integer) else 0)
                self.add(
                    "schema", column, f"that fail {keys[1]}", len(cases), row,
                    cases["failure_case"].iloc[0], "mend the values, or the schema",
                )  # fmt: skip

    def findings(self) -> list[Finding]:
        """A finding for each rule that was broken."""
        found = []
        for (check, column, rule), entry in self._found.items():
            count, row, value = entry["count"], entry["first_row"], entry["first_value"]
            if check == "type" and value is None:
                words = f"{rule}, from row {row} on"
            else:
                values = "value" if count == 1 else "values"
                first = "" if value is None else f"; the first is {value!r} in row {row}"
                first = first or f"; the first in row {row}"
                words = f"has {count} {values} {rule}{first}"
            evidence = {"count": count, "first_row": row, "first_value": value}
            found.append(Finding("warning", column, words, check, evidence, entry["mend"]))
        return found


def rule_violations(
    into: Violations, rule: Column | None, name: str, values: Any, kind: str, first_row: int
) -> None:
    """Hold a chunk's column to its rule, and to itself: numbers are not to be mixed with words."""
    if rule is not None and not rule.nullable:
        lost = values.isna().to_numpy()
        _add(into, "null", name, "missing", lost, None, first_row, "impute them, or allow them")
    if rule is None or rule.kind == "number":
        if kind in ("mixed", "category"):
            _not_numbers(into, rule is not None, name, values, kind, first_row)
        elif rule is not None and kind == "date":
            into.add("type", name, "holds dates, not numbers", 1, first_row, None, "convert them")
        elif rule is not None and kind == "number":
            _range(into, rule, name, values, first_row)
    elif rule.kind == "date":
        if kind not in ("date", ""):
            wrong = values.notna().to_numpy()
            if kind != "number":
                pandas = require("pandas", "run")
                parsed = pandas.to_datetime(values, errors="coerce", utc=True, format="mixed")
                wrong = wrong & parsed.isna().to_numpy()
            _add(into, "type", name, "that are no dates", wrong, values, first_row, "convert them")
    elif rule.closed and kind:
        known = set(rule.categories)
        distinct = require("pandas", "run").unique(values.dropna())
        new = [v for v in distinct if str(v) not in known]
        if new:
            wrong = values.isin(new).to_numpy()
            shown = ", ".join(sorted(rule.categories)[:_MOST_CATEGORIES_SHOWN])
            more = ", ..." if len(rule.categories) > _MOST_CATEGORIES_SHOWN else ""
            words = f"that are none of {shown}{more}"
            mend = "mend the spelling, or add the category to the schema"
            _add(into, "category", name, words, wrong, values, first_row, mend)
    elif kind == "number" and rule.categories:
        into.add("type", name, "holds numbers, not texts", 1, first_row, None, "convert them")


def _not_numbers(
    into: Violations, must: bool, name: str, values: Any, kind: str, first_row: int
) -> None:
    pandas = require("pandas", "run")
    distinct = pandas.Series(pandas.unique(values.dropna()))
    words = distinct[pandas.to_numeric(distinct, errors="coerce").isna()]
    if not must and kind == "category" and len(words) == len(distinct):
        return  # a column of words
    wrong = values.isin(words).to_numpy()
    known = int(values.notna().sum())
    mend = "convert them, or make them missing"
    if must and not wrong.any():
        into.add("type", name, "holds numbers as texts", 1, first_row, None, mend)
    elif must or (0 < wrong.sum() < 0.5 * known) or (kind == "mixed" and wrong.any()):
        _add(into, "type", name, "that are no numbers", wrong, values, first_row, mend)


def _range(into: Violations, rule: Column, name: str, values: Any, first_row: int) -> None:
    if rule.minimum is None and rule.maximum is None:
        return
    numbers = numbers_of(values)
    low = -np.inf if rule.minimum is None else rule.minimum
    high = np.inf if rule.maximum is None else rule.maximum
    wrong = ((numbers < low) | (numbers > high)) & np.isfinite(numbers)
    words = f"outside of [{low:.6g}, {high:.6g}]"
    mend = "mend the values, or widen the range in the schema"
    _add(into, "range", name, words, wrong, values, first_row, mend)


def _add(
    into: Violations,
    check: str,
    name: str,
    rule: str,
    wrong: Any,
    values: Any,
    first_row: int,
    mend: str,
) -> None:
    places = np.flatnonzero(wrong)
    if places.size:
        value = None if values is None else values.iloc[int(places[0])]
        into.add(check, name, rule, places.size, first_row + int(places[0]), value, mend)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        if not np.isfinite(value):
            return None if np.isnan(value) else str(value)
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
