"""Metrics of rows that come in batches: update, compute, merge, reset, state, pickle, sync.

Every class is a `Metric`; `MetricCollection` updates several at once.

No form of their own, because what they need of all rows does not add up batch by batch without
losing something: `median_absolute_error`, `d2_absolute_error_score` and `d2_pinball_score` (a
quantile of all rows), `d2_tweedie_score` (the deviance of a mean that is not known yet, as a
difference of sums that cancel), `silhouette_score` and `silhouette_samples` (every pair of points),
and the curves, whose points are as many as the rows. `UserMetric` keeps rows for any function.
"""

from mlestar.metrics._streaming_base import Metric, MetricCollection
from mlestar.metrics._streaming_clustering import ClusteringScore
from mlestar.metrics._streaming_columns import (
    MulticlassAveragePrecision,
    MulticlassROCAUC,
    MultilabelAveragePrecision,
    MultilabelROCAUC,
)
from mlestar.metrics._streaming_labels import (
    Accuracy,
    BalancedAccuracy,
    ClassificationReport,
    CohenKappa,
    ConfusionMatrix,
    F1Score,
    FBetaScore,
    JaccardIndex,
    LabelMetric,
    MatthewsCorrCoef,
    Precision,
    Recall,
    ZeroOneLoss,
)
from mlestar.metrics._streaming_regression import (
    ExplainedVariance,
    MaxError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanGammaDeviance,
    MeanPinballLoss,
    MeanPoissonDeviance,
    MeanSquaredError,
    MeanSquaredLogError,
    MeanTweedieDeviance,
    R2Score,
    RootMeanSquaredError,
    RootMeanSquaredLogError,
)
from mlestar.metrics._streaming_retrieval import (
    DCG,
    NDCG,
    CoverageError,
    LabelRankingAveragePrecision,
    LabelRankingLoss,
    TopKAccuracy,
)
from mlestar.metrics._streaming_scores import (
    ROCAUC,
    AveragePrecision,
    BinnedAveragePrecision,
    BinnedROCAUC,
    Bounded,
    BrierScore,
    D2Brier,
    D2LogLoss,
    HingeLoss,
    LogLoss,
)
from mlestar.metrics._streaming_sets import MultilabelMetric
from mlestar.metrics._streaming_user import UserMetric

__all__ = [
    "Accuracy",
    "AveragePrecision",
    "BalancedAccuracy",
    "BinnedAveragePrecision",
    "BinnedROCAUC",
    "Bounded",
    "BrierScore",
    "ClassificationReport",
    "ClusteringScore",
    "CohenKappa",
    "ConfusionMatrix",
    "CoverageError",
    "D2Brier",
    "D2LogLoss",
    "DCG",
    "ExplainedVariance",
    "F1Score",
    "FBetaScore",
    "HingeLoss",
    "JaccardIndex",
    "LabelMetric",
    "LabelRankingAveragePrecision",
    "LabelRankingLoss",
    "LogLoss",
    "MatthewsCorrCoef",
    "MaxError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanGammaDeviance",
    "MeanPinballLoss",
    "MeanPoissonDeviance",
    "MeanSquaredError",
    "MeanSquaredLogError",
    "MeanTweedieDeviance",
    "Metric",
    "MetricCollection",
    "MulticlassAveragePrecision",
    "MulticlassROCAUC",
    "MultilabelAveragePrecision",
    "MultilabelMetric",
    "MultilabelROCAUC",
    "NDCG",
    "Precision",
    "R2Score",
    "ROCAUC",
    "Recall",
    "RootMeanSquaredError",
    "RootMeanSquaredLogError",
    "TopKAccuracy",
    "UserMetric",
    "ZeroOneLoss",
]

# Classes pickle, and show in help, under the name that people import them by.
for _name in __all__:
    globals()[_name].__module__ = __name__
del _name
