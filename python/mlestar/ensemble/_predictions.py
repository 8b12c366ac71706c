"""Predictions of several models, as users have them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlestar._arrays import as_array
from mlestar._native import _core

_PLACE = re.compile(r"predictions\[(\d+)\]")


class Predictions:
    """One array a model, under the model's key.

    Parameters
    ----------
    predictions : sequence of array-like, mapping of array-like, or array of shape (n_models, ...)
        One of one axis, or of two whose second are the classes, a model. The keys of a mapping name
        the models in errors.

    Raises
    ------
    ValueError
        Where there is no model, or one is no numeric array of one or two axes.
    """

    def __init__(self, predictions: Any) -> None:
        self.keys: list[Any] | None = None
        if isinstance(predictions, Mapping):
            self.keys = list(predictions)
            predictions = list(predictions.values())
        elif isinstance(predictions, str | bytes) or not hasattr(predictions, "__len__"):
            raise ValueError(
                f"predictions is {type(predictions).__name__}, but must be a sequence or a mapping "
                "of arrays, one a model"
            )
        self.arrays = [as_array(prediction) for prediction in predictions]
        if not self.arrays:
            raise ValueError("predictions is empty, but must hold at least one model")
        for index, array in enumerate(self.arrays):
            if array is None or array.dtype.kind not in "biuf" or array.ndim not in (1, 2):
                raise ValueError(
                    f"{self.name(index)} is {predictions[index]!r:.80}, but must be a numeric "
                    "array of one or two axes"
                )

    def __len__(self) -> int:
        return len(self.arrays)

    def name(self, index: int) -> str:
        """What a model is called in errors: ``predictions[key]``."""
        return f"predictions[{index if self.keys is None else self.keys[index]!r}]"

    @property
    def classes(self) -> int:
        """Columns of the first model; 1 where it has one axis."""
        first = self.arrays[0]
        return 1 if first.ndim == 1 else int(first.shape[1])

    def take(self, chosen: Iterable[int], arrays: list[Any] | None = None) -> Predictions:
        """Some of the models, or other rows of them, under the same names."""
        numbers = list(chosen)
        part = object.__new__(Predictions)
        keys = range(len(self)) if self.keys is None else self.keys
        part.keys = [keys[index] for index in numbers]
        part.arrays = [self.arrays[index] for index in numbers] if arrays is None else arrays
        return part

    def blend(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weighted sum of the models."""
        total = _core.ensemble.weighted_sum(self.arrays, weights.tolist())
        return total[:, 0] if self.arrays[0].ndim == 1 else total

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Errors of the core name models by their number: here by their key."""
        try:
            yield
        except Exception as error:
            if self.keys is None or getattr(error, "_mlestar_named", False):
                raise
            notes = getattr(error, "__notes__", [])
            notes[:] = [self._with_keys(note) for note in notes]
            if type(error) is ValueError and not notes:
                error.args = tuple(
                    self._with_keys(part) if isinstance(part, str) else part for part in error.args
                )
            error._mlestar_named = True  # type: ignore[attr-defined]
            raise

    def _with_keys(self, words: str) -> str:
        return _PLACE.sub(lambda found: self.name(int(found[1])), words)


def weights_or_none(sample_weight: Any) -> Any:
    """Row weights as an array, or None.

    Raises
    ------
    ValueError
        Where they are neither.
    """
    weight = None if sample_weight is None else as_array(sample_weight)
    if sample_weight is not None and (weight is None or weight.ndim != 1):
        raise ValueError("sample_weight must be a numeric array of one axis or None")
    return weight


def target_of(y: Any, axes: int = 1) -> np.ndarray[Any, Any]:
    """The target as an array.

    Raises
    ------
    ValueError
        Where it is no numeric array of so many axes.
    """
    array = as_array(y)
    if array is None or array.dtype.kind not in "biuf" or array.ndim != axes or array.size == 0:
        shape = "one axis" if axes == 1 else "two axes"
        raise ValueError(f"y is {y!r:.80}, but must be a numeric array of {shape}, not empty")
    return array  # type: ignore[no-any-return]
