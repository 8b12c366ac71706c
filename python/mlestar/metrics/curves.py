"""Curves over all thresholds of a score, and the area under one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from mlestar._arrays import as_array, as_flat
from mlestar._calls import answered, decline
from mlestar._native import _core
from mlestar.metrics._labels import as_integer, encode
from mlestar.metrics._thresholds import vectorized


def auc(x: Any, y: Any) -> float:
    """Area under a curve by the trapezoidal rule.

    Drop-in for `sklearn.metrics.auc`.

    Parameters
    ----------
    x : array-like of shape (n,)
        Increasing or decreasing.
    y : array-like of shape (n,)
        Values there.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As scikit-learn: fewer than two points, lengths that differ, `x` that goes both ways.

    Examples
    --------
    >>> from mlestar.metrics import auc
    >>> auc([0.0, 0.5, 1.0], [0.0, 0.75, 1.0])
    0.625
    """
    area = _core.metrics.trapezoid_area(as_array(x), as_array(y))
    if area is None:
        fallback: float = decline("auc")(x, y)
        return fallback
    answered("auc")
    return area


def roc_curve(
    y_true: Any,
    y_score: Any,
    *,
    pos_label: Any = None,
    sample_weight: Any = None,
    drop_intermediate: bool = True,
) -> Any:
    """Receiver operating characteristic curve: the two error rates at every threshold.

    Drop-in for `sklearn.metrics.roc_curve`.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Binary labels: integers of any width, bool, whole floats or strings.
    y_score : array-like of shape (n_samples,)
        Scores, finite.
    pos_label : int, float, bool or str, default=None
        The positive label; None is 1 where labels are {0, 1} or {-1, 1}.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, not negative.
    drop_intermediate : bool, default=True
        Leave out points on a line with their neighbours.

    Returns
    -------
    fpr, tpr : ndarray of shape (n_thresholds,)
        False and true positive rate of predicting positive from each threshold up.
    thresholds : ndarray of shape (n_thresholds,)
        Descending, the first infinite.

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, more than two labels, scores that are not finite.

    Warns
    -----
    UndefinedMetricWarning
        Where `y_true` lacks one class; its rate is NaN.

    Examples
    --------
    >>> from mlestar.metrics import roc_curve
    >>> fpr, tpr, thresholds = roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> fpr.tolist(), tpr.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    found = None
    if isinstance(drop_intermediate, bool):
        rule = "bends" if drop_intermediate else "all"
        found = threshold_counts(y_true, y_score, sample_weight, pos_label, rule, True)
    if found is None:
        return decline("roc_curve")(
            y_true,
            y_score,
            pos_label=pos_label,
            sample_weight=sample_weight,
            drop_intermediate=drop_intermediate,
        )
    answered("roc_curve")
    fpr, tpr, thresholds, negatives, positives = found
    if negatives <= 0:
        _warn("No negative samples in y_true, false positive value should be meaningless")
        fpr[:] = np.nan
    if positives <= 0:
        _warn("No positive samples in y_true, true positive value should be meaningless")
        tpr[:] = np.nan
    return fpr, tpr, thresholds.astype(np.float64, copy=False)


def precision_recall_curve(
    y_true: Any,
    y_score: Any,
    *,
    pos_label: Any = None,
    sample_weight: Any = None,
    drop_intermediate: bool = False,
) -> Any:
    """Precision and recall at every threshold.

    Drop-in for `sklearn.metrics.precision_recall_curve`; parameters and errors as in `roc_curve`.

    Returns
    -------
    precision, recall : ndarray of shape (n_thresholds + 1,)
        Of predicting positive from each threshold up; the last are 1 and 0.
    thresholds : ndarray of shape (n_thresholds,)
        Ascending.

    Warns
    -----
    UserWarning
        Where there is no positive; recall is then 1.

    Examples
    --------
    >>> from mlestar.metrics import precision_recall_curve
    >>> precision, recall, _ = precision_recall_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> precision.round(3).tolist(), recall.tolist()
    ([0.5, 0.667, 0.5, 1.0, 1.0], [1.0, 1.0, 0.5, 0.5, 0.0])
    """
    found = None
    inputs = _inputs(y_true, y_score, sample_weight, pos_label)
    if inputs is not None and isinstance(drop_intermediate, bool):
        rule = "positives" if drop_intermediate else "all"
        found = _core.metrics.precision_recall(*inputs, rule)
    if found is None:
        return decline("precision_recall_curve")(
            y_true,
            y_score,
            pos_label=pos_label,
            sample_weight=sample_weight,
            drop_intermediate=drop_intermediate,
        )
    answered("precision_recall_curve")
    precision, recall, thresholds, positives = found
    if positives == 0:
        warnings.warn(
            "No positive class found in y_true, recall is set to one for all thresholds.",
            stacklevel=2,
        )
        recall[:-1] = 1.0
    return precision, recall, _as_scores(thresholds, y_score)


def det_curve(
    y_true: Any,
    y_score: Any,
    pos_label: Any = None,
    sample_weight: Any = None,
    drop_intermediate: bool = False,
) -> Any:
    """Detection error tradeoff: false positive and false negative rates (Martin et al. 1997).

    Drop-in for `sklearn.metrics.det_curve`; parameters and errors as in `roc_curve`.

    Returns
    -------
    fpr, fnr, thresholds : ndarray of shape (n_thresholds,)
        Rates of predicting positive from each threshold up; thresholds ascend.

    Examples
    --------
    >>> from mlestar.metrics import det_curve
    >>> fpr, fnr, thresholds = det_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> fpr.tolist(), fnr.tolist()
    ([0.5, 0.5, 0.0], [0.0, 0.5, 0.5])
    """
    found = None
    if isinstance(drop_intermediate, bool):
        found = threshold_counts(y_true, y_score, sample_weight, pos_label, "all", False)
    if found is None or found[3] <= 0 or found[4] <= 0:
        return decline("det_curve")(
            y_true,
            y_score,
            pos_label=pos_label,
            sample_weight=sample_weight,
            drop_intermediate=drop_intermediate,
        )
    answered("det_curve")
    fps, tps, thresholds = (
        np.concatenate(([first], values))
        for first, values in zip((0.0, 0.0, np.inf), found[:3], strict=True)
    )
    if drop_intermediate and len(fps) > 2:
        step = np.diff(tps) != 0
        kept = np.concatenate(([True], step[:-1] | step[1:], [True]))
        fps, tps, thresholds = fps[kept], tps[kept], thresholds[kept]
    # From the last threshold without a false positive to the first with every true one.
    first = np.searchsorted(fps, 0.0, side="right") - 1
    part = slice(first, np.searchsorted(tps, tps[-1]) + 1)
    misses = (tps[-1] - tps[part][::-1]) / tps[-1]
    return fps[part][::-1] / fps[-1], misses, thresholds[part][::-1]


def confusion_matrix_at_thresholds(
    y_true: Any, y_score: Any, *positional: Any, pos_label: Any = None, sample_weight: Any = None
) -> Any:
    """The four counts of the binary confusion matrix at every threshold.

    Drop-in for `sklearn.metrics.confusion_matrix_at_thresholds`; parameters and errors as in
    `roc_curve`.

    Returns
    -------
    tns, fps, fns, tps : ndarray of shape (n_thresholds,)
        Counts (or weights), float64.
    thresholds : ndarray of shape (n_thresholds,)
        The distinct scores, descending.

    Examples
    --------
    >>> from mlestar.metrics import confusion_matrix_at_thresholds
    >>> counts = confusion_matrix_at_thresholds([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> [values.tolist() for values in counts[:4]]
    [[2.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 2.0], [1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 2.0, 2.0]]
    """
    if positional:  # scikit-learn still takes them, and says that it will not
        return decline("confusion_matrix_at_thresholds")(y_true, y_score, *positional)
    found = threshold_counts(y_true, y_score, sample_weight, pos_label, "all", False)
    if found is None:
        return decline("confusion_matrix_at_thresholds")(
            y_true, y_score, pos_label=pos_label, sample_weight=sample_weight
        )
    answered("confusion_matrix_at_thresholds")
    fps, tps, thresholds, _, _ = found
    return fps[-1] - fps, fps, tps[-1] - tps, tps, _as_scores(thresholds, y_score)


def metric_at_thresholds(
    y_true: Any,
    y_score: Any,
    metric_func: Callable[..., Any],
    *,
    sample_weight: Any = None,
    metric_params: dict[str, Any] | None = None,
) -> Any:
    """A metric of hard predictions at every threshold.

    Drop-in for `sklearn.metrics.metric_at_thresholds`. A metric that is a function of the binary
    confusion matrix, ours or scikit-learn's of the same name, is computed for all thresholds at
    once from one sort; any other is called for each.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Binary labels, 0 and 1 where the metric compares them with predictions.
    y_score : array-like of shape (n_samples,)
        Scores, finite.
    metric_func : callable
        ``metric_func(y_true, y_pred, **metric_params)``, `y_pred` of 0 and 1.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    metric_params : dict, default=None
        Further arguments of the metric.

    Returns
    -------
    metric_values : ndarray of shape (n_thresholds,) or (n_thresholds, n_values)
    thresholds : ndarray of shape (n_thresholds,)
        The distinct scores, descending.

    Examples
    --------
    >>> from mlestar.metrics import f1_score, metric_at_thresholds
    >>> values, thresholds = metric_at_thresholds([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], f1_score)
    >>> values.round(3).tolist()
    [0.667, 0.5, 0.8, 0.667]
    """
    values = vectorized(metric_func, metric_params)
    labels = as_flat(y_true)
    found = None
    if values is not None and labels is not None and labels.dtype.kind in "biuf":
        # Its labels must be those of the predictions.
        found = threshold_counts(labels, y_score, sample_weight, 1, "all", False)
        if found is not None and not ((labels == 0) | (labels == 1)).all():
            found = None
    result = None
    if values is not None and found is not None:
        fps, tps, thresholds, _, _ = found
        result = values(fps[-1] - fps, fps, tps[-1] - tps, tps)
    if result is None:
        return decline("metric_at_thresholds")(
            y_true,
            y_score,
            metric_func,
            sample_weight=sample_weight,
            metric_params=metric_params,
        )
    answered("metric_at_thresholds")
    return result, _as_scores(thresholds, y_score)


def threshold_counts(
    y_true: Any, y_score: Any, sample_weight: Any, pos_label: Any, rule: str, rates: bool
) -> Any:
    """False and true positives at each threshold, by the core; None to decline."""
    inputs = _inputs(y_true, y_score, sample_weight, pos_label)
    return None if inputs is None else _core.metrics.threshold_counts(*inputs, rule, rates)


def _inputs(
    y_true: Any, y_score: Any, sample_weight: Any, pos_label: Any
) -> tuple[Any, Any, Any, int | None] | None:
    """Labels (codes of strings), scores, weights and the positive label; None to decline."""
    t, s = as_flat(y_true), as_flat(y_score)
    w = None if sample_weight is None else as_array(sample_weight)
    if t is None or s is None or (sample_weight is not None and w is None):
        return None
    positive: int | None
    if (codes := encode(t)) is not None:
        positive = codes.code(pos_label)
        # Strings need a positive label, said in scikit-learn's words.
        return None if positive is None else (codes.y_true, s, w, positive)
    positive = None if pos_label is None else as_integer(pos_label)
    if pos_label is not None and (positive is None or isinstance(pos_label, str)):
        return None
    return t, s, w, positive


def _as_scores(thresholds: Any, y_score: Any) -> Any:
    """Thresholds in the scores' own dtype, as scikit-learn picks them from the scores."""
    dtype = getattr(as_array(y_score), "dtype", thresholds.dtype)
    return thresholds.astype(dtype, copy=False)


def _warn(message: str) -> None:
    from sklearn.exceptions import UndefinedMetricWarning

    warnings.warn(message, UndefinedMetricWarning, stacklevel=3)
