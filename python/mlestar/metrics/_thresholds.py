"""Metrics of the binary confusion matrix, for the counts of all thresholds at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# (tns, fps, fns, tps), each of shape (n_thresholds,), to values of that shape.
_Counts = Callable[[Any, Any, Any, Any], Any]


def vectorized(metric: Callable[..., Any], options: dict[str, Any] | None) -> _Counts | None:
    """The metric over arrays of counts; None where it is not one of those below.

    A metric is known by its name and that it is scikit-learn's or ours.
    """
    module = getattr(metric, "__module__", None) or ""
    name = getattr(metric, "__name__", "")
    if not module.startswith(("sklearn.metrics", "mlestar.metrics")):
        return None
    chosen = dict(options or {})
    beta = chosen.pop("beta", None) if name == "fbeta_score" else 1.0
    if name == "fbeta_score" and not (isinstance(beta, int | float) and 0 < beta < np.inf):
        return None
    if name in _COUNTED:
        normalize = chosen.pop("normalize", True)
        if chosen or not isinstance(normalize, bool):
            return None
        return _PLAIN[name] if normalize else _COUNTED[name]
    if name == "confusion_matrix":
        labels = chosen.pop("labels", None)
        return _matrix if not chosen and np.array_equal(labels, [0, 1]) else None
    filler = chosen.pop("zero_division", None) if name in _DIVIDED else 0.0
    # A denominator of zero without a word is scikit-learn's warning, once for each threshold.
    positive = chosen.pop("pos_label", 1)
    if positive not in (0, 1) or chosen or (positive == 0 and name not in _DIVIDED):
        return None
    if name in _DIVIDED:
        known = isinstance(filler, int | float) and (filler in (0, 1) or filler != filler)
        numerator_of = _DIVIDED[name]

        def divided(tns: Any, fps: Any, fns: Any, tps: Any) -> Any:
            if positive == 0:
                tns, fps, fns, tps = tps, fns, fps, tns
            numerator, denominator = numerator_of(tns, fps, fns, tps, beta)
            undefined = denominator == 0
            if undefined.any() and not known:
                return None
            with np.errstate(invalid="ignore"):
                values = numerator / denominator
            return np.where(undefined, filler, values) if known else values

        return divided
    return _PLAIN.get(name)


def _precision(_tns: Any, fps: Any, _fns: Any, tps: Any, _beta: Any) -> Any:
    return tps, tps + fps


def _recall(_tns: Any, _fps: Any, fns: Any, tps: Any, _beta: Any) -> Any:
    return tps, tps + fns


def _fbeta(_tns: Any, fps: Any, fns: Any, tps: Any, beta: Any) -> Any:
    return (1 + beta**2) * tps, beta**2 * (tps + fns) + (tps + fps)


def _jaccard(_tns: Any, fps: Any, fns: Any, tps: Any, _beta: Any) -> Any:
    return tps, tps + fps + fns


def _accuracy(tns: Any, fps: Any, fns: Any, tps: Any) -> Any:
    return (tps + tns) / (tps + tns + fps + fns)


def _error(tns: Any, fps: Any, fns: Any, tps: Any) -> Any:
    return (fps + fns) / (tps + tns + fps + fns)


def _matrix(tns: Any, fps: Any, fns: Any, tps: Any) -> Any:
    return np.stack([tns, fps, fns, tps], axis=1).reshape(-1, 2, 2)


def _matthews(tns: Any, fps: Any, fns: Any, tps: Any) -> Any:
    if tps[-1] == 0 or fps[-1] == 0:
        return None  # scikit-learn warns of a single label
    both = tps * tns - fps * fns
    spread = (tps + fps) * (tps + fns) * (tns + fps) * (tns + fns)
    return np.where(spread == 0, 0.0, both / np.sqrt(np.where(spread == 0, 1.0, spread)))


def _balanced(tns: Any, fps: Any, fns: Any, tps: Any) -> Any:
    positives, negatives = tps[0] + fns[0], tns[0] + fps[0]
    if positives == 0 or negatives == 0:
        return None  # scikit-learn warns
    return (tps / positives + tns / negatives) / 2


_COUNTED: dict[str, _Counts] = {
    "accuracy_score": lambda tns, fps, fns, tps: tps + tns,
    "zero_one_loss": lambda tns, fps, fns, tps: fps + fns,
}
_DIVIDED = {
    "precision_score": _precision,
    "recall_score": _recall,
    "f1_score": _fbeta,
    "fbeta_score": _fbeta,
    "jaccard_score": _jaccard,
}
_PLAIN: dict[str, _Counts] = {
    "accuracy_score": _accuracy,
    "zero_one_loss": _error,
    "hamming_loss": _error,
    "matthews_corrcoef": _matthews,
    "balanced_accuracy_score": _balanced,
    "roc_auc_score": _balanced,  # of predictions that are 0 or 1, the same
}
