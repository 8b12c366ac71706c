"""The contract of streaming metrics: a new one joins by saying how it is made and what it equals.

A pytest suite; subclass it, name the subclass ``Test...`` and write `make`, `batch` and
`reference`.
"""

from __future__ import annotations

import itertools
import math
import pickle
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

import mlestar
from mlestar.metrics.streaming import Metric


class StreamingMetricContract(ABC):
    """What every `mlestar.metrics.streaming.Metric` promises."""

    # Largest relative distance from `reference`, and between two batchings; 0 is the same bits.
    rtol = 1e-12
    batching_rtol = 4 * 2.0**-52
    # Likewise with weights.
    weighted_batching_rtol = 4 * 2.0**-52
    # Whether updates take weights; where not, they are an error.
    weights = True

    @abstractmethod
    def make(self) -> Metric:
        """A metric that has seen nothing."""

    @abstractmethod
    def batch(self, rng: np.random.Generator, n: int) -> tuple[Any, Any]:
        """True values and predictions of `n` rows, of every class there is where `n` is large."""

    @abstractmethod
    def reference(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        """The metric of all rows at once."""

    def value(self, result: Any) -> Any:
        """Numbers of what `compute` gives."""
        return np.asarray(result, dtype=float)

    def close(self, a: Any, b: Any, rtol: float) -> None:
        """Raise unless two results agree."""
        a, b = self.value(a), self.value(b)
        if rtol == 0:
            np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=rtol, atol=0)

    def parts(self, weighted: bool, n: int = 3_000) -> tuple[Any, Any, Any]:
        """Rows and their weights, or None."""
        rng = np.random.default_rng(7)
        y_true, y_pred = self.batch(rng, n)
        return y_true, y_pred, rng.random(n) + 0.25 if weighted and self.weights else None

    def updated(self, rows: tuple[Any, Any, Any], cuts: list[int]) -> Metric:
        """A metric that has seen the rows in batches that end at the cuts."""
        metric = self.make()
        y_true, y_pred, weight = rows
        for first, last in zip([0, *cuts], [*cuts, len(y_true)], strict=True):
            if first < last:
                metric.update(
                    y_true[first:last],
                    y_pred[first:last],
                    None if weight is None else weight[first:last],
                )
        return metric

    def test_it_equals_all_rows_at_once(self) -> None:
        """With and without weights."""
        for weighted in (False, True):
            rows = self.parts(weighted)
            got = self.updated(rows, [1, 65, 1_200]).compute()
            self.close(got, self.reference(*rows), self.rtol)

    def test_any_batching_and_any_merge_tree(self) -> None:
        """As near as the class promises."""
        for weighted, rtol in ((False, self.batching_rtol), (True, self.weighted_batching_rtol)):
            rows = self.parts(weighted)
            whole = self.updated(rows, []).compute()
            rng = np.random.default_rng(11)
            for _ in range(4):
                cuts = sorted(rng.integers(0, 3_000, 9).tolist())
                self.close(self.updated(rows, cuts).compute(), whole, rtol)
                ends = [0, *cuts, 3_000]
                metrics = [
                    self.updated(tuple(None if x is None else x[a:b] for x in rows), [])  # type: ignore[arg-type]
                    for a, b in itertools.pairwise(ends)
                ]
                while len(metrics) > 1:
                    one = metrics.pop(int(rng.integers(len(metrics))))
                    other = int(rng.integers(len(metrics)))
                    assert metrics[other].merge(one) is metrics[other]
                self.close(metrics[0].compute(), whole, rtol)
                assert metrics[0].n_samples == 3_000

    def test_any_number_of_threads(self) -> None:
        """To the bit."""
        rows = self.parts(True, 200_000)
        before = mlestar.get_num_threads()
        results = []
        try:
            for threads in (1, 2, 5):
                mlestar.set_num_threads(threads)
                results.append(self.value(self.updated(rows, [150_000]).compute()))
        finally:
            mlestar.set_num_threads(before)
        for other in results[1:]:
            np.testing.assert_array_equal(results[0], other)

    def test_state_and_pickle_go_on_to_the_bit(self) -> None:
        """A copy, a pickle and the original end the same."""
        rows = self.parts(True)
        early, late = (
            tuple(None if x is None else x[part] for x in rows)
            for part in (slice(2_000), slice(2_000, None))
        )
        metric = self.updated(early, [700])  # type: ignore[arg-type]
        loaded = self.make()
        loaded.load_state_dict(metric.state_dict())
        pickled = pickle.loads(pickle.dumps(metric))
        assert repr(pickled) == repr(metric)
        for one in (metric, loaded, pickled):
            one.update(*late)
        self.close(loaded.compute(), metric.compute(), 0)
        self.close(pickled.compute(), metric.compute(), 0)

    def test_a_state_of_something_else_is_refused(self) -> None:
        """With what it was; nothing changes."""
        rows = self.parts(False, 50)
        metric = self.updated(rows, [])
        before = metric.compute()
        state = metric.state_dict()
        for change in ({"version": 0}, {"metric": "Other"}, {"parameters": {"no": 1}}):
            self.refused(lambda c=change: metric.load_state_dict({**state, **c}), "state")
        short = {**state, "integers": state["integers"][:-1]}
        self.refused(lambda: metric.load_state_dict(short), "state")
        self.close(metric.compute(), before, 0)

    def test_reset_and_clone(self) -> None:
        """Nothing is left."""
        rows = self.parts(False, 50)
        metric = self.updated(rows, [])
        assert metric.clone().n_samples == 0
        metric.reset()
        assert metric.n_samples == 0
        self.refused(metric.compute, "has seen no rows")
        y_true, y_pred, _ = rows
        metric.update(y_true, y_pred)
        self.close(metric.compute(), self.updated(rows, []).compute(), 0)

    def test_what_cannot_be_used_changes_nothing(self) -> None:
        """Lengths, weights and batches without rows; the argument is named."""
        y_true, y_pred, _ = self.parts(False, 50)
        metric = self.make()
        metric.update(y_true, y_pred)
        before = metric.compute()
        self.refused(lambda: metric.update(y_true, y_pred[:-1]), "y_pred has 49 rows")
        self.refused(lambda: metric.update(y_true[:0], y_pred[:0]), "y_true has no rows")
        wrong = "sample_weight has 51 rows" if self.weights else "sample_weight is given"
        self.refused(lambda: metric.update(y_true, y_pred, np.ones(51)), wrong)
        weights = np.ones(50)
        weights[17] = math.nan
        wrong = "sample_weight holds nan in row 17" if self.weights else "sample_weight is given"
        self.refused(lambda: metric.update(y_true, y_pred, weights), wrong)
        self.refused(lambda: metric.update(None, y_pred), "y_true is a NoneType")
        wrong = "sample_weight is a object" if self.weights else "sample_weight is given"
        self.refused(lambda: metric.update(y_true, y_pred, object()), wrong)
        assert metric.n_samples == 50
        self.close(metric.compute(), before, 0)

    def test_others_are_not_merged(self) -> None:
        """A metric of another kind."""

        metric = self.make()
        self.refused(lambda: metric.merge(object()), "other is a object")  # type: ignore[arg-type]
        assert metric.merge(metric.clone()) is metric

    def test_merging_with_itself_counts_twice(self) -> None:
        """As with a copy."""
        rows = self.parts(False, 50)
        metric, copy = self.updated(rows, []), self.updated(rows, [])
        copy.merge(self.updated(rows, []))
        metric.merge(metric)
        assert metric.n_samples == 100
        self.close(metric.compute(), copy.compute(), 0)

    def test_sync_without_processes_is_the_metric(self) -> None:
        """Where torch.distributed is not initialised."""
        metric = self.make()
        assert metric.sync() is metric

    def refused(self, call: Any, words: str) -> None:
        """Raise unless the call is a ValueError with those words."""
        try:
            call()
        except ValueError as error:
            found = str(error)
        else:
            raise AssertionError(f"no ValueError with {words!r}")
        assert words in found, found
