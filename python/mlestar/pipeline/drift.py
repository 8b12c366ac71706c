"""How far the columns of two tables are apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlestar._lazy import require
from mlestar.pipeline.tables import column_kind, numbers_of

_BINS = 10
_FEWEST = 5
_MOST_CATEGORIES = 50


def stability_index(first: Any, second: Any) -> float:
    """Population stability index of counts in the same bins.

    Parameters
    ----------
    first, second : array-like of shape (n_bins,)
        Counts; empty bins count as half a row.

    Returns
    -------
    float
        The sum of (q - p) ln(q / p) over the bins: below 0.1 is little, above 0.25 is much.

    Examples
    --------
    >>> round(stability_index([50, 50], [50, 50]), 3), round(stability_index([50, 50], [20, 80]), 3)
    (0.0, 0.416)
    """
    one, two = (np.maximum(np.asarray(c, dtype=np.float64), 0.5) for c in (first, second))
    one, two = one / one.sum(), two / two.sum()
    return float(np.sum((two - one) * np.log(two / one)))


def column_drift(first: Any, second: Any) -> dict[str, Any]:
    """What tells two Series apart: tests and sizes of effect.

    Returns
    -------
    dict
        ``p_value`` (the smallest, times the tests made), ``psi``, ``missing`` (difference of the
        shares), and ``ks`` (the largest distance of the distribution functions) for numbers or
        ``cramers_v`` (of the chi-square test) for categories.
    """
    missing = [float(series.isna().mean()) for series in (first, second)]
    change = missing[1] - missing[0]
    lost = [int(series.isna().sum()) for series in (first, second)]
    p_values = [_chi_square([[len(first) - lost[0], lost[0]], [len(second) - lost[1], lost[1]]])[0]]
    kinds = {column_kind(first), column_kind(second)} - {""}
    found: dict[str, Any] = {"missing": change}
    if kinds and kinds <= {"number", "date"}:
        one, two = (_finite(series) for series in (first, second))
        found["psi"] = stability_index(*_bin_counts(one, two, lost))
        if min(one.size, two.size) >= _FEWEST:
            test = _stats().ks_2samp(one, two, method="asymp")
            found["ks"] = float(test.statistic)
            p_values.append(float(test.pvalue))
    elif kinds:
        counts = _category_counts(first, second)
        whole = np.column_stack([counts, lost]) if any(lost) else counts
        found["psi"] = stability_index(*whole)
        p_value, found["cramers_v"] = _chi_square(counts)
        p_values.append(p_value)
    found["p_value"] = min(1.0, min(p_values) * len(p_values))
    return found


def _stats() -> Any:
    from scipy import stats

    return stats


def _finite(series: Any) -> Any:
    if column_kind(series) == "date":
        stamps = require("pandas", "run").to_datetime(series.dropna(), utc=True)
        return stamps.astype("int64").to_numpy(dtype=np.float64)
    numbers = numbers_of(series)
    return numbers[~np.isnan(numbers)]


def _bin_counts(one: Any, two: Any, lost: list[int]) -> tuple[Any, Any]:
    """Counts in the deciles of the first, and the missing values."""
    shares = np.linspace(0, 1, _BINS + 1)[1:-1]
    edges = np.unique(np.quantile(one, shares, method="inverted_cdf")) if one.size else np.zeros(0)
    counts = [
        np.bincount(np.searchsorted(edges, part, side="left"), minlength=len(edges) + 1)
        for part in (one, two)
    ]
    if any(lost):
        counts = [np.append(c, n) for c, n in zip(counts, lost, strict=True)]
    return counts[0], counts[1]


def _category_counts(first: Any, second: Any) -> Any:
    """Rows of each category in both tables; the rare ones of the first together."""
    pandas = require("pandas", "run")
    one, two = (s.dropna().map(str).value_counts() for s in (first, second))
    names = one.index[:_MOST_CATEGORIES].union(two.index[:_MOST_CATEGORIES])
    both = pandas.DataFrame(
        {"one": one.reindex(names, fill_value=0), "two": two.reindex(names, fill_value=0)}
    ).to_numpy()
    total = both.sum(axis=1)
    rare = total < 10
    rest = both[rare].sum(axis=0) + np.array([one.sum(), two.sum()]) - both.sum(axis=0)
    return np.vstack([both[~rare], rest]).T


def _chi_square(counts: Any) -> tuple[float, float]:
    """p value and Cramer's V of a table of two rows."""
    counts = np.asarray(counts, dtype=np.float64)
    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2 or not counts.sum(axis=1).all():
        return 1.0, 0.0
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    statistic = float(((counts - expected) ** 2 / expected).sum())
    p_value = float(_stats().chi2.sf(statistic, counts.shape[1] - 1))
    return p_value, float(np.sqrt(statistic / counts.sum()))
