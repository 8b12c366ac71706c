"""Streaming metrics of the order that scores put items in: means over the rows."""

from __future__ import annotations

from typing import Any

from mlestar._native import _core
from mlestar.metrics._labels import as_integer
from mlestar.metrics._sets import is_real
from mlestar.metrics._streaming_base import Metric
from mlestar.metrics._streaming_regression import integer_of
from mlestar.metrics._streaming_scores import _codes, _sorted_labels


class _RowMean(Metric):
    """The weighted mean of a value that each row has by itself."""

    _value: str

    def __init__(self, *, exact: bool = False) -> None:
        self._exact = bool(exact)
        super().__init__()

    def _make(self) -> Any:
        return _core.metrics.RowMeans(self._value, 0, 2.0, [], self._exact)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"exact": self._exact}

    def _shared_key(self) -> Any:
        return "rows", self._value, repr(self._parameters)

    def _result(self) -> float:
        if self._core.weight == 0.0:
            raise ValueError(
                "sample_weight sums to 0 over all batches, but must sum to something else"
            )
        if self._exact:
            weight, total = (integer_of(row) for row in self._core.digits())
            return total / weight
        return float(self._core.sum / self._core.weight)


class CoverageError(_RowMean):
    """Mean of how far down the scores the last true label is: `coverage_error` of batches.

    `update` takes indicators of shape (n_samples, n_labels), 0 and 1, and scores of that shape.

    Parameters
    ----------
    exact : bool, default=False
        As in `MeanSquaredError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import CoverageError
    >>> metric = CoverageError()
    >>> metric.update([[1, 0, 0]], [[1, 0, 0]])
    >>> metric.update([[0, 1, 1]], [[0, 1, 1]])
    >>> metric.compute()
    1.5
    """

    _value = "coverage"


class LabelRankingAveragePrecision(_RowMean):
    """Mean over rows of `label_ranking_average_precision_score`.

    Rows and parameters are those of `CoverageError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import LabelRankingAveragePrecision
    >>> metric = LabelRankingAveragePrecision()
    >>> metric.update([[1, 0, 0], [0, 0, 1]], [[0.75, 0.5, 1], [1, 0.2, 0.1]])
    >>> round(metric.compute(), 6)
    0.416667
    """

    _value = "average_precision"


class LabelRankingLoss(_RowMean):
    """Mean fraction of pairs of labels in the wrong order: `label_ranking_loss` of batches.

    Rows and parameters are those of `CoverageError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import LabelRankingLoss
    >>> metric = LabelRankingLoss()
    >>> metric.update([[1, 0, 0], [0, 0, 1]], [[0.75, 0.5, 1], [1, 0.2, 0.1]])
    >>> metric.compute()
    0.75
    """

    _value = "ranking_loss"


class DCG(_RowMean):
    """Mean discounted cumulative gain: `dcg_score` of batches, gains of equal scores averaged.

    `update` takes gains of shape (n_samples, n_items) and scores of that shape.

    Parameters
    ----------
    k : int, default=None
        Only the k highest scores count.
    log_base : float, default=2
        Base of the logarithm, positive and not 1.
    exact : bool, default=False
        As in `MeanSquaredError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import DCG
    >>> metric = DCG()
    >>> metric.update([[10, 0, 0, 1, 5]], [[0.1, 0.2, 0.3, 4, 70]])
    >>> round(metric.compute(), 6)
    9.499458
    """

    _value = "gain"

    def __init__(self, *, k: int | None = None, log_base: float = 2, exact: bool = False) -> None:
        self._k = None if k is None else _at_least_one(k)
        if not is_real(log_base):
            raise ValueError(f"log_base is {log_base!r}, but must be a number")
        self._log_base = float(log_base)
        super().__init__(exact=exact)

    def _make(self) -> Any:
        return _core.metrics.RowMeans(self._value, self._k or 0, self._log_base, [], self._exact)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"k": self._k, "log_base": self._log_base, "exact": self._exact}


class NDCG(DCG):
    """Mean discounted cumulative gain over that of the best order: `ndcg_score` of batches.

    `update` takes gains of at least 0; otherwise as `DCG`.

    Parameters
    ----------
    k : int, default=None
        Only the k highest scores count.
    exact : bool, default=False
        As in `MeanSquaredError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import NDCG
    >>> metric = NDCG()
    >>> metric.update([[10, 0, 0, 1, 5]], [[0.1, 0.2, 0.3, 4, 70]])
    >>> round(metric.compute(), 6)
    0.695694
    """

    _value = "normalized_gain"

    def __init__(self, *, k: int | None = None, exact: bool = False) -> None:
        super().__init__(k=k, exact=exact)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"k": self._k, "exact": self._exact}


class TopKAccuracy(_RowMean):
    """Fraction of rows whose true class is among the k highest scores: `top_k_accuracy_score`.

    `update` takes labels of shape (n_samples,) and scores of shape (n_samples, n_classes), one
    column a class in the order of the sorted labels.

    Parameters
    ----------
    k : int, default=2
        At least 1.
    normalize : bool, default=True
        False gives the number (or weight) of such rows.
    labels : array-like of shape (n_classes,), default=None
        All classes: integers or strings. By default 0 to n_classes - 1: a batch need not hold them
        all, so they are not looked for.
    exact : bool, default=False
        As in `MeanSquaredError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import TopKAccuracy
    >>> metric = TopKAccuracy(k=2)
    >>> metric.update([0, 1], [[0.5, 0.2, 0.2], [0.3, 0.4, 0.2]])
    >>> metric.update([2, 2], [[0.2, 0.4, 0.3], [0.7, 0.2, 0.1]])
    >>> metric.compute()
    0.75
    """

    _value = "top_k"

    def __init__(
        self, *, k: int = 2, normalize: bool = True, labels: Any = None, exact: bool = False
    ) -> None:
        self._k = _at_least_one(k)
        self._normalize = bool(normalize)
        self._labels = None if labels is None else _sorted_labels(labels)
        self._strings = self._labels is not None and isinstance(self._labels[0], str)
        super().__init__(exact=exact)

    def _make(self) -> Any:
        labels = self._labels or []
        codes = list(range(len(labels))) if self._strings else labels
        return _core.metrics.RowMeans(self._value, self._k, 2.0, codes, self._exact)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {
            "k": self._k,
            "normalize": self._normalize,
            "labels": self._labels,
            "exact": self._exact,
        }

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch; parameters as the class says, errors as `Metric.update`."""
        self._core.update(self._labels_of(y_true), y_pred, sample_weight)

    def _labels_of(self, y_true: Any) -> Any:
        return _codes(y_true, self._labels) if self._strings else y_true

    def _result(self) -> float:
        return super()._result() if self._normalize else float(self._core.sum)


def _at_least_one(k: Any) -> int:
    whole = as_integer(k)
    if whole is None or whole < 1:
        raise ValueError(f"k is {k!r}, but must be a whole number of at least 1")
    return whole
