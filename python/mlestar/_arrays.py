"""Users' arguments as arrays that the core reads in place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_ndarray = np.ndarray


def as_array(value: Any) -> Any:
    """The value as a plain ndarray without a copy where possible; None where it is left alone.

    None makes the core decline, and scikit-learn deals with the value (sparse matrices, masked
    arrays, tables, ragged lists, whatever else).
    """
    if type(value) is _ndarray:
        return value if value.dtype.kind != "O" else _from_objects(value)
    return _convert(value)


def as_flat(value: Any) -> Any:
    """As `as_array`, a single column as one axis: what scikit-learn takes for labels and scores."""
    array = as_array(value)
    if array is not None and array.ndim == 2 and array.shape[1] == 1:
        return array[:, 0]
    return array


def _convert(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return _from_sequence(value)
    if isinstance(value, _ndarray):
        # memmap is an array with a file under it; other subclasses (masked, matrix) mean something.
        return value.view(_ndarray) if isinstance(value, np.memmap) else None
    if not hasattr(value, "__array__") or hasattr(value, "columns") or hasattr(value, "toarray"):
        return None
    try:
        array = np.asarray(value)  # pandas.Series, CPU tensors; zero-copy
    except (TypeError, ValueError, RuntimeError):
        return None
    if type(array) is not _ndarray:
        return None
    if array.dtype.kind == "O":  # a Series of strings
        return _from_objects(array)
    return array if array.dtype.kind in "biufU" else None


def _from_objects(array: NDArray[Any]) -> NDArray[Any] | None:
    """Strings as a string array; None where an object is something else."""
    if array.ndim != 1 or array.size == 0:
        return None
    # A string array pads with zeros: a string that ends in one would lose it.
    if not all(type(v) is str and not v.endswith("\0") for v in array.tolist()):
        return None
    return array.astype("U")


def _from_sequence(value: list[Any] | tuple[Any, ...]) -> NDArray[Any] | None:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if array.dtype.kind in "biuf":
        return array
    # NumPy turns [1, "a"] into strings; scikit-learn has words for such a mix.
    if array.dtype.kind == "U" and array.ndim == 1 and all(isinstance(v, str) for v in value):
        return array
    return None


def is_string(array: Any) -> bool:
    """Whether `array` is a string array that `encode_strings` takes."""
    return array is not None and array.dtype.kind == "U"
