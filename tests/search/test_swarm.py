"""The particle swarm as a sampler of Optuna: Optuna's own suites, and what it promises beyond them."""

import itertools
import math
import pickle
import threading
import time

import numpy as np
import pytest

optuna = pytest.importorskip("optuna")
suites = pytest.importorskip("optuna.testing.pytest_samplers")

from mlestar.search import SwarmSampler  # noqa: E402
from mlestar.search.axes import Axis  # noqa: E402
from mlestar.search.particles import neighbors  # noqa: E402
from mlestar.search.surrogate import CubicSurface  # noqa: E402

D = optuna.distributions


@pytest.fixture(autouse=True)
def _quiet():
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(level)


class Suites(
    suites.BasicSamplerTestCase,
    suites.RelativeSamplerTestCase,
    suites.SingleOnlySamplerTestCase,
):
    options: dict = {}  # noqa: RUF012

    @pytest.fixture
    def sampler(self):
        return lambda: SwarmSampler(seed=0, **self.options)


class TestSwarmPassesOptunasSuites(Suites):
    pass


class TestSynchronousRingPassesOptunasSuites(Suites):
    options = {"synchronous": True, "size": 4, "topology": "ring"}  # noqa: RUF012


class TestWithoutSurrogatePassesOptunasSuites(Suites):
    options = {"surrogate": False, "topology": "von_neumann", "window": 3}  # noqa: RUF012


def study_of(direction="minimize", storage=None, **options):
    return optuna.create_study(
        sampler=SwarmSampler(**{"seed": 3, **options}), direction=direction, storage=storage
    )


def mixed(trial):
    """Every kind of parameter, conditional ones too."""
    x = trial.suggest_float("x", -5, 5)
    rate = trial.suggest_float("rate", 1e-5, 1.0, log=True)
    step = trial.suggest_float("step", 0.0, 2.0, step=0.25)
    width = trial.suggest_int("width", 1, 500, log=True)
    kind = trial.suggest_categorical("kind", ["a", "b", "c"])
    value = (x - 1) ** 2 + (math.log10(rate) + 2) ** 2 + (step - 1.5) ** 2
    value += math.log(width / 20) ** 2
    if kind == "b":
        return value + (trial.suggest_int("depth", 1, 9) - 4) ** 2 / 4
    return value + (3 if kind == "a" else trial.suggest_float("share", 0, 1) + 1)


def places(study):
    return [(t.params, t.value) for t in study.trials]


VARIANTS = [
    {},
    {"synchronous": True},
    {"topology": "ring", "size": 5, "window": 2},
    {"topology": "von_neumann", "surrogate": False, "patience": 1},
]


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_one_seed_is_one_study_and_a_resumed_one_goes_on_the_same(options):
    whole = study_of(**options)
    whole.optimize(mixed, n_trials=60)
    again = study_of(**options)
    again.optimize(mixed, n_trials=25)
    # Another process, that knows only the seed and the trials.
    again.sampler = SwarmSampler(seed=3, **options)
    again.optimize(mixed, n_trials=20)
    again.sampler = pickle.loads(pickle.dumps(again.sampler))
    again.optimize(mixed, n_trials=15)
    assert places(again) == places(whole)
    other = study_of(**{**options, "seed": 4})
    other.optimize(mixed, n_trials=60)
    assert places(other) != places(whole)


@pytest.mark.parametrize("options", [{"window": 3}, {"synchronous": True, "size": 4}], ids=str)
def test_one_seed_is_one_study_for_any_number_of_workers(options):
    def slow(trial):
        value = mixed(trial)
        time.sleep(0.003 * (trial.number % 3))
        return value

    one = study_of(**options)
    one.optimize(slow, n_trials=40)
    four = study_of(**options, wait_seconds=10.0)
    four.optimize(slow, n_trials=40, n_jobs=4)
    found = [(t.params, t.value) for t in sorted(four.trials, key=lambda t: t.number)]
    assert found == places(one)


def test_nobody_waits_longer_than_was_said():
    study = study_of(wait_seconds=0.1)
    study.ask()
    begin = time.monotonic()
    study.ask().suggest_float("x", 0, 1)
    assert 0.1 <= time.monotonic() - begin < 2


def test_trials_that_are_asked_for_together_differ():
    study = study_of()
    space = {"x": D.FloatDistribution(0, 1), "y": D.IntDistribution(0, 1000)}
    asked = [study.ask(space) for _ in range(30)]
    assert len({(t.params["x"], t.params["y"]) for t in asked}) == 30
    for trial in reversed(asked):
        study.tell(trial, trial.params["x"])
    assert 0 <= study.ask(space).params["x"] <= 1


def test_every_kind_of_parameter_is_found():
    best = [study.best_value for study in runs(mixed, 120)]
    random = [study.best_value for study in runs(mixed, 120, sampler=optuna.samplers.RandomSampler)]
    assert np.median(best) < 0.4
    assert np.median(best) < 0.5 * np.median(random)


def runs(objective, n, sampler=SwarmSampler, seeds=3, **options):
    for seed in range(seeds):
        study = optuna.create_study(sampler=sampler(seed=seed, **options))
        study.optimize(objective, n_trials=n)
        yield study


def sphere(trial):
    return sum((trial.suggest_float(f"x{i}", -5, 5) - i) ** 2 for i in range(4))


@pytest.mark.parametrize("topology", ["global", "ring", "von_neumann"])
@pytest.mark.parametrize("surrogate", [True, False])
def test_a_bowl_is_found_to_the_bottom(topology, surrogate):
    found = [s.best_value for s in runs(sphere, 120, topology=topology, surrogate=surrogate)]
    assert np.median(found) < (1e-3 if surrogate else 1.0)


def test_up_is_down_upside_down():
    down, up = study_of(), study_of("maximize")
    down.optimize(mixed, n_trials=40)
    up.optimize(lambda trial: -mixed(trial), n_trials=40)
    assert [t.params for t in down.trials] == [t.params for t in up.trials]


def test_constraints_are_kept_to():
    def constraints(trial):
        return (1.0 - trial.params["x0"], trial.params["x1"] - 0.5)

    study = study_of(constraints_func=constraints)
    study.optimize(sphere, n_trials=150)
    feasible = [t for t in study.trials if max(constraints(t)) <= 0]
    assert len(feasible) > 60
    # The bowl's bottom is (0, 1, 2, 3); the best that is allowed is (1, 0.5, 2, 3), with 1.25.
    assert 1.25 <= min(t.value for t in feasible) < 2.0
    with pytest.raises(ValueError, match="cannot be NaN"):
        study_of(constraints_func=lambda trial: (math.nan,)).optimize(sphere, n_trials=1)


def test_pruned_and_failed_trials_count_as_they_ended():
    def objective(trial):
        value = sphere(trial)
        for step in range(3):
            trial.report(value + 3 - step, step)
        if value > 30:
            raise optuna.TrialPruned
        if trial.number % 7 == 6:
            raise RuntimeError("out of luck")
        return value if trial.number % 5 else math.nan

    study = study_of()
    study.optimize(objective, n_trials=150, catch=(RuntimeError,))
    states = {state.name for state in (t.state for t in study.trials)}
    assert states == {"COMPLETE", "PRUNED", "FAIL"}
    assert study.best_value < 0.05
    every = study_of()
    every.optimize(
        lambda trial: objective(trial) if trial.number < 0 else prune(trial), n_trials=30
    )
    assert len(every.trials) == 30  # nothing but pruned trials, without a value to go by


def prune(trial):
    trial.suggest_float("x", 0, 1)
    raise optuna.TrialPruned


def test_the_swarm_starts_anew_where_it_is_stuck():
    def plateau(trial):
        return float(round(trial.suggest_float("x", 0, 1000) / 500))

    study = study_of(patience=2, surrogate=False)
    study.optimize(plateau, n_trials=200)
    swarm = study.sampler._swarm[1]
    assert swarm.epoch >= 3
    late = np.array([t.params["x"] for t in study.trials[100:]])
    assert (np.histogram(late, bins=4, range=(0, 1000))[0] > 5).all()


def test_what_others_propose_is_learned_from():
    study = study_of()
    study.enqueue_trial({f"x{i}": float(i) + 0.01 for i in range(4)})
    study.optimize(sphere, n_trials=30)
    assert study.best_value < 4.1e-4
    near = [t.value for t in study.trials[12:]]
    assert np.median(near) < 5


def test_two_studies_share_a_sampler():
    sampler = SwarmSampler(seed=1)
    first, second = (optuna.create_study(sampler=sampler) for _ in range(2))
    for _ in range(20):
        first.optimize(sphere, n_trials=1)
        second.optimize(mixed, n_trials=1)
    alone = optuna.create_study(sampler=SwarmSampler(seed=1))
    alone.optimize(sphere, n_trials=20)
    assert places(first) == places(alone)


def test_infinite_values_and_a_single_point():
    def objective(trial):
        trial.suggest_float("fixed", 2.0, 2.0)
        value = trial.suggest_float("x", 0, 1)
        return math.inf if value < 0.5 else value

    study = study_of()
    study.optimize(objective, n_trials=40)
    assert 0.5 <= study.best_value < 0.52


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**63}, "seed is 9223372036854775808, but must be below"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"size": 1}, "size is 1"),
        ({"window": True}, "window is True"),
        ({"patience": 0}, "patience is 0"),
        ({"topology": "star"}, "topology is 'star'"),
        ({"wait_seconds": math.inf}, "wait_seconds is inf"),
        ({"wait_seconds": -1.0}, "wait_seconds is -1.0"),
    ],
)
def test_bad_arguments_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        SwarmSampler(**options)


AXES = [
    D.FloatDistribution(-2, 3),
    D.FloatDistribution(1e-9, 1e3, log=True),
    D.FloatDistribution(-1.1, 1.0, step=0.3),
    D.FloatDistribution(4, 4),
    D.IntDistribution(-7, 9),
    D.IntDistribution(0, 98, step=7),
    D.IntDistribution(1, 1_000_000, log=True),
    D.CategoricalDistribution([None, True, "x", 1.5]),
]


@pytest.mark.parametrize("distribution", AXES, ids=str)
def test_axes_there_and_back(distribution, rng):
    axis = Axis(distribution)
    numbers = rng.random(200)
    numbers[:2] = 0.0, 1.0
    if axis.choices is not None:
        numbers = np.floor(numbers * axis.cells).clip(0, axis.cells - 1)
    snapped = axis.snap(numbers)
    for number, kept in zip(numbers, snapped, strict=True):
        value = axis.from_unit(number)
        assert distribution._contains(distribution.to_internal_repr(value))
        assert axis.from_unit(axis.to_unit(value)) == pytest.approx(value)
        assert axis.from_unit(kept) == pytest.approx(value)
    assert axis.to_unit("no value of this axis") is None
    if axis.choices is None:
        assert axis.to_unit(1e9) is None


def test_every_value_of_a_grid_is_as_likely_as_another(rng):
    axis = Axis(D.IntDistribution(0, 4))
    counts = np.bincount([axis.from_unit(u) for u in rng.random(5000)], minlength=5)
    assert (abs(counts - 1000) < 150).all()


def test_topologies():
    for size, topology in itertools.product(range(2, 13), ("global", "ring", "von_neumann")):
        asked = [neighbors(topology, i, size) for i in range(size)]
        assert all(i in around for i, around in enumerate(asked))
        assert all((j in asked[i]) == (i in asked[j]) for i in range(size) for j in range(size))
        reached = {0}
        for _ in range(size):
            reached |= {j for i in reached for j in asked[i]}
        assert reached == set(range(size))


def test_the_surface_goes_through_its_points(rng):
    points = rng.random((40, 3))
    values = np.sin(3 * points).sum(axis=1)
    surface = CubicSurface(points, values)
    np.testing.assert_allclose(surface(points), values, atol=1e-4)
    new = rng.random((100, 3)) * 0.6 + 0.2
    np.testing.assert_allclose(surface(new), np.sin(3 * new).sum(axis=1), atol=0.1)
    twice = np.concatenate([points, points])  # no error where points are the same
    assert np.isfinite(CubicSurface(twice, np.tile(values, 2))(new)).all()


def test_threads_may_ask_at_once():
    study = study_of()
    space = {"x": D.FloatDistribution(0, 1)}
    errors = []

    def work():
        try:
            for _ in range(20):
                trial = study.ask(space)
                study.tell(trial, trial.params["x"])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(study.trials) == 80
