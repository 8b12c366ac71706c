"""Splits of rows with times, against masks in NumPy by the definition, and skfolio's where it is."""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np

import mlestar.model_selection as ours
from bench.model_selection.bench_splitters import same
from bench.peers import optional
from bench.row import Row, bench_rows

_LENGTH = 3  # rows that a label takes
_EMBARGO = 2


def purged(t0: Any, t1: Any, count: int, held_out: int) -> Iterator[tuple[Any, Any]]:
    """Folds by time purged as the book does, with one mask for each split."""
    order = np.argsort(t0, kind="stable")
    starts = t0[order]
    folds = np.empty(len(t0), np.int64)
    for f, rows in enumerate(np.array_split(order, count)):
        folds[rows] = f
    for chosen in combinations(range(count), held_out):
        train = np.ones(len(t0), bool)
        test = np.isin(folds, chosen)
        for f in chosen:
            mine = folds == f
            end = t1[mine].max()
            train &= (t0 > end) | (t1 < t0[mine].min())
            train[order[np.searchsorted(starts, end, "right") :][:_EMBARGO]] = False
        yield np.flatnonzero(train & ~test), np.flatnonzero(test)


def walk(t0: Any, t1: Any, size: int) -> Iterator[tuple[Any, Any]]:
    """Windows of rows in the order of their times."""
    order = np.argsort(t0, kind="stable")
    for first in range(2 * size, len(t0) - size + 1, size):
        train, test = order[first - 2 * size : first], order[first : first + size]
        yield np.sort(train[t1[train] < t0[test[0]]]), np.sort(test)


def by_groups(t0: Any, groups: Any, splits: int) -> Iterator[tuple[Any, Any]]:
    """Time series split of groups by their first time."""
    order = np.argsort(t0, kind="stable")
    _, first, codes = np.unique(groups[order], return_index=True, return_inverse=True)
    rank = np.empty(len(t0), np.int64)
    rank[order] = np.argsort(np.argsort(first))[codes]
    size = len(first) // (splits + 1)
    for k in range(splits):
        start = len(first) - (splits - k) * size
        test = (rank >= start) & (rank < start + size)
        yield (
            np.flatnonzero((rank < start) & (t0 < t0[test].min())),
            np.flatnonzero(test),
        )


def joined(splits: Iterator[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """skfolio's splits, whose test rows are a list of arrays."""
    return [(a, np.concatenate(b) if isinstance(b, list) else b) for a, b in splits]


def rows(n: int) -> list[Row]:
    """Labels of four rows each, in order and shuffled."""
    rng = np.random.default_rng(0)
    ordered = np.arange(n)
    shuffled = rng.permutation(n)
    groups = shuffled // 10
    size = max(1, n // 10)
    skfolio = optional("skfolio.model_selection")
    folds = 2 if n < 50 else 5

    def row(
        name: str,
        splitter: Any,
        peer: Callable[[], Iterator[tuple[Any, Any]]],
        t0: Any,
        other: Any = None,
        **options: Any,
    ) -> Row:
        peers: dict[str, Callable[[], Any]] = {"NumPy": lambda: list(peer())}
        if other is not None:
            peers["skfolio"] = lambda: joined(other.split(t0[:, None]))
        return Row(
            name,
            n,
            lambda: list(splitter.split(t0, t0=t0, **options)),
            peers,
            2 * t0.nbytes,
            type(splitter).__name__,
            same=same,
        )

    fivefold = ours.PurgedKFold(folds, embargo=_EMBARGO)
    combined = ours.CombinatorialPurgedKFold(5, 2, embargo=_EMBARGO)
    theirs = None
    if skfolio and n >= 50:
        theirs = skfolio.CombinatorialPurgedCV(5, 2, _LENGTH, _EMBARGO)
    walking = ours.WalkForwardSplit(size, 2 * size)
    walked = skfolio.WalkForward(size, 2 * size, purged_size=0) if skfolio else None
    end = {"t1": ordered + _LENGTH}
    return [
        row(
            "PurgedKFold, 5 splits",
            fivefold,
            lambda: purged(ordered, end["t1"], folds, 1),
            ordered,
            **end,
        ),
        row(
            "PurgedKFold, 5 splits, times in any order",
            fivefold,
            lambda: purged(shuffled, shuffled + _LENGTH, folds, 1),
            shuffled,
            t1=shuffled + _LENGTH,
        ),
        row(
            "CombinatorialPurgedKFold, 2 of 5 folds",
            combined,
            lambda: purged(ordered, end["t1"], 5, 2),
            ordered,
            theirs,
            **end,
        ),
        row(
            "WalkForwardSplit, 8 splits",
            walking,
            lambda: walk(ordered, ordered, size),
            ordered,
            walked,
        ),
        row(
            "GroupTimeSeriesSplit, 5 splits of groups of 10",
            ours.GroupTimeSeriesSplit(1 if n < 60 else 5),
            lambda: by_groups(shuffled, groups, 1 if n < 60 else 5),
            shuffled,
            groups=groups,
        ),
    ]


test_rows = bench_rows(rows)
