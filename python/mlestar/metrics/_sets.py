"""Sums of hits, predictions and truths by class, label or sample, and what is made of them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from mlestar._arrays import as_array
from mlestar._native import _core


class Sums(NamedTuple):
    """Right, predicted and true (weights of) labels, one entry a class, label or sample."""

    hit: Any
    predicted: Any
    truth: Any


class LabelSums(NamedTuple):
    """Sums of a matrix of indicators by label, and of its samples."""

    sums: Sums
    exact: float  # weight of the samples without a wrong label
    weight: float  # of all samples


def indicators(y_true: Any, y_pred: Any) -> tuple[Any, Any] | None:
    """Two matrices that may be multilabel indicators of one shape; None for anything else."""
    t, p = as_array(y_true), as_array(y_pred)
    if t is None or p is None or t.ndim != 2 or t.shape != p.shape or t.shape[1] < 2:
        return None
    return (t, p) if t.dtype.kind in "biuf" and p.dtype.kind in "biuf" else None


def by_label(y_true: Any, y_pred: Any, sample_weight: Any, labels: Any = None) -> LabelSums | None:
    """Sums of each label of indicators, or of those of the columns `labels`; None to decline."""
    pair = indicators(y_true, y_pred)
    w = None if sample_weight is None else as_array(sample_weight)
    if pair is None or (sample_weight is not None and w is None):
        return None
    found = _core.metrics.label_counts(*pair, w)
    if found is None:
        return None
    *sums, exact, weight = found
    if w is None:
        sums = [values.astype(np.int64) for values in sums]
    if labels is not None:
        columns = _columns(labels, len(sums[0]))
        if columns is None:
            return None
        sums = [values[columns] for values in sums]
    return LabelSums(Sums(*sums), exact, weight)


def by_sample(y_true: Any, y_pred: Any, sample_weight: Any, labels: Any = None) -> Sums | None:
    """Sums of each sample's row of indicators, times its weight; None to decline."""
    pair = indicators(y_true, y_pred)
    w = None if sample_weight is None else as_array(sample_weight)
    if pair is None or (sample_weight is not None and w is None):
        return None
    t, p = pair
    if w is not None and w.shape != (len(t),):
        return None
    if labels is not None:
        columns = _columns(labels, t.shape[1])
        if columns is None or len(columns) < 2:
            return None
        # The whole matrix says whether these are indicators at all.
        if _core.metrics.label_counts(t, p, None) is None:
            return None
        t, p = t[:, columns], p[:, columns]
    found = _core.metrics.sample_counts(t, p)
    if found is None:
        return None
    sums = [values.astype(np.int64) for values in found]
    return Sums(*sums) if w is None else Sums(*(values * w for values in sums))


def _columns(labels: Any, width: int) -> Any | None:
    wanted = np.asarray(labels)
    if wanted.ndim != 1 or wanted.size == 0 or wanted.dtype.kind not in "iu":
        return None
    if wanted.min() < 0 or wanted.max() >= width or len(np.unique(wanted)) != len(wanted):
        return None
    return wanted


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
