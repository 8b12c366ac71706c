"""Ensemble weights: which models to combine, and how much of each."""

from mlestar.ensemble.blending import weighted_sum
from mlestar.ensemble.convex import ConvexResult, convex_weights
from mlestar.ensemble.greedy import GreedyResult, greedy_weights
from mlestar.ensemble.optimize import (
    Alternative,
    OptimizedWeights,
    ParetoPoint,
    optimize_weights,
)

__all__ = [
    "Alternative",
    "ConvexResult",
    "GreedyResult",
    "OptimizedWeights",
    "ParetoPoint",
    "convex_weights",
    "greedy_weights",
    "optimize_weights",
    "weighted_sum",
]

for _name in __all__:
    globals()[_name].__module__ = __name__
del _name
