import tracemalloc
import warnings

import numpy as np
import pytest
import sklearn.metrics as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import mlestar.metrics as ours
from metrics.test_classification import in_core
from reference import metrics as reference

FUNCTIONS = ["roc_auc_score", "average_precision_score"]

SCORES = {
    "uniform": lambda r, n: r.random(n),
    "normal": lambda r, n: r.normal(size=n),
    "ties": lambda r, n: r.integers(0, 5, n).astype(float),
    "rounded": lambda r, n: np.round(r.random(n), 2),
    "near one": lambda r, n: 1 - r.random(n) ** 8 * 1e-9,
    "tiny and huge": lambda r, n: (
        np.exp(np.clip(r.normal(size=n) * 200, -700, 700)) * r.choice([-1, 1], n)
    ),
    "an outlier": lambda r, n: np.append(r.random(n - 1), 1e300),
    "large offset": lambda r, n: 1e6 + r.random(n),
    "both signs, large": lambda r, n: r.choice([-3.0, 3.0], n) * (1 + r.random(n)),
    "signed zeros": lambda r, n: r.choice([-0.0, 0.0, 1.0, -1.0], n),
    "subnormal": lambda r, n: r.integers(0, 50, n) * 5e-324,
    "clustered": lambda r, n: r.choice([0.1, 0.5, 0.9], n) + r.random(n) * 1e-12,
    "float32": lambda r, n: r.random(n).astype(np.float32),
    "float32 both signs": lambda r, n: (r.normal(size=n) * 5).astype(np.float32),
    "int16": lambda r, n: r.integers(-100, 100, n).astype(np.int16),
    "int64": lambda r, n: r.integers(-(2**52), 2**52, n),
    "strided": lambda r, n: r.random(2 * n)[::2],
    "reversed": lambda r, n: r.random(n)[::-1],
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", SCORES)
@pytest.mark.parametrize("n", [2, 3, 25, 1000, 5000, 150_001])
def test_scores_of_every_kind(rng, name, kind, n):
    scores = SCORES[kind](rng, n)
    truth = rng.integers(0, 2, n)
    truth[:2] = [0, 1]
    weights = rng.random(n) + 0.1
    weights[2::7] = 0
    for options in ({}, {"sample_weight": weights}):
        mine = in_core(getattr(ours, name), truth, scores, **options)
        assert isinstance(mine, float)
        np.testing.assert_allclose(
            mine, getattr(theirs, name)(truth, scores, **options), rtol=1e-10, atol=1e-14
        )


rows = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.one_of(
            st.sampled_from([0.0, -0.0, 0.5, 1.0]), st.floats(allow_nan=False, allow_infinity=False)
        ),
        st.sampled_from([0.25, 1.0, 2.0]),
    ),
    min_size=2,
    max_size=40,
).filter(lambda r: {t for t, _, _ in r} == {0, 1})


@settings(max_examples=150, deadline=None)
@given(rows)
def test_against_reference(table):
    truth, scores, weights = (list(column) for column in zip(*table, strict=True))
    assert ours.roc_auc_score(truth, scores) == reference.roc_auc(
        truth, scores
    )  # exact, to the bit
    assert ours.roc_auc_score(truth, scores, sample_weight=weights) == pytest.approx(
        reference.roc_auc_weighted(truth, scores, weights), rel=1e-12
    )
    assert ours.average_precision_score(truth, scores) == pytest.approx(
        reference.average_precision(truth, scores, [1.0] * len(truth)), rel=1e-12
    )
    assert ours.average_precision_score(truth, scores, sample_weight=weights) == pytest.approx(
        reference.average_precision(truth, scores, weights), rel=1e-12
    )


@pytest.mark.parametrize(
    "labels", [(-1, 1), (1, 2), (False, True), (0.0, 1.0), ("no", "yes"), (-7, 2**40)]
)
def test_labels_of_every_kind(rng, labels):
    truth = np.array(labels)[rng.integers(0, 2, 500)]
    scores = rng.random(500)
    assert in_core(ours.roc_auc_score, truth, scores) == pytest.approx(
        theirs.roc_auc_score(truth, scores), rel=1e-12
    )
    for positive in labels:
        mine = in_core(ours.average_precision_score, truth, scores, pos_label=positive)
        assert mine == pytest.approx(
            theirs.average_precision_score(truth, scores, pos_label=positive), rel=1e-12
        )


def test_perfect_worst_and_no_order():
    truth = [0, 0, 1, 1]
    assert ours.roc_auc_score(truth, [1, 2, 3, 4]) == 1.0
    assert ours.roc_auc_score(truth, [4, 3, 2, 1]) == 0.0
    assert ours.roc_auc_score(truth, [1, 1, 1, 1]) == 0.5
    assert ours.average_precision_score(truth, [1, 2, 3, 4]) == 1.0


def test_invariant_under_rising_transforms(rng):
    truth, scores = rng.integers(0, 2, 30_000), rng.normal(size=30_000)
    expected = ours.roc_auc_score(truth, scores)
    for transform in (
        lambda x: x * 2,
        lambda x: np.exp2(np.round(x * 8)) if False else x / 4,
        np.negative,
    ):
        value = ours.roc_auc_score(truth, transform(scores))
        assert value == (
            1 - expected if transform is np.negative else expected
        ) or value == pytest.approx(1 - expected, abs=1e-15)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    ("truth", "scores", "options"),
    [
        ([], [], {}),
        ([0, 1], [0.1, 0.2, 0.3], {}),
        ([0, 1], [np.nan, 0.2], {}),
        ([0, 1], [np.inf, 0.2], {}),
        ([0, 0], [0.1, 0.2], {}),
        ([0, 1, 2], [0.1, 0.2, 0.3], {}),
        ([0.5, 1.0], [0.1, 0.2], {}),
        ([0, 1], [0.1, 0.2], {"sample_weight": [1.0]}),
        ([0, 1], [0.1, 0.2], {"sample_weight": [np.nan, 1.0]}),
        ([0, 1], [0.1, 0.2], {"sample_weight": [0.0, 0.0]}),
        ([0, 1], [0.1, 0.2], {"average": "bogus"}),
        (["a", "b"], [0.1, 0.2], {}),
    ],
)
def test_bad_input_gets_scikit_learns_answer(name, truth, scores, options):
    results = []
    for module in (ours, theirs):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                value = repr(getattr(module, name)(truth, scores, **options))
            except Exception as error:
                value = f"{type(error).__name__}: {error}"
        results.append((value, [str(w.message) for w in caught]))
    assert results[0] == results[1]


def test_partial_area_and_multiclass_are_left_to_scikit_learn(rng):
    truth, scores = rng.integers(0, 2, 200), rng.random(200)
    assert ours.roc_auc_score(truth, scores, max_fpr=0.3) == theirs.roc_auc_score(
        truth, scores, max_fpr=0.3
    )
    three = rng.integers(0, 3, 200)
    table = rng.dirichlet(np.ones(3), 200)
    assert ours.roc_auc_score(three, table, multi_class="ovr") == theirs.roc_auc_score(
        three, table, multi_class="ovr"
    )


def resident_growth(function):
    """Most memory, beyond what there was before, that a call held: of its own process's high-water mark."""
    from pathlib import Path

    def field(name):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
        raise AssertionError(name)

    Path("/proc/self/clear_refs").write_text("5")
    before = field("VmRSS:")
    function()
    return field("VmHWM:") - before


@pytest.mark.parametrize(("weighted", "limit"), [(False, 1.5), (True, 3.0)])
def test_extra_memory(rng, weighted, limit):
    n = 4_000_000
    truth, scores = rng.integers(0, 2, n), rng.random(n)
    options = {"sample_weight": rng.random(n)} if weighted else {}
    small = {k: v[:1000] for k, v in options.items()}
    ours.roc_auc_score(truth[:1000], scores[:1000], **small)  # threads and code are in memory now
    tracemalloc.stop()
    used = resident_growth(lambda: ours.roc_auc_score(truth, scores, **options))
    assert used <= limit * scores.nbytes, f"{used / scores.nbytes:.2f} times the scores"
