"""A pytest plugin: scikit-learn's own tests run with our names in place of its own.

Loaded with -p before any of its test modules. The summary goes to the file that MLESTAR_CONFORMANCE names.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
from collections import Counter

import numpy as np

import mlestar
from mlestar import _calls, _patch

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


def counted(dotted, function):
    """The function, counting who answered the calls that returned."""
    package, _, name = dotted.rpartition(".")

    @functools.wraps(function)
    def call(*arguments, **options):
        before = _calls.core_calls().get(name, {"core": 0})["core"]
        result = function(*arguments, **options)
        if in_scope(name, arguments, options):
            core = _calls.core_calls().get(name, {"core": 0})["core"] > before
            counts.setdefault(name, Counter())["core" if core else "declined"] += 1
        return result

    call.__signature__ = inspect.signature(function)
    # It stands where scikit-learn's stood, and pickles from there.
    call.__module__ = _calls.original(name, package).__module__
    return call


def swap():
    """Patch scikit-learn, then count the calls of what stands in its places."""
    mlestar.patch_sklearn()
    _patch._bind(
        [
            _patch._Rebinding(dotted, mine, counted(dotted, mine))
            for dotted, mine in _patch.table().items()
            if not isinstance(mine, type)
        ]
    )


swap()


def pytest_sessionfinish():
    """Write who answered what."""
    splitters = {n: c for n, c in _calls.core_calls().items() if n in ("KFold", "StratifiedKFold")}
    summary = {name: dict(counter) for name, counter in counts.items()} | splitters
    with open(os.environ["MLESTAR_CONFORMANCE"], "w", encoding="utf-8") as file:
        json.dump(summary, file)
