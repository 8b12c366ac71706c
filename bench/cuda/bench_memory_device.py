"""The pool of a GPU on a trace of allocations and frees, beside PyTorch's, CuPy's and RMM's.

Every allocator is called from Python once for each allocation and each free, on the default stream,
with what the trace needs cached before it is timed: the calls are then of the allocators' own logic.
A row of `n` walks a trace of at most 20 000 blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import mlestar
from bench.peers import optional
from bench.row import Row
from mlestar.memory import DevicePool

MOST = 20_000


def rows(n: int) -> list[Row]:
    """Rows for traces of two kinds; none where there is no GPU."""
    cuda = mlestar.build_info()["cuda"]
    if not cuda or not cuda["devices"]:
        return []
    core = DevicePool("gpu:0")._core
    allocators: dict[str, tuple[Callable[[int], Any], Callable[[Any], None]]] = {
        "mlestar": (lambda size: core.allocate(size, 0, ""), lambda block: core.free(block, 0))
    }
    if (torch := optional("torch")) is not None and torch.cuda.is_available():
        allocators["PyTorch"] = (
            lambda size: torch.cuda.caching_allocator_alloc(size, 0),
            torch.cuda.caching_allocator_delete,
        )
    if (rmm := optional("rmm")) is not None:
        pool = rmm.mr.PoolMemoryResource(rmm.mr.CudaMemoryResource(), 2**30)
        stream = rmm.pylibrmm.stream.DEFAULT_STREAM
        allocators["RMM"] = (
            lambda size: (pool.allocate(size, stream), size),
            lambda block: pool.deallocate(*block, stream),
        )
    if (cupy := optional("cupy")) is not None:
        # Its memory goes with the last name of its pointer.
        allocators["CuPy"] = (cupy.cuda.MemoryPool().malloc, lambda block: None)
    found = []
    for what, kinds, ahead in (("one block at a time", 10, 0), ("a thousand sizes", 1_000, 30)):
        rng = np.random.default_rng(0)
        sizes = (2 ** rng.uniform(9, 24, kinds)).astype(int)
        trace = [int(size) for size in rng.choice(sizes, min(n, MOST))]
        walks = {name: walk(trace, ahead, *pair) for name, pair in allocators.items()}
        ours = walks.pop("mlestar")
        found.append(Row(f"device pool, {what}", n, ours, walks))
    return found


def walk(
    trace: list[int],
    ahead: int,
    allocate: Callable[[int], Any],
    free: Callable[[Any], None],
) -> Callable[[], int]:
    """A walk over the trace with so many blocks held."""

    def run() -> int:
        held: list[Any] = []
        for size in trace:
            held.append(allocate(size))
            if len(held) > ahead:
                free(held.pop(0))
        for block in held:
            free(block)
        return len(trace)

    return run
