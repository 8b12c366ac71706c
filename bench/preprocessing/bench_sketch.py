"""Sketches of quantiles against NumPy's exact ones, and Apache DataSketches where it is there."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.peers import optional
from bench.row import Row, bench_rows
from mlestar.preprocessing import QuantileSketch

SHARES = [0.01, 0.25, 0.5, 0.75, 0.99]


def rows(n: int) -> list[Row]:
    X = np.random.default_rng(0).random(n)
    batches = np.array_split(X, max(1, n // 100_000))
    datasketches = optional("datasketches")

    def ours(parts: list[Any]) -> Any:
        sketch = QuantileSketch()
        for part in parts:
            sketch.update(part)
        return sketch.quantiles(SHARES)[:, 0]

    def theirs() -> Any:
        sketch = datasketches.kll_doubles_sketch(4096)
        sketch.update(X)
        return np.array(sketch.get_quantiles(SHARES))

    def near(mine: Any, other: Any) -> None:
        # Ranks of uniform values are the values; of few rows, the distance between two of them.
        np.testing.assert_allclose(mine, other, atol=0.002 + 2 / n)

    def row(what: str, parts: list[Any]) -> Row:
        peers: dict[str, Callable[[], Any]] = {"NumPy": lambda: np.quantile(X, SHARES)}
        if datasketches is not None:
            peers["Apache DataSketches"] = theirs
        return Row(f"QuantileSketch{what}", n, lambda: ours(parts), peers, X.nbytes, same=near)

    return [row("", [X]), row(", batches", batches)]


test_rows = bench_rows(rows)
