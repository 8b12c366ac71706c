"""Validation, transforms, caching and streaming of data, put together."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

from mlestar.exceptions import DataError
from mlestar.pipeline.cache import CacheManager
from mlestar.pipeline.explanation import Explanation, Stage
from mlestar.pipeline.findings import UNLEARNABLE, Finding
from mlestar.pipeline.sources import open_source
from mlestar.pipeline.states import load_steps, save_steps, state_of
from mlestar.pipeline.stream import Stream, StreamProcessor
from mlestar.pipeline.tables import as_frame, numbers_matrix
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
        Checks tables before anything is learned; what it calls errors is raised. By default those
        that leave nothing to learn (`UNLEARNABLE`).
    caching : CacheManager or None
        Keeps what `fit_transform` computed; None keeps nothing.
    streaming : StreamProcessor or None
        How `fit_stream`, `stream` and `write` read their source.

    Attributes
    ----------
    findings_ : list of Finding
        What the validation of the last fit found.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar import DataPipeline, StreamProcessor
    >>> from mlestar.preprocessing import StandardScaler
    >>> pipeline = DataPipeline([StandardScaler()], streaming=StreamProcessor(chunk_rows=2))
    >>> X = np.array([[0.0], [2.0], [4.0]])
    >>> pipeline.fit_transform(X).ravel().round(3).tolist()
    [-1.225, 0.0, 1.225]
    >>> pipeline = pipeline.fit_stream(X)  # the same, without the whole array in memory
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
            if not isinstance(step, Transform) or isinstance(step, type):
                raise TypeError(f"preprocessing holds {step!r}, which has no fit and transform")
        self.preprocessing = list(preprocessing)
        self.validation = validation or DataValidator(errors=UNLEARNABLE)
        self.caching = caching or CacheManager()
        self.streaming = streaming or StreamProcessor()
        self.findings_: list[Finding] = []
        self._unlearned = [_unlearned(step) for step in self.preprocessing]
        self._stages = [
            Stage("read"),
            Stage("validate"),
            *(Stage(type(step).__name__) for step in self.preprocessing),
        ]

    def fit(self, X: Any, y: Any = None) -> Self:
        """Validate the data, then fit each step on what the steps before it give.

        Raises
        ------
        DataError
            For what the validation calls an error; nothing is fitted then.
        """
        self._validate(X, y)
        self._fit(X, y, keep=False)
        return self

    def transform(self, X: Any) -> Any:
        """Apply every step."""
        for place in range(len(self.preprocessing)):
            X = self._apply(place, X)
        return X

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Fit, then apply to the same data, or take what the cache kept of the same call.

        Where every step has ``state_dict`` (those of `mlestar.preprocessing`), the cache keeps what
        they have learned too, and nothing is computed twice; else the steps are fitted again. What
        the cache kept is a read-only view of its file, unless the cache is told otherwise.

        Steps that learn by cross-fitting (a ``fit_transform`` of their own, as `TargetEncoder`'s)
        are not used that way here: `transform` after `fit` is what new data get.
        """
        self._validate(X, y)
        if self.caching.folder is None:
            return self._fit(X, y, keep=True)
        parameters = [
            [f"{type(step).__module__}.{type(step).__qualname__}", *_parameters(step)]
            for step in self.preprocessing
        ]
        about = ["fit_transform", _wanted_output(), parameters]
        key = self.caching.key(about, X, *(() if y is None else (y,)))
        kept = self.caching.get(key)
        if kept is not None:
            if kept["states"] is None:
                self._fit(X, y, keep=False)
            else:
                for step, state in zip(self.preprocessing, kept["states"], strict=True):
                    step.load_state_dict(state)  # type: ignore[attr-defined]
            return kept["result"]
        result = self._fit(X, y, keep=True)
        states = [state_of(step) for step in self.preprocessing]
        complete = None if any(state is None for state in states) else states
        self.caching.put(key, {"result": result, "states": complete})
        return result

    def passes(self) -> list[str]:
        """What each pass of `fit_stream` over its source is for, in order.

        Returns
        -------
        list of str
            One pass for each step that learns something; the first one validates too.

        Raises
        ------
        TypeError
            For a step that learns something and has no ``partial_fit``.

        Examples
        --------
        >>> from mlestar import DataPipeline
        >>> from mlestar.preprocessing import MinMaxScaler, Normalizer, StandardScaler
        >>> DataPipeline([StandardScaler(), Normalizer(), MinMaxScaler()]).passes()
        ['validate and fit StandardScaler', 'fit MinMaxScaler']
        """
        names = [f"fit {type(self.preprocessing[place]).__name__}" for place in self._learning()]
        return [f"validate and {names[0]}", *names[1:]] if names else ["validate"]

    def fit_stream(self, source: Any, target: Any = None) -> Self:
        """Validate and fit on a source in chunks, in as many passes as `passes` says.

        As with `fit`, what the steps learned before is forgotten.

        Parameters
        ----------
        source : object
            As of `StreamProcessor.chunks`. An iterator serves one pass only; a function that makes
            one serves any number.
        target : str or None
            A column that is the target: no step sees it among its data.

        Returns
        -------
        DataPipeline
            This one.

        Raises
        ------
        TypeError
            For a step that learns something and has no ``partial_fit``.
        ValueError
            If the source can be read once and more passes are needed; nothing is read then.
        DataError
            For what the validation calls an error, or where the source cannot be read.
        """
        learning = self._learning()
        processor = self.streaming
        again = open_source(source, processor.columns, processor.types).again
        if len(learning) > 1 and not again:
            raise ValueError(
                f"source can be read once, but {len(learning)} passes are needed: "
                f"{', '.join(self.passes())}; give a path, a table, or a function that makes the "
                "iterator"
            )
        for place in learning:  # else a second fit, or one after a source that failed, would add
            _start_afresh(self.preprocessing[place], self._unlearned[place])
        seen = self.validation.start()
        for turn, place in enumerate(learning or [len(self.preprocessing)]):
            for chunk, stream in self._chunks(source):
                X, y = _split(chunk, target)
                if turn == 0:
                    stage = self._stages[1]
                    started = time.perf_counter()
                    seen.update(as_frame(X), y)
                    stage.add(X, None, time.perf_counter() - started)
                stream.apply(partial(self._learn, place, y), X)
            if turn == 0:
                self.findings_ = seen.check()
        return self

    def stream(self, source: Any, target: Any = None) -> Iterator[Any]:
        """Transformed chunks of a source, as they are asked for.

        Parameters
        ----------
        source : object
            As of `StreamProcessor.chunks`.
        target : str or None
            A column that is the target: pairs of transformed chunk and target are given.
        """
        for chunk, stream in self._chunks(source):
            X, y = _split(chunk, target)
            result = stream.apply(self.transform, X)
            yield result if target is None else (result, y)

    def write(self, source: Any, target: str | Path, *, resume: bool = False) -> int:
        """Transform a source to a file, in chunks: see `StreamProcessor.write`."""
        return self.streaming.write(source, target, self.transform, resume=resume)

    def explain(self) -> Explanation:
        """The graph of stages, with the time and bytes that each has taken so far.

        Returns
        -------
        Explanation
            Prints as text; ``svg()`` is a picture, ``rows`` plain data.
        """
        return Explanation(list(self._stages))

    def save(self, path: str | Path) -> Path:
        """Write the fitted steps to a file, arrays as they are; nothing is pickled.

        Raises
        ------
        ModelFileError
            For a step of a type that no model file may hold.
        """
        return save_steps(self.preprocessing, Path(path))

    @classmethod
    def load(
        cls,
        path: str | Path,
        validation: DataValidator | None = None,
        caching: CacheManager | None = None,
        streaming: StreamProcessor | None = None,
    ) -> Self:
        """A pipeline of the steps that `save` wrote.

        Raises
        ------
        ModelFileError
            If the file is damaged, of another format, or holds a type that is not trusted.
        """
        return cls(load_steps(Path(path)), validation, caching, streaming)

    # Parts ----------------------------------------------------------------------------------------

    def _apply(self, place: int, X: Any) -> Any:
        """One step's transform: where a program of several steps can stand in for them."""
        started = time.perf_counter()
        result = self.preprocessing[place].transform(X)
        self._stages[place + 2].add(X, result, time.perf_counter() - started)
        return result

    def _fit(self, X: Any, y: Any, keep: bool) -> Any:
        """Fit each step; the transformed data, where they are to be kept."""
        for place, step in enumerate(self.preprocessing):
            started = time.perf_counter()
            step.fit(X, y)
            self._stages[place + 2].fit_seconds += time.perf_counter() - started
            if keep or place + 1 < len(self.preprocessing):
                X = self._apply(place, X)
        return X

    def _learn(self, place: int, y: Any, X: Any) -> None:
        for before in range(place):
            X = self._apply(before, X)
        if place < len(self.preprocessing):
            step: Any = self.preprocessing[place]
            started = time.perf_counter()
            step.partial_fit(X) if y is None else step.partial_fit(X, y)
            self._stages[place + 2].fit_seconds += time.perf_counter() - started

    def _learning(self) -> list[int]:
        """Places of the steps that must see the data before they can transform."""
        places = []
        for place, step in enumerate(self.preprocessing):
            if _needs_fit(step):
                if not hasattr(step, "partial_fit"):
                    raise TypeError(f"preprocessing[{place}], {step!r}, has no partial_fit")
                places.append(place)
        return places

    def _chunks(self, source: Any) -> Iterator[tuple[Any, Stream]]:
        with self.streaming.chunks(source) as stream:
            while True:
                started = time.perf_counter()
                chunk = next(stream, None)
                if chunk is None:
                    return
                self._stages[0].add(None, chunk, time.perf_counter() - started)
                yield chunk, stream

    def _validate(self, X: Any, y: Any) -> None:
        started = time.perf_counter()
        self.findings_ = self.validation.check(X, y) if hasattr(X, "columns") else []
        self._stages[1].add(X, None, time.perf_counter() - started)


def _parameters(step: Any) -> list[Any]:
    """What a step's result depends on before it has learned anything."""
    if not hasattr(step, "get_params"):
        return [step]
    return [step.get_params(), getattr(step, "_sklearn_output_config", None)]


def _wanted_output() -> Any:
    """The kind of table that scikit-learn was told to give."""
    sklearn = sys.modules.get("sklearn")
    return None if sklearn is None else sklearn.get_config()["transform_output"]


def _unlearned(step: Any) -> Any:
    """What a step holds that cannot be made again from its parameters; None where it can be."""
    if hasattr(step, "get_params") or not hasattr(step, "partial_fit"):
        return None
    try:
        return deepcopy(vars(step))
    except Exception:  # a lock or a file: then fit_stream says that it cannot be cloned
        return None


def _start_afresh(step: Any, unlearned: Any) -> None:
    """Let a step forget what it has learned; it stays the object that the user holds."""
    if unlearned is None:
        from sklearn.base import clone

        unlearned = vars(clone(step))
    held = vars(step)
    held.clear()
    held.update(deepcopy(unlearned) if not hasattr(step, "get_params") else unlearned)


def _needs_fit(step: Any) -> bool:
    """Whether a step learns anything; one that does not say so does."""
    tags = getattr(step, "__sklearn_tags__", None)
    return True if tags is None else bool(tags().requires_fit)


def _split(chunk: Any, target: Any) -> tuple[Any, Any]:
    if target is None:
        return chunk, None
    if not hasattr(chunk, "columns") or target not in chunk.columns:
        names = list(getattr(chunk, "columns", []))
        raise DataError(f"target is {target!r}, but the columns are {names}")
    return chunk.drop(columns=target), numbers_matrix(chunk[target])
