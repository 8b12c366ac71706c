"""Tests of models give what the literature's examples give."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats

import mlestar.metrics as ours
from mlestar import ModelComparator
from mlestar.evaluation import (
    corrected_resampled_t_test,
    friedman_test,
    holm_correction,
    pairwise_wilcoxon_test,
)
from reference import resampling as reference

# AUC of C4.5 and of its variants with m and cf tuned, on 14 data sets (Demsar 2006, table 6). Of the
# last two on the 13th, both 0.975, the former has the better rank in the paper's means.
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)
NAMES = ["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"]


def test_demsars_friedman_and_nemenyi():
    """Chi-square 9.28, F 3.69, mean ranks and the critical differences 1.25 (0.05) and 1.12 (0.10)
    are the paper's (3.2.2)."""
    result = friedman_test(DEMSAR, names=NAMES)
    assert result.statistic == pytest.approx(9.28, abs=5e-3)
    assert result.f_statistic == pytest.approx(3.69, abs=5e-3)
    np.testing.assert_allclose(result.mean_ranks, [3.143, 2.000, 2.893, 1.964], atol=5e-4)
    assert result.critical_difference == pytest.approx(1.25, abs=5e-3)
    loose = friedman_test(DEMSAR, names=NAMES, alpha=0.10)
    assert loose.critical_difference == pytest.approx(1.12, abs=5e-3)
    # At 0.05 no pair is far enough apart; at 0.10 C4.5 is worse than both that tune m.
    assert result.different_pairs() == []
    assert loose.different_pairs() == [("C4.5+m+cf", "C4.5"), ("C4.5+m", "C4.5")]
    assert result.f_p_value == pytest.approx(scipy.stats.f.sf(result.f_statistic, 3, 39))
    for i, j in itertools.combinations(range(4), 2):
        far = abs(loose.mean_ranks[i] - loose.mean_ranks[j]) > loose.critical_difference
        assert (loose.nemenyi_p_values[i, j] < 0.10) == far
    assert "C4.5+m beats C4.5" in str(loose)
    assert "none" in str(result)


def test_friedman_as_scipy_has_it(rng):
    table = rng.integers(0, 4, (9, 5)).astype(float)
    statistic, p_value = scipy.stats.friedmanchisquare(*table.T)
    result = friedman_test(table, tie_correction=True)
    assert result.statistic == pytest.approx(statistic)
    assert result.p_value == pytest.approx(p_value)
    assert result.names == ("model 0", "model 1", "model 2", "model 3", "model 4")


def test_friedman_of_losses_and_at_the_edges():
    scores = np.array([[3.0, 2.0, 1.0]] * 4)
    assert friedman_test(scores).mean_ranks == (1.0, 2.0, 3.0)
    losses = friedman_test(scores, greater_is_better=False)
    assert losses.mean_ranks == (3.0, 2.0, 1.0)
    assert math.isinf(losses.f_statistic)
    assert losses.f_p_value == 0.0
    same = friedman_test(np.ones((4, 3)), tie_correction=True)
    assert same.statistic == 0.0
    assert same.p_value == 1.0


def test_demsars_wilcoxon():
    """C4.5 against C4.5+m: the lesser sum of ranks is 12 (Demsar 2006, table 2)."""
    pair = pairwise_wilcoxon_test(DEMSAR[:, :2], names=NAMES[:2])[0]
    assert pair.statistic == 12
    assert pair.p_value == pair.adjusted_p_value
    assert 0.005 < pair.p_value < 0.02
    assert pair.difference == pytest.approx(-0.008)


def test_pairs_controls_and_their_order(rng):
    table = rng.normal(size=(12, 4)) + np.array([0, 0, 1, 3])
    pairs = pairwise_wilcoxon_test(table)
    assert len(pairs) == 6
    assert [p.p_value for p in pairs] == sorted(p.p_value for p in pairs)
    for pair in pairs:
        i, j = (int(name.split()[1]) for name in (pair.first, pair.second))
        expected = scipy.stats.wilcoxon(table[:, i], table[:, j]).pvalue
        assert pair.p_value == pytest.approx(expected)
        assert pair.adjusted_p_value >= pair.p_value
    against = pairwise_wilcoxon_test(table, control="model 2")
    assert {p.first for p in against} == {"model 2"}
    assert {p.second for p in against} == {"model 0", "model 1", "model 3"}
    assert "Holm's correction" in str(against[0])
    assert pairwise_wilcoxon_test(np.ones((5, 2)))[0].p_value == 1.0


def test_tables_of_pandas():
    pandas = pytest.importorskip("pandas")
    result = friedman_test(pandas.DataFrame(DEMSAR, columns=NAMES))
    assert result.names == tuple(NAMES)


def test_holm_as_r_has_it():
    """p.adjust(..., "holm")."""
    np.testing.assert_allclose(
        holm_correction([0.01, 0.02, 0.03, 0.04, 0.05]), [0.05, 0.08, 0.09, 0.09, 0.09]
    )
    np.testing.assert_allclose(holm_correction([0.6, 0.01, 0.9]), [1.0, 0.03, 1.0])
    assert holm_correction([]).size == 0
    for bad in ([1.1], [-0.1], [np.nan], [[0.1]]):
        with pytest.raises(ValueError, match="p_values must have"):
            holm_correction(bad)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: friedman_test([[1.0, 2.0]] * 3), "at least 2 rows .* and 3 columns"),
        (lambda: friedman_test([[1.0, 2.0, np.nan]] * 3), "holds NaN or infinity"),
        (lambda: friedman_test(np.eye(3), names=["a"]), "names has 1 names, but scores has 3"),
        (lambda: friedman_test(np.eye(3), alpha=0), "alpha is 0, but must lie between"),
        (lambda: pairwise_wilcoxon_test([1.0, 2.0]), r"scores has shape \(2,\)"),
        (
            lambda: pairwise_wilcoxon_test(np.eye(3), control="x"),
            "control is 'x', but must be one of",
        ),
        (lambda: corrected_resampled_t_test([1.0], [2.0]), "at least 2"),
        (lambda: corrected_resampled_t_test([1.0, 2.0], [2.0]), r"shapes \(2,\) and \(1,\)"),
        (lambda: corrected_resampled_t_test([1.0, np.nan], [2.0, 1.0]), "NaN or infinity"),
        (
            lambda: corrected_resampled_t_test([1.0, 2], [2, 1], test_fraction=1.5),
            "test_fraction is 1.5",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Nadeau and Bengio


def test_corrected_t_by_its_formula(rng):
    """Fifteen random splits of 150 rows into 100 and 50: variance times 1/15 + 50/100."""
    first, second = rng.normal(size=15), rng.normal(size=15)
    result = corrected_resampled_t_test(first, second, test_fraction=1 / 3)
    expected = reference.corrected_t((first - second).tolist(), 100, 50)
    assert result.statistic == pytest.approx(expected, rel=1e-12)
    assert result.p_value == pytest.approx(2 * scipy.stats.t.sf(abs(expected), 14))
    low, high = result.confidence_interval
    assert (low + high) / 2 == pytest.approx(result.difference)
    assert (low > 0 or high < 0) == (result.p_value < 0.05)
    assert "corrected resampled t-test" in str(result)


def test_corrected_t_is_what_the_comparator_says(rng):
    first, second = rng.normal(size=5), rng.normal(size=5)
    one = ModelComparator().compare(first, second)
    two = corrected_resampled_t_test(first, second)
    assert one.p_value == pytest.approx(two.p_value)
    assert (one.ci_low, one.ci_high) == pytest.approx(tuple(two.confidence_interval))
    assert corrected_resampled_t_test([1.0, 1.0], [1.0, 1.0]).p_value == 1.0
    assert corrected_resampled_t_test([2.0, 2.0], [1.0, 1.0]).p_value == 0.0


def test_corrected_t_keeps_its_level_where_the_plain_test_does_not():
    """Two learners as good as one another on random splits: the plain t-test rejects far too often
    (Nadeau and Bengio 2003, section 6)."""
    rejected = np.zeros(2)
    trials = 150
    for seed in range(trials):
        r = np.random.default_rng(seed)
        X, y = r.normal(size=(90, 2)), r.normal(size=90)  # neither column tells anything
        scores = []
        for _ in range(40):
            order = r.permutation(90)
            train, test = order[:60], order[60:]
            row = []
            for column in X.T:
                slope = column[train] @ y[train] / (column[train] @ column[train])
                row.append(ours.mean_squared_error(y[test], slope * column[test]))
            scores.append(row)
        a, b = np.transpose(scores)
        rejected += (
            corrected_resampled_t_test(a, b, test_fraction=1 / 3).p_value < 0.05,
            scipy.stats.ttest_rel(a, b).pvalue < 0.05,
        )
    assert rejected[0] / trials < 0.10
    assert rejected[1] / trials > 0.20
