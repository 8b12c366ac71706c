"""Streaming metrics of hard class predictions: functions of a confusion table that grows."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from mlestar._native import _core
from mlestar.metrics._streaming_base import Metric
from mlestar.metrics.report import report_of_table

# What LabelMetric computes: functions of y_true, y_pred and sample_weight that depend on nothing
# but the confusion table.
FUNCTIONS = (
    "accuracy_score",
    "balanced_accuracy_score",
    "class_likelihood_ratios",
    "classification_report",
    "cohen_kappa_score",
    "confusion_matrix",
    "f1_score",
    "fbeta_score",
    "hamming_loss",
    "jaccard_score",
    "matthews_corrcoef",
    "multilabel_confusion_matrix",
    "precision_recall_fscore_support",
    "precision_score",
    "recall_score",
    "zero_one_loss",
)


class LabelMetric(Metric):
    """Any metric of labels, of rows that come in batches.

    Keeps the confusion table alone: integer counts of each pair of labels, the same for any
    batching and any order of merges. `compute` gives that table to the function of
    `mlestar.metrics`, so answers, options, warnings and errors are that function's on all rows at
    once.

    Parameters
    ----------
    function : str
        The name of a function of `mlestar.metrics`: one of accuracy_score,
        balanced_accuracy_score, class_likelihood_ratios, classification_report,
        cohen_kappa_score, confusion_matrix, f1_score, fbeta_score, hamming_loss, jaccard_score,
        matthews_corrcoef, multilabel_confusion_matrix, precision_recall_fscore_support,
        precision_score, recall_score, zero_one_loss.
    exact : bool, default=False
        Whether sums of weights are exact (the same bits for any batching) instead of within a
        rounding of it. Without weights the table is exact either way.
    **options
        The function's keyword arguments.

    Examples
    --------
    >>> from mlestar.metrics.streaming import LabelMetric
    >>> metric = LabelMetric("class_likelihood_ratios")
    >>> metric.update([0, 1, 0], [1, 1, 0])
    >>> metric.update([1, 0], [0, 0])
    >>> metric.compute()
    (1.5, 0.75)
    """

    def __init__(self, function: str, *, exact: bool = False, **options: Any) -> None:
        if function not in FUNCTIONS:
            raise ValueError(f"function is {function!r}, but must be one of {', '.join(FUNCTIONS)}")
        self._function = function
        self._exact = bool(exact)
        self._options = {name: _plain(value) for name, value in options.items()}
        super().__init__()

    def _make(self) -> Any:
        return _core.metrics.LabelTable(self._exact)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"function": self._function, "exact": self._exact, **self._options}

    def _shared_key(self) -> Any:
        return "table", self._exact

    def _result(self) -> Any:
        labels, row, column, weight = self.table()
        if self._function == "classification_report":
            options = dict(self._options)
            return report_of_table(
                labels,
                row,
                column,
                weight,
                weighted=self._core.weighted,
                labels_to_report=options.pop("labels", None),
                **options,
            )
        function = getattr(import_module("mlestar.metrics"), self._function)
        result = function(labels[row], labels[column], sample_weight=weight, **self._options)
        whole = weight.dtype.kind == "i"
        if whole and self._function == "multilabel_confusion_matrix":
            return result.astype(np.int64)
        if whole and self._function == "precision_recall_fscore_support":
            *scores, support = result
            return (*scores, None if support is None else support.astype(np.int64))
        return result

    def table(self) -> tuple[Any, Any, Any, Any]:
        """The confusion table: each pair of labels that occurred, once.

        Returns
        -------
        labels : ndarray of shape (n_labels,)
            Sorted; of integers or strings.
        true, predicted : ndarray of shape (n_pairs,)
            Places in `labels`.
        weight : ndarray of shape (n_pairs,)
            int64 unless there were weights of a floating type.
        """
        return pairs_of(self._core)


def pairs_of(table: Any) -> tuple[Any, Any, Any, Any]:
    """Labels, and the places of each pair that occurred among them, with its rows or weights."""
    labels, row, column, count, weight = table.cells()
    if table.weighted:
        whole = not table.fractional
        count = count + (weight.astype(np.int64) if whole else weight)
    return np.asarray(labels), row, column, count


def _plain(value: Any) -> Any:
    """Lists for arrays, so that parameters can be compared."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value


class _NamedLabelMetric(LabelMetric):
    """A `LabelMetric` whose function is the class's."""

    _name: str

    def __init__(self, *, exact: bool = False, **options: Any) -> None:
        super().__init__(self._name, exact=exact, **options)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {**self._options, "exact": self._exact}


class Accuracy(_NamedLabelMetric):
    """Fraction of predictions that equal the true label: `accuracy_score` of batches.

    Parameters
    ----------
    exact : bool, default=False
        As in `LabelMetric`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import Accuracy
    >>> metric = Accuracy()
    >>> metric.update([0, 1, 2], [0, 2, 1])
    >>> metric.update([3], [3])
    >>> metric.compute()
    0.5
    """

    _name = "accuracy_score"

    def __init__(self, *, exact: bool = False) -> None:
        super().__init__(exact=exact)


class BalancedAccuracy(_NamedLabelMetric):
    """Mean recall of the classes: `balanced_accuracy_score` of batches.

    Parameters
    ----------
    adjusted : bool, default=False
        Whether chance scores 0.
    exact : bool, default=False
        As in `LabelMetric`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import BalancedAccuracy
    >>> metric = BalancedAccuracy()
    >>> metric.update([0, 1, 0], [0, 1, 0])
    >>> metric.update([0, 1, 0], [0, 0, 1])
    >>> metric.compute()
    0.625
    """

    _name = "balanced_accuracy_score"

    def __init__(self, *, adjusted: bool = False, exact: bool = False) -> None:
        super().__init__(exact=exact, adjusted=adjusted)


class ConfusionMatrix(_NamedLabelMetric):
    """Counts of each pair of true (row) and predicted (column) label: `confusion_matrix`.

    Parameters
    ----------
    labels : array-like of shape (n_classes,), default=None
        Labels to report, in this order; by default all that occurred, sorted.
    normalize : {"true", "pred", "all"}, default=None
        Divide by the sum of the row, of the column or of everything.
    exact : bool, default=False
        As in `LabelMetric`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import ConfusionMatrix
    >>> metric = ConfusionMatrix()
    >>> metric.update(["cat", "dog"], ["cat", "cat"])
    >>> metric.update(["dog"], ["dog"])
    >>> metric.compute()
    array([[1, 0],
           [1, 1]])
    """

    _name = "confusion_matrix"

    def __init__(
        self, *, labels: Any = None, normalize: str | None = None, exact: bool = False
    ) -> None:
        super().__init__(exact=exact, labels=labels, normalize=normalize)


class _Averaged(_NamedLabelMetric):
    """A metric with scikit-learn's options of averaging."""

    def __init__(
        self,
        *,
        labels: Any = None,
        pos_label: Any = 1,
        average: str | None = "binary",
        zero_division: Any = "warn",
        exact: bool = False,
    ) -> None:
        super().__init__(
            exact=exact,
            labels=labels,
            pos_label=pos_label,
            average=average,
            zero_division=zero_division,
        )


class Precision(_Averaged):
    """Fraction of the positive predictions that are right: `precision_score` of batches.

    Parameters are those of `F1Score`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import Precision
    >>> metric = Precision()
    >>> metric.update([0, 1, 1], [1, 1, 0])
    >>> metric.compute()
    0.5
    """

    _name = "precision_score"


class Recall(_Averaged):
    """Fraction of the true positives that are found: `recall_score` of batches.

    Parameters are those of `F1Score`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import Recall
    >>> metric = Recall(average="macro")
    >>> metric.update([0, 1, 1], [0, 1, 0])
    >>> metric.compute()
    0.75
    """

    _name = "recall_score"


class F1Score(_Averaged):
    """Harmonic mean of precision and recall: `f1_score` of batches.

    Parameters
    ----------
    labels : array-like, default=None
        Labels to average over or to report, in this order; by default all that occurred, sorted.
    pos_label : int, float, bool or str, default=1
        The class to report where `average` is "binary".
    average : {"binary", "micro", "macro", "weighted"} or None, default="binary"
        None gives one value a class.
    zero_division : {"warn", 0.0, 1.0, np.nan}, default="warn"
        Value where a denominator is zero; "warn" is 0 with a warning.
    exact : bool, default=False
        As in `LabelMetric`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import F1Score
    >>> metric = F1Score(average="micro")
    >>> metric.update([0, 1, 2], [0, 2, 1])
    >>> metric.update([2], [2])
    >>> metric.compute()
    0.5
    """

    _name = "f1_score"


class JaccardIndex(_Averaged):
    """Intersection over union of the true and the predicted rows: `jaccard_score` of batches.

    Parameters are those of `F1Score`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import JaccardIndex
    >>> metric = JaccardIndex()
    >>> metric.update([0, 1, 1], [1, 1, 1])
    >>> round(metric.compute(), 6)
    0.666667
    """

    _name = "jaccard_score"


class FBetaScore(_NamedLabelMetric):
    """Weighted harmonic mean of precision and recall: `fbeta_score` of batches.

    Parameters
    ----------
    beta : float
        Weight of recall against precision, >= 0.
    labels, pos_label, average, zero_division, exact
        As in `F1Score`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import FBetaScore
    >>> metric = FBetaScore(beta=2.0)
    >>> metric.update([0, 1, 1], [1, 1, 0])
    >>> metric.compute()
    0.5
    """

    _name = "fbeta_score"

    def __init__(
        self,
        *,
        beta: float,
        labels: Any = None,
        pos_label: Any = 1,
        average: str | None = "binary",
        zero_division: Any = "warn",
        exact: bool = False,
    ) -> None:
        super().__init__(
            exact=exact,
            beta=beta,
            labels=labels,
            pos_label=pos_label,
            average=average,
            zero_division=zero_division,
        )


class MatthewsCorrCoef(_NamedLabelMetric):
    """Correlation of the true and the predicted classes: `matthews_corrcoef` of batches.

    Parameters
    ----------
    exact : bool, default=False
        As in `LabelMetric`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MatthewsCorrCoef
    >>> metric = MatthewsCorrCoef()
    >>> metric.update([1, 1], [1, 0])
    >>> metric.update([1, 0], [1, 0])
    >>> round(metric.compute(), 6)
    0.57735
    """

    _name = "matthews_corrcoef"

    def __init__(self, *, exact: bool = False) -> None:
        super().__init__(exact=exact)


class CohenKappa(_NamedLabelMetric):
    """Agreement beyond chance: `cohen_kappa_score` of batches.

    Parameters
    ----------
    labels : array-like of shape (n_classes,), default=None
        Labels to look at; by default all that occurred.
    weights : {"linear", "quadratic"}, default=None
        What a disagreement costs by the distance of the classes; None: all the same.
    exact : bool, default=False
        As in `LabelMetric`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import CohenKappa
    >>> metric = CohenKappa()
    >>> metric.update([0, 1], [0, 1])
    >>> metric.update([1, 0], [0, 0])
    >>> metric.compute()
    0.5
    """

    _name = "cohen_kappa_score"

    def __init__(
        self, *, labels: Any = None, weights: str | None = None, exact: bool = False
    ) -> None:
        super().__init__(exact=exact, labels=labels, weights=weights)


class ZeroOneLoss(_NamedLabelMetric):
    """Fraction of predictions that differ from the true label: `zero_one_loss` of batches.

    Parameters
    ----------
    normalize : bool, default=True
        False gives their number (or weight).
    exact : bool, default=False
        As in `LabelMetric`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import ZeroOneLoss
    >>> metric = ZeroOneLoss()
    >>> metric.update([0, 1, 2, 3], [0, 2, 1, 3])
    >>> metric.compute()
    0.5
    """

    _name = "zero_one_loss"

    def __init__(self, *, normalize: bool = True, exact: bool = False) -> None:
        super().__init__(exact=exact, normalize=normalize)


class ClassificationReport(_NamedLabelMetric):
    """Precision, recall, F-score and support of every class: `classification_report` of batches.

    Parameters
    ----------
    labels : array-like of shape (n_classes,), default=None
        Classes to report, in this order; by default all that occurred, sorted.
    target_names : array-like of str of shape (n_classes,), default=None
        Names to print, in the order of the classes.
    digits : int, default=2
        Digits after the point; the dictionary is not rounded.
    output_dict : bool, default=False
        Whether `compute` gives a dictionary instead of text.
    zero_division : {"warn", 0.0, 1.0, np.nan}, default="warn"
        Value where a denominator is zero; "warn" is 0 with a warning.
    exact : bool, default=False
        As in `LabelMetric`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import ClassificationReport
    >>> metric = ClassificationReport(output_dict=True)
    >>> metric.update([0, 1], [0, 0])
    >>> metric.update([1, 1], [1, 1])
    >>> metric.compute()["1"]["support"]
    3.0
    """

    _name = "classification_report"

    def __init__(
        self,
        *,
        labels: Any = None,
        target_names: Any = None,
        digits: int = 2,
        output_dict: bool = False,
        zero_division: Any = "warn",
        exact: bool = False,
    ) -> None:
        super().__init__(
            exact=exact,
            labels=labels,
            target_names=target_names,
            digits=digits,
            output_dict=output_dict,
            zero_division=zero_division,
        )
