"""What a finished search leaves in its folder: model, out-of-fold predictions, report."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from mlestar._lazy import require
from mlestar.agents.ensemble import out_of_fold
from mlestar.agents.fitting import refit_all
from mlestar.agents.folds import PLAN, plan_of
from mlestar.agents.state import RunState, Trial
from mlestar.agents.training import PRELOAD
from mlestar.coordination.artifacts import ArtifactStore
from mlestar.coordination.base import Event
from mlestar.coordination.journal import Journal
from mlestar.engine.learned import keep_pattern, learned_section
from mlestar.engine.loop import Clock
from mlestar.engine.model import write_model
from mlestar.evaluation.comparison import mean_interval
from mlestar.evaluation.metrics import MetricsCalculator
from mlestar.evaluation.report import ReportContent, ReportGenerator
from mlestar.execution.processes import ProcessExecutor
from mlestar.pipeline.schema import TableSchema


def finish(
    folder: Path, journal: Journal, state: RunState, clock: Clock, workers: int | None
) -> None:
    """Write model, predictions and report, then say that the run is finished."""
    artifacts = ArtifactStore(folder / "artifacts")
    weights = members_of(state)
    refitted = False
    if weights:
        files: list[list[bytes | Path]] = [
            [artifacts.path(fit["model"]) for _, fit in sorted(trial.fits.items())]
            for trial, _ in weights
        ]
        if state.manifest["refit"]:
            again = _refit(folder, state, [trial for trial, _ in weights], clock, workers)
            if again is not None:
                files, refitted = [[artifacts.path(name)] for name in again], True
        manifest = state.manifest
        write_model(
            folder / "model",
            TableSchema.from_dict(manifest["schema"]),
            manifest["task"],
            manifest["classes"],
            manifest["metric"],
            [weight for _, weight in weights],
            files,
        )
    answer = ensemble_answer(state, artifacts)
    if answer is not None:
        _write_predictions(folder / "predictions.csv", state, artifacts, answer)
    pattern = keep_pattern(state)
    if pattern is not None:
        journal.append([pattern])
    write_report(folder, state, clock)
    reason = state.closed
    said = {"reason": reason, "refitted": refitted, "coordination_seconds": clock.coordination}
    journal.append([Event("run.finished", "", said)])


def members_of(state: RunState) -> list[tuple[Trial, float]]:
    """The ensemble's trials and weights, the heaviest first."""
    weights = (state.ensemble or {}).get("weights", {})
    pairs = [(state.trials[int(number)], float(weight)) for number, weight in weights.items()]
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0].number))


def ensemble_answer(state: RunState, artifacts: ArtifactStore) -> Any:
    """The ensemble's out-of-fold answer; None where there is no ensemble."""
    members = members_of(state)
    if not members:
        return None
    return sum(weight * out_of_fold(state, artifacts, trial) for trial, weight in members)


def ensemble_score(state: RunState, artifacts: ArtifactStore, answer: Any) -> dict[str, Any]:
    """The ensemble's mean fold score with its interval, and the gain over the best single trial."""
    manifest = state.manifest
    metric = MetricsCalculator.find(manifest["metric"])
    plan = plan_of(artifacts, manifest)
    given = answer.argmax(axis=1) if metric.response == "label" else answer
    scores = [
        float(metric.score(plan.y[test], given[test]))
        for _, test in (plan.rows(fold) for fold in range(plan.n_splits))
    ]
    mean, low, high = mean_interval(scores, float(manifest["confidence"]))
    low, high = metric.bounded(low, high)
    return {"score": mean, "ci_low": low, "ci_high": high}


def write_report(folder: Path, state: RunState, clock: Clock | None = None) -> Path:
    """Write ``report.html`` from what the journal says."""
    artifacts = ArtifactStore(folder / "artifacts")
    manifest = state.manifest
    answer = ensemble_answer(state, artifacts)
    members = members_of(state)
    content = ReportContent(
        title=f"{manifest['target']} of {manifest['name']}",
        task=manifest["task"],
        metric=manifest["metric_name"],
        greater_is_better=state.greater_is_better,
        classes=manifest["classes"],
        leaderboard=leaderboard(state),
        analyses=[state.analyses[r] for r in sorted(state.analyses)],
        weights=[
            (f"trial {trial.number}: {trial.spec.family}", weight) for trial, weight in members
        ],
        ensemble=None if answer is None else ensemble_score(state, artifacts, answer),
        choice=state.ensemble or {},
        patterns=learned_section(state),
        y=None if answer is None else artifacts.get_array(manifest["y"]),
        answer=answer,
        findings=manifest["findings"],
        settings={
            "rows": manifest["rows"],
            "columns": len(manifest["schema"]["columns"]),
            "task": manifest["task"],
            "metric": manifest["metric_name"],
            "folds": manifest["folds"],
            "seed": manifest["seed"],
            "budget in fits": manifest["fits"],
            "budget in seconds": manifest["seconds"],
            "search ended by": state.closed,
            **_tally(state),
            **({} if clock is None else {"coordination": _cost(clock)}),
            "ensemble weighed by": (state.ensemble or {}).get("metric"),
            "ensemble chosen": (state.ensemble or {}).get("method"),
        },
        config=manifest["config"],
        elapsed=None if clock is None else clock.elapsed,
    )
    return ReportGenerator().write(content, folder / "report.html")


def _tally(state: RunState) -> dict[str, str]:
    """How often each sampler proposed, and how often it was better than half of those before."""
    outcomes = state.outcomes()
    found = {}
    for name in state.samplers:
        good = [was_good for who, was_good in outcomes if who == name]
        found[f"proposed by {name}"] = f"{len(good)} trials, {sum(good)} better than the median"
    return found


def _cost(clock: Clock) -> str:
    return f"{clock.coordination:.2f} s, {clock.coordination_share:.1%} of the session"


def leaderboard(state: RunState) -> list[dict[str, Any]]:
    """Trials by score, failed ones last."""
    done = [t for t in state.trials if t.status == "done"]
    failed = [t for t in state.trials if t.status == "failed"]
    rows = []
    for rank, trial in enumerate(
        [*sorted(done, key=lambda t: (state.error_of(t), t.number)), *failed], start=1
    ):
        rows.append(
            {
                "rank": rank if trial.status == "done" else None,
                "trial": trial.number,
                "family": trial.spec.family,
                "score": trial.score,
                "ci_low": trial.ci_low,
                "ci_high": trial.ci_high,
                "params": trial.spec.to_dict(),
                "status": trial.status,
                "error": trial.error,
                "fit_seconds": math.fsum(fit["wall_seconds"] for fit in trial.fits.values()),
                "wall_time": trial.wall_time,
                "purpose": trial.purpose,
            }
        )
    return rows


def _write_predictions(path: Path, state: RunState, artifacts: ArtifactStore, answer: Any) -> None:
    """Out-of-fold predictions of the ensemble, a row for each row of the table."""
    pandas = require("pandas", "run")
    manifest = state.manifest
    y = artifacts.get_array(manifest["y"])
    classes = manifest["classes"]
    columns: dict[str, Any] = {"row": np.arange(len(y))}
    if classes:
        columns["target"] = [classes[i] for i in y]
        columns["prediction"] = [classes[i] for i in answer.argmax(axis=1)]
        for place, label in enumerate(classes):
            columns[f"probability of {label}"] = answer[:, place]
    else:
        columns |= {"target": y, "prediction": answer}
    temporary = path.with_suffix(".part")
    pandas.DataFrame(columns).to_csv(temporary, index=False)
    temporary.replace(path)


def _refit(
    folder: Path, state: RunState, trials: list[Trial], clock: Clock, workers: int | None
) -> list[str] | None:
    """Each member fitted on all rows; None where the time does not reach."""
    seconds = None if clock.left is None else clock.left - 2.0
    if seconds is not None and seconds <= 0.0:
        return None
    names = ("task", "threads", "memory_bytes", "cardinalities", "seed", *PLAN)
    jobs = [
        {**{n: state.manifest[n] for n in names}, "spec": trial.spec.to_dict()} for trial in trials
    ]
    with ProcessExecutor(workers or 1, preload=PRELOAD) as executor:
        tasks = [executor.submit(refit_all, str(folder), job, timeout=seconds) for job in jobs]
        outcomes = [task.outcome() for task in tasks]
    if any(outcome.status != "done" for outcome in outcomes):
        return None
    return [outcome.value for outcome in outcomes]
