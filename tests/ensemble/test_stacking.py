import numpy as np
import pytest
import sklearn.ensemble
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from mlestar.ensemble import StackingClassifier, StackingRegressor

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
        StackingClassifier(CLASSIFIERS, LogisticRegression(), cv=2),
        StackingRegressor(REGRESSORS, LinearRegression(), cv=2),
    ]
)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("cv", [None, 3, StratifiedKFold(4, shuffle=True, random_state=1)])
@pytest.mark.parametrize("passthrough", [False, True])
def test_the_same_answers_classifier(cv, passthrough):
    X, y = load_iris(return_X_y=True)
    names = np.array(["c", "a", "b"])[y]
    options = {"cv": cv, "passthrough": passthrough, "final_estimator": GaussianNB()}
    mine = StackingClassifier(CLASSIFIERS, **options).fit(X, names)
    theirs = sklearn.ensemble.StackingClassifier(CLASSIFIERS, **options).fit(X, names)
    np.testing.assert_array_equal(mine.predict_proba(X), theirs.predict_proba(X))
    np.testing.assert_array_equal(mine.predict(X), theirs.predict(X))
    assert mine.cv is cv
    clone(mine)


@pytest.mark.parametrize("cv", [None, 3, KFold(4, shuffle=True, random_state=1)])
def test_the_same_answers_regressor(cv):
    X, y = load_diabetes(return_X_y=True)
    mine = StackingRegressor(REGRESSORS, cv=cv).fit(X, y)
    theirs = sklearn.ensemble.StackingRegressor(REGRESSORS, cv=cv).fit(X, y)
    np.testing.assert_array_equal(mine.predict(X), theirs.predict(X))


def test_fitted_models():
    X, y = load_iris(return_X_y=True)
    fitted = [(name, clone(e).fit(X, y)) for name, e in CLASSIFIERS]
    mine = StackingClassifier(fitted, GaussianNB(), cv="prefit").fit(X, y)
    theirs = sklearn.ensemble.StackingClassifier(fitted, GaussianNB(), cv="prefit").fit(X, y)
    np.testing.assert_array_equal(mine.predict(X), theirs.predict(X))


@pytest.mark.parametrize("cv", [1, "folds", 10_000, [([0], [1])]])
def test_the_same_errors(cv):
    X, y = load_iris(return_X_y=True)
    said = []
    for kind in (StackingClassifier, sklearn.ensemble.StackingClassifier):
        with pytest.raises(ValueError) as caught:
            kind(CLASSIFIERS, GaussianNB(), cv=cv).fit(X, y)
        said.append(str(caught.value).replace("StackingClassifier", ""))
    assert said[0] == said[1]


def test_the_callers_splitter_stays_as_it_was():
    X, y = load_diabetes(return_X_y=True)
    splitter = KFold(3, shuffle=True)
    stacking = StackingRegressor(REGRESSORS, LinearRegression(), cv=splitter).fit(X, y)
    assert stacking.cv is splitter
    assert splitter.random_state is None
