"""What every streaming metric promises, and several of them in one."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Self

_STATE_VERSION = 1


class Metric(ABC):
    """A metric of rows that come in batches.

    A batch is checked and summed whole before anything is added, so an update that raises leaves
    the metric as it was. Updates from several threads do not corrupt it (each is added in one
    piece, in the order in which the threads get there); `reset` and `compute` see whole updates.

    Subclasses make their accumulator in `_make` (an object with update, prepare, merge, reset,
    rows, state and load, as the compiled ones have) and read it in `_result`; `_parameters` are the
    constructor's, by name, which repr, pickles and `load_state_dict` go by.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MeanAbsoluteError, Metric
    >>> metric = MeanAbsoluteError()
    >>> isinstance(metric, Metric)
    True
    """

    def __init__(self) -> None:
        self._core = self._make()

    @abstractmethod
    def _make(self) -> Any:
        """A new compiled accumulator."""

    @abstractmethod
    def _result(self) -> Any:
        """The metric of what has been seen, which is at least one row."""

    @property
    @abstractmethod
    def _parameters(self) -> dict[str, Any]:
        """The constructor's parameters."""

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_samples,) or as the class says
            NumPy arrays and CPU tensors of any width and strides are read in place (half precision
            is widened to float32 first); tensors that require grad are read detached.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; None is a weight of one each.

        Raises
        ------
        ValueError
            For a batch that cannot be used, naming the argument, what it was and what it must be;
            the metric stays as it was. A batch without rows is one.
        """
        self._core.update(y_true, y_pred, sample_weight)

    def compute(self) -> Any:
        """The metric of all rows so far.

        Raises
        ------
        ValueError
            If there are none.
        """
        if self._core.rows == 0:
            raise ValueError(
                f"{type(self).__name__} has seen no rows, but compute() needs at least one; call "
                "update() first"
            )
        return self._result()

    def merge(self, other: Self) -> Self:
        """Add what another metric of the same kind and parameters has seen.

        Returns
        -------
        Metric
            This metric.

        Raises
        ------
        ValueError
            If `other` is of another kind or has other parameters.
        """
        self._require_same(type(other), getattr(other, "_parameters", None), "other")
        self._core.merge(other._core)
        return self

    def reset(self) -> None:
        """Forget all rows."""
        self._core.reset()

    @property
    def n_samples(self) -> int:
        """Rows seen so far."""
        rows: int = self._core.rows
        return rows

    def state_dict(self) -> dict[str, Any]:
        """What has been seen, as plain integers, strings and arrays.

        The same rows give the same integer counts whatever their batches. The arrays are copies.
        """
        return {
            "version": _STATE_VERSION,
            "metric": type(self).__name__,
            "parameters": self._parameters,
            **self._state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave.

        Raises
        ------
        ValueError
            If it is of another metric, other parameters or another version, or damaged; the metric
            stays as it was.
        """
        if state.get("version") != _STATE_VERSION:
            raise ValueError(
                f"state has version {state.get('version')}, but must have {_STATE_VERSION}"
            )
        if state.get("metric") != type(self).__name__:
            raise ValueError(
                f"state is of {state.get('metric')}, but must be of {type(self).__name__}"
            )
        self._require_same(type(self), state.get("parameters"), "state")
        try:
            self._load(state)
        except KeyError as error:
            raise ValueError(f"state lacks {error}, but must be what state_dict() gave") from None

    def sync(self, group: Any = None) -> Self:
        """The metric of the rows of all processes of a `torch.distributed` group.

        Every process of the group must call it. Neither this metric nor the others' change, so it
        may be called after any batch: ``metric.sync().compute()``. States travel by
        `torch.distributed.all_gather_object` and are merged in the order of the ranks, so every
        process gets the same bits.

        Parameters
        ----------
        group : torch.distributed.ProcessGroup, default=None
            The processes; all of them by default.

        Returns
        -------
        Metric
            A new one; this one where torch.distributed is not initialised or has one process.
        """
        distributed = _distributed()
        if distributed is None or distributed.get_world_size(group) == 1:
            return self
        states: list[Any] = [None] * distributed.get_world_size(group)
        distributed.all_gather_object(states, self.state_dict(), group=group)
        return self._merged(states)

    def clone(self) -> Self:
        """A metric of the same kind and parameters that has seen nothing."""
        return type(self)(**self._parameters)

    def _merged(self, states: list[Any]) -> Self:
        total = self.clone()
        for state in states:
            one = self.clone()
            one.load_state_dict(state)
            total.merge(one)
        return total

    def _require_same(self, kind: type, parameters: Any, name: str) -> None:
        if kind is not type(self):
            raise ValueError(f"{name} is a {kind.__name__}, but must be a {type(self).__name__}")
        # By their words: NaN (a zero_division) does not equal itself.
        if repr(parameters) != repr(self._parameters):
            raise ValueError(
                f"{name} has the parameters {parameters}, but must have {self._parameters}"
            )

    def _state(self) -> dict[str, Any]:
        integers, reals = self._core.state()
        return {"integers": integers, "reals": reals}

    def _load(self, state: Mapping[str, Any]) -> None:
        self._core.load(state["integers"], state["reals"])

    def _shared_key(self) -> Any:
        """Metrics of one key may have one accumulator in a collection; None has its own."""
        return None

    def _labels_of(self, y_true: Any) -> Any:
        """What the accumulator is given for `y_true`; `update` does the same."""
        return y_true

    def __getstate__(self) -> dict[str, Any]:
        return self.state_dict()

    def __setstate__(self, state: dict[str, Any]) -> None:
        type(self).__init__(self, **state["parameters"])
        self.load_state_dict(state)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._parameters.items())
        return f"{type(self).__name__}({shown})"


def _distributed() -> Any:
    """torch.distributed where the program has initialised it; never imported here."""
    distributed = sys.modules.get("torch.distributed")
    if distributed is None or not distributed.is_available():
        return None
    return distributed if distributed.is_initialized() else None


class MetricCollection(Mapping[str, Metric]):
    """Several metrics of the same predictions, updated by one call.

    Metrics that are functions of the same sums (all those of a confusion table; mean squared error
    and its root) share them, so a batch is read once for all of them. An update that one metric
    cannot use changes none.

    Parameters
    ----------
    metrics : mapping of str to Metric
        By the name under which `compute` gives each. They are copied, without what they have seen.

    Examples
    --------
    >>> from mlestar.metrics.streaming import Accuracy, F1Score, MetricCollection
    >>> metrics = MetricCollection({"accuracy": Accuracy(), "f1": F1Score(average="macro")})
    >>> metrics.update([0, 1, 1], [0, 1, 0])
    >>> metrics.update([1, 0], [1, 0])
    >>> metrics.compute()
    {'accuracy': 0.8, 'f1': 0.8}
    """

    def __init__(self, metrics: Mapping[str, Metric]) -> None:
        if not isinstance(metrics, Mapping) or not metrics:
            raise ValueError(
                f"metrics is {metrics!r}, but must be a mapping of names to at least one metric"
            )
        for name, metric in metrics.items():
            if not isinstance(name, str) or not isinstance(metric, Metric):
                raise ValueError(
                    f"metrics holds {name!r}: {metric!r}, but must hold metrics by their names"
                )
        self._metrics = {name: metric.clone() for name, metric in metrics.items()}
        self._share()

    def _share(self) -> None:
        """One compiled accumulator for all metrics that may have it."""
        by_key: dict[Any, Any] = {}
        self._owners: list[Metric] = []
        for metric in self._metrics.values():
            key = metric._shared_key()
            if key is not None and key in by_key:
                metric._core = by_key[key]
                continue
            self._owners.append(metric)
            if key is not None:
                by_key[key] = metric._core

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch to every metric; parameters and errors as in `Metric.update`."""
        if len(self._owners) == 1:
            self._owners[0].update(y_true, y_pred, sample_weight)
            return
        batches = [
            metric._core.prepare(metric._labels_of(y_true), y_pred, sample_weight)
            for metric in self._owners
        ]
        for metric, batch in zip(self._owners, batches, strict=True):
            metric._core.merge(batch)

    def compute(self) -> dict[str, Any]:
        """Every metric of all rows so far, by name."""
        return {name: metric.compute() for name, metric in self._metrics.items()}

    def merge(self, other: MetricCollection) -> MetricCollection:
        """Add what another collection of the same metrics has seen; returns this one."""
        if list(self._metrics) != list(other._metrics):
            raise ValueError(
                f"other holds {list(other._metrics)}, but must hold {list(self._metrics)}"
            )
        for name, metric in self._metrics.items():
            theirs = other._metrics[name]
            metric._require_same(type(theirs), theirs._parameters, f"other[{name!r}]")
        for mine, yours in zip(self._owners, other._owners, strict=True):
            mine._core.merge(yours._core)
        return self

    def reset(self) -> None:
        """Forget all rows."""
        for metric in self._owners:
            metric.reset()

    def clone(self) -> MetricCollection:
        """A collection of the same metrics that has seen nothing."""
        return MetricCollection(self._metrics)

    def state_dict(self) -> dict[str, Any]:
        """Every metric's state, by name."""
        return {name: metric.state_dict() for name, metric in self._metrics.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave; errors as in `Metric.load_state_dict`."""
        if list(state) != list(self._metrics):
            raise ValueError(f"state holds {list(state)}, but must hold {list(self._metrics)}")
        loaded = {name: metric.clone() for name, metric in self._metrics.items()}
        for name, metric in loaded.items():
            metric.load_state_dict(state[name])
        self._metrics = loaded
        self._share()

    def sync(self, group: Any = None) -> MetricCollection:
        """The collection of the rows of all processes; as `Metric.sync`."""
        distributed = _distributed()
        if distributed is None or distributed.get_world_size(group) == 1:
            return self
        states: list[Any] = [None] * distributed.get_world_size(group)
        distributed.all_gather_object(states, self.state_dict(), group=group)
        total = self.clone()
        for state in states:
            one = self.clone()
            one.load_state_dict(state)
            total.merge(one)
        return total

    def __getitem__(self, name: str) -> Metric:
        return self._metrics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._metrics)

    def __len__(self) -> int:
        return len(self._metrics)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "metrics": {name: metric.clone() for name, metric in self._metrics.items()},
            "state": self.state_dict(),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        MetricCollection.__init__(self, state["metrics"])
        self.load_state_dict(state["state"])

    def __repr__(self) -> str:
        return f"MetricCollection({self._metrics!r})"
