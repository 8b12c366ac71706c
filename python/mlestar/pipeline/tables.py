"""Tables of other libraries as DataFrames, and back."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from mlestar._lazy import require


def as_frame(table: Any) -> Any:
    """A pandas DataFrame of a DataFrame, an Arrow table or batch, a polars frame or an array.

    Parameters
    ----------
    table : table or array of shape (n_rows, n_columns)
        Columns of an array are called x0, x1, ...

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if hasattr(table, "iloc"):
        return table if hasattr(table, "columns") else table.to_frame()
    if hasattr(table, "to_pandas"):  # pyarrow, polars, narwhals
        return table.to_pandas()
    array = np.asarray(table)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise ValueError(f"table has {array.ndim} axes, but must be a table or an array of two")
    names = [f"x{i}" for i in range(array.shape[1])]
    return require("pandas", "run").DataFrame(array, columns=names)


def column_kind(values: Any) -> str:
    """What a Series holds: "number", "date", "category", "mixed", "objects" or "" for nothing."""
    types = require("pandas", "run").api.types
    dtype = values.dtype
    if dtype.kind == "c":
        return "objects"
    if types.is_bool_dtype(dtype) or types.is_numeric_dtype(dtype):
        return "number" if dtype.kind != "f" or values.notna().any() else ""
    if types.is_datetime64_any_dtype(dtype):
        return "date"
    if not types.is_object_dtype(dtype):
        return "category"
    inferred = types.infer_dtype(values, skipna=True)
    if inferred == "empty":
        return ""
    if inferred in ("integer", "floating", "boolean", "mixed-integer-float", "decimal"):
        return "number"
    if inferred in ("datetime", "datetime64", "date"):
        return "date"
    if inferred == "string":
        return "category"
    return "mixed" if all(_is_plain(v) for v in values.dropna()) else "objects"


def _is_plain(value: Any) -> bool:
    return isinstance(value, Hashable) and not isinstance(value, tuple)


def numbers_of(values: Any) -> Any:
    """A Series of numbers or booleans as float64, missing values as NaN."""
    pandas = require("pandas", "run")
    if values.dtype == object:
        values = pandas.to_numeric(values, errors="coerce")
    return values.to_numpy(dtype=np.float64, na_value=np.nan)
