"""accuracy, confusion matrix, F."""

import numpy as np
import sklearn.metrics as theirs

import mlestar.metrics as ours
from bench.peers import optional
from bench.row import Row, bench_rows


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 10, n), rng.integers(0, 10, n)
    found = [
        Row(
            "accuracy_score",
            n,
            lambda: ours.accuracy_score(truth, predicted),
            {"scikit-learn": lambda: theirs.accuracy_score(truth, predicted)},
            2 * truth.nbytes,
            "accuracy_score",
        ),
        Row(
            "confusion_matrix, 10 classes",
            n,
            lambda: ours.confusion_matrix(truth, predicted),
            {"scikit-learn": lambda: theirs.confusion_matrix(truth, predicted)},
            2 * truth.nbytes,
            "confusion_matrix",
        ),
        Row(
            "f1_score macro, 10 classes",
            n,
            lambda: ours.f1_score(truth, predicted, average="macro"),
            {"scikit-learn": lambda: theirs.f1_score(truth, predicted, average="macro")},
            2 * truth.nbytes,
            "f1_score",
            1e-6,
        ),
    ]
    functional = optional("torchmetrics.functional.classification")
    if functional is not None and n >= 100:
        import torch

        t, p = torch.from_numpy(truth), torch.from_numpy(predicted)
        found[1].peers["torchmetrics"] = lambda: functional.multiclass_confusion_matrix(
            p, t, 10, validate_args=False
        ).numpy()
        found[2].peers["torchmetrics"] = lambda: float(
            functional.multiclass_f1_score(p, t, 10, validate_args=False)
        )
    return found


test_rows = bench_rows(rows)
