"""What single columns show: names of rows, copies of each other, and what others will keep to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlestar._lazy import require
from mlestar.pipeline.hashes import column_hashes
from mlestar.pipeline.tables import column_kind, numbers_of

_FEWEST_ROWS = 50
_FEWEST_FOR_RULES = 100
_MOST_DISTINCT_ALL = 0.9
_MOST_UNEVEN = 2.2  # of Kolmogorov: less than one even column of ten thousand is beyond
_RARE_SHARE = 0.005
_MOST_COMPARED = 500
_COMPARED_ROWS = 4096


def identifier_kind(values: Any) -> str:
    """How a Series names its rows, in words; empty where it does not.

    Whole numbers, nearly all different, name rows where they rise with every row, fill a range or
    are spread evenly over one (measured numbers crowd somewhere); texts where nearly all differ.
    """
    kind = column_kind(values)
    known = values.dropna()
    if len(known) < max(_FEWEST_ROWS, _MOST_DISTINCT_ALL * len(values)):
        return ""
    if kind in ("category", "mixed"):
        distinct = int(np.unique(column_hashes(known.map(str))).size)
        return (
            "a text of its own in every row" if distinct >= _MOST_DISTINCT_ALL * len(known) else ""
        )
    if kind != "number" or known.dtype.kind == "b":
        return ""
    numbers = numbers_of(known)
    if not np.isfinite(numbers).all() or not (numbers == np.floor(numbers)).all():
        return ""
    distinct_numbers = np.unique(numbers)
    if distinct_numbers.size < _MOST_DISTINCT_ALL * len(numbers):
        return ""
    if (np.diff(numbers) >= 0).all():
        return "rises with every row"
    span = distinct_numbers[-1] - distinct_numbers[0] + 1
    if span <= 1.5 * distinct_numbers.size:
        return "whole numbers of a range, each in one row"
    even = np.linspace(0, 1, distinct_numbers.size)
    places = (distinct_numbers - distinct_numbers[0]) / (span - 1)
    if np.abs(places - even).max() * np.sqrt(even.size) < _MOST_UNEVEN:
        return "numbers drawn evenly from a range, each in one row"
    return ""


def number_rules(values: Any) -> dict[str, Any]:
    """What other tables keep to, for a Series of numbers: arguments of `Column`."""
    numbers = numbers_of(values)
    known = numbers[np.isfinite(numbers)]
    if len(numbers) < _FEWEST_FOR_RULES or not known.size:
        return {}
    rules: dict[str, Any] = {"nullable": bool(np.isnan(numbers).any())}
    if identifier_kind(values):
        repeated = np.unique(known).size < known.size
        return rules | {"unique": not repeated and not rules["nullable"]}
    low, high = float(known.min()), float(known.max())
    if low > 0 and high > 10 * np.median(known):  # a long tail: bounded by its logarithm
        tail = np.log(high) - np.log(np.quantile(known, 0.99))
        bounds = 0.0, float(np.exp(min(np.log(high) + max(np.log(2), 3 * tail), 700.0)))
    else:
        bounds = _outside(known)
        if low >= 0:
            bounds = max(0.0, bounds[0]), bounds[1]
    return rules | {"minimum": bounds[0], "maximum": bounds[1]}


def _outside(known: Any) -> tuple[float, float]:
    low, high = float(known.min()), float(known.max())
    inner_low, inner_high = (float(q) for q in np.quantile(known, [0.01, 0.99]))
    slack = 0.5 * (high - low)
    return low - max(slack, 3 * (inner_low - low)), high + max(slack, 3 * (high - inner_high))


def category_rules(values: Any) -> dict[str, Any]:
    """What other tables keep to, for a Series of categories: arguments of `Column`.

    The share of rows whose category occurs once estimates the share of unseen ones in new rows
    (Good and Turing).
    """
    if len(values) < _FEWEST_FOR_RULES or not values.notna().any():
        return {}
    counts = values.dropna().map(str).value_counts()
    once = int((counts == 1).sum())
    names_rows = len(counts) == len(values) and bool(identifier_kind(values))
    return {
        "nullable": bool(values.isna().any()),
        "unique": names_rows,
        "closed": not names_rows and once <= _RARE_SHARE * len(values),
    }


def rescaled_copies(table: Any, names: Sequence[str]) -> list[tuple[str, str, float, float]]:
    """Pairs of columns of numbers of which one is the other in other units.

    Returns
    -------
    list of tuple
        The earlier column, the later one, and the scale and shift that lead from one to the other.
    """
    table = table.iloc[:_COMPARED_ROWS]
    columns: dict[bytes, list[tuple[str, Any]]] = {}
    for place, name in enumerate(names[:_MOST_COMPARED]):
        series = table.iloc[:, place]
        if column_kind(series) != "number" or series.dtype.kind == "b":
            continue
        numbers = numbers_of(series)
        known = np.isfinite(numbers)
        if known.sum() < 10 or np.unique(numbers[known]).size < 5:
            continue
        columns.setdefault(np.packbits(known).tobytes(), []).append((name, numbers[known]))
    found = []
    for group in columns.values():
        stacked = np.array([numbers for _, numbers in group])
        centred = stacked - stacked.mean(axis=1, keepdims=True)
        centred /= np.linalg.norm(centred, axis=1, keepdims=True)
        alike = np.abs(centred @ centred.T) > 1 - 1e-9
        taken: set[int] = set()
        for i, j in zip(*np.nonzero(np.triu(alike, 1)), strict=True):
            if j in taken:
                continue
            scale, shift = _line(stacked[i], stacked[j])
            middle = np.subtract(*np.quantile(stacked[j], [0.75, 0.25])) or np.ptp(stacked[j])
            if np.abs(stacked[i] * scale + shift - stacked[j]).max() <= 1e-6 * middle:
                taken.add(int(j))
                found.append((group[i][0], group[j][0], scale, shift))
    return found


def _line(one: Any, two: Any) -> tuple[float, float]:
    centred = one - one.mean()
    scale = float(centred @ (two - two.mean()) / (centred @ centred))
    return scale, float(two.mean() - scale * one.mean())


def chance_of_equal_rows(first: Any, second: Any) -> float:
    """The chance that a row of one sample equals one of the other, were columns independent."""
    pandas = require("pandas", "run")
    chance = 1.0
    for place in range(first.shape[1]):
        counts = [
            pandas.Series(column_hashes(part.iloc[:, place])).value_counts(normalize=True)
            for part in (first, second)
        ]
        chance *= float((counts[0] * counts[1].reindex(counts[0].index, fill_value=0)).sum())
        if chance < 1e-15:
            break
    return chance
