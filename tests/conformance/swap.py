"""A pytest plugin: scikit-learn's own tests run with our names in place of its own.

Loaded with -p before any of its test modules. The summary goes to the file that MLESTAR_CONFORMANCE names.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections import Counter

import numpy as np
import sklearn.metrics

import mlestar.metrics
import mlestar.model_selection
from mlestar import _calls

OWN = {
    "sklearn.metrics": [n for n in mlestar.metrics.__all__ if hasattr(sklearn.metrics, n)],
    "sklearn.model_selection": ["KFold", "StratifiedKFold", "train_test_split"],
}
counts: dict[str, Counter] = {}


def numeric(value):
    """Whether an argument is an array of numbers of one axis (one label or value a row)."""
    return type(value) is np.ndarray and value.dtype.kind in "biuf" and value.ndim == 1


def in_scope(name, arguments, options):
    """Calls on numeric ndarrays, of the kind that this name answers: one label or value a row."""
    if name in ("KFold", "StratifiedKFold"):
        return True
    if name == "train_test_split":
        return bool(arguments) and all(
            isinstance(a, np.ndarray) and a.dtype.kind in "biuf" for a in arguments
        )
    if len(arguments) < 2 or not numeric(arguments[0]):
        return False
    if name in ("log_loss", "brier_score_loss"):
        return isinstance(arguments[1], np.ndarray) and arguments[1].dtype.kind in "biuf"
    if name == "roc_auc_score" and options.get("max_fpr") not in (None, 1):
        return False  # partial areas are a later release's
    if not numeric(arguments[1]):
        return False
    weights = options.get("sample_weight")
    return weights is None or numeric(weights)


def counted(name, function):
    """The function, counting who answered the calls that returned."""

    @functools.wraps(function)
    def call(*arguments, **options):
        before = _calls.core_calls().get(name, {"core": 0})["core"]
        result = function(*arguments, **options)
        if in_scope(name, arguments, options):
            core = _calls.core_calls().get(name, {"core": 0})["core"] > before
            counts.setdefault(name, Counter())["core" if core else "declined"] += 1
        return result

    call.__signature__ = __import__("inspect").signature(function)
    return call


def swap():
    """Put our names everywhere scikit-learn has its own."""
    for room, names in OWN.items():
        ours = sys.modules[room.replace("sklearn", "mlestar")]
        for name in names:
            original = _calls.original(name, room)  # fall-backs keep what was there before
            mine = getattr(ours, name)
            if not isinstance(mine, type):
                mine = counted(name, mine)
            for module_name, module in list(sys.modules.items()):
                if module_name.startswith("sklearn") and getattr(module, name, None) is original:
                    setattr(module, name, mine)


swap()


def pytest_sessionfinish():
    """Write who answered what."""
    splitters = {n: c for n, c in _calls.core_calls().items() if n in ("KFold", "StratifiedKFold")}
    summary = {name: dict(counter) for name, counter in counts.items()} | splitters
    with open(os.environ["MLESTAR_CONFORMANCE"], "w", encoding="utf-8") as file:
        json.dump(summary, file)
