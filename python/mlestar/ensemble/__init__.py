"""Ensemble weights: which models to combine, and how much of each."""

from mlestar.ensemble.greedy import GreedyResult, greedy_weights

__all__ = ["GreedyResult", "greedy_weights"]

for _name in __all__:
    globals()[_name].__module__ = __name__
del _name
