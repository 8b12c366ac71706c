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

VALIDATION = ("learning_curve", "permutation_test_score", "validation_curve")


def numeric(value):
    """Whether an argument is an array of numbers."""
    return type(value) is np.ndarray and value.dtype.kind in "biuf"


def in_scope(name, arguments, options):
    """Calls on numeric ndarrays of at least one row."""
    if name.startswith("cross_val") or name in VALIDATION:
        return len(arguments) > 2 and all(numeric(a) and a.size > 0 for a in arguments[1:3])
    arrays = arguments if name == "train_test_split" else arguments[:2]
    if len(arrays) < (1 if name == "train_test_split" else 2):
        return False
    if name == "confusion_matrix_at_thresholds" and len(arguments) > 2:
        return False  # deprecated: scikit-learn says so
    if options.get("contingency") is not None:
        return False  # its labels are not read
    if name == "metric_at_thresholds" and not arguments[2].__module__.startswith("sklearn"):
        return False  # the caller's own metric runs in Python
    weights = options.get("sample_weight")
    return all(numeric(a) and a.size > 0 for a in arrays) and (weights is None or numeric(weights))


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


def counted_split(name, split):
    """A splitter's method, counting who answered the calls that gave all their splits."""

    @functools.wraps(split)
    def call(self, *arguments, **options):
        before = _calls.core_calls().get(name, {"core": 0})["core"]
        splits = split(self, *arguments, **options)
        given = [a for a in (*arguments[1:], *options.values()) if a is not None]
        scope = all(numeric(a) and a.ndim == 1 for a in given)

        def counting():
            yield from splits
            if scope:
                core = _calls.core_calls().get(name, {"core": 0})["core"] > before
                counts.setdefault(name, Counter())["core" if core else "declined"] += 1

        return counting()

    return call


def counted_method(name, method):
    """A transformer's method, counting who answered the calls that returned.

    Those on tables of floats, and on integers and strings for what is of labels.
    """

    def counts_for(X):
        if name.startswith("Label"):
            return type(X) is np.ndarray and X.dtype.kind in "iuU" and X.ndim == 1 and X.size > 0
        return numeric(X) and X.dtype in (np.float64, np.float32) and X.ndim == 2 and X.size > 0

    @functools.wraps(method)
    def call(self, *arguments, **options):
        X = next(iter((*arguments, *options.values())), None)
        before = _calls.core_calls().get(name, {"core": 0})["core"]
        result = method(self, *arguments, **options)
        if counts_for(X):
            core = _calls.core_calls().get(name, {"core": 0})["core"] > before
            counts.setdefault(name, Counter())["core" if core else "declined"] += 1
        return result

    return call


def swap():
    """Patch scikit-learn, then count the calls of what stands in its places."""
    mlestar.patch_sklearn()
    for dotted, mine in _patch.table().items():
        name = dotted.rpartition(".")[2]
        # Repeated splits are those of the splitter that repeats.
        if isinstance(mine, type) and hasattr(mine, "split") and not name.startswith("Repeated"):
            mine.split = counted_split(name, mine.split)
        # Those that learn nothing have nothing to answer in fitting.
        if isinstance(mine, type) and hasattr(mine, "transform"):
            mine.transform = counted_method(name, mine.transform)
            if name not in ("Binarizer", "Normalizer"):
                mine.fit = counted_method(name, mine.fit)
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
    summary = {name: dict(counter) for name, counter in counts.items()}
    with open(os.environ["MLESTAR_CONFORMANCE"], "w", encoding="utf-8") as file:
        json.dump(summary, file)
