"""Metrics that are functions of the confusion matrix: one pass over the labels, then its cells."""

from __future__ import annotations

import math
import warnings
from numbers import Real
from typing import Any

import numpy as np

from mlestar._arrays import as_flat
from mlestar._calls import answered, decline
from mlestar.metrics._labels import as_integer
from mlestar.metrics._sets import Sums, divide
from mlestar.metrics._table import Table, table_of, warn_single_label, warn_undefined
from mlestar.metrics.classification import right_labels, warn_of_unseen
from mlestar.metrics.multilabel import by_label, by_sample


def balanced_accuracy_score(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, adjusted: bool = False
) -> float:
    """Mean over the classes of the fraction of each that is found.

    Drop-in for `sklearn.metrics.balanced_accuracy_score`.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Labels: integers of any width, bool, whole floats or strings, read in place.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    adjusted : bool, default=False
        Whether chance scores 0 instead of one over the number of classes.

    Returns
    -------
    float
        At most 1.

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, no samples, labels that are not classes.

    Warns
    -----
    UserWarning
        Where `y_pred` holds classes that `y_true` does not.

    Examples
    --------
    >>> from mlestar.metrics import balanced_accuracy_score
    >>> balanced_accuracy_score([0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1])
    0.625
    """
    table = table_of(y_true, y_pred, sample_weight) if isinstance(adjusted, bool) else None
    if table is not None and len(table.labels) > 1:
        true = table.cells.sum(axis=1)
        if true.all():  # a class that is only predicted is worth scikit-learn's warning
            answered("balanced_accuracy_score")
            score = float(np.mean(table.cells.diagonal() / true))
            chance = 1 / len(table.labels)
            return (score - chance) / (1 - chance) if adjusted else score
    fallback: float = decline("balanced_accuracy_score")(
        y_true, y_pred, sample_weight=sample_weight, adjusted=adjusted
    )
    return fallback


def zero_one_loss(
    y_true: Any, y_pred: Any, *, normalize: bool = True, sample_weight: Any = None
) -> float:
    """Fraction (or, not normalized, number or weight) of wrong predictions.

    Drop-in for `sklearn.metrics.zero_one_loss`; parameters and errors as in `accuracy_score`.

    Returns
    -------
    float
        In [0, 1] if `normalize`.

    Examples
    --------
    >>> from mlestar.metrics import zero_one_loss
    >>> zero_one_loss([1, 2, 3, 4], [2, 2, 3, 4])
    0.25
    """
    if normalize is True:
        share = right_labels(as_flat(y_true), as_flat(y_pred), sample_weight, True)
        if share is not None:
            answered("zero_one_loss")
            return 1 - share
    table = table_of(y_true, y_pred, sample_weight) if isinstance(normalize, bool) else None
    if table is not None:
        answered("zero_one_loss")
        hits, all_ = table.cells.trace(), table.cells.sum()
        return float(1 - hits / all_) if normalize else float(all_ - hits)
    sets = by_label(y_true, y_pred, sample_weight) if isinstance(normalize, bool) else None
    if sets is not None:
        answered("zero_one_loss")
        return 1 - sets.exact / sets.weight if normalize else sets.weight - sets.exact
    fallback: float = decline("zero_one_loss")(
        y_true, y_pred, normalize=normalize, sample_weight=sample_weight
    )
    return fallback


def hamming_loss(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Fraction of labels that are wrong.

    Drop-in for `sklearn.metrics.hamming_loss`; parameters and errors as in
    `balanced_accuracy_score`.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> from mlestar.metrics import hamming_loss
    >>> hamming_loss([2, 2, 3, 4], [1, 2, 3, 4])
    0.25
    """
    if sample_weight is None:
        t = as_flat(y_true)
        right = right_labels(t, as_flat(y_pred), None, False)
        if right is not None:
            answered("hamming_loss")
            return (len(t) - right) / len(t)
    table = table_of(y_true, y_pred, sample_weight)
    if table is not None:
        answered("hamming_loss")
        wrong = table.cells.copy()
        np.fill_diagonal(wrong, 0)
        return float(wrong.sum() / table.cells.sum())
    sets = by_label(y_true, y_pred, sample_weight)
    if sets is not None:
        answered("hamming_loss")
        hit, predicted, truth = (float(values.sum()) for values in sets.sums)
        loss = (predicted + truth - 2 * hit) / (sets.weight * len(sets.sums.hit))
        return loss if sample_weight is None else np.float64(loss)  # scikit-learn's types
    fallback: float = decline("hamming_loss")(y_true, y_pred, sample_weight=sample_weight)
    return fallback


def matthews_corrcoef(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Correlation of true and predicted classes (Matthews 1975; Gorodkin 2004 for many classes).

    Drop-in for `sklearn.metrics.matthews_corrcoef`; parameters and errors as in
    `balanced_accuracy_score`.

    Returns
    -------
    float
        In [-1, 1]; 0 where it is undefined.

    Examples
    --------
    >>> from mlestar.metrics import matthews_corrcoef
    >>> round(matthews_corrcoef([1, 1, 1, 0], [1, 0, 1, 1]), 6)
    -0.333333
    """
    table = table_of(y_true, y_pred, sample_weight)
    if table is not None:
        answered("matthews_corrcoef")
        if len(table.labels) == 1:
            warn_single_label()
        cells = table.cells.astype(np.float64)
        true, predicted = cells.sum(axis=1), cells.sum(axis=0)
        count = predicted.sum()
        both = np.trace(cells) * count - true @ predicted
        spread = (count * count - predicted @ predicted) * (count * count - true @ true)
        return 0.0 if spread == 0 else float(both / math.sqrt(spread))
    fallback: float = decline("matthews_corrcoef")(y_true, y_pred, sample_weight=sample_weight)
    return fallback


def cohen_kappa_score(
    y1: Any,
    y2: Any,
    *,
    labels: Any = None,
    weights: str | None = None,
    sample_weight: Any = None,
    replace_undefined_by: Any = np.nan,
) -> Any:
    """Agreement of two raters beyond chance (Cohen 1960).

    Drop-in for `sklearn.metrics.cohen_kappa_score`.

    Parameters
    ----------
    y1, y2 : array-like of shape (n_samples,)
        Labels by each rater: integers of any width, bool, whole floats or strings.
    labels : array-like of shape (n_classes,), default=None
        The classes, in their order; by default all that occur, sorted.
    weights : {"linear", "quadratic"}, default=None
        What a disagreement costs by the distance of the classes; None: all the same.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    replace_undefined_by : float, default=np.nan
        The result where it is undefined, in [-1, 1] or NaN.

    Returns
    -------
    float
        At most 1.

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, no label of `labels` in `y1`.

    Warns
    -----
    UndefinedMetricWarning
        Where it is undefined.

    Examples
    --------
    >>> from mlestar.metrics import cohen_kappa_score
    >>> round(cohen_kappa_score([0, 1, 1, 0], [0, 1, 0, 0]), 6)
    0.5
    """
    table = None
    known = isinstance(replace_undefined_by, Real) and not abs(float(replace_undefined_by)) > 1
    if known and weights in (None, "linear", "quadratic"):
        table = table_of(y1, y2, sample_weight)
    cells = None if table is None else table.of_labels(labels)
    if cells is not None:
        answered("cohen_kappa_score")
        if len(cells) == 1:
            warn_single_label()
        cells = cells.astype(np.float64)
        first, second = cells.sum(axis=1), cells.sum(axis=0)
        apart = np.arange(len(cells))
        if weights is None:
            cost = 1.0 - np.eye(len(cells))
        else:
            cost = np.abs(apart[:, None] - apart[None, :]).astype(np.float64)
            cost = cost if weights == "linear" else cost**2
        count = second.sum()
        # By chance, as the raters' own frequencies have it.
        chance = 0.0 if count == 0 else float((cost * np.outer(second, first)).sum() / count)
        if chance != 0:
            return float(1 - (cost * cells).sum() / chance)
        replaced = f"the `replace_undefined_by` param, which is set to {replace_undefined_by}."
        if count == 0:
            warn_undefined(
                "`y2` contains no labels that are present in both `y1` and `labels`."
                "`cohen_kappa_score` is undefined and set to the value defined by " + replaced
            )
        else:
            warn_undefined(
                "`y1`, `y2` and `labels` have only one label in common. `cohen_kappa_score` is "
                "undefined and set to the value defined by the " + replaced
            )
        return replace_undefined_by
    return decline("cohen_kappa_score")(
        y1,
        y2,
        labels=labels,
        weights=weights,
        sample_weight=sample_weight,
        replace_undefined_by=replace_undefined_by,
    )


def jaccard_score(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Samples of a class in both arrays among those in either (Jaccard 1912).

    Drop-in for `sklearn.metrics.jaccard_score`.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_labels)
        Labels: integers of any width, bool, whole floats or strings, read in place; or indicators
        of 0 and 1.
    labels : array-like of shape (n_classes,), default=None
        Classes to report, in this order; by default all that occur, sorted.
    pos_label : int, float, bool or str, default=1
        The class to report where `average` is "binary".
    average : {"binary", "micro", "macro", "samples", "weighted"} or None, default="binary"
        None gives one value a class.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    zero_division : {"warn", 0, 1}, default="warn"
        Value of a class that is in neither; "warn" is 0 with a warning.

    Returns
    -------
    float, or ndarray of shape (n_classes,)
        In [0, 1].

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, "binary" with more than two classes.

    Warns
    -----
    UndefinedMetricWarning
        Where a class is in neither array and `zero_division` is "warn".

    Examples
    --------
    >>> from mlestar.metrics import jaccard_score
    >>> jaccard_score([0, 1, 1], [1, 1, 1])
    0.6666666666666666
    """
    sums = None
    if zero_division == "warn" or zero_division in (0, 1):
        sums = _sums(y_true, y_pred, labels, pos_label, average, sample_weight)
    if sums is not None:
        answered("jaccard_score")
        if average != "binary" and pos_label not in (None, 1):
            warnings.warn(
                f"Note that pos_label (set to {pos_label!r}) is ignored when average != 'binary' "
                f"(got {average!r}). You may use labels=[pos_label] to specify a single positive "
                "class.",
                UserWarning,
                stacklevel=2,
            )
        hits, predicted, true = sums
        either = predicted + true - hits
        if average == "micro":
            hits, either = hits.sum(keepdims=True), either.sum(keepdims=True)
        words = "true or predicted"
        scores = divide(hits, either, "jaccard", words, average, ("jaccard",), zero_division)
        if average is None:
            return scores
        unseen = int(((true == 0) & (predicted != 0)).sum())
        if unseen and average == "macro" and labels is None:
            warn_of_unseen(unseen, stacklevel=4)
        weights = true if average == "weighted" and true.any() else None
        if average == "samples" and sample_weight is not None:
            weights = np.asarray(sample_weight)
        return float(np.average(scores, weights=weights))
    return decline("jaccard_score")(
        y_true,
        y_pred,
        labels=labels,
        pos_label=pos_label,
        average=average,
        sample_weight=sample_weight,
        zero_division=zero_division,
    )


def class_likelihood_ratios(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    sample_weight: Any = None,
    replace_undefined_by: Any = np.nan,
) -> tuple[float, float]:
    """How much a positive and a negative prediction change the odds of the positive class.

    Drop-in for `sklearn.metrics.class_likelihood_ratios`.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Labels of two classes: integers of any width, bool, whole floats or strings.
    labels : array-like of shape (2,), default=None
        Negative and positive class; by default the two that occur, sorted.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    replace_undefined_by : np.nan, 1.0 or dict, default=np.nan
        The results where they are undefined.

    Returns
    -------
    positive, negative : float
        Sensitivity over (1 - specificity), at least 0; (1 - sensitivity) over specificity.

    Raises
    ------
    ValueError
        As scikit-learn: more than two classes.

    Warns
    -----
    UndefinedMetricWarning
        Where a ratio is undefined.

    Examples
    --------
    >>> from mlestar.metrics import class_likelihood_ratios
    >>> class_likelihood_ratios([0, 1, 0, 1, 0], [1, 1, 0, 0, 0])
    (1.5, 0.75)
    """
    table = table_of(y_true, y_pred, sample_weight)
    cells = None if table is None or len(table.labels) != 2 else table.of_labels(labels)
    undefined = _ratios_where_undefined(replace_undefined_by)
    if undefined is not None and cells is not None and cells.shape == (2, 2):
        # Exact in Python's integers, however many samples there are.
        (rejected, wrong), (missed, hits) = cells.tolist()
        positives, negatives = hits + missed, wrong + rejected
        if positives:
            answered("class_likelihood_ratios")
            positive, negative = undefined
            if wrong:
                positive = hits * negatives / (wrong * positives)
            else:
                cause = (
                    "`positive_likelihood_ratio` is ill-defined and "
                    if hits
                    else "No samples were predicted for the positive class and "
                    "`positive_likelihood_ratio` is "
                )
                warn_undefined(cause + "set to `np.nan`. Use the `replace_undefined_by` param to ")
            if rejected:
                negative = missed * negatives / (rejected * positives)
            else:
                warn_undefined(
                    "`negative_likelihood_ratio` is ill-defined and set to `np.nan`. Use the "
                    "`replace_undefined_by` param to control this behavior. To suppress this "
                    "warning or turn it into an error, see Python's `warnings` module and "
                    "`warnings.catch_warnings()`."
                )
            return float(positive), float(negative)
    fallback: tuple[float, float] = decline("class_likelihood_ratios")(
        y_true,
        y_pred,
        labels=labels,
        sample_weight=sample_weight,
        replace_undefined_by=replace_undefined_by,
    )
    return fallback


def _sums(
    y_true: Any, y_pred: Any, labels: Any, pos_label: Any, average: Any, sample_weight: Any
) -> Sums | None:
    """Sums of the classes, labels or samples that `average` is about; None to decline."""
    if average == "samples":
        return by_sample(y_true, y_pred, sample_weight, labels)
    if average not in (None, "binary", "micro", "macro", "weighted"):
        return None
    table = table_of(y_true, y_pred, sample_weight)
    if table is None:
        found = None
        if average != "binary":
            found = by_label(y_true, y_pred, sample_weight, labels)
        return None if found is None else found.sums
    places = _positive(table, pos_label) if average == "binary" else table.places(labels)
    if places is None:
        return None
    _, wrong, missed, hits = table.one_against_rest(places)
    return Sums(hits, hits + wrong, hits + missed)


def _ratios_where_undefined(value: Any) -> tuple[float, float] | None:
    """Positive and negative ratio that the user wants there; None where that is not valid."""
    if isinstance(value, dict):
        positive, negative = value.get("LR+"), value.get("LR-")
    elif isinstance(value, Real) and (value == 1 or value != value):
        positive = negative = value
    else:
        return None
    if not isinstance(positive, Real) or not isinstance(negative, Real):
        return None
    ratios = float(positive), float(negative)
    return None if ratios[0] < 1 or ratios[1] < 0 or ratios[1] > 1 else ratios


def _positive(table: Table, pos_label: Any) -> list[int] | None:
    """The place of the positive label among at most two; None for scikit-learn's errors."""
    is_string = isinstance(pos_label, str)
    label = pos_label if is_string else as_integer(pos_label)
    if label is None or len(table.labels) > 2 or is_string != isinstance(table.labels[0], str):
        return None
    if label in table.labels:
        return [table.labels.index(label)]
    return [-1] if len(table.labels) == 1 else None
