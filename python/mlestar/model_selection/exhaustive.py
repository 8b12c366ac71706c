"""Splits that leave out every row, every few rows, or what the caller has said."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import sklearn.model_selection
from sklearn.utils import indexable
from sklearn.utils.validation import _num_samples

from mlestar._calls import answered, declined
from mlestar._native import _core
from mlestar.model_selection.splitters import MOST_FOLDS, say_groups_are_ignored


class LeaveOneOut(sklearn.model_selection.LeaveOneOut):  # type: ignore[misc]
    """Every row tested on once.

    Drop-in for `sklearn.model_selection.LeaveOneOut`: the same errors, warnings and indices; only
    `split` is computed in the core.

    Examples
    --------
    >>> from mlestar.model_selection import LeaveOneOut
    >>> [(train.tolist(), test.tolist()) for train, test in LeaveOneOut().split([[0]] * 3)]
    [([1, 2], [0]), ([0, 2], [1]), ([0, 1], [2])]
    """

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Indices of the rows to train and to test on, row by row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Only its number of rows counts.
        y, groups : ignored

        Yields
        ------
        train, test : ndarray of int64
            Ascending row numbers.
        """
        if type(self)._iter_test_indices is not _ONE_ROW:
            declined("LeaveOneOut")
            splits: Iterator[tuple[Any, Any]] = super().split(X, y, groups)
            return splits
        say_groups_are_ignored(self, groups)
        return self._splits(X, y, groups)

    def _splits(self, X: Any, y: Any, groups: Any) -> Iterator[tuple[Any, Any]]:
        X, y, groups = indexable(X, y, groups)
        rows = _num_samples(X)
        if rows < 2:  # scikit-learn words the error
            declined("LeaveOneOut")
            yield from super().split(X, y)
            return
        answered("LeaveOneOut")
        for row in range(rows):
            yield _core.model_selection.split_range(rows, row, row + 1)


class LeavePOut(sklearn.model_selection.LeavePOut):  # type: ignore[misc]
    """Every combination of p rows tested on once.

    Drop-in for `sklearn.model_selection.LeavePOut`: the same parameters, errors, warnings and
    indices; only `split` is computed in the core.

    Parameters
    ----------
    p : int
        How many rows are left out at a time.

    Examples
    --------
    >>> from mlestar.model_selection import LeavePOut
    >>> [test.tolist() for _, test in LeavePOut(2).split([[0]] * 3)]
    [[0, 1], [0, 2], [1, 2]]
    """

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Indices of the rows to train and to test on, combination by combination.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Only its number of rows counts.
        y, groups : ignored

        Yields
        ------
        train, test : ndarray of int64
            Ascending row numbers.
        """
        if type(self)._iter_test_indices is not _SOME_ROWS:
            declined("LeavePOut")
            splits: Iterator[tuple[Any, Any]] = super().split(X, y, groups)
            return splits
        say_groups_are_ignored(self, groups)
        return self._splits(X, y, groups)

    def _splits(self, X: Any, y: Any, groups: Any) -> Iterator[tuple[Any, Any]]:
        X, y, groups = indexable(X, y, groups)
        rows = _num_samples(X)
        whole = isinstance(self.p, int | np.integer) and not isinstance(self.p, bool)
        if not whole or not 1 <= self.p < rows:
            declined("LeavePOut")
            yield from super().split(X, y)
            return
        answered("LeavePOut")
        for left_out in combinations(range(rows), int(self.p)):
            test = np.array(left_out, dtype=np.int64)
            yield _core.model_selection.leave_out(rows, test), test


class PredefinedSplit(sklearn.model_selection.PredefinedSplit):  # type: ignore[misc]
    """Folds that the caller has numbered.

    Drop-in for `sklearn.model_selection.PredefinedSplit`: the same parameters, warnings and
    indices; only `split` is computed in the core.

    Parameters
    ----------
    test_fold : array-like of shape (n_samples,)
        The fold that tests on each row; -1 for rows that are always trained on.

    Examples
    --------
    >>> from mlestar.model_selection import PredefinedSplit
    >>> [test.tolist() for _, test in PredefinedSplit([0, 1, -1, 1]).split()]
    [[0], [1, 3]]
    """

    def _split(self) -> Iterator[tuple[Any, Any]]:
        codes = None
        if type(self)._iter_test_masks is _GIVEN_FOLDS and self.test_fold.ndim == 1:
            codes = _core.model_selection.encode_groups(self.test_fold)
        count = 0 if codes is None else len(codes.counts())
        if codes is None or count > MOST_FOLDS:
            declined("PredefinedSplit")
            yield from super()._split()
            return
        answered("PredefinedSplit")
        folds = codes.folds(np.arange(count), count)
        always = [-1] if len(self.unique_folds) < count else []  # rows that no fold tests on
        known = np.union1d(self.unique_folds, always)
        for number in self.unique_folds:
            yield folds.split(int(np.searchsorted(known, number)))


# What a subclass may have overridden; then it means to compute for itself.
_ONE_ROW = sklearn.model_selection.LeaveOneOut._iter_test_indices
_SOME_ROWS = sklearn.model_selection.LeavePOut._iter_test_indices
_GIVEN_FOLDS = sklearn.model_selection.PredefinedSplit._iter_test_masks
