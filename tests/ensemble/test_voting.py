import numpy as np
import pytest
import sklearn.ensemble
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from mlestar.ensemble import VotingClassifier, VotingRegressor

CLASSIFIERS = [
    ("bayes", GaussianNB()),
    ("tree", DecisionTreeClassifier(max_depth=1, random_state=0)),
    ("near", KNeighborsClassifier(3)),
]
REGRESSORS = [
    ("line", LinearRegression()),
    ("tree", DecisionTreeRegressor(max_depth=2, random_state=0)),
]


@parametrize_with_checks(
    [
        VotingClassifier(CLASSIFIERS[:2]),
        VotingClassifier(CLASSIFIERS[:2], voting="soft", weights=[1, 2]),
        VotingRegressor(REGRESSORS),
    ]
)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("voting", ["hard", "soft"])
@pytest.mark.parametrize("weights", [None, [1, 1, 1], [0.5, 0, 2.5], [3, 1, 2]])
def test_the_same_answers_classifier(voting, weights):
    X, y = load_iris(return_X_y=True)
    names = np.array(["c", "a", "b"])[y]
    mine = VotingClassifier(CLASSIFIERS, voting=voting, weights=weights).fit(X, names)
    theirs = sklearn.ensemble.VotingClassifier(CLASSIFIERS, voting=voting, weights=weights)
    theirs.fit(X, names)
    np.testing.assert_array_equal(mine.predict(X), theirs.predict(X))
    np.testing.assert_array_equal(mine.transform(X), theirs.transform(X))
    if voting == "soft":
        np.testing.assert_array_equal(mine.predict_proba(X), theirs.predict_proba(X))
    else:
        assert not hasattr(mine, "predict_proba")


@pytest.mark.parametrize("weights", [None, [1, 3], [0.2, 0]])
def test_the_same_answers_regressor(weights):
    X, y = load_diabetes(return_X_y=True)
    mine = VotingRegressor(REGRESSORS, weights=weights).fit(X, y)
    theirs = sklearn.ensemble.VotingRegressor(REGRESSORS, weights=weights).fit(X, y)
    np.testing.assert_allclose(mine.predict(X), theirs.predict(X), rtol=1e-14)
    with pytest.raises(ZeroDivisionError):
        VotingRegressor(REGRESSORS, weights=[0, 0]).fit(X, y).predict(X)


def test_a_dropped_estimator():
    X, y = load_iris(return_X_y=True)
    for voting in ("hard", "soft"):
        mine = VotingClassifier(CLASSIFIERS, voting=voting, weights=[1, 2, 3])
        theirs = sklearn.ensemble.VotingClassifier(CLASSIFIERS, voting=voting, weights=[1, 2, 3])
        mine.set_params(tree="drop").fit(X, y)
        theirs.set_params(tree="drop").fit(X, y)
        np.testing.assert_array_equal(mine.predict(X), theirs.predict(X))
