"""Rows for a user's metric: float64, one axis, contiguous."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlestar.metrics._streaming_arrays import to_array

_EXACT = 2**53  # integers up to here are floats


def check_rows(y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
    """The arrays as float64, without a copy where they are.

    Raises
    ------
    ValueError
        Naming the argument, what it was and what it must be.
    """
    truth = _values("y_true", y_true)
    if not truth.size:
        raise ValueError("y_true has no rows, but at least one is needed")
    answer = _as_long("y_pred", _values("y_pred", y_pred), truth)
    if sample_weight is None:
        return truth, answer, None
    weight = _as_long("sample_weight", _values("sample_weight", sample_weight), truth)
    wrong = ~(np.isfinite(weight) & (weight >= 0))
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"sample_weight holds {weight[row]} in row {row}, but must be finite and not negative"
        )
    return truth, answer, weight


def _as_long(name: str, values: Any, truth: Any) -> Any:
    if len(values) != len(truth):
        raise ValueError(f"{name} has {len(values)} rows, but y_true has {len(truth)}")
    return values


def _values(name: str, value: Any) -> Any:
    if type(value) is np.ndarray and value.dtype == np.float64 and value.ndim == 1:
        return _plain(value)
    array = to_array(value, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"{name} has shape {array.shape}, but must have one axis")
    if array.dtype.kind == "U":
        raise ValueError(f"{name} holds strings, but must hold numbers")
    wide = array.dtype.kind in "iu" and array.dtype.itemsize == 8 and array.size > 0
    if wide and (int(array.max()) > _EXACT or int(array.min()) < -_EXACT):
        raise ValueError(
            f"{name} holds integers beyond 2**53, which float64 cannot hold; they lie between "
            f"{array.min()} and {array.max()}"
        )
    return _plain(array)


def _plain(array: Any) -> Any:
    array = np.ascontiguousarray(array, dtype=np.float64)
    return array if array.flags.aligned else array.copy()
