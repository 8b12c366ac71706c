"""Metrics of ensembles: errors (lower is better) of each candidate, and of one blend."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mlestar._native import _core
from mlestar.ensemble._predictions import Predictions
from mlestar.ensemble._user import UserSelection
from mlestar.metrics.user import CompiledMetric

VALUES = ("mse", "rmse")
PROBABILITIES = ("brier", "log_loss")
RANKINGS = ("average_precision", "roc_auc")
LISTS = ("ndcg",)  # of the items of each row
LABELS = (
    "accuracy",
    "balanced_accuracy",
    "f1",
    "f1_macro",
    "f1_micro",
    "f1_weighted",
    "mcc",
)
NAMES = tuple(sorted((*VALUES, *PROBABILITIES, *RANKINGS, *LISTS, *LABELS)))
ALIASES = {
    "brier_score_loss": "brier",
    "matthews_corrcoef": "mcc",
    "mean_squared_error": "mse",
    "ndcg_score": "ndcg",
    "neg_brier_score": "brier",
    "neg_log_loss": "log_loss",
    "neg_mean_squared_error": "mse",
    "neg_root_mean_squared_error": "rmse",
    "root_mean_squared_error": "rmse",
}

Metric = str | CompiledMetric | Callable[..., float]


class Selection(Protocol):
    """A growing ensemble that knows the error it would have with each model as one more member."""

    def candidate_errors(self) -> NDArray[np.float64]: ...
    def add(self, model: int) -> None: ...


def name_of(metric: Any) -> Any:
    """The metric's own name for an alias; a function as it is.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    if isinstance(metric, str):
        metric = ALIASES.get(metric, metric)
        if metric in NAMES:
            return metric
    elif callable(metric):
        return metric
    raise ValueError(
        f"metric is {metric!r}, but must be one of {sorted([*NAMES, *ALIASES])} or a function of "
        "y_true and y_pred"
    )


def make_selection(
    metric: Any, models: Predictions, y: Any, weight: Any, greater_is_better: bool = True
) -> Selection:
    """The selection of a metric that `name_of` gave.

    Raises
    ------
    ValueError
        Where predictions, target or weights are not what the metric needs.
    """
    if isinstance(metric, CompiledMetric):
        return UserSelection(metric, models.arrays, y, weight)
    if callable(metric):
        return _Called(metric, models, y, weight, greater_is_better)
    if metric in LISTS:
        return _Called(_without_gain, models, y, weight, greater_is_better=False)
    if metric in LABELS:
        return _Labels(metric, models.arrays, y, weight)
    return _core.ensemble.GreedySelection(metric, models.arrays, y, weight)


def blend_error(
    metric: Any, blend: Any, y: Any, weight: Any, greater_is_better: bool = True
) -> float:
    """The error of one blend, as the selections measure it."""
    one = make_selection(metric, Predictions([blend]), y, weight, greater_is_better)
    return float(one.candidate_errors()[0])


class _Labels:
    """A metric of predicted classes, from the tables of the core."""

    def __init__(self, metric: str, arrays: list[Any], y: Any, weight: Any) -> None:
        self._metric = metric
        self._core = _core.ensemble.LabelSelection(arrays, y, weight)
        if metric == "f1" and arrays[0].ndim == 2 and arrays[0].shape[1] > 2:
            raise ValueError(
                f"metric is 'f1', but must be f1_macro, f1_micro or f1_weighted for predictions "
                f"with {arrays[0].shape[1]} columns"
            )

    def candidate_errors(self) -> NDArray[np.float64]:
        return table_errors(self._metric, self._core.candidate_tables())

    def add(self, model: int) -> None:
        self._core.add(model)


def table_errors(metric: str, tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - the metric, of tables of true (rows) by predicted classes; scikit-learn's definitions."""
    hits = np.diagonal(tables, axis1=-2, axis2=-1)
    true, predicted = tables.sum(axis=-1), tables.sum(axis=-2)
    total = true.sum(axis=-1)
    if metric in ("accuracy", "f1_micro"):
        return np.asarray(1.0 - hits.sum(axis=-1) / total)
    if metric == "balanced_accuracy":
        recall = np.divide(hits, true, out=np.zeros_like(hits), where=true > 0)
        return np.asarray(1.0 - recall.sum(axis=-1) / (true > 0).sum(axis=-1))
    if metric == "mcc":
        both = hits.sum(axis=-1) * total - (true * predicted).sum(axis=-1)
        of_true = total**2 - (true**2).sum(axis=-1)
        of_predicted = total**2 - (predicted**2).sum(axis=-1)
        scale = np.sqrt(of_true * of_predicted)
        return np.asarray(1.0 - np.divide(both, scale, out=np.zeros_like(both), where=scale > 0))
    either = true + predicted
    scores = np.divide(2.0 * hits, either, out=np.zeros_like(hits), where=either > 0)
    if metric == "f1":
        return np.asarray(1.0 - scores[..., 1])
    if metric == "f1_macro":
        return np.asarray(1.0 - scores.sum(axis=-1) / (either > 0).sum(axis=-1))
    return np.asarray(1.0 - (scores * true).sum(axis=-1) / total)


class _Called:
    """A user's Python function of arrays, called for every candidate's mean."""

    def __init__(
        self,
        metric: Callable[..., float],
        models: Predictions,
        y: Any,
        weight: Any,
        greater_is_better: bool,
    ) -> None:
        for index, array in enumerate(models.arrays):
            if array.shape != (len(y), *models.arrays[0].shape[1:]):
                raise ValueError(
                    f"{models.name(index)} has shape {array.shape}, but must have "
                    f"{(len(y), *models.arrays[0].shape[1:])}"
                )
            if not np.isfinite(array).all():
                raise ValueError(f"{models.name(index)} holds NaN or infinity")
        if weight is not None and not _takes_weights(metric):
            raise ValueError(
                f"sample_weight is given, but metric {_called(metric)!r} has no argument "
                "sample_weight"
            )
        self._metric, self._models, self._y = metric, models, y
        self._options = {} if weight is None else {"sample_weight": weight}
        self._sign = -1.0 if greater_is_better else 1.0
        self._mean = np.zeros(models.arrays[0].shape)
        self._members = 0

    def candidate_errors(self) -> NDArray[np.float64]:
        size = self._members + 1
        kept = self._mean * (self._members / size)
        errors = np.empty(len(self._models))
        for index, array in enumerate(self._models.arrays):
            blend = kept + array / size
            try:
                errors[index] = self._sign * float(self._metric(self._y, blend, **self._options))
            except Exception as error:
                error.add_note(f"(raised by the metric on a mean with {self._models.name(index)})")
                raise
            if np.isnan(errors[index]):
                raise ValueError(
                    f"metric {_called(self._metric)!r} is NaN of a mean with "
                    f"{self._models.name(index)}, but must be a number for every candidate"
                )
        return errors

    def add(self, model: int) -> None:
        size = self._members + 1
        self._mean = self._mean * (self._members / size) + self._models.arrays[model] / size
        self._members = size


def _without_gain(y: Any, blend: Any, sample_weight: Any = None) -> float:
    """1 - NDCG."""
    from mlestar.metrics import ndcg_score

    return 1.0 - float(ndcg_score(y, blend, sample_weight=sample_weight))


def _called(metric: Any) -> str:
    return getattr(metric, "__name__", type(metric).__name__)


def _takes_weights(metric: Any) -> bool:
    try:
        parameters = inspect.signature(metric).parameters
    except (TypeError, ValueError):
        return True
    kinds = {parameter.kind for parameter in parameters.values()}
    return "sample_weight" in parameters or inspect.Parameter.VAR_KEYWORD in kinds
