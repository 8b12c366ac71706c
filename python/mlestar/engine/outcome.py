"""What a run found and what it took, as the figures of ``swarm_benchmark``."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import numpy as np

from mlestar.agents.ensemble import out_of_fold
from mlestar.agents.fitting import answer
from mlestar.coordination.artifacts import ArtifactStore
from mlestar.coordination.journal import Journal
from mlestar.coordination.swarm_benchmark.metrics import MLPerformanceMetrics, MLQualityMetrics
from mlestar.coordination.swarm_benchmark.records import as_json
from mlestar.engine.finish import ensemble_answer, ensemble_score
from mlestar.engine.records import RunRecords, trial_result
from mlestar.engine.runs import Run
from mlestar.evaluation.metrics import MetricsCalculator

_BINS = 10


def outcome_of(finished: Run, *, seconds: float) -> dict[str, Any]:
    """What a run found and took, as plain JSON.

    Parameters
    ----------
    finished : Run
    seconds : float
        That it took.

    Returns
    -------
    dict
        ``output`` (leaderboard, weights, agents, tasks, results), and ``performance`` and
        ``quality``: fields of `MLPerformanceMetrics` and `MLQualityMetrics`.
    """
    journal = Journal(finished.folder / "journal.db", create=False)
    events = journal.events()
    journal.close()
    records = RunRecords("mlestar")
    for event in events:
        records.apply(event)
    state = records.state
    artifacts = ArtifactStore(finished.folder / "artifacts")
    output = {
        "finished": finished.finished,
        "interrupted": finished.interrupted,
        "metric": state.manifest["metric_name"],
        "leaderboard": finished.leaderboard,
        "weights": {str(number): weight for number, weight in finished.weights.items()},
        "agents": [asdict(agent) for agent in records.agents()],
        "tasks": [asdict(task) for task in records.tasks()],
        "results": [trial_result(state, trial) for trial in state.trials if trial.settled],
    }
    return {
        "output": as_json(output),
        "performance": asdict(_performance(finished, records, events, seconds)),
        "quality": asdict(_quality(state, artifacts)),
    }


def _performance(
    finished: Run, records: RunRecords, events: Any, seconds: float
) -> MLPerformanceMetrics:
    state = records.state
    fits = [fit for trial in state.trials for fit in trial.fits.values()]
    first = next((event.time for event in events if event.kind == "fit.started"), None)
    rows, folds = int(state.manifest["rows"]), state.folds
    predict = 0.0
    if finished.weights:
        X = ArtifactStore(finished.folder / "artifacts").get_array(state.manifest["X"])
        members = [p for _, pipelines in finished.model.members for p in pipelines]
        begin = time.perf_counter()
        for pipeline in members:
            answer(pipeline, X, state.manifest["task"], len(state.manifest["classes"]))
        predict = time.perf_counter() - begin
    return MLPerformanceMetrics.of(
        fits,
        seconds=seconds,
        rows_per_fit=rows * (folds - 1) / folds,
        queue_seconds=0.0 if first is None else max(0.0, first - state.started_at),
        failed=sum(event.kind == "fit.failed" for event in events),
        died=sum(event.kind == "fit.died" for event in events),
        predict_seconds=predict,
        predict_rows=rows if finished.weights else 0,
        coordination_seconds=sum(
            float(event.payload.get("coordination_seconds", 0.0))
            for event in events
            if event.kind == "run.finished"
        ),
    )


def _quality(state: Any, artifacts: ArtifactStore) -> MLQualityMetrics:
    manifest = state.manifest
    best, settled = state.best(), [trial for trial in state.trials if trial.settled]
    if best is None:
        return MLQualityMetrics(metric=manifest["metric_name"])
    given = ensemble_answer(state, artifacts)
    if given is None:
        given = out_of_fold(state, artifacts, best)
        found = {"score": best.score, "ci_low": best.ci_low, "ci_high": best.ci_high}
    else:
        found = ensemble_score(state, artifacts, given)
    y = artifacts.get_array(manifest["y"])
    accuracy, calibration = _accuracy(y, given, manifest["task"])
    metric = MetricsCalculator.find(manifest["metric"])
    first = next((trial.score for trial in state.trials if trial.status == "done"), None)
    return MLQualityMetrics.of(
        manifest["metric_name"],
        best.scores,
        score=found["score"],
        interval=(found["ci_low"], found["ci_high"]),
        baseline=first,
        best=1.0 if metric.greater_is_better else 0.0,
        greater_is_better=metric.greater_is_better,
        accuracy=accuracy,
        calibration_error=calibration,
        completeness=sum(trial.status == "done" for trial in settled) / len(settled),
    )


def _accuracy(y: Any, answer: Any, task: str) -> tuple[float, float | None]:
    """Accuracy (or R^2, at least 0) of an answer, and its expected calibration error."""
    if task == "regression":
        spread = float(((y - y.mean()) ** 2).sum())
        left = float(((y - answer) ** 2).sum())
        return (max(0.0, 1.0 - left / spread) if spread else 0.0), None
    chosen, right = answer.max(axis=1), answer.argmax(axis=1) == y
    bins = np.minimum((chosen * _BINS).astype(np.int64), _BINS - 1)
    gaps = [
        abs(float(chosen[bins == b].mean() - right[bins == b].mean())) * float((bins == b).mean())
        for b in np.unique(bins)
    ]
    return float(right.mean()), float(sum(gaps))
