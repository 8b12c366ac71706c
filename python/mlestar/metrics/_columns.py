"""Ranking metrics of several classes or labels: one value each, and their averages."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from mlestar._arrays import as_array
from mlestar._native import _core
from mlestar.metrics._labels import encode

_WORDS = {
    "roc_auc": "Only one class is present in y_true. ROC AUC score is not defined in that case.",
    "average_precision": (
        "No positive class found in y_true, recall is set to one for all thresholds."
    ),
}


def codes_of(t: Any, labels: Any) -> tuple[Any, Any] | None:
    """Codes of labels among the sorted distinct ones, or among `labels`; None to decline.

    `labels`, where given, must ascend and hold every label of `t`.
    """
    known = None if labels is None else as_array(labels)
    if labels is not None and (known is None or known.ndim != 1 or known.size == 0):
        return None
    if known is not None and not (known[1:] > known[:-1]).all():
        return None
    if t.dtype.kind == "U":
        strings = encode(t, known)
        if strings is None or (known is not None and len(strings.values) != known.size):
            return None
        return strings.y_true, np.asarray(strings.values)
    found: tuple[Any, Any] | None = _core.metrics.encode_integers(t, known)
    return found


def class_metric(
    metric: str, codes: Any, scores: Any, weights: Any, average: str | None
) -> Any | None:
    """Each class against the rest, by its own column, averaged."""
    if average in ("micro", "samples"):
        indicators = (codes[:, None] == np.arange(scores.shape[1])).astype(np.uint8)
        return label_metric(metric, indicators, scores, weights, average)
    values = _core.metrics.class_scores(metric, codes, scores, weights)
    if values is None:
        return None
    support = None
    if average == "weighted":
        support = np.bincount(codes, weights=weights, minlength=scores.shape[1])
    return _averaged(metric, values, average, support)


def label_metric(metric: str, t: Any, scores: Any, weights: Any, average: str | None) -> Any | None:
    """Each label of an indicator matrix (or each sample of it), averaged."""
    if average == "micro":
        w = None if weights is None else np.repeat(weights, t.shape[1])
        values = _core.metrics.label_scores(metric, t.reshape(-1, 1), scores.reshape(-1, 1), w)
        return None if values is None else _averaged(metric, values, "macro", None)
    if average == "samples":
        values = _core.metrics.sample_scores(metric, t, scores)
        return None if values is None else _averaged(metric, values, average, weights)
    # First the core, which looks at what it is given.
    values = _core.metrics.label_scores(metric, t, scores, weights)
    return None if values is None else _by_label(metric, values, t, weights, average)


def _by_label(metric: str, values: Any, t: Any, weights: Any, average: str | None) -> Any:
    if average != "weighted":
        return _averaged(metric, values, average, None)
    # In float64: the indicators and weights may be of a type that wraps.
    support = t.sum(axis=0) if weights is None else weights.astype(np.float64) @ t
    if np.isclose(support.sum(), 0):
        return 0
    return _averaged(metric, values, average, support)


def partial_metric(
    metric: Callable[[Any, Any, Any], float | None],
    t: Any,
    scores: Any,
    weights: Any,
    average: str | None,
) -> Any | None:
    """Partial areas, one call a label (or sample), averaged; NaN is an undefined one."""
    if average == "micro":
        w = None if weights is None else np.repeat(weights, t.shape[1])
        values = [metric(t.ravel(), scores.ravel(), w)]
    elif average == "samples":
        values = [metric(y, x, None) for y, x in zip(t, scores, strict=True)]
    else:
        values = [metric(t[:, k], scores[:, k], weights) for k in range(t.shape[1])]
    if not values or None in values:
        return None
    found = np.array(values, dtype=np.float64)
    if average in ("micro", "samples"):
        by_sample = average == "samples"
        how = average if by_sample else "macro"
        return _averaged("roc_auc", found, how, weights if by_sample else None)
    return _by_label("roc_auc", found, t, weights, average)


def pair_metric(codes: Any, scores: Any, average: str | None) -> Any | None:
    """ROC AUC of each pair of classes that occur (Hand and Till 2001), averaged."""
    areas = _core.metrics.pair_scores(codes, scores)
    if areas is None:
        return None
    counts = np.bincount(codes, minlength=scores.shape[1])
    (present,) = np.nonzero(counts)
    first, second = (present[i] for i in np.triu_indices(len(present), k=1))
    if len(first) == 0:
        return None
    values = (areas[first, second] + areas[second, first]) / 2
    if average != "weighted":
        return np.average(values)
    return np.average(values, weights=(counts[first] + counts[second]) / len(codes))


def _averaged(metric: str, values: Any, average: str | None, weights: Any) -> Any:
    undefined = np.isnan(values)
    if undefined.any():
        if metric == "roc_auc":
            from sklearn.exceptions import UndefinedMetricWarning

            warnings.warn(_WORDS[metric], UndefinedMetricWarning, stacklevel=4)
        else:
            warnings.warn(_WORDS[metric], stacklevel=4)
            values[undefined] = 0.0
    if average is None:
        return values
    if weights is not None:
        values[np.asarray(weights) == 0] = 0.0
    return float(np.average(values, weights=weights))
