"""Metrics by name: the registry of the metrics room, computed several at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from mlestar.metrics import _registry as registry
from mlestar.metrics._registry import DEFAULTS, KNOWN, SHORT, Metric

__all__ = ["Metric", "MetricsCalculator"]


class MetricsCalculator:
    """Computes metrics by name.

    Parameters
    ----------
    names : iterable of str, default=()
        scikit-learn's scorer names, or log_loss, brier_score, mse, rmse, mae. Losses are given as
        they are, not negated.

    Examples
    --------
    >>> from mlestar import MetricsCalculator
    >>> MetricsCalculator(["rmse", "r2"]).compute([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])["r2"]
    0.5
    """

    _known = KNOWN

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.metrics = [self.find(name) for name in names]

    @classmethod
    def names(cls, task: str | None = None) -> list[str]:
        """Names, sorted, with the short alias where there is one; of one task where given."""
        return registry.names(task)

    @classmethod
    def find(cls, name: str, task: str | None = None) -> Metric:
        """The metric of a name.

        Raises
        ------
        ValueError
            If there is none, or none for the task.
        """
        return registry.find(name, task)

    @classmethod
    def default(cls, task: str) -> Metric:
        """ROC AUC (binary), log loss (multiclass) or RMSE (regression)."""
        return KNOWN[DEFAULTS[task]]

    @staticmethod
    def short_name(metric: Metric) -> str:
        """The name people say: log_loss for neg_log_loss."""
        return SHORT.get(metric.name, metric.name)

    def compute(self, y_true: Any, answer: Any, *, sample_weight: Any = None) -> dict[str, float]:
        """Every metric of one answer: probabilities (one column a class), values or labels.

        Where a metric needs labels and the answer is probabilities, the most probable class counts.
        """
        answer = np.asarray(answer)
        labels = answer.argmax(axis=1) if answer.ndim == 2 else answer
        result = {}
        for metric in self.metrics:
            given = labels if metric.response == "label" else answer
            value = metric.score(y_true, given, sample_weight)
            result[self.short_name(metric)] = float(value)
        return result
