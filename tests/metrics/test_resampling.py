"""Resamples are what drawing rows gives, whatever the form; intervals are the literature's."""

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics as theirs

import mlestar.metrics as ours
from mlestar import _core
from mlestar.exceptions import MetricWarning
from mlestar.metrics._choose import form_of
from mlestar.metrics._design import design_of, seed_of
from mlestar.metrics._forms import Form, RankingForm
from reference import resampling as reference

pytestmark = pytest.mark.usefixtures("scikit_learns_warnings_only")

core = _core.metrics


def data(rng, n=240):
    y = rng.integers(0, 2, n)
    y[:2] = [0, 1]
    score = np.round(rng.normal(size=n) + y, 1)
    y3 = rng.integers(0, 3, n)
    r = rng.normal(size=n) + 2
    return {
        "roc_auc_score": (y, score, {}),
        "average_precision_score": (y, score, {}),
        "average_precision_score of 0": (y, -score, {"pos_label": 0}),
        "accuracy_score": (y3, np.where(rng.random(n) < 0.6, y3, rng.integers(0, 3, n)), {}),
        "f1_score": (y3, rng.integers(0, 3, n), {"average": "macro"}),
        "matthews_corrcoef": (y, (score > 0.5).astype(int), {}),
        "cohen_kappa_score": (np.array(list("abc"))[y3], np.array(list("cab"))[y3], {}),
        "log_loss": (y, 1 / (1 + np.exp(-score)), {"labels": [0, 1]}),
        "log_loss of 3": (y3, rng.dirichlet(np.ones(3), n), {"labels": [0, 1, 2]}),
        "brier_score_loss": (y, 1 / (1 + np.exp(-score)), {}),
        "mean_squared_error": (r, r + rng.normal(size=n), {}),
        "mean_absolute_error": (r, r + rng.normal(size=n), {}),
        "root_mean_squared_error": (r, r + rng.normal(size=n), {}),
        "r2_score": (r, r + rng.normal(size=n), {}),
    }


NAMES = list(data(np.random.default_rng(0)))
DESIGNS = ["plain", "stratified", "groups", "groups in strata", "weights", "weights and strata"]


def made(rng, name, design):
    """Truth, answer, options, strata, groups and weights of a case."""
    y, p, options = data(rng)[name]
    n = len(y)
    strata = rng.integers(0, 3, n) if "strat" in design else None
    groups = None
    if "groups" in design:
        groups = rng.integers(0, 60, n)
        strata = None if strata is None else groups % 3
    weights = rng.integers(1, 5, n) / 4 if "weights" in design else None
    return y, p, options, strata, groups, weights


def by_name(name):
    return getattr(ours, name.split()[0])


# Counts


@pytest.mark.parametrize("sizes", [[1], [7], [511], [512], [513], [5000], [1, 600, 3, 2000]])
def test_counts_add_up_in_every_stratum(sizes):
    counts = core.resample_counts("bootstrap", sizes, 0, 200, 5)
    starts = np.cumsum([0, *sizes[:-1]])
    sums = np.add.reduceat(counts.astype(int), starts, axis=1)
    assert (sums == sizes).all()


@pytest.mark.parametrize("n", [50, 600, 30_000])
def test_counts_are_multinomial(n):
    """Marginals are binomial, rows are as likely as one another, neighbours are as good as
    independent, and resamples do not depend on one another."""
    resamples = 6_000_000 // n
    counts = core.resample_counts("bootstrap", [n], 0, resamples, 11).astype(float)
    most = 8
    found = np.bincount(np.minimum(counts.astype(int).ravel(), most), minlength=most + 1)
    expected = scipy.stats.binom.pmf(np.arange(most), n, 1 / n)
    expected = np.append(expected, 1 - expected.sum()) * counts.size
    # Counts of one resample are not quite independent: the sum is fixed, which only helps.
    assert scipy.stats.chisquare(found, expected).pvalue > 1e-4
    of_row = counts.sum(axis=0)  # chi-square, with n - 1 degrees of freedom
    spread = np.sum((of_row - resamples) ** 2) / resamples
    assert abs(spread - (n - 1)) < 4 * np.sqrt(2 * n)
    for lag in (1, 16, 512):
        if lag < n:
            pairs = np.mean((counts[:, lag:] - 1) * (counts[:, :-lag] - 1))
            assert abs(pairs + 1 / n) < 5 / np.sqrt(counts[:, lag:].size)
    between = np.mean((counts[1:] - 1) * (counts[:-1] - 1))
    assert abs(between) < 5 / np.sqrt(counts.size)


def test_tails_are_poissons(rng):
    """The outcomes that 16 bits do not resolve come as often as they should: counts of 7 and more."""
    counts = core.resample_counts("bootstrap", [1_000_000], 0, 60, 3)
    for k in (6, 7, 8, 9, 10):
        expected = scipy.stats.binom.sf(k - 1, 1_000_000, 1e-6) * counts.size
        assert abs((counts >= k).sum() - expected) < 5 * np.sqrt(expected) + 1


def test_coins_are_fair_and_complementary():
    coins = core.resample_counts("swap", [3000], 0, 2000, 4)
    heads, tails = coins[:, :3000], coins[:, 3000:]
    assert (heads + tails == 1).all()
    assert abs(heads.mean() - 0.5) < 5 * 0.5 / np.sqrt(heads.size)
    centred = heads - 0.5
    for lag in (1, 8, 64):
        assert abs(np.mean(centred[:, lag:] * centred[:, :-lag])) < 5 * 0.25 / np.sqrt(heads.size)


def test_resamples_may_be_drawn_in_any_order():
    whole = core.resample_counts("bootstrap", [700], 0, 30, 9)
    assert (core.resample_counts("bootstrap", [700], 13, 5, 9) == whole[13:18]).all()
    assert not (core.resample_counts("bootstrap", [700], 0, 30, 10) == whole).all()


# Forms


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("design", ["plain", "groups in strata", "weights"])
def test_forms_give_what_drawing_rows_gives(rng, name, design):
    """The same distribution as naive resampling with scikit-learn's function."""
    y, p, options, strata, groups, weights = made(rng, name, design)
    function = getattr(theirs, name.split()[0])
    result = ours.bootstrap(
        by_name(name),
        y,
        p,
        n_resamples=2000,
        stratify=strata,
        groups=groups,
        sample_weight=weights,
        random_state=1,
        **options,
    )
    naive = reference.bootstrap(
        lambda *a, **k: function(*a, **options, **k), y, p, 150, rng, strata, groups, weights
    )
    expected = function(y, p, **options, **({} if weights is None else {"sample_weight": weights}))
    assert result.estimate == pytest.approx(expected, rel=1e-10)
    if np.ptp(naive) == 0:
        assert np.ptp(result.bootstrap_distribution) == 0
    else:
        assert scipy.stats.ks_2samp(result.bootstrap_distribution, naive).pvalue > 1e-4


CELLS = ["accuracy_score", "f1_score", "matthews_corrcoef", "cohen_kappa_score"]
SAME_COUNTS = [
    (name, design)
    for name in NAMES
    for design in DESIGNS
    # Of a table cells are drawn, not rows, unless rows weigh differently or hang together.
    if not (name in CELLS and design in ("plain", "stratified"))
]


@pytest.mark.parametrize(("name", "design"), SAME_COUNTS)
def test_forms_give_the_function_of_the_same_counts(rng, name, design):
    """Where the counts are of rows whatever the form, the values are equal one by one."""
    y, p, options, strata, groups, weights = made(rng, name, design)
    form = form_of(by_name(name), y, [p], weights, options)
    assert type(form) is not Form
    drawn = design_of(y, strata, groups, 3)
    if drawn.unit_of_row is None and isinstance(form, RankingForm):
        # Without units the core numbers rows by score; rows as units of themselves say otherwise.
        object.__setattr__(drawn, "unit_of_row", np.arange(len(y), dtype=np.int32))
    generic = Form(by_name(name), y, [p], weights, options)
    np.testing.assert_allclose(
        form.resample(drawn, 100), generic.resample(drawn, 100), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("design", DESIGNS)
def test_jackknife_is_leaving_out(rng, name, design):
    y, p, options, strata, groups, weights = made(rng, name, design)
    drawn = design_of(y, strata, groups, 3)
    form = form_of(by_name(name), y, [p], weights, options)
    generic = Form(by_name(name), y, [p], weights, options)
    values, times, stratum = form.leave_out(drawn)
    naive = generic.leave_out(drawn)
    for s in range(len(drawn.sizes)):
        mine = np.sort(np.repeat(values[stratum == s, 0], times[stratum == s].astype(int)))
        other = np.sort(naive.values[naive.stratum == s, 0])
        np.testing.assert_allclose(mine, other, rtol=1e-10, atol=1e-12)


def test_strata_that_are_the_labels_in_the_cores_own_order(rng):
    """stratify=True needs no gather for a ranking; an array of the labels goes the long way."""
    y = (rng.random(3000) < 0.1).astype(int)
    p = y + rng.normal(size=3000)
    short = ours.bootstrap("roc_auc", y, p, stratify=True, random_state=0)
    long = ours.bootstrap("roc_auc", y, p, stratify=y, random_state=0)
    distributions = short.bootstrap_distribution, long.bootstrap_distribution
    assert scipy.stats.ks_2samp(*distributions).pvalue > 1e-4
    exact = ours.roc_auc_interval(y, p).standard_error
    assert short.standard_error == pytest.approx(exact, rel=0.1)


def test_strata_keep_their_sizes_and_groups_stay_together(rng):
    y = rng.integers(0, 2, 600)
    strata = rng.choice(["c", "a", "b"], 600, p=[0.7, 0.2, 0.1])

    def share(y_true, kind):
        return np.mean(kind == "a")

    with pytest.warns(MetricWarning, match="same value"):
        kept = ours.bootstrap(share, y, strata, stratify=strata, n_resamples=20, random_state=0)
    assert kept.confidence_interval == (kept.estimate, kept.estimate)

    groups = rng.integers(0, 50, 600)

    def torn(y_true, group):  # rows of a group drawn k times are k times as many
        times = np.bincount(group, minlength=50) / np.bincount(groups, minlength=50)
        return float(np.any(times != np.round(times)))

    with pytest.warns(MetricWarning, match="same value"):
        whole = ours.bootstrap(torn, y, groups, groups=groups, n_resamples=20, random_state=0)
    assert whole.confidence_interval == (0.0, 0.0)


def test_several_models_share_their_resamples(rng):
    y, p, _ = data(rng)["roc_auc_score"]
    form = form_of(ours.roc_auc_score, y, [p, 2 * p + 1, -p], None, {})
    values = form.resample(design_of(y, None, None, 0), 50)
    np.testing.assert_array_equal(values[:, 0], values[:, 1])
    np.testing.assert_allclose(values[:, 2], 1 - values[:, 0], rtol=1e-12)


@pytest.mark.parametrize("n", [2, 3, 5, 40, 511, 512, 700])
def test_edge_sizes_and_ties(rng, n):
    y = np.arange(n) % 2
    for p in (np.zeros(n), y.astype(float), 1.0 - y, rng.integers(0, 3, n).astype(float)):
        form = form_of(ours.roc_auc_score, y, [p], None, {})
        drawn = design_of(y, None, np.arange(n), 0)
        np.testing.assert_allclose(
            form.resample(drawn, 60),
            Form(theirs.roc_auc_score, y, [p], None, {}).resample(drawn, 60),
            rtol=1e-12,
        )


# Metrics by name, function and scikit-learn's function


def test_names_functions_and_tables_of_probabilities(rng):
    y, p, _ = data(rng)["log_loss"]
    table = np.stack([1 - p, p], axis=1)
    for name, function in (
        ("roc_auc", ours.roc_auc_score),
        ("average_precision", theirs.average_precision_score),
        ("log_loss", theirs.log_loss),
        ("brier_score", ours.brier_score_loss),
    ):
        one = ours.bootstrap(name, y, table, n_resamples=40, random_state=0)
        two = ours.bootstrap(function, y, p, n_resamples=40, random_state=0)
        np.testing.assert_allclose(
            one.bootstrap_distribution, two.bootstrap_distribution, rtol=1e-12
        )
    labels = (p > 0.5).astype(int)
    one = ours.bootstrap("f1_macro", y, table, n_resamples=40, random_state=0)
    two = ours.bootstrap(
        theirs.f1_score,
        y,
        labels,
        n_resamples=40,
        random_state=0,
        average="macro",
        zero_division=0.0,
    )
    np.testing.assert_array_equal(one.bootstrap_distribution, two.bootstrap_distribution)
    strings = np.array(["no", "yes"])
    three = ours.bootstrap("accuracy", strings[y], strings[labels], n_resamples=40, random_state=0)
    four = ours.bootstrap("accuracy", y, labels, n_resamples=40, random_state=0)
    np.testing.assert_array_equal(three.bootstrap_distribution, four.bootstrap_distribution)


def test_what_has_no_form_is_called(rng):
    """Options a form does not know, several classes, several outputs: the function itself."""
    y3 = rng.integers(0, 3, 90)
    table = rng.dirichlet(np.ones(3), 90)
    result = ours.bootstrap(
        ours.roc_auc_score,
        y3,
        table,
        n_resamples=20,
        random_state=0,
        multi_class="ovr",
        stratify=True,
    )
    assert result.estimate == theirs.roc_auc_score(y3, table, multi_class="ovr")
    y = y3 > 0
    partial = ours.bootstrap(
        ours.roc_auc_score, y, table[:, 0], n_resamples=20, random_state=0, max_fpr=0.3
    )
    assert partial.estimate == theirs.roc_auc_score(y, table[:, 0], max_fpr=0.3)
    outputs = ours.bootstrap(ours.mean_squared_error, table, table**2, n_resamples=20)
    assert outputs.estimate == pytest.approx(theirs.mean_squared_error(table, table**2))
    assert len(outputs.bootstrap_distribution) == 20


@pytest.mark.parametrize("dtype", ["int8", "float32", "bool", "int64"])
def test_dtypes(rng, dtype):
    y = np.arange(100) % 2
    p = rng.integers(0, 2, 100).astype(dtype)
    one = ours.bootstrap("roc_auc", y.astype(dtype), p, n_resamples=30, random_state=0)
    two = ours.bootstrap(
        "roc_auc", y.tolist(), p.astype(float).tolist(), n_resamples=30, random_state=0
    )
    np.testing.assert_array_equal(one.bootstrap_distribution, two.bootstrap_distribution)


def test_large_integer_scores_are_not_narrowed():
    """2**53 and 2**53 + 1 are one double; as integers they are not."""
    p = np.array([2**53, 2**53 + 1] * 20)
    y = np.array([0, 1] * 20)
    form = form_of(ours.roc_auc_score, y, [p], None, {})
    assert type(form) is Form


def test_large_tables_are_not_drawn_cell_by_cell(rng):
    """Of 100 classes there may be more cells than rows."""
    y, p = rng.integers(0, 100, 12_000), rng.integers(0, 100, 12_000)
    assert type(form_of(ours.accuracy_score, y, [p], None, {})) is Form
    result = ours.bootstrap("accuracy", y, p, n_resamples=30, random_state=0)
    assert result.estimate == theirs.accuracy_score(y, p)


@pytest.mark.parametrize(
    ("metric", "truth", "given"),
    [
        ("roc_auc", np.array([0, "a", None], dtype=object), [0.1, 0.2, 0.3]),
        ("accuracy", np.array([0, "a", None], dtype=object), [0, 1, 1]),
        ("mse", ["a", "b", "c"], [0.1, 0.2, 0.3]),
        ("log_loss", [0, 1, 1], [0.1, 1.2, 0.3]),
        ("log_loss", [0, 1, 7], np.full((3, 2), 1 / 2)),
        ("brier_score", [0, 1, 1], [0.1, 1.2, 0.3]),
        ("roc_auc", [0, 1, 1], [0.1, np.inf, 0.3]),
        ("f1", [0, 1, 2], [0, 1, 1]),
        ("rmse", [[1.0], [2.0]], [1.0, 2.0, 3.0]),
    ],
)
def test_what_the_metric_refuses_is_its_error(metric, truth, given):
    with pytest.raises((ValueError, TypeError)):
        ours.bootstrap(metric, truth, given, n_resamples=10, random_state=0)


def test_tensors(rng):
    torch = pytest.importorskip("torch")
    y, p, _ = data(rng)["roc_auc_score"]
    tensor = torch.tensor(p, requires_grad=True)
    one = ours.bootstrap("roc_auc", torch.from_numpy(y), tensor, n_resamples=9, random_state=0)
    two = ours.bootstrap("roc_auc", y, p, n_resamples=9, random_state=0)
    np.testing.assert_array_equal(one.bootstrap_distribution, two.bootstrap_distribution)


def test_pandas(rng):
    pandas = pytest.importorskip("pandas")
    y, p, _ = data(rng)["roc_auc_score"]
    one = ours.bootstrap(
        "roc_auc", pandas.Series(y), pandas.Series(p), n_resamples=9, random_state=0
    )
    two = ours.bootstrap("roc_auc", y, p, n_resamples=9, random_state=0)
    np.testing.assert_array_equal(one.bootstrap_distribution, two.bootstrap_distribution)


def test_weights_of_one_change_nothing(rng):
    for name in ("roc_auc_score", "mean_squared_error", "r2_score"):
        y, p, _ = data(rng)[name]
        plain = ours.bootstrap(by_name(name), y, p, n_resamples=50, random_state=0)
        weighted = ours.bootstrap(
            by_name(name), y, p, n_resamples=50, random_state=0, sample_weight=np.ones(len(y))
        )
        np.testing.assert_allclose(
            plain.bootstrap_distribution, weighted.bootstrap_distribution, rtol=1e-12
        )


# Determinism


def test_random_states(rng):
    y, p, _ = data(rng)["roc_auc_score"]

    def run(state):
        return ours.bootstrap("roc_auc", y, p, n_resamples=20, random_state=state).estimate, tuple(
            ours.bootstrap(
                "roc_auc", y, p, n_resamples=20, random_state=state
            ).bootstrap_distribution
        )

    assert run(3) == run(3)
    assert max(seed_of(seed) for seed in range(9)) >= 2**32  # all of the 64 bits are drawn
    assert len({seed_of(seed) % 2**32 for seed in range(99)}) == 99
    assert run(3) != run(4)
    assert run(3)[1] == tuple(
        ours.bootstrap(
            "roc_auc", y, p, n_resamples=20, random_state=np.random.RandomState(3)
        ).bootstrap_distribution
    )
    assert run(np.random.default_rng(0)) == run(np.random.default_rng(0))
    state = np.random.RandomState(0)
    first = ours.bootstrap("roc_auc", y, p, n_resamples=20, random_state=state)
    second = ours.bootstrap("roc_auc", y, p, n_resamples=20, random_state=state)
    assert tuple(first.bootstrap_distribution) != tuple(second.bootstrap_distribution)
    np.random.seed(7)
    third = ours.bootstrap("roc_auc", y, p, n_resamples=20)
    np.random.seed(7)
    fourth = ours.bootstrap("roc_auc", y, p, n_resamples=20)
    np.testing.assert_array_equal(third.bootstrap_distribution, fourth.bootstrap_distribution)


SNIPPET = """
import hashlib, numpy as np, mlestar.metrics as m
from mlestar.evaluation import permutation_test, paired_bootstrap_test
r = np.random.default_rng(0); n = 5000
y = r.integers(0, 2, n); p = np.round(r.normal(size=n) + y, 2); q = p + r.normal(size=n)
w = r.random(n); g = r.integers(0, 900, n); h = hashlib.sha256()
for name, a in (("roc_auc", p), ("average_precision", p), ("mse", p), ("r2", p), ("accuracy", (p > 0) * 1),
                ("brier_score", 1 / (1 + np.exp(-p)))):
    for options in ({}, {"sample_weight": w}, {"groups": g}, {"stratify": True}):
        h.update(m.bootstrap(name, y, a, n_resamples=40, random_state=0, **options).bootstrap_distribution.tobytes())
h.update(repr(permutation_test("roc_auc", y, p, q, n_resamples=50, random_state=0)).encode())
h.update(repr(paired_bootstrap_test("roc_auc", y, p, q, n_resamples=50, random_state=0, method="BCa")).encode())
print(h.hexdigest())
"""


def test_the_same_bits_for_any_number_of_threads_and_level(run_python):
    found = {
        run_python(SNIPPET, env={"MLESTAR_NUM_THREADS": threads, "MLESTAR_SIMD": level})
        for threads, level in (("1", "avx2"), ("2", "avx2"), ("5", "baseline"), ("1", "baseline"))
        if level in _core.build_info()["levels"]
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: core.resample_counts("bootstrap", [], 0, 1, 0), "sizes is empty"),
        (lambda: core.resample_counts("bootstrap", [3, 0], 0, 1, 0), "without units"),
        (lambda: core.resample_counts("bootstrap", [2**31], 0, 1, 0), "at most"),
        (lambda: core.resample_counts("jackknife", [3], 0, 1, 0), "kind is 'jackknife'"),
        (lambda: core.resample_counts("swap", [3], 0, 0, 0), "resamples is 0"),
        (lambda: core.resample_sums(np.ones((1, 4)), "bootstrap", [3], 1, 0), "columns must have"),
        (
            lambda: core.resample_cells(
                np.array([0, 9], np.int32), 2, None, None, "bootstrap", [2], 1, 0
            ),
            "cell holds 9",
        ),
        (
            lambda: core.resample_cells(
                np.array([0, 1], np.int32),
                2,
                None,
                np.array([0, 2], np.int32),
                "bootstrap",
                [2],
                1,
                0,
            ),
            "unit holds 2",
        ),
        (
            lambda: core.resample_ranking(
                "roc_auc",
                np.array([0, 2], np.uint8),
                np.ones((1, 2)),
                None,
                None,
                "bootstrap",
                [2],
                1,
                0,
            ),
            "positive holds",
        ),
        (
            lambda: core.resample_ranking(
                "roc_auc",
                np.array([0, 1], np.uint8),
                np.full((1, 2), np.nan),
                None,
                None,
                "bootstrap",
                [2],
                1,
                0,
            ),
            "NaN or infinity",
        ),
        (
            lambda: core.resample_ranking(
                "auc",
                np.array([0, 1], np.uint8),
                np.ones((1, 2)),
                None,
                None,
                "bootstrap",
                [2],
                1,
                0,
            ),
            "metric is 'auc'",
        ),
        (
            lambda: core.resample_ranking(
                "roc_auc",
                np.array([0, 1], np.uint8),
                np.ones((1, 2)),
                None,
                None,
                "bootstrap",
                [3],
                1,
                0,
            ),
            "3 units, but there are 2 rows",
        ),
        (
            lambda: core.resample_ranking(
                "roc_auc",
                np.array([0, 1], np.uint8),
                np.ones((1, 2)),
                None,
                np.array([[0, 5]], np.int32),
                "bootstrap",
                [2],
                1,
                0,
            ),
            "unit holds 5",
        ),
    ],
)
def test_the_core_refuses_what_it_cannot_read(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_placements_of_no_model_are_refused():
    with pytest.raises(ValueError, match="scores must have at least one row"):
        core.placements(np.zeros(3, np.uint8), np.zeros((0, 3)), None)
