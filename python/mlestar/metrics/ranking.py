"""Metrics of the order that scores put binary labels in."""

from __future__ import annotations

import warnings
from typing import Any

from mlestar._arrays import as_array
from mlestar._calls import answered, decline
from mlestar._native import _core
from mlestar.metrics._labels import as_integer, encode

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

    Drop-in for `sklearn.metrics.roc_auc_score`. Binary labels are answered in the core, as an exact
    count of ordered pairs divided once; multiclass, multilabel and partial areas are left to
    scikit-learn.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels: integers of any width, bool, whole floats or strings, read in place. The greater is
        the positive one.
    y_score : array-like of shape (n_samples,)
        Scores, finite; only their order counts.
    average : {"micro", "macro", "samples", "weighted"} or None, default="macro"
        Ignored for binary labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    max_fpr : float, default=None
        If given, the standardized area up to this false positive rate.
    multi_class : {"raise", "ovr", "ovo"}, default="raise"
        Ignored for binary labels.
    labels : array-like of shape (n_classes,), default=None
        Ignored for binary labels.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, scores that are not finite.

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
    if (max_fpr is None or max_fpr == 1) and multi_class in ("raise", "ovr", "ovo"):
        t, s = as_array(y_true), as_array(y_score)
        w = None if sample_weight is None else as_array(sample_weight)
        if average in _AVERAGES and (sample_weight is None or w is not None):
            area = _core.metrics.roc_auc(t, s, w)
            if area is None and (codes := encode(t)):
                area = _core.metrics.roc_auc(codes.y_true, s, w)
            if area is not None:
                answered("roc_auc_score")
                if area != area:
                    from sklearn.exceptions import UndefinedMetricWarning

                    warnings.warn(
                        "Only one class is present in y_true. ROC AUC score is not defined in "
                        "that case.",
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

    Drop-in for `sklearn.metrics.average_precision_score`. Binary labels are answered in the core;
    multiclass and multilabel are left to scikit-learn.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels: integers of any width, bool, whole floats or strings, read in place.
    y_score : array-like of shape (n_samples,)
        Scores, finite; only their order counts.
    average : {"micro", "macro", "samples", "weighted"} or None, default="macro"
        Ignored for binary labels.
    pos_label : int, float, bool or str, default=1
        The positive label.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.

    Returns
    -------
    float
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
    t, s = as_array(y_true), as_array(y_score)
    w = None if sample_weight is None else as_array(sample_weight)
    if average in _AVERAGES and (sample_weight is None or w is not None):
        codes = encode(t) if isinstance(pos_label, str) else None
        positive = codes.code(pos_label) if codes else as_integer(pos_label)
        if positive is not None:
            precision = _core.metrics.average_precision(
                codes.y_true if codes else t, s, w, positive
            )
            if precision is not None:
                answered("average_precision_score")
                return precision
    return decline("average_precision_score")(
        y_true, y_score, average=average, pos_label=pos_label, sample_weight=sample_weight
    )
