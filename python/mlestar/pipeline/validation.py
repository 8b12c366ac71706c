"""What is wrong, or suspicious, with a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlestar._lazy import require
from mlestar.exceptions import DataError


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes
    ----------
    severity : str
        "error" (cannot be learned from), "warning" or "note".
    column : str
        The column it is about; empty for the table.
    message : str
        What it is, in words.
    """

    severity: str
    column: str
    message: str


class DataValidator:
    """Checks a table before anything learns from it.

    Parameters
    ----------
    required : sequence of str, default=()
        Columns that must be there.
    min_rows : int, default=1
        Rows that must be there.

    Examples
    --------
    >>> import pandas as pd
    >>> from mlestar import DataValidator
    >>> table = pd.DataFrame({"a": [1, 1, 1], "b": [1, 2, 3], "c": [1, 2, 3]})
    >>> [f"{f.column}: {f.message}" for f in DataValidator().validate(table)]
    ['a: holds one value only', 'c: holds the same values as b']
    """

    def __init__(self, required: Sequence[str] = (), min_rows: int = 1) -> None:
        self.required = required
        self.min_rows = min_rows

    def validate(self, table: Any, y: Any = None) -> list[Finding]:
        """Everything found, errors first.

        Parameters
        ----------
        table : DataFrame
        y : array-like of shape (n_rows,), default=None
            The target, checked too where given.
        """
        findings = [*self._shape(table), *self._columns(table)]
        if y is not None:
            findings += self._target(y, len(table))
        order = {"error": 0, "warning": 1, "note": 2}
        return sorted(findings, key=lambda finding: order[finding.severity])

    def check(self, table: Any, y: Any = None) -> list[Finding]:
        """As `validate`, but the first error is raised as a `DataError`."""
        findings = self.validate(table, y)
        if findings and findings[0].severity == "error":
            place = f"column {findings[0].column!r} " if findings[0].column else ""
            raise DataError(place + findings[0].message)
        return findings

    def _shape(self, table: Any) -> list[Finding]:
        findings = []
        names = [str(name) for name in table.columns]
        findings += [
            Finding("error", name, "is not in the table")
            for name in self.required
            if name not in names
        ]
        twice = sorted({name for name in names if names.count(name) > 1})
        findings += [
            Finding("error", name, "is the name of more than one column") for name in twice
        ]
        if not names:
            findings.append(Finding("error", "", "the table has no columns to learn from"))
        if len(table) < self.min_rows:
            findings.append(
                Finding("error", "", f"the table has {len(table)} rows, but needs {self.min_rows}")
            )
        return findings

    def _columns(self, table: Any) -> list[Finding]:
        pandas = require("pandas", "run")
        findings = []
        seen: dict[bytes, str] = {}
        rows = len(table)
        for place, name in enumerate(map(str, table.columns)):
            values = table.iloc[:, place]
            missing = int(values.isna().sum())
            if rows and missing == rows:
                findings.append(Finding("warning", name, "holds no value at all"))
                continue
            if missing:
                findings.append(Finding("note", name, f"lacks {missing} of {rows} values"))
            try:
                hashed = pandas.util.hash_pandas_object(values, index=False).to_numpy()
                distinct = int(np.unique(hashed).size)
            except TypeError:
                findings.append(Finding("error", name, "holds lists or objects, not values"))
                continue
            if distinct == 1 and rows > 1:
                findings.append(Finding("warning", name, "holds one value only"))
            elif (fingerprint := hashed.tobytes()) in seen:
                findings.append(
                    Finding("warning", name, f"holds the same values as {seen[fingerprint]}")
                )
            elif (
                distinct == rows and rows > 50 and not pandas.api.types.is_float_dtype(values.dtype)
            ):
                findings.append(
                    Finding(
                        "warning",
                        name,
                        "differs in every row; a row number or name predicts nothing",
                    )
                )
            seen.setdefault(hashed.tobytes(), name)
        doubled = int(table.duplicated().sum()) if rows and not _unhashable(findings) else 0
        if doubled:
            findings.append(Finding("note", "", f"{doubled} rows occur before in the table"))
        return findings

    def _target(self, y: Any, rows: int) -> list[Finding]:
        pandas = require("pandas", "run")
        values = pandas.Series(np.asarray(y))
        if len(values) != rows:
            return [Finding("error", "", f"the target has {len(values)} values for {rows} rows")]
        missing = int(values.isna().sum())
        if missing:
            return [Finding("error", "", f"the target lacks {missing} of {rows} values")]
        if values.nunique() < 2:
            return [Finding("error", "", "the target is constant; there is nothing to predict")]
        return []


def _unhashable(findings: list[Finding]) -> bool:
    return any("lists or objects" in finding.message for finding in findings)
