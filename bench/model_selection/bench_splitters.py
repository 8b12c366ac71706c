"""Folds of rows, and one split."""

import numpy as np
import sklearn.model_selection as theirs

import mlestar.model_selection as ours
from bench.row import Row, bench_rows


def same(mine: object, other: object) -> None:
    """Every array of one is that of the other."""
    for a, b in zip(mine, other, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)


def rows(n: int) -> list[Row]:
    y = np.random.default_rng(0).integers(0, max(2, min(10, n // 20)), n)
    y[: n // 2] = 0
    y[n // 2 :] = np.maximum(y[n // 2 :], 1) if n < 50 else y[n // 2 :]
    splits = 2 if n < 50 else 5

    def row(name: str, **options: object) -> Row:
        label = f"{name}, {splits} splits" + (", shuffled" if options else "")
        return Row(
            label.replace("2 splits", "5 splits"),
            n,
            lambda: list(getattr(ours, name)(splits, **options).split(y, y)),
            {"scikit-learn": lambda: list(getattr(theirs, name)(splits, **options).split(y, y))},
            y.nbytes,
            name,
            same=same,
        )

    def repeated(name: str) -> Row:
        options = {"n_splits": splits, "n_repeats": 10, "random_state": 0}

        def consumed(module: object) -> list[int]:
            # Fifty splits of two million rows are not kept: their last rows and sizes are.
            found = getattr(module, name)(**options).split(y, y)
            return [v for a, b in found for v in (len(a), len(b), a[-1], b[-1], b[len(b) // 2])]

        return Row(
            f"{name}, 10 times 5 splits",
            n,
            lambda: consumed(ours),
            {"scikit-learn": lambda: consumed(theirs)},
            y.nbytes,
            "KFold" if name == "RepeatedKFold" else "StratifiedKFold",
        )

    shuffled = {"shuffle": True, "random_state": 0}
    return [
        row("KFold"),
        row("KFold", **shuffled),
        row("StratifiedKFold"),
        row("StratifiedKFold", **shuffled),
        *(repeated(name) for name in ("RepeatedKFold", "RepeatedStratifiedKFold")),
        Row(
            "train_test_split",
            n,
            lambda: ours.train_test_split(y, random_state=0),
            {"scikit-learn": lambda: theirs.train_test_split(y, random_state=0)},
            y.nbytes,
            "train_test_split",
            same=lambda a, b: [
                np.testing.assert_array_equal(x, z) for x, z in zip(a, b, strict=True)
            ],
        ),
    ]


test_rows = bench_rows(rows)
