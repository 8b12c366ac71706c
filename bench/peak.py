"""Peak extra memory of a call: what it makes the process hold beyond what it held before."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def extra_memory(call: Callable[[], Any]) -> int | None:
    """Bytes of resident memory at the call's peak, less those before it; None where unknown.

    The kernel's high-water mark is reset first (Linux: "5" written to clear_refs), so memory that
    the core maps for itself counts as NumPy's does. The result is among it. What earlier calls have
    freed is given back to the system before, lest the call be served from it unseen.
    """
    call()  # imports and first-use tables are no part of a call
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
        _RESET.write_text("5")
        before = _kilobytes("VmRSS")
        call()
        return max(0, _kilobytes("VmHWM") - before) * 1024
    except (AttributeError, OSError):
        return None


def _kilobytes(field: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise OSError(f"{_STATUS} has no {field}")
