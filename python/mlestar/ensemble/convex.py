"""Ensemble weights that minimize a convex loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlestar._native import _core
from mlestar.ensemble._predictions import Predictions, target_of, weights_or_none

_LOSSES = ("log", "squared", "brier", "huber", "pinball")
_CACHE = 4 << 30


@dataclass(frozen=True)
class ConvexResult:
    """What `convex_weights` found.

    Attributes
    ----------
    weights : ndarray of shape (n_models,) or (n_models, n_classes)
        Share of each model; of each model in each class where ``per_class``.
    objective : float
        The mean loss and the penalties at these weights.
    gap : float
        No weights have an objective that is lower by more than this. Without ``sum_to_one`` or
        ``non_negative``: none whose absolute values sum to at most 1 + twice the sum of these.
    n_iterations : int
        Newton steps on all rows.
    converged : bool
        Whether ``gap <= tol * max(1, abs(objective))``.
    """

    weights: NDArray[np.float64]
    objective: float
    gap: float
    n_iterations: int
    converged: bool


def convex_weights(
    predictions: Any,
    y: Any,
    *,
    loss: str | Callable[[NDArray[np.float64], NDArray[np.float64]], Any] = "log",
    l1: float = 0.0,
    l2: float = 0.0,
    sum_to_one: bool = True,
    non_negative: bool = True,
    per_class: bool = False,
    sample_weight: Any = None,
    delta: float = 1.0,
    quantile: float = 0.5,
    tol: float = 1e-9,
    max_iter: int = 200,
) -> ConvexResult:
    """Weights whose blend of the predictions has the least convex loss, with a proof of how near.

    Minimizes the weighted mean of the loss of ``sum(weights[j] * predictions[j])`` plus
    ``l1 * sum(abs(weights)) + l2 / 2 * sum(weights**2)`` by projected Newton steps: each solves a
    small quadratic program over the models that matter, first on a sample of the rows, then on all.

    Parameters
    ----------
    predictions : sequence or mapping of array-like, or array of shape (n_models, n_samples[, \
n_classes])
        One a model. For "squared", "huber", "pinball" and a loss of your own of shape (n_samples,).
        For "log" and "brier" of shape (n_samples,): the probability of class 1, or of shape
        (n_samples, n_classes): a column a class. A mapping's keys name the models in errors.
        Contiguous float64 columns are read in place.
    y : array-like of shape (n_samples,)
        Targets; for "log" and "brier" the classes 0, 1, ... in the order of the columns.
    loss : {"log", "squared", "brier", "huber", "pinball"} or callable, default="log"
        "log": minus the logarithm of the true class's probability, each model's probabilities kept
        1e-15 away from 0 and 1. "brier": the squared error of the probability, summed over the
        classes where there are columns. A callable ``loss(y, blend)`` gives three arrays of shape
        (n_samples,): the losses and their first and second derivatives by the blend; it must be
        convex.
    l1, l2 : float, default=0.0
        Penalties, >= 0. `l1` has no effect on weights that are positive and sum to 1.
    sum_to_one : bool, default=True
        Whether the weights sum to 1.
    non_negative : bool, default=True
        Whether weights are at least 0.
    per_class : bool, default=False
        Weights of their own for each class, for "log" and "brier" of several columns. The log loss
        is then the sum over the classes of each one's against the rest, because that of the true
        class alone has no minimum worth having. Blended rows sum to 1 only after division.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, >= 0.
    delta : float, default=1.0
        Where Huber's loss turns from squares to lines.
    quantile : float, default=0.5
        Of the pinball loss, between 0 and 1.
    tol : float, default=1e-9
        Gap at which to stop, relative to an objective above 1.
    max_iter : int, default=200
        Newton steps at most.

    Returns
    -------
    ConvexResult
        ``weights``, ``objective``, ``gap``, ``n_iterations`` and ``converged``.

    Raises
    ------
    ValueError
        If an argument is not what it must be; a model whose predictions are not usable is named.

    References
    ----------
    Hintermueller, Ito & Kunisch, "The primal-dual active set strategy as a semismooth Newton
    method", SIAM J. Optim. 13 (2002); Jaggi, "Revisiting Frank-Wolfe", ICML 2013, for the gap.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.ensemble import convex_weights
    >>> y = np.array([0.0, 1.0, 2.0, 3.0])
    >>> found = convex_weights([y + 1, y - 3], y, loss="squared")
    >>> found.weights.round(6).tolist(), found.converged
    ([0.75, 0.25], True)
    """
    if not callable(loss) and loss not in _LOSSES:
        raise ValueError(f"loss is {loss!r}, but must be one of {list(_LOSSES)} or a callable")
    numbers = {"l1": l1, "l2": l2, "delta": delta, "quantile": quantile, "tol": tol}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            raise ValueError(f"{name} is {value!r}, but must be a number")
    if isinstance(max_iter, bool) or not isinstance(max_iter, int) or not 1 <= max_iter < 2**31:
        raise ValueError(f"max_iter is {max_iter!r}, but must be an integer of at least 1")
    models = Predictions(predictions)
    target = target_of(y)
    weight = weights_or_none(sample_weight)
    probabilities = loss in ("log", "brier")
    if per_class and not (probabilities and models.classes > 1):
        raise ValueError(
            f"per_class is True, but must be False for loss {loss!r} of predictions with "
            f"{models.classes} column(s): it needs 'log' or 'brier' and a column a class"
        )

    def minimize(arrays: list[Any], y: Any, layout: str) -> tuple[Any, float, float, int, bool]:
        kind: Any = "squared" if loss == "brier" else loss
        if callable(loss):
            kind = _checked(loss, target, weight)
        parameter = delta if loss == "huber" else quantile
        return _core.ensemble.minimize_convex(
            kind,
            layout,
            float(parameter),
            arrays,
            y,
            weight,
            probabilities,
            float(l1),
            float(l2),
            bool(sum_to_one),
            bool(non_negative),
            float(tol),
            max_iter,
            _CACHE,
        )

    with models.naming():
        if per_class:
            return _of_classes(models, target, minimize)
        if loss == "brier" and models.classes == 1:
            _check_binary(target)
        layout = "column"
        if probabilities and models.classes > 1:
            layout = "true_class" if loss == "log" else "every_class"
        return ConvexResult(*minimize(models.arrays, target, layout))


def _check_binary(target: NDArray[Any]) -> None:
    if not ((target == 0) | (target == 1)).all():
        raise ValueError(
            "y holds values that are not class numbers, but must be 0 or 1 as its loss needs"
        )


def _of_classes(models: Predictions, target: NDArray[Any], minimize: Any) -> ConvexResult:
    """Each class against the rest: as many problems as there are classes."""
    classes = models.classes
    if not np.isin(target, np.arange(classes)).all():
        raise ValueError(
            "y holds values that are not class numbers, but must be integers in "
            f"[0, {classes}) as its loss needs"
        )
    for index, array in enumerate(models.arrays):
        if array.shape != (len(target), classes):
            raise ValueError(
                f"{models.name(index)} has shape {array.shape}, but must have "
                f"{(len(target), classes)}"
            )
        if not (np.abs(array.sum(axis=1, dtype=np.float64) - 1.0) <= 1e-3).all():
            raise ValueError(
                f"{models.name(index)} holds rows that are not probabilities, but must lie in "
                "[0, 1] and sum to 1"
            )
    found = [
        minimize([array[:, k] for array in models.arrays], (target == k).astype(np.int8), "column")
        for k in range(classes)
    ]
    return ConvexResult(
        np.stack([one[0] for one in found], axis=1),
        math.fsum(one[1] for one in found),
        math.fsum(one[2] for one in found),
        sum(one[3] for one in found),
        all(one[4] for one in found),
    )


def _checked(loss: Any, target: NDArray[Any], weight: Any) -> Callable[[Any], Any]:
    """The callable as the core calls it: the weighted sum, and weighted derivatives."""
    truth = np.asarray(target, np.float64)
    rows = None if weight is None else np.asarray(weight, np.float64)

    def call(blend: NDArray[np.float64]) -> tuple[float, Any, Any]:
        answer = loss(truth, blend)
        if not isinstance(answer, tuple | list) or len(answer) != 3:
            raise ValueError(
                f"loss returned {answer!r:.80}, but must return three arrays: losses, first and "
                "second derivatives"
            )
        values, first, second = (np.asarray(part, np.float64) for part in answer)
        for name, part in (("losses", values), ("first", first), ("second", second)):
            if part.shape != truth.shape:
                raise ValueError(
                    f"loss returned {name} of shape {part.shape}, but must return arrays of shape "
                    f"{truth.shape}"
                )
        if np.isnan(values).any() or not np.isfinite(first[np.isfinite(values)]).all():
            raise ValueError("loss returned NaN or infinite derivatives, but must return numbers")
        if (second < 0).any():
            raise ValueError(
                "loss returned second derivatives below 0, but must be convex in the blend"
            )
        if rows is None:
            return float(values.sum()), first, second
        return float((values * rows).sum()), first * rows, second * rows

    return call
