"""The swarm against other samplers, on the lists of `bench.search.swarm_problems`.

    python -m bench.search.swarm_quality --results FILE [--data FOLDER] [--seeds N] [--jobs N] [--only WORDS]

runs what FILE (JSON lines) does not hold yet and prints the table: mean ranks of all and of each kind of
problem, Friedman's test with Nemenyi's critical difference, and Wilcoxon's test against the swarm with
Holm's correction; --plot FILE draws the critical differences. BBOB needs `pip install coco-experiment`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import time
import warnings
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from bench.search.swarm_problems import SAMPLERS, SEEDS, TRIALS, objective, problems
from mlestar.evaluation import friedman_test, pairwise_wilcoxon_test
from mlestar.search import SwarmSampler


class PlainSwarm(optuna.samplers.BaseSampler):
    """Particle swarm as OptunaHub's sampler has it: 10 particles by generations, inertia 0.5, both
    attractions 1.5; categorical parameters, and those that not all trials have, are drawn at random."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._random = optuna.samplers.RandomSampler(seed=seed)
        self._space = optuna.search_space.IntersectionSearchSpace()
        self._velocity: dict[int, Any] = {}

    def infer_relative_search_space(self, study: Any, trial: Any) -> Any:
        space = self._space.calculate(study)
        kind = optuna.distributions.CategoricalDistribution
        return {n: d for n, d in space.items() if not isinstance(d, kind) and not d.single()}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> Any:
        particle = trial.number % 10
        done = [t for t in study.get_trials(deepcopy=False) if t.value is not None]
        done = [t for t in done if all(name in t.params for name in search_space)]
        mine = [t for t in done if t.number % 10 == particle]
        if not search_space or not mine:
            return {}
        bounds = optuna._transform._SearchSpaceTransform(search_space, transform_0_1=True)
        here, own, best = (
            bounds.transform({name: t.params[name] for name in search_space})
            for t in (
                mine[-1],
                min(mine, key=lambda t: t.value),
                min(done, key=lambda t: t.value),
            )
        )
        velocity = self._velocity.get(particle)
        if velocity is None or velocity.shape != here.shape:
            velocity = self._rng.uniform(-0.1, 0.1, here.shape)
        first, second = self._rng.random((2, *here.shape))
        velocity = 0.5 * velocity + 1.5 * first * (own - here) + 1.5 * second * (best - here)
        self._velocity[particle] = velocity
        return bounds.untransform(np.clip(here + velocity, 0.0, 1.0))

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        return self._random.sample_independent(study, trial, name, distribution)


def make_sampler(name: str, seed: int) -> Any:
    """A sampler by its name, otherwise as it comes."""
    samplers = optuna.samplers
    if name == "swarm":
        return SwarmSampler(seed=seed)
    if name == "tpe":
        return samplers.TPESampler(seed=seed)
    if name == "cmaes":
        return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
    return PlainSwarm(seed) if name == "pso" else samplers.RandomSampler(seed=seed)


def run_one(
    problem: str, sampler: str, seed: int, data: Path | None, trials: int, instance: int
) -> dict[str, Any]:
    """The best value that a sampler finds, and the seconds that the study took."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    study = optuna.create_study(sampler=make_sampler(sampler, seed))
    begin = time.perf_counter()
    study.optimize(objective(problem, data, instance), n_trials=trials)
    return {
        "problem": problem,
        "sampler": sampler,
        "seed": seed,
        "trials": trials,
        "instance": instance,
        "best": study.best_value,
        "seconds": time.perf_counter() - begin,
    }


def table_of(rows: list[dict[str, Any]]) -> tuple[list[str], Any]:
    """Problems that every sampler has done, and the median best of each; shape (n, 5)."""
    found = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row["problem"]][row["sampler"]].append(row["best"])
    names = sorted(name for name, by in found.items() if set(by) == set(SAMPLERS))
    return names, np.array([[statistics.median(found[n][s]) for s in SAMPLERS] for n in names])


def report(rows: list[dict[str, Any]]) -> Any:
    """Print the tables; the last Friedman test."""
    last = None
    for kind in ("bbob", "tuning", "all"):
        chosen = [r for r in rows if kind == "all" or (kind == "bbob") == ("bbob" in r["problem"])]
        names, table = table_of(chosen)
        if len(names) < 2:
            continue
        last = friedman_test(table, names=SAMPLERS, greater_is_better=False)
        seeds = len({row["seed"] for row in chosen})
        print(f"\n{kind}: {len(names)} problems, {seeds} seeds. {last}")
        wins = (table[:, :1] < table).sum(axis=0)
        for place, name in enumerate(SAMPLERS[1:], start=1):
            losses = int((table[:, 0] > table[:, place]).sum())
            print(f"  swarm against {name}: better on {wins[place]}, worse on {losses}")
        for pair in pairwise_wilcoxon_test(
            np.log(_positive(table)), names=SAMPLERS, control="swarm"
        ):
            print(f"  {pair}")
    return last


def _positive(table: Any) -> Any:
    """Values from 1 upwards within each problem, so that problems can be compared as ratios."""
    low = table.min(axis=1, keepdims=True)
    width = np.median(table, axis=1, keepdims=True) - low
    return 1.0 + (table - low) / np.where(width > 0, width, 1.0)


def plot(test: Any, path: Path) -> None:
    """Mean ranks on a line, with the critical difference."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 2))
    order = sorted(zip(test.mean_ranks, test.names, strict=True))
    for height, (rank, name) in enumerate(order):
        axes.plot([rank, rank], [0, -1 - height], color="0.6", linewidth=1)
        axes.plot([rank], [0], "ko")
        axes.text(rank, -1 - height, f" {name} {rank:.2f}", va="center")
    first = order[0][0]
    axes.plot([first, first + test.critical_difference], [1, 1], color="C0", linewidth=3)
    axes.text(first, 1.2, f"critical difference {test.critical_difference:.2f}")
    axes.set(xlabel="mean rank (1 is the best)", yticks=[], ylim=(-len(order) - 1, 2.5))
    axes.spines[["left", "top", "right"]].set_visible(False)
    figure.savefig(path, bbox_inches="tight", dpi=120)


def main() -> None:
    """Run what is missing, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", help="problems whose names begin so")
    parser.add_argument("--instance", type=int, default=1, help="of BBOB; others are for practice")
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    rows = []
    if arguments.results.exists():
        rows = [json.loads(line) for line in arguments.results.read_text().splitlines()]
    done = {(row["problem"], row["sampler"], row["seed"]) for row in rows}
    todo = [
        (problem, sampler, seed)
        for seed in range(arguments.seeds)
        for problem in problems()
        if problem.startswith(arguments.only)
        if "bbob" in problem or arguments.data or problem.split("/")[0] in SHIPPED
        for sampler in SAMPLERS
        if (problem, sampler, seed) not in done
    ]
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with ProcessPoolExecutor(arguments.jobs) as pool, arguments.results.open("a") as file:
        rest = (arguments.data, arguments.trials, arguments.instance)
        for future in as_completed([pool.submit(run_one, *one, *rest) for one in todo]):
            rows.append(future.result())
            assert math.isfinite(rows[-1]["best"])
            print(json.dumps(rows[-1]), file=file, flush=True)
    test = report(rows)
    if arguments.plot is not None and test is not None:
        plot(test, arguments.plot)


SHIPPED = ("breast_cancer", "digits", "wine", "diabetes")

if __name__ == "__main__":
    main()
