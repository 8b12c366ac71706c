"""scikit-learn's voting ensembles, their predictions combined in the core."""

from __future__ import annotations

from typing import Any

import numpy as np
import sklearn.ensemble
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from mlestar.ensemble.blending import weighted_sum


def _average(predictions: list[Any], weights: list[float] | None) -> NDArray[np.float64]:
    """NumPy's average over the models, in its order of operations."""
    if weights is None:
        return weighted_sum(predictions, np.ones(len(predictions))) / len(predictions)
    total = np.sum(weights, dtype=np.float64)
    if total == 0:
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    return weighted_sum(predictions, weights) / total


class VotingClassifier(sklearn.ensemble.VotingClassifier):  # type: ignore[misc]
    """scikit-learn's `VotingClassifier` with votes and probabilities combined in one pass.

    Parameters, attributes and answers are those of `sklearn.ensemble.VotingClassifier`
    (https://scikit-learn.org/stable/modules/generated/sklearn.ensemble.VotingClassifier.html).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from mlestar.ensemble import VotingClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> models = [("line", LogisticRegression(max_iter=1000)), ("bayes", GaussianNB())]
    >>> VotingClassifier(models, voting="soft").fit(X, y).predict_proba(X[:2]).shape
    (2, 3)
    """

    def predict(self, X: Any) -> Any:
        """Predict class labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        if self.voting == "soft":
            return self.le_.inverse_transform(np.argmax(self.predict_proba(X), axis=1))
        votes = [estimator.predict(X) for estimator in self.estimators_]
        weights = self._weights_not_none
        shares = [1.0] * len(votes) if weights is None else weights
        counts = np.stack(
            [
                weighted_sum([vote == label for vote in votes], shares)
                for label in range(len(self.classes_))
            ]
        )
        return self.le_.inverse_transform(counts.argmax(axis=0))

    @available_if(lambda self: self._check_voting())  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Weighted mean of the estimators' probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        tables = [estimator.predict_proba(X) for estimator in self.estimators_]
        return _average(tables, self._weights_not_none)


class VotingRegressor(sklearn.ensemble.VotingRegressor):  # type: ignore[misc]
    """scikit-learn's `VotingRegressor` with predictions combined in one pass.

    Parameters, attributes and answers are those of `sklearn.ensemble.VotingRegressor`
    (https://scikit-learn.org/stable/modules/generated/sklearn.ensemble.VotingRegressor.html).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from mlestar.ensemble import VotingRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> models = [("line", Ridge()), ("tree", DecisionTreeRegressor(max_depth=3))]
    >>> VotingRegressor(models).fit(X, y).predict(X[:2]).shape
    (2,)
    """

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Weighted mean of the estimators' predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        answers = [np.asarray(estimator.predict(X)) for estimator in self.estimators_]
        return _average(answers, self._weights_not_none)
