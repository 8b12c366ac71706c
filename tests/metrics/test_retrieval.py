"""Retrieval metrics, against scikit-learn and against their definitions."""

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

import mlestar.metrics as ours
from metrics.compare import same
from reference import retrieval as reference

SCORES = {
    "float64": lambda s: s,
    "tied": lambda s: np.round(s, 1),
    "Fortran": np.asfortranarray,
    "strided": lambda s: np.repeat(s, 2, axis=1)[:, ::2],
    "int16": lambda s: (s * 50).astype(np.int16),
}


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("scores", SCORES)
@pytest.mark.parametrize(("n", "items"), [(1, 3), (2, 2), (20, 5), (40, 130), (600, 12)])
def test_equals_scikit_learn(rng, n, items, scores, weights):
    s = SCORES[scores](rng.random((n, items)))
    y = (rng.random((n, items)) < 0.3).astype(int)
    y[0] = 0
    y[0, 0] = 1
    w = rng.random(n) + 0.1 if weights else None
    for name in ("coverage_error", "label_ranking_average_precision_score", "label_ranking_loss"):
        same(name, y, s, sample_weight=w)
    gains = rng.integers(0, 4, (n, items)).astype(float)
    for k in (None, 1, 3, 1000):
        same("dcg_score", gains, s, k=k, sample_weight=w, log_base=3)
        same("ndcg_score", gains, s, k=k, sample_weight=w)


def test_order_of_equal_scores_is_left_to_scikit_learn(rng):
    gains, scores = rng.random((50, 9)), rng.random((50, 9))
    same("ndcg_score", gains, scores, ignore_ties=True)
    same("dcg_score", gains, scores, ignore_ties=True, k=4)
    with pytest.raises(AssertionError, match="not answered in the core"):
        same("dcg_score", gains, np.round(scores, 1), ignore_ties=True)


rows = st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3)), min_size=2, max_size=30)


@given(rows)
@settings(max_examples=200, deadline=None)
def test_a_row_equals_its_definition(row):
    y, s = (np.array(column)[None] for column in zip(*row, strict=True))
    cases = {
        "coverage_error": reference.coverage,
        "label_ranking_average_precision_score": reference.average_precision,
        "label_ranking_loss": reference.ranking_loss,
        "dcg_score": reference.discounted_gain,
    }
    for name, definition in cases.items():
        result = getattr(ours, name)(np.vstack([y, y]), np.vstack([s, s]))
        assert result == pytest.approx(definition(y[0], s[0]), rel=1e-12), name


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("scores", SCORES)
@pytest.mark.parametrize(("n", "classes"), [(3, 3), (60, 5), (900, 40)])
def test_top_k(rng, n, classes, scores, weights):
    s = SCORES[scores](rng.random((n, classes)))
    y = np.concatenate([np.arange(classes), rng.integers(0, classes, max(0, n - classes))])
    s, w = s[: len(y)], rng.random(len(y)) if weights else None
    if len(s) < len(y):
        s = np.resize(s, (len(y), classes))
    for k in (1, 2, classes):
        same("top_k_accuracy_score", y, s, k=k, sample_weight=w)
        same("top_k_accuracy_score", y, s, k=k, sample_weight=w, normalize=False)
    words = np.array([f"c{k:02d}" for k in range(classes)])
    same("top_k_accuracy_score", words[y], s, k=2)
    same("top_k_accuracy_score", words[y % 2], s, k=2, labels=words)


def test_top_k_of_two_classes(rng):
    y, s = rng.integers(0, 2, 50), rng.random(50)
    same("top_k_accuracy_score", y, s, k=1)
    same("top_k_accuracy_score", y, s * 4 - 2, k=1)
    same("top_k_accuracy_score", y, s[:, None], k=2)


@pytest.mark.parametrize(
    ("name", "y", "s", "words"),
    [
        ("coverage_error", [[0, 1], [1, 2]], [[0.1, 0.2], [0.3, 0.4]], "multiclass-multioutput"),
        ("label_ranking_loss", [[0, 1], [1, 0]], [[0.1, np.nan], [0.3, 0.4]], "NaN"),
        ("label_ranking_average_precision_score", [[0, 1], [1, 0]], [[0.1], [0.3]], "shape"),
        ("ndcg_score", [[-1.0, 1.0]], [[0.1, 0.2]], "negative"),
        ("ndcg_score", [[1.0]], [[0.1]], "more than 1 document"),
        ("top_k_accuracy_score", [0, 1, 2], [[0.1, 0.2], [0.3, 0.4], [0.1, 0.2]], "not equal"),
    ],
)
def test_bad_input_is_worded_by_scikit_learn(name, y, s, words):
    with pytest.raises(ValueError, match=words):
        getattr(ours, name)(y, s)


def test_weights_in_a_series_are_those_of_scikit_learn(rng):
    """Which looks them up by their labels in one function, and by their places in the others."""
    pandas = pytest.importorskip("pandas")
    y, s, w = rng.integers(0, 2, (40, 5)), rng.random((40, 5)), rng.random(40) + 0.1
    labelled = pandas.Series(w, index=rng.permutation(40))
    for name in ("coverage_error", "label_ranking_loss", "dcg_score", "ndcg_score"):
        same(name, y, s, sample_weight=labelled)
    same("label_ranking_average_precision_score", y, s, sample_weight=pandas.Series(w))
    average_precision = ours.label_ranking_average_precision_score
    by_label = average_precision(y, s, sample_weight=labelled)
    assert by_label == sk.label_ranking_average_precision_score(y, s, sample_weight=labelled)
    assert by_label != average_precision(y, s, sample_weight=w)
    with pytest.raises(KeyError):
        average_precision(y, s, sample_weight=pandas.Series(w, index=np.arange(100, 140)))


def test_rows_without_gains(rng):
    gains, scores = rng.integers(0, 3, (20, 6)), rng.random((20, 6))
    gains[[0, 7]] = 0
    same("ndcg_score", gains, scores)
    assert same("ndcg_score", gains[[0, 7]], scores[[0, 7]]) == 0.0
