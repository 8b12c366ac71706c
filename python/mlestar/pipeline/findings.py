"""What a validation finds: the names of the checks, and one record for each thing found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlestar.exceptions import DataError

CHECKS = (
    "category",
    "columns",
    "constant",
    "drift",
    "duplicate_column",
    "duplicate_rows",
    "empty",
    "group_leakage",
    "identifier",
    "infinite",
    "leakage",
    "missing",
    "names",
    "null",
    "objects",
    "overlap",
    "range",
    "rows",
    "schema",
    "target",
    "time_leakage",
    "type",
    "unique",
)
"""Everything that is looked for; the guide of the pipelines tells what each means."""

UNLEARNABLE = ("columns", "names", "objects", "rows", "target")
"""Checks whose findings no model can be learned in spite of."""

_ORDER = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes
    ----------
    severity : str
        "error" (what the user marked as such), "warning" or "note".
    column : str
        The column it is about; empty for the table.
    message : str
        What it is, in words.
    check : str
        Which of `CHECKS` found it.
    evidence : dict
        The numbers behind the words, as plain data for JSON.
    mend : str
        What may be done about it.
    """

    severity: str
    column: str
    message: str
    check: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    mend: str = ""


def check_names(errors: Sequence[str]) -> frozenset[str]:
    """The marks, each a check or ``check:column``; ValueError for a name that is none."""
    if isinstance(errors, str):
        raise ValueError(f"errors is {errors!r}, but must be a list of names")
    for name in errors:
        if str(name).split(":", 1)[0] not in CHECKS:
            raise ValueError(f"errors has {name!r}, but must have names of {', '.join(CHECKS)}")
    return frozenset(errors)


def is_marked(finding: Finding, errors: frozenset[str]) -> bool:
    """Whether the user calls that an error."""
    return finding.check in errors or f"{finding.check}:{finding.column}" in errors


def ranked(findings: Iterable[Finding], errors: frozenset[str]) -> list[Finding]:
    """Findings with what the user marked as errors first, then warnings, then notes."""
    marked = [
        Finding("error", f.column, f.message, f.check, f.evidence, f.mend)
        if is_marked(f, errors)
        else f
        for f in findings
    ]
    return sorted(marked, key=lambda finding: _ORDER[finding.severity])


def raise_first(findings: Sequence[Finding]) -> None:
    """Raise the first error among ranked findings."""
    if findings and findings[0].severity == "error":
        first = findings[0]
        place = f"column {first.column!r} " if first.column else ""
        others = sum(f.severity == "error" for f in findings) - 1
        more = f" (and {others} more errors)" if others else ""
        raise DataError(place + first.message + more)
