"""Fitted steps in files: plain arrays, and skops where a step is scikit-learn's."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from mlestar._files import write_whole
from mlestar.exceptions import ModelFileError
from mlestar.models.persistence import TRUSTED_TYPES, dumps, loads
from mlestar.pipeline.content import encoded, read_content, write_content

_FORMAT = 1
_OURS = ("mlestar.preprocessing", "mlestar.pipeline.schema")


def state_of(step: Any) -> Any:
    """What a step of ours has learned, in plain arrays; None for other steps."""
    if not type(step).__module__.startswith(_OURS) or not hasattr(step, "load_state_dict"):
        return None
    return step.state_dict()


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
        try:
            encoded(parameters)
        except TypeError as error:
            raise ModelFileError(f"a parameter of {step!r} has no plain form: {error}") from error
        return {"class": type(step).__name__, "parameters": parameters, "state": state}
    from skops.io import get_untrusted_types

    data = dumps(step)
    foreign = sorted(set(get_untrusted_types(data=data)) - set(TRUSTED_TYPES))
    if foreign:
        raise ModelFileError(f"{step!r} holds types that a model file may not: {foreign}")
    return {"class": "", "skops": np.frombuffer(data, dtype=np.uint8)}


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


def _made(plain: dict[str, Any], path: Path) -> Any:
    if not plain["class"]:
        return loads(plain["skops"].tobytes())
    name = plain["class"]
    found = (getattr(import_module(room), name, None) for room in _OURS)
    made = next((one for one in found if hasattr(one, "load_state_dict")), None)
    if not (isinstance(made, type) and made.__module__.startswith(_OURS)):
        raise ModelFileError(f"{path} holds a step {name!r}, which is none of {', '.join(_OURS)}")
    try:
        return made(**plain["parameters"]).load_state_dict(plain["state"])
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"{path} holds a {name} that cannot be loaded: {error}") from error
