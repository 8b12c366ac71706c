"""Other libraries' device memory from the same pool: PyTorch, CuPy, Numba."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from typing import Any

from mlestar._devices import cuda_module
from mlestar._lazy import require
from mlestar.memory.budget import pool_of

__all__ = ["LIBRARIES", "connect", "cupy_allocator", "numba_manager", "torch_pool"]

LIBRARIES = ("torch", "cupy", "numba")
_ALLOCATE, _FREE = "mlestar_device_allocate", "mlestar_device_free"
# What the libraries keep a pointer to, for as long as the process lives.
_kept: dict[str, Any] = {}


def connect(library: str) -> None:
    """Let a library take all its device memory from the process's pools, from now on.

    Parameters
    ----------
    library : str
        ``"torch"``: before its first tensor on a GPU, which PyTorch demands; `torch_pool` is for a
        part of a program, at any time. ``"cupy"``: arrays made before keep the memory they have.
        ``"numba"``: before its first CUDA context.

    Raises
    ------
    ValueError
        If it is another.
    ImportError
        If it is not installed.
    RuntimeError
        If the CUDA module was not built, or the library refuses since it has begun already.

    Examples
    --------
    >>> from mlestar.memory import connect
    >>> connect("tensorflow")
    Traceback (most recent call last):
    ...
    ValueError: library is 'tensorflow', but must be one of torch, cupy, numba
    """
    if library not in LIBRARIES:
        raise ValueError(f"library is {library!r}, but must be one of {', '.join(LIBRARIES)}")
    if library == "torch":
        memory = require("torch.cuda.memory", "torch")
        memory.change_current_allocator(_torch_allocator())
    elif library == "cupy":
        cuda = require("cupy", "cuda").cuda
        cuda.set_allocator(cupy_allocator())
    else:
        require("numba.cuda", "numba").set_memory_manager(numba_manager())


@contextlib.contextmanager
def torch_pool(device: int = 0) -> Iterator[Any]:
    """Take what PyTorch asks for within a ``with`` block from the process's pool of a GPU.

    PyTorch's own cache stands before the pool: it asks for whole segments and gives them back when
    its pool goes. It holds for the calling thread.

    Parameters
    ----------
    device : int, default=0

    Yields
    ------
    torch.cuda.MemPool
        Keep it for as long as its tensors live.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    RuntimeError
        If the CUDA module was not built.

    Examples
    --------
    >>> with torch_pool() as pool:  # doctest: +SKIP
    ...     weights = torch.ones(1_000_000, device="cuda")
    """
    allocator = _torch_allocator()
    torch = require("torch", "torch")
    pool = torch.cuda.MemPool(allocator.allocator())
    with torch.cuda.use_mem_pool(pool, device=device):
        yield pool


def cupy_allocator() -> Callable[[int], Any]:
    """An allocator for `cupy.cuda.set_allocator` or `cupy.cuda.using_allocator`.

    Returns
    -------
    callable
        Takes from the pool of CuPy's current device, in the order of its current stream.

    Raises
    ------
    ImportError
        If CuPy is not installed.

    Examples
    --------
    >>> with cupy.cuda.using_allocator(cupy_allocator()):  # doctest: +SKIP
    ...     x = cupy.ones(1_000_000)
    """
    cuda = require("cupy", "cuda").cuda

    def malloc(nbytes: int, device: int) -> int:
        stream = cuda.get_current_stream().ptr
        return _device_pool(device).allocate(nbytes, stream, "cupy")  # type: ignore[no-any-return]

    def free(address: int, device: int) -> None:
        # An empty array has no memory.
        if address:
            _device_pool(device).free(address, cuda.get_current_stream().ptr)

    allocator = _kept.setdefault("cupy", cuda.PythonFunctionAllocator(malloc, free))
    return allocator.malloc  # type: ignore[no-any-return]


def numba_manager() -> type:
    """A class for `numba.cuda.set_memory_manager` (External Memory Management).

    Returns
    -------
    type
        Device memory comes from the pool of the context's device, on the default stream; pinned
        memory stays Numba's.

    Raises
    ------
    ImportError
        If Numba is not installed.

    Examples
    --------
    >>> numba.cuda.set_memory_manager(numba_manager())  # doctest: +SKIP
    """
    cuda = require("numba.cuda", "numba")

    class PoolManager(cuda.GetIpcHandleMixin, cuda.HostOnlyCUDAMemoryManager):  # type: ignore[misc, name-defined]
        """Numba's device memory in mlestar's pool."""

        def memalloc(self, size: int) -> Any:
            pool = _device_pool(self.context.device.id)
            address = pool.allocate(size, 0, "numba")
            return cuda.MemoryPointer(
                self.context,
                ctypes.c_void_p(address),
                size,
                finalizer=lambda: pool.free(address, 0),
            )

        def get_memory_info(self) -> Any:
            now = _device_pool(self.context.device.id).statistics()
            if now["limit"] is None:
                raise NotImplementedError("the pool has no limit: see mlestar.memory.set_limit")
            free = max(0, now["limit"] - now["held"] + now["cached"])
            return cuda.MemoryInfo(free=free, total=now["limit"])

        def initialize(self) -> None:
            super().initialize()

        @property
        def interface_version(self) -> int:
            return 1

    return PoolManager


def _device_pool(device: int) -> Any:
    return pool_of(f"gpu:{device}")


def _torch_allocator() -> Any:
    module = cuda_module()
    memory = require("torch.cuda.memory", "torch")
    if module is None:
        raise RuntimeError(
            "this needs the CUDA module, which was not built: pip install "
            "--config-settings=cmake.define.MLESTAR_CUDA=ON . in the source tree, with nvcc"
        )
    if "torch" not in _kept:
        try:
            _kept["torch"] = memory.CUDAPluggableAllocator(module.__file__, _ALLOCATE, _FREE)
        except AttributeError:
            raise RuntimeError(
                "this needs a PyTorch with CUDA, and the one that is installed has none"
            ) from None
    return _kept["torch"]
