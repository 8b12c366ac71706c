"""Predictions of several labels at once: matrices of indicators, counted by label or by sample."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mlestar._arrays import as_array
from mlestar._calls import answered, decline
from mlestar._native import _core
from mlestar.metrics._sets import Sums
from mlestar.metrics._table import table_of


def multilabel_confusion_matrix(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    labels: Any = None,
    samplewise: bool = False,
) -> Any:
    """The confusion matrix of each class against the rest.

    Drop-in for `sklearn.metrics.multilabel_confusion_matrix`.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_labels)
        Labels: integers of any width, bool, whole floats or strings, read in place; or indicators
        of 0 and 1.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    labels : array-like of shape (n_classes,), default=None
        Classes to report, in this order; by default all that occur, sorted.
    samplewise : bool, default=False
        One matrix a sample, of multilabel indicators only.

    Returns
    -------
    ndarray of shape (n_classes, 2, 2) or (n_samples, 2, 2)
        True negatives, false positives; false negatives, true positives.

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, `samplewise` without indicators.

    Examples
    --------
    >>> from mlestar.metrics import multilabel_confusion_matrix
    >>> multilabel_confusion_matrix([0, 1, 1], [0, 1, 0]).tolist()
    [[[1, 1], [0, 1]], [[1, 0], [1, 1]]]
    """
    table = None if samplewise else table_of(y_true, y_pred, sample_weight)
    places = None if table is None else table.places(labels)
    if table is not None and places is not None:
        answered("multilabel_confusion_matrix")
        counts = np.stack(table.one_against_rest(places), axis=1).reshape(-1, 2, 2)
        return counts if sample_weight is None else counts.astype(np.float64)
    if isinstance(samplewise, bool) and indicators(y_true, y_pred) is not None:
        matrices = _of_indicators(y_true, y_pred, sample_weight, labels, samplewise)
        if matrices is not None:
            answered("multilabel_confusion_matrix")
            return matrices
    return decline("multilabel_confusion_matrix")(
        y_true, y_pred, sample_weight=sample_weight, labels=labels, samplewise=samplewise
    )


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
    # The sums by label say whether these are indicators, and whether the weights can be used.
    if _core.metrics.label_counts(t, p, w) is None:
        return None
    if labels is not None:
        columns = _columns(labels, t.shape[1])
        if columns is None or len(columns) < 2:
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


def _of_indicators(
    y_true: Any, y_pred: Any, sample_weight: Any, labels: Any, samplewise: bool
) -> Any | None:
    if samplewise:
        sums = by_sample(y_true, y_pred, sample_weight, labels)
        width = np.asarray(y_true).shape[1] if labels is None else len(labels)
        all_: Any = width if sample_weight is None else np.asarray(sample_weight) * width
    else:
        found = by_label(y_true, y_pred, sample_weight, labels)
        sums = None if found is None else found.sums
        all_ = None if found is None else found.weight
        if found is not None and sample_weight is None:
            all_ = int(found.weight)
    if sums is None:
        return None
    hit, predicted, truth = sums
    counts = [all_ - predicted - truth + hit, predicted - hit, truth - hit, hit]
    return np.stack(counts, axis=1).reshape(-1, 2, 2)
