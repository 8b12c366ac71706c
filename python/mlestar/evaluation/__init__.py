"""Evaluation: metrics by name, cross-validation, comparison with intervals and tests, reports."""

from mlestar.evaluation.comparison import (
    Comparison,
    ModelComparator,
    corrected_resampled_t_test,
    mean_interval,
)
from mlestar.evaluation.evaluator import CrossValidator, EvaluationResult, ModelEvaluator
from mlestar.evaluation.many import (
    FriedmanResult,
    PairwiseComparison,
    friedman_test,
    holm_correction,
    pairwise_wilcoxon_test,
)
from mlestar.evaluation.metrics import Metric, MetricsCalculator
from mlestar.evaluation.paired import (
    PairedTestResult,
    delong_test,
    mcnemar_test,
    paired_bootstrap_test,
    permutation_test,
)
from mlestar.evaluation.report import ReportGenerator

__all__ = [
    "Comparison",
    "CrossValidator",
    "EvaluationResult",
    "FriedmanResult",
    "Metric",
    "MetricsCalculator",
    "ModelComparator",
    "ModelEvaluator",
    "PairedTestResult",
    "PairwiseComparison",
    "ReportGenerator",
    "corrected_resampled_t_test",
    "delong_test",
    "friedman_test",
    "holm_correction",
    "mcnemar_test",
    "mean_interval",
    "paired_bootstrap_test",
    "pairwise_wilcoxon_test",
    "permutation_test",
]
