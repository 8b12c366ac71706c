"""What patterns of other tables are worth on a table that none of them is of.

    python -m bench.search.pattern_quality --results FILE [--data FOLDER] [--seeds N] [--jobs N]

For each table of `bench.search.pattern_tables`: one run of 24 pipelines on each other table leaves its pattern;
then, with each of five seeds, a run of ten fits (two pipelines, five folds) starts without patterns and another
with those of all other tables. It runs what FILE (JSON lines) does not hold yet and prints, whoever wins: the error
of the best pipeline by cross-validation and, fitted on all rows the run saw, on rows that it did not; the part of
the error that patterns save; and Wilcoxon's test over the tables. 1 - ROC AUC, log loss or RMSE, as the task has it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import statistics
import tempfile
import warnings
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from bench.search.pattern_tables import (
    FITS,
    FOLDS,
    KNOWN_FITS,
    KNOWN_FOLDS,
    REAL,
    SEEDS,
    TABLES,
    load,
)

# A seed of its own for the runs that patterns come from.
_KNOWN_SEED = 1000


def search(
    name: str, data: Path | None, fits: int, folds: int, seed: int, patterns: Path | None
) -> Any:
    """The state of a run's search, and the table's rows; all in this process."""
    from mlestar.agents import EvaluationAgent, RunState, SearchAgent, TrainingAgent
    from mlestar.config import MLConfig
    from mlestar.coordination import Journal
    from mlestar.engine.data import load_table
    from mlestar.engine.prepare import prepare
    from mlestar.execution import SerialExecutor

    X, y, X_test, y_test = load(name, data)
    config = MLConfig.from_dict(
        {
            "training_params": {"fits": fits, "seed": seed},
            "evaluation_config": {"folds": folds},
            "coordination_config": {"patterns": None if patterns is None else str(patterns)},
        }
    )
    task = "regression" if name in ("abalone", "winequality-red") else None
    table = load_table(X, y, task=task)
    # Models are not asked for, and writing them would take longer than fitting them.
    unwritten = mock.patch("mlestar.agents.fitting.dumps", return_value=b"")
    with tempfile.TemporaryDirectory() as folder, unwritten:
        run = prepare(table, config, Path(folder) / "run")
        journal = Journal(run / "journal.db")
        state, seen = RunState(), 0
        agents = [SearchAgent(), TrainingAgent(run, journal, SerialExecutor()), EvaluationAgent()]
        while not state.closed:
            events = journal.events(seen)
            seen = events[-1].seq if events else seen
            for event in events:
                state.apply(event)
            for agent in agents:
                journal.append(agent.step(events))
        journal.close()
    return state, table, X_test, y_test


def measure(
    name: str, data: Path | None, seed: int, patterns: dict[str, Any] | None
) -> dict[str, Any]:
    """Errors of a run of ten fits: of its best pipeline by its folds, and on rows it has not seen."""
    from mlestar.agents.fitting import answer
    from mlestar.coordination import EmbeddedStore
    from mlestar.evaluation import MetricsCalculator
    from mlestar.pipeline import PipelineSpec, TableSchema, make_pipeline
    from mlestar.search import Pattern, PatternMemory

    with tempfile.TemporaryDirectory() as folder:
        file = None
        if patterns is not None:
            file = Path(folder) / "patterns.db"
            store = EmbeddedStore(file)
            for other, run in patterns.items():
                results = [(PipelineSpec.from_dict(spec), error) for spec, error in run["results"]]
                pattern = Pattern.of(*run["about"], run["features"], results)
                if other != name and pattern is not None:
                    PatternMemory(store).keep(pattern)
            store.close()
        state, table, X_test, y_test = search(name, data, FITS, FOLDS, seed, file)
    best = state.best()
    schema = TableSchema.from_dict(state.manifest["schema"])
    task = state.manifest["task"]
    pipeline, arguments = make_pipeline(best.spec, task, schema.cardinalities, seed=seed)
    pipeline.fit(schema.matrix(table.features), table.y, **arguments)
    numbers = {value: i for i, value in enumerate(table.classes)}
    truth = np.array([numbers[v] for v in y_test.tolist()]) if table.classes else y_test
    metric = MetricsCalculator.find(state.manifest["metric"])
    given = answer(pipeline, schema.matrix(X_test), task, len(table.classes))
    return {
        "table": name,
        "seed": seed,
        "patterns": patterns is not None,
        "cv": _error(metric, best.score),
        "test": _error(metric, float(metric.score(truth, given))),
        "families": [trial.spec.family for trial in state.trials],
    }


def _error(metric: Any, score: float) -> float:
    return 1.0 - score if metric.name == "roc_auc" else abs(score)


def learn(name: str, data: Path | None) -> dict[str, Any]:
    """What a run finds on one table, of which its pattern is made."""
    from mlestar.engine.learned import results_of

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "patterns.db"
        state, *_ = search(name, data, KNOWN_FITS, KNOWN_FOLDS, _KNOWN_SEED, file)
    asked, manifest = state.manifest["patterns"], state.manifest
    return {
        "table": name,
        "about": [asked["table"], name, manifest["task"], manifest["metric_name"]],
        "features": asked["features"],
        "results": [[spec.to_dict(), error] for spec, error in results_of(state)],
    }


def report(rows: list[dict[str, Any]]) -> None:
    """Print the table."""
    from scipy.stats import wilcoxon

    found: dict[str, dict[bool, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if "seed" in row:
            found[row["table"]][row["patterns"]].append(row)
    names = [n for n in (*TABLES, *REAL) if set(found[n]) == {True, False}]
    if not names:
        return
    print(
        f"{'table':<26}{'cv without':>11}{'with':>10}{'saved':>8}{'test without':>14}{'with':>10}{'saved':>8}"
    )
    saved: dict[str, list[float]] = {"cv": [], "test": []}
    ratios: dict[str, list[float]] = {"cv": [], "test": []}
    for name in names:
        line = f"{name:<26}"
        for part, widths in (("cv", (11, 10)), ("test", (14, 10))):
            without, with_ = (
                statistics.fmean(row[part] for row in found[name][kind]) for kind in (False, True)
            )
            saved[part].append(1.0 - with_ / without if without > 0 else 0.0)
            ratios[part].append(math.log((with_ + 1e-9) / (without + 1e-9)))
            line += f"{without:>{widths[0]}.4g}{with_:>{widths[1]}.4g}{saved[part][-1]:>8.1%}"
        print(line)
    seeds = len({row["seed"] for row in rows if "seed" in row})
    for part, values in saved.items():
        better = sum(v > 0 for v in values)
        worse = sum(v < 0 for v in values)
        p = wilcoxon(values).pvalue if any(values) else 1.0
        print(
            f"{part}: {len(values)} tables, {seeds} seeds, {FITS} fits: patterns save {statistics.fmean(values):.1%} of the "
            f"error (median {statistics.median(values):.1%}; geometric mean of the ratio {math.exp(statistics.fmean(ratios[part])):.3f}), "
            f"better on {better}, worse on {worse}; Wilcoxon p = {p:.2g}"
        )


def main() -> None:
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="folder of the real tables; without it, none")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    rows = []
    if arguments.results.exists():
        rows = [json.loads(line) for line in arguments.results.read_text().splitlines()]
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    warnings.simplefilter("ignore")
    data = arguments.data
    names = TABLES + (() if data is None else REAL)
    with ProcessPoolExecutor(arguments.jobs) as pool, arguments.results.open("a") as file:

        def gather(futures: list[Any]) -> None:
            for future in as_completed(futures):
                rows.append(future.result())
                print(json.dumps(rows[-1]), file=file, flush=True)

        known = {row["table"] for row in rows if "results" in row}
        gather([pool.submit(learn, name, data) for name in names if name not in known])
        patterns = {row["table"]: row for row in rows if "results" in row}
        done = {(row["table"], row["seed"], row["patterns"]) for row in rows if "seed" in row}
        gather(
            [
                pool.submit(measure, name, data, seed, patterns if with_ else None)
                for seed in range(arguments.seeds)
                for name in names
                for with_ in (False, True)
                if (name, seed, with_) not in done
            ]
        )
    with contextlib.suppress(BrokenPipeError):
        report(rows)


if __name__ == "__main__":
    main()
