"""The device's pool on a fake device: what its own logic costs; bench/cuda has the real one.

Each row walks one trace of `n` allocations and frees (no more than 20 000), against a pool that
keeps blocks by their exact size alone, in Python as the walk is.
"""

from collections import defaultdict
from collections.abc import Callable

import numpy as np

from bench.row import Row, bench_rows
from mlestar.memory import DevicePool

MOST = 20_000


class ExactSizes:
    """The least a cache can be: lists of free blocks by size."""

    def __init__(self) -> None:
        self.free_blocks: dict[int, list[int]] = defaultdict(list)
        self.next = 0

    def allocate(self, size: int, stream: int, tag: str) -> int:
        """A block of that size."""
        if self.free_blocks[size]:
            return self.free_blocks[size].pop()
        self.next += size
        return self.next - size

    def free(self, size: int, address: int) -> None:
        """Back to its list."""
        self.free_blocks[size].append(address)


def trace(n: int, kinds: int) -> list[int]:
    """Sizes of blocks asked for in turn."""
    rng = np.random.default_rng(0)
    sizes = (2 ** rng.uniform(9, 24, kinds)).astype(int)
    return [int(size) for size in rng.choice(sizes, min(n, MOST))]


def rows(n: int) -> list[Row]:
    core = DevicePool("fake:8GiB")._core
    exact = ExactSizes()

    def walk(sizes: list[int], ahead: int) -> Callable[[], int]:
        def run() -> int:
            held: list[int] = []
            for size in sizes:
                held.append(core.allocate(size, 0, ""))
                if len(held) > ahead:
                    core.free(held.pop(0), 0)
            for address in held:
                core.free(address, 0)
            return len(sizes)

        return run

    def plain(sizes: list[int], ahead: int) -> Callable[[], int]:
        def run() -> int:
            held: list[tuple[int, int]] = []
            for size in sizes:
                held.append((size, exact.allocate(size, 0, "")))
                if len(held) > ahead:
                    exact.free(*held.pop(0))
            for size, address in held:
                exact.free(size, address)
            return len(sizes)

        return run

    cases = {"ten sizes, one block at a time": (10, 0), "a thousand sizes, 30 blocks": (1_000, 30)}
    return [
        Row(
            f"device pool, {what}",
            n,
            walk(trace(n, kinds), ahead),
            {"lists by exact size, Python": plain(trace(n, kinds), ahead)},
        )
        for what, (kinds, ahead) in cases.items()
    ]


test_rows = bench_rows(rows)
