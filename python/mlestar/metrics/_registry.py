"""The one registry of metric names: scikit-learn's scorer names and a few aliases."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mlestar._calls import internal_calls
from mlestar.metrics import classification, ranking, regression, scoring_rules
from mlestar.metrics.scorers import ALIASES

_CLASSES = ("binary", "multiclass")
_VALUES = ("regression",)


@dataclass(frozen=True)
class Metric:
    """A metric and what it needs.

    Attributes
    ----------
    name : str
    function : callable
        function(y_true, answer, sample_weight=None).
    greater_is_better : bool
    response : str
        What the answer is: "probability", "label" or "value".
    tasks : tuple of str
    """

    name: str
    function: Callable[..., Any]
    greater_is_better: bool
    response: str
    tasks: tuple[str, ...]

    def score(self, y_true: Any, answer: Any, sample_weight: Any = None) -> Any:
        """The metric, without the warnings that are for a person who calls it."""
        with internal_calls():
            return self.function(y_true, answer, sample_weight=sample_weight)

    def error(self, score: float) -> float:
        """The score as something to make small."""
        return -score if self.greater_is_better else score

    def bounded(self, low: float, high: float) -> tuple[float, float]:
        """An interval cut at the end of the scale: scores end at 1, losses at 0.

        One that is symmetric about the mean does not know these ends.
        """
        return (low, min(high, 1.0)) if self.greater_is_better else (max(low, 0.0), high)


def _positive(function: Callable[..., Any]) -> Callable[..., Any]:
    """A metric of one score a row, given a table of class probabilities."""

    def scored(y: Any, answer: Any, sample_weight: Any = None) -> Any:
        answer = np.asarray(answer)
        score = answer[:, 1] if answer.ndim == 2 else answer
        return function(y, score, sample_weight=sample_weight)

    scored.__wrapped__ = function  # type: ignore[attr-defined]
    return scored


def _by_class(function: Callable[..., Any]) -> Callable[..., Any]:
    """A metric of class probabilities that a part of the data may be asked with classes missing."""

    def scored(y: Any, answer: Any, sample_weight: Any = None) -> Any:
        answer = np.asarray(answer)
        labels = np.arange(answer.shape[1]) if answer.ndim == 2 else np.array([0, 1])
        return function(y, answer, labels=labels, sample_weight=sample_weight)

    scored.__wrapped__ = function  # type: ignore[attr-defined]
    return scored


def _registry() -> dict[str, Metric]:
    rows: list[tuple[str, Callable[..., Any], bool, str, tuple[str, ...]]] = [
        ("accuracy", classification.accuracy_score, True, "label", _CLASSES),
        ("roc_auc", _positive(ranking.roc_auc_score), True, "probability", ("binary",)),
        (
            "average_precision",
            _positive(ranking.average_precision_score),
            True,
            "probability",
            ("binary",),
        ),
        ("neg_log_loss", _by_class(scoring_rules.log_loss), False, "probability", _CLASSES),
        (
            "neg_brier_score",
            _positive(scoring_rules.brier_score_loss),
            False,
            "probability",
            ("binary",),
        ),
        ("neg_mean_squared_error", regression.mean_squared_error, False, "value", _VALUES),
        (
            "neg_root_mean_squared_error",
            regression.root_mean_squared_error,
            False,
            "value",
            _VALUES,
        ),
        ("neg_mean_absolute_error", regression.mean_absolute_error, False, "value", _VALUES),
        ("r2", regression.r2_score, True, "value", _VALUES),
    ]
    for name in ("precision", "recall", "f1"):
        function = getattr(classification, f"{name}_score")
        binary = partial(function, zero_division=0.0)
        rows.append((name, binary, True, "label", ("binary",)))
        for average in ("micro", "macro", "weighted"):
            averaged = partial(function, average=average, zero_division=0.0)
            rows.append((f"{name}_{average}", averaged, True, "label", _CLASSES))
    return {row[0]: Metric(*row) for row in rows}


SHORT = {full: alias for alias, full in ALIASES.items()}
DEFAULTS = {
    "binary": "roc_auc",
    "multiclass": "neg_log_loss",
    "regression": "neg_root_mean_squared_error",
}

KNOWN = _registry()


def names(task: str | None = None) -> list[str]:
    """Names, sorted, with the short alias where there is one; of one task where given."""
    found = [m for m in KNOWN.values() if task is None or task in m.tasks]
    return sorted(SHORT.get(m.name, m.name) for m in found)


def find(name: str, task: str | None = None) -> Metric:
    """The metric of a name; ValueError if there is none, or none for the task."""
    metric = KNOWN.get(ALIASES.get(name, name))
    if metric is None:
        close = difflib.get_close_matches(name, [*KNOWN, *ALIASES], n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {names(task)}"
        raise ValueError(f"metric is {name!r}, which is not known; {hint}")
    if task is not None and task not in metric.tasks:
        raise ValueError(f"metric is {name!r}, but for {task} it must be one of {names(task)}")
    return metric
