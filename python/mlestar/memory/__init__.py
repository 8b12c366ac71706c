"""Memory: pools under NumPy's arrays and on a GPU, one budget, one table of what is held."""

from mlestar.exceptions import OutOfMemoryError
from mlestar.memory.adapters import connect, cupy_allocator, numba_manager, torch_pool
from mlestar.memory.budget import pool_of, set_limit, statistics
from mlestar.memory.device import DevicePool
from mlestar.memory.pool import Block, HostPool, default_pool, install, uninstall, use

__all__ = [
    "Block",
    "DevicePool",
    "HostPool",
    "OutOfMemoryError",
    "connect",
    "cupy_allocator",
    "default_pool",
    "install",
    "numba_manager",
    "pool_of",
    "set_limit",
    "statistics",
    "torch_pool",
    "uninstall",
    "use",
]
