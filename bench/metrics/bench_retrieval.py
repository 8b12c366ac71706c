"""Retrieval metrics, ten items a row. scikit-learn works row by row in some: those have n / 1 000 rows."""

import numpy as np
import sklearn.metrics as theirs

import mlestar.metrics as ours
from bench.row import LARGE, Row, bench_rows


def rows(n: int) -> list[Row]:
    """Rows for `n` / 10 rows of ten items, or fewer."""
    rng = np.random.default_rng(0)
    many, few = (n // 10, n // 1000) if n == LARGE else (n, n)
    truth = (rng.random((many, 10)) < 0.3).astype(np.int64)
    scores = rng.random((many, 10))
    codes = np.arange(many) % 10

    def row(name: str, count: int, left: np.ndarray, **options: object) -> Row:
        y, s = left[:count], scores[:count]
        return Row(
            f"{name}, {count} x 10",
            n,
            lambda: getattr(ours, name)(y, s, **options),
            {"scikit-learn": lambda: getattr(theirs, name)(y, s, **options)},
            y.nbytes + s.nbytes,
            name,
        )

    return [
        row("coverage_error", many, truth),
        row("label_ranking_average_precision_score", few, truth),
        row("label_ranking_loss", few, truth),
        row("dcg_score", few, truth),
        row("ndcg_score", few, truth),
        row("top_k_accuracy_score", many, codes, labels=np.arange(10)),
    ]


test_rows = bench_rows(rows)
