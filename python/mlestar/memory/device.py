"""A device's pool: memory of a GPU, or pinned memory of the host, in the order of streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlestar._devices import cuda_module
from mlestar._native import _core
from mlestar.memory._sizes import as_bytes, readable
from mlestar.memory.pool import Block

__all__ = ["DevicePool"]

_EVERYTHING = 2**63


class DevicePool:
    """A caching allocator of device memory, in the order of the device's streams.

    What is freed on a stream is used again on it at once, without waiting; another stream takes it
    when the work before the free is done, or waits for that when there is no other memory. Freed
    neighbours become one block. When there is no more, whole free segments go back to the driver,
    then `on_exhausted` is asked, and then the error lists the largest holders.

    Parameters
    ----------
    device : str
        ``"gpu:0"`` and so on; ``"pinned:0"`` for host memory that the GPU reads and writes by
        itself; ``"fake:8GiB"`` for a device of that size made of host memory, whose streams are
        always done, to try things out where there is no GPU.
    limit : int or str, optional
        Bytes that the pool may hold, blocks and cache together. Without one, as many as there are.
    keep : int or str, optional
        Bytes that stay cached at most, in whole segments. Everything, if not given.

    Raises
    ------
    ValueError
        If there is no such device, or a size is none.
    RuntimeError
        If the CUDA module was not built, or the driver refuses.

    Notes
    -----
    Not for a forked child, as nothing of CUDA is. `shared` gives the process's pool of a device,
    which PyTorch, CuPy and Numba use after `mlestar.memory.connect`.

    Examples
    --------
    >>> from mlestar.memory import DevicePool
    >>> pool = DevicePool("fake:1GiB")
    >>> block = pool.allocate("10MiB", tag="weights")
    >>> pool.statistics()["tags"]["weights"]["in_use"]
    10485760
    >>> pool.free(block)
    >>> pool.trim() > 0
    True
    """

    def __init__(
        self, device: str, limit: int | str | None = None, *, keep: int | str | None = None
    ) -> None:
        kind, where = _parsed(device)
        most = 0 if limit is None else _positive(limit)
        held = _EVERYTHING if keep is None else as_bytes(keep, "keep")
        self.device = device
        if kind == "fake":
            self._core: Any = _core.memory.DevicePool(where, most, held)
        else:
            self._core = _cuda().DevicePool(where, kind == "pinned", most, held)

    @classmethod
    def shared(cls, device: str) -> DevicePool:
        """The process's own pool of a GPU or of its pinned memory.

        Parameters
        ----------
        device : str
            ``"gpu:0"``, ``"pinned:0"`` and so on.

        Returns
        -------
        DevicePool
        """
        kind, where = _parsed(device)
        if kind == "fake":
            raise ValueError(f"device is {device!r}, but must be a GPU, as in 'gpu:0'")
        pool = cls.__new__(cls)
        pool.device = device
        pool._core = _cuda().shared(where, kind == "pinned")
        return pool

    @property
    def limit(self) -> int | None:
        """Bytes that the pool may hold; None is as many as there are."""
        found: int | None = self._core.statistics()["limit"]
        return found

    @limit.setter
    def limit(self, limit: int | str | None) -> None:
        self._core.set_limit(0 if limit is None else _positive(limit))

    @property
    def keep(self) -> int:
        """Bytes that stay cached at most. Setting it gives back what is cached beyond it."""
        found: int = self._core.keep()
        return found

    @keep.setter
    def keep(self, keep: int | str) -> None:
        self._core.set_keep(as_bytes(keep, "keep"))

    def allocate(self, nbytes: int | str, stream: int = 0, tag: str = "") -> int:
        """A block for work on a stream.

        Parameters
        ----------
        nbytes : int or str
        stream : int, default=0
            The stream's handle, as the array interfaces carry it.
        tag : str, default=""
            Name under which the pool counts it.

        Returns
        -------
        int
            Its address, aligned to 256 bytes.

        Raises
        ------
        OutOfMemoryError
            If there is no more; it lists the largest holders.
        """
        address: int = self._core.allocate(as_bytes(nbytes, "nbytes"), stream, tag)
        return address

    def free(self, address: int, stream: int = 0) -> None:
        """Give a block back when a stream has done what it has been given so far.

        Parameters
        ----------
        address : int
        stream : int, default=0
            The stream that used it last.

        Raises
        ------
        ValueError
            If no block of this pool in use begins there.
        """
        self._core.free(address, stream)

    def on_exhausted(self, callback: Callable[[int], bool] | None) -> None:
        """Ask somebody before an allocation fails.

        Parameters
        ----------
        callback : callable or None
            Called with the bytes asked for, from the thread that asks, and may free blocks of this
            pool; True if it is worth trying again. None: nobody.
        """
        if callback is not None and not callable(callback):
            raise ValueError(f"callback is {callback!r}, but must be callable or None")
        self._core.on_exhausted(callback)

    def statistics(self) -> dict[str, Any]:
        """What the pool holds and what it did, in the shape of `HostPool.statistics`.

        Returns
        -------
        dict
        """
        found: dict[str, Any] = self._core.statistics()
        return found

    def reset_peaks(self) -> None:
        """Count peaks anew, from what is in use now."""
        self._core.reset_peaks()

    def blocks(self) -> list[Block]:
        """Blocks in use, the oldest first.

        Returns
        -------
        list of Block
        """
        return [Block(*row) for row in self._core.blocks()]

    def trim(self, keep: int | str = 0) -> int:
        """Wait for the work before each free, and give whole segments back to the driver.

        Parameters
        ----------
        keep : int or str, default=0
            Bytes that may stay cached.

        Returns
        -------
        int
            Bytes given back.
        """
        given: int = self._core.trim(as_bytes(keep, "keep"))
        return given

    def __repr__(self) -> str:
        now = self.statistics()
        most = "" if now["limit"] is None else f", limit {readable(now['limit'])}"
        return (
            f"DevicePool({self.device!r}: {readable(now['in_use'])} in use, "
            f"{readable(now['cached'])} cached{most})"
        )


def _positive(limit: int | str) -> int:
    most = as_bytes(limit, "limit")
    if most == 0:
        raise ValueError("limit is 0, but must be positive, or None for no limit")
    return most


def _parsed(device: Any) -> tuple[str, int]:
    kind, _, rest = device.partition(":") if isinstance(device, str) else ("", "", "")
    if kind == "fake":
        return kind, as_bytes(rest, "device")
    if kind in ("gpu", "pinned") and rest.isascii() and rest.isdigit() and len(rest) < 5:
        return kind, int(rest)
    raise ValueError(
        f"device is {device!r}, but must be 'gpu:0' or 'pinned:0' with the number of a GPU, or "
        "'fake:' with a size"
    )


def _cuda() -> Any:
    module = cuda_module()
    if module is None:
        raise RuntimeError(
            "this needs the CUDA module, which was not built: pip install "
            "--config-settings=cmake.define.MLESTAR_CUDA=ON . in the source tree, with nvcc"
        )
    return module.memory
