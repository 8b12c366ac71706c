"""The run's folds, as every agent and every worker process has them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mlestar.coordination.artifacts import ArtifactStore

if TYPE_CHECKING:
    from mlestar.model_selection import FoldPlan

PLAN = ("X", "y", "folds_of_rows")
"""Names of the artifacts, in a job and in the run's description, that make the plan."""


def plan_of(artifacts: ArtifactStore, names: Mapping[str, Any]) -> FoldPlan:
    """The fold plan of a run: one object a process, whose data are read where they are mapped.

    Parameters
    ----------
    artifacts : ArtifactStore
    names : mapping
        Has the artifacts `PLAN` by name.
    """
    X, y, labels = (str(names[name]) for name in PLAN)
    return _plan(str(artifacts.folder), X, y, labels)


@lru_cache(maxsize=2)
def _plan(folder: str, X: str, y: str, labels: str) -> FoldPlan:
    from mlestar.model_selection import FoldPlan

    read = ArtifactStore(folder).get_array
    return FoldPlan.from_labels(read(labels), read(X, mapped=True), read(y, mapped=True))
