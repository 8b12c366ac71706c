"""What the compiled update does not read in place, as an array that it reads.

Called from the core for lists, Series, tensors of older PyTorch, arrays in another byte order, and
whatever else it does not know.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlestar._arrays import as_array
from mlestar._devices import on_device
from mlestar._native import _core


def to_array(value: Any, name: str) -> Any:
    """The value as an array of one or two axes of numbers or strings.

    Raises
    ------
    ValueError
        If it is none, naming the argument, what it was and what it must be.
    """
    if on_device(value):
        raise ValueError(
            f"{name} is in the memory of a GPU ({getattr(value, 'device', 'cuda')}), but streaming "
            f"metrics read the host's; pass {name}.cpu()"
        )
    array = _from_tensor(value) if hasattr(value, "detach") else as_array(value)
    if array is None or array.dtype.kind not in "biufU":
        shown = type(value).__name__
        if isinstance(value, np.ndarray):
            shown += f" of dtype {value.dtype}"
        raise ValueError(
            f"{name} is a {shown}, but must be an array of numbers or of labels (numbers or "
            "strings)"
        )
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} has {array.ndim} axes, but must have one or two")
    if array.dtype.kind == "U" and array.ndim != 1:
        raise ValueError(f"{name} holds strings in two axes, but must have one")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        raise ValueError(f"{name} is of {array.dtype}, but floats must have at most 64 bits")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array if array.flags.aligned else array.copy()


def to_rows(y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
    """A batch as arrays of as many rows, with weights that the compiled accumulators take.

    Raises
    ------
    ValueError
        As `to_array`; for a batch without rows, other lengths, or weights that cannot be used.
    """
    t, p = to_array(y_true, "y_true"), to_array(y_pred, "y_pred")
    if len(t) == 0:
        raise ValueError("y_true has no rows, but a batch must have at least one")
    if len(p) != len(t):
        raise ValueError(f"y_pred has {len(p)} rows, but must have those of y_true, {len(t)}")
    if sample_weight is not None:
        nothing = np.zeros(len(t), np.int8)
        _core.metrics.LabelTable(False).update(nothing, nothing, sample_weight)  # words the errors
        sample_weight = to_array(sample_weight, "sample_weight")
    return t, p, sample_weight


def require_indicators(array: Any, name: str) -> None:
    """Raise unless all is 0 or 1."""
    wrong = np.argwhere((array != 0) & (array != 1))
    if len(wrong):
        row, column = wrong[0]
        raise ValueError(
            f"{name} holds {array[row, column].item()!r} in row {row}, but indicators must be 0 or "
            "1"
        )


def _from_tensor(tensor: Any) -> Any:
    """A tensor without its gradient, sharing memory where NumPy has the type."""
    tensor = tensor.detach()
    if tensor.is_sparse or tensor.is_quantized:
        return None
    if str(tensor.dtype) == "torch.bfloat16":
        tensor = tensor.float()
    try:
        return tensor.resolve_neg().resolve_conj().numpy()
    except (RuntimeError, TypeError):  # on a device without memory, or of a type NumPy lacks
        return None
