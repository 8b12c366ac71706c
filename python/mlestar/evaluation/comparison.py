"""Scores of folds compared: intervals and paired tests that know that folds overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """A paired comparison of two models on the same folds.

    Attributes
    ----------
    difference : float
        Mean of (first - second).
    ci_low, ci_high : float
        Interval of the difference.
    p_value : float
        Two-sided, of no difference.
    """

    difference: float
    ci_low: float
    ci_high: float
    p_value: float


def _corrected_error(values: Sequence[float], test_fraction: float) -> float:
    """Standard error of a mean over cross-validation folds, whose training sets overlap.

    The variance is scaled by 1/k + n_test/n_train instead of 1/k (Nadeau and Bengio, "Inference for
    the generalization error", Machine Learning 52, 2003).
    """
    k = len(values)
    scale = 1.0 / k + test_fraction / (1.0 - test_fraction)
    return math.sqrt(scale * float(np.var(values, ddof=1)))


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean of fold scores and its confidence interval.

    Parameters
    ----------
    values : sequence of float
        One score a fold; NaN where there is none makes everything NaN.
    confidence : float, default=0.95

    Returns
    -------
    mean, low, high : float
        Student's t with the variance of Nadeau and Bengio (2003).

    Examples
    --------
    >>> from mlestar.evaluation import mean_interval
    >>> [round(value, 3) for value in mean_interval([0.8, 0.9, 0.85, 0.8, 0.9])]
    [0.85, 0.757, 0.943]
    """
    from scipy.stats import t

    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, math.nan, math.nan
    reach = float(t.ppf(0.5 + confidence / 2, len(values) - 1))
    reach *= _corrected_error(values, 1.0 / len(values))
    return mean, mean - reach, mean + reach


class ModelComparator:
    """Compares models by their scores on the same folds.

    Parameters
    ----------
    confidence : float, default=0.95
        Level of the intervals.

    Examples
    --------
    >>> from mlestar import ModelComparator
    >>> result = ModelComparator().compare([0.9, 0.8, 0.85], [0.8, 0.71, 0.75])
    >>> round(result.difference, 4), result.p_value < 0.05
    (0.0967, True)
    """

    def __init__(self, confidence: float = 0.95) -> None:
        self.confidence = confidence

    def compare(self, first: Sequence[float], second: Sequence[float]) -> Comparison:
        """Paired differences of fold scores, with the corrected resampled t-test.

        Raises
        ------
        ValueError
            If the folds are fewer than two or not as many.
        """
        from scipy.stats import t

        if len(first) != len(second) or len(first) < 2:
            raise ValueError(
                f"scores of {len(first)} and {len(second)} folds, but both must have the same "
                "number, at least 2"
            )
        differences = [a - b for a, b in zip(first, second, strict=True)]
        mean, low, high = mean_interval(differences, self.confidence)
        error = _corrected_error(differences, 1.0 / len(differences))
        if error == 0.0:
            return Comparison(mean, low, high, 1.0 if mean == 0.0 else 0.0)
        p_value = 2.0 * float(t.sf(abs(mean) / error, len(differences) - 1))
        return Comparison(mean, low, high, p_value)
