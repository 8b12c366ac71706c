"""The trials so far as points, and a surface through them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mlestar.search.axes import Axis
from mlestar.search.particles import COMPLETE, Key
from mlestar.search.surrogate import CubicSurface

# A surface through more would take longer than it is worth.
_MOST_POINTS = 150
# Trials from one surface to the next.
_REFIT = 4


class Table:
    """Trials as points of some axes; it grows as trials are done.

    Parameters
    ----------
    names : list of str
    axes : list of Axis

    Attributes
    ----------
    points : ndarray of shape (n, d), float64
        As `spread_out` has them.
    best : ndarray of shape (len(axes),), float64
        The best trial, before it is spread out.
    """

    def __init__(self, names: list[str], axes: list[Axis]) -> None:
        self._names, self._axes = names, axes
        self._taken = 0
        self._rows: list[list[float]] = []
        self._keys: list[Key] = []
        self._ends: list[int] = []  # trials taken when each row was added
        self._best = -1
        self._store = np.empty((0, 0))
        self._stored = 0
        self._surface: tuple[int, CubicSurface | None] | None = None

    def is_of(self, names: list[str], axes: list[Axis]) -> bool:
        """Whether it is of these parameters."""
        return names == self._names and all(
            mine.distribution == other.distribution
            for mine, other in zip(self._axes, axes, strict=True)
        )

    def take(self, done: Sequence[tuple[dict[str, Any], Key]]) -> None:
        """Take in the trials that are new; those without one of the parameters pass by."""
        for params, key in done[self._taken :]:
            self._taken += 1
            row = []
            for name, axis in zip(self._names, self._axes, strict=True):
                number = axis.to_unit(params[name]) if name in params else None
                if number is None:
                    break
                row.append(number)
            else:
                self._rows.append(row)
                self._keys.append(key)
                self._ends.append(self._taken)
                if self._best < 0 or key < self._keys[self._best]:
                    self._best = len(self._rows) - 1

    @property
    def points(self) -> Any:
        """The trials, a row each."""
        new = self._rows[self._stored :]
        if new:
            spread = spread_out(np.array(new, dtype=float), self._axes)
            needed = len(self._rows)
            if needed > len(self._store):
                grown = np.empty((2 * needed, spread.shape[1]))
                if self._stored:
                    grown[: self._stored] = self._store[: self._stored]
                self._store = grown
            self._store[self._stored : needed] = spread
            self._stored = needed
        return self._store[: self._stored]

    @property
    def best(self) -> Any:
        """The best trial's numbers; the earlier of equals."""
        return np.array(self._rows[self._best])

    def surface(self) -> CubicSurface | None:
        """A surface through the trials, a new one every few; None while there are too few."""
        due = self._taken // _REFIT * _REFIT
        if self._surface is None or self._surface[0] != due:
            count = sum(end <= due for end in self._ends)
            self._surface = (due, self._fit(count))
        return self._surface[1]

    def _fit(self, count: int) -> CubicSurface | None:
        if count < len(self._axes) // 2 + 3:
            return None
        keys = self._keys[:count]
        kept = list(range(count))
        if count > _MOST_POINTS:
            # The best, and of the others the latest: a picture of where the swarm is.
            order = sorted(kept, key=lambda i: (keys[i], i))
            half = _MOST_POINTS // 2
            kept = sorted(order[:half] + sorted(order[half:])[-half:])
        return CubicSurface(self.points[kept], _capped([keys[i] for i in kept]))


def spread_out(points: Any, axes: list[Axis]) -> Any:
    """Points of shape (n, len(axes)) with a coordinate for each choice of a categorical one."""
    if all(axis.choices is None for axis in axes):
        return points
    columns = []
    for column, axis in enumerate(axes):
        part = points[:, column : column + 1]
        if axis.choices is not None:
            # Any two choices are as far apart as the ends of another axis's half.
            part = (part == np.arange(axis.cells)) * (0.5 / math.sqrt(2.0))
        columns.append(part)
    return np.concatenate(columns, axis=1)


def _capped(keys: list[Key]) -> Any:
    """Results as the surface has them: no value above the median, which would bend it most."""
    complete = np.array([key[1] for key in keys if key[0] == COMPLETE and math.isfinite(key[1])])
    cap = float(np.median(complete)) if complete.size else 0.0
    low = float(complete.min()) if complete.size else 0.0
    width = cap - low or 1.0
    values = [
        (min(key[1], cap) - low) / width if key[0] == COMPLETE and key[1] == key[1] else 1.0
        for key in keys
    ]
    return np.clip(np.array(values), 0.0, 1.0)
