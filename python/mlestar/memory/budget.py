"""One budget and one table over the memory of all devices."""

from __future__ import annotations

from typing import Any

from mlestar._devices import cuda_module
from mlestar.memory.device import DevicePool
from mlestar.memory.pool import HostPool, default_pool

__all__ = ["pool_of", "set_limit", "statistics"]

_shared: dict[str, DevicePool] = {}


def pool_of(device: str) -> HostPool | DevicePool:
    """The process's pool of a device.

    Parameters
    ----------
    device : str
        ``"cpu"``, ``"gpu:0"``, ``"pinned:0"`` and so on.

    Returns
    -------
    HostPool or DevicePool

    Raises
    ------
    ValueError
        If there is no such device.
    RuntimeError
        If it is a GPU's and the CUDA module was not built.

    Examples
    --------
    >>> from mlestar import memory
    >>> memory.pool_of("cpu") is memory.default_pool()
    True
    """
    if device == "cpu":
        return default_pool()
    if device not in _shared:
        try:
            _shared[device] = DevicePool.shared(device)
        except ValueError as error:
            if "but must be" in str(error) and str(error).startswith(f"device is {device!r}"):
                raise ValueError(
                    f"device is {device!r}, but must be 'cpu', 'gpu:0' or 'pinned:0' with the "
                    "number of a GPU"
                ) from None
            raise
    return _shared[device]


def set_limit(device: str, limit: int | str | None) -> None:
    """Bound what the process's pool of a device may hold, whoever asks it for memory.

    NumPy's arrays count after `install`, those of PyTorch, CuPy and Numba after `connect`; memory
    that a library takes in other ways does not. Cached memory beyond the limit is given back.

    Parameters
    ----------
    device : str
        ``"cpu"``, ``"gpu:0"``, ``"pinned:0"`` and so on.
    limit : int or str or None
        Bytes, as in ``"20GiB"``; None for no limit.

    Raises
    ------
    ValueError
        If there is no such device, or the limit is none.
    RuntimeError
        If it is a GPU's and the CUDA module was not built.

    Examples
    --------
    >>> from mlestar import memory
    >>> memory.set_limit("cpu", "20GiB")
    >>> memory.statistics()["cpu"]["limit"]
    21474836480
    >>> memory.set_limit("cpu", None)
    """
    pool_of(device).limit = limit


def statistics() -> dict[str, dict[str, Any]]:
    """What the process's pools hold: one row for each device.

    Returns
    -------
    dict
        ``"cpu"``, and ``"gpu:0"``, ``"pinned:0"`` and so on where the CUDA module finds a GPU and
        its pool is in use; each row as `HostPool.statistics` gives it.

    Examples
    --------
    >>> from mlestar import memory
    >>> sorted(memory.statistics()["cpu"])[:4]
    ['blocks', 'cached', 'failures', 'frees']
    """
    rows = {"cpu": default_pool().statistics()}
    module = cuda_module()
    for number in range(len(module.build_info()["devices"]) if module is not None else 0):
        for kind in ("gpu", "pinned"):
            row = pool_of(f"{kind}:{number}").statistics()
            if kind == "gpu" or row["hits"] + row["misses"] or row["limit"] is not None:
                rows[f"{kind}:{number}"] = row
    return rows
