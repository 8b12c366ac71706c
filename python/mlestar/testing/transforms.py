"""The contract of transformers: a new one joins by saying how it is made and what it is of.

A pytest suite; subclass it, name the subclass ``Test...`` and write `make` and `original`.
"""

from __future__ import annotations

import itertools
import json
import pickle
import warnings
from abc import ABC, abstractmethod
from typing import Any, Literal

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

import mlestar
from mlestar.testing import core_calls


class TransformerContract(ABC):
    """What every transformer of `mlestar.preprocessing` promises."""

    # Largest relative distance from scikit-learn's results; 0 is the same bits.
    rtol = 0.0
    # Largest relative distance of what batches and merged parts give from all rows at once.
    batching_rtol = 0.0
    # Fitted attributes that are compared with scikit-learn's.
    attributes: tuple[str, ...] = ()
    missing_values = True
    inverse = True
    # Whether transform and inverse_transform take `out`.
    out = True
    dtypes: tuple[str, ...] = ("float64", "float32")
    # Tables that are longer than a task and wider than a block.
    shapes: tuple[tuple[int, int], ...] = ((70_000, 3), (3, 5_000), (1, 1), (2, 70))

    @abstractmethod
    def make(self, **parameters: Any) -> Any:
        """Ours."""

    @abstractmethod
    def original(self, **parameters: Any) -> Any:
        """scikit-learn's, of the same parameters."""

    def rows(self, n: int = 300, dtype: str = "float64") -> Any:
        """Rows of five columns, some values missing where that is allowed."""
        rng = np.random.default_rng(5)
        X = rng.normal(size=(n, 5)) * [1.0, 1e3, 1e-3, 1.0, 5.0] + [0.0, 1e4, 0.0, -3.0, 7.0]
        X[:, 3] = np.round(X[:, 3])
        if self.missing_values:
            missing = rng.random((n, 5)) < 0.1
            missing[[0, 1, 7, 120]] = False  # where batches begin: none is without values
            X[missing] = np.nan
        return X.astype(dtype)

    def table(self, shape: tuple[int, int], seed: int) -> Any:
        """Rows of any shape without missing values."""
        return np.random.default_rng(seed).normal(size=shape)

    def target(self, n: int) -> Any:
        """What y is in fitting."""
        return None

    def close(self, mine: Any, theirs: Any, rtol: float) -> None:
        """Raise unless two results agree, in dtype too; sparse ones in their parts."""
        if issparse(theirs):
            assert type(mine) is type(theirs), (type(mine), type(theirs))
            for name in ("shape", "indptr", "indices", "data"):
                self.close(getattr(mine, name), getattr(theirs, name), rtol)
            return
        mine, theirs = np.asarray(mine), np.asarray(theirs)
        assert mine.dtype == theirs.dtype, (mine.dtype, theirs.dtype)
        if rtol == 0 or mine.dtype.kind not in "fc":
            np.testing.assert_array_equal(mine, theirs)
        else:
            scale = max(rtol, 0.0 if mine.dtype == np.float64 else 1e-5)
            np.testing.assert_allclose(mine, theirs, rtol=scale, atol=scale)

    def same_attributes(self, mine: Any, theirs: Any, rtol: float) -> None:
        """Raise unless the fitted attributes agree."""
        for name in self.attributes:
            one, two = getattr(mine, name), getattr(theirs, name)
            assert type(one) is type(two), (name, type(one), type(two))
            if isinstance(one, list):
                for a, b in zip(one, two, strict=True):
                    self.close(a, b, rtol)
            elif one is not None:
                self.close(one, two, rtol)

    def layouts(self, X: Any) -> list[Any]:
        """The same rows as they may lie in memory."""
        wide = np.zeros((len(X), 9), X.dtype)
        wide[:, 2:7] = X
        read_only = X.copy()
        read_only.flags.writeable = False
        return [X, np.asfortranarray(X), wide[:, 2:7], X[::-1][::-1], read_only]

    def counted(self, call: Any, declined: bool = False) -> Any:
        """The result of a call that the core must answer."""
        name = type(self.make()).__name__
        before = core_calls().get(name, {"core": 0, "declined": 0})
        result = call()
        after = core_calls()[name]
        key = "declined" if declined else "core"
        assert after[key] > before[key], (before, after)
        return result

    def test_scikit_learns_results(self) -> None:
        """Attributes and results, of every dtype and layout; the core answers."""
        for dtype in self.dtypes:
            X = self.rows(dtype=dtype)
            y = self.target(len(X))
            theirs = self.original().fit(X, y)
            expected = theirs.transform(X)
            for rows in self.layouts(X):
                mine = self.make().fit(rows, y)
                self.same_attributes(mine, theirs, self.rtol)
                self.close(self.counted(lambda m=mine, r=rows: m.transform(r)), expected, self.rtol)
                self.close(self.make().fit_transform(rows, y), expected, self.rtol)
                if self.inverse:
                    back = mine.inverse_transform(expected)
                    self.close(back, theirs.inverse_transform(expected), self.rtol)

    def test_large_and_wide_tables(self) -> None:
        """More rows than a task has, and more columns than a block."""
        for shape in self.shapes:
            X = self.table(shape, 3)
            y = self.target(len(X))
            for rows in (X, np.asfortranarray(X)):
                mine, theirs = self.make().fit(rows, y), self.original().fit(X, y)
                self.same_attributes(mine, theirs, self.rtol)
                self.close(mine.transform(rows), theirs.transform(X), self.rtol)

    def test_results_are_written_where_they_are_wanted(self) -> None:
        """In `out`, in X, in either order; what cannot be written is named."""
        if not self.out:
            return
        for dtype in ("float64", "float32"):
            X = self.rows(dtype=dtype)
            mine = self.make().fit(X)
            for name in ("transform", "inverse_transform")[: 1 + self.inverse]:
                call = getattr(mine, name)
                expected = call(X)
                orders: tuple[Literal["C", "F"], ...] = ("C", "F")
                for order in orders:
                    out = np.empty_like(X, order=order)
                    assert call(X, out=out) is out
                    np.testing.assert_array_equal(out, expected)
                    rows = np.array(X, order=order)
                    assert call(rows, out=rows) is rows
                    np.testing.assert_array_equal(rows, expected)
                self.refused(lambda c=call, r=X: c(r, out=np.empty((2, 2))), "out has shape (2, 2)")
                self.refused(lambda c=call, r=X: c(r, out=r.astype("f2")), "out has dtype float16")
                self.refused(lambda c=call, r=X: c(r, out=[1]), "out is a list")
                gaps = np.empty((len(X), 10), X.dtype)[:, ::2]
                self.refused(lambda c=call, r=X, g=gaps: c(r, out=g), "contiguous")
                room = np.zeros(X.size + 5, X.dtype)
                one, two = room[:-5].reshape(X.shape), room[5:].reshape(X.shape)
                self.refused(lambda c=call, a=one, b=two: c(a, out=b), "out overlaps X")

    def test_in_place(self) -> None:
        """copy=False writes to X, where scikit-learn's does."""
        if "copy" not in self.make().get_params():
            return
        X = self.rows()
        mine, theirs = self.make(copy=False).fit(X), self.original(copy=False).fit(X)
        one, two = X.copy(), X.copy()
        assert mine.transform(one) is one
        theirs.transform(two)
        self.close(one, two, self.rtol)

    def test_any_batching_and_any_merging(self) -> None:
        """What all rows at once give."""
        for dtype in self.dtypes:
            X = self.rows(dtype=dtype)
            y = self.target(len(X))
            whole = self.make().fit(X, y)
            ends = [0, 1, 7, 120, len(X)]
            parts = [slice(a, b) for a, b in itertools.pairwise(ends)]
            batched = self.make()
            for part in parts:
                assert batched.partial_fit(X[part], None if y is None else y[part]) is batched
            self.same_attributes(batched, whole, self.batching_rtol)
            several = []
            for part in parts:
                one = self.make()
                # A single row may be nothing to fit to.
                call = one.partial_fit if part.stop == part.start + 1 else one.fit
                several.append(call(X[part], None if y is None else y[part]))
            one = self.make()
            for other in (several[2], several[0], self.make(), several[3], several[1]):
                before = repr(other.state_dict())
                assert one.merge(other) is one
                assert repr(other.state_dict()) == before
            self.same_attributes(one, whole, self.batching_rtol)
            self.close(one.transform(X), whole.transform(X), self.batching_rtol)

    def test_any_number_of_threads(self) -> None:
        """To the bit."""
        X = self.table((150_000, 3), 1)
        y = self.target(len(X))
        before = mlestar.get_num_threads()
        results = []
        try:
            for threads in (1, 2, 5):
                mlestar.set_num_threads(threads)
                mine = self.make().partial_fit(X[:100_000], None if y is None else y[:100_000])
                mine.partial_fit(X[100_000:], None if y is None else y[100_000:])
                results.append((mine, mine.transform(X)))
        finally:
            mlestar.set_num_threads(before)
        for mine, result in results[1:]:
            self.same_attributes(mine, results[0][0], 0.0)
            self.close(result, results[0][1], 0.0)

    def test_states(self) -> None:
        """A state, a pickle and the original end the same; others' states are refused."""
        X = self.rows()
        y = self.target(len(X))
        early, late = slice(200), slice(200, None)
        mine = self.make().partial_fit(X[early], None if y is None else y[early])
        state = mine.state_dict()
        json.dumps(state, default=lambda v: v.tolist())  # arrays apart, nothing but JSON's types
        loaded = self.make().load_state_dict(state)
        pickled = pickle.loads(pickle.dumps(mine))
        assert repr(pickled) == repr(mine)
        for one in (mine, loaded, pickled):
            one.partial_fit(X[late], None if y is None else y[late])
        for one in (loaded, pickled):
            self.same_attributes(one, mine, 0.0)
            self.close(one.transform(X), mine.transform(X), 0.0)
        for change in ({"version": 0}, {"transformer": "Other"}, {"parameters": {"no": 1}}):
            self.refused(lambda c=change: mine.load_state_dict({**state, **c}), "state has")
        self.refused(
            lambda: mine.load_state_dict({**state, "attributes": {"n_features_in_": 5, "x": 1}}),
            "state has attributes",
        )
        assert (
            self.make().load_state_dict(self.make().state_dict()).state_dict()["attributes"] == {}
        )

    def test_others_are_not_merged(self) -> None:
        """Another class, and other columns."""
        X = self.rows()
        y = self.target(len(X))
        mine = self.make().fit(X, y)
        self.refused(lambda: mine.merge(object()), "other is a object")
        narrow = self.make().fit(X[:, :3], y)
        self.refused(lambda: mine.merge(narrow), "n_features_in_")

    def test_estimator(self) -> None:
        """scikit-learn's own checks of estimators, and its tools."""
        for estimator, check in estimator_checks_generator(self.make()):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    check(estimator)
                except Exception as error:
                    if type(error).__name__ != "SkipTest":
                        raise
        assert repr(clone(self.make())) == repr(self.make())

    def test_names_of_columns(self) -> None:
        """Tables have them, and get them back."""
        try:
            import pandas as pd
        except ImportError:
            return
        X = self.rows()
        y = self.target(len(X))
        table = pd.DataFrame(X, columns=list("abcde"))
        mine = self.make().set_output(transform="pandas").fit(table, y)
        theirs = self.original().set_output(transform="pandas").fit(table, y)
        assert list(mine.feature_names_in_) == list("abcde")
        one, two = mine.transform(table), theirs.transform(table)
        assert list(one.columns) == list(two.columns)
        self.close(one, two, self.rtol)
        again = self.make().load_state_dict(mine.state_dict())
        assert list(again.feature_names_in_) == list("abcde")
        self.refused(lambda: mine.merge(self.make().fit(X, y)), "feature_names_in_")

    def refused(self, call: Any, words: str) -> None:
        """Raise unless the call is a ValueError with those words."""
        try:
            call()
        except ValueError as error:
            found = str(error)
        else:
            raise AssertionError(f"no ValueError with {words!r}")
        assert words in found, found
