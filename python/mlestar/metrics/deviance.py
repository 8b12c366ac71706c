"""Deviances of generalized linear models, the pinball loss, and the fractions they explain (D²)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from mlestar._arrays import as_array
from mlestar._calls import answered, decline
from mlestar._native import _core
from mlestar.metrics._sets import is_real
from mlestar.metrics.regression import combine, explained_fraction, host_errors, quantiles


def mean_pinball_loss(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    alpha: float = 0.5,
    multioutput: Any = "uniform_average",
) -> Any:
    """Mean of the pinball loss, which the quantile `alpha` minimizes.

    Drop-in for `sklearn.metrics.mean_pinball_loss` (Koenker and Bassett 1978).

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Finite numbers of any width and layout, read in place.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    alpha : float, default=0.5
        Quantile in [0, 1]; 0.5 gives half the mean absolute error.
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (n_outputs,)
        How the outputs' losses become one.

    Returns
    -------
    float or ndarray of shape (n_outputs,)

    Raises
    ------
    ValueError
        As scikit-learn: shapes that differ, NaN or infinity, `alpha` outside [0, 1].

    Examples
    --------
    >>> from mlestar.metrics import mean_pinball_loss
    >>> mean_pinball_loss([1, 2, 3], [0, 2, 3], alpha=0.75)
    0.25
    """
    errors = result = None
    if _is_fraction(alpha):
        function = _core.metrics.mean_pinball_loss
        errors = host_errors(function, y_true, y_pred, sample_weight, float(alpha))
    if errors is not None:
        result = combine(errors, multioutput, y_true, y_pred)
    if result is None:
        return decline("mean_pinball_loss")(
            y_true, y_pred, sample_weight=sample_weight, alpha=alpha, multioutput=multioutput
        )
    answered("mean_pinball_loss")
    return result


def mean_tweedie_deviance(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, power: float = 0
) -> float:
    """Mean deviance of a Tweedie distribution.

    Drop-in for `sklearn.metrics.mean_tweedie_deviance` (Jorgensen 1987).

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Finite numbers; which signs are allowed depends on `power`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    power : float, default=0
        At most 0 or at least 1. 0: normal, 1: Poisson, between 1 and 2: compound Poisson, 2: gamma,
        3: inverse Gaussian.

    Returns
    -------
    float
        >= 0.

    Raises
    ------
    ValueError
        As scikit-learn: shapes that differ, several outputs, NaN or infinity, values of a sign that
        the distribution does not have.

    Examples
    --------
    >>> from mlestar.metrics import mean_tweedie_deviance
    >>> round(mean_tweedie_deviance([2, 0, 1, 4], [0.5, 0.5, 2.0, 2.0], power=1), 6)
    1.426015
    """
    result = _deviance(y_true, y_pred, sample_weight, power)
    if result is None:
        fallback: float = decline("mean_tweedie_deviance")(
            y_true, y_pred, sample_weight=sample_weight, power=power
        )
        return fallback
    answered("mean_tweedie_deviance")
    return result


def mean_poisson_deviance(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Mean deviance of a Poisson distribution.

    Drop-in for `sklearn.metrics.mean_poisson_deviance`; as `mean_tweedie_deviance` with power 1:
    `y_true` must not be negative and `y_pred` must be positive.

    Examples
    --------
    >>> from mlestar.metrics import mean_poisson_deviance
    >>> round(mean_poisson_deviance([2, 0, 1, 4], [0.5, 0.5, 2.0, 2.0]), 6)
    1.426015
    """
    result = _deviance(y_true, y_pred, sample_weight, 1)
    if result is None:
        fallback: float = decline("mean_poisson_deviance")(
            y_true, y_pred, sample_weight=sample_weight
        )
        return fallback
    answered("mean_poisson_deviance")
    return result


def mean_gamma_deviance(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Mean deviance of a gamma distribution.

    Drop-in for `sklearn.metrics.mean_gamma_deviance`; as `mean_tweedie_deviance` with power 2: all
    values must be positive.

    Examples
    --------
    >>> from mlestar.metrics import mean_gamma_deviance
    >>> round(mean_gamma_deviance([2, 0.5, 1, 4], [0.5, 0.5, 2.0, 2.0]), 6)
    1.056853
    """
    result = _deviance(y_true, y_pred, sample_weight, 2)
    if result is None:
        fallback: float = decline("mean_gamma_deviance")(
            y_true, y_pred, sample_weight=sample_weight
        )
        return fallback
    answered("mean_gamma_deviance")
    return result


def d2_tweedie_score(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, power: float = 0
) -> float:
    """Fraction of the Tweedie deviance that is explained: R² for other distributions.

    Drop-in for `sklearn.metrics.d2_tweedie_score`; parameters and errors as in
    `mean_tweedie_deviance`.

    Returns
    -------
    float
        At most 1; 0 for a constant prediction of the mean.

    Warns
    -----
    UndefinedMetricWarning
        With fewer than two samples; the result is NaN.

    Examples
    --------
    >>> from mlestar.metrics import d2_tweedie_score
    >>> round(d2_tweedie_score([0.5, 1, 2.5, 7], [1, 1, 5, 3.5], power=1), 6)
    0.487915
    """
    numerator = None
    t = as_array(y_true)
    if t is not None and t.ndim and len(t) > 1:
        numerator = _deviance(t, y_pred, sample_weight, power)
    if numerator is not None:
        w = None if sample_weight is None else as_array(sample_weight)
        denominator = _core.metrics.tweedie_of_mean(t.reshape(-1), w, float(power))
        if denominator:  # scikit-learn divides by zero in its own words
            answered("d2_tweedie_score")
            return 1 - numerator / denominator
    fallback: float = decline("d2_tweedie_score")(
        y_true, y_pred, sample_weight=sample_weight, power=power
    )
    return fallback


def d2_pinball_score(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    alpha: float = 0.5,
    multioutput: Any = "uniform_average",
) -> Any:
    """Fraction of the pinball loss of the constant quantile that is explained.

    Drop-in for `sklearn.metrics.d2_pinball_score` (Koenker and Machado 1999); parameters and errors
    as in `mean_pinball_loss`.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        At most 1.

    Warns
    -----
    UndefinedMetricWarning
        With fewer than two samples; the result is NaN.

    Examples
    --------
    >>> from mlestar.metrics import d2_pinball_score
    >>> d2_pinball_score([1, 2, 3], [1, 3, 3])
    0.5
    """
    result = _d2_pinball(y_true, y_pred, sample_weight, alpha, multioutput)
    if result is None:
        return decline("d2_pinball_score")(
            y_true, y_pred, sample_weight=sample_weight, alpha=alpha, multioutput=multioutput
        )
    answered("d2_pinball_score")
    return result


def d2_absolute_error_score(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Fraction of the absolute error of the constant median that is explained.

    Drop-in for `sklearn.metrics.d2_absolute_error_score`; as `d2_pinball_score` with alpha 0.5.

    Examples
    --------
    >>> from mlestar.metrics import d2_absolute_error_score
    >>> round(d2_absolute_error_score([3, -0.5, 2, 7], [2.5, 0.0, 2, 8]), 6)
    0.764706
    """
    result = _d2_pinball(y_true, y_pred, sample_weight, 0.5, multioutput)
    if result is None:
        return decline("d2_absolute_error_score")(
            y_true, y_pred, sample_weight=sample_weight, multioutput=multioutput
        )
    answered("d2_absolute_error_score")
    return result


def _is_fraction(alpha: Any) -> bool:
    return is_real(alpha) and 0 <= float(alpha) <= 1


def _deviance(y_true: Any, y_pred: Any, sample_weight: Any, power: Any) -> float | None:
    """The mean deviance of a single output; None to decline."""
    if not is_real(power):
        return None
    degree = float(power)
    if not (degree <= 0 or degree >= 1) or abs(degree) > 100:
        return None
    function = _core.metrics.mean_tweedie_deviance
    result = host_errors(function, y_true, y_pred, sample_weight, degree)
    return result if isinstance(result, float) else None


def _d2_pinball(
    y_true: Any, y_pred: Any, sample_weight: Any, alpha: Any, multioutput: Any
) -> Any | None:
    if not _is_fraction(alpha):
        return None
    t = as_array(y_true)
    if t is None or t.ndim == 0 or len(t) == 0:
        return None
    function = _core.metrics.mean_pinball_loss
    numerator = host_errors(function, t, y_pred, sample_weight, float(alpha))
    if numerator is None:
        return None
    if len(t) < 2:
        if not (isinstance(multioutput, str) and multioutput in ("raw_values", "uniform_average")):
            return None
        from sklearn.exceptions import UndefinedMetricWarning

        warnings.warn(
            "D^2 score is not well-defined with less than two samples.",
            UndefinedMetricWarning,
            stacklevel=3,
        )
        return float("nan")
    w = None if sample_weight is None else as_array(sample_weight)
    level = quantiles(t, None, w, float(alpha))
    if level is None:
        return None
    constant = np.broadcast_to(np.asarray(level, dtype=np.float64), t.shape)
    denominator = host_errors(function, t, constant, sample_weight, float(alpha))
    if denominator is None or multioutput is None:
        return None
    if isinstance(multioutput, str) and multioutput == "variance_weighted":
        return None
    return explained_fraction(numerator, denominator, multioutput, True, y_true, y_pred)
