"""Errors of real-valued predictions."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from mlestar._arrays import as_array, as_flat
from mlestar._calls import answered, decline, metric_warning
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
    result = None if errors is None else combine(errors, multioutput, y_true, y_pred)
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
        result = combine(roots, multioutput, y_true, y_pred)
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
    result = None if errors is None else combine(errors, multioutput, y_true, y_pred)
    if result is None:
        return decline("mean_absolute_error")(
            y_true, y_pred, sample_weight=sample_weight, multioutput=multioutput
        )
    answered("mean_absolute_error")
    return result


def mean_squared_log_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean of the squared differences of log(1 + value).

    Drop-in for `sklearn.metrics.mean_squared_log_error`; parameters, returns and errors as in
    `mean_squared_error`, and ValueError for values of -1 or below.

    Examples
    --------
    >>> from mlestar.metrics import mean_squared_log_error
    >>> round(mean_squared_log_error([3, 5, 2.5, 7], [2.5, 5, 4, 8]), 6)
    0.03973
    """
    errors = host_errors(_core.metrics.mean_squared_log_error, y_true, y_pred, sample_weight)
    result = None if errors is None else combine(errors, multioutput, y_true, y_pred)
    if result is None:
        return decline("mean_squared_log_error")(
            y_true, y_pred, sample_weight=sample_weight, multioutput=multioutput
        )
    answered("mean_squared_log_error")
    return result


def root_mean_squared_log_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Square root of the mean squared log error, per output before they are averaged.

    Drop-in for `sklearn.metrics.root_mean_squared_log_error`; parameters, returns and errors as in
    `mean_squared_log_error`.

    Examples
    --------
    >>> from mlestar.metrics import root_mean_squared_log_error
    >>> round(root_mean_squared_log_error([3, 5, 2.5, 7], [2.5, 5, 4, 8]), 6)
    0.199324
    """
    errors = host_errors(_core.metrics.mean_squared_log_error, y_true, y_pred, sample_weight)
    result = None
    if errors is not None and np.min(errors) >= 0:
        roots = math.sqrt(errors) if isinstance(errors, float) else np.sqrt(errors)
        result = combine(roots, multioutput, y_true, y_pred)
    if result is None:
        return decline("root_mean_squared_log_error")(
            y_true, y_pred, sample_weight=sample_weight, multioutput=multioutput
        )
    answered("root_mean_squared_log_error")
    return result


def mean_absolute_percentage_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Mean of the absolute errors as fractions of the true values.

    Drop-in for `sklearn.metrics.mean_absolute_percentage_error`; parameters, returns and errors as
    in `mean_squared_error`. A true value of zero counts as 2.2e-16, so its error is enormous.

    Examples
    --------
    >>> from mlestar.metrics import mean_absolute_percentage_error
    >>> round(mean_absolute_percentage_error([3, -0.5, 2, 7], [2.5, 0.0, 2, 8]), 6)
    0.327381
    """
    function = _core.metrics.mean_absolute_percentage_error
    errors = host_errors(function, y_true, y_pred, sample_weight)
    result = None if errors is None else combine(errors, multioutput, y_true, y_pred)
    if result is None:
        return decline("mean_absolute_percentage_error")(
            y_true, y_pred, sample_weight=sample_weight, multioutput=multioutput
        )
    answered("mean_absolute_percentage_error")
    if np.max(result) > 1e3 and (as_array(y_true) == 0).any():
        metric_warning(
            "y_true holds zeros, whose relative error is their error over 2.2e-16; the mean says "
            "nothing about the other rows."
        )
    return result


def median_absolute_error(
    y_true: Any, y_pred: Any, *, multioutput: Any = "uniform_average", sample_weight: Any = None
) -> Any:
    """Median of the absolute errors; selected in one pass over the data, not sorted.

    Drop-in for `sklearn.metrics.median_absolute_error`; parameters, returns and errors as in
    `mean_squared_error`.

    Examples
    --------
    >>> from mlestar.metrics import median_absolute_error
    >>> median_absolute_error([3, -0.5, 2, 7], [2.5, 0.0, 2, 8])
    0.5
    """
    t, p = as_flat(y_true), as_flat(y_pred)
    w = None if sample_weight is None else as_array(sample_weight)
    result = None
    if t is not None and p is not None and (sample_weight is None or w is not None):
        errors = quantiles(t, p, w, 0.5)
        result = None if errors is None else combine(errors, multioutput, y_true, y_pred)
    if result is None:
        return decline("median_absolute_error")(
            y_true, y_pred, multioutput=multioutput, sample_weight=sample_weight
        )
    answered("median_absolute_error")
    return result


def max_error(y_true: Any, y_pred: Any) -> float:
    """Largest absolute error.

    Drop-in for `sklearn.metrics.max_error`.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Finite numbers of any width and layout, read in place.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As scikit-learn: shapes that differ, several outputs, NaN or infinity.

    Examples
    --------
    >>> from mlestar.metrics import max_error
    >>> max_error([3, 2, 7, 1], [4, 2, 7, 1])
    1.0
    """
    result = _core.metrics.max_error(as_array(y_true), as_array(y_pred))
    if result is None:
        fallback: float = decline("max_error")(y_true, y_pred)
        return fallback
    answered("max_error")
    return result


def explained_variance_score(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    multioutput: Any = "uniform_average",
    force_finite: bool = True,
) -> Any:
    """One minus the variance of the errors over the variance of the true values.

    Drop-in for `sklearn.metrics.explained_variance_score`; parameters, returns and errors as in
    `r2_score`, from which it differs by not counting a constant error.

    Examples
    --------
    >>> from mlestar.metrics import explained_variance_score
    >>> round(explained_variance_score([3, -0.5, 2, 7], [2.5, 0.0, 2, 8]), 6)
    0.957173
    """
    result = None
    if isinstance(force_finite, bool) and multioutput is not None:
        sums = host_errors(_core.metrics.explained_variance, y_true, y_pred, sample_weight)
        if sums is not None:
            result = explained_fraction(sums[0], sums[1], multioutput, force_finite, y_true, y_pred)
    if result is None:
        return decline("explained_variance_score")(
            y_true,
            y_pred,
            sample_weight=sample_weight,
            multioutput=multioutput,
            force_finite=force_finite,
        )
    answered("explained_variance_score")
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
    rows = _rows(y_true, t)
    if rows > 0 and isinstance(force_finite, bool):
        sums = _errors(_core.metrics.explained, y_true, y_pred, sample_weight, t, p)
        if sums is not None and rows < 2 and not _is_named(multioutput):
            sums = None  # how weights must be is scikit-learn's to say
        if sums is not None and rows < 2:
            from sklearn.exceptions import UndefinedMetricWarning

            answered("r2_score")
            warnings.warn(
                "R^2 score is not well-defined with less than two samples.",
                UndefinedMetricWarning,
                stacklevel=2,
            )
            return float("nan")
        if sums is not None:
            residual, total, *_ = sums
            result = explained_fraction(residual, total, multioutput, force_finite, y_true, y_pred)
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


def _is_named(multioutput: Any) -> bool:
    names = ("raw_values", "uniform_average", "variance_weighted")
    return multioutput is None or (isinstance(multioutput, str) and multioutput in names)


def host_errors(function: Any, y_true: Any, y_pred: Any, sample_weight: Any, *more: Any) -> Any:
    """What the core says of arrays in the host's memory; None to decline."""
    w = None if sample_weight is None else as_array(sample_weight)
    if sample_weight is not None and w is None:
        return None
    return function(as_array(y_true), as_array(y_pred), w, *more)


def quantiles(t: Any, p: Any, w: Any, fraction: float) -> Any:
    """A quantile of each output, of `t` or of |t - p|; None to decline."""
    if t.ndim == 1:
        return _core.metrics.quantile(t, p, w, fraction)
    if t.ndim != 2 or (p is not None and p.shape != t.shape):
        return None
    found = [
        _core.metrics.quantile(t[:, k], None if p is None else p[:, k], w, fraction)
        for k in range(t.shape[1])
    ]
    if not found or None in found:
        return None
    return found[0] if len(found) == 1 else np.array(found)


def _rows(y_true: Any, t: Any) -> int:
    if t is None:
        return len(y_true) if on_device(y_true) else 0
    return t.shape[0] if t.ndim else 0


def combine(values: Any, multioutput: Any, y_true: Any, y_pred: Any) -> Any:
    """One number of several outputs' values; None where `multioutput` is not what it must be."""
    if isinstance(multioutput, str):
        if multioutput == "uniform_average":
            return values if isinstance(values, float) else float(np.average(values))
        if multioutput == "raw_values":
            # NumPy's, CuPy's and PyTorch's dtypes have one way to be asked for their name. Of the
            # real ones the wider counts, as in scikit-learn.
            names = [str(getattr(y, "dtype", "float64")) for y in (y_true, y_pred)]
            real = [name for name in names if "float" in name]
            single = bool(real) and all(name.endswith("float32") for name in real)
            return np.atleast_1d(values).astype(np.float32 if single else np.float64, copy=False)
        return None
    weights = as_array(multioutput)
    if weights is None or isinstance(values, float) or weights.shape != values.shape:
        return None
    if weights.dtype.kind not in "biuf" or not np.isfinite(weights).all():
        return None
    return float(np.average(values, weights=weights))


def explained_fraction(
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
    return combine(scores if scores.size > 1 else float(scores[0]), multioutput, y_true, y_pred)
