"""Greedy selection by every metric and with every option, against the slow way."""

import numpy as np
import pytest
import sklearn.metrics as sk

import mlestar
from mlestar.ensemble import greedy_weights

LABELS = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "f1": sk.f1_score,
    "f1_macro": lambda y, p, **w: sk.f1_score(y, p, average="macro", **w),
    "f1_micro": lambda y, p, **w: sk.f1_score(y, p, average="micro", **w),
    "f1_weighted": lambda y, p, **w: sk.f1_score(y, p, average="weighted", **w),
    "mcc": sk.matthews_corrcoef,
}


def binary(rng, n=500, count=6):
    y = rng.integers(0, 2, n)
    y[:2] = [0, 1]
    return [
        np.clip(0.45 + (y - 0.5) * 0.3 + rng.normal(0, 0.15 + 0.05 * j, n), 0.01, 0.99)
        for j in range(count)
    ], y


def multiclass(rng, n=400, count=5, classes=4):
    y = rng.integers(0, classes, n)
    tables = []
    for j in range(count):
        z = np.exp(1.0 * np.eye(classes)[y] + (0.8 + 0.1 * j) * rng.normal(size=(n, classes)))
        tables.append(z / z.sum(axis=1, keepdims=True))
    return tables, y


def error_of(metric, y, mean, weight):
    options = {} if weight is None else {"sample_weight": weight}
    if metric == "brier":
        truth = y if mean.ndim == 1 else np.eye(mean.shape[1])[y]
        squares = (mean - truth) ** 2
        return np.average(squares if mean.ndim == 1 else squares.sum(axis=1), weights=weight)
    if metric == "mse":
        return sk.mean_squared_error(y, mean, **options)
    if metric == "average_precision":
        return 1 - sk.average_precision_score(y, mean, **options)
    answer = (mean > 0.5).astype(int) if mean.ndim == 1 else mean.argmax(axis=1)
    return 1 - LABELS[metric](y, answer, **options)


def slow(predictions, y, metric, steps, weight):
    """The steps in AutoGluon's words."""
    state = np.random.RandomState(0)
    order, trajectory, rounded = [], [], False
    mean = np.zeros_like(predictions[0])
    for step in range(steps):
        errors = np.array(
            [
                error_of(metric, y, step / (step + 1) * mean + 1 / (step + 1) * p, weight)
                for p in predictions
            ]
        )
        errors = np.round(errors, 6) if rounded else errors
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
    return order[:stop], trajectory[:stop]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("metric", "make"),
    [
        *((m, binary) for m in ("mse", "brier", "average_precision", *LABELS)),
        *((m, multiclass) for m in ("brier", *LABELS) if m != "f1"),
    ],
)
def test_the_steps_of_the_slow_way(rng, metric, make, weighted):
    predictions, y = make(rng)
    weight = rng.integers(1, 4, len(y)) if weighted else None
    found = greedy_weights(predictions, y, metric=metric, sample_weight=weight, n_iterations=10)
    order, trajectory = slow(predictions, y, metric, 10, weight)
    assert found.order == order
    np.testing.assert_allclose(found.trajectory, trajectory, atol=1.1e-6)


@pytest.mark.filterwarnings("ignore:y_pred contains classes")
def test_classes_that_a_table_lacks(rng):
    predictions, y = multiclass(rng, n=60)
    y[y == 2] = 1  # no row of class 2
    for metric in ("balanced_accuracy", "f1_macro", "f1_weighted", "mcc", "accuracy"):
        found = greedy_weights(predictions, y, metric=metric, n_iterations=4, tie_break="first")
        want = min(error_of(metric, y, p, None) for p in predictions)
        assert found.trajectory[0] == pytest.approx(want)


@pytest.mark.parametrize("metric", ["accuracy", "mcc", "brier", "average_precision", "mse"])
def test_threads_do_not_matter(rng, metric):
    predictions, y = binary(rng, n=9000)
    before = mlestar.get_num_threads()
    try:
        found = []
        for count in (1, 3):
            mlestar.set_num_threads(count)
            found.append(greedy_weights(predictions, y, metric=metric, tie_break="first"))
    finally:
        mlestar.set_num_threads(before)
    assert found[0].order == found[1].order
    assert found[0].trajectory == found[1].trajectory


def test_a_python_function(rng):
    predictions, y = binary(rng)

    def hits(truth, mean):
        return float(((mean > 0.5) == truth).mean())

    mine = greedy_weights(predictions, y, metric=hits)
    assert mine.order == greedy_weights(predictions, y, metric="accuracy").order
    assert mine.score == pytest.approx(
        greedy_weights(predictions, y, metric="accuracy").score - 1, abs=2e-6
    )

    def loss(truth, mean, sample_weight=None):
        return float(np.average((mean - truth) ** 2, weights=sample_weight))

    weight = rng.random(len(y))
    mine = greedy_weights(
        predictions, y, metric=loss, sample_weight=weight, greater_is_better=False
    )
    assert mine.order == greedy_weights(predictions, y, metric="mse", sample_weight=weight).order


def test_a_python_function_of_tables(rng):
    predictions, y = multiclass(rng)

    def hits(truth, mean):
        return float((mean.argmax(axis=1) == truth).mean())

    mine = greedy_weights(predictions, y, metric=hits)
    assert mine.order == greedy_weights(predictions, y, metric="accuracy").order


def test_a_python_function_that_fails_names_the_model(rng):
    predictions, y = binary(rng, n=30)
    models = {"good": predictions[0], "bad": np.where(predictions[1] > 0, 0.0, 0.0)}

    def picky(truth, mean):
        if (mean == 0).all():
            raise ArithmeticError("nothing there")
        return float(mean.mean())

    with pytest.raises(ArithmeticError) as caught:
        greedy_weights(models, y, metric=picky)
    assert caught.value.__notes__ == ["(raised by the metric on a mean with predictions['bad'])"]

    def undefined(truth, mean):
        return float("nan") if (mean == 0).all() else 1.0

    with pytest.raises(ValueError, match=r"'undefined' is NaN of a mean with predictions\['bad'\]"):
        greedy_weights(models, y, metric=undefined)
    with pytest.raises(ValueError, match="has no argument sample_weight"):
        greedy_weights(models, y, metric=undefined, sample_weight=np.ones(30))


def test_sorted_initialization(rng):
    predictions, y = binary(rng)
    alone = [error_of("brier", y, p, None) for p in predictions]
    found = greedy_weights(predictions, y, metric="brier", n_initial=3, n_iterations=12)
    want = np.argsort(np.round(alone, 6), kind="stable")[:3].tolist()
    assert found.order[:3] == want[: len(found.order)]


def test_bagging(rng):
    predictions, y = binary(rng, count=8)
    found = greedy_weights(predictions, y, metric="log_loss", n_bags=6, bag_fraction=0.4)
    assert found.weights.sum() == pytest.approx(1)
    assert len(found.trajectory) == 6
    mean = np.tensordot(found.weights, predictions, axes=1)
    assert found.score == pytest.approx(sk.log_loss(y, mean), abs=1e-9)
    again = greedy_weights(predictions, y, metric="log_loss", n_bags=6, bag_fraction=0.4)
    assert again.order == found.order
    whole = greedy_weights(predictions, y, metric="log_loss", n_bags=2, bag_fraction=1.0)
    one = greedy_weights(predictions, y, metric="log_loss")
    np.testing.assert_allclose(whole.weights, one.weights)


def test_rows_are_drawn_as_autogluon_draws_them(rng):
    predictions, y = binary(rng)
    weight = rng.random(len(y))
    found = greedy_weights(predictions, y, metric="mse", sample_weight=weight, subsample=200)
    chosen = np.random.RandomState(0).choice(len(y), 200, replace=False)
    state = np.random.RandomState(0)
    state.choice(len(y), 200, replace=False)
    want = greedy_weights(
        [p[chosen] for p in predictions],
        y[chosen],
        metric="mse",
        sample_weight=weight[chosen],
        random_state=state,
    )
    assert found.order == want.order
    share = greedy_weights(predictions, y, metric="mse", subsample=0.4, sample_weight=weight)
    assert share.order == found.order


def test_patience(rng):
    predictions, y = binary(rng)
    calls = []

    def metric(truth, mean):
        calls.append(1)
        return -float(np.abs(mean - predictions[2]).mean())

    greedy_weights(predictions, y, metric=metric, patience=3)
    assert len(calls) == len(predictions) * 4  # the best is the first step; three more without gain


def test_ties(rng):
    predictions, y = binary(rng)
    same = [predictions[0], predictions[0].copy(), predictions[0].copy()]
    drawn = {
        greedy_weights(same, y, metric="mse", tie_break="random", random_state=s).order[0]
        for s in range(20)
    }
    assert drawn == {0, 1, 2}
    assert greedy_weights(same, y, metric="mse", tie_break="first").order == [0]
    # Equal in their classes, not in their probabilities.
    sure = np.where(y == 1, 0.9, 0.1)
    models = [np.where(y == 1, 0.6, 0.4), sure, np.where(y == 1, 0.7, 0.3)]
    found = greedy_weights(models, y, metric="accuracy", tie_break="second_metric")
    assert found.order == [1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_initial": -1}, "n_initial is -1"),
        ({"n_bags": 0}, "n_bags is 0"),
        ({"bag_fraction": 0}, "bag_fraction is 0"),
        ({"subsample": 0}, "subsample is 0"),
        ({"subsample": 1.5}, "subsample is 1.5"),
        ({"patience": 0}, "patience is 0"),
        ({"metric": "f2"}, "metric is 'f2'"),
        ({"metric": 3}, "metric is 3"),
    ],
)
def test_bad_options_are_named(rng, options, words):
    predictions, y = binary(rng, n=40)
    with pytest.raises(ValueError, match=words):
        greedy_weights(predictions, y, **{"metric": "mse", **options})


@pytest.mark.parametrize("metric", ["accuracy", "brier", "average_precision", "mse", "log_loss"])
def test_bad_models_are_named_by_their_key(rng, metric):
    predictions, y = binary(rng, n=40, count=2)
    models = {"a": predictions[0], "b": predictions[1] * np.nan}
    with pytest.raises(ValueError, match=r"predictions\['b'\] holds"):
        greedy_weights(models, y, metric=metric)
    models["b"] = predictions[1][:-1]
    with pytest.raises(ValueError, match=r"predictions\['b'\] has"):
        greedy_weights(models, y, metric=metric)
    if metric in ("accuracy", "brier", "log_loss"):
        with pytest.raises(ValueError, match="y holds values that are not class numbers"):
            greedy_weights(predictions, y + 1, metric=metric)
    tables, z = multiclass(rng, n=40)
    with pytest.raises(ValueError, match=r"columns|f1_macro"):
        greedy_weights(tables, z, metric="f1" if metric == "accuracy" else "roc_auc")


def test_autogluon_itself(rng):
    pytest.importorskip("autogluon.core")
    from autogluon.core.metrics import get_metric
    from autogluon.core.models.greedy_ensemble.ensemble_selection import EnsembleSelection

    for make, problem, metrics in (
        (binary, "binary", ("accuracy", "balanced_accuracy", "f1", "mcc", "average_precision")),
        (multiclass, "multiclass", ("accuracy", "balanced_accuracy", "f1_macro", "mcc")),
        (binary, "regression", ("mean_squared_error",)),
    ):
        predictions, y = make(rng, n=1500, count=9)
        for metric in metrics:
            for options, mine in (
                ({}, {}),
                ({"subsample_size": 700}, {"subsample": 700}),
                ({"tie_breaker": "second_metric"}, {"tie_break": "second_metric"}),
            ):
                if "tie_breaker" in options and problem == "regression":
                    continue
                theirs = EnsembleSelection(25, problem, get_metric(metric), **options)
                theirs.fit(predictions, y)
                found = greedy_weights(predictions, y, metric=metric, **mine)
                assert found.order == [int(i) for i in theirs.indices_], (metric, options)
                np.testing.assert_allclose(found.weights, theirs.weights_)
