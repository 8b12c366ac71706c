"""Users' times, and lengths of time, in the numbers that the core takes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.metadata_routing import UNUSED

from mlestar._calls import answered
from mlestar._native import _core
from mlestar.model_selection._base import Splitter, count_of_rows


class TemporalSplitter(Splitter):
    """A splitter whose times come with each split, or once with the splitter."""

    # Metadata of the same names is passed on by scikit-learn, where its routing is enabled.
    __metadata_request__split: ClassVar[dict[str, Any]] = {"groups": UNUSED, "t0": True, "t1": True}

    t0: Any
    t1: Any

    def _timeline(
        self, X: Any, y: Any, groups: Any, t0: Any, t1: Any, lengths: dict[str, Any] | None = None
    ) -> tuple[Any, int, dict[str, Any]]:
        if t0 is None and t1 is None:
            t0, t1 = self.t0, self.t1
        rows = count_of_rows(X=X, y=y, groups=groups, t0=t0)
        times, moments = timeline(X, t0, t1, rows, lengths)
        answered(type(self).__name__)
        return times, rows, moments

    def _checked(self, split: tuple[Any, Any], number: int) -> tuple[Any, Any]:
        if len(split[0]) == 0:
            raise ValueError(
                f"split {number} of {type(self).__name__} has no row to train on: every label "
                "reaches into the times that are tested on, or what is kept free around them"
            )
        return split


def is_length_of_time(value: Any) -> bool:
    """Whether the value says by its type that it is a length of time."""
    return isinstance(value, timedelta | np.timedelta64)


def check_length(value: Any, name: str, unit: str, positive: bool = True) -> None:
    """Raise unless the value is a number of rows or a length of time."""
    least = "positive" if positive else "not negative"
    if is_length_of_time(value):
        length = _timedelta(value)
        if np.isnat(length) or length < length * 0 or (positive and length == length * 0):
            raise ValueError(f"{name} is {value!r}, but must be {least}")
    elif unit == "time":
        real = isinstance(value, int | float | np.integer | np.floating)
        if not real or isinstance(value, bool) or not np.isfinite(value):
            raise ValueError(f"{name} is {value!r}, but must be a length of time and {least}")
        if value < 0 or (positive and value == 0):
            raise ValueError(f"{name} is {value!r}, but must be {least}")
    elif not isinstance(value, int | np.integer) or value is True or value < int(positive):
        raise ValueError(
            f"{name} is {value!r}, but must be a number of rows, an integer that is {least}; or a "
            "timedelta; or a length of time with unit='time'"
        )


def check_unit(unit: Any) -> None:
    """Raise unless it says what numbers count."""
    if unit not in ("rows", "time"):
        raise ValueError(f"unit is {unit!r}, but must be 'rows' or 'time'")


def timeline(
    X: Any, t0: Any, t1: Any, rows: int, lengths: dict[str, Any] | None = None
) -> tuple[Any, dict[str, Any]]:
    """The core's timeline of the rows, and lengths of time in its unit.

    Without `t0` the times are X's index where that is a DatetimeIndex, else the row numbers.
    """
    lengths = lengths or {}
    if t0 is None and _is_datetime_index(getattr(X, "index", None)):
        t0 = X.index
    if t0 is None:
        if t1 is not None:
            raise ValueError("t1 is given without t0: both must be, or X must have a DatetimeIndex")
        moments = {
            name: _number(value, name, np.dtype(np.int64)) for name, value in lengths.items()
        }
        return _core.model_selection.row_timeline(rows), moments
    starts = _times(t0, "t0", rows)
    ends = None if t1 is None else _times(t1, "t1", rows)
    common = _common_type(starts, ends, lengths)
    moments = {name: _number(value, name, common) for name, value in lengths.items()}
    starts = _converted(starts, common, "t0")
    if ends is not None:
        ends = _converted(ends, common, "t1")
    return _core.model_selection.Timeline(starts, ends), moments


def _is_datetime_index(index: Any) -> bool:
    # Asked of the object: importing pandas for everybody would cost more than the splits.
    return type(index).__name__ == "DatetimeIndex" and hasattr(index, "to_numpy")


def _times(value: Any, name: str, rows: int) -> Any:
    dtype: Any = getattr(value, "dtype", None)
    if getattr(dtype, "tz", None) is not None:  # pandas, with a time zone: moments are UTC's
        array = value.to_numpy(dtype=f"datetime64[{dtype.unit}]")
    else:
        array = np.asarray(value)
    if array.dtype.kind == "O" and array.ndim == 1 and len(array):
        array = _from_datetimes(array, name)
    if array.ndim != 1:
        raise ValueError(f"{name} has {array.ndim} axes, but must have one")
    if len(array) != rows:
        raise ValueError(
            f"{name} has {len(array)} values, but must have one for each of {rows} rows"
        )
    if array.dtype.kind not in "iufMm":
        raise ValueError(
            f"{name} is of dtype {array.dtype}, but must hold integers, floats or datetimes"
        )
    if array.dtype.kind in "Mm" and (missing := np.isnat(array)).any():
        raise ValueError(f"{name} is NaT in row {int(missing.argmax())}, but must be a time")
    return array


def _from_datetimes(array: Any, name: str) -> Any:
    if not all(isinstance(v, datetime | np.datetime64) or v is None for v in array):
        raise ValueError(f"{name} holds objects, but must hold integers, floats or datetimes")
    if any(getattr(v, "tzinfo", None) is not None for v in array):
        raise ValueError(
            f"{name} holds datetimes with a time zone, but must hold those of one zone"
        )
    # A pandas Timestamp is a datetime too, and finer.
    return np.array(
        [v.to_datetime64() if hasattr(v, "to_datetime64") else np.datetime64(v) for v in array]
    )


def _timedelta(value: Any) -> Any:
    return value.to_timedelta64() if hasattr(value, "to_timedelta64") else np.timedelta64(value)


def _common_type(starts: Any, ends: Any, lengths: dict[str, Any]) -> Any:
    """The type in which all times and lengths are exact."""
    dates = starts.dtype.kind in "Mm"
    if ends is not None and (
        ends.dtype.kind != starts.dtype.kind and (dates or ends.dtype.kind in "Mm")
    ):
        raise ValueError(f"t1 is of dtype {ends.dtype}, but must be of t0's kind, {starts.dtype}")
    if not dates:
        real = "f" in (starts.dtype.kind, "" if ends is None else ends.dtype.kind)
        return np.dtype(np.float64 if real else np.int64)
    units = [_unit_of(starts.dtype)] + ([] if ends is None else [_unit_of(ends.dtype)])
    for name, value in lengths.items():
        if not is_length_of_time(value):
            if value == 0:
                continue
            raise ValueError(
                f"{name} is {value!r}, but must be a timedelta, since t0 holds datetimes"
            )
        unit = _unit_of(_timedelta(value).dtype)
        if _is_calendar(unit) and not all(map(_is_calendar, units)):
            raise ValueError(
                f"{name} is {value!r}, but must not be in months or years: they differ"
            )
        units.append(unit)
    return (
        np.result_type(*units).newbyteorder("=")
        if starts.dtype.kind == "m"
        else np.dtype(np.result_type(*units).str.replace("m8", "M8"))
    )


def _unit_of(dtype: Any) -> Any:
    """As a timedelta64: what one step of it is."""
    unit, count = np.datetime_data(dtype)
    return np.dtype(f"m8[{count}{unit}]" if unit != "generic" else "m8[s]")


def _is_calendar(unit: Any) -> bool:
    return np.datetime_data(unit)[0] in "YM"


def _converted(array: Any, common: Any, name: str) -> Any:
    """As the integers or doubles that the core reads."""
    if array.dtype == common and array.dtype.kind in "if":
        return array
    if array.dtype.kind == "u" and (array > np.iinfo(np.int64).max).any():
        raise ValueError(f"{name} holds a time beyond 2**63 - 1, but must hold smaller ones")
    changed = array.astype(common)
    if (changed.astype(array.dtype) != array).any() and array.dtype.kind != "f":
        raise ValueError(f"{name} holds a time that {common} cannot hold exactly")
    return changed.view(np.int64) if common.kind in "Mm" else changed


def _number(value: Any, name: str, common: Any) -> Any:
    """A length of time as the core takes it with times of that type."""
    if common.kind in "Mm":
        length = _timedelta(value) if is_length_of_time(value) else np.timedelta64(0, "s")
        target = np.dtype(common.str.replace("M8", "m8"))
        changed = length.astype(target)
        if changed.astype(length.dtype) != length:
            raise ValueError(f"{name} is {value!r}, but must be a length that {target} can hold")
        return int(changed.astype(np.int64))
    if is_length_of_time(value):
        raise ValueError(f"{name} is {value!r}, but must be a number, since t0 holds no datetimes")
    if common.kind == "f":
        return float(value)
    if int(value) != value or value >= 2**63:
        raise ValueError(f"{name} is {value!r}, but must be an integer, since times are")
    return int(value)
