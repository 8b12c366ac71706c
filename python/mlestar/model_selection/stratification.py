"""Splits that keep the spread of a number, or the share of each of many labels."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection._split import _validate_shuffle_split
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import UNUSED

from mlestar._calls import answered
from mlestar._native import _core
from mlestar.model_selection._base import (
    Splitter,
    check_count,
    check_shuffle,
    count_of_rows,
)
from mlestar.model_selection.shuffles import StratifiedShuffleSplit
from mlestar.model_selection.splitters import StratifiedKFold, bit_generator

_DEFAULT_BINS = 10
_MOST_FOLDS = 65534


class _Stratified(Splitter):
    __metadata_request__split: ClassVar[dict[str, Any]] = {"groups": UNUSED}

    n_splits: Any

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Number of splits; the arguments are ignored.

        Returns
        -------
        int
        """
        return int(self.n_splits)


class QuantileStratifiedKFold(_Stratified):
    """K folds over each of which a continuous target is spread alike.

    The target is cut at its quantiles into bins of about as many rows, which are then dealt to the
    folds as classes are by `StratifiedKFold`: the rows of a bin in two folds differ by one at most.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    n_bins : int, default=None
        Quantile bins, at most ``n_samples // n_splits``; by default 10 or as many as that allows.
    shuffle : bool, default=False
        Whether rows are shuffled within their bin.
    random_state : int, RandomState instance or None, default=None
        Draws of the shuffle, taken from the caller's own NumPy bit generator.

    See Also
    --------
    sklearn.model_selection.StratifiedKFold : For classes, which it asks for.

    Notes
    -----
    Stratifying a continuous target by its quantiles: Breiman, Friedman, Olshen and Stone,
    Classification and Regression Trees, 1984, section 8.5; Kohavi (1995) for what it gains. Equal
    values share a bin, so that a target with many equal values (zeros, say) has fewer bins.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.model_selection import QuantileStratifiedKFold
    >>> y = np.array([0.1, 7.5, 0.3, 9.0, 0.2, 8.1])
    >>> for train, test in QuantileStratifiedKFold(3).split(y, y):
    ...     print(test, y[test])
    [0 1] [0.1 7.5]
    [2 3] [0.3 9. ]
    [4 5] [0.2 8.1]
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        n_bins: int | None = None,
        shuffle: bool = False,
        random_state: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.n_bins = n_bins
        self.shuffle = shuffle
        self.random_state = random_state
        check_count(n_splits, "n_splits", 2)
        if n_bins is not None:
            check_count(n_bins, "n_bins", 2)
        check_shuffle(shuffle, random_state)

    def split(self, X: Any, y: Any, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Indices of the rows to train and to test on, fold by fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or None
            Only its number of rows counts.
        y : array-like of shape (n_samples,)
            The target, finite, with two values at least.
        groups : ignored

        Yields
        ------
        train, test : ndarray of int64
            Ascending row numbers.

        Raises
        ------
        ValueError
            If there are fewer rows than folds or too few for the bins, or the target is of another
            length, not finite or always the same.
        """
        rows = count_of_rows(y=y, X=X)
        if self.n_splits > rows:
            raise ValueError(
                f"n_splits is {self.n_splits}, but must be at most the number of rows, {rows}"
            )
        bins = _quantile_bins(y, self.n_bins, rows, rows // int(self.n_splits), "n_splits")
        folds = StratifiedKFold(
            int(self.n_splits), shuffle=self.shuffle, random_state=self.random_state
        ).split(bins, bins)
        answered("QuantileStratifiedKFold")
        with warnings.catch_warnings():
            # Equal values may leave a bin with few rows: not the caller's doing.
            warnings.filterwarnings("ignore", "The least populated class")
            first = next(folds)
        yield first
        yield from folds


class QuantileStratifiedShuffleSplit(_Stratified):
    """Random splits in both parts of which a continuous target is spread alike.

    The target is cut at its quantiles into bins of about as many rows; each part gets each bin's
    share of them, to one row (`StratifiedShuffleSplit` of the bins).

    Parameters
    ----------
    n_splits : int, default=10
        Number of splits.
    n_bins : int, default=None
        Quantile bins, at most the rows of either part; by default 10 or as many as that allows.
    test_size, train_size : float or int, default=None
        Fraction in (0, 1) or number of rows; 0.1 is tested on by default.
    random_state : int, RandomState instance or None, default=None
        Draws, taken from the caller's own NumPy bit generator split by split.

    Notes
    -----
    Source and bins as in `QuantileStratifiedKFold`; a bin of one row joins the next below.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.model_selection import QuantileStratifiedShuffleSplit
    >>> y = np.arange(8.0)
    >>> splitter = QuantileStratifiedShuffleSplit(2, n_bins=2, test_size=2, random_state=0)
    >>> for _, test in splitter.split(y, y):
    ...     print(np.sort(y[test]) >= 4)
    [False  True]
    [False  True]
    """

    def __init__(
        self,
        n_splits: int = 10,
        *,
        n_bins: int | None = None,
        test_size: Any = None,
        train_size: Any = None,
        random_state: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.n_bins = n_bins
        self.test_size = test_size
        self.train_size = train_size
        self.random_state = random_state
        check_count(n_splits, "n_splits", 1)
        if n_bins is not None:
            check_count(n_bins, "n_bins", 2)

    def split(self, X: Any, y: Any, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Indices of the rows to train and to test on, in a random order.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or None
            Only its number of rows counts.
        y : array-like of shape (n_samples,)
            The target, finite, with two values at least.
        groups : ignored

        Yields
        ------
        train, test : ndarray of int64
            Row numbers.

        Raises
        ------
        ValueError
            If the sizes do not fit the rows (scikit-learn's words) or the bins, or the target is of
            another length, not finite or always the same.
        """
        rows = count_of_rows(y=y, X=X)
        sizes = _validate_shuffle_split(
            rows, self.test_size, self.train_size, default_test_size=0.1
        )
        most = min(*sizes, rows // 2)
        bins = _quantile_bins(y, self.n_bins, rows, most, "the smaller part")
        # Equal values may leave a bin with one row, which cannot be in both parts.
        counts = np.bincount(bins)
        if counts[counts > 0].min() < 2:
            bins = _merged(bins, counts)
        draws = StratifiedShuffleSplit(
            int(self.n_splits),
            test_size=self.test_size,
            train_size=self.train_size,
            random_state=self.random_state,
        )
        answered("QuantileStratifiedShuffleSplit")
        yield from draws.split(bins, bins)


class MultilabelStratifiedKFold(_Stratified):
    """K folds that keep the share of every label of a multilabel target.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas, On the stratification of multi-label
    data, ECML PKDD 2011): the label with the fewest rows left is dealt first, each of its rows to
    the fold that wants most of it.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    order : {1, 2}, default=1
        With 2, pairs of labels are dealt so before single labels are (Szymanski and Kajdanowicz, A
        network perspective on stratification of multi-label data, 2017).
    shuffle : bool, default=False
        Whether rows and labels are taken in a shuffled order and ties between folds are drawn;
        otherwise the first goes first, and nothing is drawn.
    random_state : int, RandomState instance or None, default=None
        Draws of the shuffle, taken from the caller's own NumPy bit generator.

    Notes
    -----
    Labels of which no row has two come out to one row in every fold, and so does always the label
    that is dealt first; folds may differ in their rows, but none is empty. The class of this name
    in the iterative-stratification package draws even without `shuffle`, and adds up fractions, so
    that ties may be decided by rounding; here wishes are counted in integers. Time grows with the
    labels of the rows and with ``n_samples * n_splits``, where that package searches all rows anew
    for every label.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.model_selection import MultilabelStratifiedKFold
    >>> y = np.array([[1, 0], [1, 1], [0, 1], [0, 1], [1, 0], [1, 1], [0, 0], [0, 0]])
    >>> for train, test in MultilabelStratifiedKFold(2).split(y, y):
    ...     print(test, y[test].sum(axis=0))
    [0 2 3 4] [2 2]
    [1 5 6 7] [2 2]
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        order: int = 1,
        shuffle: bool = False,
        random_state: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.order = order
        self.shuffle = shuffle
        self.random_state = random_state
        check_count(n_splits, "n_splits", 2)
        _check_order(order)
        check_shuffle(shuffle, random_state)

    def split(self, X: Any, y: Any, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Indices of the rows to train and to test on, fold by fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or None
            Only its number of rows counts.
        y : {array-like, sparse matrix} of shape (n_samples, n_labels)
            Indicators, 0 and 1.
        groups : ignored

        Yields
        ------
        train, test : ndarray of int64
            Ascending row numbers.

        Raises
        ------
        ValueError
            If there are fewer rows than folds, or `y` is of another length, has no two axes, holds
            anything but 0 and 1, or has no label at all.

        Warns
        -----
        UserWarning
            If a label has fewer rows than there are folds.
        """
        rows = count_of_rows(y=y, X=X)
        if self.n_splits > min(rows, _MOST_FOLDS):
            raise ValueError(
                f"n_splits is {self.n_splits}, but must be at most the number of rows, {rows}, "
                f"and {_MOST_FOLDS}"
            )
        labels, rarest = _label_rows(y)
        if rarest < self.n_splits:
            warnings.warn(
                f"The rarest label in y has only {rarest} rows, which is less than "
                f"n_splits={self.n_splits}.",
                UserWarning,
                stacklevel=2,
            )
        weights = [1] * int(self.n_splits)
        pairs = self.order == 2
        if self.shuffle:
            with bit_generator(check_random_state(self.random_state)) as generator:
                folds = labels.deal(weights, False, pairs, generator)
        else:
            folds = labels.deal(weights, False, pairs, None)
        answered("MultilabelStratifiedKFold")
        for fold in range(self.n_splits):
            yield folds.split(fold)


class MultilabelStratifiedShuffleSplit(_Stratified):
    """Random splits in both parts of which every label of a multilabel target has its share.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011) into the two parts, and into
    the rows of neither where both sizes are given.

    Parameters
    ----------
    n_splits : int, default=10
        Number of splits.
    order : {1, 2}, default=1
        As in `MultilabelStratifiedKFold`.
    test_size, train_size : float or int, default=None
        Fraction in (0, 1) or number of rows; 0.1 is tested on by default.
    random_state : int, RandomState instance or None, default=None
        Draws, taken from the caller's own NumPy bit generator split by split.

    Notes
    -----
    Both parts have exactly the rows asked for: one that is full gets no more. The class of this
    name in the iterative-stratification package misses the sizes by some rows.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.model_selection import MultilabelStratifiedShuffleSplit
    >>> y = np.array([[1, 0], [1, 1], [0, 1], [0, 1], [1, 0], [1, 1], [0, 0], [0, 0]])
    >>> splitter = MultilabelStratifiedShuffleSplit(3, test_size=4, random_state=0)
    >>> [y[test].sum(axis=0).tolist() for _, test in splitter.split(y, y)]
    [[2, 2], [2, 2], [2, 2]]
    """

    def __init__(
        self,
        n_splits: int = 10,
        *,
        order: int = 1,
        test_size: Any = None,
        train_size: Any = None,
        random_state: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.order = order
        self.test_size = test_size
        self.train_size = train_size
        self.random_state = random_state
        check_count(n_splits, "n_splits", 1)
        _check_order(order)

    def split(self, X: Any, y: Any, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Indices of the rows to train and to test on.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or None
            Only its number of rows counts.
        y : {array-like, sparse matrix} of shape (n_samples, n_labels)
            Indicators, 0 and 1.
        groups : ignored

        Yields
        ------
        train, test : ndarray of int64
            Ascending row numbers.

        Raises
        ------
        ValueError
            If the sizes do not fit the rows (scikit-learn's words), or as in
            `MultilabelStratifiedKFold.split`.
        """
        rows = count_of_rows(y=y, X=X)
        n_train, n_test = _validate_shuffle_split(
            rows, self.test_size, self.train_size, default_test_size=0.1
        )
        labels, _ = _label_rows(y)
        parts = [int(n_train), int(n_test)]
        if n_train + n_test < rows:
            parts.append(int(rows - n_train - n_test))
        state = check_random_state(self.random_state)
        answered("MultilabelStratifiedShuffleSplit")
        for _ in range(self.n_splits):
            with bit_generator(state) as generator:
                folds = labels.deal(parts, True, self.order == 2, generator)
            yield folds.split(0)[1], folds.split(1)[1]


def _check_order(order: Any) -> None:
    if order not in (1, 2) or isinstance(order, bool):
        raise ValueError(f"order is {order!r}, but must be 1 or 2")


def _quantile_bins(y: Any, n_bins: int | None, rows: int, most: int, why: str) -> Any:
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(f"y has {values.ndim} axes, but must have one")
    if values.dtype.kind not in "biuf":
        raise ValueError(f"y is of dtype {values.dtype}, but must hold numbers")
    if n_bins is not None and n_bins > most:
        raise ValueError(
            f"n_bins is {n_bins}, but must be at most {most}: the {rows} rows would not fill more "
            f"for {why}"
        )
    values = values.astype(np.float64, copy=False)
    bins = _core.model_selection.quantile_bins(values, n_bins or max(1, min(_DEFAULT_BINS, most)))
    if values.min() == values.max():
        raise ValueError(
            f"y is {values[0]!r} in every row, but must have two values at least to be stratified"
        )
    return bins


def _merged(bins: Any, counts: Any) -> Any:
    """Bins of a single row joined to the bin below, or above the lowest."""
    target = np.arange(len(counts))
    kept = np.flatnonzero(counts > 1)
    if len(kept) == 0:
        return np.zeros_like(bins)
    for lone in np.flatnonzero(counts == 1):
        below = kept[kept < lone]
        target[lone] = below[-1] if len(below) else kept[0]
    return target[bins]


def _label_rows(y: Any) -> tuple[Any, int]:
    """The core's labels by row, and the rows of the rarest label that has any."""
    if issparse(y):
        matrix = y.tocsr().copy()
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        if matrix.nnz and not (matrix.data == 1).all():
            raise ValueError("y must hold 0 and 1 only, but a stored value is another")
        if matrix.nnz == 0:
            raise ValueError("y has no label in any row, but must have one to be stratified")
        labels = _core.model_selection.LabelRows(matrix.indptr, matrix.indices, matrix.shape[1])
    else:
        array = np.asarray(y)
        if array.ndim != 2:
            raise ValueError(
                f"y has {array.ndim} axes, but must have two: an indicator for each row and label"
            )
        if array.dtype.kind not in "biuf":
            raise ValueError(f"y is of dtype {array.dtype}, but must hold 0 and 1")
        if array.shape[1] == 0:
            raise ValueError("y has no label, but must have one to be stratified")
        labels = _core.model_selection.LabelRows(array)
    counts = labels.counts()
    present = counts[counts > 0]
    if len(present) == 0:
        raise ValueError("y has no label in any row, but must have one to be stratified")
    return labels, int(present.min())
