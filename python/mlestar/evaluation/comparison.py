"""Scores of folds compared: intervals and paired tests that know that folds overlap.

Tests on the predictions of two models stand in `paired`, of many models on many data sets in
`many`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlestar.evaluation.paired import PairedTestResult
from mlestar.metrics._intervals import ConfidenceInterval, check_level, error_over_folds


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
    return error_over_folds(values, test_fraction / (1.0 - test_fraction))


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


def corrected_resampled_t_test(
    first: Sequence[float],
    second: Sequence[float],
    *,
    test_fraction: float | None = None,
    confidence_level: float = 0.95,
) -> PairedTestResult:
    """Paired t-test of two models' scores on the same splits, which share training rows.

    The plain t-test takes the splits for independent and rejects far too often; here the variance
    is that of Nadeau and Bengio.

    Parameters
    ----------
    first, second : sequence of float
        Scores of the models, split by split: cross-validation, repeated or not, or random splits.
    test_fraction : float, default=None
        Share of the rows that a split tests on; by default one over the number of scores, as in
        one k-fold cross-validation. Ten times ten-fold has 100 scores and a share of 0.1.
    confidence_level : float, default=0.95
        Level of the interval of the difference.

    Returns
    -------
    PairedTestResult
        `statistic` is Student's t, `difference` the mean of (first - second).

    Raises
    ------
    ValueError
        For fewer than two scores, not as many of both, a score that is not finite, or a fraction
        that does not lie between 0 and 1.

    Notes
    -----
    Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52, 2003.

    Examples
    --------
    >>> from mlestar.evaluation import corrected_resampled_t_test
    >>> result = corrected_resampled_t_test([0.9, 0.8, 0.85, 0.9], [0.8, 0.75, 0.75, 0.8])
    >>> round(result.statistic, 3), round(result.p_value, 4)
    (4.583, 0.0195)
    """
    from scipy.stats import t

    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or len(a) < 2:
        raise ValueError(
            f"first and second have shapes {a.shape} and {b.shape}, but must be the scores of the "
            "same splits, at least 2"
        )
    if not np.isfinite(a).all() or not np.isfinite(b).all():
        raise ValueError("first or second holds NaN or infinity, but scores must be finite")
    check_level("confidence_level", confidence_level)
    fraction = 1.0 / len(a) if test_fraction is None else test_fraction
    check_level("test_fraction", fraction)
    difference = float(np.mean(a - b))
    error = _corrected_error((a - b).tolist(), fraction)
    if error == 0.0:
        statistic = math.copysign(math.inf, difference) if difference else 0.0
    else:
        statistic = difference / error
    reach = float(t.ppf(0.5 + confidence_level / 2, len(a) - 1)) * error
    return PairedTestResult(
        "corrected resampled t-test",
        statistic,
        2.0 * float(t.sf(abs(statistic), len(a) - 1)),
        float(np.mean(a)),
        float(np.mean(b)),
        difference,
        ConfidenceInterval(difference - reach, difference + reach),
        float(confidence_level),
    )


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
