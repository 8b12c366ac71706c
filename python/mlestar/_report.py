"""What `patch_sklearn(verbose=True)` says of every call: answered here, or left to scikit-learn."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from threading import local
from typing import Any

import numpy as np

from mlestar import _calls

_logger = logging.getLogger("mlestar.patch")
_handler: logging.Handler | None = None
_level_before: int | None = None


def start(dotted: Mapping[str, str]) -> None:
    """Log calls of these names (short name to scikit-learn's dotted one)."""
    global _handler, _level_before
    if _level_before is None:
        _level_before = _logger.level
        if not _logger.hasHandlers():
            _handler = logging.StreamHandler()
            _handler.setFormatter(logging.Formatter("%(levelname)s:%(name)s: %(message)s"))
            _logger.addHandler(_handler)
        _logger.setLevel(logging.INFO)
    _calls.observe(_Reporter(dict(dotted)))


def stop() -> None:
    """Log no more, and leave logging as it was."""
    global _handler, _level_before
    if _level_before is None:
        return
    _calls.observe(None)
    _logger.setLevel(_level_before)
    if _handler is not None:
        _logger.removeHandler(_handler)
    _handler = _level_before = None


class _Reporter:
    """Writes one line a call. Calls that scikit-learn's original makes are part of that call."""

    def __init__(self, dotted: dict[str, str]) -> None:
        self._dotted = dotted
        self._thread = local()

    def answered(self, name: str) -> None:
        self._say(name, "answered by mlestar")

    def declined(self, name: str, why: str) -> None:
        self._say(name, f"left to scikit-learn{f': {why}' if why else ''}")

    def fall_back(
        self, name: str, function: Callable[..., Any], args: Any, kwargs: dict[str, Any]
    ) -> Any:
        if self._silent(name):
            return function(*args, **kwargs)
        self.declined(name, why_declined(name, args, kwargs))
        self._thread.inside = True
        try:
            return function(*args, **kwargs)
        finally:
            self._thread.inside = False

    def _silent(self, name: str) -> bool:
        return name not in self._dotted or getattr(self._thread, "inside", False)

    def _say(self, name: str, what: str) -> None:
        if not self._silent(name):
            _logger.info("%s: %s", self._dotted[name], what)


def why_declined(name: str, args: Any, kwargs: dict[str, Any]) -> str:
    """The likely reason why a call was declined, read off its arguments.

    Examples
    --------
    >>> why_declined("mean_squared_error", ([1.0, float("nan")], [1.0, 2.0]), {})
    'y_true holds NaN or infinity'
    """
    try:
        given, defaults = _arguments(name, args, kwargs)
        return _first_reason(name, given, defaults)
    except Exception:  # the call itself must not fail for the sake of a log line
        return "arguments that the core does not read"


def _arguments(
    name: str, args: Any, kwargs: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    from mlestar import metrics, model_selection

    function = vars(metrics).get(name) or vars(model_selection)[name]
    signature = inspect.signature(function)
    bound = signature.bind(*args, **kwargs).arguments
    return dict(bound), {p.name: p.default for p in signature.parameters.values()}


_ARRAYS = ("sample_weight", "labels_true", "labels_pred", "stratify", "X")


def _first_reason(name: str, given: dict[str, Any], defaults: dict[str, Any]) -> str:
    arrays = {
        key: value
        for key, value in given.items()
        if value is not None and (key in _ARRAYS or key.startswith(("y_", "y1", "y2", "pred_")))
    }
    for key, value in arrays.items():
        if reason := _unread(value):
            return f"{key} {reason}"
    lengths = {key: len(value) for key, value in arrays.items()}
    if len(set(lengths.values())) > 1:
        return "lengths differ: " + ", ".join(f"{key} {n}" for key, n in lengths.items())
    options = [
        f"{key}={value!r}"
        for key, value in given.items()
        if key not in arrays and value is not defaults.get(key) and value != defaults.get(key)
    ]
    if target := _kind(next(iter(arrays.values()), None)):
        options.insert(0, f"a {target} target")
    if options:
        return "not answered by the core: " + ", ".join(options)
    return "values or options that the core leaves to scikit-learn"


def _unread(value: Any) -> str:
    """Why the core does not read an array; empty where it does."""
    if hasattr(value, "toarray"):
        return "is a sparse matrix"
    if hasattr(value, "columns"):
        return "is a table"
    if isinstance(value, np.ndarray) and type(value) is not np.ndarray:
        return f"is a {type(value).__name__}"
    array = np.asarray(value)
    if array.size == 0:
        return "is empty"
    if array.ndim not in (1, 2):
        return f"has {array.ndim} axes"
    if array.dtype.kind == "O":
        return "holds objects"
    wide = array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8)
    if array.dtype.kind not in "biufU" or wide or not array.dtype.isnative:
        return f"is of dtype {array.dtype}"
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return "holds NaN or infinity"
    return ""


def _kind(target: Any) -> str:
    """What scikit-learn calls a target that is neither binary, multiclass nor continuous."""
    from sklearn.utils.multiclass import type_of_target

    found: str = "" if target is None else type_of_target(target)
    return found if "multi" in found or found == "unknown" else ""
