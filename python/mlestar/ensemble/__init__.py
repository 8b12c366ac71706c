"""Ensemble weights: which models to combine, and how much of each."""

from mlestar.ensemble.convex import ConvexResult, convex_weights
from mlestar.ensemble.greedy import GreedyResult, greedy_weights

__all__ = ["ConvexResult", "GreedyResult", "convex_weights", "greedy_weights"]

for _name in __all__:
    globals()[_name].__module__ = __name__
del _name
