"""Every name of sklearn.metrics from mlestar.metrics, and scikit-learn's scorers around our functions."""

import pickle
import sys

import numpy as np
import pytest
import sklearn.metrics as theirs
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.naive_bayes import GaussianNB

import mlestar.metrics as ours
from mlestar.metrics.scorers import ALIASES
from mlestar.testing import core_calls

OWN = [
    name
    for name in ours.__all__
    if getattr(vars(ours).get(name), "__module__", None) == "mlestar.metrics"
]


def count(name):
    return core_calls().get(name, {"core": 0})["core"]


def test_every_name_of_scikit_learn_is_here():
    assert set(theirs.__all__) <= set(ours.__all__)
    assert set(ours.__all__) <= set(dir(ours))
    for name in theirs.__all__:
        if name != "cluster" and name not in OWN:
            assert getattr(ours, name) is getattr(theirs, name)
    assert len(OWN) >= 27
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        ours.nonsense  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute '_scorer'"):
        ours._scorer  # noqa: B018


def test_cluster_has_every_name():
    assert set(theirs.cluster.__all__) <= set(ours.cluster.__all__)
    for name in theirs.cluster.__all__:
        expected = getattr(ours, name) if name in OWN else getattr(theirs.cluster, name)
        assert getattr(ours.cluster, name) is expected
    from mlestar.metrics.cluster import contingency_matrix

    assert contingency_matrix is theirs.cluster.contingency_matrix
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        ours.cluster.nonsense  # noqa: B018


@pytest.mark.parametrize("name", OWN)
def test_functions_pickle_from_the_room(name):
    assert pickle.loads(pickle.dumps(getattr(ours, name))) is getattr(ours, name)


def test_names_are_loaded_at_first_use(run_python):
    code = (
        "import sys\nimport mlestar.metrics\nfrom mlestar.metrics import cluster, get_scorer\n"
        "print('sklearn' in sys.modules)\nmlestar.metrics.RocCurveDisplay\n"
        "print('sklearn' in sys.modules)\nfrom mlestar.metrics import *\nprint(euclidean_distances)"
    )
    words = run_python(code).split()
    assert words[:2] == ["False", "True"]


@pytest.fixture(scope="module")
def binary():
    X, y = load_breast_cancer(return_X_y=True)
    X = X[:, :5]
    return GaussianNB().fit(X[:200], y[:200]), X, y


def test_names_are_scikit_learns():
    assert ours.get_scorer_names() == theirs.get_scorer_names()


@pytest.mark.parametrize("name", theirs.get_scorer_names())
def test_scorers_are_scikit_learns_around_our_function(name, binary):
    mine, other = ours.get_scorer(name), theirs.get_scorer(name)
    assert type(mine) is type(other)
    assert repr(mine) == repr(other)
    assert (mine._sign, mine._kwargs) == (other._sign, other._kwargs)
    assert mine._response_method == other._response_method
    assert mine.get_metadata_routing()._serialize() == other.get_metadata_routing()._serialize()
    function = other._score_func.__name__
    if function in OWN or function.endswith("_likelihood_ratio"):
        assert mine._score_func is not other._score_func
        assert mine._score_func.__module__.startswith("mlestar.metrics")
    else:
        assert mine._score_func is other._score_func
    again = pickle.loads(pickle.dumps(mine))
    assert again._score_func is mine._score_func
    assert theirs.get_scorer(name)._score_func is other._score_func  # scikit-learn's are untouched
    assert ours.get_scorer(name) is not mine
    if name in ("accuracy", "roc_auc", "neg_log_loss", "f1", "positive_likelihood_ratio", "r2"):
        model, X, y = binary
        assert mine(model, X, y) == pytest.approx(other(model, X, y), rel=1e-12)
        weights = np.arange(len(y)) % 3 + 0.5
        if mine._accept_sample_weight():
            assert mine(model, X, y, sample_weight=weights) == pytest.approx(
                other(model, X, y, sample_weight=weights), rel=1e-12
            )


def test_bad_names_are_scikit_learns_errors():
    for call in ("get_scorer", "check_scoring"):
        for bad in ("nonsense", 3):
            arguments = (bad,) if call == "get_scorer" else (DummyClassifier(), bad)
            with pytest.raises(ValueError) as expected:
                getattr(theirs, call)(*arguments)
            with pytest.raises(type(expected.value)) as found:
                getattr(ours, call)(*arguments)
            assert str(found.value) == str(expected.value)
    assert ours.get_scorer(None) is None


@pytest.mark.parametrize("alias", ALIASES)
def test_aliases(alias):
    assert repr(ours.get_scorer(alias)) == repr(theirs.get_scorer(ALIASES[alias]))
    assert repr(ours.check_scoring(Ridge(), alias)) == repr(theirs.get_scorer(ALIASES[alias]))
    several = ours.check_scoring(Ridge(), [alias, "r2"])
    assert list(several._scorers) == [alias, "r2"]
    assert list(ours.check_scoring(Ridge(), {"a": alias})._scorers) == ["a"]


def test_make_scorer():
    scorer = ours.make_scorer(ours.fbeta_score, beta=2, greater_is_better=False)
    assert scorer._score_func is ours.fbeta_score
    assert repr(scorer) == repr(
        theirs.make_scorer(theirs.fbeta_score, beta=2, greater_is_better=False)
    )
    assert ours.make_scorer(theirs.fbeta_score, beta=2)._score_func is ours.fbeta_score

    def own(y_true, y_pred):
        return 0.0

    assert ours.make_scorer(own)._score_func is own

    class Unhashable:
        __hash__ = None
        __name__ = "unhashable"

        def __call__(self, y_true, y_pred):
            return 0.0

    function = Unhashable()
    assert ours.make_scorer(function)._score_func is function
    with pytest.raises(ValueError, match="response_method"):
        ours.make_scorer(own, response_method="no_such")


def test_check_scoring(binary):
    model, X, y = binary
    assert ours.check_scoring(model, "roc_auc")._score_func is ours.roc_auc_score
    assert repr(ours.check_scoring(model)) == "GaussianNB.score"
    assert ours.check_scoring(None, allow_none=True) is None

    class Unscored:
        def fit(self):
            """No score method."""

    with pytest.raises(TypeError, match="should have a 'score' method"):
        ours.check_scoring(Unscored())
    own = theirs.make_scorer(theirs.f1_score)
    assert ours.check_scoring(model, own) is own
    assert own._score_func is theirs.f1_score
    for scoring in (["accuracy", "roc_auc"], ("accuracy",), {"accuracy"}, {"a": "f1", "b": own}):
        mine, other = ours.check_scoring(model, scoring), theirs.check_scoring(model, scoring)
        assert mine(model, X, y) == pytest.approx(other(model, X, y), rel=1e-12)
    several = ours.check_scoring(model, {"a": "f1", "b": own})
    assert several._scorers["a"]._score_func is ours.f1_score
    assert several._scorers["b"] is own
    assert own._score_func is theirs.f1_score
    failing = ours.check_scoring(model, {"bad": lambda *a: 1 / 0}, raise_exc=False)
    assert "ZeroDivisionError" in failing(model, X, y)["bad"]
    for bad in ([], ["accuracy", "accuracy"], ["rmse", "rmse"], [1], {}, {1: "f1"}, ["rmse", 3]):
        with pytest.raises(ValueError) as expected:
            theirs.check_scoring(model, bad)
        with pytest.raises(ValueError) as found:
            ours.check_scoring(model, bad)
        assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("function", ["f1_score", "roc_auc_score"])
def test_a_metric_is_no_scorer(function):
    with pytest.raises(ValueError, match="looks like it is a metric function"):
        ours.check_scoring(DummyClassifier(), getattr(ours, function))
    with pytest.raises(ValueError, match="looks like it is a metric function"):
        ours.check_scoring(DummyClassifier(), getattr(theirs, function))


def test_cross_validate_and_a_grid(binary):
    _, X, y = binary
    before = count("roc_auc_score")
    scoring = {name: ours.get_scorer(name) for name in ("roc_auc", "neg_log_loss", "f1")}
    mine = cross_validate(GaussianNB(), X, y, scoring=scoring, cv=4)
    assert count("roc_auc_score") == before + 4
    other = cross_validate(GaussianNB(), X, y, scoring=list(scoring), cv=4)
    for name in scoring:
        np.testing.assert_allclose(mine[f"test_{name}"], other[f"test_{name}"], rtol=1e-12)
    grid = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, scoring=ours.get_scorer("rmse"), n_jobs=2)
    X, y = load_diabetes(return_X_y=True)
    expected = clone(grid).set_params(scoring="neg_root_mean_squared_error").fit(X, y)
    np.testing.assert_allclose(grid.fit(X, y).best_score_, expected.best_score_, rtol=1e-12)
    assert pickle.loads(pickle.dumps(grid)).scorer_._score_func is ours.root_mean_squared_error


def test_estimators_that_take_a_scoring():
    from sklearn.linear_model import RidgeCV

    X, y = load_iris(return_X_y=True)
    mine = RidgeCV(scoring=ours.get_scorer("neg_mean_squared_error"), cv=3).fit(X, y)
    other = RidgeCV(scoring="neg_mean_squared_error", cv=3).fit(X, y)
    assert (mine.alpha_, mine.best_score_) == pytest.approx((other.alpha_, other.best_score_))


def test_metadata_routing(binary):
    from sklearn import config_context

    _, X, y = binary
    weights = np.arange(len(y)) % 3 + 0.5
    with config_context(enable_metadata_routing=True):
        found = [
            cross_validate(
                LogisticRegression(max_iter=5000).set_fit_request(sample_weight=True),
                X,
                y,
                cv=3,
                scoring=room.get_scorer("roc_auc").set_score_request(sample_weight=True),
                params={"sample_weight": weights},
            )["test_score"]
            for room in (ours, theirs)
        ]
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_regressors_have_no_positive_label():
    X, y = load_diabetes(return_X_y=True)
    model = DummyRegressor().fit(X, y)
    for name in ("r2", "neg_mean_absolute_error", "neg_median_absolute_error"):
        assert ours.get_scorer(name)(model, X, y) == pytest.approx(
            theirs.get_scorer(name)(model, X, y)
        )


def test_the_engine_knows_the_same_aliases():
    from mlestar.evaluation.metrics import MetricsCalculator

    for alias, name in ALIASES.items():
        assert MetricsCalculator.find(alias) is MetricsCalculator.find(name)
    assert sys.modules["mlestar.metrics._registry"].ALIASES is ALIASES
