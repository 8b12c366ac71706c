import json
import pickle

import numpy as np
import pytest
import sklearn.preprocessing as theirs

import mlestar
import mlestar.preprocessing as ours
from mlestar.testing import core_calls

LABELS = {
    "int64": np.array([5, -3, 5, 0, 7, 0, -3, 5, 5, 0]),
    "int8": np.array([1, 0, 1, 1, 2, 2], dtype=np.int8),
    "uint8": np.array([1, 0, 1, 1, 2, 2], dtype=np.uint8),
    "two": np.array([4, 9, 4, 4]),
    "one": np.array([4, 4, 4]),
    "bool": np.array([True, False, True]),
    "strings": np.array(["b", "a", "cc", "a", "b", "b"]),
    "objects": np.array(["b", "a", "cc", "a", "b", "b"], dtype=object),
    "reals": np.array([0.5, 2.0, 0.5, -1.0]),
    "list": ["b", "a", "cc", "a", "b", "b"],
    "numbers in a list": [3, 1, 3, 2, 2, 1],
}


def same(mine, other):
    if hasattr(other, "toarray"):
        assert type(mine) is type(other)
        mine, other = mine.toarray(), other.toarray()
    assert mine.dtype == other.dtype
    np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("kind", LABELS)
def test_label_encoder(kind):
    y = LABELS[kind]
    mine, other = ours.LabelEncoder().fit(y), theirs.LabelEncoder().fit(y)
    same(mine.classes_, other.classes_)
    before = core_calls()["LabelEncoder"]["core"]
    same(mine.transform(y), other.transform(y))
    same(ours.LabelEncoder().fit_transform(y), theirs.LabelEncoder().fit_transform(y))
    assert core_calls()["LabelEncoder"]["core"] == before + 2
    out = np.empty(len(y), np.int64)
    assert mine.transform(y, out=out) is out
    same(out, other.transform(y))
    same(mine.inverse_transform(out), other.inverse_transform(out))
    batched = ours.LabelEncoder().partial_fit(y[:2]).partial_fit(y[2:])
    same(batched.transform(y), other.transform(y))
    merged = (
        ours.LabelEncoder()
        .fit(y[:2])
        .merge(ours.LabelEncoder())
        .merge(ours.LabelEncoder().fit(y[1:]))
    )
    same(merged.transform(y), other.transform(y))
    state = mine.state_dict()
    json.dumps(state, default=lambda v: v.tolist())
    same(ours.LabelEncoder().load_state_dict(state).transform(y), other.transform(y))
    same(pickle.loads(pickle.dumps(mine)).transform(y), other.transform(y))


@pytest.mark.parametrize("kind", [k for k in LABELS if k != "reals"])
@pytest.mark.parametrize(
    "options", [{}, {"neg_label": -1}, {"neg_label": -2, "pos_label": 0}, {"sparse_output": True}]
)
def test_label_binarizer(kind, options):
    y = LABELS[kind]
    mine, other = ours.LabelBinarizer(**options).fit(y), theirs.LabelBinarizer(**options).fit(y)
    for name in ("classes_", "y_type_", "sparse_input_"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(other, name))
    assert mine.classes_.dtype == other.classes_.dtype
    same(mine.transform(y), other.transform(y))
    same(mine.inverse_transform(mine.transform(y)), other.inverse_transform(other.transform(y)))
    batched = ours.LabelBinarizer(**options).partial_fit(y[:2]).partial_fit(y[2:])
    same(batched.transform(y), other.transform(y))
    loaded = ours.LabelBinarizer(**options).load_state_dict(mine.state_dict())
    same(loaded.transform(y), other.transform(y))
    if not options:
        expected = other.transform(y)
        out = np.full_like(expected, 9)
        assert mine.transform(y, out=out) is out
        same(out, expected)


def test_unknown_labels():
    for kind in ("int64", "strings", "objects"):
        y = LABELS[kind]
        new = np.array(["x"]) if kind != "int64" else np.array([99])
        with pytest.raises(ValueError, match="previously unseen labels"):
            ours.LabelEncoder().fit(y).transform(new)
        many = np.concatenate([y, new])
        mine, other = ours.LabelBinarizer().fit(y), theirs.LabelBinarizer().fit(y)
        same(mine.transform(many), other.transform(many))
        mine, other = ours.LabelBinarizer().fit(y[:2]), theirs.LabelBinarizer().fit(y[:2])
        same(mine.transform(many), other.transform(many))


def test_several_labels_a_row_are_scikit_learns():
    Y = np.array([[1, 0, 1], [0, 1, 0]])
    mine, other = ours.LabelBinarizer().fit(Y), theirs.LabelBinarizer().fit(Y)
    same(mine.transform(Y), other.transform(Y))
    with pytest.raises(ValueError, match="multilabel"):
        mine.partial_fit(np.array([1, 2]))
    with pytest.raises(ValueError, match="multilabel"):
        ours.LabelBinarizer().fit([1, 2]).merge(mine)


def test_errors():
    mine = ours.LabelEncoder().fit([1, 2, 3])
    with pytest.raises(ValueError, match="numbers in all batches"):
        mine.partial_fit(["a"])
    with pytest.raises(ValueError, match="other is a list"):
        mine.merge([1])
    y = np.array([1, 2])
    for out, words in (
        ([1], "out is a list"),
        (np.empty(3, np.int64), r"out has shape \(3,\)"),
        (np.empty(2), "out has dtype float64"),
        (y, "out overlaps y"),
    ):
        with pytest.raises(ValueError, match=words):
            mine.transform(y, out=out)
    with pytest.raises(ValueError, match="classes_"):
        mine.load_state_dict({**mine.state_dict(), "attributes": {"classes_": 3}})
    with pytest.raises(ValueError, match="sparse_output"):
        ours.LabelBinarizer(sparse_output=True).fit([1, 2, 3]).transform([1], out=np.empty((1, 3)))
    assert ours.LabelEncoder().fit([1.0, np.inf]).classes_.tolist() == [1.0, np.inf]  # as theirs


def test_any_number_of_threads(rng):
    y = rng.integers(0, 50_000, 300_000)
    before = mlestar.get_num_threads()
    found = []
    try:
        for threads in (1, 3):
            mlestar.set_num_threads(threads)
            found.append(ours.LabelEncoder().fit_transform(y))
    finally:
        mlestar.set_num_threads(before)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], theirs.LabelEncoder().fit_transform(y))


def test_no_labels():
    with pytest.raises(ValueError, match="previously unseen labels"):
        ours.LabelEncoder().fit([]).transform([0])


@pytest.mark.parametrize(
    "options",
    [
        {"neg_label": -1, "sparse_output": True},
        {"neg_label": 3},
        {"neg_label": -300},
        {"pos_label": 2**70},
        {"pos_label": "a"},
    ],
)
def test_parameters_that_are_set_after_the_fit(options):
    y = np.array([1, 2, 3], np.int8)
    mine, other = ours.LabelBinarizer().fit(y), theirs.LabelBinarizer().fit(y)
    mine.set_params(**options)
    other.set_params(**options)
    try:
        expected = other.transform(y)
    except (ValueError, OverflowError) as error:
        with pytest.raises(type(error), match=str(error)[:20]):
            mine.transform(y)
    else:
        same(mine.transform(y), expected)
