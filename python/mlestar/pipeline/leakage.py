"""How well one column alone tells the target: what it should not."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlestar._lazy import require
from mlestar.pipeline.hashes import mixed
from mlestar.pipeline.tables import column_kind, numbers_of

_FOLDS = 5
_BINS = 64
_FEWEST_ROWS = 50
_FEWEST_OF_A_CLASS = 10
_MOST_CLASSES = 20


def target_scores(y: Any) -> tuple[str, Any]:
    """The kind of a target, and its columns to predict.

    Returns
    -------
    kind : str
        "classes", "values", or "" where there is too little to tell.
    columns : ndarray of shape (n_rows, n_outputs), float64
        A column of zeros and ones for each class that is not too rare; the ranks of values.
    """
    pandas = require("pandas", "run")
    series = pandas.Series(y).reset_index(drop=True)
    codes, classes = pandas.factorize(series)
    if len(codes) < _FEWEST_ROWS or (codes < 0).any():
        return "", np.zeros((len(codes), 0))
    numeric = column_kind(series) == "number"
    if len(classes) > _MOST_CLASSES and numeric:
        ranks = series.rank().to_numpy(dtype=np.float64)
        return "values", ((ranks - ranks.mean()) / max(ranks.std(), 1e-300))[:, None]
    counts = np.bincount(codes)
    common = np.flatnonzero((counts >= _FEWEST_OF_A_CLASS) & (counts < len(codes)))
    if len(classes) > max(_MOST_CLASSES, len(codes) // 5) or not common.size:
        return "", np.zeros((len(codes), 0))
    common = common[np.argsort(-counts[common])][:_MOST_CLASSES]
    if len(classes) == 2:
        common = common[:1]
    return "classes", (codes[:, None] == common).astype(np.float64)


def alone(values: Any, kind: str, outputs: Any) -> float:
    """How well a column tells the target, on rows it was not learned from.

    Parameters
    ----------
    values : Series of shape (n_rows,)
    kind : {"classes", "values"}
    outputs : ndarray of shape (n_rows, n_outputs)
        As `target_scores` gives them.

    Returns
    -------
    float
        For values the share of the ranks' variance that is told; for classes the largest
        difference between the share of a class and that of the others which a threshold reaches
        (Youden's J), averaged over the classes. 0 for a column that tells nothing, 1 for all.
    """
    codes = _codes(values)
    fold = (mixed(np.arange(len(codes), dtype=np.uint64)) % np.uint64(_FOLDS)).astype(np.int64)
    size = int(codes.max()) + 1
    place = fold * size + codes
    counts = np.bincount(place, minlength=_FOLDS * size).reshape(_FOLDS, size)
    others = (counts.sum(axis=0) - counts).ravel()[place]
    scores = []
    for output in outputs.T:
        sums = np.bincount(place, output, _FOLDS * size).reshape(_FOLDS, size)
        rest = (sums.sum(axis=0) - sums).ravel()[place]
        told = (rest + output.mean()) / (others + 1.0)
        if kind == "values":
            scores.append(1.0 - float(np.mean((output - told) ** 2)))
        else:
            scores.append(_separation(told, output))
    return max(0.0, float(np.mean(scores)))


def _separation(told: Any, truth: Any) -> float:
    order = np.argsort(told, kind="stable")
    told, truth = told[order], truth[order]
    last = np.append(told[1:] != told[:-1], True)
    ones = np.cumsum(truth)[last] / truth.sum()
    zeros = np.cumsum(1.0 - truth)[last] / (1.0 - truth).sum()
    return float(np.max(zeros - ones))


def _codes(values: Any) -> Any:
    """A small whole number for each value: bins of numbers, missing values in one of their own."""
    pandas = require("pandas", "run")
    kind = column_kind(values)
    if kind == "date":
        values = pandas.to_datetime(values, errors="coerce", utc=True)
        numbers = values.astype("int64").to_numpy(dtype=np.float64)
        numbers[values.isna().to_numpy()] = np.nan
    elif kind == "number":
        numbers = numbers_of(values)
    else:
        text = values.map(str, na_action="ignore") if kind == "mixed" else values
        return pandas.factorize(text, use_na_sentinel=False)[0]
    known = numbers[np.isfinite(numbers)]
    if not known.size:
        return (~np.isnan(numbers)).astype(np.int64)
    distinct = np.unique(known)
    bins = min(_BINS, max(8, len(numbers) // 10))
    if distinct.size > bins:
        shares = np.linspace(0, 1, bins + 1)[1:-1]
        distinct = np.unique(np.quantile(known, shares, method="inverted_cdf"))
    codes = np.searchsorted(distinct, numbers, side="left") + 1
    codes[np.isnan(numbers)] = 0
    return codes
