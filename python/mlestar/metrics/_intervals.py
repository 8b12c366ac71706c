"""Confidence intervals of a bootstrap distribution (percentile, basic, BCa); errors over folds."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from mlestar.exceptions import MetricWarning
from mlestar.metrics._forms import LeftOut

METHODS = ("percentile", "basic", "bca")


class ConfidenceInterval(NamedTuple):
    """Ends of an interval.

    Attributes
    ----------
    low, high : float
    """

    low: float
    high: float


def check_resampling(n_resamples: Any, confidence_level: Any) -> None:
    """Raise for numbers that no resampling can be made with."""
    whole = isinstance(n_resamples, Integral) and not isinstance(n_resamples, bool)
    if not whole or n_resamples < 1:
        raise ValueError(f"n_resamples is {n_resamples!r}, but must be a positive integer")
    check_level("confidence_level", confidence_level)


def check_level(name: str, value: Any) -> None:
    """Raise unless it is a number between 0 and 1."""
    if not isinstance(value, Real) or not 0 < float(value) < 1:
        raise ValueError(f"{name} is {value!r}, but must lie between 0 and 1")


def check_method(method: Any) -> str:
    """The method in lower case; ValueError for another."""
    found = method.lower() if isinstance(method, str) else method
    if found not in METHODS:
        raise ValueError(f"method is {method!r}, but must be 'percentile', 'basic' or 'BCa'")
    return str(found)


def error_over_folds(values: Any, ratio: float) -> float:
    """Standard error of a mean over folds whose training rows overlap.

    The variance is scaled by 1/k + n_test/n_train instead of 1/k (Nadeau and Bengio, "Inference for
    the generalization error", Machine Learning 52, 2003). `ratio` is n_test/n_train.
    """
    return math.sqrt((1.0 / len(values) + ratio) * float(np.var(values, ddof=1)))


def interval_of(
    distribution: Any,
    estimate: float,
    level: float,
    method: str,
    leave_out: Callable[[], LeftOut],
    stacklevel: int,
) -> ConfidenceInterval:
    """The interval, of the resamples that are defined.

    `leave_out` gives the jackknife of one value; BCa alone calls it. Warns (MetricWarning) of
    resamples that are not defined, of a distribution of one value, and where BCa has no interval.
    """

    def warn(message: str) -> None:
        warnings.warn(message, MetricWarning, stacklevel=stacklevel + 1)

    defined = distribution[~np.isnan(distribution)]
    lost = len(distribution) - len(defined)
    if lost:
        warn(
            f"the metric is undefined on {lost} of {len(distribution)} resamples (those of one "
            "class, for instance), which the interval leaves out; stratify=True draws within the "
            "classes"
        )
    if not len(defined) or math.isnan(estimate):
        return ConfidenceInterval(math.nan, math.nan)
    if defined.min() == defined.max():
        warn(
            "all resamples give the same value: the interval is that value, and says nothing of "
            "other samples"
        )
        return ConfidenceInterval(float(defined[0]), float(defined[0]))
    tail = (1 - level) / 2
    at = np.array([tail, 1 - tail])
    if method == "bca":
        at = _bca_levels(defined, estimate, at, leave_out())
        if np.isnan(at).any():
            warn(
                "BCa has no interval here: the estimate lies outside all resamples, or a value "
                "with a unit left out is undefined; method='percentile' has one"
            )
            return ConfidenceInterval(math.nan, math.nan)
    low, high = np.quantile(defined, at).tolist()
    if method == "basic":
        low, high = 2 * estimate - high, 2 * estimate - low
    return ConfidenceInterval(low, high)


def _bca_levels(defined: Any, estimate: float, at: Any, left_out: LeftOut) -> Any:
    """Corrected quantiles (Efron 1987; several strata as Efron and Tibshirani 1993, 14.5 ff.)."""
    from scipy.special import ndtr, ndtri

    below = (np.mean(defined < estimate) + np.mean(defined <= estimate)) / 2
    bias = ndtri(below)
    values, times, stratum = left_out
    if np.isnan(values).any() or not np.isfinite(bias):
        return np.full(2, np.nan)
    count = np.bincount(stratum, times)
    centre = np.bincount(stratum, times * values) / np.maximum(count, 1)
    influence = (centre[stratum] - values) * ((count - 1) / np.maximum(count, 1))[stratum]
    squares = float(np.sum(times * influence**2))
    # A metric that no unit moves has no skewness.
    acceleration = float(np.sum(times * influence**3)) / (6 * squares**1.5) if squares > 0 else 0.0
    shifted = bias + ndtri(at)
    return ndtr(bias + shifted / (1 - acceleration * shifted))
