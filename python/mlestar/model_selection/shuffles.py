"""Random splits with scikit-learn's draws."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
import sklearn.model_selection
from sklearn.model_selection._split import _validate_shuffle_split
from sklearn.utils import check_random_state, indexable
from sklearn.utils.extmath import _approximate_mode
from sklearn.utils.validation import _num_samples

from mlestar._calls import answered, decline, declined
from mlestar._native import _core
from mlestar.model_selection.gather import take_rows
from mlestar.model_selection.splitters import bit_generator, label_codes

_ROOM = "sklearn.model_selection"


class ShuffleSplit(sklearn.model_selection.ShuffleSplit):  # type: ignore[misc]
    """Random splits, drawn anew each time.

    Drop-in for `sklearn.model_selection.ShuffleSplit`: the same parameters, errors and indices;
    only the indices are computed in the core.

    Parameters
    ----------
    n_splits : int, default=10
        Number of splits.
    test_size, train_size : float or int, default=None
        Fraction in (0, 1) or number of rows; 0.1 is tested on by default.
    random_state : int, RandomState instance or None, default=None
        Draws, taken from the caller's own NumPy bit generator split by split.

    Examples
    --------
    >>> from mlestar.model_selection import ShuffleSplit
    >>> splitter = ShuffleSplit(2, test_size=2, random_state=0)
    >>> [test.tolist() for _, test in splitter.split([[0]] * 6)]
    [[5, 2], [1, 3]]
    """

    def _iter_indices(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        rows = _num_samples(X)
        n_train, n_test = _validate_shuffle_split(
            rows, self.test_size, self.train_size, default_test_size=self._default_test_size
        )
        answered("ShuffleSplit")
        state = check_random_state(self.random_state)
        for _ in range(self.n_splits):
            with bit_generator(state) as generator:
                order = _core.model_selection.permutation(rows, generator)
            yield order[n_test : n_test + n_train], order[:n_test]


class StratifiedShuffleSplit(sklearn.model_selection.StratifiedShuffleSplit):  # type: ignore[misc]
    """Random splits that keep each class's share.

    Drop-in for `sklearn.model_selection.StratifiedShuffleSplit`: the same parameters, errors,
    warnings and indices; only the indices are computed in the core.

    Parameters
    ----------
    n_splits : int, default=10
        Number of splits.
    test_size, train_size : float or int, default=None
        Fraction in (0, 1) or number of rows; 0.1 is tested on by default.
    random_state : int, RandomState instance or None, default=None
        Draws, taken from the caller's own NumPy bit generator split by split.

    Examples
    --------
    >>> from mlestar.model_selection import StratifiedShuffleSplit
    >>> y = ["a", "b", "a", "b"]
    >>> splitter = StratifiedShuffleSplit(1, test_size=2, random_state=0)
    >>> [test.tolist() for _, test in splitter.split(y, y)]
    [[3, 0]]
    """

    def _iter_indices(self, X: Any, y: Any, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        codes = label_codes(y)
        found = None
        if codes is not None and len(codes) == _num_samples(X):
            found = _core.model_selection.group_by_class(codes)
        sizes = None
        if found is not None:
            sizes = _validate_shuffle_split(
                len(codes),
                self.test_size,
                self.train_size,
                default_test_size=self._default_test_size,
            )
        # Otherwise scikit-learn words the error.
        if found is None or sizes is None or found[1].min() < 2 or min(sizes) < len(found[1]):
            declined("StratifiedShuffleSplit")
            yield from super()._iter_indices(X, y, groups)
            return
        answered("StratifiedShuffleSplit")
        state = check_random_state(self.random_state)
        for _ in range(self.n_splits):
            yield draw_stratified(found, sizes, state)


def draw_stratified(classes: Any, sizes: tuple[int, int], state: Any) -> tuple[Any, Any]:
    """Rows to train and to test on, both with the classes' shares, in scikit-learn's draws.

    `classes` are the core's rows by class and their numbers, `sizes` the rows of both parts.
    """
    grouped, counts = classes
    train_counts = _approximate_mode(counts, sizes[0], state)
    test_counts = _approximate_mode(counts - train_counts, sizes[1], state)
    with bit_generator(state) as generator:
        drawn: tuple[Any, Any] = _core.model_selection.stratified_draw(
            grouped, train_counts.tolist(), test_counts.tolist(), generator
        )
    return drawn


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
        with bit_generator(check_random_state(random_state)) as generator:
            order = _core.model_selection.permutation(rows, generator)
        return order[n_test : n_test + n_train], order[:n_test]
    codes = label_codes(stratify)
    if codes is None or codes.shape[0] != rows:
        return None
    found = _core.model_selection.group_by_class(codes)
    if found is None:
        return None
    counts = found[1]
    if counts.min() < 2 or n_train < counts.size or n_test < counts.size:
        return None  # scikit-learn words the error
    return draw_stratified(found, (n_train, n_test), check_random_state(random_state))


def _plain_random_state(random_state: Any) -> bool:
    return random_state is None or isinstance(
        random_state, int | np.integer | np.random.RandomState
    )
