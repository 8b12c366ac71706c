"""Streaming metrics of multilabel indicators: functions of sums by label, or by row."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from threading import Lock
from typing import Any

import numpy as np

from mlestar._native import _core
from mlestar.metrics._streaming_arrays import require_indicators, to_rows
from mlestar.metrics._streaming_base import Metric
from mlestar.metrics._streaming_labels import _plain, pairs_of
from mlestar.metrics.multilabel import by_label, by_sample

_OF_ROWS = ("accuracy_score", "zero_one_loss")
_OF_LABELS = ("hamming_loss", "multilabel_confusion_matrix")
_AVERAGED = (
    "f1_score",
    "fbeta_score",
    "jaccard_score",
    "precision_recall_fscore_support",
    "precision_score",
    "recall_score",
)
# What MultilabelMetric computes.
FUNCTIONS = tuple(sorted((*_OF_ROWS, *_OF_LABELS, *_AVERAGED)))


class MultilabelMetric(Metric):
    """Any metric of multilabel indicators, of rows that come in batches.

    Keeps, for each label, how often it was true and predicted, true alone, predicted alone and
    neither; with ``average="samples"`` and for the metrics of whole rows, how many rows have so
    many true, predicted and common labels. Counts are integers, the same for any batching and any
    order of merges. `compute` gives them to the function of `mlestar.metrics`, so answers, options,
    warnings and errors are that function's on all rows at once. `update` takes indicators, 0 and 1,
    of shape (n_samples, n_labels) for `y_true` and `y_pred`.

    Parameters
    ----------
    function : str
        The name of a function of `mlestar.metrics`: one of accuracy_score (of whole rows),
        f1_score, fbeta_score, hamming_loss, jaccard_score, multilabel_confusion_matrix,
        precision_recall_fscore_support, precision_score, recall_score, zero_one_loss.
    exact : bool, default=False
        As in `LabelMetric`.
    **options
        The function's keyword arguments; ``samplewise`` is not among them, since it gives as much
        as was put in.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MultilabelMetric
    >>> metric = MultilabelMetric("f1_score", average="macro")
    >>> metric.update([[1, 0], [1, 1]], [[1, 0], [0, 1]])
    >>> metric.update([[0, 1]], [[0, 1]])
    >>> round(metric.compute(), 6)
    0.833333
    """

    def __init__(self, function: str, *, exact: bool = False, **options: Any) -> None:
        if function not in FUNCTIONS:
            raise ValueError(f"function is {function!r}, but must be one of {', '.join(FUNCTIONS)}")
        if "samplewise" in options:
            raise ValueError(
                "samplewise is given, but streaming metrics keep no rows; leave it out"
            )
        self._function = function
        self._exact = bool(exact)
        self._options = {name: _plain(value) for name, value in options.items()}
        self._by_row = function in _OF_ROWS or self._options.get("average") == "samples"
        # What rows are counted by; by label, all labels are.
        self._columns = self._options.get("labels") if self._by_row else None
        super().__init__()

    def _make(self) -> Any:
        return _Indicators(self._exact, self._by_row, self._columns)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"function": self._function, "exact": self._exact, **self._options}

    def _shared_key(self) -> Any:
        return "indicators", self._exact, self._by_row, repr(self._columns)

    def _result(self) -> Any:
        function = getattr(import_module("mlestar.metrics"), self._function)
        if self._by_row:
            true, predicted, weight = self._core.typical_rows()
            options = {name: value for name, value in self._options.items() if name != "labels"}
            return function(true, predicted, sample_weight=weight, **options)
        hit, predicted, true, neither = self._core.cells()
        if self._function == "hamming_loss":
            wrong = (predicted + true).sum()
            return float(wrong / (wrong + (hit + neither).sum()))
        if self._function == "multilabel_confusion_matrix":
            columns = self._options.get("labels")
            table = np.stack([neither, predicted, true, hit], axis=1).reshape(-1, 2, 2)
            return table if columns is None else table[columns]
        # Rows with one label each, weighted by the counts. Rows of neither are left out: no score
        # looks at them.
        width = len(hit)
        one, none = np.eye(width, dtype=np.int8), np.zeros((width, width), np.int8)
        return function(
            np.concatenate([one, none, one]),
            np.concatenate([one, one, none]),
            sample_weight=np.concatenate([hit, predicted, true]),
            **self._options,
        )

    def _state(self) -> dict[str, Any]:
        integers, reals = self._core.state()
        return {"integers": integers, "reals": reals}

    def _load(self, state: Mapping[str, Any]) -> None:
        self._core.load(state["integers"], state["reals"])


class _Indicators:
    """A table of pairs that grows; as the compiled accumulators.

    By label, the pair of label j, true t and predicted p is (2 j + t, 2 j + p). By row, that of t
    true, p predicted and h common labels is (t, (n_labels + 1) p + h).
    """

    def __init__(self, exact: bool, by_row: bool, columns: Any) -> None:
        self._exact, self._by_row, self._columns = exact, by_row, columns
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        self._table = _core.metrics.LabelTable(self._exact)
        self.rows = 0
        self._labels = 0

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any) -> None:
        self.merge(self.prepare(y_true, y_pred, sample_weight))

    def prepare(self, y_true: Any, y_pred: Any, sample_weight: Any) -> _Indicators:
        t, p, weight = to_rows(y_true, y_pred, sample_weight)
        _require_matrix(t, "y_true")
        _require_matrix(p, "y_pred")
        if p.shape != t.shape:
            raise ValueError(
                f"y_pred has {p.shape[1]} labels, but must have those of y_true, {t.shape[1]}"
            )
        batch = _Indicators(self._exact, self._by_row, self._columns)
        batch.rows, batch._labels = t.shape
        self._require_labels(batch._labels, "y_true")
        if self._by_row:
            sums = by_sample(t, p, None, self._columns)
            if sums is None:
                raise _unusable(t, p, self._columns)
            code = sums.predicted * (batch._labels + 1) + sums.hit
            batch._table.update(sums.truth, code, weight)
            return batch
        found = by_label(t, p, None)
        if found is None:
            raise _unusable(t, p, None)
        even = 2 * np.arange(batch._labels)
        if weight is not None:
            weights = np.repeat(weight, batch._labels)
            batch._table.update((even + (t != 0)).ravel(), (even + (p != 0)).ravel(), weights)
            return batch
        hit, predicted, true = found.sums
        neither = batch.rows - predicted - true + hit
        batch._table.update(
            np.concatenate([even, even, even + 1, even + 1]),
            np.concatenate([even, even + 1, even, even + 1]),
            np.concatenate([neither, predicted - hit, true - hit, hit]),
        )
        return batch

    def merge(self, other: _Indicators) -> None:
        if other.rows == 0:
            return
        with self._lock:
            self._require_labels(other._labels, "other")
            self._table.merge(other._table)
            self.rows += other.rows
            self._labels = other._labels

    def _require_labels(self, labels: int, name: str) -> None:
        if self._labels not in (0, labels):
            raise ValueError(
                f"{name} has {labels} labels, but must have those of the rows before, "
                f"{self._labels}"
            )

    def _pairs(self) -> tuple[Any, Any, Any]:
        labels, row, column, weight = pairs_of(self._table)
        return labels[row], labels[column], weight

    def cells(self) -> tuple[Any, Any, Any, Any]:
        """Of each label: true and predicted, predicted alone, true alone, neither."""
        true, predicted, weight = self._pairs()
        table = np.zeros((4, self._labels), weight.dtype)
        table[2 * (true % 2) + predicted % 2, true // 2] = weight
        neither, only_predicted, only_true, hit = table
        return hit, only_predicted, only_true, neither

    def typical_rows(self) -> tuple[Any, Any, Any]:
        """Indicators with the counts that occurred, and their weights."""
        true, code, weight = self._pairs()
        predicted, hit = np.divmod(code, self._labels + 1)
        place = np.arange(self._labels if self._columns is None else len(self._columns))
        # The labels in common first, then the predicted ones, then those that are true alone.
        y_pred = place < predicted[:, None]
        alone = (place >= predicted[:, None]) & (place < (predicted + true - hit)[:, None])
        y_true = (place < hit[:, None]) | alone
        return y_true.astype(np.int8), y_pred.astype(np.int8), weight

    def state(self) -> tuple[Any, Any]:
        integers, reals = self._table.state()
        return np.concatenate([[self.rows, self._labels], integers]), reals

    def load(self, integers: Any, reals: Any) -> None:
        integers = np.asarray(integers)
        if integers.ndim != 1 or integers.dtype.kind not in "iu" or len(integers) < 2:
            raise ValueError("state is damaged: its integers are not those of indicators")
        table = _core.metrics.LabelTable(self._exact)
        table.load(integers[2:], reals)
        with self._lock:
            self._table = table
            self.rows, self._labels = int(integers[0]), int(integers[1])


def _require_matrix(array: Any, name: str) -> None:
    if array.dtype.kind == "U" or array.ndim != 2 or array.shape[1] < 2:
        raise ValueError(
            f"{name} has the shape {array.shape} and the dtype {array.dtype}, but must be "
            "indicators of shape (n_samples, n_labels), with at least two labels"
        )


def _unusable(t: Any, p: Any, columns: Any) -> ValueError:
    """Why the core does not take a batch."""
    require_indicators(t, "y_true")
    require_indicators(p, "y_pred")
    return ValueError(
        f"labels is {columns!r}, but must be at least two different columns of the {t.shape[1]}"
    )
