"""Tables with faults planted at random, and tables without any: what the validator is measured by.

Written before the checks were tuned. A case is a history (earlier, clean rows that a schema is learned from), rows to
train on with their target, and rows to test on, split by time and by customer. Clean cases have what real tables have
and no validator may complain of: heavy tails, rare categories, missing values, strong predictors, nearly unique
numbers, columns that go together, free text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas

CASES = 30
FAULTS_PER_CASE = 4


@dataclass
class Case:
    """One problem, and what was planted in it."""

    history: Any
    train: Any
    y: Any
    test: Any
    time: str | None
    groups: str | None
    faults: list[tuple[str, str]] = field(default_factory=list)  # (check, column)


def clean_case(seed: int) -> Case:
    """A table without faults."""
    return _case(np.random.default_rng([7, seed]))


def planted_case(seed: int) -> Case:
    """A table with several faults, no two in one column."""
    rng = np.random.default_rng([11, seed])
    case = _case(rng)
    free = [name for name in case.train.columns if name not in (case.time, case.groups)]
    rng.shuffle(free)
    kinds = list(FAULTS)
    rng.shuffle(kinds)
    for kind in kinds:
        if len(case.faults) == FAULTS_PER_CASE:
            break
        planted = FAULTS[kind](case, rng, free)
        if planted is not None:
            case.faults.append(planted)
    return case


# Tables without faults -----------------------------------------------------------------------------


def _case(rng: np.random.Generator) -> Case:
    rows = int(rng.integers(500, 2500))
    parts = [rows, rows, int(rng.integers(400, 1000))]
    total = sum(parts)
    part = np.repeat([0, 1, 2], parts)
    table: dict[str, Any] = {}
    makers = [_MAKERS[i] for i in rng.integers(0, len(_MAKERS), int(rng.integers(6, 14)))]
    for place, make in enumerate((_normal, *makers)):
        table[f"{make.__name__[1:]}_{place}"] = make(rng, total)
    first = next(iter(table))
    if rng.random() < 0.5:  # a column that goes with another one, as real ones do
        table["companion"] = table[first] * 2 + rng.normal(0, rng.uniform(0.05, 1), total)
    time = groups = None
    if rng.random() < 0.7:
        time = "when"
        stamps = np.sort(rng.uniform(0, 3e8, total)).astype(np.int64)
        table[time] = pandas.to_datetime(stamps, unit="s")
    if rng.random() < 0.6:
        groups = "customer"
        table[groups] = part * 100_000 + rng.integers(0, rows // 8, total)
    frame = pandas.DataFrame(table)
    for name in frame.columns:
        if name not in (time, groups, first) and rng.random() < 0.25:
            lost = rng.random(total) < rng.uniform(0.01, 0.4)
            frame[name] = (
                frame[name].astype(object).where(~lost)
                if frame[name].dtype == bool
                else frame[name].where(~lost)
            )
    signal = np.asarray(frame[first], dtype=float) * rng.uniform(1, 2.5)
    noisy = signal + rng.normal(size=total)
    kind = rng.choice(["regression", "binary", "multiclass"])
    if kind == "regression":
        y = noisy
    elif kind == "binary":
        y = (noisy > np.quantile(noisy, rng.uniform(0.5, 0.95))).astype(int)
    else:
        y = np.digitize(noisy, np.quantile(noisy, [0.3, 0.7]))
    pieces = [frame[part == k].reset_index(drop=True) for k in range(3)]
    return Case(pieces[0], pieces[1], np.asarray(y)[part == 1], pieces[2], time, groups)


def _normal(rng: np.random.Generator, n: int) -> Any:
    return rng.normal(rng.uniform(-50, 50), 1, n) if rng.random() < 0.3 else rng.normal(size=n)


def _lognormal(rng: np.random.Generator, n: int) -> Any:
    return np.exp(rng.normal(0, rng.uniform(0.3, 1.5), n))


def _rounded(rng: np.random.Generator, n: int) -> Any:
    return np.round(rng.gamma(2.0, rng.uniform(1, 20), n), int(rng.integers(0, 3)))


def _pareto(rng: np.random.Generator, n: int) -> Any:
    return rng.pareto(rng.uniform(1.5, 4), n)


def _uniform(rng: np.random.Generator, n: int) -> Any:
    return rng.uniform(0, rng.uniform(1, 1000), n)


def _counts(rng: np.random.Generator, n: int) -> Any:
    return rng.poisson(rng.uniform(0.05, 30), n)


def _cents(rng: np.random.Generator, n: int) -> Any:
    """Whole numbers, nearly every one another, that are measured and no names."""
    return np.exp(rng.normal(13, 1, n)).astype(np.int64)


def _categories(rng: np.random.Generator, n: int) -> Any:
    names = np.array([f"kind {i}" for i in range(int(rng.integers(2, 12)))], dtype=object)
    return rng.choice(names, n, p=rng.dirichlet(np.full(len(names), 1.5)))


def _mostly(rng: np.random.Generator, n: int) -> Any:
    return np.where(rng.random(n) < 0.97, "usual", "other").astype(object)


def _flags(rng: np.random.Generator, n: int) -> Any:
    return rng.random(n) < rng.uniform(0.05, 0.95)


def _words(rng: np.random.Generator, n: int) -> Any:
    """Free text: many values, some often, always new ones."""
    return np.array([f"town {i}" for i in rng.zipf(1.4, n) % 100_000], dtype=object)


def _codes(rng: np.random.Generator, n: int) -> Any:
    """A category kept as a number."""
    return rng.choice(rng.integers(100, 999, int(rng.integers(4, 25))), n)


_MAKERS: tuple[Callable[..., Any], ...] = (
    _normal, _lognormal, _rounded, _pareto, _uniform, _counts, _cents, _categories, _mostly, _flags, _words, _codes,
)  # fmt: skip


# Faults -------------------------------------------------------------------------------------------


def _take(free: list[str], case: Case, wanted: Callable[[Any], bool]) -> str | None:
    for name in free:
        if wanted(case.history[name]):
            free.remove(name)
            return name
    return None


def _numeric(values: Any) -> bool:
    return values.dtype.kind in "if" and values.notna().sum() > 200


def _continuous(values: Any) -> bool:
    return values.dtype.kind == "f" and values.nunique() > 200


def _text(values: Any) -> bool:
    return values.dtype.kind not in "ifbM" and isinstance(values.dropna().iloc[0], str)


def _few(values: Any) -> bool:
    return _text(values) and values.nunique() < 15


def _add(case: Case, name: str, make: Callable[[Any], Any]) -> None:
    """A new column in all three parts."""
    for part in ("history", "train", "test"):
        frame = getattr(case, part)
        setattr(case, part, frame.assign(**{name: make(frame)}))


def constant(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str]:
    value = [0.0, "same", 7, True][int(rng.integers(4))]
    _add(case, "still", lambda frame: value)
    return "constant", "still"


def empty(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str]:
    _add(case, "void", lambda frame: np.nan)
    return "empty", "void"


def row_number(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str]:
    first = int(rng.integers(0, 10_000))
    _add(case, "number", lambda frame: np.arange(first, first + len(frame)))
    return "identifier", "number"


def shuffled_number(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str]:
    _add(case, "ticket", lambda frame: rng.permutation(len(frame)) + 1)
    return "identifier", "ticket"


def random_number(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str]:
    _add(case, "account", lambda frame: rng.choice(10**9, len(frame), replace=False))
    return "identifier", "account"


def unique_text(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str]:
    _add(case, "uuid", lambda frame: [rng.bytes(8).hex() for _ in range(len(frame))])
    return "identifier", "uuid"


def copied_column(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str] | None:
    source = _take(free, case, lambda v: v.nunique() > 5)
    if source is None:
        return None
    _add(case, "twin", lambda frame: frame[source])
    return "duplicate_column", "twin"


def rescaled_column(
    case: Case, rng: np.random.Generator, free: list[str]
) -> tuple[str, str] | None:
    source = _take(free, case, _continuous)
    if source is None:
        return None
    scale, shift = rng.uniform(0.1, 10), rng.normal()
    _add(case, "in_other_units", lambda frame: frame[source] * scale + shift)
    return "duplicate_column", "in_other_units"


def copied_rows(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str]:
    chosen = rng.choice(
        len(case.train), max(3, int(len(case.train) * rng.uniform(0.01, 0.1))), replace=False
    )
    order = np.sort(np.concatenate([np.arange(len(case.train)), chosen]))
    case.train = case.train.iloc[order].reset_index(drop=True)
    case.y = case.y[order]
    return "duplicate_rows", ""


def leak_noisy(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str]:
    """The target with a little noise, or turned and bent."""
    y = case.y.astype(float)
    leak = y + rng.normal(0, 0.02 * y.std(), len(y))
    leak = np.cbrt(-leak) if rng.random() < 0.5 else leak
    case.train = case.train.assign(after=leak)
    case.history = case.history.assign(after=rng.choice(leak, len(case.history)))
    case.test = case.test.assign(after=rng.choice(leak, len(case.test)))
    return "leakage", "after"


def leak_coded(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str]:
    """What came of it, in words; one row of a hundred is wrong."""
    y = case.y
    if len(np.unique(y)) > 20:
        y = np.digitize(y, np.quantile(y, np.linspace(0, 1, 21)[1:-1]))
    words = np.array([f"result {i * 37 % 101}" for i in range(21)], dtype=object)
    leak = words[y]
    wrong = rng.random(len(y)) < 0.003
    leak[wrong] = rng.choice(leak, wrong.sum())
    case.train = case.train.assign(outcome=leak)
    case.history = case.history.assign(outcome=rng.choice(leak, len(case.history)))
    case.test = case.test.assign(outcome=rng.choice(leak, len(case.test)))
    return "leakage", "outcome"


def leak_missing(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str] | None:
    """A date of payment that only those have who paid."""
    if len(np.unique(case.y)) != 2:
        return None

    def kept(known: Any) -> Any:
        return np.where(known, rng.normal(size=len(known)), np.nan)

    case.train = case.train.assign(paid=kept(case.y == 1))
    share = float((case.y == 1).mean())
    case.history = case.history.assign(paid=kept(rng.random(len(case.history)) < share))
    case.test = case.test.assign(paid=kept(rng.random(len(case.test)) < share))
    return "leakage", "paid"


def overlap(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str]:
    chosen = rng.choice(
        len(case.train), max(3, int(len(case.test) * rng.uniform(0.02, 0.3))), replace=False
    )
    case.test = pandas.concat([case.test, case.train.iloc[chosen]], ignore_index=True)
    return "overlap", ""


def time_leak(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str] | None:
    if case.time is None:
        return None
    early = rng.random(len(case.test)) < rng.uniform(0.05, 0.5)
    moved = case.test[case.time].copy()
    moved[early] = rng.choice(case.train[case.time].to_numpy(), early.sum())
    case.test = case.test.assign(**{case.time: moved})
    return "time_leakage", case.time


def group_leak(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str] | None:
    if case.groups is None:
        return None
    moved = case.test[case.groups].to_numpy(copy=True)
    chosen = rng.random(len(moved)) < rng.uniform(0.03, 0.5)
    moved[chosen] = rng.choice(case.train[case.groups].to_numpy(), chosen.sum())
    case.test = case.test.assign(**{case.groups: moved})
    return "group_leakage", case.groups


def shift(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str] | None:
    name = _take(free, case, _continuous)
    if name is None:
        return None
    values = case.test[name]
    sign = rng.choice([-1, 1])
    spread = np.subtract(*np.nanquantile(values, [0.75, 0.25])) / 1.35
    case.test = case.test.assign(**{name: values + sign * spread * rng.uniform(0.5, 2)})
    return "drift", name


def spread(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str] | None:
    name = _take(free, case, _continuous)
    if name is None:
        return None
    values = case.test[name]
    middle = values.median()
    case.test = case.test.assign(**{name: middle + (values - middle) * rng.uniform(2, 4)})
    return "drift", name


def frequencies(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str] | None:
    name = _take(free, case, _few)
    if name is None:
        return None
    values = case.test[name].to_numpy(copy=True)
    common = case.test[name].mode()[0]
    others = [v for v in case.history[name].dropna().unique() if v != common]
    chosen = (values == common) & (rng.random(len(values)) < rng.uniform(0.5, 0.9))
    values[chosen] = rng.choice(np.array(others, dtype=object))
    case.test = case.test.assign(**{name: values})
    return "drift", name


def vanishing(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str] | None:
    """Values that went missing at random after the model was trained."""
    name = _take(free, case, lambda v: _continuous(v) and not v.isna().any())
    if name is None:
        return None
    lost = rng.random(len(case.test)) < rng.uniform(0.15, 0.6)
    case.test = case.test.assign(**{name: case.test[name].where(~lost)})
    return "drift", name


def type_change(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str] | None:
    name = _take(free, case, _numeric)
    if name is None:
        return None
    values = case.train[name].astype(object)
    places = rng.choice(len(values), int(rng.integers(1, 4)), replace=False)
    for place in places:
        values.iloc[place] = ["n/a", "12,5", "unknown", "-"][int(rng.integers(4))]
    case.train = case.train.assign(**{name: values})
    return "type", name


def out_of_range(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str] | None:
    """A mark for missing, a slip of the decimal point, a sign lost."""
    name = _take(
        free,
        case,
        lambda v: _continuous(v) and v.std() < 100 * (v.quantile(0.75) - v.quantile(0.25)),
    )
    if name is None:
        return None
    values = case.train[name].to_numpy(copy=True)
    places = rng.choice(np.flatnonzero(np.isfinite(values)), int(rng.integers(1, 4)), replace=False)
    known = case.history[name]
    far = np.abs(known).max() * 50 + 1000
    values[places] = [-far, far, 99.0 * far][int(rng.integers(3))]
    case.train = case.train.assign(**{name: values})
    return "range", name


def new_category(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str] | None:
    name = _take(free, case, _few)
    if name is None:
        return None
    values = case.train[name].to_numpy(copy=True)
    values[rng.choice(len(values), int(rng.integers(1, 20)), replace=False)] = "Kind 0 "
    case.train = case.train.assign(**{name: values})
    return "category", name


def nulls(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str] | None:
    name = _take(free, case, lambda v: _numeric(v) and not v.isna().any())
    if name is None:
        return None
    lost = np.zeros(len(case.train), dtype=bool)
    lost[rng.choice(len(lost), int(rng.integers(3, 60)), replace=False)] = True
    case.train = case.train.assign(**{name: case.train[name].where(~lost)})
    return "null", name


def infinite(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str] | None:
    name = _take(free, case, _continuous)
    if name is None:
        return None
    values = case.train[name].to_numpy(copy=True)
    values[rng.choice(len(values), int(rng.integers(1, 5)), replace=False)] = rng.choice(
        [np.inf, -np.inf]
    )
    case.train = case.train.assign(**{name: values})
    return "infinite", name


def not_unique(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str]:
    """An order number that was different in every row, and is no longer."""
    case.history = case.history.assign(order=np.arange(len(case.history)) * 3 + 5)
    values = np.arange(len(case.train)) * 3 + 5
    places = rng.choice(len(values) - 1, int(rng.integers(1, 6)), replace=False)
    values[places] = values[places + 1]
    case.train = case.train.assign(order=values)
    case.test = case.test.assign(order=np.arange(len(case.test)) * 3 + 5)
    return "unique", "order"


def lost_column(case: Case, rng: np.random.Generator, free: list[str]) -> tuple[str, str] | None:
    name = _take(free, case, lambda v: True)
    if name is None:
        return None
    case.train = case.train.drop(columns=name)
    case.test = case.test.drop(columns=name)
    return "columns", name


FAULTS: dict[str, Callable[..., tuple[str, str] | None]] = {
    fault.__name__: fault
    for fault in (
        constant, empty, row_number, shuffled_number, random_number, unique_text, copied_column, rescaled_column,
        copied_rows, leak_noisy, leak_coded, leak_missing, overlap, time_leak, group_leak, shift, spread, frequencies,
        vanishing, type_change, out_of_range, new_category, nulls, infinite, not_unique, lost_column,
    )
}  # fmt: skip
