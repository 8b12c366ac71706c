"""Model files: skops, with one fixed list of types beyond those skops itself trusts."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, TypeVar

from mlestar._files import write_whole
from mlestar._lazy import require
from mlestar.exceptions import ModelFileError

# Types of the estimators we make that are plain data or pure computation when loaded. A type joins
# this list in code, by review, never by what a file says of itself.
TRUSTED_TYPES = (
    "collections.OrderedDict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
)

_FORMAT = 1
Model = TypeVar("Model")


def dumps(value: Any) -> bytes:
    """An estimator (or plain data) as the bytes of a skops file."""
    data: bytes = require("skops.io", "run").dumps(value)
    return data


def loads(data: bytes) -> Any:
    """What `dumps` wrote; ModelFileError for a type that is not trusted."""
    io = require("skops.io", "run")
    try:
        foreign = sorted(set(io.get_untrusted_types(data=data)) - set(TRUSTED_TYPES))
        if foreign:
            raise ModelFileError(f"the model file holds types that are not trusted: {foreign}")
        return io.loads(data, trusted=list(TRUSTED_TYPES))
    except ModelFileError:
        raise
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError) as error:
        raise ModelFileError(f"the data are no model file: {error}") from error


def save(model: Any, path: str | Path) -> Path:
    """Write a model's class, parameters and state; the file appears whole or not at all."""
    path = Path(path)
    state = {k: v for k, v in vars(model).items() if k != "callbacks"}
    data = dumps({"format": _FORMAT, "class": type(model).__name__, "state": state})
    io = require("skops.io", "run")
    foreign = sorted(set(io.get_untrusted_types(data=data)) - set(TRUSTED_TYPES))
    if foreign:
        raise ModelFileError(
            f"{type(model).__name__} holds types that a model file may not: {foreign}"
        )
    write_whole(path, lambda file: file.write(data))
    return path


def load(cls: type[Model], path: str | Path) -> Model:
    """Read a model of class `cls`."""
    try:
        content = loads(Path(path).read_bytes())
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise ModelFileError(f"{path} is no mlestar model file of format {_FORMAT}")
    if content["class"] != cls.__name__:
        raise ModelFileError(f"{path} holds a {content['class']}, but must hold a {cls.__name__}")
    model = cls.__new__(cls)
    vars(model).update(content["state"])
    if not hasattr(model, "callbacks"):
        vars(model)["callbacks"] = ()
    return model
