"""Greedy ensemble selection with replacement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlestar._native import _core
from mlestar.ensemble._metrics import LISTS, Metric, blend_error, make_selection, name_of
from mlestar.ensemble._predictions import Predictions, target_of, weights_or_none

_TIE_BREAKS = ("autogluon", "first", "random", "second_metric")


@dataclass(frozen=True)
class GreedyResult:
    """What `greedy_weights` found.

    Attributes
    ----------
    weights : ndarray of shape (n_models,)
        Share of each model, summing to 1.
    order : list of int
        Models in the order in which they joined, with repetition, up to the best step; of several
        bags, one bag's behind the other's.
    trajectory : list of float
        Error after each of these steps; lower is better. Of several bags: of the mean of the bags
        after each bag.
    score : float
        The last of them: an error as it is, 1 - a score, or a metric of your own, negated where
        greater is better.
    """

    weights: NDArray[np.float64]
    order: list[int]
    trajectory: list[float]
    score: float


@dataclass(frozen=True)
class _Options:
    metric: Any
    greater_is_better: bool
    n_iterations: int
    tie_break: str
    n_initial: int
    patience: int | None
    prefer_used: bool


def greedy_weights(
    predictions: Any,
    y: Any,
    *,
    metric: Metric,
    sample_weight: Any = None,
    n_iterations: int = 25,
    tie_break: str = "autogluon",
    random_state: int | np.random.RandomState | None = 0,
    n_initial: int = 0,
    n_bags: int = 1,
    bag_fraction: float = 0.5,
    subsample: float | None = None,
    patience: int | None = None,
    prefer_used: bool = True,
    greater_is_better: bool = True,
) -> GreedyResult:
    """Weights of an ensemble grown one model at a time, with replacement.

    Each step adds the model that makes the mean of the members best; the weights are each model's
    share of the members at the best step (Caruana et al., "Ensemble selection from libraries of
    models", ICML 2004). With the defaults the steps are AutoGluon's, one by one.

    Parameters
    ----------
    predictions : sequence or mapping of array-like, or array of shape (n_models, n_samples[, \
n_classes])
        One a model. For "rmse" and "mse" of shape (n_samples,): values. For "roc_auc" and
        "average_precision" of shape (n_samples,): scores. For "log_loss", "brier" and metrics of
        classes of shape (n_samples,): the probability of class 1, or of shape (n_samples,
        n_classes): a column a class. For "ndcg" of shape (n_samples, n_items): scores. For a metric
        of your own what it takes. A mapping's keys name the models in errors.
    y : array-like of shape (n_samples,)
        Targets; but for "rmse", "mse" and metrics of your own the classes 0, 1, ... in the order of
        the columns; for "ndcg" the relevance of each item, of shape (n_samples, n_items).
    metric : str, CompiledMetric or callable
        "rmse", "mse", "log_loss", "brier", "roc_auc", "average_precision", "ndcg", "accuracy",
        "balanced_accuracy", "f1", "f1_macro", "f1_micro", "f1_weighted", "mcc"; scikit-learn's
        names for these are aliases. The predicted class is the first of the largest mean
        probability; of one column, 1 where it is above a half. Of a metric made by
        `mlestar.metrics.metric`, every candidate's mean is measured anew at every step, on all
        threads; of any other function, ``metric(y, mean)``, in Python.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, >= 0.
    n_iterations : int, default=25
        Steps, >= 1.
    tie_break : {"autogluon", "first", "random", "second_metric"}, default="autogluon"
        "autogluon": after the first step, errors are rounded to 6 decimals if the first was above
        1e-4; errors within a relative 1e-12 of the best tie, and `random_state` draws.
        "second_metric": the same, but ties go to the least log loss first. "random": of equal
        errors. "first": the first model of several.
    random_state : int, RandomState or None, default=0
        Draws among ties, rows and bags.
    n_initial : int, default=0
        Models that join first whatever the mean's error, best first (sorted initialization).
    n_bags : int, default=1
        Selections, each from a random part of the models; the weights are their mean.
    bag_fraction : float, default=0.5
        Share of the models in each of several bags.
    subsample : int, float or None, default=None
        Rows to select by, a number or a share, drawn without replacement.
    patience : int or None, default=None
        Steps without a new least error after which to stop.
    prefer_used : bool, default=True
        Whether members win ties.
    greater_is_better : bool, default=True
        Whether more of a plain function's metric is better.

    Returns
    -------
    GreedyResult
        ``weights``, ``order``, ``trajectory`` and ``score``.

    Raises
    ------
    ValueError
        If there is no model, shapes differ, a prediction is not finite or not a probability (the
        message names the model), or an argument is not what it must be.
    Exception
        What a metric of your own raises, with a note that names the model.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.ensemble import greedy_weights
    >>> y = np.array([0.0, 1.0, 2.0, 3.0])
    >>> result = greedy_weights([y + 1, y - 1, y + 3], y, metric="rmse")
    >>> result.weights.tolist(), result.score
    ([0.5, 0.5, 0.0], 0.0)
    """
    _require_integer("n_iterations", n_iterations, 1)
    _require_integer("n_initial", n_initial, 0)
    _require_integer("n_bags", n_bags, 1)
    if patience is not None:
        _require_integer("patience", patience, 1)
    if tie_break not in _TIE_BREAKS:
        raise ValueError(f"tie_break is {tie_break!r}, but must be one of {list(_TIE_BREAKS)}")
    if not isinstance(bag_fraction, int | float) or not 0 < bag_fraction <= 1:
        raise ValueError(f"bag_fraction is {bag_fraction!r}, but must be above 0 and at most 1")
    options = _Options(
        name_of(metric),
        greater_is_better,
        n_iterations,
        tie_break,
        n_initial,
        patience,
        prefer_used,
    )
    models = Predictions(predictions)
    target = target_of(y, 2 if options.metric in LISTS else 1)
    weight = weights_or_none(sample_weight)
    from sklearn.utils import check_random_state

    state = check_random_state(random_state)
    with models.naming():
        if subsample is not None:
            models, target, weight = _part_of_rows(models, target, weight, subsample, state)
        if n_bags == 1:
            return _select(models, target, weight, options, state)
        return _bagged(models, target, weight, options, state, n_bags, bag_fraction)


def _require_integer(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} is {value!r}, but must be an integer of at least {least}")


def _part_of_rows(
    models: Predictions, y: Any, weight: Any, subsample: Any, state: np.random.RandomState
) -> tuple[Predictions, Any, Any]:
    """The rows to select by; AutoGluon's draw."""
    rows = len(y)
    share = isinstance(subsample, float)
    if isinstance(subsample, bool) or not (
        (share and 0 < subsample <= 1) or (isinstance(subsample, int) and subsample >= 1)
    ):
        raise ValueError(
            f"subsample is {subsample!r}, but must be an integer of at least 1, or a float above 0 "
            "and at most 1"
        )
    size = max(1, round(subsample * rows)) if share else subsample
    for index, array in enumerate(models.arrays):
        if len(array) != rows:
            raise ValueError(f"{models.name(index)} has {len(array)} rows, but y has {rows}")
    if weight is not None and len(weight) != rows:
        raise ValueError(f"sample_weight has {len(weight)} values, but y has {rows}")
    if size >= rows:
        return models, y, weight
    chosen = state.choice(rows, size, replace=False)
    part = models.take(range(len(models)), [array[chosen] for array in models.arrays])
    return part, y[chosen], None if weight is None else weight[chosen]


def _bagged(
    models: Predictions,
    y: Any,
    weight: Any,
    options: _Options,
    state: np.random.RandomState,
    n_bags: int,
    bag_fraction: float,
) -> GreedyResult:
    """The mean of selections from random parts of the models (Caruana et al., section 2.3)."""
    size = max(1, round(bag_fraction * len(models)))
    total = np.zeros(len(models))
    order: list[int] = []
    trajectory: list[float] = []
    for bag in range(n_bags):
        chosen = np.sort(state.choice(len(models), size, replace=False))
        part = models.take(chosen.tolist())
        with part.naming():
            found = _select(part, y, weight, options, state)
        total[chosen] += found.weights
        order += [int(chosen[model]) for model in found.order]
        blend = models.blend(total / (bag + 1))
        trajectory.append(blend_error(options.metric, blend, y, weight, options.greater_is_better))
    return GreedyResult(total / n_bags, order, trajectory, trajectory[-1])


def _select(
    models: Predictions, y: Any, weight: Any, options: _Options, state: np.random.RandomState
) -> GreedyResult:
    selection = make_selection(options.metric, models, y, weight, options.greater_is_better)
    second = None
    if options.tie_break == "second_metric":
        second = _core.ensemble.GreedySelection("log_loss", models.arrays, y, None)
    rounds = options.tie_break in ("autogluon", "second_metric")
    order: list[int] = []
    trajectory: list[float] = []
    first: list[int] = []
    rounded = False
    for step in range(options.n_iterations):
        errors = selection.candidate_errors()
        if rounded:
            errors = errors.round(6)
        if step == 0:
            first = np.argsort(errors, kind="stable")[: options.n_initial].tolist()
        best = first[step] if step < len(first) else _choose(errors, order, second, options, state)
        error = float(errors[best])
        if step == 0 and rounds and abs(error) > 1e-4:
            rounded = True
            error = round(error, 6)
        order.append(best)
        trajectory.append(error)
        if len(models) == 1 or _is_done(trajectory, options, len(first)):
            break
        selection.add(best)
        if second is not None:
            second.add(best)
    stop = trajectory.index(min(trajectory)) + 1
    counts = np.bincount(order[:stop], minlength=len(models))
    return GreedyResult(counts / stop, order[:stop], trajectory[:stop], trajectory[stop - 1])


def _is_done(trajectory: list[float], options: _Options, n_initial: int) -> bool:
    if options.patience is None or len(trajectory) <= n_initial:
        return False
    return len(trajectory) - 1 - trajectory.index(min(trajectory)) >= options.patience


def _choose(
    errors: Any, order: list[int], second: Any, options: _Options, state: np.random.RandomState
) -> int:
    """The model that joins: of the best, as the tie break says."""
    best = errors.min()
    if options.tie_break in ("first", "random"):
        tied = np.flatnonzero(errors == best)
    else:
        tied = _near(errors, best)
    members = set(order)
    if tied.size > 1 and members and options.prefer_used:
        again = [model for model in tied.tolist() if model in members]
        if again:
            tied = np.asarray(again)
    if tied.size > 1 and second is not None:
        losses = second.candidate_errors()[tied]
        tied = tied[_near(losses, losses.min())]
    # A draw among one consumes nothing of the state, there as here.
    if tied.size == 1 or options.tie_break == "first":
        return int(tied[0])
    return int(state.choice(tied))


def _near(errors: Any, best: float) -> Any:
    return np.flatnonzero(np.abs(errors - best) <= 1e-12 * abs(best))
