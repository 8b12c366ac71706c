"""Tests of two models on the same rows: published examples, definitions, error rates."""

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics as theirs

import mlestar.metrics as ours
from mlestar import _core
from mlestar.evaluation import (
    delong_test,
    mcnemar_test,
    paired_bootstrap_test,
    permutation_test,
)
from mlestar.exceptions import MetricWarning
from mlestar.metrics._choose import form_of
from mlestar.metrics._design import Design, design_of
from mlestar.metrics._forms import Form
from reference import metrics as reference_metrics
from reference import resampling as reference


def labels_of(table):
    """Truth and two classifiers with these counts: both right, first only, second only, neither."""
    right_a = np.repeat([1, 1, 0, 0], table)
    right_b = np.repeat([1, 0, 1, 0], table)
    truth = np.ones(len(right_a), dtype=int)
    return truth, right_a, right_b


# McNemar


def test_agrestis_approval_ratings():
    """794, 150, 86, 570 (Agresti, Categorical Data Analysis, 2002, table 10.1): z^2 = 17.36, and an
    interval of the difference of 0.04 -+ 0.0188."""
    result = mcnemar_test(*labels_of([794, 150, 86, 570]), exact=False, correction=False)
    assert result.statistic == pytest.approx(17.36, abs=5e-3)
    assert result.difference == pytest.approx(0.04)
    low, high = result.confidence_interval
    assert (high - low) / 2 == pytest.approx(0.0188, abs=1e-4)
    corrected = mcnemar_test(*labels_of([794, 150, 86, 570]), exact=False)
    assert corrected.statistic == pytest.approx((64 - 1) ** 2 / 236)
    assert corrected.p_value == pytest.approx(scipy.stats.chi2.sf(corrected.statistic, 1))
    exact = mcnemar_test(*labels_of([794, 150, 86, 570]))
    assert exact.p_value == pytest.approx(scipy.stats.binomtest(86, 236).pvalue)
    assert exact.statistic == 86
    assert "exact McNemar test" in str(exact)


@pytest.mark.parametrize("only", [(0, 0), (1, 0), (0, 7), (5, 5), (3, 12), (40, 20)])
def test_exact_mcnemar_is_the_binomial_test(only):
    result = mcnemar_test(*labels_of([4, *only, 3]))
    expected = scipy.stats.binomtest(only[0], sum(only)).pvalue if sum(only) else 1.0
    assert result.p_value == pytest.approx(expected)
    rough = mcnemar_test(*labels_of([4, *only, 3]), exact=False)
    assert 0 <= rough.p_value <= 1


# DeLong


def scored(rng, n, apart=1.0):
    y = rng.integers(0, 2, n)
    y[:4] = [0, 1, 0, 1]
    common = rng.normal(size=n)
    a = y + common + 0.5 * rng.normal(size=n)
    return y, np.round(a, 1), np.round(apart * y + common + 0.8 * rng.normal(size=n), 1)


@pytest.mark.parametrize("n", [5, 40, 251])
def test_delong_by_its_definition(rng, n):
    y, a, b = scored(rng, n)
    result = delong_test(y, a, b)
    (aa, ab), (_, bb) = reference.delong_covariance(y, [a, b])
    areas = [reference_metrics.roc_auc(y, s) for s in (a, b)]
    z = (areas[0] - areas[1]) / np.sqrt(aa + bb - 2 * ab)
    assert (result.first, result.second) == pytest.approx(tuple(areas), rel=1e-12)
    assert result.statistic == pytest.approx(z, rel=1e-9)
    assert result.p_value == pytest.approx(2 * scipy.stats.norm.sf(abs(z)), rel=1e-9)
    swapped = delong_test(y, b, a)
    assert swapped.statistic == pytest.approx(-result.statistic)


def test_delong_at_the_edges(rng):
    y, a, _ = scored(rng, 60)
    assert delong_test(y, a, np.exp(a)).p_value == 1.0  # the same order is the same curve
    with pytest.warns(MetricWarning, match="variance of the difference is zero"):
        assert delong_test(y, y, -y).p_value == 0.0


def test_delong_is_the_bootstrap_of_large_samples(rng):
    y, a, b = scored(rng, 4000)
    low, high = delong_test(y, a, b).confidence_interval
    other = paired_bootstrap_test("roc_auc", y, a, b, n_resamples=4000, random_state=0)
    width = high - low
    assert other.confidence_interval.low == pytest.approx(low, abs=0.06 * width)
    assert other.confidence_interval.high == pytest.approx(high, abs=0.06 * width)


# Permutation


CASES = {
    "roc_auc": lambda y, s: float(ours.roc_auc_score(y, s)),
    "average_precision": lambda y, s: float(ours.average_precision_score(y, s)),
    "accuracy": lambda y, s: float(ours.accuracy_score(y, s)),
    "f1": lambda y, s: float(ours.f1_score(y, s, zero_division=0.0)),
    "mse": lambda y, s: float(ours.mean_squared_error(y, s)),
    "rmse": lambda y, s: float(ours.root_mean_squared_error(y, s)),
    "r2": lambda y, s: float(ours.r2_score(y, s)),
}


def small(rng, name, n=8):
    y = np.arange(n) % 2
    if name in ("accuracy", "f1"):
        return y, np.where(rng.random(n) < 0.8, y, 1 - y), rng.integers(0, 2, n)
    a, b = y + rng.normal(size=n) * 0.7, y + 2 * rng.normal(size=n)
    if name in ("roc_auc", "average_precision"):  # ranks are what is swapped
        return y, scipy.stats.rankdata(np.round(a, 1)), scipy.stats.rankdata(np.round(b, 1))
    return y, a, b


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_permutation_p_values_are_those_of_all_swaps(rng, name, alternative):
    y, a, b = small(rng, name)
    metric = CASES[name]
    if alternative == "less":
        expected = reference.permutation_p_value(lambda t, s: -metric(t, s), y, a, b, False)
    else:
        expected = reference.permutation_p_value(metric, y, a, b, alternative == "two-sided")
    draws = 20_000
    result = permutation_test(
        name, y, a, b, n_resamples=draws, alternative=alternative, random_state=0
    )
    error = np.sqrt(expected * (1 - expected) / draws)
    assert abs(result.p_value - expected) < 5 * error + 2 / draws
    assert result.statistic == pytest.approx(metric(y, a) - metric(y, b), rel=1e-10)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "mse", "r2", "accuracy", "f1"])
@pytest.mark.parametrize("extra", ["groups", "weights", "both"])
def test_forms_swap_what_swapping_rows_swaps(rng, name, extra):
    """With units named, coins are of units whatever the form: values are equal one by one."""
    y, a, b = small(rng, name, 60)
    weights = rng.integers(1, 5, 60) / 4 if extra != "groups" else None
    groups = rng.integers(0, 20, 60) if extra != "weights" else None
    form = form_of(name, y, [a, b], weights, {})
    assert type(form) is not Form
    design = design_of(y, None, groups, 5)
    generic = Form(form.function, y, [a, b], weights, form.options)
    np.testing.assert_allclose(
        form.swap(design, 60), generic.swap(design, 60), rtol=1e-10, atol=1e-12
    )


def test_scores_of_another_scale_are_compared_by_rank(rng):
    y, a, b = scored(rng, 300)
    plain = permutation_test("roc_auc", y, a, b, n_resamples=999, random_state=0)
    scaled = permutation_test(
        "roc_auc", y, 1 / (1 + np.exp(-a)), 1e6 * b, n_resamples=999, random_state=0
    )
    assert plain.p_value == scaled.p_value
    assert plain.p_value == pytest.approx(delong_test(y, a, b).p_value, abs=0.1)


def test_swapped_tables_of_probabilities(rng):
    y = rng.integers(0, 3, 120)
    good = 0.6 * np.eye(3)[y] + 0.4 * rng.dirichlet(np.ones(3), 120)
    bad = rng.dirichlet(np.ones(3), 120)
    for metric in ("log_loss", lambda t, p: theirs.log_loss(t, p)):
        result = permutation_test(metric, y, good, bad, n_resamples=199, random_state=0)
        assert result.difference < 0
        assert result.p_value == 1 / 200


@pytest.mark.parametrize("test", ["permutation", "paired bootstrap", "DeLong"])
def test_errors_of_the_first_kind(test):
    """Models as good as one another are told apart about one time in twenty."""
    rejected = 0
    trials = 300
    for seed in range(trials):
        r = np.random.default_rng(seed)
        y, a, b = np.arange(120) % 2, r.normal(size=120), r.normal(size=120)
        a, b = a + y, b + y
        if test == "permutation":
            result = permutation_test("roc_auc", y, a, b, n_resamples=199, random_state=r)
        elif test == "paired bootstrap":
            result = paired_bootstrap_test("roc_auc", y, a, b, n_resamples=400, random_state=r)
        else:
            result = delong_test(y, a, b)
        rejected += result.p_value <= 0.05
    assert 0.015 < rejected / trials < 0.095, rejected / trials


# Paired bootstrap


@pytest.mark.parametrize("metric", ["roc_auc", "rmse", "accuracy"])
@pytest.mark.parametrize("method", ["percentile", "basic", "BCa"])
def test_paired_bootstrap_of_every_form(rng, metric, method):
    """The difference as a metric of its own, called on rows, has the same interval."""
    y, a, b = scored(rng, 250)
    if metric == "accuracy":
        a, b = (a > 0.5).astype(int), (b > 0.5).astype(int)
    one = paired_bootstrap_test(metric, y, a, b, method=method, n_resamples=3000, random_state=0)
    function = {
        "roc_auc": ours.roc_auc_score,
        "rmse": ours.root_mean_squared_error,
        "accuracy": ours.accuracy_score,
    }[metric]
    two = ours.bootstrap(
        lambda t, p: function(t, p[:, 0]) - function(t, p[:, 1]),
        y,
        np.stack([a, b], axis=1),
        method=method,
        n_resamples=3000,
        random_state=1,
    )
    assert one.difference == pytest.approx(two.estimate)
    width = two.confidence_interval.high - two.confidence_interval.low
    np.testing.assert_allclose(
        one.confidence_interval, two.confidence_interval, atol=0.12 * width, rtol=0
    )


def test_paired_bootstrap_knows_the_pairs(rng):
    """Two models that share their noise differ surely though each is unsure."""
    y = rng.integers(0, 2, 400)
    noise = 2 * rng.normal(size=400)
    a, b = y + noise, 0.8 * y + noise
    result = paired_bootstrap_test("roc_auc", y, a, b, random_state=0)
    alone = ours.bootstrap("roc_auc", y, a, random_state=0).confidence_interval
    assert alone.low < result.second
    assert result.confidence_interval.low > 0
    assert result.p_value < 0.01
    assert "by the paired bootstrap test" in str(result)
    assert "95% interval" in str(result)


def test_groups_widen_the_interval(rng):
    """Rows ten times over are not ten times the rows."""
    y, a, b = scored(rng, 100)
    groups = np.repeat(np.arange(100), 10)
    many = [np.repeat(values, 10) for values in (y, a, b)]

    def width(**options):
        low, high = paired_bootstrap_test(
            "roc_auc", *many, random_state=0, **options
        ).confidence_interval
        return high - low

    once = paired_bootstrap_test("roc_auc", y, a, b, random_state=0).confidence_interval
    assert width(groups=groups) == pytest.approx(once.high - once.low, rel=0.15)
    assert width() < 0.5 * width(groups=groups)


def test_the_same_model_twice(rng):
    y, a, _ = scored(rng, 100)
    with pytest.warns(MetricWarning, match="same value"):
        result = paired_bootstrap_test("roc_auc", y, a, a, n_resamples=100, random_state=0)
    assert result.p_value == 1.0
    assert result.confidence_interval == (0.0, 0.0)
    assert permutation_test("roc_auc", y, a, a, n_resamples=100, random_state=0).p_value == 1.0


def test_undefined_resamples_are_said(rng):
    y = np.array([1, *[0] * 20])
    a, b = rng.random(21), rng.random(21)
    a[0], b[0] = 0.5, 0.4
    with pytest.warns(MetricWarning, match="undefined"):
        paired_bootstrap_test("roc_auc", y, a, b, n_resamples=200)

    def odd(t, p):
        return float("nan") if p[0] > 0.5 else float(p.mean())

    with pytest.warns(MetricWarning, match=r"undefined on \d+ of 100 permutations"):
        permutation_test(odd, y, np.zeros(21), np.ones(21), n_resamples=100, random_state=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mcnemar_test([0, 1], [0, 1], [0]), r"shapes \(2,\), \(2,\) and \(1,\)"),
        (lambda: mcnemar_test([], [], []), "at least 1"),
        (lambda: delong_test([0, 0, 1, 1], [1, 2, 3, 4], [1, 2, 3]), r"y_score has shape \(3,\)"),
        (lambda: delong_test([0, 1, 2], [1, 2, 3], [1, 2, 3]), "two labels"),
        (
            lambda: permutation_test("mse", [1, 2], [1, 2], [1, 2], alternative="more"),
            "alternative is 'more'",
        ),
        (
            lambda: permutation_test("mse", [1, 2], [1, 2], [1, 2], n_resamples=-1),
            "n_resamples is -1",
        ),
        (lambda: permutation_test("mse", [1, 2], [1, 2], [1, 2, 3]), r"y_pred has shape \(3,\)"),
        (
            lambda: permutation_test("log_loss", [0, 1], [0.2, 0.4], [[0.5, 0.5], [0.1, 0.9]]),
            "y_pred_a and y_pred_b have shapes",
        ),
        (lambda: paired_bootstrap_test("mse", [1, 2], [1, 2], [1, 2], method="t"), "method is 't'"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_coins_of_units_reach_their_rows():
    design = Design([3], 1, np.array([0, 0, 1, 2, 2], dtype=np.int32), grouped=True)
    coins = _core.metrics.resample_counts("swap", [3], 0, 8, 1)[:, :3]
    form = Form(
        lambda y, p: float(p @ [1, 10, 100, 1000, 10000]),
        np.zeros(5),
        [np.zeros(5), np.ones(5)],
        None,
        {},
    )
    values = form.swap(design, 8)
    np.testing.assert_array_equal(values[:, 0], coins @ [11, 100, 11000])
    np.testing.assert_array_equal(values.sum(axis=1), 11111)
