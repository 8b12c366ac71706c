"""What a run's ensemble goes by: how much worse it gets when a column is shuffled."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from mlestar.agents.fitting import answer
from mlestar.agents.folds import plan_of
from mlestar.agents.state import RunState
from mlestar.coordination.artifacts import ArtifactStore
from mlestar.engine.finish import members_of
from mlestar.evaluation.metrics import MetricsCalculator
from mlestar.exceptions import RunFolderError
from mlestar.models.persistence import loads
from mlestar.pipeline.schema import TableSchema

_MOST_ROWS = 1000


def column_importances(
    folder: str | Path, state: RunState, *, seed: int = 0
) -> list[dict[str, Any]]:
    """Permutation importance of the table's columns (Breiman, Machine Learning 45, 2001).

    Parameters
    ----------
    folder : path
        The run's.
    state : RunState
    seed : int, default=0
        Of the shuffling.

    Returns
    -------
    list of dict
        ``column`` and ``importance``, the greatest first: how much the run's metric gets worse on
        rows (at most 1 000) that the models have not seen, if the column is shuffled among them.

    Raises
    ------
    RunFolderError
        If the run has no ensemble yet.
    """
    members = members_of(state)
    if not members:
        raise RunFolderError(f"{folder} has no ensemble that could be explained")
    manifest = state.manifest
    artifacts = ArtifactStore(Path(folder) / "artifacts")
    plan = plan_of(artifacts, manifest)
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(plan.n_samples)[:_MOST_ROWS])
    X, y, fold_of_row = (np.asarray(part[rows]) for part in (plan.X, plan.y, plan.fold_of_row))
    pipelines = [
        (weight, fold, loads(artifacts.get(fit["model"])))
        for trial, weight in members
        for fold, fit in sorted(trial.fits.items())
    ]
    metric = MetricsCalculator.find(manifest["metric"])
    classes = len(manifest["classes"])

    def error(matrix: Any) -> float:
        total: Any = np.zeros((len(y), classes) if classes else len(y))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for weight, fold, pipeline in pipelines:
                seen_not = fold_of_row == fold
                if seen_not.any():
                    part = answer(pipeline, matrix[seen_not], manifest["task"], classes)
                    total[seen_not] += weight * part
            given = total.argmax(axis=1) if metric.response == "label" else total
            return float(metric.error(float(metric.score(y, given))))

    plain = error(X)
    found = []
    first = 0
    for column in TableSchema.from_dict(manifest["schema"]).columns:
        # The parts of a date are shuffled together.
        width = len(TableSchema((column,)).feature_names)
        shuffled = X.copy()
        order = rng.permutation(len(y))
        shuffled[:, first : first + width] = X[order, first : first + width]
        found.append({"column": column.name, "importance": error(shuffled) - plain})
        first += width
    return sorted(found, key=lambda row: -float(row["importance"]))
