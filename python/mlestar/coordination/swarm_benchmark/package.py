"""Where the package is, if it is installed."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

INSTALL = "pip install 'git+https://github.com/ruvnet/claude-flow#subdirectory=benchmark'"
"""How to have it: no registry holds it, so no extra can name it."""


def find_package() -> Any:
    """The module ``swarm_benchmark``; None where it is not installed.

    Raises
    ------
    ImportError
        If it is installed and something that it needs is not.
    """
    if "swarm_benchmark" not in sys.modules:
        if importlib.util.find_spec("swarm_benchmark") is None:
            return None
        with _quietly():
            import_module("swarm_benchmark.strategies")
    return sys.modules["swarm_benchmark"]


def require_package() -> Any:
    """The module ``swarm_benchmark``.

    Raises
    ------
    ImportError
        If it is not installed; the message says how to have it.
    """
    package = find_package()
    if package is None:
        raise ImportError(f"this needs 'swarm_benchmark', which is not installed: {INSTALL}")
    import_module("swarm_benchmark.strategies")
    return package


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep the package's import to itself.

    It prints, adds a folder to the path and imports ``src``, which would run a package of that name
    that the caller may have.
    """
    path = list(sys.path)
    hidden = "src" not in sys.modules
    if hidden:
        sys.modules["src"] = None  # type: ignore[assignment]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        if hidden:
            del sys.modules["src"]
        sys.path[:] = path
