"""Folds by time, purged: nothing that is trained on reaches into what is tested on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from mlestar._native import _core
from mlestar.model_selection._base import check_count
from mlestar.model_selection._times import (
    TemporalSplitter,
    check_length,
    check_unit,
    is_length_of_time,
)


class _Purged(TemporalSplitter):
    """Folds by time, what reaches into those held out left out of training."""

    embargo: Any
    unit: Any

    def _check_embargo(self) -> None:
        check_unit(self.unit)
        if _is_fraction(self.embargo) and self.unit == "rows":
            if not 0 <= self.embargo < 1:
                raise ValueError(
                    f"embargo is {self.embargo!r}, but must be a number of rows, a fraction of "
                    "them in [0, 1), a timedelta, or a length of time with unit='time'"
                )
            return
        check_length(self.embargo, "embargo", self.unit, positive=False)

    def _folds(self, count: int, name: str, X: Any, y: Any, groups: Any, t0: Any, t1: Any) -> Any:
        in_time = is_length_of_time(self.embargo) or self.unit == "time"
        lengths = {"embargo": self.embargo} if in_time else {}
        times, rows, moments = self._timeline(X, y, groups, t0, t1, lengths)
        if count > rows:
            raise ValueError(f"{name} is {count}, but must be at most the number of rows, {rows}")
        after = 0
        if not in_time:
            fraction = _is_fraction(self.embargo)
            after = int(rows * self.embargo) if fraction else min(int(self.embargo), rows)
        return _core.model_selection.PurgedFolds(times, count, after, moments.get("embargo"))


class PurgedKFold(_Purged):
    """K consecutive folds by time, without the training rows whose labels reach into the test.

    The label of a row is made by what happens in the closed interval ``[t0, t1]``. A row is purged
    from training where its interval overlaps that of any row tested on, and, with an embargo, where
    it begins soon after the last of those has ended (Lopez de Prado, Advances in Financial Machine
    Learning, 2018, sections 7.4.1 and 7.4.2).

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    embargo : int, float or timedelta, default=0
        What is left out of training after the last label of a test fold has ended: the next so many
        rows (int), the next so many as a fraction in [0, 1) of all rows (float, the book's
        ``pctEmbargo``), or rows that begin within this time (timedelta, its end included).
    unit : {"rows", "time"}, default="rows"
        With "time" a number as `embargo` is a length of time in the unit of `t0`.
    t0, t1 : array-like of shape (n_samples,), default=None
        Times of all rows, where `split` is not given them: scikit-learn passes them on only with
        its metadata routing.

    See Also
    --------
    CombinatorialPurgedKFold : Several folds held out at once, for many paths through the data.
    WalkForwardSplit : Trains on the past only.

    Notes
    -----
    The intervals are closed, as the book defines an overlap: a label that ends at the very moment
    at which a test row begins is purged. (The book's snippet 7.3 keeps it.) The embargo counts from
    the end of the last label, as there. Rows need not be in the order of their times.

    Examples
    --------
    Ten days, each with a label that takes two days more to be known:

    >>> import numpy as np
    >>> from mlestar.model_selection import PurgedKFold
    >>> t0 = np.arange("2024-01-01", "2024-01-11", dtype="datetime64[D]")
    >>> splitter = PurgedKFold(3, embargo=np.timedelta64(1, "D"))
    >>> for train, test in splitter.split(t0, t0=t0, t1=t0 + 2):
    ...     print(train, test)
    [7 8 9] [0 1 2 3]
    [0 1] [4 5 6]
    [0 1 2 3 4] [7 8 9]
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        embargo: Any = 0,
        unit: str = "rows",
        t0: Any = None,
        t1: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.embargo = embargo
        self.unit = unit
        self.t0 = t0
        self.t1 = t1
        check_count(n_splits, "n_splits", 2)
        self._check_embargo()

    def get_n_splits(
        self, X: Any = None, y: Any = None, groups: Any = None, *, t0: Any = None, t1: Any = None
    ) -> int:
        """Number of splits; the arguments are ignored.

        Returns
        -------
        int
        """
        return int(self.n_splits)

    def split(
        self, X: Any = None, y: Any = None, groups: Any = None, *, t0: Any = None, t1: Any = None
    ) -> Iterator[tuple[Any, Any]]:
        """Indices of the rows to train and to test on, the earliest fold first.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Only its number of rows counts, and its index where that is a DatetimeIndex.
        y, groups : ignored
        t0 : array-like of shape (n_samples,), default=None
            When each label begins: integers, floats, datetimes or timedeltas, in any order. By
            default the splitter's own; else X's DatetimeIndex; else the row numbers.
        t1 : array-like of shape (n_samples,), default=None
            When each label has ended, not before `t0`; by default at once.

        Yields
        ------
        train, test : ndarray of int64
            Ascending row numbers.

        Raises
        ------
        ValueError
            If there are fewer rows than folds, times are missing, not finite or of another length,
            a label ends before it begins, or nothing is left to train on.
        """
        folds = self._folds(int(self.n_splits), "n_splits", X, y, groups, t0, t1)
        for fold in range(self.n_splits):
            yield self._checked(folds.split([fold]), fold)


class CombinatorialPurgedKFold(_Purged):
    """Every choice of some of the folds by time held out, purged; with the paths through them.

    Each of the ``comb(n_folds, n_test_folds)`` splits holds `n_test_folds` folds out. Each fold is
    held out in several splits, so that out-of-fold predictions make up `n_test_paths` whole paths
    through the data rather than one (Lopez de Prado, Advances in Financial Machine Learning, 2018,
    chapter 12). Purging and embargo as in `PurgedKFold`, around each fold held out.

    Parameters
    ----------
    n_folds : int, default=6
        Number of folds by time, at least 2.
    n_test_folds : int, default=2
        Folds held out in each split, at least 1 and fewer than `n_folds`.
    embargo : int, float or timedelta, default=0
        As in `PurgedKFold`.
    unit : {"rows", "time"}, default="rows"
        With "time" a number as `embargo` is a length of time in the unit of `t0`.
    t0, t1 : array-like of shape (n_samples,), default=None
        Times of all rows, where `split` is not given them.

    Notes
    -----
    Parameters are those of skfolio's ``CombinatorialPurgedCV``, which purges a number of rows. Here
    the labels' own intervals decide, and a split has one array of test rows, as scikit-learn's
    tools expect, instead of a list of arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.model_selection import CombinatorialPurgedKFold
    >>> splitter = CombinatorialPurgedKFold(4, 2)
    >>> X = np.arange(8)
    >>> splitter.get_n_splits(), splitter.n_test_paths
    (6, 3)
    >>> for train, test in splitter.split(X):
    ...     print(train, test)
    [4 5 6 7] [0 1 2 3]
    [2 3 6 7] [0 1 4 5]
    [2 3 4 5] [0 1 6 7]
    [0 1 6 7] [2 3 4 5]
    [0 1 4 5] [2 3 6 7]
    [0 1 2 3] [4 5 6 7]

    Predictions of each split's test rows, here the number of the split, as paths:

    >>> predictions = [np.full(4, number) for number in range(6)]
    >>> splitter.backtest_paths(predictions, X)
    array([[0, 0, 0, 0, 1, 1, 2, 2],
           [1, 1, 3, 3, 3, 3, 4, 4],
           [2, 2, 4, 4, 5, 5, 5, 5]])
    """

    def __init__(
        self,
        n_folds: int = 6,
        n_test_folds: int = 2,
        *,
        embargo: Any = 0,
        unit: str = "rows",
        t0: Any = None,
        t1: Any = None,
    ) -> None:
        self.n_folds = n_folds
        self.n_test_folds = n_test_folds
        self.embargo = embargo
        self.unit = unit
        self.t0 = t0
        self.t1 = t1
        check_count(n_folds, "n_folds", 2)
        check_count(n_test_folds, "n_test_folds", 1)
        if n_test_folds >= n_folds:
            raise ValueError(
                f"n_test_folds is {n_test_folds}, but must be less than n_folds, {n_folds}"
            )
        self._check_embargo()

    def get_n_splits(
        self, X: Any = None, y: Any = None, groups: Any = None, *, t0: Any = None, t1: Any = None
    ) -> int:
        """Number of splits, ``comb(n_folds, n_test_folds)``; the arguments are ignored.

        Returns
        -------
        int
        """
        return comb(self.n_folds, self.n_test_folds)

    @property
    def n_test_paths(self) -> int:
        """Paths through all rows: how often each fold is held out."""
        return comb(self.n_folds - 1, self.n_test_folds - 1)

    @property
    def test_set_index(self) -> Any:
        """The folds that each split holds out: ndarray of shape (n_splits, n_test_folds)."""
        return np.array(list(combinations(range(self.n_folds), self.n_test_folds)))

    def get_path_ids(self) -> Any:
        """The path to which each fold held out belongs.

        Returns
        -------
        ndarray of shape (n_splits, n_test_folds), dtype int64
            In the order of `test_set_index`: a fold's first time belongs to path 0, its second to
            path 1, and so on.
        """
        seen = np.zeros(self.n_folds, np.int64)
        ids = []
        for folds in self.test_set_index:
            ids.append(seen[folds])
            seen[folds] += 1
        return np.array(ids)

    def split(
        self, X: Any = None, y: Any = None, groups: Any = None, *, t0: Any = None, t1: Any = None
    ) -> Iterator[tuple[Any, Any]]:
        """Indices of the rows to train and to test on; arguments and errors as in `PurgedKFold`.

        Yields
        ------
        train, test : ndarray of int64
            Ascending row numbers.
        """
        folds = self._folds(int(self.n_folds), "n_folds", X, y, groups, t0, t1)
        chosen = combinations(range(self.n_folds), self.n_test_folds)
        for number, test_folds in enumerate(chosen):
            yield self._checked(folds.split(list(test_folds)), number)

    def backtest_paths(
        self,
        predictions: Sequence[Any],
        X: Any = None,
        y: Any = None,
        groups: Any = None,
        *,
        t0: Any = None,
        t1: Any = None,
    ) -> Any:
        """Out-of-fold predictions as whole paths through the data.

        Parameters
        ----------
        predictions : sequence of n_splits array-likes
            Of each split in order, the values of its test rows in the order in which `split` gives
            them, one or an array for each row.
        X, y, groups, t0, t1
            As `split` was given them.

        Returns
        -------
        ndarray of shape (n_test_paths, n_samples, ...)
            Every row once in every path.

        Raises
        ------
        ValueError
            If the number of splits, or the length of one, is not that of `split`.
        """
        if len(predictions) != self.get_n_splits():
            raise ValueError(
                f"predictions has {len(predictions)} values, but must have one for each of the "
                f"{self.get_n_splits()} splits"
            )
        folds = self._folds(int(self.n_folds), "n_folds", X, y, groups, t0, t1)
        fold_of_row = folds.fold_of_row()
        parts = [np.asarray(part) for part in predictions]
        shape = (self.n_test_paths, len(fold_of_row), *parts[0].shape[1:])
        paths = np.empty(shape, np.result_type(*parts))
        path_of_fold = np.full(self.n_folds, -1)
        for number, (held_out, ids) in enumerate(
            zip(self.test_set_index, self.get_path_ids(), strict=True)
        ):
            path_of_fold[:] = -1
            path_of_fold[held_out] = ids
            path_of_row = path_of_fold[fold_of_row]
            rows = np.flatnonzero(path_of_row >= 0)
            if parts[number].shape != (len(rows), *shape[2:]):
                raise ValueError(
                    f"predictions[{number}] has shape {parts[number].shape}, but must have "
                    f"{(len(rows), *shape[2:])}: one value for each test row of its split"
                )
            paths[path_of_row[rows], rows] = parts[number]
        return paths


def _is_fraction(value: Any) -> bool:
    return isinstance(value, float | np.floating)
