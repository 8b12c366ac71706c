"""Errors of real-valued predictions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mlestar._arrays import as_array
from mlestar._calls import answered, decline
from mlestar._devices import device_call, on_device
from mlestar._native import _core


def mean_squared_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean of the squared errors.

    Drop-in for `sklearn.metrics.mean_squared_error`. Sums are of float64 whatever the inputs.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Finite numbers of any width and layout, read in place. With the CUDA module, arrays on one
        GPU (CUDA tensors, CuPy arrays) are read there, on their own stream.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (n_outputs,)
        How the outputs' errors become one.

    Returns
    -------
    float or ndarray of shape (n_outputs,)

    Raises
    ------
    ValueError
        As scikit-learn: shapes that differ, NaN or infinity. Also if some arrays are on a GPU and
        others are not.

    Examples
    --------
    >>> from mlestar.metrics import mean_squared_error
    >>> mean_squared_error([3, -0.5, 2, 7], [2.5, 0.0, 2, 8])
    0.375
    """
    t, p = as_array(y_true), as_array(y_pred)
    errors = _errors(_core.metrics.mean_squared_error, y_true, y_pred, sample_weight, t, p)
    result = None if errors is None else _combine(errors, multioutput, y_true, y_pred)
    if result is None:
        return decline("mean_squared_error")(
            y_true, y_pred, sample_weight=sample_weight, multioutput=multioutput
        )
    answered("mean_squared_error")
    return result


def root_mean_squared_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Square root of the mean squared error, per output before they are averaged.

    Drop-in for `sklearn.metrics.root_mean_squared_error`; parameters, returns and errors as in
    `mean_squared_error`.

    Examples
    --------
    >>> from mlestar.metrics import root_mean_squared_error
    >>> round(root_mean_squared_error([3, -0.5, 2, 7], [2.5, 0.0, 2, 8]), 6)
    0.612372
    """
    t, p = as_array(y_true), as_array(y_pred)
    errors = _errors(_core.metrics.mean_squared_error, y_true, y_pred, sample_weight, t, p)
    result = None
    if errors is not None and not (isinstance(errors, float) and errors < 0):
        with np.errstate(invalid="ignore"):
            roots = math.sqrt(errors) if isinstance(errors, float) else np.sqrt(errors)
        result = _combine(roots, multioutput, y_true, y_pred)
    if result is None:
        return decline("root_mean_squared_error")(
            y_true, y_pred, sample_weight=sample_weight, multioutput=multioutput
        )
    answered("root_mean_squared_error")
    return result


def mean_absolute_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean of the absolute errors.

    Drop-in for `sklearn.metrics.mean_absolute_error`; parameters, returns and errors as in
    `mean_squared_error`.

    Examples
    --------
    >>> from mlestar.metrics import mean_absolute_error
    >>> mean_absolute_error([3, -0.5, 2, 7], [2.5, 0.0, 2, 8])
    0.5
    """
    t, p = as_array(y_true), as_array(y_pred)
    errors = _errors(_core.metrics.mean_absolute_error, y_true, y_pred, sample_weight, t, p)
    result = None if errors is None else _combine(errors, multioutput, y_true, y_pred)
    if result is None:
        return decline("mean_absolute_error")(
            y_true, y_pred, sample_weight=sample_weight, multioutput=multioutput
        )
    answered("mean_absolute_error")
    return result


def r2_score(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    multioutput: Any = "uniform_average",
    force_finite: bool = True,
) -> Any:
    """Coefficient of determination: one minus the residual over the total sum of squares.

    Drop-in for `sklearn.metrics.r2_score`. One pass, whose sums do not cancel.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Finite numbers of any width and layout, read in place.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    multioutput : {"raw_values", "uniform_average", "variance_weighted"} or array-like, or None
        How the outputs' scores become one.
    force_finite : bool, default=True
        Whether a constant `y_true` scores 1 (perfect) or 0 instead of NaN or -inf.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        At most 1.

    Raises
    ------
    ValueError
        As scikit-learn: shapes that differ, NaN or infinity.

    Warns
    -----
    UndefinedMetricWarning
        With fewer than two samples; the result is NaN.

    Examples
    --------
    >>> from mlestar.metrics import r2_score
    >>> round(r2_score([3, -0.5, 2, 7], [2.5, 0.0, 2, 8]), 6)
    0.948608
    """
    t, p = as_array(y_true), as_array(y_pred)
    result = None
    if _rows(y_true, t) > 1 and isinstance(force_finite, bool):
        sums = _errors(_core.metrics.explained, y_true, y_pred, sample_weight, t, p)
        if sums is not None:
            residual, total = sums
            result = _explained(residual, total, multioutput, force_finite, y_true, y_pred)
    if result is None:
        return decline("r2_score")(
            y_true,
            y_pred,
            sample_weight=sample_weight,
            multioutput=multioutput,
            force_finite=force_finite,
        )
    answered("r2_score")
    return result


def _errors(function: Any, y_true: Any, y_pred: Any, sample_weight: Any, t: Any, p: Any) -> Any:
    """What the core says, or the CUDA module for arrays on a GPU; None to decline."""
    w = None if sample_weight is None else as_array(sample_weight)
    if t is None or p is None or (w is None and sample_weight is not None):
        return device_call(
            "metrics",
            function.__name__,
            y_true=y_true,
            y_pred=y_pred,
            sample_weight=sample_weight,
        )
    return function(t, p, w)


def _rows(y_true: Any, t: Any) -> int:
    if t is None:
        return len(y_true) if on_device(y_true) else 0
    return t.shape[0] if t.ndim else 0


def _combine(values: Any, multioutput: Any, y_true: Any, y_pred: Any) -> Any:
    """One number of several outputs' values; None where `multioutput` is not what it must be."""
    if isinstance(multioutput, str):
        if multioutput == "uniform_average":
            return values if isinstance(values, float) else float(np.average(values))
        if multioutput == "raw_values":
            # NumPy's, CuPy's and PyTorch's dtypes have one way to be asked for their name.
            single = all(str(getattr(y, "dtype", "")).endswith("float32") for y in (y_true, y_pred))
            return np.atleast_1d(values).astype(np.float32 if single else np.float64, copy=False)
        return None
    weights = as_array(multioutput)
    if weights is None or isinstance(values, float) or weights.shape != values.shape:
        return None
    return float(np.average(values, weights=weights))


def _explained(
    residual: Any, total: Any, multioutput: Any, force_finite: bool, y_true: Any, y_pred: Any
) -> Any:
    if isinstance(residual, float) and total > 0.0 and multioutput in ("uniform_average", None):
        return 1.0 - residual / total
    residual, total = np.atleast_1d(residual), np.atleast_1d(total)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = 1.0 - residual / total
    if force_finite:
        scores[total == 0] = np.where(residual[total == 0] == 0, 1.0, 0.0)
    if isinstance(multioutput, str) and multioutput == "variance_weighted":
        if not total.any():
            return float(np.average(scores))
        return float(np.average(scores, weights=total))
    if multioutput is None:
        multioutput = "uniform_average"
    return _combine(scores if scores.size > 1 else float(scores[0]), multioutput, y_true, y_pred)
