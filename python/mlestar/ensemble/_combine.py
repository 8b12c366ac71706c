"""The ways to combine models: each learns from predictions and a target, then blends others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlestar._lazy import require
from mlestar.ensemble._metrics import (
    LABELS,
    LISTS,
    PROBABILITIES,
    RANKINGS,
    VALUES,
    blend_error,
    make_selection,
)
from mlestar.ensemble._predictions import Predictions
from mlestar.ensemble.convex import convex_weights
from mlestar.ensemble.greedy import greedy_weights

# From the simplest on: where two are as good, the first is kept.
METHODS = ("best_single", "mean", "greedy", "convex", "coordinate", "cmaes", "stacking")

_EDGE = 1e-7  # probabilities are kept this far from 0 and 1 before the logistic meta-model


@dataclass(frozen=True)
class Task:
    """What is to be made good.

    Attributes
    ----------
    metric : str or callable
        As `name_of` gives it.
    greater_is_better : bool
        Of a function.
    n_iterations : int
        Of greedy selection.
    n_evaluations : int or None
        Of searches; None: 50 a model, at least 300.
    seed : int
    """

    metric: Any
    greater_is_better: bool = True
    n_iterations: int = 25
    n_evaluations: int | None = None
    seed: int = 0

    def error(self, blend: Any, y: Any, weight: Any) -> float:
        """Of one blend; lower is better."""
        return blend_error(self.metric, blend, y, weight, self.greater_is_better)

    def errors(self, models: Predictions, y: Any, weight: Any) -> NDArray[np.float64]:
        """Of each model by itself."""
        selection = make_selection(self.metric, models, y, weight, self.greater_is_better)
        return np.asarray(selection.candidate_errors())


@dataclass(frozen=True)
class Combination:
    """A way to combine models that has learnt.

    Attributes
    ----------
    method : str
    weights : ndarray of shape (n_models,) or None
        None for a meta-model.
    meta_model : estimator or None
        What stacking has fitted on the models' predictions.
    order : list of int
        Of greedy selection.
    """

    method: str
    weights: NDArray[np.float64] | None
    meta_model: Any = None
    order: tuple[int, ...] = ()

    def blend(self, models: Predictions) -> NDArray[np.float64]:
        """The models' predictions, combined."""
        if self.weights is not None:
            return models.blend(self.weights)
        table = meta_features(models, hasattr(self.meta_model, "predict_proba"))
        if not hasattr(self.meta_model, "predict_proba"):
            return np.asarray(self.meta_model.predict(table))
        answer = self.meta_model.predict_proba(table)
        if models.classes == 1:
            return np.asarray(answer[:, 1])
        whole = np.zeros((len(answer), models.classes))
        whole[:, self.meta_model.classes_.astype(int)] = answer
        return whole


def meta_features(models: Predictions, probabilities: bool) -> NDArray[np.float64]:
    """The table a meta-model sees: a column a model (and class), as logarithms of odds."""
    columns = []
    for array in models.arrays:
        table = np.asarray(array, np.float64).reshape(len(array), -1)
        if probabilities:
            table = np.clip(table, _EDGE, 1 - _EDGE)
            table = np.log(table / (1 - table)) if table.shape[1] == 1 else np.log(table)
        columns.append(table)
    return np.concatenate(columns, axis=1)


def is_classification(task: Task, models: Predictions, y: Any) -> bool:
    """Whether predictions are probabilities of the classes in y.

    For rankings and functions of one column that is not said: probabilities are taken for such
    where all lie in [0, 1] and y holds 0 and 1 alone.
    """
    if task.metric in VALUES or task.metric in LISTS:
        return False
    if task.metric in PROBABILITIES or task.metric in LABELS or models.classes > 1:
        return True
    inside = all(((array >= 0) & (array <= 1)).all() for array in models.arrays)
    return bool(inside and np.isin(y, (0, 1)).all())


def _best_single(task: Task, models: Predictions, y: Any, weight: Any) -> Combination:
    weights = np.zeros(len(models))
    weights[int(np.argmin(task.errors(models, y, weight)))] = 1.0
    return Combination("best_single", weights)


def _mean(task: Task, models: Predictions, y: Any, weight: Any) -> Combination:
    return Combination("mean", np.full(len(models), 1.0 / len(models)))


def _greedy(task: Task, models: Predictions, y: Any, weight: Any) -> Combination:
    found = greedy_weights(
        models.arrays,
        y,
        metric=task.metric,
        sample_weight=weight,
        n_iterations=task.n_iterations,
        greater_is_better=task.greater_is_better,
    )
    return Combination("greedy", found.weights, order=tuple(found.order))


def _convex(task: Task, models: Predictions, y: Any, weight: Any) -> Combination:
    if not is_classification(task, models, y):
        loss = "squared"
    else:
        loss = "brier" if task.metric == "brier" else "log"
    found = convex_weights(models.arrays, y, loss=loss, sample_weight=weight)
    return Combination("convex", found.weights)


def _stacking(task: Task, models: Predictions, y: Any, weight: Any) -> Combination:
    from sklearn.linear_model import LogisticRegression, RidgeCV

    probabilities = is_classification(task, models, y)
    table = meta_features(models, probabilities)
    model = (
        LogisticRegression(max_iter=1000)
        if probabilities
        else RidgeCV(alphas=np.logspace(-3, 3, 13) * len(y))
    )
    return Combination("stacking", None, model.fit(table, y, sample_weight=weight))


def _searched(
    method: str, search: Callable[..., NDArray[np.float64]]
) -> Callable[[Task, Predictions, Any, Any], Combination]:
    def combine(task: Task, models: Predictions, y: Any, weight: Any) -> Combination:
        start = _greedy(task, models, y, weight).weights
        budget = task.n_evaluations or max(300, 50 * len(models))

        def error(weights: NDArray[np.float64]) -> float:
            return task.error(models.blend(weights), y, weight)

        if len(models) == 1:
            return Combination(method, np.ones(1))
        return Combination(method, search(error, start, budget, task.seed))

    return combine


def coordinate_search(
    error: Callable[[NDArray[np.float64]], float],
    start: NDArray[np.float64],
    budget: int,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Steps towards and away from one model at a time, smaller and smaller, while they gain."""
    best, least = start, error(start)
    left = budget - 1
    step = 0.2
    while step >= 0.005:
        gained = False
        for model in range(len(start)):
            for share in (step, -step):
                trial = best.copy()
                if share > 0:
                    trial *= 1 - share
                    trial[model] += share
                else:
                    trial[model] = max(0.0, trial[model] + share)
                total = trial.sum()
                if total <= 0 or (share < 0 and best[model] == 0):
                    continue
                if left <= 0:
                    return best
                left -= 1
                value = error(trial / total)
                if value < least:
                    best, least, gained = trial / total, value, True
        if not gained:
            step /= 2
    return best


def cmaes_search(
    error: Callable[[NDArray[np.float64]], float],
    start: NDArray[np.float64],
    budget: int,
    seed: int = 0,
) -> NDArray[np.float64]:
    """CMA-ES over weights that are cut at 0 and divided by their sum (Purucker & Beel 2023)."""
    cmaes: Any = require("cmaes", "run")
    size = len(start)
    optimizer = cmaes.CMA(mean=start.astype(float), sigma=0.2, seed=seed)
    best, least = start, error(start)
    for _ in range(max(1, (budget - 1) // optimizer.population_size)):
        solutions = []
        for _ in range(optimizer.population_size):
            x = optimizer.ask()
            weights = np.maximum(x, 0.0)
            total = weights.sum()
            weights = weights / total if total > 0 else np.full(size, 1.0 / size)
            value = error(weights)
            solutions.append((x, value))
            if value < least:
                best, least = weights, value
        optimizer.tell(solutions)
        if optimizer.should_stop():
            break
    return best


COMBINE: dict[str, Callable[[Task, Predictions, Any, Any], Combination]] = {
    "best_single": _best_single,
    "mean": _mean,
    "greedy": _greedy,
    "convex": _convex,
    "coordinate": _searched("coordinate", coordinate_search),
    "cmaes": _searched("cmaes", cmaes_search),
    "stacking": _stacking,
}


def candidates_for(task: Task) -> tuple[tuple[str, ...], str]:
    """The methods that are compared for a metric, and why these.

    Returns
    -------
    methods : tuple of str
    why : str
    """
    usual = ["best_single", "mean", "greedy", "convex", "stacking"]
    if task.metric in RANKINGS:
        return tuple(usual), (
            "rankings are left to greedy selection, since CMA-ES overfits them (arXiv 2307.00286)"
        )
    if task.metric in LISTS:
        return ("best_single", "mean", "greedy", "coordinate"), (
            "lists are left to greedy selection and coordinate search (Metzler & Croft 2007)"
        )
    if task.metric == "balanced_accuracy":
        try:
            require("cmaes", "run")
        except ImportError:
            return (*usual, "coordinate"), "coordinate search, since cmaes is not installed"
        return (*usual, "cmaes"), (
            "CMA-ES is added: it beats greedy selection for balanced accuracy (arXiv 2307.00286)"
        )
    if task.metric in LABELS or callable(task.metric):
        return (*usual, "coordinate"), "coordinate search is added: the metric is not convex"
    return tuple(usual), "the metric has a convex loss, whose optimum is exact"


def in_order(methods: Sequence[str]) -> list[str]:
    """The methods, the simplest first."""
    return sorted(methods, key=METHODS.index)
