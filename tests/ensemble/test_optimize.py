import numpy as np
import pytest
import sklearn.metrics as sk

from mlestar.ensemble import convex_weights, greedy_weights, optimize_weights
from mlestar.ensemble._combine import METHODS, cmaes_search, coordinate_search
from mlestar.ensemble._nested import BLOCKS, interval_of, jackknife_interval


def binary(rng, n=600, count=4, noise=1.0):
    y = rng.integers(0, 2, n)
    shared = rng.normal(size=n)
    return {
        f"m{j}": 1
        / (1 + np.exp(-((y - 0.5) * 2 + 0.5 * shared + noise * (1 + 0.2 * j) * rng.normal(size=n))))
        for j in range(count)
    }, y


def multiclass(rng, n=500, count=3, classes=3):
    y = rng.integers(0, classes, n)
    tables = []
    for _ in range(count):
        z = np.exp(np.eye(classes)[y] + 0.8 * rng.normal(size=(n, classes)))
        tables.append(z / z.sum(axis=1, keepdims=True))
    return tables, y


def regression(rng, n=500, count=4):
    y = rng.normal(size=n)
    return [y + (0.5 + 0.1 * j) * rng.normal(size=n) for j in range(count)], y


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("metric", "make"), [("roc_auc", binary), ("rmse", regression), ("log_loss", multiclass)]
)
def test_each_method_by_itself(rng, method, metric, make):
    pytest.importorskip("cmaes")
    predictions, y = make(rng, n=300)
    found = optimize_weights(predictions, y, metric, method=method)
    assert found.method == method
    assert found.reason == f"{method} was asked for"
    blend = found.blend(predictions)
    if metric == "roc_auc":
        assert found.score == pytest.approx(1 - sk.roc_auc_score(y, blend))
    elif metric == "rmse":
        assert found.score == pytest.approx(sk.root_mean_squared_error(y, blend))
    else:
        assert found.score == pytest.approx(sk.log_loss(y, blend), rel=1e-6)
    if found.weights is not None:
        assert found.weights.min() >= 0
        assert found.weights.sum() == pytest.approx(1)


def test_methods_are_what_they_say(rng):
    predictions, y = binary(rng)
    models = list(predictions.values())
    greedy = optimize_weights(predictions, y, "roc_auc", method="greedy")
    np.testing.assert_array_equal(
        greedy.weights, greedy_weights(models, y, metric="roc_auc").weights
    )
    convex = optimize_weights(predictions, y, "log_loss", method="convex")
    np.testing.assert_array_equal(convex.weights, convex_weights(models, y).weights)
    brier = optimize_weights(predictions, y, "brier", method="convex")
    np.testing.assert_array_equal(brier.weights, convex_weights(models, y, loss="brier").weights)
    alone = [sk.roc_auc_score(y, p) for p in models]
    assert optimize_weights(predictions, y, "roc_auc", method="best_single").best_single == int(
        np.argmax(alone)
    )


def test_auto_finds_a_real_gain(rng):
    predictions, y = regression(rng, n=800)
    found = optimize_weights(predictions, y, "rmse")
    assert found.method != "best_single"
    assert found.gain > 0
    assert found.interval[0] > 0
    assert [a.method for a in found.alternatives] == [
        "best_single",
        "mean",
        "greedy",
        "convex",
        "stacking",
    ]
    assert found.reason.startswith(found.method)
    chosen = next(a for a in found.alternatives if a.method == found.method)
    assert (chosen.gain, chosen.interval) == (found.gain, found.interval)
    fresh = optimize_weights(predictions, y, "rmse")
    assert fresh.method == found.method
    assert fresh.gain == found.gain


def test_auto_keeps_the_single_model_where_nothing_is_gained(rng):
    good = rng.normal(size=400)
    y = good + 0.3 * rng.normal(size=400)  # of which `good` knows all that can be known
    predictions = [good, good + rng.normal(size=400), good + rng.normal(size=400)]
    found = optimize_weights(predictions, y, "rmse")
    assert found.method == "best_single"
    assert found.weights.tolist() == [1, 0, 0]
    assert found.gain == 0
    assert "simpler than" in found.reason or "nothing simpler" in found.reason


def test_held_out_errors_are_those_of_the_slow_way(rng):
    from sklearn.model_selection import RepeatedKFold

    predictions, y = regression(rng, n=200)
    found = optimize_weights(predictions, y, "rmse", n_splits=4, n_repeats=1)
    singles, means = [], []
    for train, test in RepeatedKFold(n_splits=4, n_repeats=1, random_state=0).split(y):
        errors = [sk.root_mean_squared_error(y[train], p[train]) for p in predictions]
        best = predictions[int(np.argmin(errors))]
        singles.append(sk.root_mean_squared_error(y[test], best[test]))
        means.append(sk.root_mean_squared_error(y[test], np.mean(predictions, axis=0)[test]))
    by_method = {a.method: a for a in found.alternatives}
    assert by_method["best_single"].error == pytest.approx(np.mean(singles))
    assert by_method["mean"].error == pytest.approx(np.mean(means))
    assert by_method["mean"].gain == pytest.approx(np.mean(singles) - np.mean(means))


def test_interval_by_its_formula():
    from scipy.stats import t

    d = np.array([0.1, 0.3, 0.2, 0.4, 0.05, 0.15])
    found = interval_of(d, 3, 0.9)
    reach = t.ppf(0.95, 5) * np.sqrt((1 / 6 + 1 / 2) * d.var(ddof=1))
    assert found.mean == pytest.approx(d.mean())
    assert found.low == pytest.approx(d.mean() - reach)
    assert found.high == pytest.approx(d.mean() + reach)


def test_jackknife_by_its_formula(rng):
    from scipy.stats import t

    # Of a mean it is the textbook's interval of the blocks' means.
    values = rng.normal(size=(BLOCKS, 30))
    without = (values.sum() - values.sum(axis=1)) / (values.size - 30)
    found = jackknife_interval(float(values.mean()), without, 0.95)
    scale = values.mean(axis=1).std(ddof=1) / np.sqrt(BLOCKS)
    assert found.high - found.mean == pytest.approx(t.ppf(0.975, BLOCKS - 1) * scale)


def test_the_interval_covers_the_gain():
    # The gain of the mean of two models over the better one is known here.
    true = 1.0 - np.sqrt(1.0 + 1.5**2) / 2
    inside = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        y = rng.normal(size=400)
        models = [y + scale * rng.normal(size=400) for scale in (1.0, 1.5)]
        found = optimize_weights(models, y, "rmse", candidates=["mean"], n_repeats=1)
        low, high = found.alternatives[1].interval
        inside += low <= true <= high
    assert inside >= 25


def test_folds_of_ones_own(rng):
    predictions, y = regression(rng, n=200)
    folds = [(np.arange(100), np.arange(100, 200)), (np.arange(100, 200), np.arange(100))]
    found = optimize_weights(predictions, y, "rmse", cv=folds)
    halves = [
        sk.root_mean_squared_error(y[test], np.mean(predictions, axis=0)[test]) for _, test in folds
    ]
    mean = next(a for a in found.alternatives if a.method == "mean")
    assert mean.error == pytest.approx(np.mean(halves))
    for bad in (3, [], folds[:1], [([0], [200]), ([0], [1])]):
        with pytest.raises(ValueError, match="cv is"):
            optimize_weights(predictions, y, "rmse", cv=bad)


def test_groups_are_held_out_together(rng):
    # Each group's rows share an error that one model knows by heart.
    predictions, y = regression(rng, n=300)
    groups = rng.integers(0, 20, 300)
    found = optimize_weights(predictions, y, "rmse", groups=groups)
    assert found.alternatives
    with pytest.raises(ValueError, match=r"[Gg]roups|n_splits"):
        optimize_weights(predictions, y, "rmse", groups=np.zeros(300))


def test_metrics_choose_their_candidates(rng):
    pytest.importorskip("cmaes")
    predictions, y = binary(rng, n=200, count=3)
    options = {"n_splits": 3, "n_repeats": 1, "n_evaluations": 40}
    auc = optimize_weights(predictions, y, "roc_auc", **options)
    assert "cmaes" not in [a.method for a in auc.alternatives]
    assert "CMA-ES overfits" in auc.reason
    balanced = optimize_weights(predictions, y, "balanced_accuracy", **options)
    assert "cmaes" in [a.method for a in balanced.alternatives]

    def share(truth, mean):
        return float((np.abs(truth - mean) < 0.4).mean())

    own = optimize_weights(predictions, y, share, **options)
    assert "coordinate" in [a.method for a in own.alternatives]


def test_pareto_front(rng):
    predictions, y = binary(rng, n=500)
    prices = {"m0": 5.0, "m1": 1.0, "m2": 0.5, "m3": 0.1}
    found = optimize_weights(predictions, y, "log_loss", prices=prices, n_repeats=1)
    front = found.pareto
    assert len(front) > 1
    assert [p.price for p in front] == sorted({p.price for p in front})
    assert [p.error for p in front] == sorted((p.error for p in front), reverse=True)
    assert front[0].label == "model m3"
    for alternative in found.alternatives:
        if alternative.method != "best_single":  # whose held-out choice can be another model
            assert any(p.price <= alternative.price and p.error <= alternative.error for p in front)
    for point in front:
        if point.weights is not None:
            used = [list(prices.values())[j] for j in np.flatnonzero(point.weights)]
            assert point.price == pytest.approx(sum(used))


@pytest.mark.parametrize("search", [coordinate_search, cmaes_search])
def test_searches_find_an_interior_optimum(search):
    pytest.importorskip("cmaes")
    target = np.array([0.5, 0.3, 0.2, 0.0])
    found = search(lambda w: float(((w - target) ** 2).sum()), np.full(4, 0.25), 600, 0)
    assert found.sum() == pytest.approx(1)
    assert found.min() >= 0
    assert np.abs(found - target).max() < 0.03
    calls = []
    search(lambda w: calls.append(1) or float(w[0]), np.full(4, 0.25), 50, 0)
    assert len(calls) <= 60


def test_one_model_and_identical_models(rng):
    predictions, y = binary(rng, count=1)
    one = optimize_weights(predictions, y, "log_loss")
    assert one.method == "best_single"
    assert one.weights.tolist() == [1.0]
    assert one.alternatives == []
    same = optimize_weights([predictions["m0"]] * 3, y, "log_loss", candidates=["mean", "convex"])
    assert same.method == "best_single"
    assert same.gain == 0


def test_weights_of_rows_count(rng):
    predictions, y = regression(rng, n=200)
    weight = np.zeros(200)
    weight[:150] = 1
    found = optimize_weights(predictions, y, "rmse", sample_weight=weight, method="convex")
    want = convex_weights([p[:150] for p in predictions], y[:150], loss="squared")
    np.testing.assert_allclose(found.weights, want.weights, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "magic"}, "method is 'magic'"),
        ({"candidates": ["magic"]}, "candidates holds 'magic'"),
        ({"n_splits": 1}, "n_splits is 1"),
        ({"n_repeats": 0}, "n_repeats is 0"),
        ({"confidence": 1.0}, "confidence is 1.0"),
        ({"prices": [1, 2]}, "prices is"),
        ({"prices": {"m0": 1}}, "prices has none for model 'm1'"),
        ({"n_evaluations": 0}, "n_evaluations is 0"),
        ({"metric": "magic"}, "metric is 'magic'"),
        ({"n_splits": 200}, "rarest class"),
    ],
)
def test_bad_input_is_named(rng, options, words):
    predictions, y = binary(rng, n=60, count=3)
    arguments = {"metric": "log_loss", **options}
    with pytest.raises(ValueError, match=words):
        optimize_weights(predictions, y, arguments.pop("metric"), **arguments)


def test_bad_models_are_named(rng):
    predictions, y = binary(rng, n=60, count=3)
    predictions["m1"] = predictions["m1"] * np.nan
    with pytest.raises(ValueError, match=r"predictions\['m1'\] holds"):
        optimize_weights(predictions, y, "log_loss")
    with pytest.raises(ValueError, match="predictions is empty"):
        optimize_weights({}, y, "log_loss")
    good, y = binary(rng, n=60, count=3)
    found = optimize_weights(good, y, "log_loss", method="mean")
    with pytest.raises(ValueError, match="holds 2 model"):
        found.blend(list(good.values())[:2])


def test_a_gain_that_is_chance_leaves_the_simpler_choice():
    """Models that differ by noise alone: whatever is best on the held-out rows is so by chance."""
    by_chance = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        y = rng.normal(size=300)
        good = y + 0.5 * rng.normal(size=300)
        models = [good + 0.02 * rng.normal(size=300) for _ in range(3)]
        found = optimize_weights(models, y, "rmse", candidates=["mean", "greedy", "convex"])
        lowest = min(found.alternatives, key=lambda one: one.error).method
        if lowest == found.method:
            assert found.reason.startswith(f"{lowest}: the least error on held-out rows")
            continue
        by_chance += 1
        assert METHODS.index(found.method) < METHODS.index(lowest)
        assert found.reason.startswith(f"{found.method}: simpler than {lowest}, ")
    assert by_chance >= 4


def test_a_gain_that_is_real_is_taken(rng):
    y = rng.normal(size=600)
    models = [y + 0.5 * rng.normal(size=600) for _ in range(4)]
    found = optimize_weights(models, y, "rmse", candidates=["mean", "greedy", "convex"])
    assert found.method != "best_single"
    assert found.interval[0] > 0


def test_lists_are_ranked_together(rng):
    relevance = rng.integers(0, 4, (300, 12))
    models = {
        name: relevance + spread * rng.normal(size=relevance.shape)
        for name, spread in (("near", 2.0), ("far", 2.5), ("noise", 30.0))
    }
    found = optimize_weights(models, relevance, "ndcg")
    assert {a.method for a in found.alternatives} == {"best_single", "mean", "greedy", "coordinate"}
    assert found.method in ("greedy", "coordinate")
    assert found.gain > 0.01
    assert found.weights[2] < 0.1
    blend = sum(w * p for w, p in zip(found.weights, models.values(), strict=True))
    np.testing.assert_allclose(found.score, 1 - sk.ndcg_score(relevance, blend))
    with pytest.raises(ValueError, match="two axes"):
        optimize_weights(models, relevance[:, 0], "ndcg")
    with pytest.raises(ValueError, match="convex learns a target of its own"):
        optimize_weights(models, relevance, "ndcg", method="convex")
