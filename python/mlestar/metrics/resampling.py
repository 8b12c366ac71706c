"""Intervals of a metric: the bootstrap of any, DeLong's of an area under a ROC curve."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlestar._native import _core
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


@dataclass(frozen=True)
class BootstrapResult:
    """What `bootstrap` found; the fields of `scipy.stats.bootstrap`'s result, and the estimate.

    Attributes
    ----------
    estimate : float
        The metric of the sample.
    confidence_interval : ConfidenceInterval
        A named tuple of `low` and `high`.
    bootstrap_distribution : ndarray of shape (n_resamples,)
        The metric of each resample, NaN where it is undefined.
    standard_error : float
        Standard deviation of the resamples that are defined.
    confidence_level : float
    method : str
    """

    estimate: float
    confidence_interval: ConfidenceInterval
    bootstrap_distribution: NDArray[np.float64] = field(repr=False)
    standard_error: float
    confidence_level: float = 0.95
    method: str = "percentile"

    def __str__(self) -> str:
        low, high = self.confidence_interval
        return (
            f"{self.estimate:.5g}, {self.confidence_level:.0%} interval {low:.5g} to {high:.5g} "
            f"({self.method} bootstrap, {len(self.bootstrap_distribution)} resamples)"
        )


def bootstrap(
    metric: str | Callable[..., Any],
    y_true: Any,
    y_pred: Any,
    *,
    n_resamples: int = 2000,
    confidence_level: float = 0.95,
    method: str = "percentile",
    stratify: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    random_state: Any = None,
    **options: Any,
) -> BootstrapResult:
    """Confidence interval of a metric by the bootstrap.

    Resamples are drawn in the core, on all threads, and the same for any number of them: ROC AUC
    and average precision on scores that are sorted once, functions of the confusion matrix on its
    cells, mean losses and R^2 on their sums. A function decorated by `mlestar.metrics.metric` is
    called in the core on the rows of each resample, on all threads; any other in Python.

    Parameters
    ----------
    metric : str or callable
        scikit-learn's scorer name or an alias (``"roc_auc"``, ``"f1_macro"``, ``"log_loss"``,
        ``"rmse"``; losses are given as they are, not negated), a function of `mlestar.metrics` or
        of `sklearn.metrics`, or any function(y_true, y_pred) of arrays that gives a number; it is
        called with ``sample_weight=`` too where that is given.
    y_true : array-like of shape (n_samples,)
        Labels or values.
    y_pred : array-like of shape (n_samples,) or (n_samples, n_classes)
        What the metric takes. For a metric by name, a table of class probabilities will do for any.
    n_resamples : int, default=2000
        Resamples.
    confidence_level : float, default=0.95
        Between 0 and 1.
    method : {"percentile", "basic", "BCa"}, default="percentile"
        How the interval comes of the resamples. BCa corrects for bias and skewness by a jackknife:
        of ROC AUC, tables and sums in closed form, else by a call for each unit left out, at most
        10 000.
    stratify : True or array-like of shape (n_samples,), default=None
        Strata to draw within, so that each keeps its size: True for the labels of `y_true`.
    groups : array-like of shape (n_samples,), default=None
        Groups of rows that belong together (of one patient, say): whole groups are drawn.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, which they keep in a resample.
    random_state : int, RandomState, Generator or None, default=None
        As scikit-learn takes it: an int gives the same result in every call.
    **options
        Options of the metric, such as ``average="macro"``.

    Returns
    -------
    BootstrapResult

    Raises
    ------
    ValueError
        For lengths that differ, an unknown metric or method, groups that lie in two strata, and
        what the metric itself refuses.

    Warns
    -----
    MetricWarning
        Where resamples are undefined, all the same, or BCa has no interval.

    Notes
    -----
    Efron, "Better bootstrap confidence intervals", JASA 82, 1987. The counts of a resample are
    multinomial: drawn as Poisson counts with a sum at most the size, then completed.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.metrics import bootstrap
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 500)
    >>> result = bootstrap("roc_auc", y, y + rng.normal(size=500), random_state=0)
    >>> print(result)
    0.72727, 95% interval 0.68046 to 0.77019 (percentile bootstrap, 2000 resamples)
    """
    check_resampling(n_resamples, confidence_level)
    kind = check_method(method)
    form = form_of(metric, y_true, [y_pred], sample_weight, options)
    design = design_of(form.y_true, stratify, groups, random_state)
    estimate = float(form.estimate()[0])
    distribution = form.resample(design, int(n_resamples))[:, 0].copy()

    def leave_out() -> Any:
        left = form.leave_out(design)
        return left._replace(values=left.values[:, 0])

    interval = interval_of(
        distribution, estimate, float(confidence_level), kind, leave_out, stacklevel=2
    )
    return BootstrapResult(
        estimate,
        interval,
        distribution,
        standard_error(distribution),
        float(confidence_level),
        {"bca": "BCa"}.get(kind, kind),
    )


def standard_error(distribution: Any) -> float:
    """Standard deviation of the resamples that are defined; NaN of fewer than two."""
    defined = distribution[~np.isnan(distribution)]
    return float(np.std(defined, ddof=1)) if len(defined) > 1 else math.nan


@dataclass(frozen=True)
class RocAucInterval:
    """What `roc_auc_interval` found.

    Attributes
    ----------
    estimate : float
        The area under the ROC curve.
    confidence_interval : ConfidenceInterval
        A named tuple of `low` and `high`.
    standard_error : float
        DeLong's.
    confidence_level : float
    method : str
    """

    estimate: float
    confidence_interval: ConfidenceInterval
    standard_error: float
    confidence_level: float = 0.95
    method: str = "delong"

    def __str__(self) -> str:
        low, high = self.confidence_interval
        return (
            f"{self.estimate:.5g}, {self.confidence_level:.0%} interval {low:.5g} to {high:.5g} "
            f"(standard error {self.standard_error:.3g}, {self.method})"
        )


def delong_placements(y_true: Any, scores: list[Any]) -> tuple[Any, Any, Any]:
    """Areas under the ROC curves of some models on the same rows, and DeLong's placement values:
    of each positive among the negatives, and of each negative among the positives.

    The covariance of the areas is that of the former over their number plus that of the latter.

    DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver
    operating characteristic curves", Biometrics 44, 1988; in O(n log n) as Sun and Xu, "Fast
    implementation of DeLong's algorithm", IEEE Signal Processing Letters 21, 2014.
    """
    truth = np.asarray(y_true)
    labels = np.unique(truth)
    if truth.ndim != 1 or len(labels) != 2:
        raise ValueError(
            f"y_true has shape {truth.shape} and {len(labels)} labels, but must have one axis and "
            "two labels"
        )
    rows = []
    for score in scores:
        row = np.asarray(score, dtype=np.float64)
        if row.shape != truth.shape:
            raise ValueError(f"y_score has shape {row.shape}, but must have shape {truth.shape}")
        if not np.isfinite(row).all():
            raise ValueError("y_score holds NaN or infinity, but must be finite")
        rows.append(row)
    positive = truth == labels[1]
    hits, misses = int(positive.sum()), int((~positive).sum())
    if min(hits, misses) < 2:
        raise ValueError(
            f"y_true has {hits} positive and {misses} negative rows, but DeLong's variance needs "
            "at least two of each"
        )
    right = _core.metrics.placements(positive.astype(np.uint8), np.stack(rows), None) / 2
    of_hits, of_misses = right[:, positive] / misses, right[:, ~positive] / hits
    areas = right[:, positive].sum(axis=1) / (hits * misses)
    return areas, of_hits, of_misses


def delong_variance(of_hits: Any, of_misses: Any) -> float:
    """Variance of a mean of placement values, or of a difference of them."""
    return float(
        np.var(of_hits, ddof=1) / len(of_hits) + np.var(of_misses, ddof=1) / len(of_misses)
    )


def roc_auc_interval(
    y_true: Any, y_score: Any, *, confidence_level: float = 0.95, method: str = "delong"
) -> RocAucInterval:
    """Confidence interval of an area under the ROC curve, by DeLong's variance.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels, two of them; the greater is the positive one.
    y_score : array-like of shape (n_samples,)
        Scores, finite; only their order counts.
    confidence_level : float, default=0.95
        Between 0 and 1.
    method : {"delong", "logit"}, default="delong"
        "delong" is symmetric about the area and cut at 0 and 1 (pROC's ``ci.auc`` likewise);
        "logit" is symmetric on the logit scale, which covers better near the ends.

    Returns
    -------
    RocAucInterval

    Raises
    ------
    ValueError
        For lengths that differ, scores that are not finite, labels that are not two, a label that
        occurs once.

    Warns
    -----
    MetricWarning
        Where the variance is zero: the classes are separated, and the interval says nothing.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson 1988, in O(n log n) as Sun and Xu 2014; the logit interval as
    in Pepe, "The statistical evaluation of medical tests", 2003, 5.2.

    Examples
    --------
    >>> from mlestar.metrics import roc_auc_interval
    >>> result = roc_auc_interval([0, 0, 0, 1, 1, 1], [0.1, 0.4, 0.35, 0.8, 0.3, 0.7])
    >>> round(result.estimate, 4), round(result.standard_error, 4)
    (0.7778, 0.2485)
    """
    check_level("confidence_level", confidence_level)
    if method not in ("delong", "logit"):
        raise ValueError(f"method is {method!r}, but must be 'delong' or 'logit'")
    from scipy.special import ndtri

    areas, of_hits, of_misses = delong_placements(y_true, [y_score])
    area, error = float(areas[0]), math.sqrt(delong_variance(of_hits[0], of_misses[0]))
    reach = float(ndtri(0.5 + confidence_level / 2)) * error
    if error == 0.0:
        warnings.warn(
            f"DeLong's variance of an area of {area:g} is zero: the interval is that value, and "
            "says nothing of other samples",
            MetricWarning,
            stacklevel=2,
        )
        low, high = area, area
    elif method == "logit" and 0 < area < 1:
        centre, reach = math.log(area / (1 - area)), reach / (area * (1 - area))
        low, high = (1 / (1 + math.exp(-(centre + side * reach))) for side in (-1, 1))
    else:
        low, high = max(0.0, area - reach), min(1.0, area + reach)
    return RocAucInterval(
        area, ConfidenceInterval(low, high), error, float(confidence_level), method
    )
