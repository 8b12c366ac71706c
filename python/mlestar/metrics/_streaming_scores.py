"""Streaming metrics of predicted probabilities and of rankings."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from mlestar._arrays import as_array
from mlestar._native import _core
from mlestar.metrics._labels import as_integer
from mlestar.metrics._streaming_base import Metric
from mlestar.metrics._streaming_regression import integer_of


class _ProbabilityMetric(Metric):
    """A mean loss of probabilities of declared classes."""

    _loss: str
    _counted = False  # whether the weight of each class is asked for

    def __init__(self, *, labels: Any = None, exact: bool = False) -> None:
        self._labels = None if labels is None else _sorted_labels(labels)
        self._strings = self._labels is not None and isinstance(self._labels[0], str)
        self._exact = bool(exact)
        super().__init__()

    def _make(self) -> Any:
        labels = self._labels or []
        codes = list(range(len(labels))) if self._strings else labels
        return _core.metrics.ProbabilitySums(self._loss, codes, self._exact, self._counted)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"labels": self._labels, "exact": self._exact}

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Labels among those declared.
        y_pred : array-like of shape (n_samples,) or (n_samples, n_classes)
            Probabilities in [0, 1]: of the greater of two labels, or one column a class in the
            order of the sorted labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Raises
        ------
        ValueError
            As `Metric.update`.
        """
        self._core.update(self._labels_of(y_true), y_pred, sample_weight)

    def _labels_of(self, y_true: Any) -> Any:
        return _codes(y_true, self._labels) if self._strings else y_true

    def _shared_key(self) -> Any:
        # Strings are encoded for the accumulator, so those of other labels are others.
        return "probability", self._loss, repr(self._labels), self._exact, self._counted

    def _result(self) -> float:
        if not self._core.normalized:
            warnings.warn(
                "The y_prob values do not sum to one. Make sure to pass probabilities.",
                UserWarning,
                stacklevel=3,
            )
        if self._core.weight == 0.0:
            raise ValueError(
                "sample_weight sums to 0 over all batches, but must sum to something else"
            )
        if self._exact:
            weight, total = (integer_of(row) for row in self._core.digits())
            return total / weight
        return float(self._core.sum / self._core.weight)


def _sorted_labels(labels: Any) -> list[Any]:
    found = as_array(labels)
    if found is None or found.ndim != 1 or found.size < 2:
        raise ValueError(f"labels is {labels!r}, but must be a list of at least two labels")
    values = sorted(found.tolist())
    if not isinstance(values[0], str):
        integers = [as_integer(value) for value in values]
        if None in integers:
            raise ValueError(f"labels is {labels!r}, but must hold whole numbers or strings")
        values = integers
    if len(set(values)) != len(values):
        raise ValueError(f"labels is {labels!r}, but must hold each label once")
    return values


def _codes(y_true: Any, labels: list[str] | None) -> Any:
    found = as_array(y_true)
    if found is None or found.dtype.kind != "U" or found.ndim != 1 or labels is None:
        raise ValueError(f"y_true is {y_true!r}, but must hold strings, as labels does")
    known = np.asarray(labels)
    place = np.minimum(np.searchsorted(known, found), known.size - 1)
    wrong = np.flatnonzero(known[place] != found)
    if wrong.size:
        raise ValueError(
            f"y_true holds {found[wrong[0]].item()!r} in row {wrong[0]}, but every value must be "
            f"one of the labels {', '.join(labels)}"
        )
    return place


class LogLoss(_ProbabilityMetric):
    """Mean of -log of the probability given to the true class: `log_loss` of batches.

    Parameters
    ----------
    labels : array-like of shape (n_classes,), default=None
        All classes: integers or strings. By default 0 to n_classes - 1, as many as `y_pred` has
        columns (two for one column): a batch need not hold them all, so they are not looked for.
    exact : bool, default=False
        As in `MeanSquaredError`.

    Warns
    -----
    UserWarning
        From `compute`, where probabilities of a row did not sum to one.

    Examples
    --------
    >>> from mlestar.metrics.streaming import LogLoss
    >>> metric = LogLoss()
    >>> metric.update([1, 0], [[0.1, 0.9], [0.9, 0.1]])
    >>> metric.update([0, 1], [[0.8, 0.2], [0.35, 0.65]])
    >>> round(metric.compute(), 5)
    0.21616
    """

    _loss = "log"


class BrierScore(_ProbabilityMetric):
    """Mean squared distance of probabilities and outcome: `brier_score_loss` of batches.

    Parameters
    ----------
    labels : array-like of shape (n_classes,), default=None
        As in `LogLoss`.
    scale_by_half : bool or "auto", default="auto"
        Whether the result lies in [0, 1] instead of [0, 2]; "auto" does so for two classes.
    exact : bool, default=False
        As in `MeanSquaredError`.

    Warns
    -----
    UserWarning
        From `compute`, where probabilities of a row did not sum to one.

    Examples
    --------
    >>> from mlestar.metrics.streaming import BrierScore
    >>> metric = BrierScore()
    >>> metric.update([0, 1], [0.1, 0.9])
    >>> metric.update([1, 0], [0.8, 0.3])
    >>> round(metric.compute(), 6)
    0.0375
    """

    _loss = "brier"

    def __init__(
        self, *, labels: Any = None, scale_by_half: Any = "auto", exact: bool = False
    ) -> None:
        if not (isinstance(scale_by_half, bool) or scale_by_half == "auto"):
            raise ValueError(f"scale_by_half is {scale_by_half!r}, but must be a bool or 'auto'")
        self._scale_by_half = scale_by_half
        super().__init__(labels=labels, exact=exact)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {
            "labels": self._labels,
            "scale_by_half": self._scale_by_half,
            "exact": self._exact,
        }

    def _result(self) -> float:
        columns = self._core.columns
        half = columns < 3 if self._scale_by_half == "auto" else self._scale_by_half
        value = super()._result()
        if columns == 1:  # the core has counted the positive class alone
            return value if half else 2.0 * value
        return 0.5 * value if half else value


class HingeLoss(_ProbabilityMetric):
    """Mean of max(0, 1 - margin): `hinge_loss` of batches.

    `update` takes decision values for `y_pred`: of the greater of two labels, or one column a class
    (three or more) in the order of the sorted labels.

    Parameters
    ----------
    labels : array-like of shape (n_classes,), default=None
        All classes: integers or strings. By default 0 to n_classes - 1; for -1 and 1 say so.
    exact : bool, default=False
        As in `MeanSquaredError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import HingeLoss
    >>> metric = HingeLoss(labels=[-1, 1])
    >>> metric.update([-1, 1], [-2.18, 2.36])
    >>> metric.update([1], [0.09])
    >>> round(metric.compute(), 6)
    0.303333
    """

    _loss = "hinge"


class _Explained(_ProbabilityMetric):
    """One minus a loss over that of predicting the shares of the classes."""

    _counted = True

    def _result(self) -> float:
        if self._core.rows < 2:
            from sklearn.exceptions import UndefinedMetricWarning

            warnings.warn(
                "D^2 score is not well-defined with less than two samples.",
                UndefinedMetricWarning,
                stacklevel=3,
            )
            return float("nan")
        mean = super()._result()
        if self._exact:
            weights = [integer_of(row) for row in self._core.class_digits()]
            shares = np.array([weight / sum(weights) for weight in weights])
        else:
            weights = self._core.class_weights()
            shares = weights / weights.sum()
        null = self._null(shares)
        if null == 0.0:
            raise ValueError(
                "y_true holds one class over all batches, but the score needs at least two"
            )
        return float(1.0 - mean / null)

    def _null(self, shares: Any) -> float:
        """The mean loss of predicting the shares."""
        raise NotImplementedError


class D2LogLoss(_Explained):
    """Fraction of the log loss of the class shares that is explained: `d2_log_loss_score`.

    Parameters are those of `LogLoss`.

    Warns
    -----
    UndefinedMetricWarning
        From `compute` with fewer than two rows; the result is NaN.
    UserWarning
        From `compute`, where probabilities of a row did not sum to one.

    Examples
    --------
    >>> from mlestar.metrics.streaming import D2LogLoss
    >>> metric = D2LogLoss()
    >>> metric.update([1, 0], [0.9, 0.1])
    >>> metric.update([0, 1], [0.2, 0.65])
    >>> round(metric.compute(), 6)
    0.688144
    """

    _loss = "log"

    def _null(self, shares: Any) -> float:
        seen = shares[shares != 0.0]
        if seen.size < 2:
            return 0.0
        epsilon = np.finfo(np.float64).eps
        return float(-np.sum(seen * np.log(np.clip(seen, epsilon, 1.0 - epsilon))))


class D2Brier(_Explained):
    """Fraction of the Brier score of the class shares that is explained: `d2_brier_score`.

    Parameters are those of `LogLoss`; warnings those of `D2LogLoss`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import D2Brier
    >>> metric = D2Brier()
    >>> metric.update([1, 0], [0.9, 0.1])
    >>> metric.update([0, 1], [0.2, 0.65])
    >>> round(metric.compute(), 6)
    0.8175
    """

    _loss = "brier"

    def _null(self, shares: Any) -> float:
        # Mean squared distance of the shares and the outcome; one column counts one side of it.
        both = float(np.sum(shares * (1.0 - shares)))
        return both / 2.0 if self._core.columns == 1 else both


class _RankingMetric(Metric):
    """A metric of the order that scores put binary labels in."""

    _function: str

    def __init__(self, pos_label: Any) -> None:
        positive = None if pos_label is None else as_integer(pos_label)
        if pos_label is not None and positive is None:
            raise ValueError(f"pos_label is {pos_label!r}, but must be a whole number or None")
        self._pos_label = positive
        super().__init__()

    def _warn_undefined(self, value: float) -> None:
        """scikit-learn's words where no row is of one of the classes, or none of their weights."""
        if self._function == "roc_auc" and value != value:
            from sklearn.exceptions import UndefinedMetricWarning

            warnings.warn(
                "Only one class is present in y_true. ROC AUC score is not defined in that case.",
                UndefinedMetricWarning,
                stacklevel=4,
            )
        elif self._function == "average_precision" and value == 0.0:  # positives make it more
            warnings.warn(
                "No positive class found in y_true, recall is set to one for all thresholds.",
                UserWarning,
                stacklevel=4,
            )


class _ExactRanking(_RankingMetric):
    """Every row, in memory or in sorted runs on disk."""

    def __init__(
        self,
        *,
        pos_label: Any = None,
        memory_limit: int | None = None,
        spill_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        self._memory_limit = memory_limit
        self._spill_dir = None if spill_dir is None else os.fspath(spill_dir)
        super().__init__(pos_label)

    def _make(self) -> Any:
        folder = tempfile.gettempdir() if self._spill_dir is None else self._spill_dir
        return _core.metrics.ScoreRows(self._pos_label, self._memory_limit or 0, folder)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {
            "pos_label": self._pos_label,
            "memory_limit": self._memory_limit,
            "spill_dir": self._spill_dir,
        }

    def _shared_key(self) -> Any:
        return "rows", self._pos_label, self._memory_limit, self._spill_dir

    def _result(self) -> float:
        value: float = getattr(self._core, self._function)()
        self._warn_undefined(value)
        return value

    def _state(self) -> dict[str, Any]:
        integers, score, positive, weight = self._core.state()
        return {"integers": integers, "score": score, "positive": positive, "weight": weight}

    def _load(self, state: Mapping[str, Any]) -> None:
        self._core.load(state["integers"], state["score"], state["positive"], state["weight"])

    @property
    def bytes_in_memory(self) -> int:
        """Bytes that the rows take now; the rest is on disk."""
        held: int = self._core.bytes_in_memory
        return held

    @property
    def n_runs(self) -> int:
        """Sorted runs on disk."""
        runs: int = self._core.runs
        return runs


class ROCAUC(_ExactRanking):
    """Area under the ROC curve of all rows: `roc_auc_score` of batches, to the bit.

    Rows are kept (9 bytes each, 5 for float32 scores, 8 more with weights); above `memory_limit`
    they are sorted and written to disk, and `compute` merges what was written as it reads it.
    Without weights the result has the bits of `roc_auc_score` on all rows at once, for any batching
    and any order of merges; with weights it is within a few roundings of it.

    The files have no name: nobody else can open them, and the system frees them when the metric is
    reset or goes, or the process ends, however it ends. Metrics that were merged share files.

    Parameters
    ----------
    pos_label : int, default=None
        The positive label. None is 1, the other label being 0 or -1.
    memory_limit : int, default=None
        Bytes that rows may take, sorting them included; at least 262 144. None: no limit but
        2**30 rows.
    spill_dir : path, default=None
        Where to write; by default the system's folder of temporary files.

    Raises
    ------
    OSError
        From `update`, where the disk is full or the folder cannot be written; the metric stays as
        it was.

    Warns
    -----
    UndefinedMetricWarning
        From `compute`, where all rows are of one class; the result is NaN.

    Examples
    --------
    >>> from mlestar.metrics.streaming import ROCAUC
    >>> metric = ROCAUC(memory_limit=2**30)
    >>> metric.update([0, 0], [0.1, 0.4])
    >>> metric.update([1, 1], [0.35, 0.8])
    >>> metric.compute()
    0.75
    """

    _function = "roc_auc"


class AveragePrecision(_ExactRanking):
    """Average precision of all rows: `average_precision_score` of batches.

    Rows, parameters, files and errors are those of `ROCAUC`. The result is within a few roundings
    of that of all rows at once.

    Warns
    -----
    UserWarning
        From `compute`, where no row is positive; the result is 0.

    Examples
    --------
    >>> from mlestar.metrics.streaming import AveragePrecision
    >>> metric = AveragePrecision()
    >>> metric.update([0, 0], [0.1, 0.4])
    >>> metric.update([1, 1], [0.35, 0.8])
    >>> round(metric.compute(), 6)
    0.833333
    """

    _function = "average_precision"


class Bounded(NamedTuple):
    """A value and the bounds that the exact one lies in.

    Examples
    --------
    >>> from mlestar.metrics.streaming import Bounded
    >>> Bounded(0.75, 0.74, 0.76).low
    0.74
    """

    value: float
    low: float
    high: float


class _BinnedRanking(_RankingMetric):
    """A histogram over the order of the scores."""

    def __init__(self, *, n_bins: int = 65_536, pos_label: Any = None) -> None:
        bins = as_integer(n_bins)
        if bins is None:
            raise ValueError(f"n_bins is {n_bins!r}, but must be a whole number")
        self._n_bins = bins
        super().__init__(pos_label)

    def _make(self) -> Any:
        return _core.metrics.ScoreBins(self._n_bins, self._pos_label)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"n_bins": self._n_bins, "pos_label": self._pos_label}

    def _shared_key(self) -> Any:
        return "bins", self._n_bins, self._pos_label

    def _result(self) -> Bounded:
        found = Bounded(*getattr(self._core, self._function)())
        self._warn_undefined(found.value)
        return found


class BinnedROCAUC(_BinnedRanking):
    """Area under the ROC curve in bounded memory, with bounds that hold.

    Scores are counted in bins that are prefixes of their floating-point order; the bins double in
    width whenever there would be more than `n_bins` (the uniform collapse of UDDSketch [1]_). Only
    pairs within a bin can be out of order, so the exact area of all rows lies in [low, high],
    always and not only as a rule. As long as there are no more distinct scores than bins the three
    are equal. The result depends on the rows alone: the same bits for any batching and any order of
    merges, unless there are weights that are no whole numbers.

    Bins are narrow near zero and wide far from it; scores crowded far from zero (probabilities
    close to 1) are resolved better as logits.

    Parameters
    ----------
    n_bins : int, default=65536
        Bins at most, 2 to 16 777 216. A bin takes about 70 bytes.
    pos_label : int, default=None
        The positive label. None is 1, the other label being 0 or -1.

    References
    ----------
    .. [1] I. Epicoco, C. Melle, M. Cafaro, M. Pulimeno and G. Morleo, "UDDSketch: Accurate tracking
       of quantiles in data streams", IEEE Access 8, 2020.

    Warns
    -----
    UndefinedMetricWarning
        From `compute`, where all rows are of one class; value and bounds are NaN.

    Examples
    --------
    >>> from mlestar.metrics.streaming import BinnedROCAUC
    >>> metric = BinnedROCAUC()
    >>> metric.update([0, 0], [0.1, 0.4])
    >>> metric.update([1, 1], [0.35, 0.8])
    >>> metric.compute()
    Bounded(value=0.75, low=0.75, high=0.75)
    """

    _function = "roc_auc"


class BinnedAveragePrecision(_BinnedRanking):
    """Average precision in bounded memory, with bounds that hold.

    Bins and parameters are those of `BinnedROCAUC`. The bounds are those of the best and the worst
    order of the rows within their bins.

    Warns
    -----
    UserWarning
        From `compute`, where no row is positive; value and bounds are 0.

    Examples
    --------
    >>> from mlestar.metrics.streaming import BinnedAveragePrecision
    >>> metric = BinnedAveragePrecision()
    >>> metric.update([0, 0], [0.1, 0.4])
    >>> metric.update([1, 1], [0.35, 0.8])
    >>> round(metric.compute().value, 6)
    0.833333
    """

    _function = "average_precision"
