"""The tools themselves: what they take and give is JSON."""

from __future__ import annotations

from typing import Any

from mlestar._lazy import require
from mlestar.engine.data import SHIPPED, load_table, read_file
from mlestar.engine.explain import column_importances
from mlestar.engine.records import as_json
from mlestar.evaluation.comparison import ModelComparator
from mlestar.mcp.folders import Folders
from mlestar.mcp.keeper import RunKeeper

_MOST_ROWS = 1000


class Toolbox:
    """What an agent may ask of mlestar.

    Parameters
    ----------
    folders : Folders
    keeper : RunKeeper

    Notes
    -----
    The public methods are the tools; their docstrings are what an agent reads of them. Bad input is
    a ValueError or one of `mlestar.exceptions`, and changes nothing.
    """

    def __init__(self, folders: Folders, keeper: RunKeeper) -> None:
        self._folders, self._keeper = folders, keeper

    def _data(self, name: str) -> str:
        return name if name in SHIPPED else str(self._folders.table(name))

    def validate_table(
        self, data: str, target: str | None = None, task: str | None = None
    ) -> dict[str, Any]:
        """Check a table before anything is learned from it.

        data is a CSV or Parquet file in the allowed folders, or the name of a table that
        scikit-learn ships; target is the column to predict (by default "target"); task is binary,
        multiclass or regression (by default as the target suggests). Gives rows, columns, classes
        and findings.
        """
        table = load_table(self._data(data), target, task=task)
        return {
            "rows": len(table.y),
            "target": table.target,
            "task": table.task,
            "classes": table.classes[:50],
            "columns": [
                {"name": column.name, "kind": column.kind} for column in table.schema.columns
            ],
            "findings": [vars(finding) for finding in table.findings],
        }

    def start_run(
        self,
        data: str,
        target: str | None = None,
        task: str | None = None,
        metric: str | None = None,
        seconds: float | None = None,
        fits: int | None = None,
        seed: int = 0,
    ) -> dict[str, Any]:
        """Start the search for a model, and come back at once; poll_run tells how it goes.

        The budget is in seconds, in fits (a pipeline on one fold; then the same seed gives the same
        run), or both, within the server's limits. The run goes on if you disconnect.
        """
        table = load_table(self._data(data), target, task=task)  # bad input is said here
        options = [f"--seed={seed}", f"--target={table.target}"]
        for name, value in (("--task", task), ("--metric", metric)):
            if value is not None:
                options.append(f"{name}={value}")
        run = self._keeper.start(self._data(data), seconds=seconds, fits=fits, options=options)
        return {"run": run, "state": "starting"}

    def list_runs(self) -> dict[str, Any]:
        """Names of all runs; those of one table are in order of time."""
        return {"runs": self._keeper.names()}

    def poll_run(self, run: str) -> dict[str, Any]:
        """How a run is doing: starting, running, finished, stopped (see resume_run) or failed."""
        return self._keeper.look(run)

    def stop_run(self, run: str) -> dict[str, Any]:
        """End a run's search now; it writes the best that it has found, and is finished then."""
        return {"run": run, "asked": self._keeper.stop(run)}

    def resume_run(self, run: str) -> dict[str, Any]:
        """Go on with a run whose process ended before it was finished."""
        self._keeper.resume(run)
        return {"run": run, "state": "starting"}

    def leaderboard(self, run: str, limit: int = 20) -> dict[str, Any]:
        """A run's trials by score, with intervals and pipelines; also of a run under way."""
        found = self._keeper.read(run)
        rows = found.leaderboard
        return {
            "metric": found._state.manifest["metric_name"],
            "greater_is_better": found._state.greater_is_better,
            "trials": len(rows),
            "rows": [as_json(row) for row in rows[: _limit(limit)]],
        }

    def ablation(self, run: str) -> dict[str, Any]:
        """What each part of the best pipeline was worth: paired differences with intervals."""
        return {"rounds": [as_json(row) for row in self._keeper.read(run).ablation]}

    def explain(self, run: str) -> dict[str, Any]:
        """What the final model is made of, and how much worse it gets when a column is shuffled."""
        found = self._keeper.read(run)
        importances = column_importances(found.folder, found._state)
        members = [
            {"trial": number, "weight": weight, **found._state.trials[number].spec.to_dict()}
            for number, weight in sorted(found.weights.items(), key=lambda pair: -pair[1])
        ]
        return {"members": members, "importances": [as_json(row) for row in importances]}

    def predict(self, run: str, data: str, offset: int = 0, limit: int = 100) -> dict[str, Any]:
        """Predictions of a finished run's model for rows of a table in the allowed folders.

        Gives at most limit rows (up to 1000) from offset on, and how many the table has.
        """
        model = self._keeper.read(run).model
        if offset < 0:
            raise ValueError(f"offset is {offset}, but must not be negative")
        table = read_file(self._folders.table(data), require("pandas", "run"))
        part = table.iloc[offset : offset + _limit(limit)]
        found: dict[str, Any] = {"rows": len(table), "offset": offset, "predictions": []}
        if len(part):
            found["predictions"] = model.predict(part).tolist()
            if model.task != "regression":
                found["classes"] = list(model.classes)
                found["probabilities"] = model.predict_proba(part).tolist()
        return found

    def compare_models(
        self, run: str, first: int, second: int, other_run: str | None = None
    ) -> dict[str, Any]:
        """Whether one trial's model is better than another's, by a paired test on the same folds.

        first is a trial of run; second one of other_run (by default the same), which must have had
        the same table, folds and metric.
        """
        runs = [self._keeper.read(run), self._keeper.read(other_run or run)]
        manifests = [found._state.manifest for found in runs]
        for what in ("X", "y", "folds_of_rows", "metric"):
            if manifests[0][what] != manifests[1][what]:
                raise ValueError(f"{run} and {other_run} differ in {what}: nothing can be paired")
        trials = []
        for found, number in zip(runs, (first, second), strict=True):
            known = found._state.trials
            if not 0 <= number < len(known) or known[number].status != "done":
                done = [trial.number for trial in known if trial.status == "done"]
                raise ValueError(f"trial {number} has no scores; those that have: {done[:50]}")
            trials.append(known[number])
        result = ModelComparator(float(manifests[0]["confidence"])).compare(
            trials[0].scores, trials[1].scores
        )
        better = (result.difference > 0) == runs[0]._state.greater_is_better
        answer: dict[str, Any] = as_json(
            {
                "metric": manifests[0]["metric_name"],
                "first": trials[0].score,
                "second": trials[1].score,
                **vars(result),
                "better": None if not result.difference else ("first" if better else "second"),
            }
        )
        return answer


def _limit(limit: int) -> int:
    if not 1 <= limit <= _MOST_ROWS:
        raise ValueError(f"limit is {limit}, but must be from 1 to {_MOST_ROWS}")
    return limit
