"""NumPy's temporaries in the pool: against NumPy's own memory, and against memory given by `out=`.

The sizes in the names are those of n = 2 000 000; fewer rows scale them down, below the pool's threshold.
Tables are of 20 columns and `n` / 2 rows.
"""

from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import numpy as np

from bench.row import Row, bench_rows
from mlestar import preprocessing
from mlestar.memory import HostPool, use
from mlestar.model_selection import take_rows

# Elements: 64 MB and 512 MB at the large size, a few kilobytes at the small one.
SIZES = {"64 MB": 8_000_000, "512 MB": 64_000_000}


def rows(n: int) -> list[Row]:
    pool = HostPool()
    share = 1.0 if n >= 2_000_000 else n / 2_000_000

    outside = copy_context()
    with use(pool):
        inside = copy_context()  # a call in it is a call within the scope, which is entered once

    def pooled(call: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: inside.run(call)

    def plain(call: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: outside.run(call)

    def temporary(what: str, elements: int) -> Row:
        x, y = np.arange(elements, dtype=np.float64), np.ones(elements)
        out = np.empty_like(x)
        call = lambda: x + y  # noqa: E731
        return Row(
            f"x + y, {what}",
            n,
            pooled(call),
            {"NumPy": plain(call), "out=": plain(lambda: np.add(x, y, out=out))},
            3 * x.nbytes,
            same=same,
        )

    x = np.random.default_rng(0).random((max(10, n // 2), 20))
    scaler = preprocessing.StandardScaler().fit(x)
    some = np.random.default_rng(1).permutation(len(x))[: len(x) // 2]
    small = np.ones(max(1, int(1_000_000 * share)))

    def several(what: str, call: Callable[[], Any]) -> Row:
        return Row(what, n, pooled(call), {"NumPy's memory": plain(call)}, x.nbytes, same=same)

    return [
        *(temporary(f"{what}", int(size * share)) for what, size in SIZES.items()),
        temporary("8 MB", len(small)),
        several("StandardScaler transform, fresh result", lambda: scaler.transform(x)),
        several("take_rows, fresh result", lambda: take_rows(x, some)),
        Row(
            "an empty block, made and freed",
            n,
            pooled(lambda: np.empty(8_000_000).nbytes),
            {"NumPy's memory": plain(lambda: np.empty(8_000_000).nbytes)},
        ),
    ]


def same(mine: Any, other: Any) -> None:
    """To the bit, wherever it lies."""
    assert np.array_equal(mine, other)


test_rows = bench_rows(rows)
