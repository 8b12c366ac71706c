"""Several metrics of the same answers: one pass, one confusion matrix and one sort between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from mlestar._arrays import as_array, as_flat
from mlestar._calls import answered
from mlestar._native import _core
from mlestar.metrics import _registry as registry
from mlestar.metrics import classification, ranking, regression
from mlestar.metrics._sets import Sums, scores_of
from mlestar.metrics._table import Table, shared_tables, table_of
from mlestar.metrics.scorers import ALIASES

_ERRORS = {
    regression.mean_squared_error: ("squared", 0.0),
    regression.root_mean_squared_error: ("squared", 0.0),
    regression.mean_absolute_error: ("absolute", 0.0),
    regression.mean_squared_log_error: ("squared_log", 0.0),
    regression.root_mean_squared_log_error: ("squared_log", 0.0),
    regression.mean_absolute_percentage_error: ("percentage", 0.0),
}
_ROOTS = (regression.root_mean_squared_error, regression.root_mean_squared_log_error)
_F = {
    classification.precision_score: 0,
    classification.recall_score: 1,
    classification.f1_score: 2,
}
# Functions whose second argument is scores or probabilities.
_OF_SCORES = ("ranking", "curves", "scoring_rules", "retrieval")


class _Asked(NamedTuple):
    """One metric: the function, its options, and whether it reads scores."""

    key: str
    call: Callable[..., Any]
    function: Any  # without the options; None where it cannot be told
    options: dict[str, Any]
    of_scores: bool


def score_many(
    y_true: Any,
    y_pred: Any,
    metrics: Iterable[Any] | Mapping[str, Any],
    *,
    y_score: Any = None,
    sample_weight: Any = None,
) -> dict[str, Any]:
    """Several metrics at once, each as its own function gives it.

    Metrics of labels share one confusion matrix, ROC AUC and average precision one sort, and errors
    of regression one pass over the data.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        True labels or values.
    y_pred : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Predicted labels or values.
    metrics : iterable or mapping
        Names (scikit-learn's scorer names, ``log_loss``, ``rmse``, ``mae``, ..., or the name of a
        function of `mlestar.metrics`), or functions ``metric(y_true, y_pred)``; or a mapping of
        result names to such. Losses are given as they are, not negated.
    y_score : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
        Scores or probabilities, for the metrics that read them; by default `y_pred`. Metrics of one
        score a row take the second of two columns.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, handed to every metric.

    Returns
    -------
    dict
        Results by the names asked for, in their order.

    Raises
    ------
    ValueError
        For a name that is not known or given twice, and as the metrics themselves.
    TypeError
        For a metric that is neither a name nor callable.

    Examples
    --------
    >>> from mlestar.metrics import score_many
    >>> found = score_many(
    ...     [0, 1, 1, 0], [0, 1, 0, 0], ["accuracy", "f1", "roc_auc"], y_score=[0.1, 0.9, 0.4, 0.2]
    ... )
    >>> {name: round(value, 6) for name, value in found.items()}
    {'accuracy': 0.75, 'f1': 0.666667, 'roc_auc': 1.0}
    """
    asked = [_asked(key, metric) for key, metric in _named(metrics)]
    keys = [one.key for one in asked]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ValueError(f"metrics names {twice[0]!r} twice; every result needs a name of its own")
    scores = y_pred if y_score is None else y_score
    given = {} if sample_weight is None else {"sample_weight": sample_weight}
    results: dict[str, Any] = {}
    _regression(asked, y_true, y_pred, sample_weight, results)
    if sample_weight is None:
        _ranking(asked, y_true, scores, results)
    with shared_tables():
        _labels(asked, y_true, y_pred, sample_weight, results)
        for one in asked:
            if one.key not in results:
                answer = scores if one.of_scores else y_pred
                results[one.key] = one.call(y_true, answer, **given)
    return {key: results[key] for key in keys}


def _named(metrics: Iterable[Any] | Mapping[str, Any]) -> list[tuple[str | None, Any]]:
    if isinstance(metrics, str):
        raise ValueError(f"metrics is {metrics!r}, but must be a list of metrics")
    if isinstance(metrics, Mapping):
        return list(metrics.items())
    return [(None, metric) for metric in metrics]


def _asked(key: str | None, metric: Any) -> _Asked:
    if isinstance(metric, str):
        full = ALIASES.get(metric, metric)
        own = None if full in registry.KNOWN else _own_function(metric)
        if own is None:
            found = registry.find(metric)
            call, of_scores = found.function, found.response == "probability"
        else:
            call, of_scores = own, _reads_scores(own)
        name = metric
    elif callable(metric):
        call, of_scores = metric, _reads_scores(metric)
        name = getattr(metric, "__name__", None) or repr(metric)
    else:
        raise TypeError(
            f"metrics holds {metric!r}, but a metric is a name or a function of two arrays"
        )
    options = dict(call.keywords) if isinstance(call, partial) else {}
    function = call.func if isinstance(call, partial) else getattr(call, "__wrapped__", call)
    return _Asked(key or name, call, function, options, of_scores)


def _own_function(name: str) -> Any:
    """The function of `mlestar.metrics` of that name; None where there is none."""
    room = import_module("mlestar.metrics")
    found = vars(room).get(name)
    return found if callable(found) and not isinstance(found, type) else None


def _reads_scores(metric: Any) -> bool:
    function = metric.func if isinstance(metric, partial) else metric
    code = getattr(function, "__code__", None)
    stem = "" if code is None else code.co_filename.replace("\\", "/").rpartition("/")[2]
    own = getattr(function, "__module__", "") == "mlestar.metrics"
    return own and stem.removesuffix(".py") in _OF_SCORES


def _regression(
    asked: list[_Asked], y_true: Any, y_pred: Any, sample_weight: Any, results: dict[str, Any]
) -> None:
    """Mean errors and R² of single outputs, in one pass."""
    wanted = [
        one
        for one in asked
        if not one.options and (one.function in _ERRORS or one.function is regression.r2_score)
    ]
    t, p = as_flat(y_true), as_flat(y_pred)
    w = None if sample_weight is None else as_array(sample_weight)
    if len(wanted) < 2 or t is None or p is None or (w is None) != (sample_weight is None):
        return
    if t.ndim != 1 or p.ndim != 1 or len(t) < 2:
        return
    kinds = list(dict.fromkeys(_ERRORS[o.function] for o in wanted if o.function in _ERRORS))
    with_r2 = any(one.function is regression.r2_score for one in wanted)
    found = _core.metrics.mean_errors(kinds, with_r2, t, p, w)
    if found is None:
        return
    means, residual, total = found
    of_kind = {kind: float(mean[0]) for kind, mean in zip(kinds, means, strict=True)}
    for one in wanted:
        if one.function is regression.r2_score:
            if not total[0] > 0:
                continue  # constant: its own function has a rule for that
            value = 1.0 - float(residual[0]) / float(total[0])
        else:
            value = of_kind[_ERRORS[one.function]]
            if one.function in _ROOTS:
                if value < 0:
                    continue
                value = float(np.sqrt(value))
        answered(one.function.__name__)
        results[one.key] = value


def _ranking(asked: list[_Asked], y_true: Any, scores: Any, results: dict[str, Any]) -> None:
    """ROC AUC and average precision of two labels, 0 and 1, from one sort."""
    wanted = [
        one
        for one in asked
        if not one.options
        and one.function in (ranking.roc_auc_score, ranking.average_precision_score)
    ]
    if len({one.function for one in wanted}) < 2:
        return
    t, s = as_flat(y_true), as_flat(scores)
    if t is None or s is None or t.ndim != 1 or t.dtype.kind not in "biuf":
        return
    if s.ndim == 2:
        if s.shape[1] != 2 or any(one.call is one.function for one in wanted):
            return
        s = s[:, 1]
    found = _core.metrics.roc_auc_and_average_precision(t, s)
    # Average precision is of the label 1, ROC AUC of the larger.
    if found is None or found[0] != found[0] or t.max() != 1:
        return
    for one in wanted:
        answered(one.function.__name__)
        results[one.key] = found[0] if one.function is ranking.roc_auc_score else found[1]


def _labels(
    asked: list[_Asked], y_true: Any, y_pred: Any, sample_weight: Any, results: dict[str, Any]
) -> None:
    """Accuracy, precision, recall and F of the one table; the rest of its functions find it."""
    wanted = [
        one
        for one in asked
        if one.function in _F or (one.function is classification.accuracy_score and not one.options)
    ]
    if len(wanted) < 2:
        return
    table = table_of(y_true, y_pred, sample_weight)
    if table is None:
        return
    sums = None
    for one in wanted:
        if one.function is classification.accuracy_score:
            value = float(table.cells.trace() / table.cells.sum())
        else:
            average = one.options.get("average", "binary")
            filler = one.options.get("zero_division", "warn")
            plain = set(one.options) <= {"average", "zero_division"}
            if not plain or average in ("binary", "samples", None):
                continue
            sums = _sums(table) if sums is None else sums
            warn_for = {0: "precision", 1: "recall", 2: "f-score"}[_F[one.function]]
            value = scores_of(sums, 1.0, average, (warn_for,), filler)[_F[one.function]]
        answered(one.function.__name__)
        results[one.key] = value


def _sums(table: Table) -> Sums:
    _, wrong, missed, hits = table.one_against_rest(list(range(len(table.labels))))
    return Sums(hits, hits + wrong, hits + missed)
