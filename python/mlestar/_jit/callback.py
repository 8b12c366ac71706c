"""A Python function of rows as native code that the core calls on any thread."""

from __future__ import annotations

import ctypes
import inspect
import re
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import carray, types
from numba.core.errors import NumbaError
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic

# The core takes an address only in a capsule of this name (PyCapsule keeps the pointer to it).
_SIGNATURE = ctypes.c_char_p(
    b"double (const double *, const double *, const double *, int64_t, int32_t *)"
)
_DOUBLES = types.CPointer(types.float64)
_C_SIGNATURE = types.float64(
    _DOUBLES, _DOUBLES, _DOUBLES, types.int64, types.CPointer(types.int32)
)
_ROWS = types.Array(types.float64, 1, "C", readonly=True)
# Of Numba's messages: where it failed, not why.
_WHERE = re.compile(
    r"^(Failed in |During: |File |Invalid use of |No implementation of function|There are \d+ "
    r"candidate|\s*$|>>>|[-^~ ]+$|\s*- (Of which|Overload))"
)


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
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
        if not isinstance(found, types.Number | types.Boolean) or isinstance(found, types.Complex):
            raise TypeError(
                f"metric {function.__qualname__!r} returns {found}, but must return a real number"
            )
        compiled = numba.cfunc(_C_SIGNATURE)(_wrapper(inner, weighted, takes))
    except NumbaError as error:
        raise TypeError(
            f"metric {function.__qualname__!r} cannot be compiled by Numba: {_reason(error)}"
        ) from error
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return new(compiled.address, _SIGNATURE, None), compiled


def _wrapper(inner: Any, weighted: bool, takes: int) -> Callable[..., Any]:
    """The C function around it, of the arguments that it is called with."""
    rows, nan = _read_only, np.nan
    if takes == 2:

        def call(y_true: Any, y_pred: Any, weight: Any, n: Any, status: Any) -> Any:
            try:
                return float(inner(rows(carray(y_true, n)), rows(carray(y_pred, n))))
            except Exception:
                status[0] = 1
            return nan

    elif weighted:

        def call(y_true: Any, y_pred: Any, weight: Any, n: Any, status: Any) -> Any:
            try:
                w = rows(carray(weight, n))
                return float(inner(rows(carray(y_true, n)), rows(carray(y_pred, n)), w))
            except Exception:
                status[0] = 1
            return nan

    elif takes == 3:

        def call(y_true: Any, y_pred: Any, weight: Any, n: Any, status: Any) -> Any:
            try:
                return float(inner(rows(carray(y_true, n)), rows(carray(y_pred, n)), None))
            except Exception:
                status[0] = 1
            return nan

    else:

        def call(y_true: Any, y_pred: Any, weight: Any, n: Any, status: Any) -> Any:
            try:
                w = rows(np.ones(n))
                return float(inner(rows(carray(y_true, n)), rows(carray(y_pred, n)), w))
            except Exception:
                status[0] = 1
            return nan

    return call


def _reason(error: Exception) -> str:
    """The first line of Numba's message that says why."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in text.splitlines()]
    telling = [line for line in lines if line and not _WHERE.match(line)]
    return inspect.cleandoc((telling or lines or ["no reason given"])[0])
