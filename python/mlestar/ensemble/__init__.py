"""Ensemble weights: which models to combine, and how much of each."""

from typing import TYPE_CHECKING, Any

from mlestar._lazy import load_lazily
from mlestar.ensemble.blending import weighted_sum
from mlestar.ensemble.convex import ConvexResult, convex_weights
from mlestar.ensemble.greedy import GreedyResult, greedy_weights
from mlestar.ensemble.optimize import (
    Alternative,
    OptimizedWeights,
    ParetoPoint,
    optimize_weights,
)

if TYPE_CHECKING:
    from mlestar.ensemble.stacking import StackingClassifier, StackingRegressor
    from mlestar.ensemble.voting import VotingClassifier, VotingRegressor
    from mlestar.ensemble.weighted import WeightedEnsembleClassifier, WeightedEnsembleRegressor

# Loaded at first use: they need scikit-learn.
_ESTIMATORS = {
    "stacking": ["StackingClassifier", "StackingRegressor"],
    "voting": ["VotingClassifier", "VotingRegressor"],
    "weighted": ["WeightedEnsembleClassifier", "WeightedEnsembleRegressor"],
}

__all__ = [
    "Alternative",
    "ConvexResult",
    "GreedyResult",
    "OptimizedWeights",
    "ParetoPoint",
    "StackingClassifier",
    "StackingRegressor",
    "VotingClassifier",
    "VotingRegressor",
    "WeightedEnsembleClassifier",
    "WeightedEnsembleRegressor",
    "convex_weights",
    "greedy_weights",
    "optimize_weights",
    "weighted_sum",
]

for _name in __all__:
    if _name in globals():
        globals()[_name].__module__ = __name__
del _name


def __getattr__(name: str) -> Any:
    return load_lazily(__name__, globals(), _ESTIMATORS, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
