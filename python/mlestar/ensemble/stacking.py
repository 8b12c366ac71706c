"""scikit-learn's stacking ensembles, their folds drawn in the core, once for all estimators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import sklearn.ensemble

from mlestar.model_selection import check_cv


@contextmanager
def _folds_drawn(stacking: Any, X: Any, y: Any, classifier: bool) -> Iterator[None]:
    """`cv` as a list of folds, which scikit-learn would draw again for every estimator."""
    given = stacking.cv
    if given == "prefit":
        yield
        return
    try:
        cv = check_cv(given, y, classifier=classifier)
        if getattr(cv, "random_state", 0) is None:
            cv.random_state = np.random.RandomState()
        folds = list(cv.split(X, y))
    except (TypeError, ValueError):
        yield  # scikit-learn meets the same and says it in its own order of checks
        return
    stacking.cv = folds
    try:
        yield
    finally:
        stacking.cv = given


class StackingClassifier(sklearn.ensemble.StackingClassifier):  # type: ignore[misc]
    """scikit-learn's `StackingClassifier` with its folds drawn once, in the core.

    Parameters, attributes and answers are those of `sklearn.ensemble.StackingClassifier`
    (https://scikit-learn.org/stable/modules/generated/sklearn.ensemble.StackingClassifier.html).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from mlestar.ensemble import StackingClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> models = [("tree", DecisionTreeClassifier(random_state=0)), ("bayes", GaussianNB())]
    >>> StackingClassifier(models).fit(X, y).score(X, y) > 0.9
    True
    """

    def fit(self, X: Any, y: Any, **fit_params: Any) -> Self:
        """Fit the estimators, and the final one on their out-of-fold predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        **fit_params : dict
            As scikit-learn's.

        Returns
        -------
        self
        """
        with _folds_drawn(self, X, y, classifier=True):
            return super().fit(X, y, **fit_params)  # type: ignore[no-any-return]


class StackingRegressor(sklearn.ensemble.StackingRegressor):  # type: ignore[misc]
    """scikit-learn's `StackingRegressor` with its folds drawn once, in the core.

    Parameters, attributes and answers are those of `sklearn.ensemble.StackingRegressor`
    (https://scikit-learn.org/stable/modules/generated/sklearn.ensemble.StackingRegressor.html).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from mlestar.ensemble import StackingRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> models = [("line", Ridge()), ("tree", DecisionTreeRegressor(max_depth=3))]
    >>> StackingRegressor(models).fit(X, y).predict(X[:2]).shape
    (2,)
    """

    def fit(self, X: Any, y: Any, **fit_params: Any) -> Self:
        """Fit the estimators, and the final one on their out-of-fold predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        **fit_params : dict
            As scikit-learn's.

        Returns
        -------
        self
        """
        with _folds_drawn(self, X, y, classifier=False):
            return super().fit(X, y, **fit_params)  # type: ignore[no-any-return]
