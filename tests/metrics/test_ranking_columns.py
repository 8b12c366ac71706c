"""Ranking metrics of several classes, labels and samples, against scikit-learn and pair by pair."""

import numpy as np
import pytest

import mlestar.metrics as ours
from metrics.compare import same
from reference.curves import area_between

SCORES = {
    "float64": lambda s: s,
    "Fortran": np.asfortranarray,
    "strided": lambda s: np.repeat(s, 2, axis=1)[:, ::2],
    "float32": lambda s: s.astype(np.float32),
}


def probabilities(rng, n, classes, tied):
    s = rng.random((n, classes))
    if tied:
        s = np.round(s, 1) + 0.1
    return s / s.sum(axis=1, keepdims=True)


def classes_of(rng, n, classes):
    return np.concatenate([np.arange(classes), rng.integers(0, classes, n - classes)])


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("scores", SCORES)
@pytest.mark.parametrize(("n", "classes"), [(3, 3), (60, 5), (500, 12), (20_000, 4)])
def test_several_classes(rng, n, classes, scores, tied):
    y = classes_of(rng, n, classes)
    s = SCORES[scores](probabilities(rng, n, classes, tied))
    w = rng.random(n) + 0.01
    words = np.array([f"c{k:02d}" for k in range(classes)])
    for average in ("macro", "weighted"):
        same("roc_auc_score", y, s, multi_class="ovo", average=average)
        same("roc_auc_score", words[y], s, multi_class="ovo", average=average)
    for average in ("macro", "weighted", "micro", None):
        for weight in (None, w):
            options = {"average": average, "sample_weight": weight}
            same("roc_auc_score", y, s, multi_class="ovr", **options)
            same("average_precision_score", y, s, **options)
    same("roc_auc_score", y, s, multi_class="ovr", labels=np.arange(classes))


def test_a_class_that_does_not_occur(rng):
    y, s = rng.integers(0, 3, 50), probabilities(rng, 50, 4, False)
    same("roc_auc_score", y, s, multi_class="ovo", labels=[0, 1, 2, 3])
    same("roc_auc_score", y, s, multi_class="ovr", average=None, labels=[0, 1, 2, 3])


def test_pairs_of_classes_equal_their_definition(rng):
    y, s = classes_of(rng, 40, 3), probabilities(rng, 40, 3, True)
    pairs = [
        (area_between(y, s[:, a], a, b) + area_between(y, s[:, b], b, a)) / 2
        for a, b in ((0, 1), (0, 2), (1, 2))
    ]
    assert ours.roc_auc_score(y, s, multi_class="ovo") == pytest.approx(np.mean(pairs), rel=1e-13)


@pytest.mark.parametrize("scores", SCORES)
@pytest.mark.parametrize(("n", "labels"), [(4, 2), (60, 5), (400, 30)])
def test_several_labels(rng, n, labels, scores):
    y = (rng.random((n, labels)) < 0.4).astype(int)
    s, w = SCORES[scores](rng.random((n, labels))), rng.random(n) + 0.01
    for average in ("macro", "weighted", "micro", None, "samples"):
        for weight in (None, w):
            options = {"average": average, "sample_weight": weight}
            same("roc_auc_score", y, s, **options)
            same("average_precision_score", y, s, **options)
            if scores == "float64":
                same("roc_auc_score", y, s, max_fpr=0.3, **options)


@pytest.mark.parametrize("max_fpr", [0.01, 0.1, 0.5, 0.999, 1])
@pytest.mark.parametrize("n", [4, 200, 30_000])
def test_partial_areas(rng, n, max_fpr):
    y, s = classes_of(rng, n, 2), np.round(rng.normal(size=n), 2)
    for w in (None, rng.random(n) + 0.01):
        same("roc_auc_score", y, s, max_fpr=max_fpr, sample_weight=w)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "multi_class must be in"),
        ({"multi_class": "ovo", "sample_weight": np.ones(30)}, "sample_weight is not supported"),
        ({"multi_class": "ovo", "average": "micro"}, "average must be one of"),
        ({"multi_class": "ovr", "labels": [0, 1]}, "not equal to the number of columns"),
        ({"multi_class": "ovr", "labels": [2, 1, 0]}, "must be ordered"),
        ({"multi_class": "ovr", "max_fpr": 0.5}, "Partial AUC"),
    ],
)
def test_bad_input_is_worded_by_scikit_learn(rng, options, words):
    y, s = classes_of(rng, 30, 3), probabilities(rng, 30, 3, False)
    with pytest.raises(ValueError, match=words):
        ours.roc_auc_score(y, s, **options)


def test_scores_must_be_probabilities(rng):
    y, s = classes_of(rng, 30, 3), probabilities(rng, 30, 3, False)
    with pytest.raises(ValueError, match="should sum up to 1"):
        ours.roc_auc_score(y, s * 1.01, multi_class="ovr")
    with pytest.raises(ValueError, match="shape"):
        ours.average_precision_score(y[:29], s)
    with pytest.raises(ValueError, match="inconsistent"):
        ours.average_precision_score(y, s, sample_weight=np.ones(29))


@pytest.mark.parametrize("kind", [np.uint8, bool, np.int8])
def test_narrow_weights_and_indicators_do_not_wrap(rng, kind):
    y, s = (rng.random((300, 3)) < 0.8).astype(np.uint8), rng.random((300, 3))
    w = rng.integers(0, 100, 300).astype(kind)
    for name, options in (
        ("roc_auc_score", {}),
        ("average_precision_score", {}),
        ("roc_auc_score", {"max_fpr": 0.4}),
    ):
        same(name, y, s, average="weighted", sample_weight=w, **options)


@pytest.mark.parametrize(
    ("y", "s", "options", "words"),
    [
        (np.zeros((0, 2)), np.zeros((0, 2)), {"average": "weighted"}, "0 sample"),
        (
            np.zeros((0, 2), int),
            np.zeros((0, 2)),
            {"average": "samples", "max_fpr": 0.5},
            "0 sample",
        ),
        (np.zeros((2, 2), int), [[np.nan, 1.0], [0.0, 1.0]], {"average": "weighted"}, "NaN"),
        ([[0, 2], [-2, 0]], np.ones((2, 2)), {"average": "weighted"}, "not supported"),
        ([0], [0.1], {"max_fpr": 1.2}, "max_fpr"),
    ],
)
def test_nothing_is_answered_before_it_is_looked_at(y, s, options, words):
    with pytest.raises(ValueError, match=words):
        ours.roc_auc_score(y, s, **options)
