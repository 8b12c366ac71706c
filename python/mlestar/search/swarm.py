"""Particle swarm as a sampler of Optuna."""

from __future__ import annotations

import math
import secrets
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mlestar._lazy import require
from mlestar.search.axes import Axis
from mlestar.search.particles import (
    COMPLETE,
    FAILED,
    INFEASIBLE,
    PRUNED,
    Key,
    Swarm,
    neighbors,
)
from mlestar.search.surrogate import squared_distances
from mlestar.search.table import Table, spread_out

optuna = require("optuna", "run")
_base: Any = optuna.samplers._base
_States = optuna.trial.TrialState

TOPOLOGIES = ("global", "ring", "von_neumann")

# Inertia and attraction of Clerc and Kennedy (2002), with which a swarm contracts.
_INERTIA, _ATTRACTION = 0.7298, 1.49618
# Shares of a categorical parameter's next choice: as it was, one's own best, the best of those that
# are asked, anything.
_SHARES = (0.15, 0.225, 0.375, 0.25)
# Moves that the surrogate judges: the particle's own, and steps about the best.
_MOVES, _ABOUT = 10, 50
_RADII = np.array([0.2, 0.1, 0.05, 0.02, 0.005])
# Regis and Shoemaker (2007): the weight of a low value against that of a new place, in turn.
_WEIGHTS = (0.5, 0.8, 0.95, 1.0)


class SwarmSampler(_base.BaseSampler):  # type: ignore[misc]
    """Particle swarm (Kennedy and Eberhart, 1995), whose moves a surrogate judges (Regis, 2014).

    Parameters
    ----------
    seed : int, default=None
        From 0. By default another one each time.
    size : int, default=8
        Particles, at least 2: trial k moves particle ``k % size``.
    topology : {"global", "ring", "von_neumann"}, default="global"
        Whom a particle learns from.
    synchronous : bool, default=False
        Trial k learns from the generations before its own, ``size`` trials each; by default, from
        trials 0 to k - window - 1.
    window : int, default=0
        Trials under way when the next is proposed: with at most ``window + 1`` workers, one seed
        gives the same trials.
    wait_seconds : float, default=0.0
        How long a proposal waits for trials that it should learn from and that are still running.
        Afterwards it does without them. Give it with several workers; where trials are asked for
        and told in one thread, nothing may be waited for.
    patience : int, default=10
        Generations without a better trial after which the swarm starts anew elsewhere.
    surrogate : bool, default=True
        Choose among moves by a cubic surface through the trials so far.
    constraints_func : callable, default=None
        Gives numbers for a trial, none of them above 0 where it is feasible. Of two trials the
        feasible one counts as better, of two that are not the one that violates less.

    Raises
    ------
    ValueError
        For an argument out of its range, and for a study of several objectives.

    Notes
    -----
    A proposal depends on the seed, the trial's number, and the finished trials before it in order
    of their numbers, and on nothing else: a swarm that is resumed, or continued by another process
    with the same seed, goes on as it would have gone on. A particle's velocity is the difference of
    its last two places. Trials of others, such as those of `optuna.study.Study.enqueue_trial`, are
    places of the particles whose numbers they have. A pruned trial counts as worse than any that is
    complete, and better than one that failed.

    Parameters that all trials so far have are moved together; one that only some have (conditional)
    is moved among the particles that know it.

    References
    ----------
    Kennedy, Eberhart: Particle swarm optimization. ICNN 1995. Clerc, Kennedy: The particle swarm.
    IEEE Trans. Evol. Comput. 6(1), 2002. Deb: An efficient constraint handling method. Comput.
    Methods Appl. Mech. Eng. 186, 2000. Regis: Particle swarm with radial basis function surrogates
    for expensive black-box optimization. J. Comput. Sci. 5(1), 2014.

    Examples
    --------
    >>> import optuna
    >>> from mlestar.search import SwarmSampler
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> study = optuna.create_study(sampler=SwarmSampler(seed=0))
    >>> study.optimize(lambda trial: trial.suggest_float("x", -10, 10) ** 2, n_trials=50)
    >>> study.best_value < 0.01
    True
    """

    def __init__(
        self,
        seed: int | None = None,
        *,
        size: int = 8,
        topology: str = "global",
        synchronous: bool = False,
        window: int = 0,
        wait_seconds: float = 0.0,
        patience: int = 10,
        surrogate: bool = True,
        constraints_func: Callable[[Any], Sequence[float]] | None = None,
    ) -> None:
        for name, value, least in (
            ("seed", 0 if seed is None else seed, 0),
            ("size", size, 2),
            ("window", window, 0),
            ("patience", patience, 1),
        ):
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(f"{name} is {value!r}, but must be an integer from {least}")
        if seed is not None and seed >= 2**63:
            raise ValueError(f"seed is {seed!r}, but must be below 2**63")
        if topology not in TOPOLOGIES:
            raise ValueError(f"topology is {topology!r}, but must be one of {TOPOLOGIES}")
        if not 0.0 <= wait_seconds < math.inf:
            raise ValueError(f"wait_seconds is {wait_seconds!r}, but must be finite and from 0")
        self._seed = secrets.randbits(63) if seed is None else seed
        self._size, self._topology = size, topology
        self._synchronous, self._window = synchronous, window
        self._wait = float(wait_seconds)
        self._patience = patience * size
        self._surrogate = surrogate
        self._neighbors = [neighbors(topology, particle, size) for particle in range(size)]
        self._constraints_func = constraints_func
        # Caches of what follows from the study; nothing in them cannot be found again.
        self._swarm: tuple[Any, Swarm] | None = None
        self._table: Table | None = None
        self._axes: dict[str, Axis] = {}
        self._lock = threading.RLock()

    def __getstate__(self) -> dict[str, Any]:
        kept = {name: value for name, value in self.__dict__.items() if name != "_lock"}
        return {**kept, "_swarm": None, "_table": None, "_axes": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()

    # What Optuna asks

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        """Parameters that every trial had so far."""
        trials = self._trials(study, trial)
        with self._lock:
            return dict(self._at(study, trial, trials).space or {})

    def sample_relative(
        self, study: Any, trial: Any, search_space: dict[str, Any]
    ) -> dict[str, Any]:
        """Values of these parameters, moved together."""
        trials = self._trials(study, trial)
        if not search_space:
            return {}
        with self._lock:
            swarm = self._at(study, trial, trials)
            axes = [self._axis(name, d) for name, d in search_space.items()]
            if trial.number - swarm.first < self._size or not swarm.done:
                numbers = [
                    self._first(swarm, trial.number, name, axis)
                    for name, axis in zip(search_space, axes, strict=True)
                ]
            else:
                numbers = self._move(swarm, trial.number, list(search_space), axes)
        return {
            name: axis.from_unit(number)
            for name, axis, number in zip(search_space, axes, numbers, strict=True)
        }

    def sample_independent(
        self, study: Any, trial: Any, param_name: str, param_distribution: Any
    ) -> Any:
        """The value of a parameter that not every trial had."""
        trials = self._trials(study, trial)
        with self._lock:
            swarm = self._at(study, trial, trials)
            axis = self._axis(param_name, param_distribution)
            number = trial.number
            if 0 <= number - swarm.first < self._size:
                return axis.from_unit(self._first(swarm, number, param_name, axis))
            rng = self._rng(number, param_name)
            known = self._known(swarm, number, param_name, axis)
            moved = self._moves(known, axis, rng, 1)
            return axis.from_unit(axis.snap(moved)[0])

    def after_trial(self, study: Any, trial: Any, state: Any, values: Any) -> None:
        """Keep the trial's constraints with it."""
        if self._constraints_func is not None:
            _base._process_constraints_after_trial(self._constraints_func, study, trial, state)

    # What follows from the trials

    def _visible(self, number: int) -> int:
        if self._synchronous:
            return number // self._size * self._size
        return max(0, number - self._window)

    def _trials(self, study: Any, trial: Any) -> Any:
        """All trials, once those that this one should see have finished or the wait is over."""
        self._raise_error_if_multi_objective(study)
        trials = study.get_trials(deepcopy=False)
        if self._wait:
            visible = self._visible(trial.number)
            end = time.monotonic() + self._wait
            while not all(t.state.is_finished() for t in trials[:visible]):
                if time.monotonic() >= end:
                    break
                time.sleep(0.002)
                trials = study.get_trials(deepcopy=False)
        return trials

    def _at(self, study: Any, trial: Any, trials: Any) -> Swarm:
        """The swarm after the trials that this one may see."""
        visible = self._visible(trial.number)
        sign = -1.0 if study.direction == optuna.study.StudyDirection.MAXIMIZE else 1.0
        # Another study, or a trial that had not finished when the ones after it were taken in.
        about = (study._study_id, id(study._storage))
        if self._swarm is None or self._swarm[0] != about or self._swarm[1].count > visible:
            lag = 0 if self._synchronous else self._window
            self._swarm = (about, Swarm(self._size, lag, self._patience))
            self._table = None
        swarm = self._swarm[1]
        complete = True
        for one in trials[swarm.count : visible]:
            finished = one.state.is_finished()
            complete = complete and finished
            swarm.take(one.params, one.distributions, _key(one, sign) if finished else None)
        if not complete:
            self._swarm = None  # looked at again, once it has finished
        return swarm

    def _axis(self, name: str, distribution: Any) -> Axis:
        found = self._axes.get(name)
        if found is None or found.distribution != distribution:
            found = self._axes[name] = Axis(distribution)
        return found

    def _rng(self, number: int, name: str = "") -> Any:
        # The same for the same trial and parameter, whoever asks and in whatever order.
        word = zlib.crc32(name.encode()) if name else 0
        return np.random.Generator(np.random.Philox(key=[self._seed, number * 2**32 + word]))

    def _first(self, swarm: Swarm, number: int, name: str, axis: Axis) -> float:
        """A coordinate of a particle's first place: the particles share the axis out evenly."""
        rng = self._rng(2**31 + swarm.epoch, name)
        place = (rng.permutation(self._size) + rng.random(self._size)) / self._size
        found = float(place[(number - swarm.first) % self._size])
        return float(int(found * axis.cells)) if axis.choices is not None else found

    def _known(self, swarm: Swarm, number: int, name: str, axis: Axis) -> list[float | None] | None:
        """Where the trial's particle was last and before, its best and the best of those it asks;
        None where nobody knows the parameter."""
        particle = number % self._size
        mine, best = swarm.recall(particle, name, self._neighbors[particle])
        if best is None:
            return None
        known = best if mine is None else mine
        return [axis.to_unit(v) for v in (known.last, known.before, known.best, best.best)]

    def _moves(self, known: list[float | None] | None, axis: Axis, rng: Any, count: int) -> Any:
        """Where a particle may go along one axis; shape (count,)."""
        if known is None:
            return _anywhere(axis, rng, count)
        if None in known:  # the axis had another range
            held = [number for number in known if number is not None]
            if not held or axis.choices is not None:
                return _anywhere(axis, rng, count)
            return _inside(held[-1] + 0.1 * rng.standard_normal(count))
        if axis.choices is None:
            cells = np.array([axis.cells])
            return _inside(_fly(np.array(known, dtype=float)[:, None], cells, rng, count))[:, 0]
        last, _, own, theirs = known
        options = np.array([last, own, theirs, 0.0], dtype=float)
        picks = rng.choice(4, size=count, p=_SHARES)
        return np.where(picks == 3, rng.integers(axis.cells, size=count), options[picks])

    # Moves of all parameters together, judged by the surrogate

    def _move(self, swarm: Swarm, number: int, names: list[str], axes: list[Axis]) -> Any:
        rng = self._rng(number)
        count = _MOVES if self._surrogate else 1
        moves = np.empty((count, len(axes)))
        flying, places = [], []
        for column, (name, axis) in enumerate(zip(names, axes, strict=True)):
            known = self._known(swarm, number, name, axis)
            if axis.choices is None and known is not None and None not in known:
                flying.append(column)
                places.append(known)
            else:
                moves[:, column] = self._moves(known, axis, rng, count)
        if flying:
            cells = np.array([axes[column].cells for column in flying])
            places_of = np.array(places, dtype=float).T
            moves[:, flying] = _inside(_fly(places_of, cells, rng, count))
        if not self._surrogate:
            return moves[0]
        table = self._tabled(swarm, names, axes)
        surface = table.surface()
        if surface is None:
            return moves[0]
        best = table.best
        candidates = np.concatenate([moves, self._about(best, axes, rng)])
        for column, axis in enumerate(axes):
            if axis.choices is not None and swarm.conditional:
                # What a choice is worth depends on parameters that the surface does not know: the
                # swarm decides.
                candidates[:, column] = moves[0, column]
            elif axis.cells:
                candidates[:, column] = axis.snap(candidates[:, column])
        spread = spread_out(candidates, axes)
        values = surface(spread)
        near = np.sqrt(squared_distances(spread, table.points).min(axis=1))
        weight = _WEIGHTS[number % len(_WEIGHTS)]
        score = weight * _scaled(values) + (1.0 - weight) * (1.0 - _scaled(near))
        score[near < 1e-6] += 10.0  # known already
        return candidates[int(score.argmin())]

    def _about(self, best: Any, axes: list[Axis], rng: Any) -> Any:
        """Places about the best: some coordinates of it changed, by steps of many sizes."""
        d = len(axes)
        changed = rng.random((_ABOUT, d)) < max(0.3, min(1.0, 3.0 / d))
        changed[np.arange(_ABOUT), rng.integers(d, size=_ABOUT)] = True
        radii = _RADII[np.arange(_ABOUT) % len(_RADII)]
        steps = rng.standard_normal((_ABOUT, d)) * radii[:, None]
        for column, axis in enumerate(axes):
            if axis.cells and axis.choices is None:
                # At least to the next value, where the coordinate is to change.
                part = steps[:, column]
                least = np.maximum(np.abs(part), 1.0 / axis.cells)
                steps[:, column] = np.copysign(least, part)
        found = _inside(np.where(changed, best + steps, best))
        for column, axis in enumerate(axes):
            if axis.choices is not None:
                other = rng.integers(axis.cells, size=_ABOUT)
                change = changed[:, column] & (rng.random(_ABOUT) < 0.3)
                found[:, column] = np.where(change, other, best[column])
        return found

    def _tabled(self, swarm: Swarm, names: list[str], axes: list[Axis]) -> Table:
        """The trials so far as points."""
        if self._table is None or not self._table.is_of(names, axes):
            self._table = Table(names, axes)
        self._table.take(swarm.done)
        return self._table


def _anywhere(axis: Axis, rng: Any, count: int) -> Any:
    drawn = rng.random(count)
    return np.floor(drawn * axis.cells) if axis.choices is not None else drawn


def _fly(places: Any, cells: Any, rng: Any, count: int) -> Any:
    """Moves of a particle.

    Parameters
    ----------
    places : ndarray of shape (4, d), float64
        Where it was last, where before, its best, the best of those it asks.
    cells : ndarray of shape (d,)
        Values along each axis; 0 for a continuum.
    rng : numpy.random.Generator
    count : int

    Returns
    -------
    ndarray of shape (count, d)
    """
    last, before, own, theirs = places
    pulls = _ATTRACTION * rng.random((2, count, len(cells)))
    if cells.any():
        # A value stands for all within its step: else a swarm on few values would stand still.
        widths = np.where(cells > 0, 1.0 / np.maximum(cells, 1), 0.0)
        blur = (rng.random((3, count, len(cells))) - 0.5) * widths
        here, own, theirs = last + blur[0], own + blur[1], theirs + blur[2]
    else:
        here = last
    return here + _INERTIA * (last - before) + pulls[0] * (own - here) + pulls[1] * (theirs - here)


def _inside(numbers: Any) -> Any:
    """Numbers reflected at 0 and 1."""
    folded = np.abs(numbers) % 2.0
    return np.where(folded > 1.0, 2.0 - folded, folded)


def _scaled(values: Any) -> Any:
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def _key(trial: Any, sign: float) -> Key:
    """What makes one trial better than another; the smaller the better."""
    if trial.state == _States.PRUNED:
        values = trial.intermediate_values
        if not values:
            return (PRUNED, 0.0, math.inf)
        step = max(values)
        value = sign * values[step]
        return (PRUNED, -float(step), value if value == value else math.inf)
    if trial.state != _States.COMPLETE:
        return (FAILED, 0.0, 0.0)
    constraints = trial.system_attrs.get(_base._CONSTRAINTS_KEY)
    if constraints is not None:
        violated = math.fsum(c for c in constraints if c > 0)
        if violated:
            return (INFEASIBLE, violated, 0.0)
    return (COMPLETE, sign * float(trial.value), 0.0)
