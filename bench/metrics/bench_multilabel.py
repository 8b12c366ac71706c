"""Multilabel indicators, ten labels, and the report of ten classes."""

import numpy as np
import sklearn.metrics as theirs

import mlestar.metrics as ours
from bench.row import LARGE, Row, bench_rows


def rows(n: int) -> list[Row]:
    """Rows for `n` / 10 samples of ten labels; `n` for the report."""
    rng = np.random.default_rng(0)
    many = n // 10 if n == LARGE else n
    truth = (rng.random((many, 10)) < 0.4).astype(np.int64)
    predicted = np.where(rng.random((many, 10)) < 0.8, truth, 1 - truth)
    truth[0], predicted[0] = 1, 1

    def row(name: str, **options: object) -> Row:
        words = [name, *(str(value) for value in options.values()), f"{many} x 10 labels"]
        return Row(
            ", ".join(words),
            n,
            lambda: getattr(ours, name)(truth, predicted, **options),
            {"scikit-learn": lambda: getattr(theirs, name)(truth, predicted, **options)},
            2 * truth.nbytes,
            name,
        )

    y = rng.integers(0, 10, n)
    p = np.where(rng.random(n) < 0.7, y, rng.integers(0, 10, n))
    y[: min(n, 10)] = p[: min(n, 10)] = np.arange(min(n, 10))

    def same_text(mine: str, other: str) -> None:
        assert mine == other

    report = Row(
        "classification_report",
        n,
        lambda: ours.classification_report(y, p),
        {"scikit-learn": lambda: theirs.classification_report(y, p)},
        2 * y.nbytes,
        "classification_report",
        same=same_text,
    )
    return [
        report,
        row("accuracy_score"),
        row("hamming_loss"),
        row("multilabel_confusion_matrix"),
        row("f1_score", average="macro"),
        row("f1_score", average="samples", zero_division=0.0),
        row("jaccard_score", average="samples", zero_division=0.0),
    ]


test_rows = bench_rows(rows)
