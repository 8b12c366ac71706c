"""The best way to combine models, tested on rows that it has not learnt from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlestar.ensemble._combine import (
    COMBINE,
    METHODS,
    Combination,
    Task,
    candidates_for,
    in_order,
)
from mlestar.ensemble._metrics import LISTS, Metric, name_of
from mlestar.ensemble._nested import (
    Interval,
    Nested,
    blocks_of_rows,
    errors_without_blocks,
    interval_of,
    jackknife_interval,
    nested_errors,
    split_rows,
)
from mlestar.ensemble._predictions import Predictions, target_of, weights_or_none


@dataclass(frozen=True)
class Alternative:
    """A way to combine the models, and how good it is on rows it has not learnt from.

    Attributes
    ----------
    method : str
    error : float
        Mean over the held-out rows of the folds; lower is better.
    gain : float
        By how much this is below the error of the best single model, chosen fold by fold too.
    interval : tuple of float
        Confidence limits of the gain.
    n_models : int
        Models that it needs, when it has learnt from all rows.
    price : float or None
        The sum of their prices.
    """

    method: str
    error: float
    gain: float
    interval: tuple[float, float]
    n_models: int
    price: float | None


@dataclass(frozen=True)
class ParetoPoint:
    """A choice to which every cheaper one is inferior.

    Attributes
    ----------
    price, error : float
        The error is that on held-out rows.
    label : str
        The method; ``greedy, 3 steps``; or ``model KEY``.
    weights : ndarray of shape (n_models,) or None
        None for stacking.
    """

    price: float
    error: float
    label: str
    weights: NDArray[np.float64] | None


@dataclass(frozen=True)
class OptimizedWeights:
    """What `optimize_weights` chose.

    Attributes
    ----------
    method : str
        The method chosen.
    reason : str
        Why, in words.
    weights : ndarray of shape (n_models,) or None
        Share of each model; None where the choice is stacking.
    meta_model : estimator or None
        Fitted on the models' predictions, where the choice is stacking.
    score : float
        Error of the choice on the rows that it has learnt from; lower is better.
    alternatives : list of Alternative
        All that were compared, the simplest first; empty where a method was asked for.
    best_single : int
        The model that is best by itself on all rows.
    gain : float or None
        Of the choice over the best single model, on held-out rows.
    interval : tuple of float or None
        Confidence limits of the gain.
    pareto : list of ParetoPoint
        From the cheapest on; empty without prices.
    """

    method: str
    reason: str
    weights: NDArray[np.float64] | None
    meta_model: Any
    score: float
    alternatives: list[Alternative]
    best_single: int
    gain: float | None
    interval: tuple[float, float] | None
    pareto: list[ParetoPoint] = field(default_factory=list)

    def blend(self, predictions: Any) -> NDArray[np.float64]:
        """Combine predictions of the same models, in the same order, for other rows.

        Parameters
        ----------
        predictions : sequence or mapping of array-like, or array of shape (n_models, ...)

        Returns
        -------
        blend : ndarray of shape (n_samples,) or (n_samples, n_classes)

        Raises
        ------
        ValueError
            For another number of models.
        """
        models = Predictions(predictions)
        expected = (
            len(self.weights) * models.classes
            if self.weights is not None
            else int(self.meta_model.n_features_in_)
        )
        if len(models) * models.classes != expected:
            raise ValueError(
                f"predictions holds {len(models)} model(s), but must hold "
                f"{expected // models.classes}"
            )
        return Combination(self.method, self.weights, self.meta_model).blend(models)


def optimize_weights(
    predictions: Any,
    y: Any,
    metric: Metric,
    *,
    method: str = "auto",
    candidates: Sequence[str] | None = None,
    sample_weight: Any = None,
    groups: Any = None,
    cv: Any = None,
    prices: Any = None,
    n_splits: int = 5,
    n_repeats: int = 2,
    confidence: float = 0.95,
    n_iterations: int = 25,
    n_evaluations: int | None = None,
    random_state: int = 0,
    greater_is_better: bool = True,
) -> OptimizedWeights:
    """Combine models by the method that is best on rows that it has not learnt from.

    "auto" compares the best single model, the mean, greedy selection, convex weights and stacking
    by cross-validation of the weights themselves: each method learns from the other folds. It takes
    the simplest method whose error is not, by the interval of the difference, above that
    of the best one. Predictions must be out of fold.

    Parameters
    ----------
    predictions : sequence or mapping of array-like, or array of shape (n_models, n_samples[, \
n_classes])
        As for `greedy_weights`.
    y : array-like of shape (n_samples,)
        Targets; for classification the classes 0, 1, ... in the order of the columns; for "ndcg"
        the relevance of each item, of shape (n_samples, n_items).
    metric : str, CompiledMetric or callable
        As for `greedy_weights`.
    method : str, default="auto"
        "auto", or the one to use: "best_single", "mean", "greedy", "convex", "coordinate" (a search
        of the simplex), "cmaes" (CMA-ES; the extra ``run``) or "stacking" (ridge or logistic
        regression on the models' predictions).
    candidates : sequence of str, default=None
        What "auto" compares; by default what is published to be safe for the metric.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, >= 0.
    groups : array-like of shape (n_samples,), default=None
        Rows of a group are held out together.
    cv : iterable of (ndarray, ndarray), default=None
        Rows to learn from and rows to test on, a pair a fold, instead of folds drawn here.
    prices : sequence or mapping of float, default=None
        One a model, >= 0: latency, memory. With them "auto" gives a Pareto front of price and
        error.
    n_splits, n_repeats : int, default=5, 2
        Folds, at least 2, and how often they are drawn anew.
    confidence : float, default=0.95
        Of the intervals, between 0 and 1.
    n_iterations : int, default=25
        Steps of greedy selection.
    n_evaluations : int or None, default=None
        Of "coordinate" and "cmaes": 50 a model, at least 300.
    random_state : int, default=0
        Of the folds and CMA-ES.
    greater_is_better : bool, default=True
        Whether more of a plain function's metric is better.

    Returns
    -------
    OptimizedWeights
        Among others ``method``, ``reason``, ``weights``, ``alternatives``, ``gain`` and
        ``interval``.

    Raises
    ------
    ValueError
        If an argument is not what it must be; a model whose predictions are not usable is named.
    ImportError
        For "cmaes" without the extra.

    References
    ----------
    Purucker & Beel, "CMA-ES for post hoc ensembling in AutoML", arXiv 2307.00286. The intervals are
    the grouped jackknife's over held-out rows (Efron & Tibshirani, "An Introduction to the
    Bootstrap", chapter 11), in 20 blocks; where rows of a class or groups are too few for these,
    over folds (Nadeau & Bengio, "Inference for the generalization error", Machine Learning 52).

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.ensemble import optimize_weights
    >>> rng = np.random.default_rng(0)
    >>> y = rng.normal(size=400)
    >>> predictions = {name: y + rng.normal(size=400) for name in ("tree", "line")}
    >>> found = optimize_weights(predictions, y, "rmse", candidates=["mean", "greedy"])
    >>> found.method, found.gain > 0.2
    ('mean', True)
    """
    models = Predictions(predictions)
    named = name_of(metric)
    target = target_of(y, 2 if named in LISTS else 1)
    weight = weights_or_none(sample_weight)
    for name, value, least in (
        ("n_splits", n_splits, 2),
        ("n_repeats", n_repeats, 1),
        ("n_iterations", n_iterations, 1),
        ("random_state", random_state, 0),
        *(() if n_evaluations is None else (("n_evaluations", n_evaluations, 1),)),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{name} is {value!r}, but must be an integer of at least {least}")
    if not isinstance(confidence, float) or not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence!r}, but must be a number between 0 and 1")
    if method != "auto" and method not in METHODS:
        raise ValueError(f"method is {method!r}, but must be one of {['auto', *METHODS]}")
    for chosen in () if candidates is None and method == "auto" else (method, *(candidates or ())):
        if named in LISTS and chosen in ("convex", "stacking"):
            raise ValueError(f"{chosen} learns a target of its own, but metric {named!r} has lists")
    task = Task(named, greater_is_better, n_iterations, n_evaluations, random_state % 2**32)
    price = _prices(prices, models)
    with models.naming():
        alone = task.errors(models, target, weight)
        best = int(np.argmin(alone))
        if method != "auto":
            found = COMBINE[method](task, models, target, weight)
            score = task.error(found.blend(models), target, weight)
            reason = f"{method} was asked for"
            return OptimizedWeights(
                method, reason, found.weights, found.meta_model, score, [], best, None, None
            )
        methods, why = candidates_for(task)
        if candidates is not None:
            methods = _checked(candidates)
            why = f"of {', '.join(in_order(methods))}, as asked for"
        if len(models) == 1:
            weights = np.ones(1)
            score = float(alone[0])
            reason = "best_single: there is one model"
            return OptimizedWeights("best_single", reason, weights, None, score, [], 0, None, None)
        if cv is None:
            folds = split_rows(task, models, target, groups, n_splits, n_repeats)
        else:
            folds = _checked_folds(cv, len(target))
            n_splits = len(folds)
        nested = nested_errors(task, in_order(methods), models, target, weight, folds)
        blocks = blocks_of_rows(task, models, target, groups)
        without = None
        if blocks is not None:
            without = errors_without_blocks(task, nested, target, weight, blocks)

        def difference(worse: str, better: str) -> Interval:
            if without is None:
                apart = nested.errors[worse] - nested.errors[better]
                return interval_of(apart, n_splits, confidence)
            apart = without[worse] - without[better]
            mean = float(nested.errors[worse].mean() - nested.errors[better].mean())
            return jackknife_interval(mean, apart, confidence)

        return _compare(task, why, models, target, weight, nested, difference, confidence, price)


def _checked(candidates: Sequence[str]) -> tuple[str, ...]:
    methods = tuple(dict.fromkeys(["best_single", *candidates]))
    for method in methods:
        if method not in METHODS:
            raise ValueError(f"candidates holds {method!r}, but must hold some of {list(METHODS)}")
    return methods


def _prices(prices: Any, models: Predictions) -> NDArray[np.float64] | None:
    if prices is None:
        return None
    if isinstance(prices, Mapping):
        keys = range(len(models)) if models.keys is None else models.keys
        missing = [key for key in keys if key not in prices]
        if missing:
            raise ValueError(
                f"prices has none for model {missing[0]!r}, but must have one for each"
            )
        prices = [prices[key] for key in keys]
    found = np.asarray(prices, np.float64)
    if found.shape != (len(models),) or not (np.isfinite(found) & (found >= 0)).all():
        raise ValueError(
            f"prices is {prices!r:.80}, but must hold a finite number of at least 0 for each of "
            f"{len(models)} models"
        )
    return found


def _checked_folds(cv: Any, rows: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    try:
        folds = [(np.asarray(train, np.int64), np.asarray(test, np.int64)) for train, test in cv]
    except (TypeError, ValueError):
        folds = []
    parts = [part for fold in folds for part in fold]
    if len(folds) < 2 or not all(
        part.ndim == 1 and part.size and part.min() >= 0 and part.max() < rows for part in parts
    ):
        raise ValueError(
            f"cv is {cv!r:.80}, but must give two or more pairs of row numbers in [0, {rows})"
        )
    return folds


def _compare(
    task: Task,
    why: str,
    models: Predictions,
    y: Any,
    weight: Any,
    nested: Nested,
    difference: Callable[[str, str], Interval],
    confidence: float,
    price: NDArray[np.float64] | None,
) -> OptimizedWeights:
    errors, methods = nested.errors, list(nested.errors)
    final = {method: COMBINE[method](task, models, y, weight) for method in methods}
    alternatives = []
    for method in methods:
        gain = difference("best_single", method)
        needed = _needed(final[method], len(models))
        alternatives.append(
            Alternative(
                method,
                float(errors[method].mean()),
                gain.mean,
                (gain.low, gain.high),
                len(needed),
                None if price is None else float(price[needed].sum()),
            )
        )
    lowest = min(methods, key=lambda method: float(errors[method].mean()))
    chosen, behind = lowest, Interval(0.0, 0.0, 0.0)
    for method in methods[: methods.index(lowest)]:
        behind = difference(method, lowest)
        if behind.low <= 0:
            chosen = method
            break
    if chosen == lowest:
        reason = f"{chosen}: the least error on held-out rows, and nothing simpler is as good"
    else:
        reason = (
            f"{chosen}: simpler than {lowest}, whose error on held-out rows is lower by "
            f"{behind.mean:.3g}, {confidence:.0%} interval [{behind.low:.3g}, {behind.high:.3g}]: "
            "no real gain"
        )
    of_chosen = alternatives[methods.index(chosen)]
    return OptimizedWeights(
        chosen,
        f"{reason} ({why})",
        final[chosen].weights,
        final[chosen].meta_model,
        task.error(final[chosen].blend(models), y, weight),
        alternatives,
        int(np.argmax(_weights_of(final["best_single"]))),
        of_chosen.gain,
        of_chosen.interval,
        [] if price is None else _pareto(task, models, y, weight, nested, price, final),
    )


def _weights_of(found: Combination) -> NDArray[np.float64]:
    assert found.weights is not None
    return found.weights


def _needed(found: Combination, count: int) -> NDArray[np.int64]:
    return np.arange(count) if found.weights is None else np.flatnonzero(found.weights)


def _pareto(
    task: Task,
    models: Predictions,
    y: Any,
    weight: Any,
    nested: Nested,
    price: NDArray[np.float64],
    final: dict[str, Combination],
) -> list[ParetoPoint]:
    """Of each model, each method and the first steps of greedy selection, by held-out errors."""
    count = len(models)
    points = []
    for model, error in enumerate(nested.alone.mean(axis=0).tolist()):
        key = model if models.keys is None else models.keys[model]
        points.append(ParetoPoint(float(price[model]), error, f"model {key}", np.eye(count)[model]))
    for method, found in final.items():
        if method != "best_single":
            cost = float(price[_needed(found, count)].sum())
            points.append(
                ParetoPoint(cost, float(nested.errors[method].mean()), method, found.weights)
            )
    order = final["greedy"].order if "greedy" in final else ()
    for steps in range(2, len(order)):
        weights = np.bincount(order[:steps], minlength=count) / steps
        held = []
        for (_, test), found_in_fold in zip(nested.folds, nested.learnt, strict=True):
            part = found_in_fold["greedy"].order[:steps]
            share = np.bincount(part, minlength=count) / len(part)
            blend = models.take(range(count), [a[test] for a in models.arrays]).blend(share)
            held.append(task.error(blend, y[test], None if weight is None else weight[test]))
        cost = float(price[np.flatnonzero(weights)].sum())
        points.append(ParetoPoint(cost, float(np.mean(held)), f"greedy, {steps} steps", weights))
    points.sort(key=lambda point: (point.price, point.error))
    front: list[ParetoPoint] = []
    for point in points:
        if not front or point.error < front[-1].error:
            front.append(point)
    return front
