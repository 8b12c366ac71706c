"""Which of several samplers proposes next: mostly the one whose proposals were good."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from statistics import median

import numpy as np


def choose_sampler(
    samplers: Sequence[str], outcomes: Iterable[tuple[str, bool]], seed: int, trial: int
) -> str:
    """The sampler that proposes a trial, by Thompson's sampling (Biometrika 25, 1933).

    Parameters
    ----------
    samplers : sequence of str
    outcomes : iterable of (str, bool)
        Who proposed, and whether the proposal was good.
    seed, trial : int
        The draw follows from the pair and the outcomes alone.

    Examples
    --------
    >>> from mlestar.search.bandit import choose_sampler
    >>> good = [("swarm", True)] * 40 + [("tpe", False)] * 40
    >>> choose_sampler(["tpe", "swarm"], good, seed=0, trial=80)
    'swarm'
    """
    counts = {name: [1, 1] for name in samplers}
    for name, good in outcomes:
        if name in counts:
            counts[name][not good] += 1
    digest = hashlib.sha256(f"sampler/{seed}/{trial}".encode()).digest()
    rng = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "little")))
    drawn = {name: rng.beta(good, bad) for name, (good, bad) in counts.items()}
    return max(samplers, key=lambda name: drawn[name])


def judge_proposals(
    proposals: Iterable[tuple[str, float | None]],
) -> list[tuple[str, bool]]:
    """Whether each proposal was good: better than half of the trials before it.

    Parameters
    ----------
    proposals : iterable of (str, float or None)
        Of each trial, in order: who proposed it ("" for none of the samplers), and its error (None
        if it failed).

    Returns
    -------
    list of (str, bool)
        Those that a sampler proposed.

    Examples
    --------
    >>> from mlestar.search.bandit import judge_proposals
    >>> judge_proposals([("", 1.0), ("", 3.0), ("tpe", 1.5), ("swarm", 2.0), ("tpe", None)])
    [('tpe', True), ('swarm', False), ('tpe', False)]
    """
    errors: list[float] = []
    outcomes = []
    for name, error in proposals:
        if name:
            outcomes.append((name, error is not None and (not errors or error < median(errors))))
        if error is not None:
            errors.append(error)
    return outcomes
