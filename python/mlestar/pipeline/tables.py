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
    if hasattr(table, "num_rows"):  # pyarrow
        return arrow_frame(table, plain=False)
    if hasattr(table, "to_pandas"):  # polars, narwhals
        return table.to_pandas()
    array = np.asarray(table)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise ValueError(f"table has {array.ndim} axes, but must be a table or an array of two")
    names = [f"x{i}" for i in range(array.shape[1])]
    return require("pandas", "run").DataFrame(array, columns=names)


def arrow_frame(table: Any, plain: bool = True) -> Any:
    """A DataFrame of an Arrow table or batch: whole numbers and booleans stay exact.

    Columns of them that lack values get pandas' types that know missing ones: as float64 a whole
    number may become another, and booleans would become objects.

    Parameters
    ----------
    table : Table or RecordBatch
    plain : bool, default=True
        Whether what pandas noted in the table is left aside: every stored column is a column,
        also one that was an index.
    """
    arrow, pandas = require("pyarrow", "run"), require("pandas", "run")
    kinds = {
        arrow.bool_(): pandas.BooleanDtype(),
        **{getattr(arrow, f"int{n}")(): getattr(pandas, f"Int{n}Dtype")() for n in (8, 16, 32, 64)},
        **{
            getattr(arrow, f"uint{n}")(): getattr(pandas, f"UInt{n}Dtype")()
            for n in (8, 16, 32, 64)
        },
    }
    lacking = [
        place
        for place, field in enumerate(table.schema)
        if field.type in kinds and table.column(place).null_count
    ]
    if len(lacking) == table.num_columns:  # also where there are none at all
        return table.to_pandas(ignore_metadata=plain, types_mapper=kinds.get)
    if not lacking:
        return table.to_pandas(ignore_metadata=plain)
    names = table.schema.names
    noted = not plain and table.schema.pandas_metadata is not None
    if noted or len(set(names)) < len(names):
        # Columns cannot be told apart by their names, or some may become an index.
        return table.to_pandas(ignore_metadata=plain, types_mapper=kinds.get)
    others = [place for place in range(len(names)) if place not in set(lacking)]
    exact = table.select(lacking).to_pandas(ignore_metadata=True, types_mapper=kinds.get)
    frame = table.select(others).to_pandas(ignore_metadata=True)
    for place in lacking:
        frame.insert(place, names[place], exact[names[place]])
    return frame


def numbers_matrix(table: Any) -> Any:
    """The values of a DataFrame or Series as one array; missing whole numbers are NaN."""
    pandas = require("pandas", "run")
    series = [table] if table.ndim == 1 else [table.iloc[:, i] for i in range(table.shape[1])]
    if not any(pandas.api.types.is_extension_array_dtype(s.dtype) for s in series):
        return table.to_numpy()
    if not all(column_kind(s) in ("number", "") for s in series):
        return table.to_numpy()
    return table.to_numpy(dtype=np.float64, na_value=np.nan)


def column_kind(values: Any) -> str:
    """What a Series holds: "number", "date", "category", "mixed", "objects" or "" for nothing."""
    types = require("pandas", "run").api.types
    dtype = values.dtype
    if dtype.kind == "c":
        return "objects"
    if types.is_bool_dtype(dtype) or types.is_numeric_dtype(dtype):
        sure = isinstance(dtype, np.dtype) and dtype.kind != "f"  # has no missing ones
        return "number" if sure or values.notna().any() else ""
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
