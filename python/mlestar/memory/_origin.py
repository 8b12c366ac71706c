"""Where an allocation comes from: asked by the core while a pool traces."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["origin"]

_MOST = 4  # callers named
_OURS = str(Path(__file__).resolve().parent)


def origin() -> str:
    """The Python code that is running, the innermost caller first.

    Examples
    --------
    >>> def work():
    ...     return origin()
    >>> "in work" in work()
    True
    """
    frame = sys._getframe(1)
    named: list[str] = []
    while frame is not None and len(named) < _MOST:
        code = frame.f_code
        if not code.co_filename.startswith(_OURS) or code.co_filename == "<doctest>":
            named.append(f"{code.co_filename}:{frame.f_lineno} in {code.co_qualname}")
        frame = frame.f_back  # type: ignore[assignment]
    return " < ".join(named)
