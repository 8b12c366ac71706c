"""Splitters that give scikit-learn's indices, bit for bit, for the same `random_state`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import numpy as np
import sklearn.model_selection
from sklearn.model_selection._split import _validate_shuffle_split
from sklearn.utils import check_random_state, indexable
from sklearn.utils.extmath import _approximate_mode
from sklearn.utils.validation import _num_samples

from mlestar._arrays import as_array
from mlestar._calls import answered, decline, declined
from mlestar._native import _core
from mlestar.metrics._labels import encode
from mlestar.model_selection.gather import take_rows

_ROOM = "sklearn.model_selection"
_MOST_FOLDS = 65535


class KFold(sklearn.model_selection.KFold):  # type: ignore[misc]
    """K consecutive folds, shuffled first if asked.

    Drop-in for `sklearn.model_selection.KFold`: the same parameters, errors and indices; only
    `split` is computed in the core.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=False
        Whether rows are shuffled before they are dealt to folds.
    random_state : int, RandomState instance or None, default=None
        Draws of the shuffle, taken from the caller's own NumPy bit generator.

    Examples
    --------
    >>> from mlestar.model_selection import KFold
    >>> [test.tolist() for _, test in KFold(3).split([[0]] * 5)]
    [[0, 1], [2, 3], [4]]
    """

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Indices of the rows to train and to test on, fold by fold.

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
        if type(self)._iter_test_indices is not _KFOLD_INDICES or self.n_splits > _MOST_FOLDS:
            declined("KFold")
            folds: Iterator[tuple[Any, Any]] = super().split(X, y, groups)
            return folds
        _say_groups_are_ignored(self, groups)
        return self._folds(X, y, groups)

    def _folds(self, X: Any, y: Any, groups: Any) -> Iterator[tuple[Any, Any]]:
        X, y, groups = indexable(X, y, groups)
        rows = _num_samples(X)
        if self.n_splits > rows:  # scikit-learn words the error
            declined("KFold")
            yield from super().split(X, y)
            return
        answered("KFold")
        if self.shuffle:
            with _generator(check_random_state(self.random_state)) as generator:
                folds = _core.model_selection.shuffled_folds(rows, self.n_splits, generator)
            for fold in range(self.n_splits):
                yield folds.split(fold)
            return
        stop = 0
        for fold in range(self.n_splits):
            start = stop
            stop += rows // self.n_splits + (fold < rows % self.n_splits)
            yield _core.model_selection.split_range(rows, start, stop)


class StratifiedKFold(sklearn.model_selection.StratifiedKFold):  # type: ignore[misc]
    """K folds that keep each class's share.

    Drop-in for `sklearn.model_selection.StratifiedKFold`: the same parameters, errors, warnings and
    indices; only `split` is computed in the core.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=False
        Whether rows are shuffled within their class.
    random_state : int, RandomState instance or None, default=None
        Draws of the shuffle, taken from the caller's own NumPy bit generator.

    Examples
    --------
    >>> from mlestar.model_selection import StratifiedKFold
    >>> y = [0, 0, 0, 1, 1, 1]
    >>> [test.tolist() for _, test in StratifiedKFold(3).split(y, y)]
    [[0, 3], [1, 4], [2, 5]]
    """

    def split(self, X: Any, y: Any, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Indices of the rows to train and to test on, fold by fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Only its number of rows counts.
        y : array-like of shape (n_samples,)
            Classes: integers, bool, whole floats or strings.
        groups : ignored

        Yields
        ------
        train, test : ndarray of int64
            Ascending row numbers.
        """
        codes = None
        if type(self)._make_test_folds is _STRATIFIED_FOLDS and self.n_splits <= _MOST_FOLDS:
            codes = _codes(y)
        if codes is None:
            declined("StratifiedKFold")
            folds: Iterator[tuple[Any, Any]] = super().split(X, y, groups)
            return folds
        _say_groups_are_ignored(self, groups)
        return self._folds(X, y, groups, codes)

    def _folds(self, X: Any, y: Any, groups: Any, codes: Any) -> Iterator[tuple[Any, Any]]:
        # Drawn when the first fold is asked for, as in scikit-learn.
        indexable(X, y, groups)
        found = self._assign(codes) if codes.shape[0] >= self.n_splits else None
        if found is None:
            declined("StratifiedKFold")
            yield from super().split(X, y)
            return
        folds, smallest = found
        if self.n_splits > smallest:
            warnings.warn(
                f"The least populated class in y has only {smallest} members, which is less than "
                f"n_splits={self.n_splits}.",
                UserWarning,
                stacklevel=2,
            )
        answered("StratifiedKFold")
        for fold in range(self.n_splits):
            yield folds.split(fold)

    def _assign(self, codes: Any) -> tuple[Any, int] | None:
        """The folds and the smallest class; None to decline, with the random state untouched."""
        if not self.shuffle:
            found = _core.model_selection.stratify(codes, self.n_splits, None)
        else:
            with _generator(check_random_state(self.random_state)) as generator:
                found = _core.model_selection.stratify(codes, self.n_splits, generator)
        if found is None or found[0] is None:
            return None
        folds, counts = found
        return folds, int(counts.min())


def train_test_split(
    *arrays: Any,
    test_size: float | int | None = None,
    train_size: float | int | None = None,
    random_state: Any = None,
    shuffle: bool = True,
    stratify: Any = None,
) -> list[Any]:
    """Split arrays into a part to train on and a part to test on.

    Drop-in for `sklearn.model_selection.train_test_split`.

    Parameters
    ----------
    *arrays : sequence of array-likes with the same length
        Arrays, tables, lists, sparse matrices.
    test_size, train_size : float or int, default=None
        Fraction in (0, 1) or number of rows; 0.25 is tested on by default.
    random_state : int, RandomState instance or None, default=None
        Draws of the shuffle, taken from the caller's own NumPy bit generator.
    shuffle : bool, default=True
        Whether rows are shuffled first.
    stratify : array-like of shape (n_samples,), default=None
        Classes whose shares both parts keep.

    Returns
    -------
    list
        Train and test part of each array in turn.

    Raises
    ------
    ValueError
        As scikit-learn: no arrays, lengths that differ, sizes that leave a part empty.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.model_selection import train_test_split
    >>> train_test_split(np.arange(8), test_size=2, random_state=0)
    [array([1, 7, 3, 0, 5, 4]), array([6, 2])]
    """
    rows = _train_test_rows(arrays, test_size, train_size, random_state, shuffle, stratify)
    if rows is None:
        result: list[Any] = decline("train_test_split", _ROOM)(
            *arrays,
            test_size=test_size,
            train_size=train_size,
            random_state=random_state,
            shuffle=shuffle,
            stratify=stratify,
        )
        return result
    answered("train_test_split")
    train, test = rows
    arrays = tuple(indexable(*arrays))
    return list(chain.from_iterable((take_rows(a, train), take_rows(a, test)) for a in arrays))


def _train_test_rows(
    arrays: tuple[Any, ...],
    test_size: Any,
    train_size: Any,
    random_state: Any,
    shuffle: Any,
    stratify: Any,
) -> tuple[Any, Any] | None:
    """Row numbers of both parts; None to decline, with the random state untouched."""
    sizes = (int, float, np.integer, np.floating, type(None))
    if not arrays or not isinstance(shuffle, bool | np.bool_):
        return None
    if isinstance(test_size, bool) or isinstance(train_size, bool):
        return None
    if not isinstance(test_size, sizes) or not isinstance(train_size, sizes):
        return None
    if (stratify is not None and not shuffle) or not _plain_random_state(random_state):
        return None
    try:
        indexable(*arrays)
        rows = _num_samples(arrays[0])
        n_train, n_test = _validate_shuffle_split(
            rows, test_size, train_size, default_test_size=0.25
        )
    except (TypeError, ValueError):
        return None
    if not shuffle:
        both = np.arange(n_train + n_test)
        return both[:n_train], both[n_train:]
    if stratify is None:
        with _generator(check_random_state(random_state)) as generator:
            order = _core.model_selection.permutation(rows, generator)
        return order[n_test : n_test + n_train], order[:n_test]
    codes = _codes(stratify)
    if codes is None or codes.shape[0] != rows:
        return None
    found = _core.model_selection.group_by_class(codes)
    if found is None:
        return None
    classes, counts = found
    if counts.min() < 2 or n_train < counts.size or n_test < counts.size:
        return None  # scikit-learn words the error
    state = check_random_state(random_state)
    train_counts = _approximate_mode(counts, n_train, state)
    test_counts = _approximate_mode(counts - train_counts, n_test, state)
    with _generator(state) as generator:
        drawn: tuple[Any, Any] = _core.model_selection.stratified_draw(
            classes, train_counts.tolist(), test_counts.tolist(), generator
        )
    return drawn


def _say_groups_are_ignored(splitter: Any, groups: Any) -> None:
    if groups is not None:
        warnings.warn(
            f"The groups parameter is ignored by {type(splitter).__name__}",
            UserWarning,
            stacklevel=3,
        )


def _codes(y: Any) -> Any:
    """Labels as integers the core reads in place; None to decline."""
    array = as_array(y)
    if array is None or array.ndim != 1 or array.size == 0:
        return None
    if (codes := encode(array)) is not None:
        return codes.y_true
    return array if array.dtype.kind in "biuf" else None


def _plain_random_state(random_state: Any) -> bool:
    return random_state is None or isinstance(
        random_state, int | np.integer | np.random.RandomState
    )


@contextmanager
def _generator(state: np.random.RandomState) -> Iterator[Any]:
    """The bit generator of a RandomState as a C interface, locked for the caller."""
    bit_generator = state._bit_generator
    with bit_generator.lock:
        yield bit_generator.capsule


# What a subclass may have overridden; then it means to compute for itself.
_KFOLD_INDICES = sklearn.model_selection.KFold._iter_test_indices
_STRATIFIED_FOLDS = sklearn.model_selection.StratifiedKFold._make_test_folds
