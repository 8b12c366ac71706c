"""Streaming errors of real-valued predictions."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from mlestar._native import _core
from mlestar.metrics._sets import is_real
from mlestar.metrics._streaming_base import Metric


def integer_of(digits: Any) -> int:
    """The sum that a row of digits stands for, in units of 2**-1074."""
    return sum(int(digit) << (32 * place) for place, digit in enumerate(digits))


class _RegressionMetric(Metric):
    """Sums over the rows of what each output is asked for."""

    _terms: list[tuple[str, float]]
    _moments = (False, False)  # of the target, of the error

    def __init__(self, *, multioutput: Any = "uniform_average", exact: bool = False) -> None:
        self._multioutput = _weights_of(multioutput, self._averages)
        self._exact = bool(exact)
        super().__init__()

    _averages: tuple[str, ...] = ("raw_values", "uniform_average")

    def _make(self) -> Any:
        return _core.metrics.RegressionSums(self._terms, *self._moments, self._exact)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"multioutput": self._multioutput, "exact": self._exact}

    def _shared_key(self) -> Any:
        return "regression", tuple(self._terms), self._moments, self._exact

    def _result(self) -> Any:
        return self._combine(self._values())

    def _values(self) -> Any:
        """One value an output."""
        return self._means()

    def _means(self) -> Any:
        """Weighted means of the first term."""
        self._require_weight()
        if not self._exact:
            return self._core.sums(0) / self._core.weight
        rows = (self._core.digits(j) for j in range(self._core.outputs))
        return np.array([integer_of(row[1]) / integer_of(row[0]) for row in rows])

    def _require_weight(self) -> None:
        if self._core.weight == 0.0:
            raise ValueError(
                "sample_weight sums to 0 over all batches, but must sum to something else"
            )

    def _combine(self, values: Any) -> Any:
        if isinstance(self._multioutput, str):
            if self._multioutput == "raw_values":
                return values
            return float(values[0]) if values.size == 1 else float(np.average(values))
        if len(self._multioutput) != values.size:
            raise ValueError(
                f"multioutput holds {len(self._multioutput)} weights, but must hold one for each "
                f"of the {values.size} outputs"
            )
        return float(np.average(values, weights=self._multioutput))


def _weights_of(multioutput: Any, averages: tuple[str, ...]) -> Any:
    if isinstance(multioutput, str):
        if multioutput in averages:
            return multioutput
    else:
        weights = np.asarray(multioutput)
        if weights.ndim == 1 and weights.dtype.kind in "biuf":
            return weights.tolist()
    raise ValueError(
        f"multioutput is {multioutput!r}, but must be one of {', '.join(averages)} or an array of "
        "weights"
    )


class MeanSquaredError(_RegressionMetric):
    """Mean of the squared errors: `mean_squared_error` of batches.

    Parameters
    ----------
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (n_outputs,)
        How the outputs' errors become one.
    exact : bool, default=False
        Whether the losses of the rows are summed exactly and the mean rounded once: the same bits
        for any batching and any order of merges. Otherwise sums are kept in two doubles: the same
        bits for any number of threads, and as a rule the exact ones.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MeanSquaredError
    >>> metric = MeanSquaredError()
    >>> metric.update([3, -0.5], [2.5, 0.0])
    >>> metric.update([2, 7], [2, 8])
    >>> metric.compute()
    0.375
    """

    _terms = [("squared", 0.0)]  # noqa: RUF012


class RootMeanSquaredError(MeanSquaredError):
    """Square root of the mean squared error, per output before they are averaged.

    Parameters are those of `MeanSquaredError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import RootMeanSquaredError
    >>> metric = RootMeanSquaredError()
    >>> metric.update([3, -0.5, 2, 7], [2.5, 0.0, 2, 8])
    >>> round(metric.compute(), 6)
    0.612372
    """

    def _values(self) -> Any:
        return np.sqrt(self._means())


class MeanAbsoluteError(_RegressionMetric):
    """Mean of the absolute errors: `mean_absolute_error` of batches.

    Parameters are those of `MeanSquaredError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MeanAbsoluteError
    >>> metric = MeanAbsoluteError()
    >>> metric.update([3, -0.5], [2.5, 0.0])
    >>> metric.update([2, 7], [2, 8])
    >>> metric.compute()
    0.5
    """

    _terms = [("absolute", 0.0)]  # noqa: RUF012


class MeanAbsolutePercentageError(_RegressionMetric):
    """Mean of the absolute errors over the true values: `mean_absolute_percentage_error`.

    Parameters are those of `MeanSquaredError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MeanAbsolutePercentageError
    >>> metric = MeanAbsolutePercentageError()
    >>> metric.update([2.0, 4.0], [1.0, 5.0])
    >>> metric.compute()
    0.375
    """

    _terms = [("percentage", float(np.finfo(np.float64).eps))]  # noqa: RUF012


class MeanSquaredLogError(_RegressionMetric):
    """Mean squared error of log(1 + y): `mean_squared_log_error` of batches.

    Values must lie above -1. Parameters are those of `MeanSquaredError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MeanSquaredLogError
    >>> metric = MeanSquaredLogError()
    >>> metric.update([3, 5, 2.5, 7], [2.5, 5, 4, 8])
    >>> round(metric.compute(), 6)
    0.03973
    """

    _terms = [("squared_log", 0.0)]  # noqa: RUF012


class RootMeanSquaredLogError(MeanSquaredLogError):
    """Square root of the mean squared logarithmic error, per output.

    Parameters are those of `MeanSquaredError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import RootMeanSquaredLogError
    >>> metric = RootMeanSquaredLogError()
    >>> metric.update([3, 5, 2.5, 7], [2.5, 5, 4, 8])
    >>> round(metric.compute(), 6)
    0.199324
    """

    def _values(self) -> Any:
        return np.sqrt(self._means())


class MeanPinballLoss(_RegressionMetric):
    """Mean loss of a predicted quantile: `mean_pinball_loss` of batches.

    Parameters
    ----------
    alpha : float, default=0.5
        The quantile, in [0, 1].
    multioutput, exact
        As in `MeanSquaredError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MeanPinballLoss
    >>> metric = MeanPinballLoss(alpha=0.1)
    >>> metric.update([1, 2, 3], [0, 2, 3])
    >>> round(metric.compute(), 6)
    0.033333
    """

    def __init__(
        self, *, alpha: float = 0.5, multioutput: Any = "uniform_average", exact: bool = False
    ) -> None:
        if not 0.0 <= alpha <= 1.0:
            raise ValueError(f"alpha is {alpha!r}, but must lie in [0, 1]")
        self._alpha = float(alpha)
        self._terms = [("pinball", self._alpha)]
        super().__init__(multioutput=multioutput, exact=exact)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"alpha": self._alpha, **super()._parameters}


class _Deviance(_RegressionMetric):
    """A deviance of one output."""

    def __init__(self, *, exact: bool = False) -> None:
        super().__init__(exact=exact)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"exact": self._exact}


class MeanPoissonDeviance(_Deviance):
    """Mean deviance of counts from predicted means: `mean_poisson_deviance` of batches.

    True values must be at least 0, predictions above. Several outputs are averaged.

    Parameters
    ----------
    exact : bool, default=False
        As in `MeanSquaredError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MeanPoissonDeviance
    >>> metric = MeanPoissonDeviance()
    >>> metric.update([2, 0, 1, 4], [0.5, 0.5, 2.0, 2.0])
    >>> round(metric.compute(), 6)
    1.426015
    """

    _terms = [("poisson", 0.0)]  # noqa: RUF012


class MeanGammaDeviance(_Deviance):
    """Mean deviance of positive values from predicted means: `mean_gamma_deviance` of batches.

    All values must be above 0. Several outputs are averaged.

    Parameters
    ----------
    exact : bool, default=False
        As in `MeanSquaredError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MeanGammaDeviance
    >>> metric = MeanGammaDeviance()
    >>> metric.update([2, 0.5, 1, 4], [0.5, 0.5, 2.0, 2.0])
    >>> round(metric.compute(), 6)
    1.056853
    """

    _terms = [("gamma", 0.0)]  # noqa: RUF012


class MeanTweedieDeviance(_Deviance):
    """Mean deviance of a Tweedie distribution: `mean_tweedie_deviance` of batches.

    Several outputs are averaged.

    Parameters
    ----------
    power : float, default=0
        At most 0 or at least 1. 0: normal, 1: Poisson, between 1 and 2: compound Poisson, 2: gamma,
        3: inverse Gaussian. Predictions must be above 0 unless it is 0; true values at least 0 from
        1 on, above 0 from 2 on.
    exact : bool, default=False
        As in `MeanSquaredError`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MeanTweedieDeviance
    >>> metric = MeanTweedieDeviance(power=1.5)
    >>> metric.update([2, 0], [0.5, 0.5])
    >>> metric.update([1, 4], [2.0, 2.0])
    >>> round(metric.compute(), 6)
    1.778175
    """

    def __init__(self, *, power: float = 0, exact: bool = False) -> None:
        if not is_real(power) or 0 < power < 1 or not np.isfinite(power):
            raise ValueError(f"power is {power!r}, but must be at most 0 or at least 1, and finite")
        self._power = float(power)
        names = {0.0: "squared", 1.0: "poisson", 2.0: "gamma"}
        self._terms = [(names.get(self._power, "tweedie"), self._power)]
        super().__init__(exact=exact)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"power": self._power, **super()._parameters}


class MaxError(_RegressionMetric):
    """The largest absolute error: `max_error` of batches.

    The same bits for any batching. Weights are checked and left aside. Several outputs are
    averaged unless `multioutput` says otherwise.

    Parameters
    ----------
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (n_outputs,)
        How the outputs' errors become one.

    Examples
    --------
    >>> from mlestar.metrics.streaming import MaxError
    >>> metric = MaxError()
    >>> metric.update([3, 2], [4, 2])
    >>> metric.update([7, 1], [7.5, 1])
    >>> metric.compute()
    1.0
    """

    _terms = [("largest", 0.0)]  # noqa: RUF012

    def __init__(self, *, multioutput: Any = "uniform_average") -> None:
        super().__init__(multioutput=multioutput)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"multioutput": self._multioutput}

    def _values(self) -> Any:
        return self._core.largest()


class R2Score(_RegressionMetric):
    """One minus the residual over the total sum of squares: `r2_score` of batches.

    The total is taken about a value among the data (exactly, where `exact`), so that it loses no
    digits however far from zero the data lie.

    Parameters
    ----------
    multioutput : {"raw_values", "uniform_average", "variance_weighted"} or array-like
        How the outputs' scores become one.
    force_finite : bool, default=True
        Whether a constant `y_true` scores 1 (perfect) or 0 instead of NaN or -inf.
    exact : bool, default=False
        As in `MeanSquaredError`; the score is then that of exact sums, rounded once.

    Warns
    -----
    UndefinedMetricWarning
        From `compute` with fewer than two rows; the result is NaN.

    Examples
    --------
    >>> from mlestar.metrics.streaming import R2Score
    >>> metric = R2Score()
    >>> metric.update([3, -0.5], [2.5, 0.0])
    >>> metric.update([2, 7], [2, 8])
    >>> round(metric.compute(), 6)
    0.948608
    """

    _terms = [("squared", 0.0)]  # noqa: RUF012
    _moments = (True, False)
    _averages = ("raw_values", "uniform_average", "variance_weighted")

    def __init__(
        self,
        *,
        multioutput: Any = "uniform_average",
        force_finite: bool = True,
        exact: bool = False,
    ) -> None:
        self._force_finite = bool(force_finite)
        super().__init__(multioutput=multioutput, exact=exact)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {
            "multioutput": self._multioutput,
            "force_finite": self._force_finite,
            "exact": self._exact,
        }

    def _result(self) -> Any:
        if self._core.rows < 2 and self._moments == (True, False):
            from sklearn.exceptions import UndefinedMetricWarning

            warnings.warn(
                "R^2 score is not well-defined with less than two samples.",
                UndefinedMetricWarning,
                stacklevel=3,
            )
            return float("nan")
        self._require_weight()
        scores, total = self._exact_scores() if self._exact else self._scores()
        if self._multioutput == "variance_weighted":
            if not total.any():
                return float(np.average(scores))
            return float(np.average(scores, weights=total))
        return self._combine(scores)

    def _scores(self) -> tuple[Any, Any]:
        """The score and the total of each output."""
        residual, total = self._residual(), self._core.target_spread()
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = 1.0 - residual / total
        if self._force_finite:
            constant = total == 0
            scores[constant] = np.where(residual[constant] == 0, 1.0, 0.0)
        return scores, total

    def _residual(self) -> Any:
        return self._core.sums(0)

    def _exact_scores(self) -> tuple[Any, Any]:
        scores, totals = [], []
        for j in range(self._core.outputs):
            weight, *sums = (integer_of(row) for row in self._core.digits(j))
            residual = self._exact_residual(weight, sums)
            # weight times the sum of w (y - mean)^2, an integer: nothing is lost
            first, second = sums[len(self._terms) :][:2]
            total = weight * second - first**2
            totals.append(total / weight**2)
            if total != 0:
                scores.append((total - residual) / total)
            elif self._force_finite:
                scores.append(1.0 if residual == 0 else 0.0)
            else:
                scores.append(float("nan") if residual == 0 else -float("inf"))
        return np.array(scores), np.array(totals)

    def _exact_residual(self, weight: int, sums: list[int]) -> int:
        """The residual sum of squares times the weight."""
        return weight * sums[0]


class ExplainedVariance(R2Score):
    """One minus the variance of the errors over that of y: `explained_variance_score` of batches.

    Parameters are those of `R2Score`.

    Examples
    --------
    >>> from mlestar.metrics.streaming import ExplainedVariance
    >>> metric = ExplainedVariance()
    >>> metric.update([3, -0.5], [2.5, 0.0])
    >>> metric.update([2, 7], [2, 8])
    >>> round(metric.compute(), 6)
    0.957173
    """

    _terms: list[tuple[str, float]] = []  # noqa: RUF012
    _moments = (True, True)

    def _residual(self) -> Any:
        return self._core.error_spread()

    def _exact_residual(self, weight: int, sums: list[int]) -> int:
        return weight * sums[-1] - sums[-2] ** 2
