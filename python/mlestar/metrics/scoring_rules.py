"""Proper scoring rules of predicted probabilities."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from mlestar._arrays import as_array, as_flat
from mlestar._calls import answered, decline
from mlestar._native import _core
from mlestar.metrics._labels import as_integer, encode
from mlestar.metrics._table import table_of
from mlestar.metrics.multilabel import by_label


def log_loss(
    y_true: Any,
    y_proba: Any = None,
    *,
    normalize: bool = True,
    sample_weight: Any = None,
    labels: Any = None,
    y_pred: Any = "deprecated",
) -> float:
    """Mean of -log of the probability given to the true class.

    Drop-in for `sklearn.metrics.log_loss` (cross-entropy loss).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels: integers of any width, bool, whole floats or strings, read in place.
    y_proba : array-like of shape (n_samples,) or (n_samples, n_classes)
        Probabilities in [0, 1]: of the greater of two labels, or one column a class in the order of
        the sorted labels. Clipped to [eps, 1 - eps] of their own float type.
    normalize : bool, default=True
        False returns the sum instead of the mean.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    labels : array-like, default=None
        All classes, where `y_true` may lack some.
    y_pred : array-like
        scikit-learn's old name of `y_proba`.

    Returns
    -------
    float
        Loss in nats, >= 0.

    Raises
    ------
    ValueError
        As scikit-learn: values outside [0, 1], one class only, columns that do not match the
        classes.

    Warns
    -----
    UserWarning
        Where rows do not sum to one.

    Examples
    --------
    >>> from mlestar.metrics import log_loss
    >>> round(log_loss([1, 0, 0, 1], [[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.35, 0.65]]), 5)
    0.21616
    """
    if isinstance(y_pred, str) and isinstance(normalize, bool):
        loss = _rule(_core.metrics.log_loss, y_true, y_proba, sample_weight, labels, normalize)
        if loss is not None:
            answered("log_loss")
            return loss
    options = {"normalize": normalize, "sample_weight": sample_weight, "labels": labels}
    if not (isinstance(y_pred, str) and y_pred == "deprecated"):
        options["y_pred"] = y_pred
    given = () if y_proba is None else (y_proba,)
    fallback: float = decline("log_loss")(y_true, *given, **options)
    return fallback


def brier_score_loss(
    y_true: Any,
    y_proba: Any,
    *,
    sample_weight: Any = None,
    pos_label: Any = None,
    labels: Any = None,
    scale_by_half: Any = "auto",
) -> float:
    """Mean squared distance between the predicted probabilities and the outcome.

    Drop-in for `sklearn.metrics.brier_score_loss` (Brier 1950).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels: integers of any width, bool, whole floats or strings, read in place.
    y_proba : array-like of shape (n_samples,) or (n_samples, n_classes)
        Probabilities in [0, 1]: of the positive class, or one column a class in the order of the
        sorted labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    pos_label : int, float, bool or str, default=None
        The positive class; by default 1, or the greater label.
    labels : array-like of shape (n_classes,), default=None
        All classes, where `y_true` may lack some (several columns only).
    scale_by_half : bool or "auto", default="auto"
        Whether the result lies in [0, 1] instead of [0, 2]; "auto" does so for two classes.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As scikit-learn: values outside [0, 1], more than two classes for one column.

    Examples
    --------
    >>> from mlestar.metrics import brier_score_loss
    >>> round(brier_score_loss([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3]), 6)
    0.0375
    """
    p = as_array(y_proba)
    if p is not None and (isinstance(scale_by_half, bool) or scale_by_half == "auto"):
        loss = _brier(y_true, p, sample_weight, pos_label, labels)
        if loss is not None:
            answered("brier_score_loss")
            binary = p.ndim == 1 or p.shape[1] < 3
            one_sided = p.ndim == 1 or p.shape[1] == 1  # the core counts the positive class once
            half = binary if scale_by_half == "auto" else scale_by_half
            return loss * (1.0 if half else 2.0) if one_sided else loss * (0.5 if half else 1.0)
    fallback: float = decline("brier_score_loss")(
        y_true,
        y_proba,
        sample_weight=sample_weight,
        pos_label=pos_label,
        labels=labels,
        scale_by_half=scale_by_half,
    )
    return fallback


def d2_log_loss_score(
    y_true: Any,
    y_proba: Any = None,
    *,
    sample_weight: Any = None,
    labels: Any = None,
    y_pred: Any = "deprecated",
) -> float:
    """Fraction of the log loss of the class frequencies that is explained (McFadden 1974).

    Drop-in for `sklearn.metrics.d2_log_loss_score`; parameters and errors as in `log_loss`.

    Returns
    -------
    float
        At most 1; 0 for predicting the frequencies.

    Warns
    -----
    UndefinedMetricWarning
        With fewer than two samples; the result is NaN.

    Examples
    --------
    >>> from mlestar.metrics import d2_log_loss_score
    >>> round(d2_log_loss_score([1, 0, 0, 1], [0.9, 0.1, 0.2, 0.65]), 6)
    0.688144
    """
    if isinstance(y_pred, str) and y_pred == "deprecated":
        if _too_few(y_true, y_proba, sample_weight):
            answered("d2_log_loss_score")
            return float("nan")
        parts = None if _is_half(y_proba) else _frequencies(y_true, sample_weight)
        loss = None
        if parts is not None:
            loss = _rule(_core.metrics.log_loss, y_true, y_proba, sample_weight, labels, False)
        if parts is not None and loss is not None:
            # Through the same sums as the loss, so that predicting the shares scores 0.
            null = _rule(_core.metrics.log_loss, y_true, parts, sample_weight, None, False, False)
            if null:
                answered("d2_log_loss_score")
                return 1 - loss / null
    options = {"sample_weight": sample_weight, "labels": labels}
    if not (isinstance(y_pred, str) and y_pred == "deprecated"):
        options["y_pred"] = y_pred
    given = () if y_proba is None else (y_proba,)
    fallback: float = decline("d2_log_loss_score")(y_true, *given, **options)
    return fallback


def d2_brier_score(
    y_true: Any,
    y_proba: Any,
    *,
    sample_weight: Any = None,
    pos_label: Any = None,
    labels: Any = None,
) -> float:
    """Fraction of the Brier score of the class frequencies that is explained: the skill score.

    Drop-in for `sklearn.metrics.d2_brier_score`; parameters and errors as in `brier_score_loss`.

    Returns
    -------
    float
        At most 1; 0 for predicting the frequencies.

    Warns
    -----
    UndefinedMetricWarning
        With fewer than two samples; the result is NaN.

    Examples
    --------
    >>> from mlestar.metrics import d2_brier_score
    >>> round(d2_brier_score([1, 0, 0, 1], [0.9, 0.1, 0.2, 0.65]), 6)
    0.8175
    """
    if _too_few(y_true, y_proba, sample_weight):
        answered("d2_brier_score")
        return float("nan")
    parts = None if _is_half(y_proba) else _frequencies(y_true, sample_weight)
    p = as_array(y_proba)
    if parts is not None and p is not None:
        loss = _brier(y_true, p, sample_weight, pos_label, labels)
        one_sided = p.ndim == 1 or p.shape[1] == 1
        if one_sided:  # the core counts the positive class once; which one is, is all the same
            parts = parts[:, 1]
        null = None
        if loss is not None:
            codes = encode(as_flat(y_true))
            t = as_flat(y_true) if codes is None else codes.y_true
            positive = t.max() if one_sided else None
            null = _brier(t, parts, sample_weight, positive, None, False)
        if loss is not None and null:
            answered("d2_brier_score")
            return 1 - loss / null
    fallback: float = decline("d2_brier_score")(
        y_true, y_proba, sample_weight=sample_weight, pos_label=pos_label, labels=labels
    )
    return fallback


def hinge_loss(
    y_true: Any, pred_decision: Any, *, labels: Any = None, sample_weight: Any = None
) -> float:
    """Mean of max(0, 1 - margin), the loss of support vector machines.

    Drop-in for `sklearn.metrics.hinge_loss` (Crammer and Singer 2001 for several classes).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels: integers of any width, bool, whole floats or strings; of two, the greater is the
        positive one.
    pred_decision : array-like of shape (n_samples,) or (n_samples, n_classes)
        Decision values of the positive label, or one column a class.
    labels : array-like, default=None
        All classes, where `y_true` may lack some.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.

    Returns
    -------
    float
        >= 0.

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, columns that do not match the classes.

    Examples
    --------
    >>> from mlestar.metrics import hinge_loss
    >>> round(hinge_loss([-1, 1, 1], [-2.18, 2.36, 0.09]), 6)
    0.303333
    """
    loss = None
    t, d = as_flat(y_true), as_flat(pred_decision)
    w = None if sample_weight is None else as_array(sample_weight)
    if t is not None and d is not None and (sample_weight is None or w is not None):
        known = None if labels is None else np.unique(np.asarray(labels))
        if (codes := encode(t, known)) is not None:
            t, known = codes.y_true, codes.y_pred
        if d.ndim == 1 and known is None:
            loss = _core.metrics.hinge_loss(t, d, w, None)
        elif d.ndim == 2 and d.shape[1] > 2:
            loss = _core.metrics.hinge_loss(t, d, w, known)
    if loss is None:
        fallback: float = decline("hinge_loss")(
            y_true, pred_decision, labels=labels, sample_weight=sample_weight
        )
        return fallback
    answered("hinge_loss")
    return loss


def _too_few(y_true: Any, y_proba: Any, sample_weight: Any) -> bool:
    """Whether there is one sample, which scikit-learn warns of; warned of then."""
    t, p = as_array(y_true), as_array(y_proba)
    w = sample_weight if sample_weight is None else as_array(sample_weight)
    if t is None or p is None or (w is None) != (sample_weight is None):
        return False
    if any(a is not None and (a.ndim == 0 or len(a) != 1) for a in (t, p, w)):
        return False
    from sklearn.exceptions import UndefinedMetricWarning

    warnings.warn(
        "D^2 score is not well-defined with less than two samples.",
        UndefinedMetricWarning,
        stacklevel=3,
    )
    return True


def _is_half(y_proba: Any) -> bool:
    """Half precision, whose losses scikit-learn computes in half precision too."""
    p = as_array(y_proba)
    return p is not None and bool(p.dtype == np.float16)


def _frequencies(y_true: Any, sample_weight: Any) -> Any | None:
    """The share of each class that occurs, in every row (of no memory); None to decline."""
    t = as_flat(y_true)
    if t is not None and t.ndim == 2:
        found = by_label(t, t, sample_weight)
        if found is None:
            return None
        return np.broadcast_to(found.sums.truth / found.weight, t.shape)
    table = table_of(y_true, y_true, sample_weight)
    if table is None or len(table.labels) < 2:
        return None
    weights = table.cells.diagonal().astype(np.float64)
    return np.broadcast_to(weights / weights.sum(), (len(y_true), len(weights)))


def _rule(
    function: Any,
    y_true: Any,
    y_proba: Any,
    sample_weight: Any,
    labels: Any,
    last: Any,
    warn: bool = True,
) -> float | None:
    """One scoring rule of the core on codes where labels are strings; None to decline."""
    t, p = _widen(as_flat(y_true)), _widen(as_array(y_proba))
    w = None if sample_weight is None else as_array(sample_weight)
    known = None if labels is None else as_array(labels)
    if p is None or t is None or (sample_weight is not None and w is None):
        return None
    if labels is not None and (known is None or known.ndim != 1):
        return None
    if t.ndim == 2 and as_array(y_proba).dtype == np.float16:
        return None  # clipped by the epsilon of its own type
    if (codes := encode(t, known)) is not None:
        t = codes.y_true
        if known is not None:
            known = codes.y_pred
    if known is not None and not (known[1:] > known[:-1]).all():
        return None  # scikit-learn warns that it sorts them
    found: tuple[float, bool] | None
    if t.ndim == 2:  # indicators of several labels, each row's losses added up
        brier = function is _core.metrics.brier_score
        mean = True if brier else last
        found = None
        if known is None and p.ndim == 2:
            found = _core.metrics.indicator_score("brier" if brier else "log", t, p, w, mean)
    else:
        found = function(t, p, w, known, last)
    if found is None:
        return None
    loss, normalized = found
    if not normalized and warn:
        warnings.warn(
            "The y_prob values do not sum to one. Make sure to pass probabilities.",
            UserWarning,
            stacklevel=3,
        )
    return loss


def _widen(array: Any) -> Any:
    """Half precision as doubles, which holds every value; scikit-learn does the same."""
    return array.astype(np.float64) if array is not None and array.dtype == np.float16 else array


def _brier(
    y_true: Any, p: Any, sample_weight: Any, pos_label: Any, labels: Any, warn: bool = True
) -> float | None:
    if p.ndim == 2 and p.shape[1] > 1:
        return _rule(_core.metrics.brier_score, y_true, p, sample_weight, labels, None, warn)
    t = as_flat(y_true)
    if t is None:
        return None
    positive: int | None
    if (codes := encode(t)) is not None:
        # Which string is the positive one has to be said; scikit-learn's error says how.
        positive = codes.code(pos_label)
        if positive is None or len(codes.values) > 2:
            return None
        t = codes.y_true
    else:
        positive = None if pos_label is None else as_integer(pos_label)
        if pos_label is not None and positive is None:
            return None
    return _rule(_core.metrics.brier_score, np.asarray(t), p, sample_weight, None, positive)
