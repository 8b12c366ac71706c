"""Deferred imports: a name costs nothing until it is used, and a missing extra names itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any


def load_lazily(
    package: str, namespace: dict[str, Any], names: Mapping[str, Sequence[str]], name: str
) -> Any:
    """Import the submodule of `package` that is called `name` or that defines it."""
    for module, defined in names.items():
        if name == module:
            return import_module(f"{package}.{module}")
        if name in defined:
            value = getattr(import_module(f"{package}.{module}"), name)
            namespace[name] = value
            return value
    raise AttributeError(f"module {package!r} has no attribute {name!r}")


def require(module: str, extra: str) -> Any:
    """Import a module that an extra installs, or say which extra that is.

    Examples
    --------
    >>> require("json", "run").dumps(1)
    '1'
    >>> require("no_such_module", "run")
    Traceback (most recent call last):
    ...
    ImportError: this needs 'no_such_module', which is not installed: pip install 'mlestar[run]'
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise ImportError(
            f"this needs {module!r}, which is not installed: pip install 'mlestar[{extra}]'"
        ) from None
