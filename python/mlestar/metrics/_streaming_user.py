"""A user's compiled metric of rows that come in batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mlestar.metrics._streaming_base import Metric
from mlestar.metrics.user import CompiledMetric

_Batch = tuple[Any, Any, Any]  # truth, answer, weight or None


class _Rows:
    """All rows so far, in the order in which they came."""

    def __init__(self, metric: CompiledMetric) -> None:
        self._metric = metric
        # Replaced as a whole or appended to in one step: a reader in another thread sees either.
        self._batches: list[_Batch] = []

    def _read(self, y_true: Any, y_pred: Any, sample_weight: Any) -> _Batch:
        rows = self._metric._checked(y_true, y_pred, sample_weight)
        truth, answer, weight = (None if a is None else np.array(a) for a in rows)
        return truth, answer, weight

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any) -> None:
        self._batches.append(self._read(y_true, y_pred, sample_weight))

    def prepare(self, y_true: Any, y_pred: Any, sample_weight: Any) -> _Rows:
        one = _Rows(self._metric)
        one.update(y_true, y_pred, sample_weight)
        return one

    def merge(self, other: _Rows) -> None:
        self._batches.extend(list(other._batches))

    def reset(self) -> None:
        self._batches = []

    @property
    def rows(self) -> int:
        return sum(len(truth) for truth, _, _ in list(self._batches))

    def whole(self) -> _Batch:
        """The rows as one batch; rows that came without weights weigh one."""
        batches = list(self._batches)
        empty = np.empty(0)
        truth = np.concatenate([empty, *(batch[0] for batch in batches)])
        answer = np.concatenate([empty, *(batch[1] for batch in batches)])
        if all(batch[2] is None for batch in batches):
            return truth, answer, None
        weights = [np.ones(len(b[0])) if b[2] is None else b[2] for b in batches]
        return truth, answer, np.concatenate([empty, *weights])

    def state(self) -> tuple[Any, Any]:
        parts = [part for part in self.whole() if part is not None]
        return np.array([len(parts[0]), len(parts) - 2], dtype=np.int64), np.concatenate(parts)

    def load(self, integers: Any, reals: Any) -> None:
        integers, reals = np.asarray(integers), np.array(reals, dtype=np.float64)
        columns = 2 + int(integers[1]) if integers.shape == (2,) else 0
        if columns not in (2, 3) or integers[0] < 0 or reals.shape != (columns * integers[0],):
            raise ValueError("state is damaged: its arrays are not of the rows that it says")
        if not integers[0]:
            self._batches = []
            return
        parts = [*np.split(reals, columns), None]
        self._batches = [self._read(*parts[:3])]


class UserMetric(Metric):
    """A user's own metric, made by `mlestar.metrics.metric`.

    Nothing is known of it that could be summed, so all rows are kept (16 bytes a row, 24 with
    weights) and the metric is called at `compute`, on the rows in the order in which they came;
    those of a merged metric follow. What depends on the order, if only in rounding, depends on it
    here.

    Parameters
    ----------
    metric : CompiledMetric

    Raises
    ------
    TypeError
        If `metric` is none.

    Notes
    -----
    States hold the metric by the name that it is imported by. Rows that came without weights weigh
    one where others have weights.

    Examples
    --------
    >>> from mlestar.metrics import metric
    >>> from mlestar.metrics.streaming import UserMetric
    >>> @metric(greater_is_better=False)
    ... def highest(y_true, y_pred):
    ...     return (y_pred - y_true).max()
    >>> streamed = UserMetric(highest)
    >>> streamed.update([1, 2, 3], [1, 2, 5])
    >>> streamed.update([4], [4.5])
    >>> streamed.compute()
    2.0
    """

    def __init__(self, metric: CompiledMetric) -> None:
        if not isinstance(metric, CompiledMetric):
            raise TypeError(
                f"metric is {metric!r}, but must be a function decorated by mlestar.metrics.metric"
            )
        self._metric = metric
        super().__init__()

    def _make(self) -> _Rows:
        return _Rows(self._metric)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"metric": self._metric}

    def _result(self) -> float:
        return self._metric._on_rows(*self._core.whole())

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "parameters": self._by_name()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if state.get("parameters") == self._by_name():
            state = {**state, "parameters": self._parameters}
        super().load_state_dict(state)

    def _by_name(self) -> dict[str, str]:
        return {"metric": f"{self._metric.__module__}:{self._metric._qualname}"}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.state_dict(), "parameters": self._parameters}
