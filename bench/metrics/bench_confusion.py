"""Functions of the confusion matrix, ten classes."""

import numpy as np
import sklearn.metrics as theirs

import mlestar.metrics as ours
from bench.row import Row, bench_rows


def rows(n: int) -> list[Row]:
    """Rows for `n` labels."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 10, n)
    predicted = np.where(rng.random(n) < 0.7, truth, rng.integers(0, 10, n))
    truth[: min(n, 10)] = predicted[: min(n, 10)] = np.arange(min(n, 10))
    binary = truth % 2, predicted % 2

    def row(name: str, data: tuple[np.ndarray, np.ndarray], **options: object) -> Row:
        return Row(
            name,
            n,
            lambda: getattr(ours, name)(*data, **options),
            {"scikit-learn": lambda: getattr(theirs, name)(*data, **options)},
            2 * truth.nbytes,
            name,
        )

    many = truth, predicted
    return [
        row("balanced_accuracy_score", many),
        row("zero_one_loss", many),
        row("hamming_loss", many),
        row("matthews_corrcoef", many),
        row("cohen_kappa_score", many, weights="linear"),
        row("multilabel_confusion_matrix", many),
        row("jaccard_score", many, average="macro"),
        row("class_likelihood_ratios", binary),
    ]


test_rows = bench_rows(rows)
