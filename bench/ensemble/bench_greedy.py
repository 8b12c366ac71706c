"""Greedy ensemble selection: 20 models, 25 steps, at 20 000 rows whatever the size asked for."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.peers import optional
from bench.row import Row, bench_rows
from mlestar.ensemble import GreedyResult, greedy_weights

_SIZE, _MODELS, _CLASSES = 20_000, 20, 5


def _autogluon(
    metric: str, problem: str, predictions: list[Any], y: Any
) -> dict[str, Callable[[], Any]]:
    selection = optional("autogluon.core.models.greedy_ensemble.ensemble_selection")
    if selection is None:
        return {}
    from autogluon.core.metrics import get_metric

    def fit() -> Any:
        found = selection.EnsembleSelection(25, problem, get_metric(metric)).fit(predictions, y)
        return GreedyResult(found.weights_, [int(i) for i in found.indices_], [], 0.0)

    return {"AutoGluon": fit}


def same(mine: GreedyResult, other: GreedyResult) -> None:
    """The same steps and weights."""
    assert mine.order == other.order
    np.testing.assert_allclose(mine.weights, other.weights)


def rows(n: int) -> list[Row]:
    n = min(n, _SIZE) if n != 2_000_000 else _SIZE
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n)
    y[:2] = [0, 1]
    models = [
        np.clip(y * 0.3 + 0.35 + rng.normal(0, 0.2 + 0.01 * j, n), 0.001, 0.999)
        for j in range(_MODELS)
    ]
    many = rng.integers(0, _CLASSES, n)
    tables = [
        rng.dirichlet(np.ones(_CLASSES), n) * 0.6 + 0.4 * np.eye(_CLASSES)[many]
        for _ in range(_MODELS)
    ]
    found = []
    for label, metric, theirs, problem, predictions, target in (
        ("roc_auc", "roc_auc", "roc_auc", "binary", models, y),
        ("log_loss", "log_loss", "log_loss", "binary", models, y),
        ("log_loss, 5 classes", "log_loss", "log_loss", "multiclass", tables, many),
        ("average_precision", "average_precision", "average_precision", "binary", models, y),
        ("mcc", "mcc", "mcc", "binary", models, y),
        ("accuracy, 5 classes", "accuracy", "accuracy", "multiclass", tables, many),
        ("f1_macro, 5 classes", "f1_macro", "f1_macro", "multiclass", tables, many),
        ("rmse", "rmse", "root_mean_squared_error", "regression", models, y.astype(float)),
    ):
        found.append(
            Row(
                f"greedy_weights {label}, 20 models x 20 000 rows x 25 steps",
                n,
                lambda m=metric, p=predictions, t=target: greedy_weights(p, t, metric=m),
                _autogluon(theirs, problem, predictions, target),
                same=same,
            )
        )
    return found


test_rows = bench_rows(rows)
