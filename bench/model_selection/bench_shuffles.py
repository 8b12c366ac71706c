"""Random splits."""

import numpy as np
import sklearn.model_selection as theirs

import mlestar.model_selection as ours
from bench.model_selection.bench_splitters import same
from bench.row import SMALL, Row, bench_rows


def rows(n: int) -> list[Row]:
    """Five splits; and one of a table of 20 columns."""
    rng = np.random.default_rng(0)
    classes = 10 if n >= SMALL else 2
    y = rng.permutation(np.arange(n) % classes)

    def row(name: str) -> Row:
        options = {"n_splits": 5, "random_state": 0}
        return Row(
            f"{name}, 5 splits",
            n,
            lambda: list(getattr(ours, name)(**options).split(y, y)),
            {"scikit-learn": lambda: list(getattr(theirs, name)(**options).split(y, y))},
            y.nbytes,
            name,
            same=same,
        )

    table = rng.random((n, 20))
    options = {"stratify": y, "random_state": 0}
    return [
        row("ShuffleSplit"),
        row("StratifiedShuffleSplit"),
        Row(
            "train_test_split, stratified, 20 columns",
            n,
            lambda: ours.train_test_split(table, y, **options),
            {"scikit-learn": lambda: theirs.train_test_split(table, y, **options)},
            table.nbytes + y.nbytes,
            "train_test_split",
            same=lambda a, b: same([a], [b]),
        ),
    ]


test_rows = bench_rows(rows)
