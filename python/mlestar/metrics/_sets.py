"""Sums of hits, predictions and truths by class, label or sample, and what is made of them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np


class Sums(NamedTuple):
    """Right, predicted and true (weights of) labels, one entry a class, label or sample."""

    hit: Any
    predicted: Any
    truth: Any


def scores_of(
    sums: Sums,
    beta: float,
    average: str | None,
    warn_for: Iterable[str],
    zero_division: Any,
    weights: Any = None,
) -> tuple[Any, Any, Any, Any]:
    """Precision, recall, F-score and support, warned of where scikit-learn warns.

    `weights` are those of the samples where the sums are by sample.
    """
    hit, predicted, truth = sums
    if average == "micro":
        hit, predicted, truth = (values.sum(keepdims=True) for values in sums)
    beta2 = beta**2
    precision = divide(hit, predicted, "precision", "predicted", average, warn_for, zero_division)
    recall = divide(hit, truth, "recall", "true", average, warn_for, zero_division)
    if beta == np.inf:
        fscore = recall
    elif beta == 0:
        fscore = precision
    else:
        whole = beta2 * truth + predicted
        words = "true nor predicted"
        fscore = divide(
            (1 + beta2) * hit, whole, "f-score", words, average, warn_for, zero_division
        )
    if average is None:
        return precision, recall, fscore, truth
    if average != "samples":
        weights = truth if average == "weighted" else None
    return (
        nan_average(precision, weights),
        nan_average(recall, weights),
        nan_average(fscore, weights),
        None,
    )


def divide(
    numerator: Any,
    denominator: Any,
    metric: str,
    modifier: str,
    average: str | None,
    warn_for: Iterable[str],
    zero_division: Any,
) -> Any:
    """Quotients, `zero_division` where the denominator is zero, with scikit-learn's warning."""
    undefined = denominator == 0
    if not undefined.any():
        return numerator / denominator
    warn = isinstance(zero_division, str)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = np.where(undefined, 0.0 if warn else float(zero_division), numerator / denominator)
    if warn and metric in warn_for:
        from sklearn.exceptions import UndefinedMetricWarning

        rows, of = ("label", "sample") if average == "samples" else ("sample", "label")
        where = "due to" if result.size == 1 else f"in {of}s with"
        warnings.warn(
            f"{metric.capitalize()} is ill-defined and being set to 0.0 {where} no {modifier} "
            f"{rows}s. Use `zero_division` parameter to control this behavior.",
            UndefinedMetricWarning,
            stacklevel=5,
        )
    return result


def nan_average(values: Any, weights: Any) -> float:
    """Weighted mean of what is not NaN; plain where the weights vanish; NaN where nothing is."""
    kept = ~np.isnan(values)
    if not kept.all():
        if not kept.any():
            return float("nan")
        values = values[kept]
        weights = None if weights is None else weights[kept]
    if weights is None or not weights.sum():
        return float(values.mean())
    return float(np.average(values, weights=weights))


def is_whole(value: Any) -> bool:
    """Whether `value` is an integer, not a bool."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_real(value: Any) -> bool:
    """Whether `value` is a real number, not a bool."""
    return isinstance(value, Real) and not isinstance(value, bool)
