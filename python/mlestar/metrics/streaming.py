"""Metrics of rows that come in batches: update, compute, merge, reset, state, pickle, sync.

Every class is a `Metric`; `MetricCollection` updates several at once.
"""

from mlestar.metrics._streaming_base import Metric, MetricCollection
from mlestar.metrics._streaming_clustering import ClusteringScore
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
