"""Memory: pools under NumPy's arrays and on a GPU, one budget, one table of what is held."""

from mlestar.exceptions import OutOfMemoryError
from mlestar.memory.pool import Block, HostPool, default_pool, install, uninstall, use

__all__ = [
    "Block",
    "HostPool",
    "OutOfMemoryError",
    "default_pool",
    "install",
    "uninstall",
    "use",
]
