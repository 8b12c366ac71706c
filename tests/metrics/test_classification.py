import inspect
import warnings

import numpy as np
import pytest
import sklearn.metrics as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import mlestar.metrics as ours
from mlestar.testing import core_calls
from reference import metrics as reference

pytestmark = pytest.mark.usefixtures("scikit_learns_warnings_only")

NAMES = [
    "accuracy_score",
    "confusion_matrix",
    "f1_score",
    "precision_score",
    "recall_score",
    "precision_recall_fscore_support",
]


def in_core(function, *args, **kwargs):
    """The answer, which the core must have given."""
    name = function.__name__
    before = core_calls().get(name, {"core": 0})["core"]
    result = function(*args, **kwargs)
    assert core_calls()[name]["core"] == before + 1, f"{name} was declined"
    return result


@pytest.mark.parametrize(
    "name", [name for name in theirs.__all__ if inspect.isfunction(vars(ours).get(name))]
)
def test_signature_is_scikit_learns(name):
    def names(function):
        # confusion_matrix_at_thresholds hands deprecated positional arguments on.
        parameters = inspect.signature(function).parameters.values()
        return [p.name for p in parameters if p.kind is not p.VAR_POSITIONAL]

    assert names(getattr(ours, name)) == names(getattr(theirs, name))


LABELS = {
    "int64": lambda k: k,
    "int32": lambda k: k.astype(np.int32),
    "int16": lambda k: (k - 3).astype(np.int16),
    "int8": lambda k: (k - 2).astype(np.int8),
    "uint64": lambda k: k.astype(np.uint64),
    "uint32": lambda k: k.astype(np.uint32),
    "uint16": lambda k: k.astype(np.uint16),
    "uint8": lambda k: (k * 60).astype(np.uint8),
    "float64": lambda k: k.astype(np.float64) - 1,
    "float32": lambda k: k.astype(np.float32),
    "far apart": lambda k: np.array([-(2**62), 0, 2**40, 2**62])[k],
    "spread": lambda k: k * 1000 + 5,
    "bool": lambda k: k > 1,
    "strings": lambda k: np.array(["b", "a", "ccc", "é"])[k],
    "strided": lambda k: np.repeat(k, 3)[::3],
    "reversed": lambda k: k[::-1].copy()[::-1],
    "column of a matrix": lambda k: np.stack([k, k], axis=1)[:, 1],
}


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("n", [1, 7, 1023, 1025, 200_003])
def test_labels_of_every_kind(rng, kind, n):
    truth = LABELS[kind](rng.integers(0, 4, n))
    predicted = LABELS[kind](rng.integers(0, 4, n))
    weights = rng.random(n)
    for options in ({}, {"sample_weight": weights}, {"normalize": False}):
        np.testing.assert_allclose(
            in_core(ours.accuracy_score, truth, predicted, **options),
            theirs.accuracy_score(truth, predicted, **options),
            rtol=1e-12,
        )
    if n < 2 or len(np.unique(truth)) < 2:
        return
    matrix = in_core(ours.confusion_matrix, truth, predicted)
    expected = theirs.confusion_matrix(truth, predicted)
    assert matrix.dtype == expected.dtype
    np.testing.assert_array_equal(matrix, expected)
    np.testing.assert_allclose(
        in_core(ours.confusion_matrix, truth, predicted, sample_weight=weights),
        theirs.confusion_matrix(truth, predicted, sample_weight=weights),
        rtol=1e-12,
    )
    for average in (None, "micro", "macro", "weighted"):
        for options in ({}, {"sample_weight": weights}):
            mine = in_core(
                ours.f1_score, truth, predicted, average=average, zero_division=0, **options
            )
            np.testing.assert_allclose(
                mine,
                theirs.f1_score(truth, predicted, average=average, zero_division=0, **options),
                rtol=1e-12,
            )


@pytest.mark.parametrize("classes", [2, 33, 64, 65, 300, 5000])
def test_many_classes(rng, classes):
    truth, predicted = rng.integers(0, classes, 20_000), rng.integers(0, classes, 20_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for function in ("confusion_matrix", "precision_recall_fscore_support"):
            mine = in_core(getattr(ours, function), truth, predicted)
            other = getattr(theirs, function)(truth, predicted)
            for a, b in zip(np.atleast_1d(mine), np.atleast_1d(other), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-2, 3), st.integers(-2, 3), st.sampled_from([0.0, 0.5, 1.0, 3.0])),
        min_size=1,
        max_size=30,
    )
)
def test_against_reference(rows):
    truth, predicted, weights = (list(column) for column in zip(*rows, strict=True))
    if not any(weights):
        return
    mine = ours.accuracy_score(truth, predicted, sample_weight=weights)
    assert mine == pytest.approx(reference.accuracy(truth, predicted, weights), rel=1e-13)
    labels, expected = reference.confusion(truth, predicted, weights)
    if len(labels) > 1:
        np.testing.assert_allclose(
            ours.confusion_matrix(truth, predicted, sample_weight=weights), expected, rtol=1e-13
        )


@pytest.mark.parametrize("name", NAMES[2:])
@pytest.mark.parametrize("zero_division", ["warn", 0, 1, np.nan])
@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted", "binary"])
def test_undefined_is_said_in_scikit_learns_words(name, zero_division, average):
    cases = [
        ([0, 0, 0, 1], [0, 0, 0, 0]),
        ([0, 0, 0], [0, 0, 1]),
        ([0, 0], [0, 0]),
        ([1, 1], [0, 0]),
    ]
    if average != "binary":
        cases.append(([0, 1, 2, 2], [3, 1, 1, 1]))
    for truth, predicted in cases:
        results = []
        for module in (ours, theirs):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                value = getattr(module, name)(
                    np.array(truth),
                    np.array(predicted),
                    average=average,
                    zero_division=zero_division,
                )
            results.append(
                (value, sorted(str(w.message) for w in caught), {w.category for w in caught})
            )
        (mine, my_words, my_kinds), (other, their_words, their_kinds) = results
        for a, b in zip(
            np.atleast_1d(np.array(mine, dtype=object)),
            np.atleast_1d(np.array(other, dtype=object)),
            strict=True,
        ):
            if a is None or b is None:
                assert a is b
            else:
                np.testing.assert_allclose(np.asarray(a, float), np.asarray(b, float), rtol=1e-13)
        assert my_words == their_words
        assert my_kinds == their_kinds


@pytest.mark.parametrize("labels", [[2, 0], [0, 1, 2, 7], [1]])
def test_labels_argument(rng, labels):
    truth, predicted = rng.integers(0, 4, 500), rng.integers(0, 4, 500)
    np.testing.assert_array_equal(
        in_core(ours.confusion_matrix, truth, predicted, labels=labels)
        if len(labels) > 1
        else ours.confusion_matrix(truth, predicted, labels=[*labels, 3]),
        theirs.confusion_matrix(
            truth, predicted, labels=labels if len(labels) > 1 else [*labels, 3]
        ),
    )
    for average in (None, "micro", "macro", "weighted"):
        np.testing.assert_allclose(
            in_core(
                ours.recall_score, truth, predicted, labels=labels, average=average, zero_division=1
            ),
            theirs.recall_score(truth, predicted, labels=labels, average=average, zero_division=1),
            rtol=1e-13,
        )


@pytest.mark.parametrize("normalize", ["true", "pred", "all"])
def test_normalized_confusion(rng, normalize):
    truth, predicted = rng.integers(0, 3, 100), rng.integers(0, 4, 100)
    np.testing.assert_allclose(
        in_core(ours.confusion_matrix, truth, predicted, normalize=normalize),
        theirs.confusion_matrix(truth, predicted, normalize=normalize),
        rtol=1e-13,
    )


def test_beta_and_strings(rng):
    truth = np.array(["no", "yes"])[rng.integers(0, 2, 300)]
    predicted = np.array(["no", "yes"])[rng.integers(0, 2, 300)]
    for beta in (0.0, 0.5, 2.0, np.inf):
        assert ours.fbeta_score(truth, predicted, beta=beta, pos_label="yes") == pytest.approx(
            theirs.fbeta_score(truth, predicted, beta=beta, pos_label="yes"), rel=1e-13
        )


BAD = [
    ([], []),
    ([0, 1], [0, 1, 1]),
    ([0.5, 1.0], [0.0, 1.0]),
    ([0.0, np.nan], [0.0, 1.0]),
    ([0.0, np.inf], [0.0, 1.0]),
    (np.zeros((2, 3, 1)), np.zeros((2, 3, 1))),
    ([0, 1], ["a", "b"]),
    ([0, "a"], [0, "a"]),
    (np.array([1 + 2j, 0]), np.array([0, 1])),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", range(len(BAD)))
def test_bad_input_gets_scikit_learns_error(name, bad):
    truth, predicted = BAD[bad]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = getattr(theirs, name)(truth, predicted)
        except Exception as error:
            with pytest.raises(type(error)) as caught:
                getattr(ours, name)(truth, predicted)
            assert str(caught.value) == str(error)
        else:
            np.testing.assert_array_equal(getattr(ours, name)(truth, predicted), expected)


@pytest.mark.parametrize("weights", [[0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0], [1.0], [[1.0, 1.0]]])
def test_bad_weights(weights):
    for name in ("accuracy_score", "confusion_matrix"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ValueError) as expected:
                getattr(theirs, name)([0, 1], [0, 1], sample_weight=weights)
            with pytest.raises(ValueError) as caught:
                getattr(ours, name)([0, 1], [0, 1], sample_weight=weights)
        assert str(caught.value) == str(expected.value)


def test_read_only_and_huge_labels(rng):
    truth = np.array([2**63 - 1, -(2**63), 0, 5] * 50)
    predicted = truth[::-1].copy()
    truth.setflags(write=False)
    predicted.setflags(write=False)
    assert in_core(ours.accuracy_score, truth, predicted) == theirs.accuracy_score(truth, predicted)
    np.testing.assert_array_equal(
        in_core(ours.confusion_matrix, truth, predicted), theirs.confusion_matrix(truth, predicted)
    )


def test_strings_in_objects_are_strings():
    pandas = pytest.importorskip("pandas")
    truth = np.array(["a", "b", "a"], dtype=object)
    assert in_core(ours.accuracy_score, truth, np.array(["a", "b", "c"])) == pytest.approx(2 / 3)
    assert in_core(ours.accuracy_score, pandas.Series(["a", "b"]), pandas.Series(["a", "a"])) == 0.5


@pytest.mark.parametrize(
    "truth",
    [
        np.array(["a\0", "a"], dtype=object),
        np.array([0, 1]).astype(">i8"),
    ],
)
def test_what_is_left_to_scikit_learn(truth):
    before = core_calls().get("accuracy_score", {"declined": 0})["declined"]
    assert ours.accuracy_score(truth, truth) == theirs.accuracy_score(truth, truth)
    assert core_calls()["accuracy_score"]["declined"] == before + 1


def test_series_and_lists(rng):
    pandas = pytest.importorskip("pandas")
    truth, predicted = rng.integers(0, 3, 50), rng.integers(0, 3, 50)
    expected = theirs.accuracy_score(truth, predicted)
    assert in_core(ours.accuracy_score, pandas.Series(truth), pandas.Series(predicted)) == expected
    assert in_core(ours.accuracy_score, truth.tolist(), tuple(predicted.tolist())) == expected


def test_torch_tensors(rng):
    torch = pytest.importorskip("torch")
    truth, predicted = rng.integers(0, 3, 50), rng.integers(0, 3, 50)
    mine = in_core(ours.accuracy_score, torch.from_numpy(truth), torch.from_numpy(predicted))
    assert mine == theirs.accuracy_score(truth, predicted)
