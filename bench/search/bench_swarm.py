"""What the swarm adds to Optuna's own time for a trial.

    python -m bench.search.bench_swarm

prints milliseconds of processor time a trial, over 200 trials, beyond those of a sampler that only draws
numbers; run as a test, the answers are checked.
"""

import time

import optuna
import pytest

from mlestar.search import SwarmSampler

TRIALS = 200
SAMPLERS = {
    "random": optuna.samplers.RandomSampler,
    "swarm": SwarmSampler,
    "tpe": optuna.samplers.TPESampler,
    "cmaes": optuna.samplers.CmaEsSampler,
}


def bowl(trial: optuna.Trial, dimension: int) -> float:
    """A quadratic function that every sampler gets near to the bottom of."""
    return sum((trial.suggest_float(f"x{i}", -5, 5) - i / dimension) ** 2 for i in range(dimension))


def milliseconds(sampler: str, dimension: int, trials: int = TRIALS) -> tuple[float, float]:
    """Milliseconds of processor time a trial, and the best value."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=SAMPLERS[sampler](seed=0))
    begin = time.process_time()
    study.optimize(lambda trial: bowl(trial, dimension), n_trials=trials)
    return (time.process_time() - begin) / trials * 1e3, study.best_value


@pytest.mark.parametrize("dimension", [5, 10])
def test_the_swarm_is_cheap(benchmark, dimension):
    spent, best = benchmark.pedantic(milliseconds, args=("swarm", dimension), rounds=1)
    assert best < 0.5
    assert spent < 10  # a machine under any load; the table says what it is


def main() -> None:
    """Print the table: least of five interleaved runs."""
    print(f"{'dimension':>10}" + "".join(f"{name:>12}" for name in SAMPLERS))
    for dimension in (5, 10):
        runs = [{name: milliseconds(name, dimension)[0] for name in SAMPLERS} for _ in range(5)]
        least = {name: min(run[name] for run in runs) for name in SAMPLERS}
        cells = "".join(f"{least[name] - least['random']:>9.3f} ms" for name in SAMPLERS)
        print(f"{dimension:>10}{cells}")


if __name__ == "__main__":
    main()
