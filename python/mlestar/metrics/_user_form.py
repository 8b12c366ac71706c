"""A user's compiled metric on many resamples: all of them in the core, on all threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mlestar._native import _core
from mlestar.metrics._design import Design
from mlestar.metrics._forms import Form, LeftOut, limit_calls
from mlestar.metrics.user import CompiledMetric

_Rows = tuple[Any, Any, Any]  # truth, answer, weight or None


class CallbackForm(Form):
    """A metric that is a native function of arrays."""

    function: CompiledMetric

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        if self.options:
            raise ValueError(
                f"metric {self.function.name!r} takes no options, but is given "
                f"{sorted(self.options)}"
            )
        checked = [
            self.function._checked(self.y_true, answer, self.weight) for answer in self.answers
        ]
        self.y_true, _, self.weight = checked[0]
        self.answers = [answer for _, answer, _ in checked]
        self._data = (self.y_true, np.stack(self.answers), self.weight)
        self._weighted = self.weight is not None

    def estimate(self) -> Any:
        if self._estimate is None:
            values = [self.function._on_rows(self.y_true, a, self.weight) for a in self.answers]
            self._estimate = np.array(values)
        return self._estimate

    def resample(self, design: Design, resamples: int) -> Any:
        def rows(r: int, answer: int) -> _Rows:
            drawn = _core.metrics.resample_counts("bootstrap", design.sizes, r, 1, design.seed)[0]
            times = drawn if design.unit_of_row is None else drawn[design.unit_of_row]
            return self._rows(np.repeat(np.arange(self.rows), times), answer)

        found = _core.metrics.resample_callback(
            self.function._callback(self._weighted),
            *self._data,
            design.unit_of_row,
            "bootstrap",
            design.sizes,
            resamples,
            design.seed,
        )
        return self._values(found, rows, "on bootstrap resample {}")

    def leave_out(self, design: Design) -> LeftOut:
        limit_calls(design.units)
        unit = np.arange(self.rows) if design.unit_of_row is None else design.unit_of_row

        def rows(u: int, answer: int) -> _Rows:
            return self._rows(np.flatnonzero(unit != u), answer)

        found = _core.metrics.leave_out_callback(
            self.function._callback(self._weighted), *self._data, design.unit_of_row, design.units
        )
        values = self._values(found, rows, "without unit {}")
        return LeftOut(values, np.ones(len(values)), design.stratum_of_unit)

    def swap(self, design: Design, resamples: int) -> Any:
        def rows(r: int, answer: int) -> _Rows:
            coins = _core.metrics.resample_counts("swap", [design.units], r, 1, design.seed)[0]
            heads = coins[: design.units]
            swapped = (heads if design.unit_of_row is None else heads[design.unit_of_row]) == 1
            given = np.where(swapped, self.answers[1 - answer], self.answers[answer])
            return self.y_true, given, self.weight

        found = _core.metrics.resample_callback(
            self.function._callback(self._weighted),
            *self._data,
            design.unit_of_row,
            "swap",
            [design.units],
            resamples,
            design.seed,
        )
        return self._values(found, rows, "on permutation {}")

    def _rows(self, chosen: Any, answer: int) -> _Rows:
        weight = None if self.weight is None else self.weight[chosen]
        return self.y_true[chosen], self.answers[answer][chosen], weight

    def _values(self, found: Any, rows: Callable[[int, int], _Rows], where: str) -> Any:
        """The values; where the metric failed, what it raises on the rows it failed on."""
        values, failed = found
        if failed is None:
            return values
        try:
            self.function._raise(*rows(*failed))
        except Exception as error:
            error.add_note(f"(raised by the metric {where.format(failed[0])})")
            raise
