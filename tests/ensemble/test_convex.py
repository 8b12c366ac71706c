import numpy as np
import pytest
from scipy.optimize import minimize

import mlestar
from mlestar._native import _core
from mlestar.ensemble import convex_weights


def binary(rng, n=900, count=6):
    y = rng.integers(0, 2, n)
    shared = rng.normal(size=n)
    return [
        1 / (1 + np.exp(-((y - 0.5) * 2 + 0.7 * shared + (0.6 + 0.2 * j) * rng.normal(size=n))))
        for j in range(count)
    ], y


def multiclass(rng, n=700, count=5, classes=4):
    y = rng.integers(0, classes, n)
    tables = []
    for j in range(count):
        z = np.exp(1.2 * np.eye(classes)[y] + (0.7 + 0.15 * j) * rng.normal(size=(n, classes)))
        tables.append(z / z.sum(axis=1, keepdims=True))
    return tables, y


def regression(rng, n=800, count=6):
    y = 2 * rng.normal(size=n)
    shared = rng.normal(size=n)
    return [
        y * (0.7 + 0.1 * j) + shared + (0.5 + 0.3 * j) * rng.standard_t(3, n) for j in range(count)
    ], y


def reference(loss, P, y, weight, w, delta=0.7, quantile=0.3):
    """The mean loss by its definition. P: (n_models, n_samples[, n_classes])."""
    q = np.tensordot(w, P, axes=1)
    if loss == "log":
        true = np.where(y == 1, q, 1 - q) if q.ndim == 1 else q[np.arange(len(y)), y]
        values = -np.log(np.maximum(true, 1e-300))
    elif loss in ("squared", "brier"):
        truth = y if q.ndim == 1 else np.eye(q.shape[1])[y]
        values = (q - truth) ** 2
        values = values.sum(axis=1) if q.ndim == 2 else values
    elif loss == "huber":
        r = np.abs(q - y)
        values = np.where(r <= delta, r * r / 2, delta * (r - delta / 2))
    else:
        values = np.maximum(quantile * (y - q), (quantile - 1) * (y - q))
    return np.average(values, weights=weight)


def scipy_optimum(function, count, sum_to_one, non_negative, l1):
    """The least objective that SLSQP finds; l1 with both signs by splitting."""
    split = l1 > 0 and not non_negative
    fold = (lambda x: x[:count] - x[count:]) if split else (lambda x: x)
    size = 2 * count if split else count
    start = np.full(size, 0.0 if split else 1 / count)
    start[:count] = 1 / count
    bounds = [(0, None)] * size if non_negative or split else None
    constraints = []
    if sum_to_one:
        side = np.concatenate([np.ones(count), -np.ones(count)]) if split else np.ones(size)
        constraints = [{"type": "eq", "fun": lambda x: side @ x - 1}]
    found = minimize(
        lambda x: function(fold(x)) + l1 * np.abs(x).sum(),
        start,
        method="SLSQP",
        bounds=bounds,
        constraints=constraints,
        options={"ftol": 1e-13, "maxiter": 1000},
    )
    return found.fun


CASES = [
    ("log", binary),
    ("log", multiclass),
    ("brier", binary),
    ("brier", multiclass),
    ("squared", regression),
    ("huber", regression),
]


@pytest.mark.parametrize(("loss", "make"), CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_optimum_of_scipy(rng, loss, make, weighted):
    predictions, y = make(rng)
    weight = rng.random(len(y)) * (rng.random(len(y)) > 0.2) if weighted else None
    found = convex_weights(predictions, y, loss=loss, sample_weight=weight, delta=0.7)
    P = np.array(predictions)
    best = scipy_optimum(lambda w: reference(loss, P, y, weight, w), len(P), True, True, 0.0)
    assert found.converged
    assert 0 <= found.gap <= 1e-9
    assert found.objective <= best + 1e-9
    assert found.objective == pytest.approx(reference(loss, P, y, weight, found.weights), rel=1e-12)
    assert found.objective == pytest.approx(best, abs=1e-7)
    assert found.weights.min() >= 0
    assert found.weights.sum() == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize(("loss", "make"), [*CASES, ("pinball", regression)])
@pytest.mark.parametrize(
    ("sum_to_one", "non_negative", "l1", "l2"),
    [
        (True, True, 0.0, 0.05),
        (True, False, 0.0, 0.0),
        (True, False, 0.02, 0.01),
        (False, True, 0.0, 0.0),
        (False, True, 0.03, 0.02),
        (False, False, 0.0, 0.0),
        (False, False, 0.03, 0.0),
    ],
)
def test_every_kind_of_constraint(rng, loss, make, sum_to_one, non_negative, l1, l2):
    predictions, y = make(rng, n=500, count=4)
    P = np.array(predictions)
    options = {"sum_to_one": sum_to_one, "non_negative": non_negative, "l1": l1, "l2": l2}
    if loss == "log" and P.ndim == 3 and not sum_to_one:
        with pytest.raises(ValueError, match="sum_to_one is False"):
            convex_weights(predictions, y, loss=loss, **options)
        return
    found = convex_weights(predictions, y, loss=loss, delta=0.7, quantile=0.3, **options)
    w = found.weights
    assert found.converged
    assert 0 <= found.gap <= 1e-9

    def objective(v):
        return reference(loss, P, y, None, v) + l2 / 2 * v @ v

    mine = objective(w) + l1 * np.abs(w).sum()
    assert found.objective == pytest.approx(mine, rel=1e-11)
    if sum_to_one:
        assert w.sum() == pytest.approx(1, abs=1e-12)
    if non_negative:
        assert w.min() >= 0
    if loss != "pinball":  # whose kinks are too much for SLSQP
        best = scipy_optimum(objective, len(P), sum_to_one, non_negative, l1)
        assert found.objective <= best + 1e-8
    for _ in range(60):  # no allowed direction goes down
        v = w + 10.0 ** rng.uniform(-4, -1) * rng.normal(size=len(w))
        v = np.maximum(v, 0) if non_negative else v
        if sum_to_one:
            v = v / v.sum() if non_negative else v + (1 - v.sum()) / len(v)
        assert objective(v) + l1 * np.abs(v).sum() >= mine - 2e-9


def test_pinball_is_the_linear_programs_optimum(rng):
    from scipy.optimize import linprog

    predictions, y = regression(rng, n=300, count=5)
    P, n, m = np.array(predictions), 300, 5
    found = convex_weights(predictions, y, loss="pinball", quantile=0.8)
    # y - P'w = u - v, u and v >= 0
    cost = np.concatenate([np.zeros(m), np.full(n, 0.8 / n), np.full(n, 0.2 / n)])
    equal = np.block([[P.T, np.eye(n), -np.eye(n)], [np.ones((1, m)), np.zeros((1, 2 * n))]])
    best = linprog(cost, A_eq=equal, b_eq=np.append(y, 1.0)).fun
    assert found.converged
    assert best - 1e-12 <= found.objective <= best + 1e-9


def test_kkt_of_the_log_loss(rng):
    predictions, y = binary(rng, n=4000, count=12)
    w = convex_weights(predictions, y).weights
    P = np.where(y == 1, predictions, 1 - np.array(predictions))
    slope = -(P / (w @ P)).mean(axis=1)
    assert np.abs(slope[w > 0] + 1).max() < 1e-6  # each model in use: the multiplier
    assert slope[w == 0].min() >= -1 - 1e-9
    assert (w == 0).any()


def test_more_rows_than_a_coarse_level_has(rng):
    predictions, y = binary(rng, n=30_000, count=10)
    order = np.argsort(y, kind="stable")  # levels take tiles: each must see both classes' worth
    mixed = convex_weights(predictions, y)
    sorted_ = convex_weights([p[order] for p in predictions], y[order])
    assert mixed.converged
    assert sorted_.converged
    assert mixed.objective == pytest.approx(sorted_.objective, abs=2e-9)


def test_a_model_that_only_some_rows_need(rng):
    # The first model is certain and right but for one row, which only the last one gives a chance.
    n = 20_000
    y = rng.integers(0, 2, n)
    sure = y.astype(float)
    sure[12_345] = 1 - sure[12_345]
    rough = np.where(y == 1, 0.6, 0.4)
    found = convex_weights([sure, sure * 0.98 + 0.01, rough], y)
    P = np.where(
        y == 1, [sure, sure * 0.98 + 0.01, rough], 1 - np.array([sure, sure * 0.98 + 0.01, rough])
    )
    best = scipy_optimum(lambda w: -np.log(np.maximum(w @ P, 1e-15)).mean(), 3, True, True, 0.0)
    assert found.converged
    assert found.objective <= best + 1e-9


def test_per_class_weights(rng):
    predictions, y = multiclass(rng)
    P = np.array(predictions)
    for loss in ("log", "brier"):
        found = convex_weights(predictions, y, loss=loss, per_class=True)
        assert found.weights.shape == (5, 4)
        assert found.converged
        np.testing.assert_allclose(found.weights.sum(axis=0), 1)
        total = 0.0
        for k in range(4):
            alone = convex_weights([p[:, k] for p in predictions], (y == k).astype(int), loss=loss)
            np.testing.assert_array_equal(found.weights[:, k], alone.weights)
            total += reference(loss, P[:, :, k], (y == k).astype(int), None, alone.weights)
        assert found.objective == pytest.approx(total)
    shared = convex_weights(predictions, y, loss="brier")
    assert (
        convex_weights(predictions, y, loss="brier", per_class=True).objective <= shared.objective
    )


def test_a_loss_of_ones_own(rng):
    predictions, y = regression(rng)

    def log_cosh(truth, blend):
        r = blend - truth
        return np.logaddexp(r, -r) - np.log(2), np.tanh(r), 1 / np.cosh(r) ** 2

    weight = rng.random(len(y))
    found = convex_weights(predictions, y, loss=log_cosh, sample_weight=weight)
    P = np.array(predictions)
    best = scipy_optimum(
        lambda w: np.average(np.log(np.cosh(w @ P - y)), weights=weight), len(P), True, True, 0.0
    )
    assert found.converged
    assert found.objective == pytest.approx(best, abs=1e-9)
    squared = convex_weights(
        predictions, y, loss=lambda t, q: ((q - t) ** 2, 2 * (q - t), np.full(len(t), 2.0))
    )
    np.testing.assert_allclose(
        squared.weights, convex_weights(predictions, y, loss="squared").weights, atol=1e-9
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda t, q: q, "loss returned"),
        (lambda t, q: (q, q[:-1], q), "loss returned first of shape"),
        (lambda t, q: (q * np.nan, q, q * q), "loss returned NaN"),
        (lambda t, q: (q, q, -np.ones(len(q))), "below 0"),
        (lambda t, q: 1 / 0, "division"),
    ],
)
def test_a_bad_loss_of_ones_own(rng, answer, words):
    predictions, y = regression(rng, n=60)
    with pytest.raises((ValueError, ZeroDivisionError), match=words):
        convex_weights(predictions, y, loss=answer)


@pytest.mark.parametrize(
    ("loss", "make"), [("log", binary), ("squared", regression), ("pinball", regression)]
)
def test_one_model_and_identical_models(rng, loss, make):
    predictions, y = make(rng, count=2)
    alone = convex_weights(predictions[:1], y, loss=loss)
    assert alone.weights.tolist() == [1.0]
    assert alone.converged
    pair = convex_weights(predictions, y, loss=loss)
    doubled = convex_weights([*predictions, *(p.copy() for p in predictions)], y, loss=loss)
    assert doubled.converged
    assert doubled.objective == pytest.approx(pair.objective, abs=2e-9)
    np.testing.assert_allclose(doubled.weights[:2] + doubled.weights[2:], pair.weights, atol=1e-4)


def test_layouts_types_and_containers_do_not_matter(rng):
    predictions, y = binary(rng)
    predictions = [p.astype(np.float32) for p in predictions]
    expected = convex_weights([p.astype(float) for p in predictions], y).weights
    forms = [
        predictions,
        np.stack(predictions),
        np.asfortranarray(np.stack(predictions)),
        {f"m{j}": np.repeat(p.astype(float), 2)[::2] for j, p in enumerate(predictions)},
        [p[::-1].copy()[::-1] for p in predictions],
        [p[:, None] for p in predictions],
    ]
    for form in forms:
        np.testing.assert_array_equal(convex_weights(form, y.astype(np.int8)).weights, expected)
    tables, z = multiclass(rng)
    for loss in ("log", "brier"):
        expected = convex_weights(tables, z, loss=loss).weights
        for form in (np.stack(tables), [np.asfortranarray(t) for t in tables]):
            np.testing.assert_array_equal(convex_weights(form, z, loss=loss).weights, expected)


def test_files_in_place_of_memory(rng, tmp_path):
    predictions, y = binary(rng, n=3000)
    np.save(tmp_path / "p.npy", np.stack(predictions))
    mapped = np.load(tmp_path / "p.npy", mmap_mode="r")
    np.testing.assert_array_equal(
        convex_weights(mapped, y).weights, convex_weights(predictions, y).weights
    )


@pytest.mark.parametrize(
    ("loss", "layout", "make"),
    [
        ("log", "column", binary),
        ("log", "true_class", multiclass),
        ("squared", "every_class", multiclass),
    ],
)
def test_without_a_cache_the_same_bits(rng, loss, layout, make):
    predictions, y = make(rng, n=2500)
    predictions[0][:3] = 0.0 if layout == "column" else np.eye(4)[:3]
    arrays = [p.astype(np.float32) for p in predictions]

    def run(cache):
        return _core.ensemble.minimize_convex(
            loss, layout, 0.5, arrays, y, None, True, 0.0, 0.0, True, True, 1e-9, 200, cache
        )

    kept, again = run(1 << 30), run(0)
    np.testing.assert_array_equal(kept[0], again[0])
    assert kept[1:] == again[1:]


def test_threads_do_not_matter(rng):
    predictions, y = binary(rng, n=20_000, count=8)
    before = mlestar.get_num_threads()
    answers = []
    try:
        for count in (1, 2, 5):
            mlestar.set_num_threads(count)
            answers.append(convex_weights(predictions, y))
    finally:
        mlestar.set_num_threads(before)
    for one in answers[1:]:
        np.testing.assert_array_equal(one.weights, answers[0].weights)
        assert (one.objective, one.gap) == (answers[0].objective, answers[0].gap)


def test_levels_give_the_same_bits(run_python):
    code = """
import numpy as np
from mlestar.ensemble import convex_weights
rng = np.random.default_rng(3)
y = rng.integers(0, 2, 5000)
p = [np.clip(y * .3 + .35 + rng.normal(0, .2 + .02 * j, 5000), .001, .999) for j in range(7)]
for loss in ("log", "brier", "squared", "huber", "pinball"):
    found = convex_weights(p, y, loss=loss)
    print(loss, [w.hex() for w in found.weights.tolist()], found.objective.hex(), found.gap.hex())
"""
    assert run_python(code, env={"MLESTAR_SIMD": "baseline"}) == run_python(code)


def test_what_does_not_converge_says_so(rng):
    predictions, y = binary(rng, n=5000, count=10)
    found = convex_weights(predictions, y, max_iter=1, tol=1e-14)
    best = convex_weights(predictions, y)
    assert not found.converged
    assert found.gap > 1e-14
    assert found.objective - best.objective <= found.gap


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p, y: ([], y, {}), "predictions is empty"),
        (lambda p, y: ({}, y, {}), "predictions is empty"),
        (lambda p, y: (p, y[:0], {}), "y is"),
        (lambda p, y: (p, y[:-1], {}), r"predictions\['a'\] has shape"),
        (lambda p, y: ({**p, "b": p["b"][:-1]}, y, {}), r"predictions\['b'\] has shape"),
        (lambda p, y: ({**p, "b": p["b"] * np.nan}, y, {}), r"predictions\['b'\] holds"),
        (lambda p, y: ({**p, "b": p["b"] + 1}, y, {}), r"predictions\['b'\] holds values that are"),
        (lambda p, y: ({**p, "b": "text"}, y, {}), r"predictions\['b'\] is"),
        (lambda p, y: ({**p, "b": p["b"] * np.inf}, y, {"loss": "squared"}), r"'b'\] holds NaN or"),
        (lambda p, y: (p, y + 1, {}), "y holds values that are not class numbers"),
        (lambda p, y: (p, y + 0.5, {}), "y holds values that are not class numbers"),
        (lambda p, y: (p, y + 1, {"loss": "brier"}), "y holds values that are not class numbers"),
        (lambda p, y: (p, y * np.nan, {"loss": "huber"}), "y holds NaN"),
        (lambda p, y: (p, y, {"sample_weight": -np.ones(len(y))}), "sample_weight holds"),
        (lambda p, y: (p, y, {"sample_weight": np.zeros(len(y))}), "sample_weight sums to 0"),
        (lambda p, y: (p, y, {"sample_weight": np.ones(3)}), "sample_weight has 3"),
        (lambda p, y: (p, y, {"loss": "hinge"}), "loss is 'hinge'"),
        (lambda p, y: (p, y, {"l1": -1}), "l1 is -1"),
        (lambda p, y: (p, y, {"l2": np.nan}), "l2 is nan"),
        (lambda p, y: (p, y, {"l2": "a"}), "l2 is 'a'"),
        (lambda p, y: (p, y, {"tol": 0}), "tol is 0"),
        (lambda p, y: (p, y, {"max_iter": 0}), "max_iter is 0"),
        (lambda p, y: (p, y, {"loss": "huber", "delta": 0}), "delta is 0"),
        (lambda p, y: (p, y, {"loss": "pinball", "quantile": 1}), "quantile is 1"),
        (lambda p, y: (p, y, {"per_class": True}), "per_class is True"),
    ],
)
def test_bad_input_is_named(rng, change, words):
    predictions, y = binary(rng, n=50, count=2)
    models, y, options = change(dict(zip("ab", predictions, strict=True)), y)
    with pytest.raises(ValueError, match=words):
        convex_weights(models, y, **options)


@pytest.mark.parametrize("options", [{}, {"loss": "brier"}, {"per_class": True}])
def test_rows_that_do_not_sum_to_one_are_named(rng, options):
    tables, y = multiclass(rng)
    tables[3] = tables[3] * 0.9
    with pytest.raises(ValueError, match=r"predictions\[3\] holds rows that are not probabilities"):
        convex_weights(tables, y, **options)
    tables[3] = tables[2][:, :3]
    with pytest.raises(ValueError, match=r"predictions\[3\] has shape"):
        convex_weights(tables, y, **options)
