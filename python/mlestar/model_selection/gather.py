"""Rows of an array by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlestar._calls import answered, declined
from mlestar._native import _core


def take_rows(array: Any, rows: Any) -> Any:
    """Rows of an array, a table or a list by number, as `array[rows]` gives them.

    Parameters
    ----------
    array : array-like of shape (n_samples,) or (n_samples, n_features)
        Arrays whose rows are contiguous are copied by several threads; everything else as
        scikit-learn does it.
    rows : ndarray of shape (n_rows,), dtype int64
        Row numbers, from 0.

    Returns
    -------
    ndarray, or what the container gives

    Raises
    ------
    ValueError
        If a number is not a row of the array.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.model_selection import take_rows
    >>> take_rows(np.array([[1, 2], [3, 4], [5, 6]]), np.array([2, 0]))
    array([[5, 6],
           [1, 2]])
    """
    if type(array) is np.ndarray:
        taken = _core.model_selection.take_rows(array, rows)
        if taken is not None:
            answered("take_rows")
            return taken
    from sklearn.utils import _safe_indexing

    declined("take_rows")
    return _safe_indexing(array, rows)
