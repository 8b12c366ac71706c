"""Streaming ROC AUC and average precision of several classes or labels, a column of scores each."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from itertools import combinations
from threading import Lock
from typing import Any

import numpy as np

from mlestar._native import _core
from mlestar.metrics._columns import _averaged
from mlestar.metrics._streaming_arrays import require_indicators, to_rows
from mlestar.metrics._streaming_base import Metric
from mlestar.metrics._streaming_labels import pairs_of
from mlestar.metrics._streaming_scores import _codes, _sorted_labels


class _ColumnRanking(Metric):
    """A ranking metric of each column, averaged."""

    _function: str
    _averages: tuple[Any, ...] = ("macro", "weighted", "micro", None)

    def __init__(
        self,
        average: Any,
        memory_limit: int | None,
        spill_dir: str | os.PathLike[str] | None,
    ) -> None:
        if average not in self._averages:
            raise ValueError(f"average is {average!r}, but must be one of {self._averages}")
        self._average = average
        self._memory_limit = memory_limit
        self._spill_dir = None if spill_dir is None else os.fspath(spill_dir)
        super().__init__()

    def _rows(self) -> Any:
        folder = tempfile.gettempdir() if self._spill_dir is None else self._spill_dir
        return _core.metrics.ScoreRows(1, self._memory_limit or 0, folder)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {
            "average": self._average,
            "memory_limit": self._memory_limit,
            "spill_dir": self._spill_dir,
        }

    def _result(self) -> Any:
        values = np.array([getattr(rows, self._function)() for rows in self._core.columns])
        if self._average == "micro":
            return _averaged(self._function, values, "macro", None)
        support = None
        if self._average == "weighted":
            support = self._core.support()
            if np.isclose(support.sum(), 0):
                return 0
        return _averaged(self._function, values, self._average, support)

    def _state(self) -> dict[str, Any]:
        return self._core.state()  # type: ignore[no-any-return]

    def _load(self, state: Mapping[str, Any]) -> None:
        self._core.load(state)

    @property
    def bytes_in_memory(self) -> int:
        """Bytes that the rows take now; the rest is on disk."""
        return sum(rows.bytes_in_memory for rows in self._core.columns)


class _Labels(_ColumnRanking):
    """Of indicators."""

    def __init__(
        self,
        *,
        average: Any = "macro",
        memory_limit: int | None = None,
        spill_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(average, memory_limit, spill_dir)

    def _make(self) -> Any:
        return _Columns(self._rows, _indicator_parts, self._average == "micro")


class MultilabelROCAUC(_Labels):
    """Area under the ROC curve of each label, averaged: `roc_auc_score` of batches of indicators.

    `update` takes indicators, 0 and 1, and scores, both of shape (n_samples, n_labels). Rows are
    kept as in `ROCAUC`, once for every label, and spilled likewise; unweighted areas have the bits
    of all rows at once.

    Parameters
    ----------
    average : {"macro", "weighted", "micro"} or None, default="macro"
        As in `roc_auc_score`; None gives the area of every label.
    memory_limit : int, default=None
        Bytes that the rows of one label may take, as in `ROCAUC`.
    spill_dir : path, default=None
        As in `ROCAUC`.

    Warns
    -----
    UndefinedMetricWarning
        From `compute`, where a label has rows of one kind only; the result is NaN.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MultilabelROCAUC
    >>> metric = MultilabelROCAUC()
    >>> metric.update([[1, 0], [0, 1]], [[0.9, 0.2], [0.4, 0.1]])
    >>> metric.update([[0, 1], [1, 0]], [[0.5, 0.7], [0.8, 0.3]])
    >>> metric.compute()
    0.75
    """

    _function = "roc_auc"


class MultilabelAveragePrecision(_Labels):
    """Average precision of each label, averaged: `average_precision_score` of batches.

    Rows, parameters and errors are those of `MultilabelROCAUC`.

    Warns
    -----
    UserWarning
        From `compute`, where a label has no true row; its value is 0.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MultilabelAveragePrecision
    >>> metric = MultilabelAveragePrecision(average=None)
    >>> metric.update([[1, 0], [0, 1]], [[0.9, 0.2], [0.4, 0.1]])
    >>> metric.update([[0, 1], [1, 0]], [[0.5, 0.7], [0.8, 0.3]])
    >>> metric.compute().tolist()
    [1.0, 0.75]
    """

    _function = "average_precision"


class _Classes(_ColumnRanking):
    """Of classes, each against the rest."""

    def __init__(
        self,
        labels: Any,
        *,
        average: Any = "macro",
        memory_limit: int | None = None,
        spill_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        self._labels = _sorted_labels(labels)
        super().__init__(average, memory_limit, spill_dir)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"labels": self._labels, **super()._parameters}

    def _make(self) -> Any:
        return _Columns(self._rows, _class_parts(self._labels), self._average == "micro")


class MulticlassROCAUC(_Classes):
    """Area under the ROC curve of several classes: `roc_auc_score` of batches of rows of scores.

    `update` takes labels of shape (n_samples,) and probabilities of shape (n_samples, n_classes),
    whose columns are in the order of the sorted labels.

    Rows are kept as in `ROCAUC`: with ``multi_class="ovr"`` each once for every class; with
    ``"ovo"`` twice for each class other than its own. Unweighted areas have the bits of all rows at
    once.

    Parameters
    ----------
    labels : list of int or str
        All classes, at least two.
    multi_class : {"ovr", "ovo"}, default="ovr"
        Each class against the rest, or each pair of classes alone (Hand and Till 2001). Pairs have
        no weights.
    average : {"macro", "weighted", "micro"} or None, default="macro"
        As in `roc_auc_score`; "ovo" has "macro" and "weighted".
    memory_limit : int, default=None
        Bytes that the rows of one ranking may take, as in `ROCAUC`.
    spill_dir : path, default=None
        As in `ROCAUC`.

    Warns
    -----
    UndefinedMetricWarning
        From `compute`, where a class has no row, or no other has one; the result is NaN.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MulticlassROCAUC
    >>> metric = MulticlassROCAUC(["a", "b", "c"])
    >>> metric.update(["a", "b"], [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3]])
    >>> metric.update(["c", "a"], [[0.1, 0.6, 0.3], [0.6, 0.2, 0.2]])
    >>> round(metric.compute(), 6)
    0.833333
    """

    _function = "roc_auc"

    def __init__(
        self,
        labels: Any,
        *,
        multi_class: str = "ovr",
        average: Any = "macro",
        memory_limit: int | None = None,
        spill_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        if multi_class not in ("ovr", "ovo"):
            raise ValueError(f"multi_class is {multi_class!r}, but must be 'ovr' or 'ovo'")
        self._multi_class = multi_class
        if multi_class == "ovo":
            self._averages = ("macro", "weighted")
        super().__init__(labels, average=average, memory_limit=memory_limit, spill_dir=spill_dir)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"multi_class": self._multi_class, **super()._parameters}

    def _make(self) -> Any:
        if self._multi_class == "ovr":
            return super()._make()
        return _Columns(self._rows, _pair_parts(self._labels), False)

    def _result(self) -> Any:
        if self._multi_class == "ovr":
            return super()._result()
        # Pairs of classes that both occur, as in roc_auc_score.
        pairs = list(combinations(range(len(self._labels)), 2))
        counts = self._core.support()
        areas, weights = [], []
        for k, (a, b) in enumerate(pairs):
            if counts[a] and counts[b]:
                one, other = (self._core.columns[2 * k + side].roc_auc() for side in (0, 1))
                areas.append((one + other) / 2)
                weights.append((counts[a] + counts[b]) / self._core.rows)
        values = np.array(areas or [np.nan])
        return _averaged(
            "roc_auc", values, "macro", weights if areas and self._average == "weighted" else None
        )


class MulticlassAveragePrecision(_Classes):
    """Average precision of each class against the rest: `average_precision_score` of batches.

    Rows, parameters and errors are those of `MulticlassROCAUC` with ``multi_class="ovr"``.

    Warns
    -----
    UserWarning
        From `compute`, where a class has no row; its value is 0.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MulticlassAveragePrecision
    >>> metric = MulticlassAveragePrecision([0, 1, 2])
    >>> metric.update([0, 1], [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3]])
    >>> metric.update([2, 0], [[0.1, 0.6, 0.3], [0.6, 0.2, 0.2]])
    >>> round(metric.compute(), 6)
    0.666667
    """

    _function = "average_precision"


class _Columns:
    """Rows of several rankings that grow together; as the compiled accumulators.

    `parts(y_true, y_pred, sample_weight)` checks a batch and gives the truth, scores and weights
    of each ranking, and codes of labels whose weights are summed.
    """

    def __init__(self, make: Any, parts: Any, micro: bool) -> None:
        self._make, self._parts, self._micro = make, parts, micro
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        self.columns: list[Any] = []
        self._support = _core.metrics.LabelTable(False)
        self.rows = 0

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any) -> None:
        self.merge(self.prepare(y_true, y_pred, sample_weight))

    def prepare(self, y_true: Any, y_pred: Any, sample_weight: Any) -> _Columns:
        rankings, codes, weights = self._parts(y_true, y_pred, sample_weight)
        batch = _Columns(self._make, self._parts, self._micro)
        batch.rows = len(y_pred)
        if self.columns and not self._micro and len(rankings) != len(self.columns):
            raise ValueError(
                f"y_true has {len(rankings)} labels, but must have those of the rows before, "
                f"{len(self.columns)}"
            )
        if self._micro:
            rankings = [tuple(map(_joined, zip(*rankings, strict=True)))]
        for truth, scores, weight in rankings:
            rows = self._make()
            if len(truth):
                rows.update(truth, scores, weight)
            batch.columns.append(rows)
        batch._support.update(codes, codes, weights)
        return batch

    def merge(self, other: _Columns) -> None:
        if other.rows == 0:
            return
        with self._lock:
            if not self.columns:
                self.columns = [self._make() for _ in other.columns]
            for mine, theirs in zip(self.columns, other.columns, strict=True):
                mine.merge(theirs)
            self._support.merge(other._support)
            self.rows += other.rows

    def support(self) -> Any:
        """Weights of the rows of each label."""
        labels, row, _, weight = pairs_of(self._support)
        sums = np.zeros(len(labels))
        sums[labels[row]] = weight
        return sums

    def state(self) -> dict[str, Any]:
        integers, reals = self._support.state()
        columns = [rows.state() for rows in self.columns]
        return {
            "integers": np.concatenate([[self.rows, len(columns)], integers]),
            "reals": reals,
            "columns": [
                dict(zip(("integers", "score", "positive", "weight"), column, strict=True))
                for column in columns
            ],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        integers, columns = np.asarray(state["integers"]), state["columns"]
        if integers.ndim != 1 or len(integers) < 2 or integers[1] != len(columns):
            raise ValueError("state is damaged: its integers are not those of its columns")
        support = _core.metrics.LabelTable(False)
        support.load(integers[2:], state["reals"])
        loaded = [self._make() for _ in columns]
        for rows, column in zip(loaded, columns, strict=True):
            rows.load(*(column[name] for name in ("integers", "score", "positive", "weight")))
        with self._lock:
            self._support, self.columns, self.rows = support, loaded, int(integers[0])


def _joined(parts: Any) -> Any:
    return None if parts[0] is None else np.concatenate(parts)


def _checked(y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
    t, p, w = to_rows(y_true, y_pred, sample_weight)
    if p.ndim != 2 or p.shape[1] < 2 or p.dtype.kind == "U":
        raise ValueError(
            f"y_pred has the shape {p.shape} and the dtype {p.dtype}, but must be scores of shape "
            "(n_samples, n_classes), with at least two columns"
        )
    return t, p, w


def _indicator_parts(y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
    t, p, w = _checked(y_true, y_pred, sample_weight)
    if t.shape != p.shape:
        raise ValueError(f"y_true has the shape {t.shape}, but must have that of y_pred, {p.shape}")
    require_indicators(t, "y_true")
    rankings = [(t[:, k] != 0, p[:, k], w) for k in range(t.shape[1])]
    row, column = np.nonzero(t)
    # A label that no row has is among those summed, with nothing.
    codes = np.concatenate([column, np.arange(t.shape[1])])
    weights = np.ones(len(row), np.int64) if w is None else w[row]
    return rankings, codes, np.concatenate([weights, np.zeros(t.shape[1], weights.dtype)])


def _places(labels: list[Any], y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
    t, p, w = _checked(y_true, y_pred, sample_weight)
    if t.ndim != 1:
        raise ValueError(f"y_true has the shape {t.shape}, but must have one axis")
    if p.shape[1] != len(labels):
        raise ValueError(
            f"y_pred has {p.shape[1]} columns, but must have one for each of the {len(labels)} "
            "labels"
        )
    if isinstance(labels[0], str):
        return _codes(t, labels), p, w
    known = np.array(labels)
    place = np.minimum(np.searchsorted(known, t), len(known) - 1)
    wrong = np.flatnonzero(known[place] != t)
    if wrong.size:
        raise ValueError(
            f"y_true holds {t[wrong[0]].item()!r} in row {wrong[0]}, but every value must be one "
            f"of the labels {', '.join(map(str, labels))}"
        )
    return place, p, w


def _class_parts(labels: list[Any]) -> Any:
    def parts(y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        place, p, w = _places(labels, y_true, y_pred, sample_weight)
        return [(place == k, p[:, k], w) for k in range(len(labels))], *_all(place, w, len(labels))

    return parts


def _pair_parts(labels: list[Any]) -> Any:
    def parts(y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        if sample_weight is not None:
            raise ValueError("sample_weight is given, but pairs of classes have none; pass None")
        place, p, w = _places(labels, y_true, y_pred, None)
        rankings = []
        for a, b in combinations(range(len(labels)), 2):
            (rows,) = np.nonzero((place == a) | (place == b))
            rankings += [(place[rows] == k, p[rows, k], None) for k in (a, b)]
        return rankings, *_all(place, w, len(labels))

    return parts


def _all(place: Any, weights: Any, labels: int) -> tuple[Any, Any]:
    """Codes and weights of the rows, and of every label with nothing."""
    codes = np.concatenate([place, np.arange(labels)])
    w = np.ones(len(place), np.int64) if weights is None else weights
    return codes, np.concatenate([w, np.zeros(labels, w.dtype)])
