"""Splits that train on the past only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from mlestar._native import _core
from mlestar.model_selection._base import check_count, check_flag
from mlestar.model_selection._times import (
    TemporalSplitter,
    check_length,
    check_unit,
    is_length_of_time,
)
from mlestar.model_selection.splitters import label_codes


class WalkForwardSplit(TemporalSplitter):
    """Train on a window of the past, test on what comes next, move on.

    Parameters
    ----------
    test_size, train_size : int or timedelta
        Rows, or length of time, of each window. The first training window begins with the data.
    expand_train : bool, default=False
        Whether later training windows still begin with the data, instead of moving on.
    gap : int or timedelta, default=0
        Left out between training and test.
    step : int or timedelta, default=None
        How far the windows move on; by default by `test_size`, so that no row is tested twice and
        none is left out.
    reduce_test : bool, default=False
        Whether a last test window that the data do not fill is kept.
    unit : {"rows", "time"}, default="rows"
        With "time" numbers are lengths of time in the unit of `t0`.
    t0, t1 : array-like of shape (n_samples,), default=None
        Times of all rows, where `split` is not given them.

    See Also
    --------
    sklearn.model_selection.TimeSeriesSplit : A number of splits instead of sizes.

    Notes
    -----
    Every label trained on has ended before the first row tested on begins, whatever `gap` is: rows
    whose interval ``[t0, t1]`` reaches the test are purged (Lopez de Prado, Advances in Financial
    Machine Learning, 2018, section 7.4.1), and so are rows of the very time at which the test
    begins. skfolio's ``WalkForward``, whose parameters these are, splits such rows by their place.

    Windows of time are half open, ``[begin, begin + size)``; those in which nothing happens are
    passed over. The data are taken to last as long after their last time as the shortest step
    between two times.

    Examples
    --------
    >>> from mlestar.model_selection import WalkForwardSplit
    >>> for train, test in WalkForwardSplit(test_size=2, train_size=3, gap=1).split(range(8)):
    ...     print(train, test)
    [0 1 2] [4 5]
    [2 3 4] [6 7]

    Tested on weeks of days in any order:

    >>> import numpy as np
    >>> days = np.datetime64("2024-01-01") + np.array([9, 1, 20, 3, 8, 15, 14, 2, 0])
    >>> week = np.timedelta64(7, "D")
    >>> for train, test in WalkForwardSplit(week, week, expand_train=True).split(days, t0=days):
    ...     print(train, test)
    [1 3 7 8] [0 4]
    [0 1 3 4 7 8] [2 5 6]
    """

    def __init__(
        self,
        test_size: Any,
        train_size: Any,
        *,
        expand_train: bool = False,
        gap: Any = 0,
        step: Any = None,
        reduce_test: bool = False,
        unit: str = "rows",
        t0: Any = None,
        t1: Any = None,
    ) -> None:
        self.test_size = test_size
        self.train_size = train_size
        self.expand_train = expand_train
        self.gap = gap
        self.step = step
        self.reduce_test = reduce_test
        self.unit = unit
        self.t0 = t0
        self.t1 = t1
        check_unit(unit)
        check_flag(expand_train, "expand_train")
        check_flag(reduce_test, "reduce_test")
        for name, value in self._lengths().items():
            check_length(value, name, unit, positive=name != "gap")
        kinds = {
            name: unit == "time" or is_length_of_time(value)
            for name, value in self._lengths().items()
            if name != "gap" or is_length_of_time(value) or value != 0
        }
        for name, in_time in kinds.items():
            if in_time != kinds["test_size"]:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}, but must be "
                    f"{'a length of time' if kinds['test_size'] else 'a number of rows'} as "
                    f"test_size is, {test_size!r}"
                )

    def _lengths(self) -> dict[str, Any]:
        step = self.test_size if self.step is None else self.step
        return {
            "test_size": self.test_size,
            "train_size": self.train_size,
            "gap": self.gap,
            "step": step,
        }

    def _windows(self, X: Any, y: Any, groups: Any, t0: Any, t1: Any) -> tuple[Any, Any]:
        lengths = self._lengths()
        in_time = self.unit == "time" or is_length_of_time(self.test_size)
        times, rows, moments = self._timeline(X, y, groups, t0, t1, lengths if in_time else {})
        values = moments if in_time else {k: min(int(v), 2**62) for k, v in lengths.items()}
        walk = times.walk_in_time if in_time else times.walk
        windows = walk(
            values["train_size"],
            values["test_size"],
            values["gap"],
            values["step"],
            self.expand_train,
            self.reduce_test,
        )
        if len(windows) == 0:
            raise ValueError(
                f"train_size is {self.train_size!r}, gap {self.gap!r} and test_size "
                f"{self.test_size!r}, but together they must fit into the {rows} rows"
            )
        return times, windows

    def get_n_splits(
        self, X: Any = None, y: Any = None, groups: Any = None, *, t0: Any = None, t1: Any = None
    ) -> int:
        """Number of splits of these data; arguments and errors as in `split`.

        Returns
        -------
        int
        """
        return len(self._windows(X, y, groups, t0, t1)[1])

    def split(
        self, X: Any = None, y: Any = None, groups: Any = None, *, t0: Any = None, t1: Any = None
    ) -> Iterator[tuple[Any, Any]]:
        """Indices of the rows to train and to test on, the earliest window first.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Only its number of rows counts, and its index where that is a DatetimeIndex.
        y, groups : ignored
        t0 : array-like of shape (n_samples,), default=None
            Time of each row: integers, floats, datetimes or timedeltas, in any order. By default
            the splitter's own; else X's DatetimeIndex; else the row numbers.
        t1 : array-like of shape (n_samples,), default=None
            When each label has ended, not before `t0`; by default at once.

        Yields
        ------
        train, test : ndarray of int64
            Ascending row numbers.

        Raises
        ------
        ValueError
            If the windows do not fit into the data, times are missing, not finite or of another
            length, a label ends before it begins, or nothing is left to train on.
        """
        times, windows = self._windows(X, y, groups, t0, t1)
        for number, window in enumerate(windows.tolist()):
            yield self._checked(times.split(*window), number)


class GroupTimeSeriesSplit(TemporalSplitter):
    """Time series split of whole groups: train on the groups that come first.

    As `sklearn.model_selection.TimeSeriesSplit`, with groups, in the order of their first row in
    time, in the place of rows. No group is both trained and tested on.

    Parameters
    ----------
    n_splits : int, default=5
        Number of splits, at least 1.
    max_train_size : int, default=None
        Groups to train on, at most.
    test_size : int, default=None
        Groups to test on; by default ``n_groups // (n_splits + 1)``.
    gap : int, default=0
        Groups left out between training and test.
    t0, t1 : array-like of shape (n_samples,), default=None
        Times of all rows, where `split` is not given them.

    Notes
    -----
    The rows of a group need not be side by side, as mlxtend's class of this name asks. Where a
    group goes on while later groups have begun, its rows that reach the first time tested on, by
    their interval ``[t0, t1]``, are purged from training.

    Examples
    --------
    >>> from mlestar.model_selection import GroupTimeSeriesSplit
    >>> groups = ["a", "a", "b", "a", "b", "c", "c", "d"]
    >>> for train, test in GroupTimeSeriesSplit(2, test_size=1).split(groups, groups=groups):
    ...     print(train, test)
    [0 1 2 3 4] [5 6]
    [0 1 2 3 4 5 6] [7]
    """

    __metadata_request__split: ClassVar[dict[str, Any]] = {"groups": True, "t0": True, "t1": True}

    def __init__(
        self,
        n_splits: int = 5,
        *,
        max_train_size: int | None = None,
        test_size: int | None = None,
        gap: int = 0,
        t0: Any = None,
        t1: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.max_train_size = max_train_size
        self.test_size = test_size
        self.gap = gap
        self.t0 = t0
        self.t1 = t1
        check_count(n_splits, "n_splits", 1)
        check_count(gap, "gap", 0)
        for name in ("max_train_size", "test_size"):
            if (value := getattr(self, name)) is not None:
                check_count(value, name, 1)

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
        """Indices of the rows to train and to test on, the earliest groups first.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Only its number of rows counts, and its index where that is a DatetimeIndex.
        y : ignored
        groups : array-like of shape (n_samples,)
            Group of each row: integers, strings, or anything that sorts.
        t0, t1 : array-like of shape (n_samples,), default=None
            As in `WalkForwardSplit.split`.

        Yields
        ------
        train, test : ndarray of int64
            Ascending row numbers.

        Raises
        ------
        ValueError
            If there are no groups, or too few for the splits, or as in `WalkForwardSplit.split`.
        """
        if groups is None:
            raise ValueError("groups is None, but must be the group of each row")
        times, _, _ = self._timeline(X, y, groups, t0, t1)
        series = _core.model_selection.GroupSeries(times, _whole_codes(groups))
        count = series.count()
        size = count // (self.n_splits + 1) if self.test_size is None else int(self.test_size)
        first = count - self.n_splits * size
        if size == 0 or first - self.gap <= 0:
            raise ValueError(
                f"n_splits is {self.n_splits}, test_size {self.test_size} and gap {self.gap}, but "
                f"together they must leave one of the {count} groups to train on and one to test on"
            )
        for number in range(self.n_splits):
            start = first + number * size
            stop = start - int(self.gap)
            begin = 0 if self.max_train_size is None else max(0, stop - int(self.max_train_size))
            yield self._checked(series.split(begin, stop, start, start + size), number)


def _whole_codes(groups: Any) -> Any:
    """Groups as integers."""
    codes = label_codes(groups)
    if codes is not None and codes.dtype.kind in "biu":
        return codes
    array = np.asarray(groups)
    if array.ndim != 1:
        raise ValueError(f"groups has {array.ndim} axes, but must have one")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError("groups holds NaN, but must name the group of each row")
    return np.unique(array, return_inverse=True)[1]
