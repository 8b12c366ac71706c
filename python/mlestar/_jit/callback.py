"""A Python function of rows as native code that the core calls on any thread."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import carray, types
from numba.core.errors import NumbaError
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic, register_jitable

# The core takes an address only in a capsule of this name (PyCapsule keeps the pointer to it).
_SIGNATURE = ctypes.c_char_p(
    b"double (const double *, const double *, const double *, int64_t, int32_t *)"
)
_DOUBLES = types.CPointer(types.float64)
_C_SIGNATURE = types.float64(_DOUBLES, _DOUBLES, _DOUBLES, types.int64, types.CPointer(types.int32))
_ROWS = types.Array(types.float64, 1, "C", readonly=True)
# Of Numba's messages: a reason, what it did not find, and lines that say where and not why.
_SPECIFIC = re.compile(r"^\s*\w*Error: (?!Failed in )(?P<reason>.+)$", re.MULTILINE)
_CALL = re.compile(r"^\s*>>> (?P<call>.+)$", re.MULTILINE)
_WHERE = re.compile(r"^(Failed in |During: |File |-+$|$)")
_LINE = re.compile(r'File "[^"]*", line (?P<number>\d+)')


@register_jitable  # type: ignore[untyped-decorator]
def _as_float(value: Any) -> Any:
    """Of a bool, of which Numba's float() makes none."""
    return 1.0 if value else 0.0


@intrinsic  # type: ignore[untyped-decorator]
def _read_only(typing: Any, rows: Any) -> Any:
    """The same array, which compiled code then refuses to write to."""

    def pass_on(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return impl_ret_borrowed(context, builder, signature.return_type, arguments[0])

    return rows.copy(readonly=True)(rows), pass_on


def compile_callback(function: Callable[..., Any], weighted: bool, takes: int) -> tuple[Any, Any]:
    """A capsule of the function's address, and the object that keeps its code.

    `takes` is how many arguments the function has; with three and not `weighted`, the last is None,
    or with `takes` of 4 an array of ones.

    Exceptions are caught inside, since a callback has nowhere to raise them, and become a status.

    Raises
    ------
    TypeError
        If Numba cannot compile it, with Numba's reason.
    """
    inner = numba.njit(nogil=True, boundscheck=True)(function)
    arguments = [_ROWS, _ROWS]
    if takes > 2:
        arguments.append(types.none if takes == 3 and not weighted else _ROWS)
    try:
        inner.compile(tuple(arguments))
        found = inner.overloads[tuple(arguments)].signature.return_type
        real = isinstance(found, types.Integer | types.Float | types.Boolean)
        number = _as_float if isinstance(found, types.Boolean) else float
        compiled = (
            numba.cfunc(_C_SIGNATURE)(_wrapper(inner, number, weighted, takes)) if real else None
        )
    except Exception as error:  # NumbaError, and whatever else the compiler runs into
        raise TypeError(
            f"metric {function.__qualname__!r} cannot be compiled by Numba: {_reason(error)}"
        ) from error
    if compiled is None:
        raise TypeError(
            f"metric {function.__qualname__!r} returns {found}, but must return a real number"
        )
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = (
        ctypes.py_object,
        [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p],
    )
    return new(compiled.address, _SIGNATURE, None), compiled


def _wrapper(inner: Any, number: Any, weighted: bool, takes: int) -> Callable[..., Any]:
    """The C function around it, of the arguments that it is called with."""
    rows, nan = _read_only, np.nan
    if takes == 2:

        def call(y_true: Any, y_pred: Any, weight: Any, n: Any, status: Any) -> Any:
            try:
                return number(inner(rows(carray(y_true, n)), rows(carray(y_pred, n))))
            except Exception:
                status[0] = 1
            return nan

    elif weighted:

        def call(y_true: Any, y_pred: Any, weight: Any, n: Any, status: Any) -> Any:
            try:
                w = rows(carray(weight, n))
                return number(inner(rows(carray(y_true, n)), rows(carray(y_pred, n)), w))
            except Exception:
                status[0] = 1
            return nan

    elif takes == 3:

        def call(y_true: Any, y_pred: Any, weight: Any, n: Any, status: Any) -> Any:
            try:
                return number(inner(rows(carray(y_true, n)), rows(carray(y_pred, n)), None))
            except Exception:
                status[0] = 1
            return nan

    else:

        def call(y_true: Any, y_pred: Any, weight: Any, n: Any, status: Any) -> Any:
            try:
                w = rows(np.ones(n))
                return number(inner(rows(carray(y_true, n)), rows(carray(y_pred, n)), w))
            except Exception:
                status[0] = 1
            return nan

    return call


def _reason(error: Exception) -> str:
    """What Numba says of the cause, and the line of the source, in one line."""
    if not isinstance(error, NumbaError):
        return f"{type(error).__name__}: {error}"
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    specific, calls = _SPECIFIC.findall(text), _CALL.findall(text)
    if len(calls) > 1 or (calls and not specific):
        reason = f"it has no {calls[0]}"  # what that calls in turn is Numba's own
    elif specific:
        reason = specific[0]
    else:
        lines = [line.strip() for line in text.splitlines()]
        reason = next((line for line in lines if not _WHERE.match(line)), text)
    lines = _LINE.findall(text)  # the function's own behind those of what it calls
    return f"{reason} (line {lines[-1]})" if lines else reason
