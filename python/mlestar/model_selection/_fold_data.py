"""The rows of a fold, gathered into memory that the fold before it has left."""

from __future__ import annotations

import sys
from threading import Lock
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils.metaestimators import _safe_split

from mlestar._native import _core
from mlestar.model_selection._fold_frames import bytes_of, is_frame, take_frame
from mlestar.model_selection.gather import take_rows

_SMALL = 1 << 16  # bytes; below, an allocation costs less than asking


class FoldBuffer:
    """Memory that is lent to one fold after another, never to two holders at once.

    Every array that NumPy makes of the buffer, a view of a view included, holds a reference to the
    buffer itself as its ``base``, and so does whatever reads it through the buffer protocol or
    DLPack. The memory is lent again only when the references to it are those of this object alone:
    an estimator that keeps its training data keeps the buffer, and the next fold gets another.
    """

    def __init__(self) -> None:
        self._memory: Any = np.empty(0, np.uint8)
        self._lock = Lock()
        self._unheld = sys.getrefcount(self._memory)  # as this object alone holds it

    def __reduce__(self) -> tuple[Any, ...]:
        return FoldBuffer, ()

    def take(self, array: Any, rows: Any) -> Any:
        """Rows of an array, as ``array[rows]``; the result may be in the buffer."""
        if is_frame(array) and _are_numbers(rows, len(array)):
            size = bytes_of(array, rows)
            taken = take_frame(array, rows, self._lend(size)) if size >= _SMALL else None
            return _safe_indexing(array, rows) if taken is None else taken
        if isinstance(array, np.memmap):  # its rows are plain arrays
            array = array.view(np.ndarray)
        if not _gathers(array, rows):
            return _safe_indexing(array, rows)
        shape = (len(rows), *array.shape[1:])
        size = array.dtype.itemsize * int(np.prod(shape))
        if size < _SMALL:
            return take_rows(array, rows)
        target = self._lend(size).view(array.dtype).reshape(shape)
        if _core.model_selection.take_rows_into(array, rows, target):
            return target
        return _safe_indexing(array, rows)  # which words the error

    def _lend(self, size: int) -> Any:
        with self._lock:
            if self._memory.nbytes < size or sys.getrefcount(self._memory) > self._unheld:
                self._memory = None  # given back before more is asked for
                self._memory = np.empty(size, np.uint8)
            return self._memory[:size]


def _gathers(array: Any, rows: Any) -> bool:
    """Whether the core copies the rows to where fancy indexing would have them."""
    return (
        type(array) is np.ndarray
        and array.ndim in (1, 2)
        and array.size > 0
        and array.dtype.kind in "biufcU"
        and _are_numbers(rows, None)
    )


def _are_numbers(rows: Any, size: int | None) -> bool:
    """Whether they are row numbers as splitters give them, within `size` where that is known."""
    return (
        type(rows) is np.ndarray
        and rows.dtype == np.int64
        and rows.ndim == 1
        and len(rows) > 0
        and bool(rows.min() >= 0)
        and (size is None or bool(rows.max() < size))
    )


def rows_to_train(buffer: FoldBuffer, estimator: Any, X: Any, y: Any, rows: Any) -> tuple[Any, Any]:
    """The part of X and y to fit on; of a precomputed kernel, its columns too."""
    if get_tags(estimator).input_tags.pairwise:
        part: tuple[Any, Any] = _safe_split(estimator, X, y, rows)
        return part
    return buffer.take(X, rows), take_y(y, rows)


def rows_to_test(
    buffer: FoldBuffer, estimator: Any, X: Any, y: Any, rows: Any, train: Any
) -> tuple[Any, Any]:
    """The part of X and y to score on; of a precomputed kernel, its columns too."""
    if get_tags(estimator).input_tags.pairwise:
        part: tuple[Any, Any] = _safe_split(estimator, X, y, rows, train)
        return part
    return buffer.take(X, rows), take_y(y, rows)


def take_y(y: Any, rows: Any) -> Any:
    """The targets of some rows."""
    if y is None:
        return None
    return (
        take_rows(y, rows) if _gathers(y, rows) and rows.max() < len(y) else _safe_indexing(y, rows)
    )
