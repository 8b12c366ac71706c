"""Greedy selection by a user's compiled metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlestar._native import _core
from mlestar.metrics._user_rows import check_rows
from mlestar.metrics.user import CompiledMetric


class UserSelection:
    """What the core's GreedySelection does, by a native function of arrays.

    Errors are the metric's values, negated where greater is better.
    """

    def __init__(
        self, metric: CompiledMetric, predictions: Sequence[Any], y: Any, weight: Any
    ) -> None:
        if not predictions:
            raise ValueError("predictions holds no model, but at least one is needed")
        rows = []
        for index, prediction in enumerate(predictions):
            try:
                _, answer, _ = check_rows(y, prediction, None)
            except ValueError as error:
                words = str(error).removeprefix("y_pred ")
                if words == str(error):
                    raise ValueError(words.replace("y_true ", "y ", 1)) from None
                raise ValueError(f"predictions[{index}] {words.replace('y_true', 'y')}") from None
            if not np.isfinite(answer).all():
                raise ValueError(f"predictions[{index}] holds NaN or infinity")
            rows.append(answer)
        self._metric = metric  # whose code the selection calls
        self._truth, _, self._weight = metric._checked(y, rows[0], weight)
        self._core = _core.ensemble.CallbackSelection(
            metric._callback(weight is not None),
            -1.0 if metric.greater_is_better else 1.0,
            np.stack(rows),
            self._truth,
            self._weight,
        )

    def candidate_errors(self) -> Any:
        """Of the ensemble with one more member, for each model.

        Raises
        ------
        ValueError
            Where the metric is NaN, which no choice can be made by.
        Exception
            What the metric raises.
        """
        errors, failed = self._core.candidate_errors()
        if failed is not None:
            try:
                self._metric._raise(self._truth, self._core.mean_with(failed), self._weight)
            except Exception as error:
                error.add_note(f"(raised by the metric on a mean with predictions[{failed}])")
                raise
        undefined = np.flatnonzero(np.isnan(errors))
        if undefined.size:
            raise ValueError(
                f"metric {self._metric.name!r} is NaN of a mean with predictions[{undefined[0]}], "
                "but must be a number for every candidate"
            )
        return errors

    def add(self, model: int) -> None:
        """Let a model join."""
        self._core.add(model)
