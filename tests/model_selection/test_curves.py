"""Curves and permutation tests: scikit-learn's numbers, warnings and errors."""

import warnings

import numpy as np
import pytest
import sklearn.model_selection as theirs
from scipy.sparse import csr_array
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics.pairwise import linear_kernel
from sklearn.svm import SVC

import mlestar.model_selection as ours
from mlestar.testing import core_calls


@pytest.fixture(params=["array", "fortran", "float32", "frame", "sparse", "list"])
def data(request, rng):
    X = rng.random((300, 5))
    y = (X[:, 0] + 0.4 * rng.random(300) > 0.7).astype(int)
    if request.param == "frame":
        pandas = pytest.importorskip("pandas")
        return pandas.DataFrame(X, columns=list("abcde")), y
    change = {
        "array": np.asarray,
        "fortran": np.asfortranarray,
        "float32": np.float32,
        "sparse": csr_array,
        "list": np.ndarray.tolist,
    }[request.param]
    return change(X), y


def same(name, *arguments, **options):
    """Both answers; equal, warnings included."""
    found = []
    for room in (theirs, ours):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            answer = getattr(room, name)(*arguments, **options)
        found.append((answer, [(w.category, str(w.message)) for w in said]))
    (expected, expected_words), (answer, words) = found
    assert len(answer) == len(expected)
    for a, b in zip(answer[:3], expected[:3], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert words == expected_words
    return answer


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("sizes", [[0.2, 0.5, 1.0], [50, 100, 100]])
def test_learning_curve(data, shuffle, sizes):
    before = core_calls().get("learning_curve", {"core": 0})["core"]
    same(
        "learning_curve", LogisticRegression(), *data, cv=4, train_sizes=sizes, shuffle=shuffle,
        random_state=3, scoring="roc_auc", return_times=True,
    )  # fmt: skip
    assert core_calls()["learning_curve"]["core"] == before + 1


@pytest.mark.parametrize("random_state", [0, 7])
def test_learning_curve_by_partial_fits(data, random_state):
    estimator = SGDClassifier(random_state=random_state)
    same(
        "learning_curve", estimator, *data, cv=3, exploit_incremental_learning=True,
        return_times=True, shuffle=True, random_state=random_state,
    )  # fmt: skip
    times = ours.learning_curve(
        estimator, *data, cv=3, exploit_incremental_learning=True, return_times=True
    )[3:]
    assert all(t.shape == (5, 3) and (t > 0).all() for t in times)


def test_validation_curve(data):
    options = {"param_name": "C", "param_range": [0.01, 1, 100], "cv": 4}
    same("validation_curve", LogisticRegression(), *data, **options)
    same("validation_curve", LogisticRegression(), *data, scoring="average_precision", **options)


@pytest.mark.parametrize("groups", [False, True])
def test_permutation_test_score(data, groups, rng):
    X, y = data
    options = {"groups": rng.integers(0, 4, len(y)), "cv": 3} if groups else {}
    same(
        "permutation_test_score", LogisticRegression(), X, y, n_permutations=5, random_state=1,
        scoring="accuracy", **options,
    )  # fmt: skip


def test_a_permutation_that_is_as_good_counts(rng):
    X, y = rng.random((40, 2)), np.arange(40) % 2
    score, scores, pvalue = same(
        "permutation_test_score", DummyClassifier(), X, y, n_permutations=7, cv=2
    )
    assert (scores == score).all()
    assert pvalue == 1.0


def test_a_kernel_that_is_given(rng):
    X = rng.random((60, 3))
    y = (X[:, 0] > 0.5).astype(int)
    kernel = linear_kernel(X)
    estimator = SVC(kernel="precomputed")
    same("learning_curve", estimator, kernel, y, cv=3, train_sizes=[20, 40], shuffle=True,
         random_state=0)  # fmt: skip
    same("permutation_test_score", estimator, kernel, y, cv=3, n_permutations=3)
    same("validation_curve", estimator, kernel, y, cv=3, param_name="C", param_range=[0.1, 1.0])


def test_processes_give_the_same(rng):
    X, y = rng.random((200, 3)), rng.random(200)
    for name, options in (
        ("learning_curve", {}),
        ("permutation_test_score", {"n_permutations": 4}),
        ("validation_curve", {"param_name": "alpha", "param_range": [1, 2]}),
    ):
        one, two = (getattr(ours, name)(Ridge(), X, y, n_jobs=n, **options) for n in (1, 2))
        for a, b in zip(one, two, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("learning_curve", {"train_sizes": [0.0, 1.0]}),
        ("learning_curve", {"train_sizes": [1000]}),
        ("learning_curve", {"exploit_incremental_learning": True}),
        ("learning_curve", {"n_jobs": "two"}),
        ("learning_curve", {"scoring": "no such"}),
        ("validation_curve", {"param_name": "alpha", "param_range": 3}),
        ("permutation_test_score", {"n_permutations": 2.5}),
        ("permutation_test_score", {"cv": 1000}),
    ],
)
def test_errors_are_scikit_learns(rng, name, options):
    X, y = rng.random((50, 2)), rng.random(50)
    words = []
    for room in (theirs, ours):
        with pytest.raises((ValueError, TypeError)) as error:
            getattr(room, name)(Ridge(), X, y, **options)
        words.append((error.type, str(error.value)))
    assert words[0][0] is words[1][0]
    assert words[0][1] == words[1][1]


def test_what_is_verbose_is_scikit_learns(rng, capsys):
    X, y = rng.random((50, 2)), rng.random(50)
    before = core_calls().get("learning_curve", {"declined": 0})["declined"]
    ours.learning_curve(Ridge(), X, y, verbose=2, cv=2)
    assert "[CV] END" in capsys.readouterr().out
    assert core_calls()["learning_curve"]["declined"] == before + 1
