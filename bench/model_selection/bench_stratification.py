"""Folds with the spread of a number, and with the share of each of ten labels."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import sklearn.model_selection as theirs

import mlestar.model_selection as ours
from bench.model_selection.bench_splitters import same
from bench.peers import optional
from bench.row import LARGE, Row, bench_rows


def uneven(y: Any, splits: Iterable[tuple[Any, Any]]) -> float:
    """Mean difference of a label's share in the test rows from its share in all rows."""
    share = y.mean(axis=0)
    return float(np.mean([np.abs(y[test].mean(axis=0) - share) for _, test in splits]))


def rows(n: int) -> list[Row]:
    """`n` numbers; `n` / 10 rows of labels, or n / 100 where the peer takes a row at a time."""
    rng = np.random.default_rng(0)
    number = rng.normal(size=n)
    bins = 2 if n < 50 else 10

    def binned() -> Any:
        edges = np.sort(number)[[i * n // bins for i in range(1, bins)]]
        return np.searchsorted(edges, number, side="right")

    iterative = optional("iterstrat.ml_stratifiers")

    def labels(count: int) -> Any:
        return (rng.random((count, 10)) < np.linspace(0.02, 0.5, 10)).astype(np.int64)

    def multilabel(name: str, count: int, peer: bool, **options: object) -> Row:
        y = labels(count)
        y[0] = 1

        def no_worse(mine: Any, other: Any) -> None:
            assert uneven(y, mine) <= uneven(y, other)
            held_out = np.sort(np.concatenate([test for _, test in mine]))
            np.testing.assert_array_equal(held_out, np.arange(count))

        splits = 2 if n < 50 else 5
        shuffled = {"random_state": 0} | ({"shuffle": True} if name.endswith("KFold") else {})
        call = getattr(ours, name)(splits, **shuffled, **options)
        peers = {}
        if peer and iterative:
            other = getattr(iterative, name)(splits, **shuffled)
            peers["iterative-stratification"] = lambda: list(other.split(y, y))
        words = [
            name,
            *(f"{key} {value}" for key, value in options.items()),
            f"{count} x 10 labels",
        ]
        return Row(
            ", ".join(words),
            n,
            lambda: list(call.split(y, y)),
            peers,
            y.nbytes,
            name,
            same=no_worse,
        )

    few, many = (n // 100, n // 10) if n == LARGE else (n, n)
    options = {"shuffle": True, "random_state": 0}
    draws = {"test_size": 0.25, "random_state": 0}
    folds = 2 if n < 50 else 5
    result = [
        Row(
            "QuantileStratifiedKFold, 5 splits",
            n,
            lambda: list(ours.QuantileStratifiedKFold(folds, n_bins=bins).split(None, number)),
            {
                "scikit-learn of bins": lambda: list(
                    theirs.StratifiedKFold(folds).split(number, binned())
                )
            },
            number.nbytes,
            "QuantileStratifiedKFold",
            same=same,
        ),
        Row(
            "QuantileStratifiedKFold, 5 splits, shuffled",
            n,
            lambda: list(
                ours.QuantileStratifiedKFold(folds, n_bins=bins, **options).split(None, number)
            ),
            {
                "scikit-learn of bins": lambda: list(
                    theirs.StratifiedKFold(folds, **options).split(number, binned())
                )
            },
            number.nbytes,
            "QuantileStratifiedKFold",
            same=same,
        ),
        Row(
            "QuantileStratifiedShuffleSplit, 2 splits",
            n,
            lambda: list(
                ours.QuantileStratifiedShuffleSplit(2, n_bins=bins, **draws).split(None, number)
            ),
            {
                "scikit-learn of bins": lambda: list(
                    theirs.StratifiedShuffleSplit(2, **draws).split(number, binned())
                )
            },
            number.nbytes,
            "QuantileStratifiedShuffleSplit",
            same=same,
        ),
        multilabel("MultilabelStratifiedKFold", few, True),
    ]
    result.append(multilabel("MultilabelStratifiedKFold", few, False, order=2))
    result.append(multilabel("MultilabelStratifiedShuffleSplit", many, False, test_size=0.25))
    return result


test_rows = bench_rows(rows)
