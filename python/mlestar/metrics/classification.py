"""Metrics of hard class predictions."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np

from mlestar._arrays import as_array, as_flat
from mlestar._calls import answered, decline, metric_warning
from mlestar._native import _core
from mlestar.metrics._labels import as_integer, encode
from mlestar.metrics._sets import scores_of
from mlestar.metrics._table import table_of, warn_single_label
from mlestar.metrics.multilabel import by_label, by_sample

_AVERAGES = ("binary", "micro", "macro", "weighted")


def accuracy_score(
    y_true: Any, y_pred: Any, *, normalize: bool = True, sample_weight: Any = None
) -> float:
    """Fraction of predictions that equal the true label, or all labels of a sample.

    Drop-in for `sklearn.metrics.accuracy_score`.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_labels)
        Labels: integers of any width, bool, whole floats or strings, read in place; or indicators
        of 0 and 1.
    normalize : bool, default=True
        False returns the number (or weight) of equal labels instead of their fraction.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.

    Returns
    -------
    float
        In [0, 1] if `normalize`.

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, no samples, labels that are not classes.

    Examples
    --------
    >>> from mlestar.metrics import accuracy_score
    >>> accuracy_score([0, 1, 2, 3], [0, 2, 1, 3])
    0.5
    """
    if normalize is True or normalize is False:
        t, p = as_flat(y_true), as_flat(y_pred)
        score = right_labels(t, p, sample_weight, normalize)
        if score is None and (sets := by_label(t, p, sample_weight)) is not None:
            score = sets.exact / sets.weight if normalize else sets.exact
        if score is not None:
            answered("accuracy_score")
            return score
    fallback: float = decline("accuracy_score")(
        y_true, y_pred, normalize=normalize, sample_weight=sample_weight
    )
    return fallback


def right_labels(t: Any, p: Any, sample_weight: Any, share: bool) -> float | None:
    """The weight of the labels that are right, or its share, in one pass; None to decline."""
    w = None if sample_weight is None else as_array(sample_weight)
    if sample_weight is not None and w is None:
        return None
    found: float | None = _core.metrics.accuracy(t, p, w, share)
    if found is None and (codes := encode(t, p)):
        found = _core.metrics.accuracy(codes.y_true, codes.y_pred, w, share)
    return found


def confusion_matrix(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    sample_weight: Any = None,
    normalize: str | None = None,
) -> Any:
    """Counts of each pair of true (row) and predicted (column) label.

    Drop-in for `sklearn.metrics.confusion_matrix`.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Labels: integers of any width, bool, whole floats or strings, read in place.
    labels : array-like of shape (n_classes,), default=None
        Labels to report, in this order; by default all that occur, sorted.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    normalize : {"true", "pred", "all"}, default=None
        Divide by the sum of the row, of the column or of everything.

    Returns
    -------
    ndarray of shape (n_classes, n_classes)
        int64, or float64 where the weights are fractions or `normalize` is given.

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, no label of `labels` in `y_true`.

    Examples
    --------
    >>> from mlestar.metrics import confusion_matrix
    >>> confusion_matrix([2, 0, 2, 2, 0, 1], [0, 0, 2, 2, 0, 2])
    array([[2, 0, 0],
           [0, 0, 1],
           [1, 0, 2]])
    """
    matrix = None
    if normalize in (None, "true", "pred", "all"):
        table = table_of(y_true, y_pred, sample_weight)
        matrix = None if table is None else table.of_labels(labels)
    if matrix is None:
        return decline("confusion_matrix")(
            y_true, y_pred, labels=labels, sample_weight=sample_weight, normalize=normalize
        )
    answered("confusion_matrix")
    if matrix.shape == (1, 1):
        warn_single_label()
    if normalize is None:
        return matrix
    with np.errstate(all="ignore"):
        if normalize == "true":
            matrix = matrix / matrix.sum(axis=1, keepdims=True)
        elif normalize == "pred":
            matrix = matrix / matrix.sum(axis=0, keepdims=True)
        else:
            matrix = matrix / matrix.sum()
    return np.nan_to_num(matrix)


def precision_recall_fscore_support(
    y_true: Any,
    y_pred: Any,
    *,
    beta: float = 1.0,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = None,
    warn_for: Iterable[str] = ("precision", "recall", "f-score"),
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Precision, recall, F-score and support of each class or averaged.

    Drop-in for `sklearn.metrics.precision_recall_fscore_support`.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_labels)
        Labels: integers of any width, bool, whole floats or strings, read in place; or indicators
        of 0 and 1.
    beta : float, default=1.0
        Weight of recall against precision in the F-score, >= 0.
    labels : array-like, default=None
        Labels to report, in this order; by default all that occur, sorted.
    pos_label : int, float, bool or str, default=1
        The class to report where `average` is "binary".
    average : {"binary", "micro", "macro", "samples", "weighted"}, default=None
        None gives one value a class.
    warn_for : iterable of str
        Which of the three warn where they are undefined.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    zero_division : {"warn", 0.0, 1.0, np.nan}, default="warn"
        Value where a denominator is zero; "warn" is 0 with a warning.

    Returns
    -------
    precision, recall, fbeta_score : float, or ndarray of shape (n_classes,)
    support : None if averaged, else ndarray of shape (n_classes,)
        True samples (or weight) of each class.

    Warns
    -----
    UndefinedMetricWarning
        Where a denominator is zero and `zero_division` is "warn".

    Examples
    --------
    >>> from mlestar.metrics import precision_recall_fscore_support
    >>> p, r, f, _ = precision_recall_fscore_support([0, 1, 1], [0, 1, 0], average="macro")
    >>> p, r
    (0.75, 0.75)
    """
    result = _prf(
        y_true, y_pred, beta, labels, pos_label, average, warn_for, sample_weight, zero_division
    )
    if result is None:
        return decline("precision_recall_fscore_support")(
            y_true,
            y_pred,
            beta=beta,
            labels=labels,
            pos_label=pos_label,
            average=average,
            warn_for=warn_for,
            sample_weight=sample_weight,
            zero_division=zero_division,
        )
    answered("precision_recall_fscore_support")
    return result


def precision_score(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """True positives among predicted positives.

    Drop-in for `sklearn.metrics.precision_score`; parameters, returns, errors and warnings as in
    `precision_recall_fscore_support`.

    Examples
    --------
    >>> from mlestar.metrics import precision_score
    >>> precision_score([0, 1, 1, 0], [0, 1, 1, 1], average="binary")
    0.6666666666666666
    """
    result = _prf(
        y_true,
        y_pred,
        1.0,
        labels,
        pos_label,
        average,
        ("precision",),
        sample_weight,
        zero_division,
    )
    if result is None:
        return decline("precision_score")(
            y_true,
            y_pred,
            labels=labels,
            pos_label=pos_label,
            average=average,
            sample_weight=sample_weight,
            zero_division=zero_division,
        )
    answered("precision_score")
    return result[0]


def recall_score(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Positives found among all true positives.

    Drop-in for `sklearn.metrics.recall_score`; parameters, returns, errors and warnings as in
    `precision_recall_fscore_support`.

    Examples
    --------
    >>> from mlestar.metrics import recall_score
    >>> recall_score([0, 1, 1, 0], [0, 1, 0, 1], average="binary")
    0.5
    """
    result = _prf(
        y_true, y_pred, 1.0, labels, pos_label, average, ("recall",), sample_weight, zero_division
    )
    if result is None:
        return decline("recall_score")(
            y_true,
            y_pred,
            labels=labels,
            pos_label=pos_label,
            average=average,
            sample_weight=sample_weight,
            zero_division=zero_division,
        )
    answered("recall_score")
    return result[1]


def f1_score(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Harmonic mean of precision and recall.

    Drop-in for `sklearn.metrics.f1_score`; parameters, returns, errors and warnings as in
    `precision_recall_fscore_support`.

    Examples
    --------
    >>> from mlestar.metrics import f1_score
    >>> round(f1_score([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1], average="macro"), 6)
    0.266667
    """
    result = _prf(
        y_true, y_pred, 1.0, labels, pos_label, average, ("f-score",), sample_weight, zero_division
    )
    if result is None:
        return decline("f1_score")(
            y_true,
            y_pred,
            labels=labels,
            pos_label=pos_label,
            average=average,
            sample_weight=sample_weight,
            zero_division=zero_division,
        )
    answered("f1_score")
    return result[2]


def fbeta_score(
    y_true: Any,
    y_pred: Any,
    *,
    beta: float,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Weighted harmonic mean of precision and recall.

    Drop-in for `sklearn.metrics.fbeta_score`; parameters, returns, errors and warnings as in
    `precision_recall_fscore_support`.

    Examples
    --------
    >>> from mlestar.metrics import fbeta_score
    >>> round(fbeta_score([0, 1, 1, 0], [0, 1, 1, 1], beta=0.5), 6)
    0.714286
    """
    result = _prf(
        y_true, y_pred, beta, labels, pos_label, average, ("f-score",), sample_weight, zero_division
    )
    if result is None:
        return decline("fbeta_score")(
            y_true,
            y_pred,
            beta=beta,
            labels=labels,
            pos_label=pos_label,
            average=average,
            sample_weight=sample_weight,
            zero_division=zero_division,
        )
    answered("fbeta_score")
    return result[2]


def _prf(
    y_true: Any,
    y_pred: Any,
    beta: Any,
    labels: Any,
    pos_label: Any,
    average: str | None,
    warn_for: Iterable[str],
    sample_weight: Any,
    zero_division: Any,
) -> tuple[Any, Any, Any, Any] | None:
    """The four results, warned about where they are undefined; None to decline."""
    if not (average is None or average in _AVERAGES or average == "samples"):
        return None
    if isinstance(beta, bool) or not isinstance(beta, Real) or not float(beta) >= 0:
        return None
    if average != "binary" and not (pos_label is None or pos_label == 1):
        return None  # scikit-learn warns that it is ignored
    filler = _zero_division(zero_division)
    w = None if sample_weight is None else as_array(sample_weight)
    if filler is None or (sample_weight is not None and w is None):
        return None
    t, p = as_flat(y_true), as_flat(y_pred)
    if t is not None and t.ndim == 2 and t.shape[1] > 1:
        return _of_indicators(t, p, float(beta), labels, average, warn_for, w, zero_division)
    if average == "samples":
        return None
    mode = "none" if average is None else average

    if (codes := encode(t, p)) is not None:
        t, p = codes.y_true, codes.y_pred
        wanted = None if labels is None else [codes.code(label) for label in labels]
        positive = codes.code(pos_label) if average == "binary" else 0
    else:
        wanted = None if labels is None else _integer_labels(labels)
        positive = as_integer(pos_label) if average == "binary" else 0
        if labels is not None and wanted is None:
            return None
    if positive is None or (wanted is not None and None in wanted):
        return None
    known = None if wanted is None else [label for label in wanted if label is not None]
    found = _core.metrics.precision_recall_fscore(
        t, p, w, float(beta), mode, positive, known, filler
    )
    if found is None:
        return None
    *result, undefined, unseen, terms = found
    if zero_division == "warn" and True in undefined:
        _warn_undefined(undefined, average, warn_for, terms)
    if unseen and average == "macro" and labels is None and tuple(warn_for) != ("recall",):
        warn_of_unseen(unseen)
    return tuple(result)


def warn_of_unseen(classes: int, stacklevel: int = 5) -> None:
    """Say that classes which only occur among the predictions pull a macro average down."""
    metric_warning(
        f"y_pred holds {classes} class{'' if classes == 1 else 'es'} that y_true does not; the "
        "macro average counts each as 0. Pass labels= to average over the classes you mean.",
        stacklevel=stacklevel,
    )


def _of_indicators(
    t: Any,
    p: Any,
    beta: float,
    labels: Any,
    average: str | None,
    warn_for: Iterable[str],
    w: Any,
    zero_division: Any,
) -> tuple[Any, Any, Any, Any] | None:
    if average == "binary":
        return None
    if average == "samples":
        sums = by_sample(t, p, w, labels)
    else:
        found = by_label(t, p, w, labels)
        sums = None if found is None else found.sums
    if sums is None:
        return None
    return scores_of(sums, beta, average, warn_for, zero_division, w)


def _integer_labels(labels: Any) -> list[int | None] | None:
    array = np.asarray(labels)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "biuf":
        return None
    return [as_integer(label) for label in array.tolist()]


def _zero_division(value: Any) -> float | None:
    if isinstance(value, str):
        return 0.0 if value == "warn" else None
    if isinstance(value, Real) and (value in (0, 1) or value != value):
        return float(value)
    return None


def _warn_undefined(
    undefined: tuple[bool, bool, bool], average: str | None, warn_for: Iterable[str], terms: int
) -> None:
    """scikit-learn's words for a denominator of zero."""
    from sklearn.exceptions import UndefinedMetricWarning

    kinds = (
        ("precision", "predicted"),
        ("recall", "true"),
        ("f-score", "true nor predicted"),
    )
    place = "due to" if terms == 1 else "in labels with"
    for (metric, modifier), is_undefined in zip(kinds, undefined, strict=True):
        if is_undefined and metric in warn_for:
            warnings.warn(
                f"{metric.capitalize()} is ill-defined and being set to 0.0 {place} no {modifier} "
                "samples. Use `zero_division` parameter to control this behavior.",
                UndefinedMetricWarning,
                stacklevel=4,
            )
