"""Multilabel indicators in metrics of labels, and the report, against scikit-learn and sets."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

import mlestar.metrics as ours
from metrics.compare import same

LAYOUTS = {
    "int64": lambda a: a,
    "int8": lambda a: a.astype(np.int8),
    "float": lambda a: a.astype(float),
    "Fortran": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
}
WEIGHTS = {
    "none": lambda rng, n: None,
    "fractions": lambda rng, n: rng.random(n) + 0.1,
    "whole": lambda rng, n: rng.integers(1, 4, n),
}
AVERAGES = [None, "micro", "macro", "weighted", "samples"]


def labels_of(rng, n, labels):
    t = (rng.random((n, labels)) < 0.4).astype(int)
    p = np.where(rng.random((n, labels)) < 0.7, t, 1 - t)
    t[0, 0] = 1
    return t, p


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("n", "labels"), [(1, 2), (5, 3), (50, 8), (2_000, 3), (9, 300)])
def test_indicators_equal_scikit_learns(rng, n, labels, layout, weights):
    t, p = (LAYOUTS[layout](a) for a in labels_of(rng, n, labels))
    w = WEIGHTS[weights](rng, n)
    for normalize in (True, False):
        same("accuracy_score", t, p, sample_weight=w, normalize=normalize)
    same("zero_one_loss", t, p, sample_weight=w)
    same("hamming_loss", t, p, sample_weight=w)
    for samplewise in (True, False):
        for chosen in (None, [1, 0]):
            options = {"samplewise": samplewise, "labels": chosen}
            same("multilabel_confusion_matrix", t, p, sample_weight=w, **options)
    for average in AVERAGES:
        options = {"average": average, "sample_weight": w}
        same("precision_recall_fscore_support", t, p, **options)
        same("f1_score", t, p, zero_division=1, **options)
        same("fbeta_score", t, p, zero_division=np.nan, beta=2, **options)
        same("recall_score", t, p, labels=[1, 0], **options)
        same("jaccard_score", t, p, **options)
    same("classification_report", t, p, output_dict=True, sample_weight=w)


pairs = st.lists(
    st.tuples(st.sets(st.integers(0, 3)), st.sets(st.integers(0, 3))), min_size=1, max_size=12
)


@given(pairs)
@settings(max_examples=150, deadline=None)
def test_samples_are_sets(rows):
    t, p = (
        np.array([[int(k in labels) for k in range(4)] for labels in column])
        for column in zip(*rows, strict=True)
    )
    overlap = [len(a & b) / len(a | b) if a | b else 1.0 for a, b in rows]
    found = [len(a & b) / len(a) if a else 1.0 for a, b in rows]
    assert ours.jaccard_score(t, p, average="samples", zero_division=1) == pytest.approx(
        np.mean(overlap)
    )
    assert ours.recall_score(t, p, average="samples", zero_division=1) == pytest.approx(
        np.mean(found)
    )
    assert ours.accuracy_score(t, p) == np.mean([a == b for a, b in rows])
    assert ours.hamming_loss(t, p) == pytest.approx(np.mean([len(a ^ b) / 4 for a, b in rows]))


LABELS = {
    "int64": lambda x: x,
    "int8": lambda x: x.astype(np.int8),
    "float": lambda x: x.astype(float),
    "strings": lambda x: np.array([f"class {v}" for v in x]),
    "objects": lambda x: np.array([f"class {v}" for v in x], dtype=object),
}


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize(("n", "classes"), [(1, 3), (5, 2), (60, 4), (3_000, 12)])
def test_report(rng, n, classes, labels):
    y = rng.integers(0, classes + 1, n)
    p = np.where(rng.random(n) < 0.6, y, rng.integers(0, classes + 2, n))
    y, p = LABELS[labels](y), LABELS[labels](p)
    same("classification_report", y, p)
    same("classification_report", y, p, output_dict=True, digits=4, sample_weight=rng.random(n))
    same("classification_report", y, p, zero_division=0, digits=3)
    same("classification_report", y, p, labels=[y[0]])
    same(
        "classification_report",
        y > y[0] if y.dtype.kind in "if" else y,
        p > y[0] if y.dtype.kind in "if" else p,
    )
    names = [f"name {k}" for k in range(len(set(y.tolist()) | set(p.tolist())))]
    same("classification_report", y, p, target_names=names)
    with pytest.raises(ValueError, match="does not match size of target_names"):
        ours.classification_report(y, p, target_names=[*names, "one too many"])


def test_report_of_indicators_reads_as_scikit_learns(rng):
    t, p = labels_of(rng, 40, 3)
    same("classification_report", t, p)
    same("classification_report", t, p, labels=[2, 0], target_names=["c", "a"])


def test_what_is_no_indicator_is_worded_by_scikit_learn():
    with pytest.raises(ValueError, match="multiclass-multioutput is not supported"):
        ours.f1_score([[0, 2], [1, 1]], [[0, 2], [1, 1]], average="micro")
    with pytest.raises(ValueError, match="mix of multilabel-indicator and multiclass"):
        ours.accuracy_score([[0, 1], [1, 1], [0, 0]], [0, 1, 2])
    with pytest.raises(ValueError, match="average='binary'"):
        ours.f1_score([[0, 1], [1, 1]], [[0, 1], [1, 1]])


@pytest.mark.parametrize("weights", [[np.nan, 1, 1], [np.inf, 1, 1], [0, 0, 0], [1 + 1j, 1, 1]])
def test_weights_by_sample_are_looked_at(weights):
    t, p = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0]]), np.array([[1, 1, 0], [0, 1, 0], [0, 1, 1]])
    for call in (ours.f1_score, ours.jaccard_score, ours.precision_recall_fscore_support):
        with pytest.raises(ValueError, match=r"NaN|infinity|non-zero|Complex"):
            call(t, p, average="samples", sample_weight=np.array(weights))
    with pytest.raises(ValueError, match=r"NaN|infinity|non-zero|Complex"):
        ours.multilabel_confusion_matrix(t, p, samplewise=True, sample_weight=np.array(weights))


def test_support_of_whole_weights_reads_as_scikit_learns():
    same("classification_report", [0, 1], [0, 1], sample_weight=[1, 2])
    same("classification_report", [0, 1], [0, 1], sample_weight=[1, 2], labels=[1, 0])


@pytest.mark.parametrize("label", [2**63, -(2**63) - 1])
def test_labels_that_64_bits_do_not_hold(label):
    with pytest.raises(ValueError, match="pos_label"):
        ours.f1_score([0, 1, 1, 0], [0, 1, 1, 0], pos_label=label)
    with pytest.raises(ValueError, match="pos_label"):
        ours.average_precision_score([0, 1], [0.1, 0.2], pos_label=label)
    assert ours.f1_score(
        [0, 1], [0, 1], labels=[0, label], average=None, zero_division=0
    ).tolist() == [1.0, 0.0]
    with pytest.warns(UserWarning, match="No positive samples"):
        assert len(ours.roc_curve([0, 1], [0.1, 0.2], pos_label=label)) == 3


@pytest.mark.parametrize("weighted", [False, True])
def test_hamming_loss_is_of_scikit_learns_type(rng, weighted):
    truth, predicted = (rng.integers(0, 2, (30, 4)) for _ in range(2))
    weights = rng.random(30) if weighted else None
    mine = ours.hamming_loss(truth, predicted, sample_weight=weights)
    assert type(mine) is type(sklearn.metrics.hamming_loss(truth, predicted, sample_weight=weights))
