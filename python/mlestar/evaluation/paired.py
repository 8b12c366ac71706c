"""Tests of two models on the same rows: McNemar, DeLong, paired bootstrap, permutation."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlestar.exceptions import MetricWarning
from mlestar.metrics._choose import form_of
from mlestar.metrics._design import design_of
from mlestar.metrics._intervals import (
    ConfidenceInterval,
    check_level,
    check_method,
    check_resampling,
    interval_of,
)
from mlestar.metrics.resampling import delong_placements, delong_variance


@dataclass(frozen=True)
class PairedTestResult:
    """What a paired test of two models found.

    Attributes
    ----------
    test : str
        Its name.
    statistic : float
    p_value : float
        Of no difference between the models.
    first, second : float
        The metric of each model.
    difference : float
        first - second.
    confidence_interval : ConfidenceInterval or None
        Of the difference, where the test has one.
    confidence_level : float
    """

    test: str
    statistic: float
    p_value: float
    first: float
    second: float
    difference: float
    confidence_interval: ConfidenceInterval | None = None
    confidence_level: float = 0.95

    def __str__(self) -> str:
        interval = ""
        if self.confidence_interval is not None:
            low, high = self.confidence_interval
            interval = f" ({self.confidence_level:.0%} interval {low:.4g} to {high:.4g})"
        return (
            f"The first model has {self.first:.5g}, the second {self.second:.5g}: a difference of "
            f"{self.difference:.4g}{interval}, p = {self.p_value:.3g} by the {self.test}."
        )


def mcnemar_test(
    y_true: Any,
    y_pred_a: Any,
    y_pred_b: Any,
    *,
    exact: bool = True,
    correction: bool = True,
    confidence_level: float = 0.95,
) -> PairedTestResult:
    """McNemar's test: do two classifiers err equally often on the same rows?

    Parameters
    ----------
    y_true, y_pred_a, y_pred_b : array-like of shape (n_samples,)
        Labels: true, by the first model, by the second.
    exact : bool, default=True
        The binomial test of the rows that one model alone has right; else chi-square with one
        degree of freedom, for 25 such rows and more.
    correction : bool, default=True
        Edwards' continuity correction of chi-square.
    confidence_level : float, default=0.95
        Level of the interval (Wald's, for paired shares) of the difference in accuracy.

    Returns
    -------
    PairedTestResult
        `statistic` is chi-square, or where exact the lesser count of rows that one model alone has
        right; `first` and `second` are accuracies.

    Raises
    ------
    ValueError
        For lengths that differ and no rows.

    Notes
    -----
    McNemar, "Note on the sampling error of the difference between correlated proportions",
    Psychometrika 12, 1947; for classifiers Dietterich, "Approximate statistical tests for comparing
    supervised classification learning algorithms", Neural Computation 10, 1998; the interval as in
    Agresti, "Categorical data analysis", 2002, 10.1.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.evaluation import mcnemar_test
    >>> truth = np.ones(100, dtype=int)
    >>> a, b = truth.copy(), truth.copy()
    >>> a[:5], b[5:20] = 0, 0
    >>> print(mcnemar_test(truth, a, b))
    The first model has 0.95, the second 0.85: ..., p = 0.0414 by the exact McNemar test.
    """
    check_level("confidence_level", confidence_level)
    truth, a, b = (np.asarray(values) for values in (y_true, y_pred_a, y_pred_b))
    if truth.ndim != 1 or not truth.size or a.shape != truth.shape or b.shape != truth.shape:
        raise ValueError(
            f"y_true, y_pred_a and y_pred_b have shapes {truth.shape}, {a.shape} and {b.shape}, "
            "but must have one axis of the same length, at least 1"
        )
    from scipy.stats import binom, chi2, norm

    right_a, right_b = a == truth, b == truth
    only_a, only_b = int((right_a & ~right_b).sum()), int((~right_a & right_b).sum())
    apart, rows = only_a + only_b, len(truth)
    if exact:
        statistic = float(min(only_a, only_b))
        p_value = min(1.0, 2.0 * float(binom.cdf(statistic, apart, 0.5))) if apart else 1.0
    else:
        gap = max(0.0, abs(only_a - only_b) - (1.0 if correction else 0.0))
        statistic = gap * gap / apart if apart else 0.0
        p_value = float(chi2.sf(statistic, 1))
    difference = (only_a - only_b) / rows
    error = math.sqrt(max(0.0, apart / rows - difference**2) / rows)
    reach = float(norm.ppf(0.5 + confidence_level / 2)) * error
    return PairedTestResult(
        "exact McNemar test" if exact else "McNemar test",
        statistic,
        p_value,
        float(right_a.mean()),
        float(right_b.mean()),
        difference,
        ConfidenceInterval(difference - reach, difference + reach),
        float(confidence_level),
    )


def delong_test(
    y_true: Any, y_score_a: Any, y_score_b: Any, *, confidence_level: float = 0.95
) -> PairedTestResult:
    """DeLong's test: do two models have the same area under the ROC curve?

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels, two of them; the greater is the positive one.
    y_score_a, y_score_b : array-like of shape (n_samples,)
        Scores of the models on the same rows; only their order counts.
    confidence_level : float, default=0.95
        Level of the interval of the difference.

    Returns
    -------
    PairedTestResult
        `statistic` is z.

    Raises
    ------
    ValueError
        As `mlestar.metrics.roc_auc_interval`.

    Warns
    -----
    MetricWarning
        Where the variance of the difference is zero though the areas differ.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988, in O(n log n) as Sun and Xu, IEEE Signal
    Processing Letters 21, 2014. Not for nested models, one of which was fitted to extend the other
    on the same rows.

    Examples
    --------
    >>> from mlestar.evaluation import delong_test
    >>> truth = [0, 0, 0, 1, 1, 1]
    >>> print(delong_test(truth, [0.1, 0.4, 0.35, 0.8, 0.3, 0.7], [0.2, 0.5, 0.6, 0.4, 0.3, 0.7]))
    The first model has 0.77778, the second 0.55556: ..., p = 0.371 by the DeLong test.
    """
    check_level("confidence_level", confidence_level)
    from scipy.stats import norm

    areas, of_hits, of_misses = delong_placements(y_true, [y_score_a, y_score_b])
    first, second = areas.tolist()
    difference = first - second
    error = math.sqrt(delong_variance(of_hits[0] - of_hits[1], of_misses[0] - of_misses[1]))
    if error > 0.0:
        statistic = difference / error
    else:
        statistic = math.copysign(math.inf, difference) if difference else 0.0
        if difference:
            warnings.warn(
                "DeLong's variance of the difference is zero though the areas differ: the p-value "
                "of 0 says nothing of other samples",
                MetricWarning,
                stacklevel=2,
            )
    reach = float(norm.ppf(0.5 + confidence_level / 2)) * error
    return PairedTestResult(
        "DeLong test",
        statistic,
        2.0 * float(norm.sf(abs(statistic))),
        first,
        second,
        difference,
        ConfidenceInterval(difference - reach, difference + reach),
        float(confidence_level),
    )


def paired_bootstrap_test(
    metric: str | Callable[..., Any],
    y_true: Any,
    y_pred_a: Any,
    y_pred_b: Any,
    *,
    n_resamples: int = 2000,
    confidence_level: float = 0.95,
    method: str = "percentile",
    stratify: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    random_state: Any = None,
    **options: Any,
) -> PairedTestResult:
    """Interval and test of the difference of a metric: both models on the same resamples.

    Parameters
    ----------
    metric, y_true, n_resamples, confidence_level, method, stratify, groups, sample_weight,\
 random_state, **options
        As of `mlestar.metrics.bootstrap`.
    y_pred_a, y_pred_b : array-like of shape (n_samples,) or (n_samples, n_classes)
        What the metric takes, of each model on the same rows.

    Returns
    -------
    PairedTestResult
        `statistic` is the difference; the p-value is twice the share of resamples whose difference
        has the other sign or none, the sample itself counted.

    Raises
    ------
    ValueError
        As `mlestar.metrics.bootstrap`.

    Warns
    -----
    MetricWarning
        As `mlestar.metrics.bootstrap`.

    Notes
    -----
    Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapters 14 and 15.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.evaluation import paired_bootstrap_test
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 500)
    >>> good, bad = y + rng.normal(size=500), y + 3 * rng.normal(size=500)
    >>> paired_bootstrap_test("roc_auc", y, good, bad, random_state=0).p_value < 0.01
    True
    """
    check_resampling(n_resamples, confidence_level)
    kind = check_method(method)
    form = form_of(metric, y_true, [y_pred_a, y_pred_b], sample_weight, options)
    design = design_of(form.y_true, stratify, groups, random_state)
    first, second = form.estimate().tolist()
    values = form.resample(design, int(n_resamples))
    differences = values[:, 0] - values[:, 1]

    def leave_out() -> Any:
        left = form.leave_out(design)
        return left._replace(values=left.values[:, 0] - left.values[:, 1])

    interval = interval_of(
        differences, first - second, float(confidence_level), kind, leave_out, stacklevel=2
    )
    defined = differences[~np.isnan(differences)]
    other = min((defined <= 0).sum(), (defined >= 0).sum())
    p_value = min(1.0, 2.0 * (1 + float(other)) / (1 + len(defined))) if len(defined) else math.nan
    return PairedTestResult(
        "paired bootstrap test",
        first - second,
        p_value,
        first,
        second,
        first - second,
        interval,
        float(confidence_level),
    )


def permutation_test(
    metric: str | Callable[..., Any],
    y_true: Any,
    y_pred_a: Any,
    y_pred_b: Any,
    *,
    n_resamples: int = 9999,
    alternative: str = "two-sided",
    groups: Any = None,
    sample_weight: Any = None,
    random_state: Any = None,
    **options: Any,
) -> PairedTestResult:
    """Paired permutation test of any metric: the models' predictions trade places row by row.

    If it makes no difference which model a prediction is of, the difference of the metric is one
    like any other that comes of swapping the two predictions of each row by the toss of a coin.

    Parameters
    ----------
    metric, y_true, sample_weight, random_state, **options
        As of `mlestar.metrics.bootstrap`.
    y_pred_a, y_pred_b : array-like of shape (n_samples,) or (n_samples, n_classes)
        What the metric takes, of each model on the same rows. For ROC AUC and average precision of
        two classes, scores are replaced by their ranks among each model's, so that models of
        different scales can be compared (Venkatraman and Begg 1996).
    n_resamples : int, default=9999
        Permutations, drawn at random.
    alternative : {"two-sided", "greater", "less"}, default="two-sided"
        "greater": the first model's metric is the greater one.
    groups : array-like of shape (n_samples,), default=None
        Groups of rows (of one patient, say), which are swapped as a whole.

    Returns
    -------
    PairedTestResult
        `statistic` is the difference. The p-value counts the sample itself, so it is at least
        1 / (n_resamples + 1).

    Raises
    ------
    ValueError
        As `mlestar.metrics.bootstrap`, and for an unknown alternative.

    Warns
    -----
    MetricWarning
        Where the metric is undefined on some permutations.

    Notes
    -----
    Noreen, "Computer-intensive methods for testing hypotheses", 1989 (approximate randomization);
    Venkatraman and Begg, "A distribution-free procedure for comparing receiver operating
    characteristic curves from a paired experiment", Biometrika 83, 1996.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.evaluation import permutation_test
    >>> rng = np.random.default_rng(0)
    >>> y = rng.normal(size=200)
    >>> near, far = y + rng.normal(size=200), y + 2 * rng.normal(size=200)
    >>> permutation_test("rmse", y, near, far, random_state=0).p_value
    0.0001
    """
    check_resampling(n_resamples, 0.95)
    if alternative not in ("two-sided", "greater", "less"):
        raise ValueError(
            f"alternative is {alternative!r}, but must be 'two-sided', 'greater' or 'less'"
        )
    form = form_of(metric, y_true, [y_pred_a, y_pred_b], sample_weight, options)
    design = design_of(form.y_true, None, groups, random_state)
    if form.answers[0].shape != form.answers[1].shape:
        raise ValueError(
            f"y_pred_a and y_pred_b have shapes {form.answers[0].shape} and "
            f"{form.answers[1].shape}, but must have the same"
        )
    first, second = form.estimate().tolist()
    values = form.swap(design, int(n_resamples))
    differences = values[:, 0] - values[:, 1]
    defined = differences[~np.isnan(differences)]
    if len(defined) < len(differences):
        warnings.warn(
            f"the metric is undefined on {len(differences) - len(defined)} of {len(differences)} "
            "permutations, which the p-value leaves out",
            MetricWarning,
            stacklevel=2,
        )
    difference = first - second
    # As great as the sample's, but for the rounding of sums in another order.
    slack = 1e-12 * max(abs(first), abs(second))
    if alternative == "two-sided":
        as_great = np.abs(defined) >= abs(difference) - slack
    elif alternative == "greater":
        as_great = defined >= difference - slack
    else:
        as_great = defined <= difference + slack
    p_value = (1 + int(as_great.sum())) / (1 + len(defined))
    return PairedTestResult("permutation test", difference, p_value, first, second, difference)
