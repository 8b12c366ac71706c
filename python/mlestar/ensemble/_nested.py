"""How good a way to combine models is on rows that it has not learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlestar.ensemble._combine import COMBINE, Combination, Task, is_classification
from mlestar.ensemble._metrics import LABELS, PROBABILITIES, RANKINGS
from mlestar.ensemble._predictions import Predictions


@dataclass(frozen=True)
class Interval:
    """A mean over folds with its confidence limits."""

    mean: float
    low: float
    high: float


def split_rows(
    task: Task,
    models: Predictions,
    y: NDArray[Any],
    groups: Any,
    n_splits: int,
    n_repeats: int,
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Training and held-out rows of each fold.

    Raises
    ------
    ValueError
        Where there are not enough rows, or rows of a class, or groups.
    """
    from mlestar.model_selection import GroupKFold, RepeatedKFold, RepeatedStratifiedKFold

    if groups is not None:
        found: list[Any] = []
        for repeat in range(n_repeats):
            folds = GroupKFold(n_splits, shuffle=True, random_state=task.seed + repeat)
            found += list(folds.split(y, groups=groups))
        return found
    stratified = task.metric in (*LABELS, *PROBABILITIES, *RANKINGS) or is_classification(
        task, models, y
    )
    if stratified and len(y):
        _, counts = np.unique(y, return_counts=True)
        if counts.min() < n_splits:
            raise ValueError(
                f"y has {counts.min()} rows of its rarest class, but must have at least n_splits = "
                f"{n_splits} for the weights to be tested on rows that they have not seen"
            )
    kind = RepeatedStratifiedKFold if stratified else RepeatedKFold
    folds = kind(n_splits=n_splits, n_repeats=n_repeats, random_state=task.seed)
    return list(folds.split(np.zeros((len(y), 1)), y))


def nested_errors(
    task: Task,
    methods: Sequence[str],
    models: Predictions,
    y: NDArray[Any],
    weight: Any,
    folds: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> tuple[dict[str, NDArray[np.float64]], list[dict[str, Combination]], NDArray[np.float64]]:
    """Held-out errors of each method and of each model, a row a fold."""
    errors = {method: np.empty(len(folds)) for method in methods}
    alone = np.empty((len(folds), len(models)))
    learnt: list[dict[str, Combination]] = []
    for number, (train, test) in enumerate(folds):
        seen, held = _rows(models, train), _rows(models, test)
        weights = (None, None) if weight is None else (weight[train], weight[test])
        alone[number] = task.errors(held, y[test], weights[1])
        found = {}
        for method in methods:
            found[method] = COMBINE[method](task, seen, y[train], weights[0])
            errors[method][number] = task.error(found[method].blend(held), y[test], weights[1])
        learnt.append(found)
    return errors, learnt, alone


def _rows(models: Predictions, rows: NDArray[np.int64]) -> Predictions:
    return models.take(range(len(models)), [array[rows] for array in models.arrays])


def interval_of(differences: NDArray[np.float64], n_splits: int, confidence: float) -> Interval:
    """Of the mean of differences over folds, corrected for the rows that the folds share.

    Nadeau & Bengio, "Inference for the generalization error", Machine Learning 52 (2003).
    """
    from scipy.stats import t

    count = len(differences)
    mean = float(differences.mean())
    share = 1.0 / (n_splits - 1)  # held-out rows over training rows
    scale = float(np.sqrt((1.0 / count + share) * differences.var(ddof=1)))
    reach = float(t.ppf(0.5 + confidence / 2, count - 1)) * scale
    return Interval(mean, mean - reach, mean + reach)
