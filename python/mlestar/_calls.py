"""Who answered: the core, or scikit-learn's original. One count a public name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from threading import Lock
from typing import Any

from mlestar._devices import to_host

_lock = Lock()
_counts: dict[str, list[int]] = {}
_originals: dict[str, Any] = {}


def answered(name: str) -> None:
    """Count a call that the core answered."""
    with _lock:
        _counts.setdefault(name, [0, 0])[0] += 1


def declined(name: str) -> None:
    """Count a call that was left to scikit-learn."""
    with _lock:
        _counts.setdefault(name, [0, 0])[1] += 1


def original(name: str, module: str = "sklearn.metrics") -> Any:
    """scikit-learn's own object of that name, as it was when first asked for.

    Looked up once and kept, so that replacing scikit-learn's names by ours later cannot turn a
    declined call into an endless one.
    """
    found = _originals.get(name)
    if found is None:
        found = _originals[name] = getattr(import_module(module), name)
    return found


def decline(name: str, module: str = "sklearn.metrics") -> Callable[..., Any]:
    """Count a declined call and give the function that answers (or words the error) instead."""
    declined(name)
    return partial(_on_host, original(name, module))


def _on_host(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """scikit-learn's function on what it can read."""
    return function(
        *(to_host(value) for value in args),
        **{argument: to_host(value) for argument, value in kwargs.items()},
    )


def core_calls() -> dict[str, dict[str, int]]:
    """Calls per public name since the process began.

    Returns
    -------
    dict
        ``{name: {"core": n, "declined": n}}``: answered in the core, and left to scikit-learn.

    Examples
    --------
    >>> from mlestar.metrics import mean_squared_error
    >>> from mlestar.testing import core_calls
    >>> mean_squared_error([1.0, 2.0], [1.0, 3.0])
    0.5
    >>> core_calls()["mean_squared_error"]["core"] > 0
    True
    """
    with _lock:
        return {name: {"core": a, "declined": b} for name, (a, b) in sorted(_counts.items())}
