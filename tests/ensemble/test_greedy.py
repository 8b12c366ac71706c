from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics as sk

from mlestar._native import _core
from mlestar.ensemble import greedy_weights
from mlestar.ensemble._metrics import make_selection
from mlestar.ensemble._predictions import Predictions


def models(rng, n=700, count=6):
    y = rng.integers(0, 2, n)
    return [
        np.clip(0.5 + (y - 0.5) * 0.3 + rng.normal(0, 0.1 + 0.05 * j, n), 0.01, 0.99)
        for j in range(count)
    ], y


def error_of(metric, y, answer, weight):
    if metric == "rmse":
        return sk.root_mean_squared_error(y, answer, sample_weight=weight)
    if metric == "roc_auc":
        return 1 - sk.roc_auc_score(y, answer, sample_weight=weight)
    return sk.log_loss(y, answer, sample_weight=weight)


def slow(predictions, y, metric, steps, weight=None):
    """Caruana's selection with scikit-learn's metrics, in AutoGluon's words."""
    state = np.random.RandomState(0)
    order, trajectory, rounded = [], [], False
    mean = np.zeros_like(predictions[0])
    for step in range(steps):
        errors = []
        for p in predictions:
            blended = step / (step + 1) * mean + 1 / (step + 1) * p
            errors.append(error_of(metric, y, blended, weight))
        errors = np.round(errors, 6) if rounded else np.array(errors)
        tied = np.flatnonzero(np.isclose(errors, errors.min(), atol=0, rtol=1e-12))
        if len(tied) > 1 and order:
            tied = [m for m in tied if m in order] or tied
        best = state.choice(tied)
        error = errors[best]
        if step == 0 and abs(error) > 1e-4:
            rounded, error = True, error.round(6)
        order.append(int(best))
        trajectory.append(float(error))
        mean = mean * (step / (step + 1)) + predictions[best] / (step + 1)
    stop = trajectory.index(min(trajectory)) + 1
    return (
        np.bincount(order[:stop], minlength=len(predictions)) / stop,
        order[:stop],
        trajectory[:stop],
    )


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "rmse"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_steps_of_the_slow_way(rng, metric, weighted):
    predictions, y = models(rng)
    weight = rng.random(len(y)) + 0.1 if weighted else None
    result = greedy_weights(predictions, y, metric=metric, sample_weight=weight)
    weights, order, trajectory = slow(predictions, y, metric, 25, weight)
    assert result.order == order
    np.testing.assert_allclose(result.weights, weights)
    np.testing.assert_allclose(result.trajectory, trajectory, atol=1.1e-6)
    assert result.score == result.trajectory[-1]


def test_multiclass_log_loss(rng):
    y = rng.integers(0, 4, 900)
    y[:4] = range(4)
    predictions = [
        rng.dirichlet(np.ones(4) * (j + 1), 900) * 0.5 + 0.5 * np.eye(4)[y] for j in range(5)
    ]
    result = greedy_weights(predictions, y, metric="log_loss")
    weights, order, _ = slow(predictions, y, "log_loss", 25)
    assert result.order == order
    np.testing.assert_allclose(result.weights, weights)


def test_rows_that_do_not_sum_to_one_are_averaged_as_autogluon_does(rng):
    y = rng.integers(0, 3, 300)
    predictions = [rng.dirichlet(np.ones(3), 300) * scale for scale in (1.0, 0.9)]
    result = greedy_weights(predictions, y, metric="log_loss", n_iterations=1)
    errors = [sk.log_loss(y, p / p.sum(axis=1, keepdims=True)) for p in predictions]
    assert result.score == pytest.approx(min(errors), abs=1e-6)


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "rmse"])
def test_identical_models_share_nothing(rng, metric):
    predictions, y = models(rng, count=1)
    result = greedy_weights([predictions[0], predictions[0].copy()], y, metric=metric)
    assert len(result.order) == 1
    assert sorted(result.weights.tolist()) == [0.0, 1.0]


def test_layouts_and_types_do_not_matter(rng):
    predictions, y = models(rng)
    expected = greedy_weights(predictions, y, metric="log_loss")
    stacked = np.asfortranarray(np.stack(predictions, axis=1)).T
    assert (
        greedy_weights(list(stacked), y.astype(np.int8), metric="neg_log_loss").order
        == expected.order
    )
    strided = [np.repeat(p, 2)[::2] for p in predictions]
    assert greedy_weights(strided, y, metric="log_loss").order == expected.order


def test_first_tie_break(rng):
    predictions, y = models(rng)
    result = greedy_weights(predictions, y, metric="rmse", tie_break="first", n_iterations=3)
    errors = [error_of("rmse", y, p, None) for p in predictions]
    assert result.order[0] == int(np.argmin(errors))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p, y: ([], y, {}), "predictions is empty"),
        (lambda p, y: (p, y[:0], {}), "y is"),
        (lambda p, y: ([p[0], p[1][:-1]], y, {}), r"predictions\[1\] has shape"),
        (
            lambda p, y: ([p[0], np.where(np.arange(len(y)) == 3, np.nan, p[1])], y, {}),
            r"predictions\[1\] holds",
        ),
        (
            lambda p, y: ([p[0], p[1] + 1], y, {}),
            r"predictions\[1\] holds values that are not probabilities",
        ),
        (lambda p, y: (p, y + 1, {}), "y holds values that are not class numbers"),
        (lambda p, y: (p, y, {"sample_weight": -np.ones(len(y))}), "sample_weight holds"),
        (lambda p, y: (p, y, {"sample_weight": np.zeros(len(y))}), "sample_weight is all zero"),
        (lambda p, y: (p, y, {"sample_weight": np.ones(3)}), "sample_weight has 3"),
        (lambda p, y: (p, y, {"n_iterations": 0}), "n_iterations is 0"),
        (lambda p, y: (p, y, {"metric": "gini"}), "metric is 'gini'"),
        (lambda p, y: (p, y, {"tie_break": "coin"}), "tie_break is 'coin'"),
        (lambda p, y: ([["a"] * len(y)], y, {}), r"predictions\[0\] is"),
    ],
)
def test_bad_input_is_named(rng, change, words):
    predictions, y, options = change(*models(rng, n=50))
    with pytest.raises(ValueError, match=words):
        greedy_weights(predictions, y, **{"metric": "log_loss", **options})


def test_one_class_for_roc_auc(rng):
    predictions, y = models(rng, n=50)
    with pytest.raises(ValueError, match="one class only"):
        greedy_weights(predictions, np.zeros_like(y), metric="roc_auc")


def test_autogluon_itself(rng):
    pytest.importorskip("autogluon.core")
    from autogluon.core.metrics import get_metric
    from autogluon.core.models.greedy_ensemble.ensemble_selection import EnsembleSelection

    predictions, y = models(rng, n=2000, count=12)
    for metric, problem in (
        ("roc_auc", "binary"),
        ("log_loss", "binary"),
        ("root_mean_squared_error", "regression"),
    ):
        theirs = EnsembleSelection(25, problem, get_metric(metric)).fit(predictions, y)
        mine = greedy_weights(predictions, y, metric="rmse" if "root" in metric else metric)
        assert mine.order == [int(i) for i in theirs.indices_]
        np.testing.assert_allclose(mine.weights, theirs.weights_)


def test_certainty_is_a_probability(rng):
    truth = rng.integers(0, 2, 200)
    sure = truth.astype(float)  # exactly 0 and 1
    other = np.clip(truth + rng.normal(size=200), 0.1, 0.9)
    found = greedy_weights([other, sure], truth, metric="log_loss", n_iterations=3)
    assert found.weights[1] == 1.0

    classes = rng.integers(0, 3, 200)
    table = np.eye(3)[classes]
    found = greedy_weights(
        [0.8 * table + 0.2 / 3, table], classes, metric="log_loss", n_iterations=3
    )
    assert found.weights[1] == 1.0


@pytest.mark.parametrize("columns", [1, 4])
@pytest.mark.parametrize("weighted", [False, True])
def test_what_is_not_kept_is_read_again_to_the_bit(rng, columns, weighted):
    n = 3_000
    y = rng.integers(0, max(2, columns), n)
    tables = [rng.random((n, columns)) for _ in range(3)]
    if columns > 1:
        tables[0] /= tables[0].sum(axis=1, keepdims=True)
    models = [table[:, 0] if columns == 1 else table for table in tables]
    weight = rng.random(n) if weighted else None
    kept = _core.ensemble.GreedySelection("log_loss", models, y, weight)
    read = _core.ensemble.GreedySelection("log_loss", models, y, weight, most_kept=0)
    for model in (1, 0, 2, 0):
        np.testing.assert_array_equal(kept.candidate_errors(), read.candidate_errors())
        kept.add(model)
        read.add(model)


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "rmse", "brier", "accuracy"])
def test_predictions_stay_where_they_are(rng, tmp_path, metric):
    def anonymous():
        (line,) = (x for x in status.read_text().splitlines() if x.startswith("RssAnon"))
        return int(line.split()[1]) * 1024

    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("no /proc here")
    rows, models = 300_000, 24
    y = rng.integers(0, 2, rows)
    stored = np.memmap(tmp_path / "predictions", np.float64, "w+", shape=(models, rows))
    stored[:] = np.clip(0.3 * y + rng.random((models, rows)), 0, 1)
    stored.flush()
    predictions = list(np.memmap(tmp_path / "predictions", np.float64, "r", shape=stored.shape))
    greedy_weights(predictions[:2], y, metric=metric, n_iterations=1)  # what a first call sets up
    before = anonymous()
    selection = make_selection(metric, Predictions(predictions), y, None)
    selection.add(int(np.argmin(selection.candidate_errors())))
    assert anonymous() - before < stored.nbytes / 2
