"""Evaluation: metrics by name, cross-validation, comparison with intervals, reports."""

from mlestar.evaluation.comparison import Comparison, ModelComparator, mean_interval
from mlestar.evaluation.evaluator import CrossValidator, EvaluationResult, ModelEvaluator
from mlestar.evaluation.metrics import Metric, MetricsCalculator
from mlestar.evaluation.report import ReportGenerator

__all__ = [
    "Comparison",
    "CrossValidator",
    "EvaluationResult",
    "Metric",
    "MetricsCalculator",
    "ModelComparator",
    "ModelEvaluator",
    "ReportGenerator",
    "mean_interval",
]
