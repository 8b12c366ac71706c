"""Metrics of the order that scores put binary labels in."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from mlestar._arrays import as_array, as_flat
from mlestar._calls import answered, decline, metric_warning
from mlestar._native import _core
from mlestar.metrics._columns import (
    class_metric,
    codes_of,
    label_metric,
    pair_metric,
    partial_metric,
)
from mlestar.metrics._labels import as_integer, encode
from mlestar.metrics._sets import is_real

_AVERAGES = (None, "micro", "macro", "weighted", "samples")


def roc_auc_score(
    y_true: Any,
    y_score: Any,
    *,
    average: str | None = "macro",
    sample_weight: Any = None,
    max_fpr: float | None = None,
    multi_class: str = "raise",
    labels: Any = None,
) -> Any:
    """Area under the receiver operating characteristic curve.

    Drop-in for `sklearn.metrics.roc_auc_score`. Unweighted areas are an exact count of ordered
    pairs, divided once. One against one (Hand and Till 2001) costs a sort a class, not two a pair.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_labels)
        Labels: integers of any width, bool, whole floats or strings, read in place; of two, the
        greater is the positive one. Or a multilabel indicator matrix of 0 and 1.
    y_score : array-like of shape (n_samples,), (n_samples, n_classes) or (n_samples, n_labels)
        Scores, finite; only their order counts. For several classes, probabilities.
    average : {"micro", "macro", "samples", "weighted"} or None, default="macro"
        How the areas of classes or labels become one; None gives each. Ignored for binary labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    max_fpr : float, default=None
        If given, the standardized area up to this false positive rate (McClish 1989).
    multi_class : {"raise", "ovr", "ovo"}, default="raise"
        Several classes: each against the rest, or each against each.
    labels : array-like of shape (n_classes,), default=None
        The classes of the columns, ascending; by default those of `y_true`.

    Returns
    -------
    float, or ndarray of shape (n_classes,)
        In [0, 1].

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, scores that are not finite, probabilities that do not
        sum to one, options that do not go together.

    Warns
    -----
    UndefinedMetricWarning
        Where `y_true` holds one class only; the result is NaN.

    Examples
    --------
    >>> from mlestar.metrics import roc_auc_score
    >>> roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    area = None
    if average in _AVERAGES and multi_class in ("raise", "ovr", "ovo"):
        t, s = as_flat(y_true), as_flat(y_score)
        w = None if sample_weight is None else as_array(sample_weight)
        if t is not None and s is not None and (sample_weight is None or w is not None):
            if s.ndim == 1:
                area = _binary_area(t, s, w, max_fpr)
            elif t.ndim == 2:
                area = _several("roc_auc", t, s, w, average, max_fpr)
            elif t.ndim == 1 and _whole(max_fpr):
                area = _multiclass_area(t, s, w, average, multi_class, labels)
    if area is not None:
        answered("roc_auc_score")
        _warn_of_labels(s)
        if isinstance(area, float) and area != area and s.ndim == 1:
            from sklearn.exceptions import UndefinedMetricWarning

            warnings.warn(
                "Only one class is present in y_true. ROC AUC score is not defined in that case.",
                UndefinedMetricWarning,
                stacklevel=2,
            )
        return area
    return decline("roc_auc_score")(
        y_true,
        y_score,
        average=average,
        sample_weight=sample_weight,
        max_fpr=max_fpr,
        multi_class=multi_class,
        labels=labels,
    )


def average_precision_score(
    y_true: Any,
    y_score: Any,
    *,
    average: str | None = "macro",
    pos_label: Any = 1,
    sample_weight: Any = None,
) -> Any:
    """Precision averaged over the recall steps of the descending scores.

    Drop-in for `sklearn.metrics.average_precision_score`.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_labels)
        Labels: integers of any width, bool, whole floats or strings, read in place; or a
        multilabel indicator matrix of 0 and 1.
    y_score : array-like of shape (n_samples,), (n_samples, n_classes) or (n_samples, n_labels)
        Scores, finite; only their order counts. Several classes: each against the rest.
    average : {"micro", "macro", "samples", "weighted"} or None, default="macro"
        How the values of classes or labels become one; None gives each. Ignored for binary labels.
    pos_label : int, float, bool or str, default=1
        The positive label of two.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.

    Returns
    -------
    float, or ndarray of shape (n_classes,)
        In [0, 1].

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, scores that are not finite, `pos_label` not a label.

    Examples
    --------
    >>> from mlestar.metrics import average_precision_score
    >>> round(average_precision_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 6)
    0.833333
    """
    score = None
    t, s = as_flat(y_true), as_flat(y_score)
    w = None if sample_weight is None else as_array(sample_weight)
    if (
        t is not None
        and s is not None
        and (sample_weight is None or w is not None)
        and average in _AVERAGES
    ):
        if s.ndim == 1:
            score = _binary_precision(t, s, w, pos_label)
        elif pos_label == 1 and t.ndim == 2:
            score = _several("average_precision", t, s, w, average)
        elif pos_label == 1 and t.ndim == 1 and (codes := codes_of(t, None)) is not None:
            # Two classes are binary, which has one column of scores.
            several = len(codes[1]) > 2 and s.shape == (len(t), len(codes[1]))
            several = several and (w is None or w.shape == (len(t),))
            if several:
                score = class_metric("average_precision", codes[0], s, w, average)
    if score is not None:
        answered("average_precision_score")
        _warn_of_labels(s)
        return score
    return decline("average_precision_score")(
        y_true, y_score, average=average, pos_label=pos_label, sample_weight=sample_weight
    )


def _warn_of_labels(s: Any) -> None:
    """Say that scores which are nothing but 0 and 1 (or -1 and 1) are most likely predictions."""
    if s.ndim != 1 or len(s) < 8:
        return
    few = s[:32]  # all but surely tells scores from labels
    if not ((few == 0) | (few == 1) | (few == -1)).all():
        return
    if len(np.unique(s)) == 2 and ((s == 0) | (s == 1) | (s == -1)).all():
        metric_warning(
            "y_score holds predicted labels only; the order of two values is all it can rank. "
            "Pass scores or probabilities (decision_function, predict_proba).",
            stacklevel=4,
        )


def _binary_precision(t: Any, s: Any, w: Any, pos_label: Any) -> float | None:
    if (codes := encode(t)) is not None:
        positive = codes.code(pos_label)
        t = codes.y_true
    else:
        positive = as_integer(pos_label)
    return None if positive is None else _core.metrics.average_precision(t, s, w, positive)


def _whole(max_fpr: Any) -> bool:
    return max_fpr is None or max_fpr == 1


def _binary_area(t: Any, s: Any, w: Any, max_fpr: Any) -> float | None:
    """NaN where `t` holds one class only."""
    if t.ndim != 1:
        return None
    if (codes := encode(t)) is not None:
        t = codes.y_true
    if not _whole(max_fpr) and not (is_real(max_fpr) and 0 < max_fpr < 1):
        return None
    area: float | None = _core.metrics.roc_auc(t, s, w)
    if area is None or _whole(max_fpr) or area != area:
        return area
    found = _core.metrics.threshold_counts(t == t.max(), s, w, 1, "bends", True)
    return None if found is None else _partial_area(found[0], found[1], float(max_fpr))


def _partial_area(fpr: Any, tpr: Any, max_fpr: float) -> float | None:
    """The area left of `max_fpr`, standardized so that chance is 1/2 (McClish 1989)."""
    stop = int(np.searchsorted(fpr, max_fpr, "right"))
    last = np.interp(max_fpr, fpr[stop - 1 : stop + 1], tpr[stop - 1 : stop + 1])
    area = _core.metrics.trapezoid_area(np.append(fpr[:stop], max_fpr), np.append(tpr[:stop], last))
    if area is None:
        return None
    least = 0.5 * max_fpr**2
    return 0.5 * (1 + (area - least) / (max_fpr - least))


def _several(
    metric: str, t: Any, s: Any, w: Any, average: str | None, max_fpr: Any = None
) -> Any | None:
    """Labels of an indicator matrix."""
    if t.shape != s.shape or t.shape[1] < 2 or t.dtype.kind not in "biuf":
        return None
    if w is not None and w.shape != (len(t),):
        return None
    if not _whole(max_fpr):
        if not ((t == 0) | (t == 1)).all():
            return None
        return partial_metric(lambda y, x, v: _binary_area(y, x, v, max_fpr), t, s, w, average)
    return label_metric(metric, t, s, w, average)


def _multiclass_area(
    t: Any, s: Any, w: Any, average: str | None, multi_class: str, labels: Any
) -> Any | None:
    if multi_class == "raise" or s.ndim != 2 or s.shape[1] < 3 or len(t) != len(s):
        return None
    one_to_one = multi_class == "ovo"
    if average == "samples" or (one_to_one and (w is not None or average in (None, "micro"))):
        return None
    if w is not None and w.shape != (len(t),):
        return None
    codes = codes_of(t, labels)
    if codes is None or len(codes[1]) != s.shape[1] or not _core.metrics.rows_sum_to_one(s):
        return None
    if one_to_one:
        return pair_metric(codes[0], s, average)
    return class_metric("roc_auc", codes[0], s, w, average)
