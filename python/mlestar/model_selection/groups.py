"""Splitters that keep the rows of a group together, with scikit-learn's indices."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import sklearn.model_selection
from sklearn.model_selection._split import _pprint, _validate_shuffle_split
from sklearn.utils import check_random_state, indexable
from sklearn.utils.validation import _num_samples

from mlestar._calls import answered, declined
from mlestar._native import _core
from mlestar.model_selection.splitters import MOST_FOLDS, bit_generator, label_codes

_MOST_CLASSES = 128  # of which NumPy's sum is known to the bit
_MOST_CELLS = 2**28


class GroupKFold(sklearn.model_selection.GroupKFold):  # type: ignore[misc]
    """K folds of whole groups, about equal in rows.

    Drop-in for `sklearn.model_selection.GroupKFold`: the same parameters, errors and indices; only
    `split` is computed in the core.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2 and at most the number of groups.
    shuffle : bool, default=False
        Whether groups are dealt at random, the same number to each fold, instead of the largest
        first to the lightest fold.
    random_state : int, RandomState instance or None, default=None
        Draws of the shuffle, taken from the caller's own NumPy bit generator.

    Examples
    --------
    >>> from mlestar.model_selection import GroupKFold
    >>> groups = ["a", "a", "b", "c"]
    >>> [test.tolist() for _, test in GroupKFold(2).split(groups, groups=groups)]
    [[0, 1], [2, 3]]
    """

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Indices of the rows to train and to test on, fold by fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Only its number of rows counts.
        y : ignored
        groups : array-like of shape (n_samples,)
            Group of each row: integers, bool, whole floats or strings.

        Yields
        ------
        train, test : ndarray of int64
            Ascending row numbers.
        """
        folds = None
        if type(self)._iter_test_indices is _GROUP_FOLDS and self.n_splits <= MOST_FOLDS:
            X, y, groups = indexable(X, y, groups)
            codes = _group_codes(X, groups)
            if codes is not None and len(codes.counts()) >= self.n_splits:
                folds = codes.folds(self._deal(codes.counts()), self.n_splits)
        if folds is None:
            declined("GroupKFold")
            yield from super().split(X, y, groups)
            return
        answered("GroupKFold")
        for fold in range(self.n_splits):
            yield folds.split(fold)

    def _deal(self, counts: Any) -> Any:
        """The fold of each group."""
        if not self.shuffle:
            order = np.argsort(counts, kind="stable")[::-1]
            return _core.model_selection.into_lightest(counts, order, self.n_splits)
        with bit_generator(check_random_state(self.random_state)) as generator:
            order = _core.model_selection.permutation(len(counts), generator)
        fold_of_group = np.empty(len(counts), dtype=np.int64)
        for fold, groups in enumerate(np.array_split(order, self.n_splits)):
            fold_of_group[groups] = fold
        return fold_of_group


class StratifiedGroupKFold(sklearn.model_selection.StratifiedGroupKFold):  # type: ignore[misc]
    """K folds of whole groups that keep each class's share as well as the groups allow.

    Drop-in for `sklearn.model_selection.StratifiedGroupKFold`: the same parameters, errors,
    warnings and indices; only `split` is computed in the core.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2 and at most the number of groups.
    shuffle : bool, default=False
        Whether groups are shuffled before those with the same spread of classes are dealt.
    random_state : int, RandomState instance or None, default=None
        Draws of the shuffle, taken from the caller's own NumPy bit generator.
    fill_empty_folds : bool, default=False
        scikit-learn's rule may leave a fold without any row, on which nothing can be tested (its
        issue 34828). Where True, the last groups go to folds that are empty still; all else is as
        with False, which gives scikit-learn's indices.

    Examples
    --------
    >>> from mlestar.model_selection import StratifiedGroupKFold
    >>> y, groups = [0, 0, 1, 1, 1, 0], [1, 1, 1, 2, 2, 2]
    >>> [test.tolist() for _, test in StratifiedGroupKFold(2).split(y, y, groups)]
    [[0, 1, 2], [3, 4, 5]]
    """

    def __init__(
        self,
        n_splits: int = 5,
        shuffle: bool = False,
        random_state: Any = None,
        *,
        fill_empty_folds: bool = False,
    ) -> None:
        super().__init__(n_splits=n_splits, shuffle=shuffle, random_state=random_state)
        if not isinstance(fill_empty_folds, bool | np.bool_):
            raise TypeError(f"fill_empty_folds is {fill_empty_folds!r}, but must be True or False")
        self.fill_empty_folds = fill_empty_folds

    def __repr__(self) -> str:
        names = ["n_splits", "random_state", "shuffle"]
        if self.fill_empty_folds:  # where it is not, scikit-learn's own words
            names.append("fill_empty_folds")
        name = type(self).__name__
        parameters = {key: getattr(self, key) for key in names}
        return f"{name}({_pprint(parameters, offset=len(name))})"

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Indices of the rows to train and to test on, fold by fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Only its number of rows counts.
        y : array-like of shape (n_samples,)
            Classes: integers, bool, whole floats or strings.
        groups : array-like of shape (n_samples,)
            Group of each row, likewise.

        Yields
        ------
        train, test : ndarray of int64
            Ascending row numbers.
        """
        theirs = sklearn.model_selection.StratifiedGroupKFold
        untouched = (
            type(self)._iter_test_indices is _BALANCED_FOLDS
            and type(self)._find_best_fold is theirs._find_best_fold
        )
        folds = None
        if untouched and self.n_splits <= MOST_FOLDS:
            X, y, groups = indexable(X, y, groups)
            folds = self._assign(X, y, groups)
        if folds is None:
            if self.fill_empty_folds:
                raise ValueError(
                    "fill_empty_folds=True needs y with 2 to 128 classes and groups, both integers "
                    f"or strings of one axis, and at least n_splits={self.n_splits} groups and "
                    "rows of a class"
                )
            declined("StratifiedGroupKFold")
            yield from super().split(X, y, groups)
            return
        answered("StratifiedGroupKFold")
        for fold in range(self.n_splits):
            yield folds.split(fold)

    def _assign(self, X: Any, y: Any, groups: Any) -> Any:
        """The folds; None to decline, with the random state untouched."""
        codes, classes = _group_codes(X, groups), _group_codes(X, y)
        if codes is None or classes is None:
            return None
        totals, n_groups = classes.counts(), len(codes.counts())
        if not 2 <= len(totals) <= _MOST_CLASSES or n_groups * len(totals) > _MOST_CELLS:
            return None
        if totals.max() < self.n_splits or n_groups < self.n_splits:
            return None  # scikit-learn words the errors
        if totals.min() < self.n_splits:
            warnings.warn(
                f"The least populated class in y has only {totals.min()} members, which is less "
                f"than n_splits={self.n_splits}.",
                UserWarning,
                stacklevel=3,
            )
        table = codes.count_classes(classes).reshape(n_groups, len(totals))
        state = check_random_state(self.random_state)
        order = None
        if self.shuffle:
            with bit_generator(state) as generator:
                order = _core.model_selection.permutation(n_groups, generator)
        spread = -np.std(table if order is None else table[order], axis=1)
        by_spread = np.argsort(spread, kind="stable")
        order = by_spread if order is None else order[by_spread]
        fold_of_group = _core.model_selection.into_balanced(
            table.reshape(-1),
            totals.astype(np.float64),
            order,
            self.n_splits,
            bool(self.fill_empty_folds),
        )
        return codes.folds(fold_of_group, self.n_splits)


class GroupShuffleSplit(sklearn.model_selection.GroupShuffleSplit):  # type: ignore[misc]
    """Random splits of whole groups.

    Drop-in for `sklearn.model_selection.GroupShuffleSplit`: the same parameters, errors and
    indices; only the indices are computed in the core.

    Parameters
    ----------
    n_splits : int, default=5
        Number of splits.
    test_size, train_size : float or int, default=None
        Fraction in (0, 1) or number of groups; 0.2 is tested on by default.
    random_state : int, RandomState instance or None, default=None
        Draws, taken from the caller's own NumPy bit generator split by split.

    Examples
    --------
    >>> from mlestar.model_selection import GroupShuffleSplit
    >>> groups = ["a", "a", "b", "c"]
    >>> splitter = GroupShuffleSplit(1, test_size=1, random_state=0)
    >>> [test.tolist() for _, test in splitter.split(groups, groups=groups)]
    [[3]]
    """

    def _iter_indices(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        codes = _group_codes(X, groups)
        if codes is None:
            declined("GroupShuffleSplit")
            yield from super()._iter_indices(X, y, groups)
            return
        n_groups = len(codes.counts())
        n_train, n_test = _validate_shuffle_split(
            n_groups, self.test_size, self.train_size, default_test_size=self._default_test_size
        )
        answered("GroupShuffleSplit")
        state = check_random_state(self.random_state)
        for _ in range(self.n_splits):
            with bit_generator(state) as generator:
                order = _core.model_selection.permutation(n_groups, generator)
            part = np.full(n_groups, 2, dtype=np.int64)
            part[order[:n_test]] = 1
            part[order[n_test : n_test + n_train]] = 0
            folds = codes.folds(part, 3)
            rest, test = folds.split(1)
            yield (rest if n_train + n_test == n_groups else folds.split(0)[1]), test


class LeaveOneGroupOut(sklearn.model_selection.LeaveOneGroupOut):  # type: ignore[misc]
    """Every group tested on once.

    Drop-in for `sklearn.model_selection.LeaveOneGroupOut`: the same errors and indices; only
    `split` is computed in the core.

    Examples
    --------
    >>> from mlestar.model_selection import LeaveOneGroupOut
    >>> groups = ["b", "a", "b"]
    >>> [test.tolist() for _, test in LeaveOneGroupOut().split(groups, groups=groups)]
    [[1], [0, 2]]
    """

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Indices of the rows to train and to test on, group by group.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Only its number of rows counts.
        y : ignored
        groups : array-like of shape (n_samples,)
            Group of each row: integers, bool, whole floats or strings.

        Yields
        ------
        train, test : ndarray of int64
            Ascending row numbers.
        """
        codes = None
        if type(self)._iter_test_masks is _ONE_GROUP:
            X, y, groups = indexable(X, y, groups)
            codes = _group_codes(X, groups)
        n_groups = 0 if codes is None else len(codes.counts())
        if codes is None or not 2 <= n_groups <= MOST_FOLDS:
            declined("LeaveOneGroupOut")
            yield from super().split(X, y, groups)
            return
        answered("LeaveOneGroupOut")
        folds = codes.folds(np.arange(n_groups), n_groups)
        for fold in range(n_groups):
            yield folds.split(fold)


class LeavePGroupsOut(sklearn.model_selection.LeavePGroupsOut):  # type: ignore[misc]
    """Every combination of p groups tested on once.

    Drop-in for `sklearn.model_selection.LeavePGroupsOut`: the same parameters, errors and indices;
    only `split` is computed in the core.

    Parameters
    ----------
    n_groups : int
        How many groups are left out at a time.

    Examples
    --------
    >>> from mlestar.model_selection import LeavePGroupsOut
    >>> groups = [1, 2, 3]
    >>> [test.tolist() for _, test in LeavePGroupsOut(2).split(groups, groups=groups)]
    [[0, 1], [0, 2], [1, 2]]
    """

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Indices of the rows to train and to test on, combination by combination.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Only its number of rows counts.
        y : ignored
        groups : array-like of shape (n_samples,)
            Group of each row: integers, bool, whole floats or strings.

        Yields
        ------
        train, test : ndarray of int64
            Ascending row numbers.
        """
        codes = None
        if type(self)._iter_test_masks is _SOME_GROUPS and isinstance(
            self.n_groups, int | np.integer
        ):
            X, y, groups = indexable(X, y, groups)
            codes = _group_codes(X, groups)
        count = 0 if codes is None else len(codes.counts())
        if codes is None or not 1 <= self.n_groups < count:
            declined("LeavePGroupsOut")
            yield from super().split(X, y, groups)
            return
        answered("LeavePGroupsOut")
        for left_out in combinations(range(count), int(self.n_groups)):
            part = np.zeros(count, dtype=np.int64)
            part[list(left_out)] = 1
            yield codes.folds(part, 2).split(1)


def _group_codes(X: Any, groups: Any) -> Any:
    """The codes of labels or groups, one a row of X; None to decline."""
    labels = None if groups is None else label_codes(groups)
    if labels is None or len(labels) != _num_samples(X):
        return None
    return _core.model_selection.encode_groups(labels)


# What a subclass may have overridden; then it means to compute for itself.
_GROUP_FOLDS = sklearn.model_selection.GroupKFold._iter_test_indices
_BALANCED_FOLDS = sklearn.model_selection.StratifiedGroupKFold._iter_test_indices
_ONE_GROUP = sklearn.model_selection.LeaveOneGroupOut._iter_test_masks
_SOME_GROUPS = sklearn.model_selection.LeavePGroupsOut._iter_test_masks
