"""Fitted steps in files: plain arrays, and skops where a step is scikit-learn's."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from mlestar._files import write_whole
from mlestar._lazy import require
from mlestar.exceptions import ModelFileError
from mlestar.models.persistence import TRUSTED_TYPES, dumps
from mlestar.pipeline.content import encoded, read_content, write_content

_FORMAT = 1
_BUILTINS = (bool, int, float, str, object)
_OURS = ("mlestar.preprocessing", "mlestar.pipeline.schema")


def state_of(step: Any) -> Any:
    """What a step of ours has learned, in plain arrays; None where that is no such step's."""
    if not type(step).__module__.startswith(_OURS) or not hasattr(step, "load_state_dict"):
        return None
    try:
        return step.state_dict()
    except ValueError:  # scikit-learn's code fitted it, to data that ours does not read
        return None


def save_steps(steps: Sequence[Any], path: Path) -> Path:
    """Write steps; the file appears whole or not at all."""
    content = {"format": _FORMAT, "kind": "pipeline", "steps": [_plain(step) for step in steps]}
    tree, buffers = encoded(content)
    write_whole(path, lambda file: write_content(file, tree, buffers))
    return path


def _plain(step: Any) -> dict[str, Any]:
    state = state_of(step)
    if state is not None:
        parameters = step.get_params(deep=False)
        types = {n: _type_name(v) for n, v in parameters.items() if _type_name(v)}
        parameters = {n: v for n, v in parameters.items() if n not in types}
        output = getattr(step, "_sklearn_output_config", None)
        plain = {"parameters": parameters, "types": types, "output": output, "state": state}
        try:
            encoded(plain)
        except TypeError as error:
            raise ModelFileError(f"{step!r} holds what has no plain form: {error}") from error
        return {"class": type(step).__name__, **plain}
    from skops.io import get_untrusted_types

    data = dumps(step)
    foreign = sorted(set(get_untrusted_types(data=data)) - set(_trusted()))
    if foreign:
        raise ModelFileError(f"{step!r} holds types that a model file may not: {foreign}")
    return {"class": "", "skops": np.frombuffer(data, dtype=np.uint8)}


def _type_name(value: Any) -> dict[str, str]:
    """A parameter that is a type, by its name; empty for others."""
    if isinstance(value, np.dtype):
        return {"dtype": value.str} if np.dtype(value.str) == value else {}
    if isinstance(value, type) and issubclass(value, np.generic):
        return {"scalar": np.dtype(value).str}
    known = isinstance(value, type) and value in _BUILTINS
    return {"builtin": value.__name__} if known else {}


def _type_named(name: dict[str, str]) -> Any:
    if "builtin" in name:
        return next(one for one in _BUILTINS if one.__name__ == name["builtin"])
    dtype = np.dtype(name.get("dtype") or name["scalar"])
    return dtype if "dtype" in name else dtype.type


def _trusted() -> list[str]:
    """Types that a file's skops part may hold: the models' and our own transformers."""
    room = import_module(_OURS[0])
    ours = [getattr(room, name) for name in room.__all__]
    names = [f"{one.__module__}.{one.__qualname__}" for one in ours if isinstance(one, type)]
    return [*TRUSTED_TYPES, *(name for name in names if name.startswith(_OURS))]


def load_steps(path: Path) -> list[Any]:
    """What `save_steps` wrote; ModelFileError for a file that is damaged or not trusted."""
    try:
        content = read_content(path, mapped=False, verify=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict) or content.get("kind") != "pipeline":
        raise ModelFileError(f"{path} holds no pipeline")
    if content["format"] != _FORMAT:
        raise ModelFileError(f"{path} has format {content['format']}, but must have {_FORMAT}")
    return [_made(plain, path) for plain in content["steps"]]


def _loaded(data: bytes, path: Path) -> Any:
    io = require("skops.io", "run")
    try:
        foreign = sorted(set(io.get_untrusted_types(data=data)) - set(_trusted()))
        if foreign:
            raise ModelFileError(f"{path} holds types that are not trusted: {foreign}")
        return io.loads(data, trusted=_trusted())
    except (BadZipFile, KeyError, TypeError, ValueError, OSError) as error:
        raise ModelFileError(f"{path} holds a step that cannot be loaded: {error}") from error


def _made(plain: dict[str, Any], path: Path) -> Any:
    if not plain["class"]:
        return _loaded(plain["skops"].tobytes(), path)
    name = plain["class"]
    found = (getattr(import_module(room), name, None) for room in _OURS)
    made = next((one for one in found if hasattr(one, "load_state_dict")), None)
    if not (isinstance(made, type) and made.__module__.startswith(_OURS)):
        raise ModelFileError(f"{path} holds a step {name!r}, which is none of {', '.join(_OURS)}")
    try:
        types = {n: _type_named(named) for n, named in plain.get("types", {}).items()}
        step = made(**plain["parameters"], **types).load_state_dict(plain["state"])
        if plain.get("output") is not None:
            step._sklearn_output_config = plain["output"]
        return step
    except (TypeError, ValueError, StopIteration) as error:
        raise ModelFileError(f"{path} holds a {name} that cannot be loaded: {error}") from error
