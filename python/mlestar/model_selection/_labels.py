"""Labels and groups as codes, number of rows, and what a subclass has overridden."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.utils import indexable
from sklearn.utils.validation import _num_samples

from mlestar._arrays import as_array
from mlestar._native import _core


def encode(labels: Any) -> Any:
    """Each row's rank among the sorted distinct labels (the core's `Labels`); None to decline.

    Integers, bool, finite floats and strings, on one axis, of at least one row; objects that are
    all of one of these.
    """
    array = as_array(labels)
    if array is None:
        array = _from_objects(labels)
    if array is None or array.ndim != 1 or array.size == 0:
        return None
    return _core.model_selection.encode(array)


def _from_objects(labels: Any) -> Any:
    """Objects that are all integers, or all floats, as such; None for others."""
    if not hasattr(labels, "dtype") or labels.dtype != object or getattr(labels, "ndim", 0) != 1:
        return None
    values = np.asarray(labels)
    if type(values) is not np.ndarray or values.dtype != object:
        return None
    kinds = {type(value) for value in values.tolist()}
    for kind, dtype in (((int, bool), np.int64), ((float,), np.float64)):
        if kinds and kinds.issubset(kind):
            try:
                return values.astype(dtype)
            except OverflowError:
                return None
    return None


def count_rows(X: Any, y: Any = None, groups: Any = None) -> int:
    """Rows of `X`, after scikit-learn's check (and its error) that the others have as many."""
    if type(X) is np.ndarray and X.ndim:
        rows = int(X.shape[0])
        for other in (y, groups):
            if other is not None and not (
                type(other) is np.ndarray and other.ndim and other.shape[0] == rows
            ):
                break
        else:
            return rows
    X, y, groups = indexable(X, y, groups)
    return int(_num_samples(X))


def overridden(splitter: Any, theirs: type, *hooks: str) -> bool:
    """Whether a subclass computes for itself by one of scikit-learn's hooks."""
    mine = type(splitter)
    return any(getattr(mine, hook, None) is not getattr(theirs, hook) for hook in hooks)


def say_groups_are_ignored(splitter: Any, groups: Any) -> None:
    """scikit-learn's warning, at the line that called `split`."""
    if groups is not None:
        warnings.warn(
            f"The groups parameter is ignored by {type(splitter).__name__}",
            UserWarning,
            stacklevel=3,
        )
