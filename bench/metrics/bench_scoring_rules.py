"""Log loss, Brier score, their skill scores, and hinge loss."""

import numpy as np
import sklearn.metrics as theirs

import mlestar.metrics as ours
from bench.row import Row, bench_rows


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    truth, given = rng.integers(0, 2, n), rng.random(n)
    truth[:2] = [0, 1]
    classes = min(10, n)
    many = rng.integers(0, classes, n)
    many[:classes] = np.arange(classes)
    table = rng.random((n, classes))
    table /= table.sum(axis=1, keepdims=True)
    return [
        Row(
            "log_loss, binary",
            n,
            lambda: ours.log_loss(truth, given),
            {"scikit-learn": lambda: theirs.log_loss(truth, given)},
            truth.nbytes + given.nbytes,
            "log_loss",
        ),
        Row(
            "log_loss, 10 classes",
            n,
            lambda: ours.log_loss(many, table),
            {"scikit-learn": lambda: theirs.log_loss(many, table)},
            many.nbytes + table.nbytes,
            "log_loss",
        ),
        Row(
            "brier_score_loss",
            n,
            lambda: ours.brier_score_loss(truth, given),
            {"scikit-learn": lambda: theirs.brier_score_loss(truth, given)},
            truth.nbytes + given.nbytes,
            "brier_score_loss",
        ),
        Row(
            "d2_log_loss_score, binary",
            n,
            lambda: ours.d2_log_loss_score(truth, given),
            {"scikit-learn": lambda: theirs.d2_log_loss_score(truth, given)},
            truth.nbytes + given.nbytes,
            "d2_log_loss_score",
        ),
        Row(
            "d2_brier_score",
            n,
            lambda: ours.d2_brier_score(truth, given),
            {"scikit-learn": lambda: theirs.d2_brier_score(truth, given)},
            truth.nbytes + given.nbytes,
            "d2_brier_score",
        ),
        Row(
            "hinge_loss, binary",
            n,
            lambda: ours.hinge_loss(truth, given),
            {"scikit-learn": lambda: theirs.hinge_loss(truth, given)},
            truth.nbytes + given.nbytes,
            "hinge_loss",
        ),
        Row(
            "hinge_loss, 10 classes",
            n,
            lambda: ours.hinge_loss(many, table),
            {"scikit-learn": lambda: theirs.hinge_loss(many, table)},
            many.nbytes + table.nbytes,
            "hinge_loss",
        ),
    ]


test_rows = bench_rows(rows)
