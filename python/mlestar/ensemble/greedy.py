"""Greedy ensemble selection with replacement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlestar._arrays import as_array
from mlestar._native import _core
from mlestar.ensemble._user import UserSelection
from mlestar.metrics.user import CompiledMetric

_METRICS = {"log_loss": "log_loss", "rmse": "rmse", "roc_auc": "roc_auc"}
_ALIASES = {
    "neg_log_loss": "log_loss",
    "root_mean_squared_error": "rmse",
    "neg_root_mean_squared_error": "rmse",
}


@dataclass(frozen=True)
class GreedyResult:
    """What `greedy_weights` found.

    Attributes
    ----------
    weights : ndarray of shape (n_models,)
        Share of each model, summing to 1.
    order : list of int
        Models in the order in which they joined, with repetition, up to the best step.
    trajectory : list of float
        Error after each of these steps; lower is better.
    score : float
        The last of them: the mean log loss, the RMSE, 1 - ROC AUC, or a metric of your own, negated
        where greater is better.
    """

    weights: NDArray[np.float64]
    order: list[int]
    trajectory: list[float]
    score: float


def greedy_weights(
    predictions: Sequence[Any],
    y: Any,
    *,
    metric: str | CompiledMetric,
    sample_weight: Any = None,
    n_iterations: int = 25,
    tie_break: str = "autogluon",
    random_state: int | np.random.RandomState | None = 0,
) -> GreedyResult:
    """Weights of an ensemble grown one model at a time, with replacement.

    Each step adds the model that makes the mean of the members best; the weights are each model's
    share of the members at the best step (Caruana et al., "Ensemble selection from libraries of
    models", ICML 2004). The steps are AutoGluon's, one by one.

    Parameters
    ----------
    predictions : sequence of array-like
        One a model. For "rmse" of shape (n_samples,): values. For "roc_auc" of shape (n_samples,):
        scores. For "log_loss" of shape (n_samples,): the probability of class 1, or of shape
        (n_samples, n_classes): a column a class. For a metric of your own of shape (n_samples,). A
        3-D array counts as a sequence.
    y : array-like of shape (n_samples,)
        Targets; for "roc_auc" and "log_loss" the classes 0, 1, ... in the order of the columns.
    metric : {"log_loss", "rmse", "roc_auc"} or CompiledMetric
        scikit-learn's scorer names and ``root_mean_squared_error`` are aliases. Of a metric made by
        `mlestar.metrics.metric`, every candidate's mean is measured anew at every step, on all
        threads: n_models * n_samples rows a step.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, >= 0.
    n_iterations : int, default=25
        Steps, >= 1.
    tie_break : {"autogluon", "first"}, default="autogluon"
        "autogluon": after the first step, errors are rounded to 6 decimals if the first was above
        1e-4; errors within a relative 1e-12 of the best tie; members win ties, then `random_state`
        draws. "first": the lowest error wins, and the first model of several.
    random_state : int, RandomState or None, default=0
        Draws among ties.

    Returns
    -------
    GreedyResult
        ``weights``, ``order``, ``trajectory`` and ``score``.

    Raises
    ------
    ValueError
        If there is no model, shapes differ, a prediction is not finite or not a probability (the
        message names the model), or `y` is not what the metric needs.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.ensemble import greedy_weights
    >>> y = np.array([0.0, 1.0, 2.0, 3.0])
    >>> result = greedy_weights([y + 1, y - 1, y + 3], y, metric="rmse")
    >>> result.weights.tolist(), result.score
    ([0.5, 0.5, 0.0], 0.0)
    """
    own = metric if isinstance(metric, CompiledMetric) else None
    name = _ALIASES.get(metric, metric) if isinstance(metric, str) else ""
    if own is None and name not in _METRICS:
        raise ValueError(
            f"metric is {metric!r}, but must be one of {sorted([*_METRICS, *_ALIASES])} or a "
            "function decorated by mlestar.metrics.metric"
        )
    if isinstance(n_iterations, bool) or not isinstance(n_iterations, int) or n_iterations < 1:
        raise ValueError(f"n_iterations is {n_iterations!r}, but must be an integer of at least 1")
    if tie_break not in ("autogluon", "first"):
        raise ValueError(f"tie_break is {tie_break!r}, but must be 'autogluon' or 'first'")
    arrays = [as_array(prediction) for prediction in predictions]
    for index, array in enumerate(arrays):
        if array is None or array.dtype.kind not in "biuf" or array.ndim not in (1, 2):
            raise ValueError(
                f"predictions[{index}] is {predictions[index]!r:.80}, but must be a numeric array "
                "of one or two axes"
            )
    weight = None if sample_weight is None else as_array(sample_weight)
    if sample_weight is not None and weight is None:
        raise ValueError("sample_weight must be a numeric array of one axis or None")
    selection: Any
    if own is not None:
        selection = UserSelection(own, arrays, y, sample_weight)
    else:
        selection = _core.ensemble.GreedySelection(name, arrays, as_array(y), weight)
    from sklearn.utils import check_random_state

    state = check_random_state(random_state)
    order: list[int] = []
    trajectory: list[float] = []
    rounded = False
    for step in range(n_iterations):
        errors = selection.candidate_errors()
        if tie_break == "first":
            best = int(np.argmin(errors))
        else:
            if rounded:
                errors = errors.round(6)
            best = _choose(errors, set(order), state)
        error = float(errors[best])
        if step == 0 and tie_break == "autogluon" and abs(error) > 1e-4:
            rounded = True
            error = round(error, 6)
        order.append(best)
        trajectory.append(error)
        if len(arrays) == 1:
            break
        selection.add(best)
    stop = trajectory.index(min(trajectory)) + 1
    counts = np.bincount(order[:stop], minlength=len(arrays))
    return GreedyResult(counts / stop, order[:stop], trajectory[:stop], trajectory[stop - 1])


def _choose(errors: Any, members: set[int], state: np.random.RandomState) -> int:
    """AutoGluon's choice among the best: members first, then at random."""
    best = errors.min()
    tied = np.flatnonzero(np.abs(errors - best) <= 1e-12 * abs(best))
    if tied.size > 1 and members:
        again = [model for model in tied.tolist() if model in members]
        if again:
            tied = np.asarray(again)
    # A draw among one consumes nothing of the state, there as here.
    return int(tied[0]) if tied.size == 1 else int(state.choice(tied))
