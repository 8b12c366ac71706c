"""A run's events as what Claude Flow keeps of it: agents, tasks and memories."""

from __future__ import annotations

import math
from typing import Any

from mlestar.agents.state import RunState, Trial
from mlestar.coordination.base import Event
from mlestar.coordination.claude_flow.swarm import AgentRecord, TaskRecord

_CAPABILITIES = {
    "search": ("propose pipelines", "refine the block that matters"),
    "training": ("fit pipelines on folds",),
    "evaluation": ("score with intervals", "ablation analysis", "paired comparison"),
    "ensemble": ("weigh out-of-fold predictions",),
}


class RunRecords:
    """What the events so far make of a run in Claude Flow.

    Parameters
    ----------
    name : str
        Of the run in Claude Flow.

    Attributes
    ----------
    state : RunState
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = RunState()
        self._owners: list[str] = []
        self._at_work: dict[int, list[str]] = {}
        self._settled: dict[int, TaskRecord] = {}
        self._fits: dict[str, int] = {"done": 0, "failed": 0, "died": 0}

    def apply(self, event: Event) -> None:
        """Take one event in."""
        self.state.apply(event)
        if event.kind == "fit.started":
            owner = event.payload["owner"]
            if owner not in self._owners:
                self._owners.append(owner)
            workers = self._at_work.setdefault(event.payload["trial"], [])
            if owner not in workers:
                workers.append(owner)
        elif event.kind.startswith("fit."):
            self._fits[event.kind.removeprefix("fit.")] += 1

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state.finished

    def _agent(self, role: str, number: int | None = None) -> str:
        return f"{self.name}-{role}" + ("" if number is None else f"-{number}")

    def agents(self) -> list[AgentRecord]:
        """One of each kind, and of those that train one for each that has begun a fit."""
        ended = sum(self._fits.values())
        health = 1.0 if not ended else round(1.0 - self._fits["died"] / ended, 2)
        trainers = [
            AgentRecord(self._agent("training", i), "training", _CAPABILITIES["training"], health)
            for i in range(1, max(1, len(self._owners)) + 1)
        ]
        others = ("search", "evaluation", "ensemble")
        return trainers + [AgentRecord(self._agent(r), r, _CAPABILITIES[r]) for r in others]

    def tasks(self) -> list[TaskRecord]:
        """One for each trial, each round of analysis, and the ensemble."""
        state = self.state
        tasks = [self._trial(trial) for trial in state.trials]
        rounds = {trial.round for trial in state.trials if trial.purpose == "ablation"}
        tasks.extend(
            self._task(f"analysis {r}", "evaluation", "evaluation", state.analyses.get(r))
            for r in sorted(rounds | set(state.analyses))
        )
        if state.closed:
            tasks.append(self._task("ensemble", "ensemble", "ensemble", state.ensemble))
        return tasks

    def _task(self, name: str, kind: str, role: str, result: dict[str, Any] | None) -> TaskRecord:
        status = "running" if result is None else "completed"
        if result is None and self.over:
            status = "cancelled"
        return TaskRecord(name, kind, (self._agent(role),), status, result=as_json(result))

    def _trial(self, trial: Trial) -> TaskRecord:
        if trial.number not in self._settled:
            task = self._new_trial(trial)
            if not trial.settled:
                return task
            self._settled[trial.number] = task
        return self._settled[trial.number]

    def _new_trial(self, trial: Trial) -> TaskRecord:
        what = trial.purpose if trial.block is None else f"{trial.purpose} of {trial.block}"
        agents = tuple(
            self._agent("training", self._owners.index(owner) + 1)
            for owner in self._at_work.get(trial.number, ())
        )
        status, progress, result = "pending", 0, None
        if trial.status == "done":
            status, progress, result = "completed", 100, trial_result(self.state, trial)
        elif trial.status == "failed":
            status, progress, result = "failed", 100, {"error": trial.error}
        elif self.over:
            status = "cancelled"
        elif agents:
            status, progress = "running", 100 * len(trial.fits) // self.state.folds
        name = f"trial {trial.number}: {trial.spec.family}, {what}"
        return TaskRecord(
            name, "training", agents, status, progress, as_json(result), (trial.purpose,)
        )

    def memories(self, event: Event) -> dict[str, Any]:
        """What an event, that was applied, leaves in the run's namespace, written once."""
        state = self.state
        if event.kind == "run.started":
            names = ("name", "target", "rows", "task", "metric_name", "folds", "seed", "fits")
            return {"run": as_json({name: state.manifest[name] for name in (*names, "seconds")})}
        if event.kind == "trial.evaluated":
            trial = state.trials[event.payload["trial"]]
            return {f"trial/{trial.number:06d}": trial_result(state, trial)}
        if event.kind == "analysis.done":
            return {f"analysis/{event.payload['round']:04d}": as_json(event.payload)}
        if event.kind == "ensemble.done":
            return {"ensemble": as_json(event.payload)}
        if event.kind == "run.finished":
            return {"result": self.metrics()}
        return {}

    def metrics(self) -> dict[str, Any]:
        """How far the run is."""
        best = self.state.best()
        settled = [trial for trial in self.state.trials if trial.settled]
        return {
            "trials": len(self.state.trials),
            "settled": len(settled),
            "failed": sum(trial.status == "failed" for trial in settled),
            "fits": dict(self._fits),
            "best": None if best is None else trial_result(self.state, best),
            "closed": self.state.closed,
        }


def trial_result(state: RunState, trial: Trial) -> dict[str, Any]:
    """A settled trial as JSON."""
    found: dict[str, Any] = as_json(
        {
            "trial": trial.number,
            "family": trial.spec.family,
            "pipeline": trial.spec.to_dict(),
            "purpose": trial.purpose,
            "status": trial.status,
            "metric": state.manifest["metric_name"],
            "score": trial.score,
            "ci_low": trial.ci_low,
            "ci_high": trial.ci_high,
            "error": trial.error,
            "fit_seconds": math.fsum(fit["wall_seconds"] for fit in trial.fits.values()),
        }
    )
    return found


def as_json(value: Any) -> Any:
    """JSON that any reader takes: what is not finite becomes None."""
    if isinstance(value, dict):
        return {name: as_json(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
