"""Numbers of bytes as people write them."""

from __future__ import annotations

import re
from numbers import Integral
from typing import Any

__all__ = ["as_bytes", "readable"]

_UNITS = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_MOST = 2**62


def as_bytes(value: Any, name: str) -> int:
    """Bytes of an argument called `name`.

    Parameters
    ----------
    value : int or str
        A number of bytes, or a number with a unit: ``"20GiB"``, ``"1.5 GB"``, ``"512 MiB"``.
    name : str
        For the error.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is neither, negative, or 4 EiB and more.

    Examples
    --------
    >>> as_bytes("1.5 GiB", "limit")
    1610612736
    >>> as_bytes("20 apples", "limit")
    Traceback (most recent call last):
    ...
    ValueError: limit is '20 apples', but must be a number of bytes, or one with a unit: '20GiB'
    """
    found = None
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if whole:
        found = int(value)
    elif isinstance(value, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-zA-Z]*)\s*", value, re.ASCII)
        unit = _UNITS.get(match[2].lower()) if match else None
        if match and unit is not None and len(match[1]) < 30:
            found = int(float(match[1]) * unit)
    if found is None or not 0 <= found < _MOST:
        raise ValueError(
            f"{name} is {value!r}, but must be a number of bytes, or one with a unit: '20GiB'"
        )
    return found


def readable(count: int) -> str:
    """A number of bytes with a unit.

    Examples
    --------
    >>> readable(3 * 2**29)
    '1.5 GiB'
    """
    amount, unit = float(count), 0
    names = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while amount >= 1024 and unit < len(names) - 1:
        amount /= 1024
        unit += 1
    return f"{amount:.0f} bytes" if unit == 0 else f"{amount:.1f} {names[unit]}"
