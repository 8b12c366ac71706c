import numpy as np
import pytest
import sklearn.model_selection as theirs
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

import mlestar.model_selection as ours
from mlestar.model_selection._fold_data import FoldBuffer
from mlestar.testing import core_calls


class Keeper(RegressorMixin, BaseEstimator):
    """Keeps what it was given, and what that was, in one of the ways estimators do."""

    def __init__(self, how="itself"):
        self.how = how

    def fit(self, X, y):
        self.copy_ = X.copy()
        self.kept_ = {
            "itself": lambda: X,
            "view": lambda: X[1:, :2].T,
            "memoryview": lambda: memoryview(X),
            "closure": lambda: lambda: X,
        }[self.how]()
        return self

    def predict(self, X):
        return X[:, 0]

    def unchanged(self):
        kept = self.kept_() if callable(self.kept_) else np.asarray(self.kept_)
        whole = self.copy_[1:, :2].T if self.how == "view" else self.copy_
        return np.array_equal(kept, whole)


@pytest.fixture
def data(rng):
    X = rng.random((4000, 6))
    return X, (X[:, 0] + 0.2 * rng.random(4000) > 0.6).astype(int)


@pytest.mark.parametrize("how", ["itself", "view", "memoryview", "closure"])
@pytest.mark.parametrize("backend", ["sequential", "threading"])
def test_training_data_that_an_estimator_keeps_is_never_overwritten(data, how, backend):
    from joblib import parallel_backend

    with parallel_backend(backend, n_jobs=2 if backend == "threading" else 1):
        found = ours.cross_validate(Keeper(how), *data, cv=6, return_estimator=True)
    assert all(estimator.unchanged() for estimator in found["estimator"])


def test_memory_is_lent_again_only_when_nobody_holds_it(rng):
    array = rng.random((20_000, 3))
    rows = np.arange(10_000)
    buffer = FoldBuffer()
    first = buffer.take(array, rows)
    address = first.ctypes.data
    second = buffer.take(array, rows + 5000)
    assert not np.shares_memory(first, second)
    np.testing.assert_array_equal(first, array[rows])
    place = second.ctypes.data
    assert place != address
    del second
    assert buffer.take(array, rows).ctypes.data == place


@pytest.mark.parametrize(
    "dtype", [np.float64, np.float32, np.int8, np.int16, np.uint64, bool, "U3"]
)
@pytest.mark.parametrize("layout", ["C", "F", "rows", "columns", "reversed"])
@pytest.mark.parametrize("rows", ["runs", "random"])
def test_rows_in_the_buffer_are_those_of_fancy_indexing(rng, dtype, layout, rows):
    array = (rng.random((9000, 14)) * 100).astype(np.int64).astype(dtype)
    array = {
        "C": array,
        "F": np.asfortranarray(array),
        "rows": array[::2],
        "columns": array[:, ::2],
        "reversed": array[::-1, ::-1],
    }[layout]
    size = len(array)
    chosen = (
        np.r_[0 : size // 3, size // 2 : size] if rows == "runs" else rng.integers(0, size, size)
    )
    taken = FoldBuffer().take(array, chosen)
    expected = array[chosen]
    np.testing.assert_array_equal(taken, expected)
    assert taken.dtype == expected.dtype
    assert taken.flags.c_contiguous


def test_rows_that_are_not_there_and_rows_from_the_end(rng):
    array = rng.random((20_000, 2))
    with pytest.raises(IndexError, match="out of bounds"):
        FoldBuffer().take(array, np.full(9000, 20_000))
    rows = np.arange(-9000, 0)
    np.testing.assert_array_equal(FoldBuffer().take(array, rows), array[rows])


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("kind", ["array", "float32", "fortran", "frame", "sparse", "list"])
def test_scores_are_scikit_learns(data, kind, n_jobs):
    X, y = data
    if kind == "frame":
        X = pytest.importorskip("pandas").DataFrame(X, columns=list("abcdef"))
    elif kind == "sparse":
        X = csr_array(X)
    elif kind == "list":
        X, y = X.tolist()[:200], y.tolist()[:200]
    elif kind != "array":
        X = X.astype(np.float32) if kind == "float32" else np.asfortranarray(X)
    options = {
        "cv": 4,
        "scoring": ["accuracy", "roc_auc"],
        "return_train_score": True,
        "return_indices": True,
    }
    mine = ours.cross_validate(LogisticRegression(), X, y, n_jobs=n_jobs, **options)
    other = theirs.cross_validate(LogisticRegression(), X, y, **options)
    assert list(mine) == list(other)
    for name in ("accuracy", "roc_auc"):
        for part in ("train", "test"):
            np.testing.assert_allclose(
                mine[f"{part}_{name}"], other[f"{part}_{name}"], rtol=1e-12, atol=0
            )
    for part in ("train", "test"):
        for a, b in zip(mine["indices"][part], other["indices"][part], strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_predictions_are_scikit_learns(data, method):
    cv = theirs.KFold(3, shuffle=True, random_state=0)
    before = core_calls().get("cross_val_predict", {"core": 0})["core"]
    mine = ours.cross_val_predict(LogisticRegression(), *data, cv=cv, method=method)
    np.testing.assert_array_equal(
        mine, theirs.cross_val_predict(LogisticRegression(), *data, cv=cv, method=method)
    )
    assert core_calls()["cross_val_predict"]["core"] == before + 1


def test_predictions_that_are_the_test_data_outlive_their_fold(data):
    X, y = data
    np.testing.assert_array_equal(ours.cross_val_predict(Keeper(), X, y), X[:, 0])


def test_neighbours_keep_their_fold(data):
    found = ours.cross_validate(KNeighborsClassifier(), *data, cv=3, return_estimator=True)
    for (train, _), model in zip(
        theirs.StratifiedKFold(3).split(*data), found["estimator"], strict=True
    ):
        np.testing.assert_array_equal(model._fit_X, data[0][train])


def test_precomputed_kernels(data):
    X, y = data[0][:300], data[1][:300]
    kernel = X @ X.T
    mine = ours.cross_val_score(SVC(kernel="precomputed"), kernel, y, cv=3)
    np.testing.assert_array_equal(
        mine, theirs.cross_val_score(SVC(kernel="precomputed"), kernel, y, cv=3)
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cv": 1}, "'cv' parameter of cross_validate"),
        ({"cv": 3, "scoring": "nothing"}, "'scoring' parameter of cross_validate"),
        ({"cv": 3, "error_score": "no"}, "'error_score' parameter of cross_validate"),
        ({"cv": 5000}, "n_splits=5000"),
    ],
)
def test_errors_are_scikit_learns(data, options, message):
    with pytest.raises(ValueError, match=message) as mine:
        ours.cross_validate(Ridge(), *data, **options)
    with pytest.raises(ValueError, match=message) as other:
        theirs.cross_validate(Ridge(), *data, **options)
    assert str(mine.value) == str(other.value)
