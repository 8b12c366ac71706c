"""The folds of one table, prepared once for everybody who fits on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from mlestar.model_selection._fold_data import FoldBuffer, take_y


class FoldPlan:
    """Folds of a table: which rows, their data, and the memory that they take.

    Made once and shared by all fits on the same folds, which is what makes their scores comparable.
    It is a splitter too: ``cross_validate(model, X, y, cv=plan)`` runs on the plan's folds.

    Parameters
    ----------
    splits : iterable of (ndarray, ndarray)
        Row numbers to train and to test on.
    X : array-like or table of shape (n_samples, n_features)
        Not copied.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None

    Attributes
    ----------
    X, y : as given
    n_splits : int
    n_samples : int

    See Also
    --------
    from_cv : the folds of a splitter.
    from_labels : the folds that an array names.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.model_selection import FoldPlan, KFold
    >>> X, y = np.arange(12.0).reshape(6, 2), np.arange(6)
    >>> plan = FoldPlan.from_cv(X, y, cv=KFold(3))
    >>> X_train, y_train = plan.train(0)
    >>> y_train
    array([2, 3, 4, 5])
    >>> plan.collect([plan.test(fold)[0].sum(axis=1) for fold in range(3)])
    array([ 1.,  5.,  9., 13., 17., 21.])
    """

    def __init__(self, splits: Iterable[tuple[Any, Any]], X: Any, y: Any = None) -> None:
        self._set_data(X, y)
        self._labels: Any = None
        self._splits = [
            (self._checked(train, "train", fold), self._checked(test, "test", fold))
            for fold, (train, test) in enumerate(splits)
        ]
        self.n_splits = len(self._splits)
        if not self._splits:
            raise ValueError("splits is empty, but must hold one pair of row numbers or more")

    @classmethod
    def from_cv(
        cls, X: Any, y: Any = None, *, cv: Any = None, groups: Any = None, classifier: bool = False
    ) -> FoldPlan:
        """The folds of a splitter.

        Parameters
        ----------
        X, y : as for `FoldPlan`
        cv : int, splitter, iterable or None, default=None
            As for `cross_validate`; None is five folds.
        groups : array-like of shape (n_samples,), default=None
        classifier : bool, default=False
            Whether folds made for an integer or None are stratified by y.

        Returns
        -------
        FoldPlan
        """
        from mlestar.model_selection.splitters import check_cv

        splitter = check_cv(cv, y, classifier=classifier)
        return cls(splitter.split(X, y, groups), X, y)

    @classmethod
    def from_labels(cls, fold_of_row: Any, X: Any, y: Any = None) -> FoldPlan:
        """The folds of a partition: each row is tested in the fold that it names.

        Row numbers are found when they are asked for, so the plan itself takes no memory by row.

        Parameters
        ----------
        fold_of_row : array-like of int of shape (n_samples,)
            0 to n_splits - 1; each fold at least once.
        X, y : as for `FoldPlan`

        Returns
        -------
        FoldPlan

        Raises
        ------
        ValueError
            If the folds are not 0, 1, ..., at least two of them, or not one for each row.

        Examples
        --------
        >>> from mlestar.model_selection import FoldPlan
        >>> plan = FoldPlan.from_labels([1, 0, 1], [[5.0], [6.0], [7.0]])
        >>> plan.rows(1)
        (array([1]), array([0, 2]))
        """
        plan = cls.__new__(cls)
        plan._set_data(X, y)
        labels = np.asarray(fold_of_row)
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise ValueError(
                f"fold_of_row is of dtype {labels.dtype} and {labels.ndim} axes, "
                "but must be a vector of integers"
            )
        if len(labels) != plan.n_samples:
            raise ValueError(
                f"fold_of_row has {len(labels)} rows, but must have as many as X, {plan.n_samples}"
            )
        if labels.size == 0 or labels.min() < 0 or labels.max() >= len(labels):
            raise ValueError("fold_of_row must hold folds from 0, each at least once")
        counts = np.bincount(labels)
        if len(counts) < 2 or not counts.all():
            raise ValueError(
                f"fold_of_row names {np.flatnonzero(counts).tolist()[:10]}, "
                "but must name each of 0, 1, ... at least once, and two folds or more"
            )
        plan._labels, plan._splits = labels, []
        plan.n_splits = len(counts)
        return plan

    def __repr__(self) -> str:
        return f"<FoldPlan: {self.n_splits} folds of {self.n_samples} rows>"

    @property
    def fold_of_row(self) -> Any:
        """The fold that tests each row, an int32 array of shape (n_samples,).

        Raises
        ------
        ValueError
            If the test folds are no partition: a row is tested twice or never.
        """
        if self._labels is not None:
            return self._labels.astype(np.int32)
        found = np.full(self.n_samples, -1, np.int32)
        for fold, (_, test) in enumerate(self._splits):
            found[test] = fold
        if (found < 0).any() or sum(len(test) for _, test in self._splits) != self.n_samples:
            raise ValueError("the test folds of this plan are no partition of its rows")
        return found

    @property
    def memory_bytes(self) -> int:
        """Memory, at most, that the data of one fold take: its training rows, then its test rows.

        Of arrays and tables of fixed width exactly; of others the share of rows, as far as their
        size is known.
        """
        most = max(
            max(len(train), len(test))
            for train, test in (self.rows(f) for f in range(self.n_splits))
        )
        of_rows = sum(_bytes(part) * most // max(1, self.n_samples) for part in (self.X, self.y))
        return of_rows + 8 * self.n_samples

    def rows(self, fold: int) -> tuple[Any, Any]:
        """Row numbers to train and to test on, int64 arrays."""
        if isinstance(fold, bool) or not 0 <= fold < self.n_splits:
            raise ValueError(f"fold is {fold!r}, but must be one of 0 to {self.n_splits - 1}")
        if self._labels is None:
            return self._splits[fold]
        tested = self._labels == fold
        return np.flatnonzero(~tested), np.flatnonzero(tested)

    def train(self, fold: int) -> tuple[Any, Any]:
        """Data to fit on: the fold's training rows of X and y.

        Gathered by several threads; the memory is used again once nobody holds it.
        """
        return self._take(self.rows(fold)[0])

    def test(self, fold: int) -> tuple[Any, Any]:
        """Data to judge by: the fold's test rows of X and y."""
        return self._take(self.rows(fold)[1])

    def collect(self, parts: Iterable[Any]) -> Any:
        """Answers for the test rows of all folds, in the order of the table's rows.

        Parameters
        ----------
        parts : iterable of array-like
            One a fold, with a row for each of its test rows.

        Returns
        -------
        ndarray of shape (n_samples, ...)
            NaN (0 for integers, False for booleans) where no fold tests a row; a row that several
            folds test has the last one's answer.
        """
        result: Any = None
        count = 0
        for fold, part in enumerate(parts):
            values, test = np.asarray(part), self.rows(fold)[1]
            count += 1
            if values.ndim == 0 or len(values) != len(test):
                raise ValueError(
                    f"parts[{fold}] is of shape {values.shape}, "
                    f"but must have a row for each of {len(test)} test rows"
                )
            shape = (self.n_samples, *values.shape[1:])
            if result is None:
                empty = np.nan if values.dtype.kind in "fc" else values.dtype.type()
                result = np.full(shape, empty, values.dtype)
            elif result.shape != shape:
                raise ValueError(
                    f"parts[{fold}] is of shape {values.shape}, but parts[0] has "
                    f"{result.shape[1:]} after its first axis"
                )
            kind = np.result_type(result, values)
            if kind != result.dtype:
                result = result.astype(kind)
            result[test] = values
        if count != self.n_splits:
            raise ValueError(f"parts has {count} folds, but must have {self.n_splits}")
        return result

    def split(self, X: Any = None, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """The plan's row numbers, fold by fold, as a splitter gives them.

        Raises
        ------
        ValueError
            If X has another number of rows than the plan.
        """
        if X is not None and _count(X) != self.n_samples:
            raise ValueError(
                f"X has {_count(X)} rows, but must have as many as the plan, {self.n_samples}"
            )
        for fold in range(self.n_splits):
            yield self.rows(fold)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """The number of folds."""
        return self.n_splits

    def _set_data(self, X: Any, y: Any) -> None:
        self.X, self.y = X, y
        self.n_samples = _count(X)
        if y is not None and _count(y) != self.n_samples:
            raise ValueError(
                f"y has {_count(y)} rows, but must have as many as X, {self.n_samples}"
            )
        self._buffer = FoldBuffer()

    def _checked(self, rows: Any, name: str, fold: int) -> Any:
        array = np.asarray(rows)
        if array.dtype == bool and array.shape == (self.n_samples,):
            array = np.flatnonzero(array)
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise ValueError(
                f"{name} of fold {fold} is of dtype {array.dtype} and {array.ndim} axes, "
                "but must be a vector of row numbers"
            )
        if array.size and (array.min() < 0 or array.max() >= self.n_samples):
            raise ValueError(
                f"{name} of fold {fold} holds rows from {array.min()} to {array.max()}, "
                f"but must hold rows from 0 to {self.n_samples - 1}"
            )
        return array.astype(np.int64, copy=False)

    def _take(self, rows: Any) -> tuple[Any, Any]:
        return self._buffer.take(self.X, rows), take_y(self.y, rows)


def _count(values: Any) -> int:
    from sklearn.utils.validation import _num_samples

    return int(_num_samples(values))


def _bytes(values: Any) -> int:
    if values is None:
        return 0
    if hasattr(values, "memory_usage"):
        used = values.memory_usage(index=False, deep=True)
        return int(used.sum() if hasattr(used, "sum") else used)
    return int(getattr(values, "nbytes", 0))
