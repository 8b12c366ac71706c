"""A user's metric, compiled, on bootstrap resamples and in an ensemble; the peer is the same function in Python.

The peer is written in NumPy, as people write what is not to be slow; ours is once the same and once a loop, which
makes no arrays on the way. Fifty times fewer resamples are timed of the peer where rows are many, and its time scaled.
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


def asymmetric_cost_loop(y_true: Any, y_pred: Any) -> Any:
    """The same as a loop."""
    total = 0.0
    for i in range(len(y_true)):
        error = y_pred[i] - y_true[i]
        total += 3 * error if error > 0 else -error
    return total / len(y_true)


def rows(n: int) -> list[Row]:
    n = _ROWS if n == LARGE else n
    rng = np.random.default_rng(0)
    truth = rng.normal(size=n)
    given = truth + rng.normal(size=n)
    models = [truth + rng.normal(size=n) * scale for scale in np.linspace(0.5, 2, _MODELS)]
    same = metric(greater_is_better=False)(asymmetric_cost)
    loop = metric(greater_is_better=False)(asymmetric_cost_loop)
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
            models, truth, metric=loop, n_iterations=_STEPS, tie_break="first"
        ).order

    def starts_alike(mine: list[int], other: list[int]) -> None:
        assert mine == other[: len(mine)]

    found = [
        Row(
            f"bootstrap of a user's metric ({form}), {n} rows x {_RESAMPLES} resamples",
            n,
            resampled(compiled, _RESAMPLES),
            {"NumPy in Python": resampled(asymmetric_cost, timed)},
            peer_scale=_RESAMPLES / timed,
        )
        for form, compiled in (("a loop", loop), ("NumPy", same))
    ]
    found.append(
        Row(
            f"greedy_weights of a user's metric, {_MODELS} models x {n} rows x {_STEPS} steps",
            n,
            ensemble,
            {"NumPy in Python": in_python},
            same=starts_alike,
        )
    )
    return found


test_rows = bench_rows(rows)
