"""Curves over all thresholds."""

import numpy as np
import sklearn.metrics as theirs

import mlestar.metrics as ours
from bench.row import Row, bench_rows


def same_curve(mine: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> None:
    """Element by element."""
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def rows(n: int) -> list[Row]:
    """Rows for `n` scores."""
    rng = np.random.default_rng(0)
    truth, scores = rng.integers(0, 2, n), rng.random(n)
    truth[:2] = [0, 1]
    x = np.sort(scores)
    nbytes = truth.nbytes + scores.nbytes

    def row(name: str, *data: np.ndarray, **options: object) -> Row:
        return Row(
            ", ".join([name, *options]),
            n,
            lambda: getattr(ours, name)(*data, **options),
            {"scikit-learn": lambda: getattr(theirs, name)(*data, **options)},
            nbytes,
            name,
            same=None if name == "auc" else same_curve,
        )

    found = [
        row("roc_curve", truth, scores),
        row("roc_curve", truth, scores, sample_weight=rng.random(n)),
        row("precision_recall_curve", truth, scores),
        row("det_curve", truth, scores),
        row("confusion_matrix_at_thresholds", truth, scores),
        row("auc", x, scores),
    ]
    small = min(n, 1000)  # a call of the metric for every threshold
    y, s = truth[:small], scores[:small]
    found.append(
        Row(
            f"metric_at_thresholds of F, {small:,} rows".replace(",", " "),
            n,
            lambda: ours.metric_at_thresholds(y, s, ours.f1_score),
            {"scikit-learn": lambda: theirs.metric_at_thresholds(y, s, theirs.f1_score)},
            0,
            "metric_at_thresholds",
            same=same_curve,
        )
    )
    return found


test_rows = bench_rows(rows)
