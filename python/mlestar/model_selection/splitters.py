"""Splitters that give scikit-learn's indices, bit for bit, for the same `random_state`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import sklearn.model_selection
from sklearn.utils import check_random_state, indexable
from sklearn.utils.validation import _num_samples

from mlestar._arrays import as_array
from mlestar._calls import answered, declined, original
from mlestar._native import _core
from mlestar.metrics._labels import encode

_ROOM = "sklearn.model_selection"
MOST_FOLDS = 65535


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
        if type(self)._iter_test_indices is not _KFOLD_INDICES or self.n_splits > MOST_FOLDS:
            declined("KFold")
            folds: Iterator[tuple[Any, Any]] = super().split(X, y, groups)
            return folds
        say_groups_are_ignored(self, groups)
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
            with bit_generator(check_random_state(self.random_state)) as generator:
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
        if type(self)._make_test_folds is _STRATIFIED_FOLDS and self.n_splits <= MOST_FOLDS:
            codes = label_codes(y)
        if codes is None:
            declined("StratifiedKFold")
            folds: Iterator[tuple[Any, Any]] = super().split(X, y, groups)
            return folds
        say_groups_are_ignored(self, groups)
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
            with bit_generator(check_random_state(self.random_state)) as generator:
                found = _core.model_selection.stratify(codes, self.n_splits, generator)
        if found is None or found[0] is None:
            return None
        folds, counts = found
        return folds, int(counts.min())


class RepeatedKFold(sklearn.model_selection.RepeatedKFold):  # type: ignore[misc]
    """Shuffled K folds, several times.

    Drop-in for `sklearn.model_selection.RepeatedKFold`: the same parameters, errors and indices;
    the folds are those of `KFold`.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    n_repeats : int, default=10
        How often they are drawn.
    random_state : int, RandomState instance or None, default=None
        Draws of all repetitions, one after the other.

    Examples
    --------
    >>> from mlestar.model_selection import RepeatedKFold
    >>> splitter = RepeatedKFold(n_splits=2, n_repeats=2, random_state=0)
    >>> [test.tolist() for _, test in splitter.split([[0]] * 4)]
    [[2, 3], [0, 1], [0, 2], [1, 3]]
    """

    def __init__(self, *, n_splits: int = 5, n_repeats: int = 10, random_state: Any = None) -> None:
        super().__init__(n_splits=n_splits, n_repeats=n_repeats, random_state=random_state)
        self.cv = KFold


class RepeatedStratifiedKFold(
    sklearn.model_selection.RepeatedStratifiedKFold  # type: ignore[misc]
):
    """Shuffled K folds that keep each class's share, several times.

    Drop-in for `sklearn.model_selection.RepeatedStratifiedKFold`: the same parameters, errors,
    warnings and indices; the folds are those of `StratifiedKFold`.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    n_repeats : int, default=10
        How often they are drawn.
    random_state : int, RandomState instance or None, default=None
        Draws of all repetitions, one after the other.

    Examples
    --------
    >>> from mlestar.model_selection import RepeatedStratifiedKFold
    >>> y = [0, 0, 1, 1]
    >>> splitter = RepeatedStratifiedKFold(n_splits=2, n_repeats=1, random_state=0)
    >>> [test.tolist() for _, test in splitter.split(y, y)]
    [[1, 2], [0, 3]]
    """

    def __init__(self, *, n_splits: int = 5, n_repeats: int = 10, random_state: Any = None) -> None:
        super().__init__(n_splits=n_splits, n_repeats=n_repeats, random_state=random_state)
        self.cv = StratifiedKFold


def check_cv(
    cv: Any = 5,
    y: Any = None,
    *,
    classifier: bool = False,
    shuffle: bool = False,
    random_state: Any = None,
) -> Any:
    """The splitter that a `cv` argument means.

    Drop-in for `sklearn.model_selection.check_cv`.

    Parameters
    ----------
    cv : int, splitter, iterable of (train, test) or None, default=5
        None is 5; a number makes folds, stratified for a classifier whose `y` holds classes.
    y : array-like, default=None
        Targets.
    classifier : bool, default=False
        Whether the task is classification.
    shuffle : bool, default=False
        Whether folds of a number are shuffled.
    random_state : int, RandomState instance or None, default=None
        Draws of the shuffle.

    Returns
    -------
    object with the methods `split` and `get_n_splits`

    Raises
    ------
    ValueError
        As scikit-learn: `cv` is none of those.

    Examples
    --------
    >>> from mlestar.model_selection import check_cv
    >>> check_cv(3, [0, 1, 0, 1, 0, 1], classifier=True)
    StratifiedKFold(n_splits=3, random_state=None, shuffle=False)
    """
    # Not the name's current binding, which may be ours: it says which class, ours computes.
    theirs = original("check_cv", _ROOM)
    found = theirs(cv, y, classifier=classifier, shuffle=shuffle, random_state=random_state)
    answered("check_cv")
    if found is cv:
        return cv
    ours = {"KFold": KFold, "StratifiedKFold": StratifiedKFold}.get(type(found).__name__)
    if ours is None or isinstance(found, ours):
        return found
    return ours(found.n_splits, shuffle=found.shuffle, random_state=found.random_state)


def say_groups_are_ignored(splitter: Any, groups: Any) -> None:
    if groups is not None:
        warnings.warn(
            f"The groups parameter is ignored by {type(splitter).__name__}",
            UserWarning,
            stacklevel=3,
        )


def label_codes(y: Any) -> Any:
    """Labels as integers the core reads in place; None to decline."""
    array = as_array(y)
    if array is None or array.ndim != 1 or array.size == 0:
        return None
    if (codes := encode(array)) is not None:
        return codes.y_true
    return array if array.dtype.kind in "biuf" else None


@contextmanager
def bit_generator(state: np.random.RandomState) -> Iterator[Any]:
    """The bit generator of a RandomState as a C interface, locked for the caller."""
    source = state._bit_generator
    with source.lock:
        yield source.capsule


# What a subclass may have overridden; then it means to compute for itself.
_KFOLD_INDICES = sklearn.model_selection.KFold._iter_test_indices
_STRATIFIED_FOLDS = sklearn.model_selection.StratifiedKFold._make_test_folds
