"""What a benchmark row is, and how pytest-benchmark runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

SMALL, LARGE = 1_000, 2_000_000


@dataclass(frozen=True)
class Row:
    """One call of ours and the same call of its peers.

    Attributes
    ----------
    name : str
    size : int
        Rows of the data.
    ours : callable
    peers : dict
        Name of the peer to its call; the first is the yardstick.
    nbytes : int
        Bytes that one pass over the data reads.
    counted : str
        Name in `core_calls`; empty where there is none.
    rtol : float
        Tolerance of the answers' comparison.
    same : callable or None
        same(ours, theirs) instead of a comparison of numbers.
    peer_scale : float
        What the peers' times are multiplied by, where their calls do only a part of what ours does.
    """

    name: str
    size: int
    ours: Callable[[], Any]
    peers: dict[str, Callable[[], Any]]
    nbytes: int = 0
    counted: str = ""
    rtol: float = 1e-9
    same: Callable[[Any, Any], None] | None = field(default=None, compare=False)
    peer_scale: float = 1.0

    def check(self) -> None:
        """Raise unless every peer gives our answer."""
        mine = self.ours()
        for peer in self.peers.values():
            other = peer()
            if self.same is not None:
                self.same(mine, other)
            else:
                np.testing.assert_allclose(
                    np.asarray(mine, float), np.asarray(other, float), rtol=self.rtol
                )


def bench_rows(make: Callable[[int], Sequence[Row]]) -> Any:
    """A test over the rows of both sizes: each row's calls are one group."""
    names = {size: [row.name for row in make(8)] for size in (SMALL, LARGE)}
    cases = [(size, i, name) for size, all_ in names.items() for i, name in enumerate(all_)]
    cache: dict[int, Sequence[Row]] = {}

    @pytest.mark.parametrize(
        ("size", "place"), [(s, i) for s, i, _ in cases], ids=[f"{n}-{s}" for s, _, n in cases]
    )
    def test_row(size: int, place: int, benchmark: Any) -> None:
        if size not in cache:
            cache.clear()
            cache[size] = make(size)
        row = cache[size][place]
        row.check()
        benchmark.group = f"{row.name}, n = {size}"
        benchmark.extra_info["peers"] = list(row.peers)
        benchmark(row.ours)

    return test_row
