"""Validation, transforms, caching and streaming of data, put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, Self, runtime_checkable

from mlestar.pipeline.cache import CacheManager
from mlestar.pipeline.findings import UNLEARNABLE, Finding
from mlestar.pipeline.stream import StreamProcessor
from mlestar.pipeline.validation import DataValidator


@runtime_checkable
class Transform(Protocol):
    """A step that learns from data and changes them; every scikit-learn transformer is one."""

    def fit(self, X: Any, y: Any = None) -> Any:
        """Learn from data; returns the step itself."""

    def transform(self, X: Any) -> Any:
        """The changed data."""


class DataPipeline:
    """Steps that data go through before a model sees them.

    Parameters
    ----------
    preprocessing : list of Transform
        Fitted and applied in order.
    validation : DataValidator or None
        Checks DataFrames before anything is learned; errors are raised.
    caching : CacheManager or None
        Keeps what `fit_transform` computed; None keeps nothing.
    streaming : StreamProcessor or None
        How `stream` and `fit_stream` read their source.

    Attributes
    ----------
    findings_ : list of Finding
        What the validation of the last fit found.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from mlestar import DataPipeline, StreamProcessor
    >>> pipeline = DataPipeline([StandardScaler()], streaming=StreamProcessor(chunk_rows=2))
    >>> X = np.array([[0.0], [2.0], [4.0]])
    >>> pipeline.fit_transform(X).ravel().round(3).tolist()
    [-1.225, 0.0, 1.225]
    >>> pipeline.fit_stream(X)  # the same, without the whole array in memory
    >>> [chunk.ravel().round(3).tolist() for chunk in pipeline.stream(X)]
    [[-1.225, 0.0], [1.225]]
    """

    def __init__(
        self,
        preprocessing: Sequence[Transform] = (),
        validation: DataValidator | None = None,
        caching: CacheManager | None = None,
        streaming: StreamProcessor | None = None,
    ) -> None:
        for step in preprocessing:
            if not isinstance(step, Transform):
                raise TypeError(f"preprocessing holds {step!r}, which has no fit and transform")
        self.preprocessing = list(preprocessing)
        self.validation = validation or DataValidator(errors=UNLEARNABLE)
        self.caching = caching or CacheManager()
        self.streaming = streaming or StreamProcessor()
        self.findings_: list[Finding] = []

    def fit(self, X: Any, y: Any = None) -> Self:
        """Validate the data, then fit each step on what the steps before it give."""
        self._validate(X, y)
        for place, step in enumerate(self.preprocessing):
            step.fit(X, y)
            if place + 1 < len(self.preprocessing):
                X = step.transform(X)
        return self

    def transform(self, X: Any) -> Any:
        """Apply every step."""
        for step in self.preprocessing:
            X = step.transform(X)
        return X

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Fit, then apply to the same data, or give what the cache kept of the same call.

        Steps that learn by cross-fitting (a ``fit_transform`` of their own, as `TargetEncoder`'s)
        are
        not used that way here: `transform` after `fit` is what new data get.
        """
        if self.caching.folder is None:
            return self.fit(X, y).transform(X)
        steps = [f"{type(step).__qualname__}:{vars(step)!r}" for step in self.preprocessing]
        key = self.caching.key(steps, X, *(() if y is None else (y,)))
        self.fit(X, y)
        return self.caching.get_or_compute(key, lambda: self.transform(X))

    def fit_stream(self, source: Any) -> None:
        """Fit on a source in chunks; every step must have ``partial_fit``.

        Raises
        ------
        TypeError
            For a step without ``partial_fit``.
        """
        for place, step in enumerate(self.preprocessing):
            if not hasattr(step, "partial_fit"):
                raise TypeError(f"preprocessing[{place}], {step!r}, has no partial_fit")
        for place, step in enumerate(self.preprocessing):  # one pass for each step
            for chunk in self.streaming.chunks(source):
                for before in self.preprocessing[:place]:
                    chunk = before.transform(chunk)
                step.partial_fit(chunk)  # type: ignore[attr-defined]

    def stream(self, source: Any) -> Iterator[Any]:
        """Transformed chunks of a source, as they are asked for."""
        return self.streaming.process(source, self.transform)

    def _validate(self, X: Any, y: Any) -> None:
        self.findings_ = self.validation.check(X, y) if hasattr(X, "columns") else []
