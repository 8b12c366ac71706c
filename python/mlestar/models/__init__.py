"""Models: the classes that everything trained here shares, and the adapters that make them."""

from mlestar.models.base import (
    Callback,
    MLESTARModel,
    ReinforcementModel,
    SupervisedModel,
    TrainingStage,
    UnsupervisedModel,
)
from mlestar.models.families import FAMILIES, make_estimator
from mlestar.models.sklearn_adapter import SklearnModel

__all__ = [
    "Callback",
    "FAMILIES",
    "MLESTARModel",
    "ReinforcementModel",
    "SklearnModel",
    "SupervisedModel",
    "TrainingStage",
    "UnsupervisedModel",
    "make_estimator",
]
