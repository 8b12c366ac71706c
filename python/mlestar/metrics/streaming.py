"""Metrics of rows that come in batches: update, compute, merge, reset, state, pickle, sync.

Every class is a `Metric`; `MetricCollection` updates several at once.
"""

from mlestar.metrics._streaming_base import Metric, MetricCollection
from mlestar.metrics._streaming_labels import (
    Accuracy,
    BalancedAccuracy,
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
    R2Score,
    RootMeanSquaredError,
    RootMeanSquaredLogError,
)
from mlestar.metrics._streaming_scores import (
    ROCAUC,
    AveragePrecision,
    BinnedAveragePrecision,
    BinnedROCAUC,
    Bounded,
    BrierScore,
    LogLoss,
)
from mlestar.metrics._streaming_user import UserMetric

__all__ = [
    "ROCAUC",
    "Accuracy",
    "AveragePrecision",
    "BalancedAccuracy",
    "BinnedAveragePrecision",
    "BinnedROCAUC",
    "Bounded",
    "BrierScore",
    "CohenKappa",
    "ConfusionMatrix",
    "ExplainedVariance",
    "F1Score",
    "FBetaScore",
    "JaccardIndex",
    "LabelMetric",
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
    "Metric",
    "MetricCollection",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "RootMeanSquaredLogError",
    "UserMetric",
    "ZeroOneLoss",
]

# Classes pickle, and show in help, under the name that people import them by.
for _name in __all__:
    globals()[_name].__module__ = __name__
del _name
