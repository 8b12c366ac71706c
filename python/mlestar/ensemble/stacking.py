"""scikit-learn's stacking ensembles, their folds drawn in the core, once for all estimators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any, Self

import numpy as np
import sklearn.ensemble
from sklearn.base import is_classifier

from mlestar.model_selection import check_cv


class _FoldsDrawnOnce:
    """A stacking ensemble of scikit-learn, which would draw its folds again for every estimator."""

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
        with self._folds_drawn(X, y):
            return super().fit(X, y, **fit_params)  # type: ignore[misc, no-any-return]

    @contextmanager
    def _folds_drawn(self, X: Any, y: Any) -> Iterator[None]:
        """`cv` as the list of its folds."""
        given = self.cv
        if given == "prefit":
            yield
            return
        try:
            cv = copy(check_cv(given, y, classifier=is_classifier(self)))
            if getattr(cv, "random_state", 0) is None:
                cv.random_state = np.random.RandomState()  # as scikit-learn's draws
            folds = list(cv.split(X, y))
        except (TypeError, ValueError):
            yield  # scikit-learn meets the same and says it in its own order of checks
            return
        self.cv: Any = folds
        try:
            yield
        finally:
            self.cv = given


class StackingClassifier(
    _FoldsDrawnOnce,
    sklearn.ensemble.StackingClassifier,  # type: ignore[misc]
):
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


class StackingRegressor(
    _FoldsDrawnOnce,
    sklearn.ensemble.StackingRegressor,  # type: ignore[misc]
):
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
