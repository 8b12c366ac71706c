"""Functions of the confusion matrix, against scikit-learn and against their definitions."""

import warnings

import numpy as np
import pytest
import sklearn.metrics as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import mlestar.metrics as ours
from metrics.test_classification import in_core

pytestmark = pytest.mark.usefixtures("scikit_learns_warnings_only")

CASES = {
    "balanced_accuracy_score": [{}, {"adjusted": True}],
    "zero_one_loss": [{}, {"normalize": False}],
    "hamming_loss": [{}],
    "matthews_corrcoef": [{}],
    "cohen_kappa_score": [{}, {"weights": "linear"}, {"weights": "quadratic"}],
    "multilabel_confusion_matrix": [{}],
    "jaccard_score": [{"average": a} for a in (None, "micro", "macro", "weighted")],
}
LABELS = {
    "int64": lambda x: x,
    "int8": lambda x: x.astype(np.int8),
    "far apart": lambda x: x * 10**12 - 5,
    "float": lambda x: x.astype(float),
    "strings": lambda x: np.array([f"class {v}" for v in x]),
    "objects": lambda x: np.array([f"class {v}" for v in x], dtype=object),
    "strided": lambda x: np.repeat(x, 3)[::3],
}


@pytest.mark.parametrize(
    ("name", "options"), [(n, o) for n, all_ in CASES.items() for o in all_], ids=str
)
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize(("n", "classes"), [(2, 2), (9, 3), (1500, 2), (1500, 7), (5000, 40)])
def test_every_kind_of_label(rng, name, options, labels, n, classes):
    truth = rng.integers(0, classes, n)
    predicted = np.where(rng.random(n) < 0.6, truth, rng.integers(0, classes, n))
    truth[:classes] = np.arange(classes)[:n]  # every class occurs
    predicted[:classes] = np.arange(classes)[::-1][:n]
    truth, predicted = LABELS[labels](truth), LABELS[labels](predicted)
    for more in (
        {},
        {"sample_weight": rng.random(n) + 0.1},
        {"sample_weight": rng.integers(1, 4, n)},
    ):
        mine = in_core(getattr(ours, name), truth, predicted, **options, **more)
        other = getattr(theirs, name)(truth, predicted, **options, **more)
        np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-15)
        assert np.shape(mine) == np.shape(other)


@pytest.mark.parametrize("labels", [[2, 0], [0], [1, 2], [0, 9]])
def test_labels_asked_for(rng, labels):
    truth, predicted = rng.integers(0, 3, (2, 500))
    for name in ("cohen_kappa_score", "multilabel_confusion_matrix"):
        if (name, labels) == ("cohen_kappa_score", [0]):
            continue  # one class agrees with itself: undefined, and scikit-learn warns
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.testing.assert_allclose(
                getattr(ours, name)(truth, predicted, labels=labels),
                getattr(theirs, name)(truth, predicted, labels=labels),
                rtol=1e-12,
            )
    for average in (None, "micro", "macro", "weighted"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.testing.assert_allclose(
                ours.jaccard_score(truth, predicted, labels=labels, average=average),
                theirs.jaccard_score(truth, predicted, labels=labels, average=average),
                rtol=1e-12,
            )


@pytest.mark.parametrize("positive", [0, 1, 1.0, True])
def test_two_classes(rng, positive):
    truth, predicted = rng.integers(0, 2, (2, 500))
    assert in_core(ours.jaccard_score, truth, predicted, pos_label=positive) == pytest.approx(
        theirs.jaccard_score(truth, predicted, pos_label=positive), rel=1e-13
    )
    for options in ({}, {"sample_weight": rng.random(500)}, {"labels": [1, 0]}):
        np.testing.assert_allclose(
            in_core(ours.class_likelihood_ratios, truth, predicted, **options),
            theirs.class_likelihood_ratios(truth, predicted, **options),
            rtol=1e-12,
        )
    words = np.array(["no", "yes"])
    assert ours.jaccard_score(words[truth], words[predicted], pos_label="yes") == pytest.approx(
        theirs.jaccard_score(truth, predicted)
    )


pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=25)


def _outcome(function, *arguments, **options):
    """The answer, or the error and the warnings: what a caller sees."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            answer = np.asarray(function(*arguments, **options), dtype=float)
        except ValueError as error:
            answer = str(error)
    return answer, sorted((w.category.__name__, str(w.message)) for w in caught)


@settings(max_examples=150, deadline=None)
@given(pairs)
def test_small_tables_with_their_errors_and_warnings(table):
    truth, predicted = (np.array(column) for column in zip(*table, strict=True))
    calls = [(n, o) for n, all_ in CASES.items() for o in all_]
    calls += [("jaccard_score", {}), ("jaccard_score", {"zero_division": 1})]
    calls += [("jaccard_score", {"average": "macro", "labels": [0, 5]})]
    calls += [("jaccard_score", {"average": "micro", "pos_label": 3})]
    calls += [("confusion_matrix", {}), ("cohen_kappa_score", {"replace_undefined_by": 0.0})]
    calls += [("cohen_kappa_score", {"labels": [0, 1]})]
    calls += [("multilabel_confusion_matrix", {"labels": [3, 7]})]
    calls += [("class_likelihood_ratios", {})]
    calls += [("class_likelihood_ratios", {"replace_undefined_by": {"LR+": 2.0, "LR-": 0.5}})]
    for name, options in calls:
        mine, warned = _outcome(getattr(ours, name), truth, predicted, **options)
        other, expected = _outcome(getattr(theirs, name), truth, predicted, **options)
        assert warned == expected, (name, options)
        if isinstance(other, str):
            assert mine == other
        else:
            np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-15, err_msg=name)


@settings(max_examples=60, deadline=None)
@given(pairs)
def test_against_the_definitions(table):
    truth, predicted = zip(*table, strict=True)
    wrong = sum(t != p for t, p in table)
    assert ours.hamming_loss(truth, predicted) == pytest.approx(wrong / len(table))
    assert ours.zero_one_loss(truth, predicted, normalize=False) == wrong
    classes = sorted(set(truth))
    if set(predicted) <= set(classes) and len(classes) > 1:
        found = [sum(t == p == c for t, p in table) / truth.count(c) for c in classes]
        assert ours.balanced_accuracy_score(truth, predicted) == pytest.approx(np.mean(found))


@pytest.mark.parametrize("name", [*CASES, "class_likelihood_ratios"])
def test_errors_are_scikit_learns(name):
    for truth, predicted in (([0, 1], [0, 1, 1]), ([], []), ([0.5, 1.5], [0.5, 1.0])):
        assert (
            _outcome(getattr(ours, name), truth, predicted)[0]
            == _outcome(getattr(theirs, name), truth, predicted)[0]
        )


def test_wrong_options_are_scikit_learns_to_name():
    truth = [0, 1, 1]
    for name, options in (
        ("jaccard_score", {"zero_division": "no"}),
        ("jaccard_score", {"average": "mean"}),
        ("cohen_kappa_score", {"weights": "cubic"}),
        ("cohen_kappa_score", {"replace_undefined_by": 3.0}),
        ("balanced_accuracy_score", {"adjusted": "yes"}),
        ("zero_one_loss", {"normalize": "no"}),
    ):
        with pytest.raises(ValueError, match="parameter of"):
            getattr(ours, name)(truth, truth, **options)
