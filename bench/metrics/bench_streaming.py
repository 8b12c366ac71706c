"""Streaming metrics in a loop over batches: every update and one compute.

The peer is torchmetrics on the same tensors, which are read by both in place. Batches are of 256 rows for the small
size and of 65 536 for the large one.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn.metrics as sk

from bench.peers import optional
from bench.row import SMALL, Row, bench_rows
from mlestar.metrics import streaming


def loop(make: Callable[[], Any], batches: list[tuple[Any, Any]]) -> Any:
    """What a metric gives after all batches; torchmetrics takes predictions first."""
    metric = make()
    if isinstance(metric, streaming.Metric):
        for truth, predicted in batches:
            metric.update(truth, predicted)
    else:
        for truth, predicted in batches:
            metric.update(predicted, truth)
    return metric.compute()


def rows(n: int) -> list[Row]:
    """Rows for `n` rows of data."""
    torch, peer = optional("torch"), optional("torchmetrics")
    rng = np.random.default_rng(0)
    size = 256 if n <= SMALL else 65_536
    many = rng.integers(0, 10, n)
    guess = np.where(rng.random(n) < 0.7, many, rng.integers(0, 10, n))
    many[: min(n, 10)] = guess[: min(n, 10)] = np.arange(min(n, 10))
    binary = rng.integers(0, 2, n)
    binary[:2] = 0, 1
    chance = np.clip(0.6 * rng.random(n) + 0.3 * binary, 0.0, 1.0).astype(np.float32)
    few = max(10, n // 10)
    classes = np.resize(np.arange(10), few)
    shares = rng.random((few, 10))
    shares /= shares.sum(axis=1, keepdims=True)
    some = (rng.random((few, 10)) < 0.3).astype(np.int64)
    guessed = some ^ (rng.random((few, 10)) < 0.2)
    real = rng.normal(size=n)
    near = real + rng.normal(size=n)

    def row(
        name: str,
        make: Callable[[], Any],
        theirs: Callable[[], Any],
        data: tuple[Any, Any],
        function: Callable[[Any, Any], Any],
        rtol: float = 1e-5,
    ) -> Row:
        wrap = torch.from_numpy if torch is not None else np.asarray
        truth, predicted = (wrap(x) for x in data)
        rows = len(data[0])
        batches = [(truth[i : i + size], predicted[i : i + size]) for i in range(0, rows, size)]
        value = (lambda x: x.value) if "Binned" in name else (lambda x: x)
        peers: dict[str, Callable[[], Any]] = {}
        if torch is not None and peer is not None:
            peers["torchmetrics"] = lambda: loop(theirs, batches)
        peers["scikit-learn at once"] = lambda: function(*data)
        return Row(
            f"streaming {name}",
            n,
            lambda: value(loop(make, batches)),
            peers,
            sum(x.nbytes for x in data),
            "",
            rtol,
        )

    def theirs(name: str, **options: Any) -> Callable[[], Any]:
        return lambda: getattr(peer.classification, name)(validate_args=False, **options)

    return [
        row(
            "Accuracy",
            streaming.Accuracy,
            theirs("MulticlassAccuracy", num_classes=10, average="micro"),
            (many, guess),
            sk.accuracy_score,
        ),
        row(
            "F1Score macro",
            lambda: streaming.F1Score(average="macro"),
            theirs("MulticlassF1Score", num_classes=10),
            (many, guess),
            lambda t, p: sk.f1_score(t, p, average="macro"),
        ),
        row(
            "ConfusionMatrix",
            streaming.ConfusionMatrix,
            theirs("MulticlassConfusionMatrix", num_classes=10),
            (many, guess),
            sk.confusion_matrix,
        ),
        row(
            "MeanSquaredError",
            streaming.MeanSquaredError,
            lambda: peer.MeanSquaredError(),
            (real, near),
            sk.mean_squared_error,
        ),
        row(
            "MeanSquaredError exact",
            lambda: streaming.MeanSquaredError(exact=True),
            lambda: peer.MeanSquaredError(),
            (real, near),
            sk.mean_squared_error,
        ),
        row("R2Score", streaming.R2Score, lambda: peer.R2Score(), (real, near), sk.r2_score, 1e-3),
        row("ROCAUC", streaming.ROCAUC, theirs("BinaryAUROC"), (binary, chance), sk.roc_auc_score),
        row(
            "BinnedROCAUC",
            streaming.BinnedROCAUC,
            theirs("BinaryAUROC", thresholds=200),
            (binary, chance),
            sk.roc_auc_score,
            1e-2,
        ),
        row(
            "AveragePrecision",
            streaming.AveragePrecision,
            theirs("BinaryAveragePrecision"),
            (binary, chance),
            sk.average_precision_score,
            1e-4,
        ),
        row(
            "MulticlassROCAUC, 10 classes, n/10 rows",
            lambda: streaming.MulticlassROCAUC(list(range(10))),
            theirs("MulticlassAUROC", num_classes=10),
            (classes, shares),
            lambda t, p: sk.roc_auc_score(t, p, multi_class="ovr"),
        ),
        row(
            "MultilabelMetric f1 macro, 10 labels, n/10 rows",
            lambda: streaming.MultilabelMetric("f1_score", average="macro"),
            theirs("MultilabelF1Score", num_labels=10),
            (some, guessed),
            lambda t, p: sk.f1_score(t, p, average="macro"),
        ),
    ]


test_rows = bench_rows(rows)
