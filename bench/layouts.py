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


def _row(metric: str, what: str, *arguments: Any, **options: Any) -> Row:
    single = any(getattr(a, "dtype", None) == np.float32 for a in arguments)
    return Row(
        f"{metric}, {what}",
        _N,
        lambda: getattr(ours, metric)(*arguments, **options),
        {"scikit-learn": lambda: getattr(theirs, metric)(*arguments, **options)},
        counted=metric,
        rtol=1e-4 if single else 1e-9,
        same=_same_parts if metric in ("roc_curve", "precision_recall_curve") else None,
    )


def _same_parts(mine: Any, other: Any) -> None:
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


Change = Callable[[Any], Any]


def _further(
    rng: np.random.Generator, labels: dict[str, Change], reals: dict[str, Change]
) -> list[Row]:
    """One or two of every other family."""
    truth, predicted = rng.integers(0, 2, _N), rng.integers(0, 2, _N)
    scores = rng.random(_N)
    rows = []
    for what, change in labels.items():
        t, p = change(truth), change(predicted)
        positive = {"pos_label": "yes"} if what == "strings" else {}
        rows += [
            _row(metric, f"{what} labels", t, p)
            for metric in ("matthews_corrcoef", "cohen_kappa_score", "balanced_accuracy_score")
        ]
        rows += [
            _row(metric, f"{what} labels", t, p)
            for metric in ("adjusted_rand_score", "normalized_mutual_info_score")
        ]
        rows += [
            _row(metric, f"{what} labels", t, scores, **positive)
            for metric in ("roc_curve", "precision_recall_curve")
        ]
    y, p = np.exp(rng.normal(size=_N)), np.exp(rng.normal(size=_N))
    for what, change in reals.items():
        rows += [
            _row(metric, what, change(y), change(p))
            for metric in (
                "mean_poisson_deviance",
                "mean_gamma_deviance",
                "mean_absolute_percentage_error",
                "mean_squared_log_error",
                "median_absolute_error",
                "max_error",
                "explained_variance_score",
                "mean_pinball_loss",
            )
        ]
    classes = rng.integers(0, 5, _N)
    table = rng.random((_N, 5))
    table /= table.sum(axis=1, keepdims=True)
    indicators = [(rng.random((_N // 10, 10)) < 0.4).astype(np.int64) for _ in range(2)]
    relevance, ranked = indicators[0], rng.random((_N // 10, 10))
    tables: dict[str, Change] = {
        "float64": lambda x: x,
        "float32": lambda x: x.astype(np.float32),
        "Fortran": np.asfortranarray,
        "strided": lambda x: np.repeat(x, 2, axis=0)[::2],
    }
    for what, change in tables.items():
        if what != "float32":  # its rows do not sum to one within scikit-learn's tolerance
            rows.append(
                _row("roc_auc_score", f"ovr, {what}", classes, change(table), multi_class="ovr")
            )
        rows.append(_row("top_k_accuracy_score", what, classes, change(table), k=2))
        rows += [
            _row(metric, what, relevance, change(ranked))
            for metric in ("ndcg_score", "coverage_error", "label_ranking_loss")
        ]
        whole = {"float64": "int64", "float32": "int32"}.get(what, what)
        kind = np.int32 if what == "float32" else np.int64
        pair = [change(x).astype(kind, order="K", copy=False) for x in indicators]
        rows += [
            _row(metric, f"{whole} indicators", *pair, average="macro")
            for metric in ("f1_score", "jaccard_score")
        ]
        rows.append(_row("calinski_harabasz_score", what, change(table), classes))
    return rows


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
        rows.append(_row(metric, what, *arguments, **options))

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
    rows += _further(rng, labels, reals)
    two = np.asfortranarray(np.stack([1 - scores, scores], axis=1))
    add("log_loss", "two Fortran columns", truth, two)
    return rows
