"""The same calls over dtypes and memory layouts, n = 200 000: nothing may fall off the fast path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn.metrics as theirs

import mlestar.metrics as ours
from bench.peers import optional
from bench.row import Row

_N = 200_000


def layout_rows() -> list[Row]:
    """A row for each metric and layout."""
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 2, _N), rng.integers(0, 2, _N)
    scores, weights = rng.random(_N), rng.random(_N)
    values = rng.normal(size=_N)
    words = np.array(["no", "yes"])
    pandas = optional("pandas")

    labels: dict[str, Callable[[Any], Any]] = {
        "int64": lambda x: x,
        "int32": lambda x: x.astype(np.int32),
        "bool": lambda x: x.astype(bool),
        "strings": lambda x: words[x],
        "strided": lambda x: np.repeat(x, 2)[::2],
    }
    reals: dict[str, Callable[[Any], Any]] = {
        "float64": lambda x: x,
        "float32": lambda x: x.astype(np.float32),
        "strided": lambda x: np.repeat(x, 2)[::2],
        "Fortran": lambda x: np.asfortranarray(np.stack([x, x], axis=1))[:, 1],
    }
    if pandas is not None:
        labels["pandas Series"] = reals["pandas Series"] = lambda x: pandas.Series(x)

    rows = []

    def add(metric: str, what: str, *arguments: Any, **options: Any) -> None:
        single = any(getattr(a, "dtype", None) == np.float32 for a in arguments)
        rows.append(
            Row(
                f"{metric}, {what}",
                _N,
                lambda: getattr(ours, metric)(*arguments, **options),
                {"scikit-learn": lambda: getattr(theirs, metric)(*arguments, **options)},
                counted=metric,
                rtol=1e-4 if single else 1e-9,
            )
        )

    for what, change in labels.items():
        positive = {"pos_label": "yes"} if what == "strings" else {}
        for metric in ("accuracy_score", "confusion_matrix"):
            add(metric, f"{what} labels", change(truth), change(predicted))
        add("f1_score", f"{what} labels", change(truth), change(predicted), **positive)
        add("roc_auc_score", f"{what} labels", change(truth), scores)
        add("average_precision_score", f"{what} labels", change(truth), scores, **positive)
        add("log_loss", f"{what} labels", change(truth), scores)
        add("brier_score_loss", f"{what} labels", change(truth), scores, **positive)
    for what, change in reals.items():
        for metric in ("roc_auc_score", "average_precision_score", "log_loss", "brier_score_loss"):
            if what != "float64":
                add(metric, f"{what} scores", truth, change(scores))
        for metric in ("mean_squared_error", "mean_absolute_error", "r2_score"):
            add(metric, what, change(values), change(scores))
    weighted = {"sample_weight": weights}
    for metric in ("accuracy_score", "confusion_matrix", "f1_score"):
        add(metric, "weights", truth, predicted, **weighted)
    for metric in ("roc_auc_score", "average_precision_score", "log_loss", "brier_score_loss"):
        add(metric, "weights", truth, scores, **weighted)
    for metric in ("mean_squared_error", "mean_absolute_error", "r2_score"):
        add(metric, "weights", values, scores, **weighted)
    two = np.asfortranarray(np.stack([1 - scores, scores], axis=1))
    add("log_loss", "two Fortran columns", truth, two)
    return rows
