"""Splits of whole groups."""

import numpy as np
import sklearn.model_selection as theirs

import mlestar.model_selection as ours
from bench.model_selection.bench_splitters import same
from bench.row import LARGE, Row, bench_rows


def rows(n: int) -> list[Row]:
    """Groups of 25 rows; fewer of them where scikit-learn takes seconds."""
    rng = np.random.default_rng(0)

    def row(name: str, size: int, **options: object) -> Row:
        y = np.append([0, 1] * 10, rng.integers(0, 2, size))[:size]
        groups = np.append(np.arange(5), rng.integers(0, max(5, size // 25), size))[:size]
        words = ["shuffled"] if options.get("shuffle") else []
        return Row(
            ", ".join([name, *words]),
            size,
            lambda: list(getattr(ours, name)(**options).split(y, y, groups)),
            {"scikit-learn": lambda: list(getattr(theirs, name)(**options).split(y, y, groups))},
            groups.nbytes,
            name,
            same=same,
        )

    few = 500_000 if n == LARGE else n
    return [
        row("GroupKFold", n),
        row("GroupKFold", n, shuffle=True, random_state=0),
        row("StratifiedGroupKFold", few),
        row("GroupShuffleSplit", n, random_state=0),
        row("LeaveOneGroupOut", min(n, 10_000)),
    ]


test_rows = bench_rows(rows)
