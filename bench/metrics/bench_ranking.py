"""ROC AUC and average precision."""

import numpy as np
import sklearn.metrics as theirs

import mlestar.metrics as ours
from bench.peers import optional
from bench.row import LARGE, Row, bench_rows


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    truth, scores = rng.integers(0, 2, n), rng.random(n)
    truth[:2] = [0, 1]
    normal, weights = rng.normal(size=n), rng.random(n)
    nbytes = truth.nbytes + scores.nbytes
    found = [
        Row(
            "roc_auc_score",
            n,
            lambda: ours.roc_auc_score(truth, scores),
            {"scikit-learn": lambda: theirs.roc_auc_score(truth, scores)},
            nbytes,
            "roc_auc_score",
            1e-6,
        ),
        Row(
            "average_precision_score",
            n,
            lambda: ours.average_precision_score(truth, scores),
            {"scikit-learn": lambda: theirs.average_precision_score(truth, scores)},
            nbytes,
            "average_precision_score",
            1e-6,
        ),
        Row(
            "roc_auc_score, normal scores",
            n,
            lambda: ours.roc_auc_score(truth, normal),
            {"scikit-learn": lambda: theirs.roc_auc_score(truth, normal)},
            nbytes,
            "roc_auc_score",
        ),
        Row(
            "roc_auc_score, weighted",
            n,
            lambda: ours.roc_auc_score(truth, scores, sample_weight=weights),
            {"scikit-learn": lambda: theirs.roc_auc_score(truth, scores, sample_weight=weights)},
            nbytes + weights.nbytes,
            "roc_auc_score",
        ),
    ]
    many = n // 10 if n == LARGE else n  # scikit-learn takes seconds for as many as two million
    classes = np.arange(many) % 10
    probabilities = rng.random((many, 10))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    indicators = (rng.random((many, 10)) < 0.4).astype(np.int64)
    indicators[:2] = [[0], [1]]

    def several(name: str, what: str, y: np.ndarray, **options: object) -> Row:
        return Row(
            f"{name}, {what}, {many} x 10",
            n,
            lambda: getattr(ours, name)(y, probabilities, **options),
            {"scikit-learn": lambda: getattr(theirs, name)(y, probabilities, **options)},
            y.nbytes + probabilities.nbytes,
            name,
        )

    found += [
        several("roc_auc_score", "ovr", classes, multi_class="ovr"),
        several("roc_auc_score", "ovo", classes, multi_class="ovo"),
        several("roc_auc_score", "labels", indicators),
        several("average_precision_score", "labels", indicators),
        Row(
            "roc_auc_score, max_fpr 0.1",
            n,
            lambda: ours.roc_auc_score(truth, scores, max_fpr=0.1),
            {"scikit-learn": lambda: theirs.roc_auc_score(truth, scores, max_fpr=0.1)},
            nbytes,
            "roc_auc_score",
        ),
    ]
    intelex = optional("sklearnex.metrics")
    if intelex is not None and n >= 100:
        found[0].peers["scikit-learn-intelex"] = lambda: intelex.roc_auc_score(truth, scores)
    functional = optional("torchmetrics.functional.classification")
    if functional is not None and n >= 100:
        import torch

        t, s = torch.from_numpy(truth), torch.from_numpy(scores)
        found[0].peers["torchmetrics"] = lambda: float(
            functional.binary_auroc(s, t, validate_args=False)
        )
        found[1].peers["torchmetrics"] = lambda: float(
            functional.binary_average_precision(s, t, validate_args=False)
        )
    return found


test_rows = bench_rows(rows)
