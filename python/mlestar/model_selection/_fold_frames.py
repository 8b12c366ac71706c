"""The rows of a pandas table, gathered column by column."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from mlestar._native import _core

_LINE = 64  # columns begin on a cache line


def is_frame(table: Any) -> bool:
    """Whether it is a pandas.DataFrame itself: what a subclass does is its own."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and type(table) is pandas.DataFrame


def bytes_of(table: Any, rows: Any) -> int:
    """Memory that `take_frame` wants for the rows."""
    return sum(_room(kind, rows) for kind in table.dtypes if _is_plain(kind))


def take_frame(table: Any, rows: Any, memory: Any) -> Any:
    """Rows of a pandas.DataFrame, as ``table.take(rows)``.

    Parameters
    ----------
    table : pandas.DataFrame
    rows : ndarray of int64
        Within the table.
    memory : ndarray of uint8
        Where the columns of NumPy's types go; at least `bytes_of` many.

    Returns
    -------
    pandas.DataFrame or None
        None where the core does not copy one of its columns.
    """
    import pandas

    kinds = list(table.dtypes)
    index = table.index.take(rows)
    if len(set(kinds)) == 1 and _is_plain(kinds[0]):
        values = table.to_numpy()
        if not np.may_share_memory(values, table.iloc[:, 0].to_numpy()):
            values = None  # a copy, of columns that were apart
        if values is not None:
            shape = (values.shape[1], len(rows))
            size = values.dtype.itemsize * shape[0] * shape[1]
            target = memory[:size].view(values.dtype).reshape(shape).T
            if not _core.model_selection.take_rows_into(values, rows, target):
                return None
            block: Any = pandas.DataFrame(target, index=index, columns=table.columns, copy=False)
            return block.__finalize__(table, method="take")
    columns: dict[int, Any] = {}
    place = 0
    for number, kind in enumerate(kinds):
        column = table.iloc[:, number]
        if not _is_plain(kind):
            columns[number] = column.array.take(rows)
            continue
        target = memory[place : place + kind.itemsize * len(rows)].view(kind)
        if not _core.model_selection.take_rows_into(column.to_numpy(), rows, target):
            return None
        columns[number] = target
        place += _room(kind, rows)
    result: Any = pandas.DataFrame(columns, index=index, copy=False)
    result.columns = table.columns
    return result.__finalize__(table, method="take")


def _is_plain(kind: Any) -> bool:
    return isinstance(kind, np.dtype) and kind.kind in "biuf"


def _room(kind: Any, rows: Any) -> int:
    return -(-int(kind.itemsize) * len(rows) // _LINE) * _LINE
