"""Parameters as numbers from 0 to 1, and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mlestar._lazy import require


class Axis:
    """One parameter.

    Parameters
    ----------
    distribution : optuna.distributions.BaseDistribution

    Attributes
    ----------
    choices : tuple or None
        Of a categorical parameter, whose number is the place of the choice.
    cells : int
        Values that there are; 0 for a continuum.
    """

    def __init__(self, distribution: Any) -> None:
        kinds = require("optuna", "run").distributions
        self.distribution = distribution
        self.choices: tuple[Any, ...] | None = None
        self.cells = 0
        self._whole = isinstance(distribution, kinds.IntDistribution)
        self._log = False
        self._low = self._width = 0.0
        if isinstance(distribution, kinds.CategoricalDistribution):
            self.choices = tuple(distribution.choices)
            self.cells = len(self.choices)
            return
        low, high = float(distribution.low), float(distribution.high)
        self._first, self._last = low, high
        self._step = distribution.step
        self._log = bool(distribution.log)
        if self._step is not None:
            self.cells = round((high - low) / self._step) + 1
            # Every value has the same share, the first and the last too.
            half = self._step / 2
            low, high = low - half, high + half
        if self._log:
            low, high = math.log(low), math.log(high)
        self._low, self._width = low, high - low

    def to_unit(self, value: Any) -> float | None:
        """The number of a value; the place of a choice; None for what the axis does not hold."""
        if self.choices is not None:
            try:
                return float(self.distribution.to_internal_repr(value))
            except ValueError:
                return None
        if not isinstance(value, int | float) or not self._first <= value <= self._last:
            return None
        if not self._width:
            return 0.5
        found = math.log(value) if self._log else float(value)
        return (found - self._low) / self._width

    def from_unit(self, number: float) -> Any:
        """The value of a number from 0 to 1, or of the place of a choice."""
        if self.choices is not None:
            return self.choices[int(number)]
        value = self._low + min(1.0, max(0.0, float(number))) * self._width
        if self._log:
            value = math.exp(value)
        if self._step is not None:
            steps = min(self.cells - 1, max(0, round((value - self._first) / self._step)))
            value = self._first + steps * self._step
        value = min(self._last, max(self._first, value))
        return round(value) if self._whole else value

    def snap(self, numbers: Any) -> Any:
        """Numbers of the values that these stand for.

        Parameters
        ----------
        numbers : ndarray of shape (n,)

        Returns
        -------
        ndarray of shape (n,)
        """
        if self.choices is not None or self._step is None or not self._width:
            return numbers
        values = self._low + numbers * self._width
        if self._log:
            values = np.exp(values)
        steps = np.clip(np.rint((values - self._first) / self._step), 0, self.cells - 1)
        values = self._first + steps * self._step
        if self._log:
            values = np.log(values)
        return (values - self._low) / self._width
