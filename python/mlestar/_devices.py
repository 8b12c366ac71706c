"""Arrays on a GPU: known without importing their libraries, and handed to the CUDA module."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def cuda_module() -> Any:
    """The compiled CUDA module, loaded at first use; None where it was not built."""
    try:
        module = import_module("mlestar._core_cuda")
    except ModuleNotFoundError:
        return None
    # A folder of stubs alone imports as an empty namespace.
    return module if hasattr(module, "build_info") else None


def on_device(value: Any) -> bool:
    """Whether `value` is an array in the memory of a GPU (a CUDA tensor, a CuPy array, ...)."""
    is_cuda = getattr(value, "is_cuda", None)  # a tensor of either kind has the array interface
    if isinstance(is_cuda, bool):
        return is_cuda
    return hasattr(value, "__cuda_array_interface__")


def device_call(room: str, name: str, **arrays: Any) -> Any:
    """What the CUDA module answers; None where it is not asked or leaves the call to the host.

    `arrays` are the user's arguments by their names, in the order of the module's parameters; None
    is an argument not given. The work is queued on the arrays' own stream and waited for once.

    Raises
    ------
    ValueError
        If the arrays do not lie in one place.
    """
    given = {argument: value for argument, value in arrays.items() if value is not None}
    places = {argument: _place(value) for argument, value in given.items()}
    if not any(place != "the host" for place in places.values()):
        return None
    module = cuda_module()
    if module is None:
        return None
    first, where = next(iter(places.items()))
    for argument, place in places.items():
        if place != where:
            raise ValueError(
                f"{first} is on {where} and {argument} on {place}; all arrays of a call must be in "
                "one place"
            )
    streams = {_stream(value) for value in given.values()}
    stream = streams.pop()
    for other in streams:  # rare: arrays made on streams of their own
        module.synchronize(other)
    values = [None if value is None else _detached(value) for value in arrays.values()]
    return getattr(getattr(module, room), name)(*values, stream)


def to_host(value: Any) -> Any:
    """A copy in the host's memory of an array on a GPU; anything else as it is.

    Without the CUDA module values stay where they are: scikit-learn's own array API support may
    take them.
    """
    if not on_device(value) or cuda_module() is None:
        return value
    if hasattr(value, "detach"):  # torch
        return value.detach().cpu().numpy()
    if hasattr(value, "get"):  # CuPy
        return value.get()
    return value.copy_to_host()  # Numba


def _place(value: Any) -> str:
    if not on_device(value):
        return "the host"
    device = getattr(value, "device", None)
    # torch.device writes itself "cuda:0", CuPy's has an id.
    number = getattr(device, "id", None)
    return f"cuda:{number}" if number is not None else str(device or "a GPU")


def _stream(value: Any) -> int:
    if hasattr(value, "is_cuda"):
        import torch

        return int(torch.cuda.current_stream(value.device).cuda_stream)
    stream = value.__cuda_array_interface__.get("stream")
    return 0 if stream is None else int(stream)


def _detached(value: Any) -> Any:
    # A tensor that requires grad refuses the array interface.
    return value.detach() if hasattr(value, "detach") else value
