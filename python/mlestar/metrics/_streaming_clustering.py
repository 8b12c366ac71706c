"""Streaming agreement of two clusterings: functions of a contingency table that grows."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mlestar._native import _core
from mlestar.metrics._streaming_base import Metric
from mlestar.metrics.clustering import Counted

# What ClusteringScore computes: functions of nothing but the contingency table.
FUNCTIONS = (
    "adjusted_mutual_info_score",
    "adjusted_rand_score",
    "completeness_score",
    "fowlkes_mallows_score",
    "homogeneity_completeness_v_measure",
    "homogeneity_score",
    "mutual_info_score",
    "normalized_mutual_info_score",
    "pair_confusion_matrix",
    "rand_score",
    "v_measure_score",
)


class ClusteringScore(Metric):
    """Any score of how two clusterings agree, of points that come in batches.

    Keeps the contingency table alone: integer counts of each pair of clusters, the same for any
    batching and any order of merges. `compute` gives that table to the function of
    `mlestar.metrics`. `update` takes the clusters of a batch for `y_true` and `y_pred`; these
    scores have no weights.

    Parameters
    ----------
    function : str
        The name of a function of `mlestar.metrics`: one of adjusted_mutual_info_score,
        adjusted_rand_score, completeness_score, fowlkes_mallows_score,
        homogeneity_completeness_v_measure, homogeneity_score, mutual_info_score,
        normalized_mutual_info_score, pair_confusion_matrix, rand_score, v_measure_score.
    **options
        The function's keyword arguments.

    Examples
    --------
    >>> from mlestar.metrics.streaming import ClusteringScore
    >>> metric = ClusteringScore("adjusted_rand_score")
    >>> metric.update([0, 0], [0, 0])
    >>> metric.update([1, 1], [1, 2])
    >>> round(metric.compute(), 6)
    0.571429
    """

    def __init__(self, function: str, **options: Any) -> None:
        if function not in FUNCTIONS:
            raise ValueError(f"function is {function!r}, but must be one of {', '.join(FUNCTIONS)}")
        self._function = function
        self._options = options
        super().__init__()

    def _make(self) -> Any:
        return _core.metrics.LabelTable(False)

    @property
    def _parameters(self) -> dict[str, Any]:
        return {"function": self._function, **self._options}

    def _shared_key(self) -> Any:
        return "table", False

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch of clusters; errors as `Metric.update`, and ValueError for weights."""
        if sample_weight is not None:
            raise ValueError(
                f"sample_weight is given, but {self._function} has none; it must be None"
            )
        self._core.update(y_true, y_pred, None)

    def _result(self) -> Any:
        _, row, column, count, _ = self._core.cells()
        if self._core.weighted:  # by a collection, which shares the table
            raise ValueError(f"sample_weight was given, but {self._function} has none")
        table = Counted(row, column, count)
        function = getattr(import_module("mlestar.metrics"), self._function)
        return function(table, table, **self._options)
