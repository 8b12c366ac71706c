"""When rows were: columns of dates, texts or numbers as times that can be compared."""

from __future__ import annotations

import warnings
from typing import Any

from mlestar._lazy import require
from mlestar.pipeline.tables import numbers_of


def times_of(values: Any, kind: str) -> tuple[Any, str]:
    """A Series of times, and what they are: "numbers", "dates" or "dates of a time zone".

    Parameters
    ----------
    values : Series
        Texts are read as dates; what is none is missing. Dates of a time zone become UTC.
    kind : str
        As of `column_kind`.

    Examples
    --------
    >>> import pandas as pd
    >>> times, clock = times_of(pd.Series(["2024-01-02", "soon"]), "category")
    >>> clock, times.isna().tolist()
    ('dates', [False, True])
    """
    pandas = require("pandas", "run")
    if kind == "number":
        return (values if values.dtype != object else pandas.Series(numbers_of(values))), "numbers"
    if isinstance(values.dtype, pandas.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if values.dtype.kind == "m":
        return values.dt.total_seconds(), "numbers"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that no one format is seen: then none is assumed
            times = _read(pandas, values)
    except (TypeError, ValueError):
        times = pandas.Series(pandas.NaT, index=values.index)
    if getattr(times.dt, "tz", None) is None:
        return times, "dates"
    return times.dt.tz_convert("UTC").dt.tz_localize(None), "dates of a time zone"


def _read(pandas: Any, values: Any) -> Any:
    try:
        times = pandas.to_datetime(values, errors="coerce")
    except ValueError:  # of several time zones
        return pandas.to_datetime(values, errors="coerce", utc=True)
    if times.isna().sum() > values.isna().sum():  # not of the first one's format
        times = pandas.to_datetime(values, errors="coerce", format="mixed")
    return times
