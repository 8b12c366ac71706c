import numpy as np
import pytest
import sklearn.metrics as sk
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from mlestar.ensemble import (
    WeightedEnsembleClassifier,
    WeightedEnsembleRegressor,
    convex_weights,
    optimize_weights,
)

CLASSIFIERS = [
    ("bayes", GaussianNB()),
    ("tree", DecisionTreeClassifier(max_depth=2, random_state=0)),
]
REGRESSORS = [
    ("line", LinearRegression()),
    ("tree", DecisionTreeRegressor(max_depth=2, random_state=0)),
]


@parametrize_with_checks(
    [
        WeightedEnsembleClassifier(CLASSIFIERS, cv=2, method="convex"),
        WeightedEnsembleRegressor(REGRESSORS, cv=2, method="convex"),
    ]
)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_weights_are_those_of_the_out_of_fold_probabilities():
    X, y = load_breast_cancer(return_X_y=True)
    found = WeightedEnsembleClassifier(CLASSIFIERS, method="convex", cv=4).fit(X, y)
    folds = list(StratifiedKFold(4).split(X, y))
    held = [
        cross_val_predict(clone(e), X, y, cv=folds, method="predict_proba")[:, 1]
        for _, e in CLASSIFIERS
    ]
    np.testing.assert_allclose(found.weights_, convex_weights(held, y).weights)
    want = sum(
        w * clone(e).fit(X, y).predict_proba(X)[:, 1]
        for w, (_, e) in zip(found.weights_, CLASSIFIERS, strict=True)
    )
    np.testing.assert_allclose(found.predict_proba(X)[:, 1], want)
    np.testing.assert_allclose(found.predict_proba(X).sum(axis=1), 1)
    assert (found.predict(X) == found.predict_proba(X).argmax(axis=1)).all()


@pytest.mark.parametrize("method", ["best_single", "mean", "greedy", "convex", "stacking", "auto"])
def test_methods_and_labels(method):
    X, y = load_iris(return_X_y=True)
    names = np.array(["c", "a", "b"])[y]
    found = WeightedEnsembleClassifier(CLASSIFIERS, method=method, n_splits=3).fit(X, names)
    assert found.classes_.tolist() == ["a", "b", "c"]
    assert found.score(X, names) > 0.9
    assert found.optimized_.method == method or method == "auto"
    if method == "auto":
        assert len(found.optimized_.alternatives) == 5
    if method == "stacking":
        assert found.weights_ is None


def test_models_without_weight_are_not_fitted(rng):
    X = rng.normal(size=(200, 3))
    y = X[:, 0] + 0.01 * rng.normal(size=200)
    models = [("good", LinearRegression()), ("bad", DecisionTreeRegressor(max_depth=1))]
    found = WeightedEnsembleRegressor(models, method="best_single").fit(X, y)
    assert found.weights_.tolist() == [1, 0]
    assert list(found.named_estimators_) == ["good"]
    np.testing.assert_allclose(found.predict(X), LinearRegression().fit(X, y).predict(X))


def test_regression():
    X, y = load_diabetes(return_X_y=True)
    found = WeightedEnsembleRegressor(REGRESSORS, method="convex").fit(X, y)
    held = [cross_val_predict(clone(e), X, y, cv=5) for _, e in REGRESSORS]
    np.testing.assert_allclose(
        found.weights_, convex_weights(held, y, loss="squared").weights, atol=1e-9
    )
    stacked = WeightedEnsembleRegressor(REGRESSORS, method="stacking").fit(X, y)
    assert stacked.score(X, y) > 0.3


def test_fixed_weights():
    X, y = load_diabetes(return_X_y=True)
    found = WeightedEnsembleRegressor(REGRESSORS, weights=[1, 3]).fit(X, y)
    a, b = (clone(e).fit(X, y).predict(X) for _, e in REGRESSORS)
    np.testing.assert_allclose(found.predict(X), 0.25 * a + 0.75 * b)
    assert found.optimized_ is None


@pytest.mark.parametrize("calibration", ["isotonic", "temperature"])
@pytest.mark.parametrize("load", [load_breast_cancer, load_iris])
def test_calibration_makes_the_log_loss_better(calibration, load):
    X, y = load(return_X_y=True)
    models = [("bayes", GaussianNB()), ("same", GaussianNB(var_smoothing=1e-8))]
    plain = WeightedEnsembleClassifier(models, method="mean")
    held = cross_val_predict(plain, X, y, method="predict_proba", cv=3)
    better = cross_val_predict(
        clone(plain).set_params(calibration=calibration), X, y, method="predict_proba", cv=3
    )
    np.testing.assert_allclose(better.sum(axis=1), 1)
    briers = [((p - np.eye(p.shape[1])[y]) ** 2).sum(axis=1).mean() for p in (held, better)]
    assert briers[1] < briers[0] + 0.003
    if load is load_breast_cancer and calibration == "temperature":
        assert sk.log_loss(y, better) < sk.log_loss(y, held)


def test_from_fitted_models():
    X, y = load_iris(return_X_y=True)
    held = {
        name: cross_val_predict(clone(e), X, y, method="predict_proba") for name, e in CLASSIFIERS
    }
    fitted = [(name, clone(e).fit(X, y)) for name, e in CLASSIFIERS]
    found = WeightedEnsembleClassifier.from_fitted(fitted, held, y, method="greedy")
    want = optimize_weights(held, y, "log_loss", method="greedy")
    np.testing.assert_array_equal(found.weights_, want.weights)
    assert found.score(X, y) > 0.9
    again = WeightedEnsembleClassifier.from_fitted(fitted, list(held.values()), y, method="greedy")
    np.testing.assert_array_equal(again.predict_proba(X), found.predict_proba(X))

    other = [("bayes", GaussianNB().fit(X, 2 - y)), ("tree", fitted[1][1])]
    found = WeightedEnsembleClassifier.from_fitted(other, held, y, method="mean")  # same classes
    renamed = [("bayes", GaussianNB().fit(X, y + 1)), ("tree", fitted[1][1])]
    with pytest.raises(ValueError, match=r"estimators\['bayes'\] has the classes \[1, 2, 3\]"):
        WeightedEnsembleClassifier.from_fitted(renamed, held, y)
    with pytest.raises(ValueError, match="predictions has the models"):
        WeightedEnsembleClassifier.from_fitted(fitted, {"bayes": held["bayes"]}, y)
    with pytest.raises(ValueError, match="predictions holds 1 models"):
        WeightedEnsembleClassifier.from_fitted(fitted, [held["bayes"]], y)
    with pytest.raises(ValueError, match=r"estimators\['bayes'\] is not fitted"):
        WeightedEnsembleClassifier.from_fitted(CLASSIFIERS, held, y)
    held["tree"] = held["tree"] * np.nan
    with pytest.raises(ValueError, match=r"predictions\['tree'\] holds"):
        WeightedEnsembleClassifier.from_fitted(fitted, held, y, method="convex")


def test_parameters_of_the_estimators():
    ensemble = WeightedEnsembleClassifier(CLASSIFIERS)
    assert ensemble.get_params()["tree__max_depth"] == 2
    ensemble = clone(ensemble).set_params(tree__max_depth=1)
    assert dict(ensemble.estimators)["tree"].max_depth == 1
    assert CLASSIFIERS[1][1].max_depth == 2


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"estimators": []}, "estimators is"),
        ({"estimators": [GaussianNB()]}, "estimators is"),
        ({"estimators": [("a", GaussianNB()), ("a", GaussianNB())]}, "not unique"),
        ({"estimators": [("a", LinearRegression())]}, r"estimators\['a'\] is .* a classifier"),
        ({"weights": [1]}, "weights is"),
        ({"weights": [0, 0]}, "weights is all zero"),
        ({"weights": [-1, 2]}, "weights is"),
        ({"method": "magic"}, "method is 'magic'"),
        ({"metric": "magic"}, "metric is 'magic'"),
        ({"calibration": "magic", "method": "mean"}, "calibration is 'magic'"),
    ],
)
def test_bad_parameters_are_named(params, words):
    X, y = load_breast_cancer(return_X_y=True)
    ensemble = WeightedEnsembleClassifier(CLASSIFIERS).set_params(**params)
    with pytest.raises(ValueError, match=words):
        ensemble.fit(X, y)
    with pytest.raises(ValueError, match="one class only"):
        WeightedEnsembleClassifier(CLASSIFIERS).fit(X, np.zeros(len(X)))
