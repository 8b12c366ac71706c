"""How good a way to combine models is on rows that it has not learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlestar.ensemble._combine import COMBINE, Combination, Task, is_classification
from mlestar.ensemble._metrics import LABELS, PROBABILITIES, RANKINGS, VALUES
from mlestar.ensemble._predictions import Predictions
from mlestar.metrics._intervals import error_over_folds

BLOCKS = 20  # of rows, for the jackknife
_BY_CLASS = (*RANKINGS, "balanced_accuracy", "f1_macro")


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


@dataclass(frozen=True)
class Nested:
    """What cross-validation of the weights gave.

    Attributes
    ----------
    folds : list of (ndarray, ndarray)
    errors : dict of str to ndarray of shape (n_folds,)
        Of each method, held out.
    alone : ndarray of shape (n_folds, n_models)
        Of each model by itself, on the same rows.
    learnt : list of dict of str to Combination
        A fold's.
    blends : dict of str to list of ndarray
        Held-out answers, a fold's each.
    """

    folds: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
    errors: dict[str, NDArray[np.float64]]
    alone: NDArray[np.float64]
    learnt: list[dict[str, Combination]]
    blends: dict[str, list[NDArray[np.float64]]]


def nested_errors(
    task: Task,
    methods: Sequence[str],
    models: Predictions,
    y: NDArray[Any],
    weight: Any,
    folds: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> Nested:
    """Each method learns from a fold's training rows and answers for its held-out ones."""
    errors = {method: np.empty(len(folds)) for method in methods}
    alone = np.empty((len(folds), len(models)))
    learnt: list[dict[str, Combination]] = []
    blends: dict[str, list[NDArray[np.float64]]] = {method: [] for method in methods}
    for number, (train, test) in enumerate(folds):
        seen, held = _rows(models, train), _rows(models, test)
        weights = (None, None) if weight is None else (weight[train], weight[test])
        alone[number] = task.errors(held, y[test], weights[1])
        found = {}
        for method in methods:
            found[method] = COMBINE[method](task, seen, y[train], weights[0])
            blends[method].append(found[method].blend(held))
            errors[method][number] = task.error(blends[method][-1], y[test], weights[1])
        learnt.append(found)
    return Nested(folds, errors, alone, learnt, blends)


def _rows(models: Predictions, rows: NDArray[np.int64]) -> Predictions:
    return models.take(range(len(models)), [array[rows] for array in models.arrays])


def blocks_of_rows(
    task: Task, models: Predictions, y: NDArray[Any], groups: Any
) -> NDArray[np.int64] | None:
    """A block for each row, for the jackknife: groups whole, classes spread evenly.

    None where there are too few rows or groups; or rows of a class, for a metric that each class
    counts in as much.
    """
    rng = np.random.default_rng(task.seed)
    if groups is not None:
        _, codes = np.unique(np.asarray(groups), return_inverse=True)
        count = int(codes.max()) + 1
        return rng.permutation(count)[codes] % BLOCKS if count >= BLOCKS else None
    if len(y) < 2 * BLOCKS:
        return None
    order = rng.permutation(len(y))
    if task.metric not in VALUES and is_classification(task, models, y):
        _, counts = np.unique(y, return_counts=True)
        if task.metric in _BY_CLASS and counts.min() < 2 * BLOCKS:
            return None
        order = order[np.argsort(y[order], kind="stable")]
    blocks = np.empty(len(y), np.int64)
    blocks[order] = np.arange(len(y)) % BLOCKS
    return blocks


def errors_without_blocks(
    task: Task, nested: Nested, y: NDArray[Any], weight: Any, blocks: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]] | None:
    """Mean held-out errors of each method with each block of rows left out.

    None where a fold is left with rows of which the metric is not defined.
    """
    errors = {method: np.zeros(BLOCKS) for method in nested.blends}
    for number, (_, test) in enumerate(nested.folds):
        for block in range(BLOCKS):
            keep = blocks[test] != block
            rows = test[keep]
            kept = None if weight is None else weight[rows]
            for method, blends in nested.blends.items():
                try:
                    error = task.error(blends[number][keep], y[rows], kept)
                except ValueError:
                    return None
                errors[method][block] += error / len(nested.folds)
    return errors


def jackknife_interval(
    difference: float, without: NDArray[np.float64], confidence: float
) -> Interval:
    """Of a difference, from its values with each block of rows left out.

    Grouped jackknife: Efron & Tibshirani, "An Introduction to the Bootstrap", chapter 11.
    """
    from scipy.stats import t

    count = len(without)
    scale = float(np.sqrt((count - 1) / count * ((without - without.mean()) ** 2).sum()))
    reach = float(t.ppf(0.5 + confidence / 2, count - 1)) * scale
    return Interval(difference, difference - reach, difference + reach)


def interval_of(differences: NDArray[np.float64], n_splits: int, confidence: float) -> Interval:
    """Of the mean of differences over folds, corrected for the rows that the folds share."""
    from scipy.stats import t

    count = len(differences)
    mean = float(differences.mean())
    share = 1.0 / (n_splits - 1)  # held-out rows over training rows
    reach = float(t.ppf(0.5 + confidence / 2, count - 1)) * error_over_folds(differences, share)
    return Interval(mean, mean - reach, mean + reach)
