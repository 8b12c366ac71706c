"""Convex ensemble weights: 20 models at 20 000 rows whatever the size asked for."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.row import Row, bench_rows
from mlestar.ensemble import ConvexResult, convex_weights

_SIZE, _MODELS = 20_000, 20


def _slsqp(make: Callable[[], Any], value: Callable[[Any, Any], Any]) -> ConvexResult:
    """SciPy's optimum on the simplex; value(P, w) gives the objective and its gradient."""
    from scipy.optimize import minimize

    table = make()
    models = table.shape[1]
    found = minimize(
        lambda w: value(table, w),
        np.full(models, 1 / models),
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * models,
        constraints={
            "type": "eq",
            "fun": lambda w: w.sum() - 1,
            "jac": lambda w: np.ones(models),
        },
    )
    return ConvexResult(found.x, float(found.fun), np.inf, int(found.nit), bool(found.success))


def _log_loss(table: Any, w: Any) -> Any:
    q = table @ w
    return -np.log(q).mean(), -(table.T @ (1 / q)) / len(q)


def _squares(table: Any, w: Any) -> Any:
    r = table @ w
    return (r * r).mean(), 2 * (table.T @ r) / len(r)


def no_worse(mine: ConvexResult, other: ConvexResult) -> None:
    """A certified optimum, and an objective that is not above the other's."""
    assert mine.converged
    assert mine.gap <= 1e-9
    assert mine.objective <= other.objective + 1e-12


def rows(n: int) -> list[Row]:
    n = min(n, _SIZE) if n != 2_000_000 else _SIZE
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n)
    models = [
        np.clip(y * 0.3 + 0.35 + rng.normal(0, 0.2 + 0.01 * j, n), 0.001, 0.999)
        for j in range(_MODELS)
    ]
    return [
        Row(
            "convex_weights log, 20 models x 20 000 rows",
            n,
            lambda: convex_weights(models, y),
            {
                "SLSQP with gradient": lambda: _slsqp(
                    lambda: np.stack([np.where(y == 1, p, 1 - p) for p in models], axis=1),
                    _log_loss,
                )
            },
            same=no_worse,
        ),
        Row(
            "convex_weights squared, 20 models x 20 000 rows",
            n,
            lambda: convex_weights(models, y, loss="squared"),
            {
                "SLSQP with gradient": lambda: _slsqp(
                    lambda: np.stack(models, axis=1) - y[:, None], _squares
                )
            },
            same=no_worse,
        ),
    ]


test_rows = bench_rows(rows)
