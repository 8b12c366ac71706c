"""Bootstrap and permutation of 2 000 resamples: 100 000 rows where two million are asked for.

The peer is the loop that people write over scikit-learn's function, the draw of the rows included. Twenty of its
resamples are timed, and the time is scaled to as many as ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn.metrics as theirs

from bench.row import LARGE, Row, bench_rows
from mlestar.evaluation import permutation_test
from mlestar.metrics import bootstrap

_ROWS, _RESAMPLES, _TIMED = 100_000, 2000, 20


def _drawn(metric: Callable[..., Any], truth: Any, given: Any) -> Callable[[], Any]:
    def run() -> tuple[float, float]:
        rng = np.random.default_rng(1)
        values = []
        for _ in range(_TIMED):
            rows = rng.integers(0, len(truth), len(truth))
            values.append(metric(truth[rows], given[rows]))
        return float(np.mean(values)), float(np.std(values, ddof=1))

    return run


def _swapped(metric: Callable[..., Any], truth: Any, a: Any, b: Any) -> Callable[[], Any]:
    def run() -> float:
        rng = np.random.default_rng(1)
        observed = abs(metric(truth, a) - metric(truth, b))
        hits = 0
        for _ in range(_TIMED):
            coins = rng.random(len(truth)) < 0.5
            first, second = np.where(coins, b, a), np.where(coins, a, b)
            hits += abs(metric(truth, first) - metric(truth, second)) >= observed
        return (1 + hits) / (1 + _TIMED)

    return run


def same_distribution(mine: tuple[float, float], other: tuple[float, float]) -> None:
    """Means and standard errors, as near as twenty resamples tell."""
    assert abs(mine[0] - other[0]) < 2 * mine[1]
    assert 0.5 * mine[1] < other[1] < 2 * mine[1]


def same_p_value(mine: float, other: float) -> None:
    """P-values, as near as twenty permutations tell."""
    assert abs(mine - other) < 0.5


def rows(n: int) -> list[Row]:
    n = _ROWS if n == LARGE else n
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, n)
    truth[:2] = [0, 1]
    score = truth + rng.normal(size=n)
    other = truth + rng.normal(size=n)
    classes = rng.integers(0, 5, n)
    labels = np.where(rng.random(n) < 0.6, classes, rng.integers(0, 5, n))

    def interval(name: str, y: Any, given: Any) -> Callable[[], Any]:
        def run() -> tuple[float, float]:
            result = bootstrap(name, y, given, n_resamples=_RESAMPLES, random_state=0)
            return float(np.mean(result.bootstrap_distribution)), result.standard_error

        return run

    def macro(y: Any, p: Any) -> Any:
        return theirs.f1_score(y, p, average="macro", zero_division=0.0)

    found = [
        Row(
            f"bootstrap {name}, {n} rows x {_RESAMPLES} resamples",
            n,
            interval(name, y, given),
            {"scikit-learn in a loop": _drawn(metric, y, given)},
            same=same_distribution,
            peer_scale=_RESAMPLES / _TIMED,
        )
        for name, metric, y, given in (
            ("roc_auc", theirs.roc_auc_score, truth, score),
            ("average_precision", theirs.average_precision_score, truth, score),
            ("f1_macro", macro, classes, labels),
            ("mse", theirs.mean_squared_error, score, other),
        )
    ]
    found.append(
        Row(
            f"permutation_test roc_auc, {n} rows x {_RESAMPLES} permutations",
            n,
            lambda: (
                permutation_test(
                    "roc_auc", truth, score, other, n_resamples=_RESAMPLES, random_state=0
                ).p_value
            ),
            {"scikit-learn in a loop": _swapped(theirs.roc_auc_score, truth, score, other)},
            same=same_p_value,
            peer_scale=_RESAMPLES / _TIMED,
        )
    )
    return found


test_rows = bench_rows(rows)
