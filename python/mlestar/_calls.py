"""Who answered: the core, or scikit-learn's original. One count a public name."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from importlib import import_module
from threading import Lock
from typing import Any, Protocol

from mlestar._devices import to_host
from mlestar.exceptions import MetricWarning

_lock = Lock()
_counts: dict[str, list[int]] = {}
_originals: dict[tuple[str, str], Any] = {}


class Observer(Protocol):
    """Who is told of every call, where somebody wants to know."""

    def answered(self, name: str) -> None:
        """The core answered."""

    def declined(self, name: str, why: str) -> None:
        """scikit-learn's original answers; `why` may be empty."""

    def fall_back(
        self, name: str, function: Callable[..., Any], args: Any, kwargs: dict[str, Any]
    ) -> Any:
        """Call scikit-learn's original, and say that it was called with this and why."""


_observer: Observer | None = None


def observe(observer: Observer | None) -> None:
    """Tell `observer` of every call from now on; None ends it."""
    global _observer
    _observer = observer


def answered(name: str) -> None:
    """Count a call that the core answered."""
    with _lock:
        _counts.setdefault(name, [0, 0])[0] += 1
    if _observer is not None:
        _observer.answered(name)


def declined(name: str, why: str = "") -> None:
    """Count a call that was left to scikit-learn."""
    _count_declined(name)
    if _observer is not None:
        _observer.declined(name, why)


def _count_declined(name: str) -> None:
    with _lock:
        _counts.setdefault(name, [0, 0])[1] += 1


def original(name: str, module: str = "sklearn.metrics") -> Any:
    """scikit-learn's own object of that name, as it was when first asked for.

    Looked up once and kept, so that replacing scikit-learn's names by ours later cannot turn a
    declined call into an endless one.
    """
    found = _originals.get((module, name))
    if found is None:
        found = _originals[module, name] = getattr(import_module(module), name)
    return found


def decline(name: str, module: str = "sklearn.metrics") -> Callable[..., Any]:
    """Count a declined call and give the function that answers (or words the error) instead."""
    _count_declined(name)
    answer = partial(_on_host, original(name, module))
    observer = _observer
    if observer is None:
        return answer
    # Why is found out from the arguments, and only when somebody asks.
    return lambda *args, **kwargs: observer.fall_back(name, answer, args, kwargs)


def _on_host(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """scikit-learn's function on what it can read."""
    return function(
        *(to_host(value) for value in args),
        **{argument: to_host(value) for argument, value in kwargs.items()},
    )


# Set while scikit-learn is patched: worker processes get our functions from the patched program.
_PATCHED = "MLESTAR_PATCHED"
_silent_everywhere = 0
_silent_here: ContextVar[bool] = ContextVar("mlestar_silent", default=False)


def warnings_enabled() -> bool:
    """Whether a `MetricWarning` may be raised: not in a patched program, not on internal calls.

    Code that was written for scikit-learn must see scikit-learn's warnings only.
    """
    return not (_silent_everywhere or _silent_here.get() or _PATCHED in os.environ)


def metric_warning(message: str, stacklevel: int = 3) -> None:
    """Raise a `MetricWarning` where such may be raised; at the line of the caller's caller."""
    if warnings_enabled():
        warnings.warn(message, MetricWarning, stacklevel=stacklevel)


def silence(more: int) -> None:
    """Count those who want no `MetricWarning` in this process and those it starts: 1 or -1."""
    global _silent_everywhere
    with _lock:
        _silent_everywhere += more
        if _silent_everywhere:
            os.environ[_PATCHED] = "1"
        else:
            os.environ.pop(_PATCHED, None)


@contextmanager
def internal_calls() -> Iterator[None]:
    """No `MetricWarning` from calls that mlestar makes inside this block."""
    token = _silent_here.set(True)
    try:
        yield
    finally:
        _silent_here.reset(token)


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
