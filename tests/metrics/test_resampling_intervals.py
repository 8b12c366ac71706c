"""Intervals are the literature's, cover what they say, and what goes wrong is said."""

import warnings

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics as theirs

import mlestar.metrics as ours
from metrics.test_resampling import core, data
from mlestar.exceptions import MetricWarning
from mlestar.metrics._design import design_of, seed_of
from mlestar.metrics._forms import Form
from reference import resampling as reference

# Intervals


LSAT = np.array([576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594])
GPA = np.array(
    [3.39, 3.30, 2.81, 3.03, 3.44, 3.07, 3.00, 3.43, 3.36, 3.13, 3.12, 2.74, 2.76, 2.88, 2.96]
)


def correlation(a, b):
    return np.corrcoef(a, b)[0, 1]


def test_efrons_law_schools():
    """Correlation 0.776, jackknife standard error 0.142 and bootstrap standard error 0.13 (Efron and
    Gong, The American Statistician 37, 1983)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        result = ours.bootstrap(
            correlation, LSAT, GPA, n_resamples=8000, method="BCa", random_state=0
        )
    assert result.estimate == pytest.approx(0.776, abs=5e-4)
    assert result.standard_error == pytest.approx(0.13, abs=5e-3)
    left = Form(correlation, LSAT, [GPA], None, {}).leave_out(design_of(LSAT, None, None, 0))
    error = np.sqrt(14 / 15 * np.sum((left.values - left.values.mean()) ** 2))
    assert error == pytest.approx(0.142, abs=1e-3)
    other = scipy.stats.bootstrap(
        (LSAT, GPA),
        correlation,
        paired=True,
        n_resamples=8000,
        vectorized=False,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    assert result.confidence_interval.low == pytest.approx(other.low, abs=0.05)
    assert result.confidence_interval.high == pytest.approx(other.high, abs=0.01)


@pytest.mark.parametrize("method", ["percentile", "basic", "BCa"])
def test_scipys_intervals_of_the_same_distribution(rng, method):
    """Given the same resamples, the interval is scipy's to the last digits."""
    truth, given = rng.normal(size=40), rng.normal(size=40) ** 3
    metric = ours.mean_squared_error
    result = ours.bootstrap(metric, truth, given, method=method, n_resamples=999, random_state=2)

    counts = core.resample_counts("bootstrap", [40], 0, 999, seed_of(2))
    values = [metric(np.repeat(truth, c), np.repeat(given, c)) for c in counts]
    np.testing.assert_allclose(result.bootstrap_distribution, values, rtol=1e-12)
    other = scipy.stats.bootstrap(
        ((truth - given) ** 2,),
        np.mean,
        n_resamples=0,
        method=method,
        bootstrap_result=type("r", (), {"bootstrap_distribution": np.array(values)})(),
    )
    np.testing.assert_allclose(result.confidence_interval, other.confidence_interval, rtol=1e-9)
    assert result.standard_error == pytest.approx(other.standard_error, rel=1e-12)


def test_scipys_bca_of_a_discrete_distribution(rng):
    """Of resamples that equal the estimate, half count as below it."""
    truth, given = rng.integers(0, 2, 15), rng.integers(0, 2, 15)
    result = ours.bootstrap("accuracy", truth, given, method="BCa", n_resamples=999, random_state=0)
    assert (result.bootstrap_distribution == result.estimate).sum() > 50
    other = scipy.stats.bootstrap(
        ((truth == given).astype(float),),
        np.mean,
        n_resamples=0,
        method="BCa",
        bootstrap_result=type("r", (), {"bootstrap_distribution": result.bootstrap_distribution})(),
    )
    np.testing.assert_allclose(result.confidence_interval, other.confidence_interval, rtol=1e-9)


def test_scipys_bca_of_two_samples(rng):
    """Strata: the acceleration of the influence values of both samples, each of its own size."""
    a, b = rng.normal(size=30) ** 2, rng.normal(size=80)
    truth = np.append(a, b)
    strata = np.repeat([0, 1], [30, 80])

    def difference(x, kind):
        return x[kind == 0].mean() - x[kind == 1].mean()

    result = ours.bootstrap(
        difference, truth, strata, stratify=strata, method="BCa", n_resamples=2000, random_state=0
    )
    other = scipy.stats.bootstrap(
        (a, b),
        lambda x, y, axis=-1: x.mean(axis) - y.mean(axis),
        n_resamples=0,
        method="BCa",
        bootstrap_result=type("r", (), {"bootstrap_distribution": result.bootstrap_distribution})(),
    )
    np.testing.assert_allclose(result.confidence_interval, other.confidence_interval, rtol=1e-9)


def test_intervals_cover_the_truth_as_often_as_they_say():
    """AUC of two normals one standard deviation apart is Phi(1/sqrt 2); 150 rows."""
    area = scipy.stats.norm.cdf(1 / np.sqrt(2))
    covered = np.zeros(4)
    trials = 600
    for trial in range(trials):
        r = np.random.default_rng(trial)
        y = r.integers(0, 2, 150)
        p = r.normal(size=150) + y
        for i, interval in enumerate(
            (
                ours.bootstrap("roc_auc", y, p, n_resamples=500, random_state=r),
                ours.bootstrap("roc_auc", y, p, n_resamples=500, random_state=r, method="BCa"),
                ours.roc_auc_interval(y, p),
                ours.roc_auc_interval(y, p, method="logit"),
            )
        ):
            low, high = interval.confidence_interval
            covered[i] += low <= area <= high
    # The binomial standard error is 0.9 %; in 3 000 other trials they covered 94.7, 95.1, 94.1 and
    # 95.3 % of the time.
    assert ((covered / trials > 0.92) & (covered / trials < 0.98)).all(), covered / trials


# What goes wrong


def test_undefined_resamples_are_said(rng):
    y = np.array([1, *[0] * 30])
    p = rng.random(31)
    p[0] = 0.5
    with pytest.warns(MetricWarning, match=r"undefined on \d+ of 400 resamples.*stratify=True"):
        result = ours.bootstrap("roc_auc", y, p, n_resamples=400, random_state=0)
    lost = np.isnan(result.bootstrap_distribution).mean()
    assert lost == pytest.approx((30 / 31) ** 31, abs=0.08)
    assert result.confidence_interval.low < result.confidence_interval.high
    ours.bootstrap("roc_auc", y, p, n_resamples=400, random_state=0, stratify=True)
    with pytest.warns(MetricWarning, match="BCa has no interval"):
        ours.bootstrap(
            "roc_auc", y, p, n_resamples=400, random_state=0, stratify=True, method="BCa"
        )


@pytest.mark.parametrize("method", ["percentile", "basic", "BCa"])
def test_one_value_only(method):
    y, p = np.arange(40) % 2, np.arange(40) % 2 + 0.5
    with pytest.warns(MetricWarning, match="same value"):
        result = ours.bootstrap("roc_auc", y, p, n_resamples=100, random_state=0, method=method)
    assert result.confidence_interval == (1.0, 1.0)
    assert result.standard_error == 0.0


def test_bca_outside_all_resamples_is_said():
    """A resample never has as many distinct values as the sample."""
    values = np.arange(20.0)
    with pytest.warns(MetricWarning, match="BCa has no interval"):
        result = ours.bootstrap(
            lambda a, b: float(len(np.unique(a))),
            values,
            values,
            n_resamples=50,
            method="BCa",
            random_state=0,
        )
    assert np.isnan(result.confidence_interval).all()


BAD = [
    ({"metric": "roc_auk"}, "did you mean 'roc_auc'"),
    ({"metric": 3}, "metric is 3, but must be a name or a function"),
    ({"y_pred": [0.1]}, r"y_pred has shape \(1,\), but must have 4 rows"),
    ({"n_resamples": 0}, "n_resamples is 0, but must be a positive integer"),
    ({"n_resamples": 2.5}, "n_resamples is 2.5"),
    ({"n_resamples": True}, "n_resamples is True"),
    ({"confidence_level": 1}, "confidence_level is 1, but must lie between 0 and 1"),
    ({"confidence_level": "a"}, "confidence_level is 'a'"),
    ({"method": "bc"}, "method is 'bc', but must be 'percentile', 'basic' or 'BCa'"),
    ({"method": 1}, "method is 1, but"),
    ({"stratify": [0, 1]}, r"stratify has shape \(2,\), but must have shape \(4,\)"),
    ({"stratify": [0, np.nan, 1, 1]}, "stratify holds NaN"),
    ({"groups": [0, 1]}, r"groups has shape \(2,\)"),
    ({"groups": [0, 0, 1, 1], "stratify": [0, 1, 0, 0]}, "groups holds 0 in more than one stratum"),
    ({"sample_weight": [1.0]}, r"sample_weight has shape \(1,\)"),
    ({"sample_weight": [1, 1, -1, 1]}, "sample_weight must be finite, not negative"),
    ({"sample_weight": [0, 0, 0, 0]}, "not all zero"),
    ({"random_state": "seed"}, "random_state is 'seed', but must be None, an int"),
    ({"random_state": -1}, "random_state is -1, but must lie between 0"),
    ({"metric": lambda y, p: p, "y_pred": [1, 2, 3, 4]}, "metric gave an array of shape"),
    ({"y_pred": [0.1, np.nan, 0.3, 0.2]}, "NaN"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_input_is_named(change, message):
    arguments = {
        "metric": "roc_auc",
        "y_true": [0, 1, 0, 1],
        "y_pred": [0.1, 0.3, 0.2, 0.4],
        **change,
    }
    with pytest.raises(ValueError, match=message):
        ours.bootstrap(**arguments)


def test_real_targets_have_no_strata():
    with pytest.raises(ValueError, match="y_true does not hold class labels"):
        ours.bootstrap("rmse", [0.5, 1.0], [1.0, 2.0], stratify=True)


def test_long_jackknives_are_refused(rng):
    y = rng.random(10_001)
    with pytest.raises(ValueError, match="10001 times.*at most 10000.*method='percentile'"):
        ours.bootstrap(lambda a, b: float(np.median(a - b)), y, y**2, method="BCa", n_resamples=5)
    groups = np.arange(10_001) // 100
    result = ours.bootstrap(
        lambda a, b: float(np.median(a - b)),
        y,
        y**2,
        method="BCa",
        n_resamples=99,
        groups=groups,
        random_state=0,
    )
    assert result.confidence_interval.low <= result.estimate <= result.confidence_interval.high


def test_errors_of_the_metric_name_the_resample():
    def metric(y, p):
        if len(np.unique(y)) < 3:
            raise ArithmeticError("lost one")
        return 0.5

    with pytest.raises(ArithmeticError, match="lost one") as caught:
        ours.bootstrap(metric, [0, 1, 2], [0, 1, 2], random_state=0)
    assert "bootstrap resample" in caught.value.__notes__[0]


# DeLong


def test_hanley_and_mcneils_ratings():
    """109 images rated 1 to 5 (Radiology 143, 1982): area 0.893; DeLong's standard error 0.0307 and
    interval 0.83295 to 0.95339 are Stata's (roctab, the manual's example)."""
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    rating = np.repeat([*range(1, 6)] * 2, normal + abnormal)
    truth = np.repeat([0, 1], [58, 51])
    result = ours.roc_auc_interval(truth, rating)
    assert result.estimate == pytest.approx(0.8932, abs=5e-5)
    assert result.standard_error == pytest.approx(0.0307, abs=5e-5)
    assert result.confidence_interval.low == pytest.approx(0.83295, abs=5e-6)
    assert result.confidence_interval.high == pytest.approx(0.95339, abs=5e-6)


@pytest.mark.parametrize("n", [4, 5, 30, 301])
def test_delong_by_its_definition(rng, n):
    y = np.arange(n) % 2
    p = np.round(rng.normal(size=n) + y, 1)
    p[0], p[2] = 5, -5
    result = ours.roc_auc_interval(y, p)
    variance = reference.delong_covariance(y, [p])[0][0]
    assert result.estimate == pytest.approx(theirs.roc_auc_score(y, p), rel=1e-12)
    assert result.standard_error == pytest.approx(np.sqrt(variance), rel=1e-10)


def test_placements_with_weights(rng):
    y = (rng.random(60) < 0.4).astype(np.uint8)
    p, w = rng.integers(0, 9, 60).astype(float), rng.random(60)
    found = core.placements(y, np.stack([p, -p]), w)
    for scores, mine in zip((p, -p), found, strict=True):
        right = np.where(y == 1, 1, -1)[:, None] * (scores[:, None] - scores[None, :])
        other = y[:, None] != y[None, :]
        expected = 2 * ((right > 0) * other) @ w + ((right == 0) * other) @ w
        np.testing.assert_allclose(mine, expected, rtol=1e-12)


def test_intervals_stay_in_range_and_separated_classes_are_said(rng):
    y = np.arange(12) % 2
    p = y + rng.normal(size=12) * 0.4
    p[0] = 1.2
    assert ours.roc_auc_interval(y, p, confidence_level=0.999).confidence_interval.high <= 1.0
    logit = ours.roc_auc_interval(y, np.append(p[:-1], -1), method="logit")
    assert 0 < logit.confidence_interval.low < logit.estimate < logit.confidence_interval.high < 1
    with pytest.warns(MetricWarning, match="variance of an area of 1 is zero"):
        assert ours.roc_auc_interval(y, y).confidence_interval == (1.0, 1.0)
    assert "95% interval" in str(logit)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1, 2], [1, 2, 3]), "3 labels, but must have one axis and two labels"),
        (([0, 1, 1, 1], [1, 2, 3, 4]), "at least two of each"),
        (([0, 1, 0, 1], [1, 2]), r"y_score has shape \(2,\)"),
        (([0, 1, 0, 1], [1, 2, np.inf, 0]), "y_score holds NaN or infinity"),
    ],
)
def test_bad_input_of_delong(arguments, message):
    with pytest.raises(ValueError, match=message):
        ours.roc_auc_interval(*arguments)
    with pytest.raises(ValueError, match="method is 'hanley'"):
        ours.roc_auc_interval([0, 1], [0, 1], method="hanley")


def test_result_reads_like_a_sentence(rng):
    y, p, _ = data(rng)["roc_auc_score"]
    text = str(ours.bootstrap("roc_auc", y, p, n_resamples=50, method="bca", random_state=0))
    assert "95% interval" in text
    assert "(BCa bootstrap, 50 resamples)" in text
