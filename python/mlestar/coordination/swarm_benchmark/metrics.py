"""What a search cost and what it is worth, as ``swarm_benchmark``'s metrics with more fields."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from mlestar.coordination.swarm_benchmark.package import find_package


@dataclass
class PerformanceFields:
    """The fields of ``swarm_benchmark``'s PerformanceMetrics, where it is not installed."""

    execution_time: float = 0.0
    queue_time: float = 0.0
    throughput: float = 0.0
    success_rate: float = 0.0
    error_rate: float = 0.0
    retry_count: int = 0
    coordination_overhead: float = 0.0
    communication_latency: float = 0.0


@dataclass
class QualityFields:
    """The fields of ``swarm_benchmark``'s QualityMetrics, where it is not installed."""

    accuracy_score: float = 0.0
    completeness_score: float = 0.0
    consistency_score: float = 0.0
    relevance_score: float = 0.0
    overall_quality: float = 0.0
    review_score: float | None = None
    automated_score: float | None = None


if TYPE_CHECKING:
    PerformanceBase = PerformanceFields
    QualityBase = QualityFields
else:
    _PACKAGE = find_package()
    PerformanceBase = (
        PerformanceFields if _PACKAGE is None else _PACKAGE.core.models.PerformanceMetrics
    )
    QualityBase = QualityFields if _PACKAGE is None else _PACKAGE.core.models.QualityMetrics


@dataclass
class MLPerformanceMetrics(PerformanceBase):
    """What fits and agents took.

    A subclass of ``swarm_benchmark``'s PerformanceMetrics where that is installed, else a class of
    its own with the same fields.

    Attributes
    ----------
    execution_time, queue_time : float
        Wall-clock seconds of the whole, and those of them before the first fit began.
    throughput : float
        Fits that ended well, per second.
    success_rate, error_rate : float
        Shares of the fits that ended well, and that failed or died.
    retry_count : int
        Fits begun again because their process had died.
    coordination_overhead : float
        Share of the time that coordination took.
    communication_latency : float
        Seconds from a fit's end to the journal's, on average; 0 where it was not measured.
    fits : int
        Fits that ended well.
    fit_seconds, predict_seconds : float
        Wall-clock seconds of all fits together; of predicting the whole table once.
    cpu_seconds : float
        Processor time of all fits together.
    device_seconds : float
        Of `fit_seconds`, those on a device that is no CPU.
    fit_rows_per_second, predict_rows_per_second : float
    peak_bytes : int
        The largest peak of a fit's process.
    coordination_seconds : float

    Examples
    --------
    >>> from mlestar.coordination.swarm_benchmark import MLPerformanceMetrics
    >>> fits = [{"wall_seconds": 0.5, "cpu_seconds": 0.4, "peak_bytes": 2**20, "device": "cpu"}] * 4
    >>> found = MLPerformanceMetrics.of(fits, seconds=4.0, rows_per_fit=100)
    >>> found.fit_seconds, found.throughput, found.fit_rows_per_second, found.success_rate
    (2.0, 1.0, 200.0, 1.0)
    """

    fits: int = 0
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    cpu_seconds: float = 0.0
    device_seconds: float = 0.0
    fit_rows_per_second: float = 0.0
    predict_rows_per_second: float = 0.0
    peak_bytes: int = 0
    coordination_seconds: float = 0.0

    @classmethod
    def of(
        cls,
        fits: Sequence[Mapping[str, Any]],
        *,
        seconds: float,
        rows_per_fit: float = 0.0,
        queue_seconds: float = 0.0,
        failed: int = 0,
        died: int = 0,
        predict_seconds: float = 0.0,
        predict_rows: int = 0,
        coordination_seconds: float = 0.0,
    ) -> MLPerformanceMetrics:
        """From the fits that ended well: ``wall_seconds``, ``cpu_seconds``, ``peak_bytes`` and
        ``device`` of each."""
        wall = math.fsum(float(fit["wall_seconds"]) for fit in fits)
        ended = len(fits) + failed + died
        return cls(
            execution_time=seconds,
            queue_time=queue_seconds,
            throughput=_ratio(len(fits), seconds),
            success_rate=_ratio(len(fits), ended),
            error_rate=_ratio(failed + died, ended),
            retry_count=died,
            coordination_overhead=_ratio(coordination_seconds, seconds),
            fits=len(fits),
            fit_seconds=wall,
            predict_seconds=predict_seconds,
            cpu_seconds=math.fsum(float(fit["cpu_seconds"]) for fit in fits),
            device_seconds=math.fsum(
                float(fit["wall_seconds"]) for fit in fits if fit.get("device", "cpu") != "cpu"
            ),
            fit_rows_per_second=_ratio(rows_per_fit * len(fits), wall),
            predict_rows_per_second=_ratio(predict_rows, predict_seconds),
            peak_bytes=max((int(fit["peak_bytes"]) for fit in fits), default=0),
            coordination_seconds=coordination_seconds,
        )


@dataclass
class MLQualityMetrics(QualityBase):
    """How good the result is.

    A subclass of ``swarm_benchmark``'s QualityMetrics where that is installed, else a class of its
    own with the same fields.

    Attributes
    ----------
    accuracy_score : float
        Accuracy, or the coefficient of determination (at least 0), out of fold.
    completeness_score : float
        Share of the trials that were scored.
    consistency_score : float
        1 less the best trial's standard deviation over folds relative to its mean; at least 0.
    relevance_score : float
        Part of the baseline's error that the result does not have; at least 0.
    overall_quality : float
        As `accuracy_score`.
    automated_score : float or None
        As `score`.
    metric : str
        Name of the metric of the scores below.
    score, score_low, score_high : float or None
        Mean over folds, and its confidence interval.
    fold_deviation : float or None
        The best trial's standard deviation over folds.
    calibration_error : float or None
        Expected calibration error of the predicted class in ten bins (Naeini et al., AAAI 2015);
        None for regression.
    baseline_score, gain : float or None
        Score of the first trial, and by how much the result's is better.

    Examples
    --------
    >>> from mlestar.coordination.swarm_benchmark import MLQualityMetrics
    >>> found = MLQualityMetrics.of("roc_auc", [0.9, 0.94], score=0.92, baseline=0.84, best=1.0)
    >>> round(found.gain, 6), round(found.relevance_score, 6), round(found.fold_deviation, 6)
    (0.08, 0.5, 0.028284)
    """

    metric: str = ""
    score: float | None = None
    score_low: float | None = None
    score_high: float | None = None
    fold_deviation: float | None = None
    calibration_error: float | None = None
    baseline_score: float | None = None
    gain: float | None = None

    @classmethod
    def of(
        cls,
        metric: str,
        fold_scores: Sequence[float],
        *,
        score: float | None,
        interval: tuple[float | None, float | None] = (None, None),
        baseline: float | None = None,
        best: float = 0.0,
        greater_is_better: bool = True,
        accuracy: float = 0.0,
        calibration_error: float | None = None,
        completeness: float = 1.0,
    ) -> MLQualityMetrics:
        """From the scores of the best trial's folds and of the result.

        `best` is the score of a perfect result: an error is the distance to it.
        """
        mean = fmean(fold_scores) if fold_scores else 0.0
        deviation = stdev(fold_scores) if len(fold_scores) > 1 else None
        gain = saved = None
        if score is not None and baseline is not None:
            gain = score - baseline if greater_is_better else baseline - score
            saved = max(0.0, _ratio(gain, abs(best - baseline)))
        steady = 0.0 if deviation is None else max(0.0, 1.0 - _ratio(deviation, abs(mean)))
        return cls(
            accuracy_score=accuracy,
            completeness_score=completeness,
            consistency_score=steady,
            relevance_score=saved or 0.0,
            overall_quality=accuracy,
            automated_score=score,
            metric=metric,
            score=score,
            score_low=interval[0],
            score_high=interval[1],
            fold_deviation=deviation,
            calibration_error=calibration_error,
            baseline_score=baseline,
            gain=gain,
        )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0
