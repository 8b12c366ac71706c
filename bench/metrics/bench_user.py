"""A user's metric, compiled, on bootstrap resamples and in an ensemble; the peer is the same function in Python.

The function is written in NumPy, as people write one that is not to be slow; as a loop, Python is slower by far. A
fiftieth of the resamples is timed where rows are many, and the peer's time is scaled to as many as ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.row import LARGE, Row, bench_rows
from mlestar.ensemble import greedy_weights
from mlestar.metrics import bootstrap, metric

_ROWS, _RESAMPLES, _MODELS, _STEPS = 100_000, 2000, 20, 25


def asymmetric_cost(y_true: Any, y_pred: Any) -> Any:
    """What an error costs: three times as much upwards."""
    error = y_pred - y_true
    return np.mean(np.where(error > 0, 3 * error, -error))


def rows(n: int) -> list[Row]:
    n = _ROWS if n == LARGE else n
    rng = np.random.default_rng(0)
    truth = rng.normal(size=n)
    given = truth + rng.normal(size=n)
    models = [truth + rng.normal(size=n) * scale for scale in np.linspace(0.5, 2, _MODELS)]
    compiled = metric(greater_is_better=False)(asymmetric_cost)
    timed = 40 if n == _ROWS else _RESAMPLES

    def resampled(function: Callable[..., Any], resamples: int) -> Callable[[], Any]:
        def run() -> Any:
            result = bootstrap(function, truth, given, n_resamples=resamples, random_state=0)
            return result.bootstrap_distribution[: min(timed, 8)]

        return run

    def in_python() -> Any:
        total, order = np.zeros(n), []
        for step in range(_STEPS):
            errors = [asymmetric_cost(truth, (total + p) / (step + 1)) for p in models]
            order.append(int(np.argmin(errors)))
            total += models[order[-1]]
        return order

    def ensemble() -> Any:
        return greedy_weights(
            models, truth, metric=compiled, n_iterations=_STEPS, tie_break="first"
        ).order

    def starts_alike(mine: list[int], other: list[int]) -> None:
        assert mine == other[: len(mine)]

    return [
        Row(
            f"bootstrap of a user's metric, {n} rows x {_RESAMPLES} resamples",
            n,
            resampled(compiled, _RESAMPLES),
            {"the function in Python": resampled(asymmetric_cost, timed)},
            peer_scale=_RESAMPLES / timed,
        ),
        Row(
            f"greedy_weights of a user's metric, {_MODELS} models x {n} rows x {_STEPS} steps",
            n,
            ensemble,
            {"the function in Python": in_python},
            same=starts_alike,
        ),
    ]


test_rows = bench_rows(rows)
