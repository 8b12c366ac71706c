"""Which form a metric has on resamples, by its name or function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from mlestar._devices import to_host
from mlestar.metrics import classification, confusion, ranking, regression, scoring_rules
from mlestar.metrics._forms import (
    AveragePrecisionForm,
    Form,
    RocAucForm,
    SumsForm,
    TableForm,
)
from mlestar.metrics._registry import find
from mlestar.metrics._user_form import CallbackForm
from mlestar.metrics.user import CompiledMetric

_OF_TABLES = (
    classification.accuracy_score,
    classification.f1_score,
    classification.fbeta_score,
    classification.precision_score,
    classification.recall_score,
    confusion.balanced_accuracy_score,
    confusion.cohen_kappa_score,
    confusion.hamming_loss,
    confusion.jaccard_score,
    confusion.matthews_corrcoef,
    confusion.zero_one_loss,
)
_OF_SUMS = (
    regression.mean_absolute_error,
    regression.mean_squared_error,
    regression.r2_score,
    regression.root_mean_squared_error,
    scoring_rules.brier_score_loss,
    scoring_rules.log_loss,
)
_OF_RANKS = (ranking.average_precision_score, ranking.roc_auc_score)
# Cells of a table above which drawing rows costs no more.
_MOST_CELLS = 1024
_OWN = {function.__name__: function for function in (*_OF_TABLES, *_OF_SUMS, *_OF_RANKS)}


def form_of(
    metric: Any, y_true: Any, answers: Sequence[Any], weight: Any, options: dict[str, Any]
) -> Form:
    """The fastest form that gives what the metric gives.

    Raises
    ------
    ValueError
        For a name that is not known, and as the metric itself.
    """
    truth = _array(y_true)
    given = [_array(answer) for answer in answers]
    for answer in given:
        if answer.ndim == 0 or len(answer) != len(truth):
            raise ValueError(
                f"y_pred has shape {answer.shape}, but must have {len(truth)} rows as y_true has"
            )
    weight = _checked_weight(weight, len(truth))
    if isinstance(metric, str):
        function, given, options = _named(metric, truth, given, options)
    elif callable(metric):
        function = _ours(metric)
    else:
        raise ValueError(f"metric is {metric!r}, but must be a name or a function(y_true, y_pred)")
    arguments = (function, truth, given, weight, options)
    if isinstance(function, CompiledMetric):
        return CallbackForm(*arguments)
    plain = truth.ndim == 1 and all(answer.ndim == 1 for answer in given)
    found: Form | None = None
    try:
        if function in _OF_RANKS and plain:
            found = _ranked(arguments)
        elif function in _OF_TABLES and plain and _labels(truth, *given):
            table = TableForm(*arguments)
            found = table if table.cells <= _MOST_CELLS else None
        elif function in _OF_SUMS:
            found = _summed(arguments)
    except (TypeError, ValueError, IndexError):
        found = None  # labels of several kinds, shapes that differ: the metric words the error
    return found or Form(*arguments)


def _array(value: Any) -> Any:
    """As an array on the host; of a tensor its values alone."""
    return np.asarray(to_host(value.detach() if hasattr(value, "detach") else value))


def _checked_weight(weight: Any, rows: int) -> Any:
    if weight is None:
        return None
    weight = np.ascontiguousarray(weight, dtype=np.float64)
    if weight.shape != (rows,):
        raise ValueError(f"sample_weight has shape {weight.shape}, but must have shape ({rows},)")
    if not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise ValueError(
            "sample_weight must be finite, not negative and not all zero, but is "
            f"{weight.min()} at its least and {weight.max()} at its most"
        )
    return weight


def _ours(metric: Callable[..., Any]) -> Callable[..., Any]:
    """scikit-learn's function of a name is taken for ours, which gives the same."""
    if getattr(metric, "__module__", "").startswith("sklearn.metrics"):
        return _OWN.get(metric.__name__, metric)
    return metric


def _named(
    name: str, truth: Any, answers: list[Any], options: dict[str, Any]
) -> tuple[Any, list[Any], dict[str, Any]]:
    """Function, answers and options of a metric of the registry."""
    metric = find(name)
    function = metric.function
    if isinstance(function, partial):
        options = {**function.keywords, **options}
        function = function.func
    function = getattr(function, "__wrapped__", function)
    if metric.response == "label":
        answers = [a.argmax(axis=1) if a.ndim == 2 else a for a in answers]
    elif function is scoring_rules.log_loss:
        # A resample may lack a class that the sample has.
        classes = np.unique(truth)
        wide = [a.shape[1] for a in answers if a.ndim == 2 and a.shape[1] != len(classes)]
        options = {"labels": np.arange(wide[0]) if wide else classes, **options}
    elif metric.response == "probability":
        answers = [a[:, 1] if a.ndim == 2 and a.shape[1] == 2 else a for a in answers]
    return function, answers, options


def _labels(*arrays: Any) -> bool:
    """Whether all hold labels: integers, strings, whole floats."""
    return all(
        a.dtype.kind in "biuUO" or (a.dtype.kind == "f" and bool((a == np.floor(a)).all()))
        for a in arrays
    )


def _ranked(arguments: tuple[Any, ...]) -> Form | None:
    function, truth, given, _, options = arguments
    labels = np.unique(truth)
    if len(labels) != 2 or not _labels(truth):
        return None
    for score in given:
        exact = score.dtype.kind in "bfiu" and (
            score.dtype.itemsize < 8
            or score.dtype.kind == "f"
            or (np.abs(score.astype(np.float64)) < 2.0**53).all()
        )
        if not exact or score.dtype.itemsize > 8 or not np.isfinite(score).all():
            return None
    if options.get("average", "macro") not in ("macro", "micro", "weighted", "samples", None):
        return None
    if function is ranking.roc_auc_score:
        if set(options) - {"average", "multi_class"}:
            return None
        return RocAucForm(*arguments, positive=truth == labels[1])
    positive = options.get("pos_label", 1)
    if set(options) - {"average", "pos_label"} or positive not in labels.tolist():
        return None
    return AveragePrecisionForm(*arguments, positive=truth == positive)


def _summed(arguments: tuple[Any, ...]) -> Form | None:
    function, truth, given, weight, options = arguments
    if truth.ndim != 1 or set(options) - {"labels"}:
        return None
    finish = _mean
    if function is scoring_rules.log_loss:
        columns = [[_log_losses(truth, p, options.get("labels"))] for p in given]
    elif options:
        return None
    elif function is scoring_rules.brier_score_loss:
        columns = [[_brier_losses(truth, p)] for p in given]
    else:
        y = truth.astype(np.float64)
        errors = [y - _values(p, y) for p in given]
        if function is regression.mean_absolute_error:
            columns = [[np.abs(e)] for e in errors]
        elif function is regression.r2_score:
            finish = _r2
            apart = y - np.average(y, weights=weight)
            columns = [[e * e, apart, apart * apart] for e in errors]
        else:
            columns = [[e * e] for e in errors]
            finish = _mean if function is regression.mean_squared_error else _root_mean
    form = SumsForm(*arguments, columns=np.array(columns), finish=finish)
    return form if form.agrees() else None


def _values(answer: Any, y: Any) -> Any:
    if answer.shape != y.shape:
        raise ValueError
    return answer.astype(np.float64)


def _mean(sums: Any, weight: Any) -> Any:
    return sums[..., 0] / weight


def _root_mean(sums: Any, weight: Any) -> Any:
    return np.sqrt(sums[..., 0] / weight)


def _r2(sums: Any, weight: Any) -> Any:
    residual = sums[..., 0]
    total = sums[..., 2] - sums[..., 1] ** 2 / weight
    # Of equal targets, as scikit-learn has it; equal but for the rounding of the sums.
    flat = total <= 1e-14 * sums[..., 2]
    return np.where(flat, np.where(residual == 0, 1.0, 0.0), 1 - residual / total)


def _log_losses(truth: Any, p: Any, labels: Any) -> Any:
    classes = np.unique(truth) if labels is None else np.asarray(labels)
    code = np.searchsorted(classes, truth)
    if not (classes[code] == truth).all():
        raise ValueError
    eps = np.finfo(p.dtype if p.dtype.kind == "f" else np.float64).eps
    if p.ndim == 1:
        if len(classes) != 2:
            raise ValueError
        p = np.clip(p.astype(np.float64), eps, 1 - eps)
        return -np.log(np.where(code == 1, p, 1 - p))
    if p.shape[1] != len(classes):
        raise ValueError
    own = np.take_along_axis(p, code[:, None], axis=1)[:, 0].astype(np.float64)
    return -np.log(np.clip(own, eps, 1 - eps))


def _brier_losses(truth: Any, p: Any) -> Any:
    classes, code = np.unique(truth, return_inverse=True)
    if len(classes) != 2 or p.ndim != 1 or truth.dtype.kind not in "biuf":
        raise ValueError
    return (p.astype(np.float64) - code) ** 2
