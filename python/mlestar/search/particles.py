"""A swarm as a function of trials: which particle made which, what each remembers, whom it asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Key = tuple[int, float, float]

# Feasible and complete before infeasible before pruned before failed; the smaller the better.
COMPLETE, INFEASIBLE, PRUNED, FAILED = range(4)


def neighbors(topology: str, particle: int, size: int) -> list[int]:
    """Particles that one asks, itself among them.

    Examples
    --------
    >>> neighbors("ring", 0, 5), neighbors("von_neumann", 0, 6)
    ([0, 1, 4], [0, 1, 2, 4])
    """
    if topology == "global":
        return list(range(size))
    if topology == "ring":
        return sorted({(particle + step) % size for step in (-1, 0, 1)})
    columns = max(1, round(size**0.5))
    while size % columns:
        columns -= 1
    rows = size // columns
    row, column = divmod(particle, columns)
    around = [(row, column + 1), (row, column - 1), (row + 1, column), (row - 1, column)]
    return sorted({particle, *((r % rows) * columns + c % columns for r, c in around)})


class Memory:
    """What one particle knows of one parameter: its last two values, and the one of its best."""

    __slots__ = ("before", "best", "key", "last")

    def __init__(self, value: Any, key: Key) -> None:
        self.last = self.before = self.best = value
        self.key = key

    def take(self, value: Any, key: Key) -> None:
        """The particle was at a value, with this result."""
        self.before, self.last = self.last, value
        if key < self.key:
            self.best, self.key = value, key


class Swarm:
    """Everything that a swarm is after some trials; taken in one by one, in order of number.

    Parameters
    ----------
    size : int
    lag : int
        Trials that are proposed before the last one's result is seen.
    patience : int
        Trials without a better one after which the swarm starts anew.
    """

    def __init__(self, size: int, lag: int, patience: int) -> None:
        self.size, self._lag, self._patience = size, lag, patience
        self.count = 0  # trials taken in
        self.epoch = 0  # starts
        self.first = 0  # number of the first trial of this start
        self._best: Key | None = None
        self._since = 0
        self.particles: list[dict[str, Memory]] = [{} for _ in range(size)]
        self.space: dict[str, Any] | None = None  # parameters of every trial
        self.conditional = False  # whether some trial had others
        self.done: list[tuple[dict[str, Any], Key]] = []  # for the surrogate

    def take(self, params: dict[str, Any], distributions: dict[str, Any], key: Key | None) -> None:
        """Take in the next trial: its values and its result; None for one without any."""
        number = self.count
        self.count += 1
        if key is None:
            return
        if key[0] != FAILED:
            self._narrow(distributions)
            self.done.append((params, key))
        if number < self.first:
            return  # of the start before
        memories = self.particles[number % self.size]
        for name, value in params.items():
            if name in memories:
                memories[name].take(value, key)
            else:
                memories[name] = Memory(value, key)
        if self._best is None or key < self._best:
            self._best, self._since = key, 0
        else:
            self._since += 1
        if self._since >= self._patience:
            self._start_anew()

    def _narrow(self, distributions: dict[str, Any]) -> None:
        if self.space is None:
            self.space = dict(sorted(distributions.items()))
        elif self.space != distributions:
            self.conditional = True
            for name in [n for n, d in self.space.items() if distributions.get(n) != d]:
                del self.space[name]

    def _start_anew(self) -> None:
        self.epoch += 1
        # Trials that are under way belong to the swarm that was.
        self.first = self.count + self._lag
        self._best, self._since = None, 0
        self.particles = [{} for _ in range(self.size)]

    def recall(
        self, particle: int, name: str, asked: Sequence[int]
    ) -> tuple[Memory | None, Memory | None]:
        """What a particle knows of a parameter, and what the best of those it asks knows."""
        best = self._best_of(name, asked) or self._best_of(name, range(self.size))
        return self.particles[particle].get(name), best

    def _best_of(self, name: str, asked: Sequence[int]) -> Memory | None:
        best: Memory | None = None
        for particle in asked:
            found = self.particles[particle].get(name)
            if found is not None and (best is None or found.key < best.key):
                best = found
        return best
