"""What is wrong between rows to train on and rows to test on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mlestar.pipeline.columns import chance_of_equal_rows, identifier_kind
from mlestar.pipeline.drift import column_drift
from mlestar.pipeline.findings import Finding
from mlestar.pipeline.times import times_of
from mlestar.pipeline.validation_pass import no_times

_P_VALUE = 0.001
_LEAST_DISTANCE = 0.1
_LEAST_MISSING = 0.05


def compare_passes(validator: Any, train: Any, test: Any) -> Iterator[Finding]:
    """Findings between two passes over tables of the same columns."""
    yield from _overlap(train, test)
    yield from _times(validator.time, train, test)
    yield from _groups(validator.groups, train, test)
    yield from _drift({validator.time, validator.groups}, train, test)


def _overlap(train: Any, test: Any) -> Iterator[Finding]:
    if not (train.rows and test.rows and train.names):
        return
    shared = train.hashes.shared(test.hashes)
    if not shared:
        return
    chance = chance_of_equal_rows(train.sample.table(), test.sample.table())
    expected = test.rows * min(1.0, train.rows * chance)
    evidence = {"rows": shared, "share": shared / test.rows, "expected": expected}
    yield Finding(
        "warning" if shared > 3 * expected + 1 else "note",
        "",
        f"{shared} of {test.rows} test rows are training rows too",
        "overlap",
        evidence,
        "take the shared rows out of one part, or keep equal rows together when splitting",
    )


def _absent(role: str, name: str | None, train: Any, test: Any) -> Iterator[Finding]:
    if name is not None and (train.column(name) is None or test.column(name) is None):
        yield Finding(
            "warning",
            name,
            f"is named as {role}, but is not in both tables",
            "columns",
            {},
            "give the column, or name the one that there is",
        )


def _times(name: str | None, train: Any, test: Any) -> Iterator[Finding]:
    yield from _absent("time", name, train, test)
    one, two = train.column(name), test.column(name)
    if name is None or one is None or two is None:
        return
    for seen, table in ((one, ", in train"), (two, ", in test")):
        if seen.timeless or len(seen.clocks) > 1:
            yield no_times(name, seen, table)
    if one.clocks and two.clocks and one.clocks != two.clocks:
        kinds = [" and ".join(sorted(seen.clocks)) for seen in (one, two)]
        yield Finding(
            "warning",
            name,
            f"holds {kinds[1]}, but {kinds[0]} in train: they cannot be compared",
            "type",
            {"train": kinds[0], "test": kinds[1]},
            "give both tables times of one kind",
        )
        return
    last, sample = one.latest, test.sample.table()
    if last is None or two.earliest is None or name not in sample.columns:
        return
    if two.earliest < last:
        series = times_of(sample[name], two.kind)[0].dropna()
        early = int((series < last).sum())
        share = max(early, 1) / max(1, len(series))
        yield Finding(
            "warning",
            name,
            f"{share:.1%} of the test rows are from before the last training row, {last}",
            "time_leakage",
            {"share": share, "last_of_train": str(last), "first_of_test": str(two.earliest)},
            "split by time: every test row after every training row",
        )


def _groups(name: str | None, train: Any, test: Any) -> Iterator[Finding]:
    yield from _absent("groups", name, train, test)
    one, two = train.column(name), test.column(name)
    if one is None or two is None:
        return
    level = max(one.values.level, two.values.level)
    groups = [np.unique(column.values.kept(level)) for column in (one, two)]
    both = int(np.isin(groups[1], groups[0]).sum())
    if both:
        share = both / len(groups[1])
        rows = one.values.shared(two.values)
        yield Finding(
            "warning",
            str(name),
            f"{share:.1%} of the test groups are among the training groups",
            "group_leakage",
            {"groups": both << level, "share": share, "rows": rows},
            "split by groups: GroupKFold, or GroupShuffleSplit",
        )


def _drift(roles: set[str | None], train: Any, test: Any) -> Iterator[Finding]:
    one, two = train.sample.table(), test.sample.table()
    if not (len(one) and len(two)):
        return
    for place, name in enumerate(train.names):
        if name in roles or train.columns[name].unhashable or test.columns[name].unhashable:
            continue
        first, second = one.iloc[:, place], two.iloc[:, place]
        if identifier_kind(first) or identifier_kind(second):
            continue
        found = column_drift(first, second)
        if found["p_value"] > _P_VALUE / len(train.names):
            continue
        distance = found.get("ks", found.get("cramers_v", 0.0))
        if distance < _LEAST_DISTANCE and abs(found["missing"]) < _LEAST_MISSING:
            continue
        words = [f"PSI {found['psi']:.2f}"] if "psi" in found else []
        words += [f"KS distance {found['ks']:.2f}"] if "ks" in found else []
        words += [f"Cramer's V {found['cramers_v']:.2f}"] if "cramers_v" in found else []
        if abs(found["missing"]) >= _LEAST_MISSING:
            words.append(f"{found['missing']:+.0%} missing")
        yield Finding(
            "warning",
            name,
            f"is not distributed as in training: {', '.join(words)}",
            "drift",
            found,
            "find out why; else leave it out, or weight the training rows",
        )
