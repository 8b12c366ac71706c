"""Curves over all thresholds, against scikit-learn and against their definition."""

import numpy as np
import pytest
import sklearn.metrics as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import mlestar.metrics as ours
from metrics.compare import same
from reference.curves import counts_at_thresholds

SCORES = {
    "uniform": lambda rng, n: rng.random(n),
    "normal": lambda rng, n: rng.normal(size=n),
    "tied": lambda rng, n: np.round(rng.normal(size=n), 1),
    "constant": lambda rng, n: np.zeros(n),
    "float32": lambda rng, n: rng.normal(size=n).astype(np.float32),
    "int8": lambda rng, n: rng.integers(-5, 5, n).astype(np.int8),
    "negative": lambda rng, n: -rng.random(n) - 0.1,
    "huge and tiny": lambda rng, n: rng.choice([1e300, -1e300, 1e-300, 0.0, -0.0, 5e-324], n),
    "strided": lambda rng, n: rng.random((n, 3))[:, 1],
    "column": lambda rng, n: rng.random((n, 1)),
}
WEIGHTS = {
    "none": lambda rng, n: None,
    "fractions": lambda rng, n: rng.random(n) + 0.01,
    "whole": lambda rng, n: rng.integers(0, 3, n) + (np.arange(n) < 4),
}


def binary(rng, n):
    y = (rng.random(n) < 0.4).astype(np.int64)
    y[: min(n, 2)] = [0, 1][: min(n, 2)]
    return y


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("scores", SCORES)
@pytest.mark.parametrize("n", [2, 3, 25, 257, 5_000])
def test_curves_equal_scikit_learns(rng, n, scores, weights):
    compare(rng, n, scores, weights)


@pytest.mark.parametrize("weights", ["none", "fractions"])
@pytest.mark.parametrize("scores", ["normal", "tied", "float32"])
def test_large_curves_equal_scikit_learns(rng, scores, weights):
    compare(rng, 200_001, scores, weights)


def compare(rng, n, scores, weights):
    """Every curve of one kind of scores."""
    y, s, w = binary(rng, n), SCORES[scores](rng, n), WEIGHTS[weights](rng, n)
    for drop in (True, False):
        options = {"sample_weight": w, "drop_intermediate": drop}
        same("roc_curve", y, s, **options)
        same("precision_recall_curve", y, s, **options)
        same("det_curve", y, s, **options)
    same("confusion_matrix_at_thresholds", y, s, sample_weight=w)


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1], [-1, -1, -1]])
def test_one_class_only(labels):
    scores = np.array([0.1, 0.5, 0.3])
    same("roc_curve", np.array(labels), scores)
    same("precision_recall_curve", np.array(labels), scores)
    with pytest.raises(ValueError, match="Only one class"):
        ours.det_curve(labels, scores)


@pytest.mark.parametrize("positive", [0, 1])
def test_positive_label(rng, positive):
    y, s = binary(rng, 300), rng.random(300)
    same("roc_curve", y, s, pos_label=positive)
    words = np.array(["no", "yes"])
    same("precision_recall_curve", words[y], s, pos_label=words[positive])
    same("roc_curve", y * 2 - 1, s)
    with pytest.raises(ValueError, match="pos_label"):
        ours.roc_curve(words[y], s)


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(-3, 3), st.integers(0, 3)), min_size=1, max_size=40
    )
)
@settings(max_examples=150, deadline=None)
def test_counts_equal_their_definition(rows):
    y, s, w = (np.array(column) for column in zip(*rows, strict=True))
    for weight in (None, w.astype(float)):
        if weight is not None and not weight.any():
            continue
        expected = counts_at_thresholds(y, s, weight)
        tns, fps, fns, tps, thresholds = ours.confusion_matrix_at_thresholds(
            y, s, pos_label=1, sample_weight=weight
        )
        assert thresholds.tolist() == [row[0] for row in expected]
        for k, values in enumerate((tns, fps, fns, tps), start=1):
            assert values.tolist() == [row[k] for row in expected]


def test_positional_arguments_are_still_scikit_learns(rng):
    y, s = binary(rng, 20), rng.random(20)
    with pytest.warns(FutureWarning):
        ours.confusion_matrix_at_thresholds(y, s, 1)


METRICS = [
    (theirs.accuracy_score, {}),
    (ours.accuracy_score, {"normalize": False}),
    (ours.zero_one_loss, {"normalize": False}),
    (theirs.f1_score, {}),
    (theirs.fbeta_score, {"beta": 2}),
    (theirs.precision_score, {"zero_division": 1}),
    (theirs.precision_score, {"zero_division": 0, "pos_label": 0}),
    (theirs.recall_score, {}),
    (theirs.jaccard_score, {}),
    (theirs.matthews_corrcoef, {}),
    (theirs.balanced_accuracy_score, {}),
    (theirs.roc_auc_score, {}),
    (theirs.hamming_loss, {}),
    (theirs.confusion_matrix, {"labels": [0, 1]}),
]


@pytest.mark.parametrize(
    ("metric", "options"), METRICS, ids=lambda v: getattr(v, "__name__", str(v))
)
@pytest.mark.parametrize("weights", [None, "fractions"])
def test_metrics_at_thresholds(rng, metric, options, weights):
    y, s = binary(rng, 60), np.round(rng.random(60), 1)
    if options.get("normalize") is False and weights:
        weights = None
    w = None if weights is None else WEIGHTS[weights](rng, 60)
    counted = metric is theirs.confusion_matrix and w is None
    values, thresholds = theirs.metric_at_thresholds(
        y, s, metric, sample_weight=w, metric_params=options
    )
    result, at = ours.metric_at_thresholds(y, s, metric, sample_weight=w, metric_params=options)
    np.testing.assert_allclose(result, values, rtol=1e-12)
    assert at.tolist() == thresholds.tolist()
    assert counted or result.dtype == np.float64


def test_a_metric_of_the_users_own_is_called(rng):
    y, s = binary(rng, 30), rng.random(30)

    def hits(y_true, y_pred):
        return int((y_true == y_pred).sum())

    values, _ = ours.metric_at_thresholds(y, s, hits)
    assert values.tolist() == theirs.metric_at_thresholds(y, s, hits)[0].tolist()


@pytest.mark.parametrize("n", [2, 1023, 1024, 1025, 200_000])
def test_area_under_points(rng, n):
    x, y = np.sort(rng.random(n)), rng.normal(size=n)
    same("auc", x, y)
    same("auc", x[::-1], y)
    same("auc", x.astype(np.float32), y, rtol=1e-5)
    with pytest.raises(ValueError, match="neither increasing nor decreasing"):
        ours.auc([0.0, 1.0, 0.5], [1.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("y", "s", "words"),
    [
        ([0, 1], [0.1, np.nan], "NaN"),
        ([0, 1], [0.1, np.inf], "infinity"),
        ([0, 1, 1], [0.1, 0.2], "inconsistent"),
        ([0, 1, 2], [0.1, 0.2, 0.3], "multiclass"),
    ],
)
def test_bad_input_is_worded_by_scikit_learn(y, s, words):
    for name in ("roc_curve", "precision_recall_curve", "det_curve"):
        with pytest.raises(ValueError, match=words):
            getattr(ours, name)(y, s)


def test_the_same_bits_for_any_number_of_threads_and_level(run_python):
    code = (
        "import numpy as np, hashlib; from mlestar.metrics import *; g = np.random.default_rng(0);"
        "y, s, w = g.integers(0, 2, 300_000), g.normal(size=300_000), g.random(300_000);"
        "P = g.random((100_000, 5)); P /= P.sum(1, keepdims=True); c = g.integers(0, 5, 100_000);"
        "parts = [*roc_curve(y, s), *precision_recall_curve(y, s, sample_weight=w), *det_curve(y, s),"
        " auc(np.sort(s), w), roc_auc_score(c, P, multi_class='ovo'), roc_auc_score(c, P, multi_class='ovr'),"
        " median_absolute_error(s, w), median_absolute_error(s, w, sample_weight=w), mean_poisson_deviance(w, w[::-1]),"
        " silhouette_samples(P[:600], c[:600]), adjusted_mutual_info_score(c, c[::-1]), ndcg_score(P, P[::-1]),"
        " label_ranking_loss(P > 0.2, P[::-1]), hinge_loss(c, P), f1_score(P > 0.2, P[::-1] > 0.2, average='macro')];"
        "print(hashlib.sha256(b''.join(np.asarray(p).tobytes() for p in parts)).hexdigest())"
    )
    seen = {
        run_python(code, env={"MLESTAR_NUM_THREADS": threads, "MLESTAR_SIMD": level})
        for threads, level in (("1", "baseline"), ("2", ""), ("5", ""), ("3", "baseline"))
    }
    assert len(seen) == 1
