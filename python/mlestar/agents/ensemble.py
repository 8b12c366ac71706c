"""The agent that combines what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlestar.agents.base import Agent
from mlestar.agents.folds import plan_of
from mlestar.agents.state import RunState, Trial
from mlestar.coordination.artifacts import ArtifactStore
from mlestar.coordination.base import Event
from mlestar.ensemble import greedy_weights

_CANDIDATES = 30

# What the greedy selection makes small, by the run's metric; others go by their task's own.
_GREEDY = {
    "roc_auc": "roc_auc",
    "neg_log_loss": "log_loss",
    "neg_root_mean_squared_error": "rmse",
    "neg_mean_squared_error": "rmse",
}
_BY_TASK = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}


class EnsembleAgent(Agent):
    """Weighs the out-of-fold predictions of the best trials once the search is closed.

    Parameters
    ----------
    folder : path
        The run's folder, whose artifacts hold the predictions.
    """

    role = "ensemble"

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        self.artifacts = ArtifactStore(Path(folder) / "artifacts")

    def act(self) -> list[Event]:
        """The ensemble, once the search is closed and nothing is left to settle."""
        state = self.state
        if not state.closed or state.ensemble is not None:
            return []
        if any(not t.settled and len(t.fits) == state.folds for t in state.trials):
            return []  # the evaluation agent is about to settle it
        done = [t for t in state.trials if t.status == "done"]
        if not done:
            return [Event("ensemble.done", "", {"weights": {}, "trajectory": [], "metric": ""})]
        return [Event("ensemble.done", "", self._weigh(self._candidates(done)))]

    def _candidates(self, done: list[Trial]) -> list[Trial]:
        """The best trials, and the best of every family."""
        state = self.state
        ranked = sorted(done, key=lambda t: (state.error_of(t), t.number))
        chosen = ranked[:_CANDIDATES]
        for family in {t.spec.family for t in ranked[_CANDIDATES:]}:
            if family not in {t.spec.family for t in chosen}:
                chosen.append(next(t for t in ranked if t.spec.family == family))
        return sorted(chosen, key=lambda t: t.number)

    def _weigh(self, trials: list[Trial]) -> dict[str, Any]:
        manifest = self.state.manifest
        y = self.artifacts.get_array(manifest["y"])
        metric = _GREEDY.get(manifest["metric"], _BY_TASK[manifest["task"]])
        predictions = [out_of_fold(self.state, self.artifacts, trial) for trial in trials]
        if manifest["task"] == "binary":
            predictions = [p[:, 1] for p in predictions]
        result = greedy_weights(
            predictions, y, metric=metric, n_iterations=int(manifest["ensemble_size"])
        )
        weights = {
            str(trial.number): float(weight)
            for trial, weight in zip(trials, result.weights, strict=True)
            if weight > 0
        }
        return {"weights": weights, "trajectory": result.trajectory, "metric": metric}


def out_of_fold(state: RunState, artifacts: ArtifactStore, trial: Trial) -> Any:
    """The trial's answer for every row, by the fit that had not seen it."""
    plan = plan_of(artifacts, state.manifest)
    return plan.collect(
        artifacts.get_array(trial.fits[fold]["out_of_fold"]) for fold in range(plan.n_splits)
    )
