"""How a metric is computed on many resamples: on sorted scores, on sums, on a table, or as given.

A form holds one answer (a model's scores or predictions) or several of the same rows. It computes
the metric of each on bootstrap resamples, with units left out one at a time, and with the answers
of two models swapped at random.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from mlestar._calls import internal_calls
from mlestar._native import _core
from mlestar.exceptions import MetricWarning
from mlestar.metrics._design import Design

# Calls of a Python function that a jackknife may take.
MOST_CALLS = 10_000
_CHUNK_BYTES = 32_000_000

Table = Any  # an ndarray of shape (n_resamples, n_answers)


class LeftOut(NamedTuple):
    """The metric without each unit: values of shape (n, n_answers), how often each occurs, and the
    stratum it is of."""

    values: Any
    times: Any
    stratum: Any


class Form:
    """A metric as it is given: the function is called on the rows of each resample."""

    def __init__(
        self,
        function: Callable[..., Any],
        y_true: Any,
        answers: Sequence[Any],
        weight: Any,
        options: dict[str, Any],
    ) -> None:
        self.function = function
        self.y_true = np.asarray(y_true)
        self.answers = [np.asarray(answer) for answer in answers]
        self.weight = weight
        self.options = options
        self.rows = len(self.y_true)
        self._estimate: Any = None

    def estimate(self) -> Any:
        """The metric of each answer on all rows."""
        if self._estimate is None:
            self._estimate = np.array([self._call(answer) for answer in self.answers])
        return self._estimate

    def _call(self, answer: Any, rows: Any = slice(None)) -> float:
        options = self.options
        if self.weight is not None:
            options = {**options, "sample_weight": self.weight[rows]}
        value = self.function(self.y_true[rows], answer[rows], **options)
        if np.ndim(value) != 0:
            raise ValueError(
                f"metric gave an array of shape {np.shape(value)}, but must give one number"
            )
        return float(value)

    def _on_rows(self, rows: Any) -> list[float]:
        with internal_calls(), warnings.catch_warnings():
            _ignore_undefined()
            return [self._call(answer, rows) for answer in self.answers]

    def resample(self, design: Design, resamples: int) -> Table:
        """The metric on bootstrap resamples."""
        result = np.empty((resamples, len(self.answers)))
        numbers = np.arange(self.rows)
        at_once = max(1, _CHUNK_BYTES // design.units)
        for first in range(0, resamples, at_once):
            some = min(at_once, resamples - first)
            drawn = _core.metrics.resample_counts(
                "bootstrap", design.sizes, first, some, design.seed
            )
            for r, of_unit in enumerate(drawn, first):
                times = of_unit if design.unit_of_row is None else of_unit[design.unit_of_row]
                try:
                    result[r] = self._on_rows(np.repeat(numbers, times))
                except Exception as error:
                    error.add_note(f"(raised by the metric on bootstrap resample {r})")
                    raise
        return result

    def leave_out(self, design: Design) -> LeftOut:
        """The metric without each unit.

        Raises
        ------
        ValueError
            Where that would take too many calls.
        """
        limit_calls(design.units)
        unit = np.arange(self.rows) if design.unit_of_row is None else design.unit_of_row
        order = np.argsort(unit, kind="stable")
        ends = np.cumsum(np.bincount(unit))
        result = np.empty((design.units, len(self.answers)))
        kept = np.ones(self.rows, dtype=bool)
        for u, (first, last) in enumerate(zip(np.append(0, ends[:-1]), ends, strict=True)):
            kept[order[first:last]] = False
            result[u] = self._on_rows(kept) if last - first < self.rows else np.nan
            kept[order[first:last]] = True
        return _each_once(result, design)

    def swap(self, design: Design, resamples: int) -> Table:
        """The metric of two answers whose rows trade places, a fair coin a unit."""
        result = np.empty((resamples, 2))
        first_, second = self._exchangeable()
        at_once = max(1, _CHUNK_BYTES // (2 * design.units))
        for first in range(0, resamples, at_once):
            some = min(at_once, resamples - first)
            coins = _core.metrics.resample_counts("swap", [design.units], first, some, design.seed)
            for r, heads in enumerate(coins[:, : design.units], first):
                swapped = (heads if design.unit_of_row is None else heads[design.unit_of_row]) == 1
                if first_.ndim > 1:
                    swapped = swapped.reshape(-1, *[1] * (first_.ndim - 1))
                with warnings.catch_warnings():
                    _ignore_undefined()
                    result[r] = (
                        self._call(np.where(swapped, second, first_)),
                        self._call(np.where(swapped, first_, second)),
                    )
        return result

    def _exchangeable(self) -> list[Any]:
        return self.answers


def _ignore_undefined() -> None:
    """A resample may well lack a class; what that makes of the result is said once, of them all."""
    from sklearn.exceptions import UndefinedMetricWarning

    warnings.simplefilter("ignore", UndefinedMetricWarning)
    warnings.simplefilter("ignore", MetricWarning)


def limit_calls(calls: int) -> None:
    """Raise where a jackknife would call a Python function too often."""
    if calls > MOST_CALLS:
        raise ValueError(
            f"method is 'BCa', which needs this metric {calls} times with a unit left out, but "
            f"at most {MOST_CALLS} calls are made: use method='percentile' or 'basic', fewer "
            "groups, or a metric of mlestar.metrics that has a form of its own"
        )


def _each_once(values: Any, design: Design) -> LeftOut:
    return LeftOut(values, np.ones(len(values)), design.stratum_of_unit)


def _int32(values: Any) -> Any:
    return np.ascontiguousarray(values, dtype=np.int32)


class RankingForm(Form):
    """ROC AUC or average precision of two classes: the scores are sorted once."""

    metric = "roc_auc"

    def __init__(self, *arguments: Any, positive: Any) -> None:
        super().__init__(*arguments)
        self.positive = np.ascontiguousarray(positive, dtype=np.uint8)
        self.scores = np.ascontiguousarray(np.stack(self.answers), dtype=np.float64)

    def resample(self, design: Design, resamples: int) -> Table:
        units, sizes = None, design.sizes
        if design.by_label:  # the core's own order of the rows: negatives first
            hits = int(self.positive.sum())
            sizes = [self.rows - hits, hits]
        elif design.unit_of_row is not None:
            units = np.stack([design.unit_of_row] * len(self.scores))
        return _core.metrics.resample_ranking(
            self.metric,
            self.positive,
            self.scores,
            self.weight,
            units,
            "bootstrap",
            sizes,
            resamples,
            design.seed,
        )

    def swap(self, design: Design, resamples: int) -> Table:
        # Both models' rows in one ranking of twice the rows; a coin says which half of them counts
        # for the first model, its complement which for the second.
        mixed = np.concatenate(self._exchangeable())
        unit = _int32(np.arange(self.rows) if design.unit_of_row is None else design.unit_of_row)
        units = np.stack(
            [
                np.concatenate([unit + design.units, unit]),
                np.concatenate([unit, unit + design.units]),
            ]
        )
        return _core.metrics.resample_ranking(
            self.metric,
            np.tile(self.positive, 2),
            np.stack([mixed, mixed]),
            None if self.weight is None else np.tile(self.weight, 2),
            _int32(units),
            "swap",
            [design.units],
            resamples,
            design.seed,
        )

    def _exchangeable(self) -> list[Any]:
        """Ranks: models of different scales can trade them (Venkatraman and Begg 1996)."""
        return [_ranks(score) for score in self.scores]


def _ranks(values: Any) -> Any:
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(times) - (times - 1) / 2)[place]


class RocAucForm(RankingForm):
    """ROC AUC: a jackknife in closed form."""

    def leave_out(self, design: Design) -> LeftOut:
        w = np.ones(self.rows) if self.weight is None else self.weight
        hit = self.positive == 1
        all_hits, all_misses = w[hit].sum(), w[~hit].sum()
        right = _core.metrics.placements(self.positive, self.scores, self.weight) * w
        hits = design.sum_by_unit(np.where(hit, w, 0.0))
        misses = design.sum_by_unit(np.where(hit, 0.0, w))
        values = []
        for score, pairs in zip(self.scores, right, strict=True):
            without = pairs[hit].sum() - design.sum_by_unit(pairs)
            if design.grouped:  # pairs within a group have been taken away twice
                without = without + self._pairs_within(score, design, w)
            with np.errstate(divide="ignore", invalid="ignore"):
                values.append(without / (2 * (all_hits - hits) * (all_misses - misses)))
        return _each_once(np.stack(values, axis=1), design)

    def _pairs_within(self, score: Any, design: Design, w: Any) -> Any:
        unit = np.asarray(design.unit_of_row)
        order = np.lexsort((score, unit))
        u, s = unit[order], score[order]
        hit, w = self.positive[order] == 1, w[order]
        misses = np.append(0.0, np.cumsum(np.where(hit, 0.0, w)))
        tie = np.append(True, (u[1:] != u[:-1]) | (s[1:] != s[:-1]))
        starts = np.flatnonzero(tie)
        block = np.cumsum(tie) - 1
        start, end = starts[block], np.append(starts[1:], len(s))[block]
        group_start = np.searchsorted(u, u)
        pairs = w * hit * (misses[start] + misses[end] - 2 * misses[group_start])
        return np.bincount(u, pairs, design.units)


class AveragePrecisionForm(RankingForm):
    """Average precision: a jackknife in closed form for single rows that weigh the same."""

    metric = "average_precision"

    def leave_out(self, design: Design) -> LeftOut:
        if self.weight is not None or design.grouped:
            return super().leave_out(design)
        hit = self.positive == 1
        values = np.empty((self.rows, len(self.scores)))
        for m, score in enumerate(self.scores):
            positive, negative = np.sort(score[hit]), np.sort(score[~hit])
            count = len(positive)
            hits = count - np.searchsorted(positive, positive)
            all_ = hits + len(negative) - np.searchsorted(negative, positive)
            whole = np.append(0.0, np.cumsum(hits / all_))
            # At the thresholds that let the row in: one less of all, and of the hits.
            fewer = np.maximum(all_ - 1, 1)
            miss_out = np.append(0.0, np.cumsum(hits / fewer))
            hit_out = np.append(0.0, np.cumsum((hits - 1) / fewer))
            at = np.searchsorted(positive, score, side="right")
            own = np.append(0.0, (hits - 1) / fewer)[at]
            above = whole[-1] - whole[at]
            with np.errstate(divide="ignore", invalid="ignore"):
                values[:, m] = np.where(
                    hit, (hit_out[at] - own + above) / (count - 1), (miss_out[at] + above) / count
                )
        unit = design.unit_of_row
        ordered = values if unit is None else np.empty_like(values)
        if unit is not None:
            ordered[unit] = values
        return _each_once(ordered, design)


class SumsForm(Form):
    """A function of weighted sums over the rows, such as a mean loss.

    `columns` are those of each answer, of shape (n_answers, n_columns, n_rows), not yet weighted;
    `finish(sums, weight)` makes values of sums of shape (..., n_columns).
    """

    def __init__(self, *arguments: Any, columns: Any, finish: Callable[[Any, Any], Any]) -> None:
        super().__init__(*arguments)
        self.finish = finish
        self.w = np.ones(self.rows) if self.weight is None else self.weight
        self.columns = columns * self.w

    def values(self, sums: Any, weight: Any) -> Any:
        """`sums` of shape (n, n_answers, n_columns), `weight` of shape (n,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.finish(sums, weight[:, None])

    def agrees(self) -> bool:
        """Whether the sums give what the function gives."""
        sums = self.columns.sum(axis=-1)[None]
        mine = self.values(sums, np.array([self.w.sum()]))[0]
        return bool(np.allclose(mine, self.estimate(), rtol=1e-6, atol=1e-12))

    def resample(self, design: Design, resamples: int) -> Table:
        columns = design.sum_by_unit(self.columns)
        shape = columns.shape[:2]
        flat = [*columns.reshape(-1, design.units), design.sum_by_unit(self.w)]
        if self.weight is None and not design.grouped:
            flat.pop()  # a resample is as large as the sample
        sums = _core.metrics.resample_sums(
            np.stack(flat), "bootstrap", design.sizes, resamples, design.seed
        )
        of_answers = sums[:, : shape[0] * shape[1]].reshape(resamples, *shape)
        weight = sums[:, -1] if len(flat) > shape[0] * shape[1] else np.full(resamples, self.rows)
        return self.values(of_answers, weight)

    def leave_out(self, design: Design) -> LeftOut:
        columns = design.sum_by_unit(self.columns)
        sums = np.moveaxis(columns.sum(axis=-1, keepdims=True) - columns, -1, 0)
        return _each_once(self.values(sums, self.w.sum() - design.sum_by_unit(self.w)), design)

    def swap(self, design: Design, resamples: int) -> Table:
        columns = design.sum_by_unit(self.columns)
        moved = np.ascontiguousarray(columns[1] - columns[0])
        gained = _core.metrics.resample_sums(moved, "swap", [design.units], resamples, design.seed)
        first, second = columns.sum(axis=-1)
        sums = np.stack([first + gained, second - gained], axis=1)
        return self.values(sums, np.full(resamples, self.w.sum()))


class TableForm(Form):
    """A function of the confusion matrix: the cells of a table are drawn, not rows.

    Cells of a resample are given to the function as weighted rows, those that occur only, so that
    its options and its treatment of absent labels are what they are on the rows themselves.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.cells, code = 1, np.zeros(self.rows, dtype=np.int64)
        for column in (self.y_true, *self.answers):
            labels, codes = _codes(column)
            self.cells, code = _codes(code * labels + codes)
        first = np.zeros(self.cells, dtype=np.int64)
        first[code[::-1]] = np.arange(self.rows)[::-1]
        self.cell = _int32(code)
        self.truth = self.y_true[first]
        self.given = [answer[first] for answer in self.answers]

    def _value(self, truth: Any, given: Any, times: Any) -> float:
        kept = times > 0
        if not kept.any():
            return float("nan")
        return float(
            self.function(truth[kept], given[kept], sample_weight=times[kept], **self.options)
        )

    def _each(self, truth: Any, answers: Sequence[Any], tables: Any) -> Table:
        """The function of each answer and table; of equal tables, which are many where rows are
        few, once."""
        distinct, place = np.unique(tables, axis=0, return_inverse=True)
        with warnings.catch_warnings():
            _ignore_undefined()
            warnings.filterwarnings("ignore", message="A single label was found")
            warnings.filterwarnings("ignore", message="y_pred contains classes not in y_true")
            values = [[self._value(truth, given, t) for given in answers] for t in distinct]
        return np.array(values)[place]

    def _values(self, tables: Any) -> Table:
        """Of tables of shape (n, n_cells)."""
        if self.function.__name__ == "accuracy_score" and not self.options:
            hits = np.stack([self.truth == given for given in self.given], axis=1)
            with np.errstate(invalid="ignore"):
                shares: Table = tables @ hits / tables.sum(axis=1, keepdims=True)
            return shares
        return self._each(self.truth, self.given, tables)

    def resample(self, design: Design, resamples: int) -> Table:
        if self.weight is not None or design.grouped:
            return self._values(
                _core.metrics.resample_cells(
                    self.cell,
                    self.cells,
                    self.weight,
                    design.unit_of_row,
                    "bootstrap",
                    design.sizes,
                    resamples,
                    design.seed,
                )
            )
        generator = np.random.Generator(np.random.Philox(design.seed))
        tables = np.zeros((resamples, self.cells))
        for counts in self._by_stratum(design):
            total = int(counts.sum())
            tables += generator.multinomial(total, counts / total, size=resamples)
        return self._values(tables)

    def _by_stratum(self, design: Design) -> Any:
        """Rows of each stratum and cell."""
        strata = design.stratum_of_row
        place = self.cell if strata is None else strata * self.cells + self.cell
        shape = len(design.sizes), self.cells
        return np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape)

    def leave_out(self, design: Design) -> LeftOut:
        w = np.ones(self.rows) if self.weight is None else self.weight
        whole: Any = np.bincount(self.cell, w, self.cells)
        if design.grouped:
            limit_calls(design.units)
            place = np.asarray(design.unit_of_row, dtype=np.int64) * self.cells + self.cell
            parts = np.bincount(place, w, design.units * self.cells)
            tables = whole - parts.reshape(design.units, self.cells)
            return _each_once(self._values(_without_dust(tables, whole)), design)
        # Rows of one cell, weight and stratum are as good as one another.
        if self.weight is None:
            counts = self._by_stratum(design)
            stratum, cell = np.nonzero(counts)
            times, lost = counts[stratum, cell], np.ones(len(cell))
        else:
            strata = design.stratum_of_row
            keys = np.stack([self.cell, w, np.zeros(self.rows) if strata is None else strata])
            kinds, times = np.unique(keys, axis=1, return_counts=True)
            cell, lost, stratum = kinds[0].astype(np.int64), kinds[1], kinds[2].astype(np.int64)
        limit_calls(len(cell))
        tables = np.tile(whole, (len(cell), 1))
        tables[np.arange(len(tables)), cell] -= lost
        return LeftOut(self._values(_without_dust(tables, whole)), times, stratum)

    def swap(self, design: Design, resamples: int) -> Table:
        # Rows as they were, then rows swapped; what is one for the first model is the other for the
        # second.
        if self.weight is not None or design.grouped:
            unit = _int32(
                np.arange(self.rows) if design.unit_of_row is None else design.unit_of_row
            )
            tables = _core.metrics.resample_cells(
                np.concatenate([self.cell, self.cell + np.int32(self.cells)]),
                2 * self.cells,
                None if self.weight is None else np.tile(self.weight, 2),
                np.concatenate([unit + np.int32(design.units), unit]),
                "swap",
                [design.units],
                resamples,
                design.seed,
            )
        else:
            generator = np.random.Generator(np.random.Philox(design.seed))
            counts = np.bincount(self.cell, minlength=self.cells)
            swapped = generator.binomial(counts, 0.5, size=(resamples, self.cells))
            tables = np.concatenate([counts - swapped, swapped], axis=1).astype(np.float64)
        truth = np.tile(self.truth, 2)
        first, second = np.concatenate(self.given), np.concatenate(self.given[::-1])
        return self._each(truth, [first, second], tables)


def _codes(values: Any) -> tuple[int, Any]:
    """How many distinct values there are, and the place of each among them."""
    if values.dtype.kind in "biu" and values.size:
        low, high = int(values.min()), int(values.max())
        if high - low < 1 << 16 and low > -(1 << 62) and high < 1 << 62:
            shifted = values.astype(np.int64) - low
            present = np.bincount(shifted) > 0
            return int(present.sum()), (np.cumsum(present) - 1)[shifted]
    labels, codes = np.unique(values, return_inverse=True)
    return len(labels), codes


def _without_dust(tables: Any, whole: Any) -> Any:
    """What is left of a cell that lost all its weight, but for rounding, is nothing."""
    tables[tables <= 1e-12 * whole] = 0.0
    return tables
