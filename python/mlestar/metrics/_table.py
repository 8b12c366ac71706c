"""Label by label counts of one pass, which many metrics are functions of."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from mlestar._arrays import as_array, as_flat
from mlestar._native import _core
from mlestar.metrics._labels import encode


class Table(NamedTuple):
    """Counts (or weights) of each pair of true (row) and predicted (column) label.

    `labels` are those of both arrays, sorted; strings as they are, all others as integers.
    """

    labels: list[Any]
    cells: Any

    def places(self, labels: Any) -> list[int] | None:
        """Row of each label asked for (all, for None), -1 for one that does not occur; None if they
        are no list of distinct labels."""
        if labels is None:
            return list(range(len(self.labels)))
        wanted = np.asarray(labels)
        if wanted.ndim != 1 or wanted.size == 0 or len(set(wanted.tolist())) != wanted.size:
            return None
        place = {label: i for i, label in enumerate(self.labels)}
        return [place.get(label, -1) for label in wanted.tolist()]

    def of_labels(self, labels: Any) -> Any:
        """The matrix of the labels asked for, zeros for those that do not occur.

        None where scikit-learn has something to say: whether any of the labels is in `y_true` at
        all is its check and error; a row that is not all zero proves that one is.
        """
        if labels is None:
            return self.cells
        places = self.places(labels)
        if places is None:
            return None
        result = np.zeros((len(places), len(places)), dtype=self.cells.dtype)
        kept = [i for i, place in enumerate(places) if place >= 0]
        rows = [places[i] for i in kept]
        result[np.ix_(kept, kept)] = self.cells[np.ix_(rows, rows)]
        return result if self.cells[rows].any() else None

    def one_against_rest(self, places: list[int]) -> tuple[Any, Any, Any, Any]:
        """True negatives, false positives, false negatives and true positives of each label."""
        at = np.asarray(places)
        absent = at < 0
        true, predicted = self.cells.sum(axis=1)[at], self.cells.sum(axis=0)[at]
        hits = self.cells.diagonal()[at]
        for counts in (true, predicted, hits):
            if absent.any():
                counts[absent] = 0
        if not self.cells.trace():
            hits = hits.astype(np.float64)  # as scikit-learn's zeros where no row is right
        missed, wrong = true - hits, predicted - hits
        return self.cells.sum() - hits - missed - wrong, wrong, missed, hits


# Tables by their arrays, while several metrics are made of the same ones.
_shared: ContextVar[dict[tuple[int, int, int], Table | None] | None] = ContextVar(
    "mlestar_tables", default=None
)


@contextmanager
def shared_tables() -> Iterator[None]:
    """Inside, the table of the same three arrays is counted once; they must not change."""
    token = _shared.set({})
    try:
        yield
    finally:
        _shared.reset(token)


def table_of(y_true: Any, y_pred: Any, sample_weight: Any) -> Table | None:
    """The table of two arrays of labels, in one pass; None for what the core declines."""
    known = _shared.get()
    if known is None:
        return _count(y_true, y_pred, sample_weight)
    key = (id(y_true), id(y_pred), id(sample_weight))
    if key not in known:
        known[key] = _count(y_true, y_pred, sample_weight)
    return known[key]


def _count(y_true: Any, y_pred: Any, sample_weight: Any) -> Table | None:
    w = None if sample_weight is None else as_array(sample_weight)
    if sample_weight is not None and w is None:
        return None
    t, p = as_flat(y_true), as_flat(y_pred)
    found = _core.metrics.confusion_matrix(t, p, w)
    if found is not None:
        return Table(found[0].tolist(), found[1])
    codes = encode(t, p)
    if codes is None:
        return None
    found = _core.metrics.confusion_matrix(codes.y_true, codes.y_pred, w)
    # Every string has a code and every code occurs.
    return None if found is None else Table(list(codes.values), found[1])


def warn_undefined(message: str) -> None:
    """scikit-learn's warning of an undefined metric, at the line of the caller's caller."""
    from sklearn.exceptions import UndefinedMetricWarning

    warnings.warn(message, UndefinedMetricWarning, stacklevel=3)


def warn_single_label() -> None:
    """scikit-learn's warning of a confusion matrix of one cell."""
    warnings.warn(
        "A single label was found in 'y_true' and 'y_pred'. For the confusion matrix to have the "
        "correct shape, use the 'labels' parameter to pass all known labels.",
        UserWarning,
        stacklevel=3,
    )
