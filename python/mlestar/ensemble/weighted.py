"""Ensembles whose weights are found out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import (
    ClassifierMixin,
    RegressorMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.utils import Bunch, get_tags
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from mlestar.ensemble._calibration import make_calibrator
from mlestar.ensemble._predictions import Predictions
from mlestar.ensemble.optimize import OptimizedWeights, optimize_weights
from mlestar.model_selection import check_cv, cross_val_predict


class _WeightedEnsemble(_BaseComposition):  # type: ignore[misc]
    """What the classifier and the regressor share."""

    _metric: str
    _response: str
    optimized_: OptimizedWeights | None
    weights_: NDArray[np.float64] | None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters, those of the estimators included.

        Parameters
        ----------
        deep : bool, default=True

        Returns
        -------
        dict
        """
        return self._get_params("estimators", deep=deep)  # type: ignore[no-any-return]

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of the estimators included.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        self
        """
        self._set_params("estimators", **params)
        return self

    def _checked_estimators(self) -> list[tuple[str, Any]]:
        if not self.estimators or not all(
            isinstance(pair, tuple | list) and len(pair) == 2 for pair in self.estimators
        ):
            raise ValueError(
                f"estimators is {self.estimators!r:.80}, but must be a list of (name, estimator), "
                "not empty"
            )
        names = [name for name, _ in self.estimators]
        self._validate_names(names)
        right = is_classifier if isinstance(self, ClassifierMixin) else is_regressor
        for name, estimator in self.estimators:
            if not right(estimator):
                kind = "classifier" if right is is_classifier else "regressor"
                raise ValueError(f"estimators[{name!r}] is {estimator!r:.80}, but must be a {kind}")
        return list(self.estimators)

    def _fit(self, X: Any, y: Any, codes: NDArray[Any], sample_weight: Any) -> Self:
        """`y` as the estimators take it; `codes` as the metric does."""
        pairs = self._checked_estimators()
        validate_data(self, X=X, skip_check_array=True)
        weight = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        fixed = _fixed_weights(self.weights, len(pairs))
        held = None
        if fixed is None or self._calibration() is not None:
            held = self._out_of_fold(pairs, X, y, weight)
        used, blend = self._weigh(pairs, fixed, held, codes, weight)
        options = {} if weight is None else {"sample_weight": weight}
        fitted = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit_one)(clone(estimator), X, y, options) for _, estimator in used
        )
        self._keep(used, fitted)
        self._calibrate(blend, codes, weight)
        return self

    def _weigh(
        self,
        pairs: Sequence[tuple[str, Any]],
        fixed: NDArray[np.float64] | None,
        held: dict[str, Any] | None,
        codes: NDArray[Any],
        weight: Any,
    ) -> tuple[list[tuple[str, Any]], Any]:
        """The estimators that have weight, and the blend of what was held out, if anything was."""
        self.optimized_, self.weights_ = None, fixed
        if fixed is None:
            assert held is not None
            found = optimize_weights(
                held,
                codes,
                self.metric or self._metric,
                method=self.method,
                sample_weight=weight,
                n_splits=self.n_splits,
                random_state=self.random_state,
            )
            self.optimized_, self.weights_ = found, found.weights
        weights = self.weights_
        used = [p for i, p in enumerate(pairs) if weights is None or weights[i] != 0]
        return used, None if held is None else self._combine(held)

    def _keep(self, used: Sequence[tuple[str, Any]], fitted: Sequence[Any]) -> None:
        self.estimators_ = list(fitted)
        self.named_estimators_ = Bunch(
            **{name: one for (name, _), one in zip(used, fitted, strict=True)}
        )

    def _out_of_fold(
        self, pairs: Sequence[tuple[str, Any]], X: Any, y: Any, weight: Any
    ) -> dict[str, Any]:
        folds = list(check_cv(self.cv, y, classifier=isinstance(self, ClassifierMixin)).split(X, y))
        params = None if weight is None else {"sample_weight": weight}
        return {
            name: self._one_column(
                cross_val_predict(
                    clone(estimator),
                    X,
                    y,
                    cv=folds,
                    method=self._response,
                    n_jobs=self.n_jobs,
                    params=params,
                )
            )
            for name, estimator in pairs
        }

    def _combine(self, predictions: Any) -> NDArray[np.float64]:
        """Of all models, or of those that have weight."""
        models = Predictions(predictions)
        weights = self.weights_
        if weights is None:
            assert self.optimized_ is not None
            return self.optimized_.blend(models.arrays)
        if len(models) < len(weights):
            weights = weights[weights != 0]
        return models.blend(weights)

    def _blend_of(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        answers = [getattr(one, self._response)(X) for one in self.estimators_]
        return self._combine([self._one_column(answer) for answer in answers])

    def _one_column(self, answer: Any) -> Any:
        return np.asarray(answer)

    def _calibration(self) -> str | None:
        return None

    def _calibrate(self, blend: Any, codes: NDArray[Any], weight: Any) -> None:
        """Nothing, but for probabilities."""

    @classmethod
    def from_fitted(
        cls, estimators: Sequence[tuple[str, Any]], predictions: Any, y: Any, **params: Any
    ) -> Self:
        """An ensemble of models that are fitted already.

        Parameters
        ----------
        estimators : list of (str, estimator)
            Fitted on all rows that they are to know of.
        predictions : mapping or sequence of array-like
            Their out-of-fold predictions of the rows of `y`, under the same names or in the same
            order: values, or probabilities of shape (n_samples, n_classes); of two classes also
            those of the second, of shape (n_samples,).
        y : array-like of shape (n_samples,)
            Targets.
        **params : dict
            Parameters of the ensemble.

        Returns
        -------
        ensemble
            Fitted.

        Raises
        ------
        ValueError
            Where names differ, or a model's classes (named) are not those of `y`.
        """
        self = cls(list(estimators), **params)
        pairs = self._checked_estimators()
        names = [name for name, _ in pairs]
        if hasattr(predictions, "keys"):
            if set(predictions.keys()) != set(names):
                raise ValueError(
                    f"predictions has the models {sorted(predictions.keys())}, but must have those "
                    f"of estimators, {sorted(names)}"
                )
            held = {name: predictions[name] for name in names}
        else:
            if len(predictions) != len(names):
                raise ValueError(
                    f"predictions holds {len(predictions)} models, but estimators {len(names)}"
                )
            held = dict(zip(names, predictions, strict=True))
        for name, estimator in pairs:
            check_is_fitted(estimator, msg=f"estimators[{name!r}] is not fitted")
        codes = self._codes_of(y)
        self._check_fitted(pairs)
        held = {name: self._one_column(array) for name, array in held.items()}
        fixed = _fixed_weights(self.weights, len(pairs))
        used, blend = self._weigh(pairs, fixed, held, codes, None)
        self._keep(used, [estimator for _, estimator in used])
        features = getattr(used[0][1], "n_features_in_", None)
        if features is not None:
            self.n_features_in_ = features
        self._calibrate(blend, codes, None)
        return self

    def _codes_of(self, y: Any) -> NDArray[Any]:
        return np.asarray(column_or_1d(y), np.float64)

    def _check_fitted(self, pairs: Sequence[tuple[str, Any]]) -> None:
        """Nothing, but for classes."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse = all(
            get_tags(estimator).input_tags.sparse for _, estimator in self.estimators or []
        )
        return tags


def _fit_one(estimator: Any, X: Any, y: Any, options: dict[str, Any]) -> Any:
    return estimator.fit(X, y, **options)


def _fixed_weights(weights: Any, count: int) -> NDArray[np.float64] | None:
    if weights is None:
        return None
    found = np.asarray(weights, np.float64)
    if found.shape != (count,) or not np.isfinite(found).all() or (found < 0).any():
        raise ValueError(
            f"weights is {weights!r:.80}, but must hold a finite number of at least 0 for each of "
            f"{count} estimators"
        )
    if found.sum() == 0:
        raise ValueError("weights is all zero, but must leave one estimator")
    return np.asarray(found / found.sum())


class WeightedEnsembleClassifier(ClassifierMixin, _WeightedEnsemble):  # type: ignore[misc]
    """Probabilities of several classifiers, combined by weights found out of fold.

    The estimators' out-of-fold probabilities are made by cross-validation, the weights from them by
    `optimize_weights`, and the estimators that have weight are fitted on all rows.

    Parameters
    ----------
    estimators : list of (str, classifier)
        With ``predict_proba``.
    metric : str or callable, default=None
        What the weights make good; None: log_loss.
    method : str, default="auto"
        As for `optimize_weights`.
    weights : array-like of shape (n_estimators,), default=None
        Instead of learnt ones; divided by their sum.
    cv : int, splitter or iterable, default=5
        Folds of the out-of-fold probabilities.
    n_splits : int, default=5
        Folds in which "auto" tests the weights.
    calibration : {"isotonic", "temperature"} or None, default=None
        Of the combined probabilities, learnt out of fold too.
    n_jobs : int, default=None
        Of fits at once.
    random_state : int, default=0
        Of the weights' folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    weights_ : ndarray of shape (n_estimators,) or None
        None where "auto" chose stacking.
    optimized_ : OptimizedWeights or None
        How they were found: the alternatives, the gain with its interval.
    estimators_, named_estimators_ : list and Bunch
        Those that have weight, fitted.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from mlestar.ensemble import WeightedEnsembleClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> models = [("tree", DecisionTreeClassifier(max_depth=3)), ("bayes", GaussianNB())]
    >>> ensemble = WeightedEnsembleClassifier(models, method="convex").fit(X, y)
    >>> ensemble.score(X, y) > 0.9
    True
    """

    _metric = "log_loss"
    _response = "predict_proba"

    def __init__(
        self,
        estimators: Any,
        *,
        metric: Any = None,
        method: str = "auto",
        weights: Any = None,
        cv: Any = 5,
        n_splits: int = 5,
        calibration: str | None = None,
        n_jobs: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.estimators = estimators
        self.metric = metric
        self.method = method
        self.weights = weights
        self.cv = cv
        self.n_splits = n_splits
        self.calibration = calibration
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Find the weights, and fit the estimators that have one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, for estimators that take them.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an argument is not what it must be, or y holds one class only.
        """
        codes = self._codes_of(y)
        return self._fit(X, self.classes_[codes], codes, sample_weight)

    def _codes_of(self, y: Any) -> NDArray[Any]:
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        check_classification_targets(y)
        self.classes_, codes = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y holds one class only, {self.classes_.tolist()}, but must hold two or more"
            )
        return np.asarray(codes)

    def _check_fitted(self, pairs: Sequence[tuple[str, Any]]) -> None:
        for name, estimator in pairs:
            if not np.array_equal(estimator.classes_, self.classes_):
                raise ValueError(
                    f"estimators[{name!r}] has the classes {estimator.classes_.tolist()}, but must "
                    f"have those of y in order, {self.classes_.tolist()}"
                )

    def _one_column(self, answer: Any) -> Any:
        answer = np.asarray(answer)
        if answer.ndim == 2 and answer.shape[1] == len(self.classes_) == 2:
            return answer[:, 1]
        return answer

    def _calibration(self) -> str | None:
        return self.calibration

    def _calibrate(self, blend: Any, codes: NDArray[Any], weight: Any) -> None:
        self.calibrator_ = make_calibrator(self.calibration, blend, codes, weight)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Combined probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        blend = self._blend_of(X)
        if self.calibrator_ is not None:
            blend = self.calibrator_(blend)
        return np.stack([1.0 - blend, blend], axis=1) if blend.ndim == 1 else blend

    def predict(self, X: Any) -> Any:
        """The most probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]


class WeightedEnsembleRegressor(RegressorMixin, _WeightedEnsemble):  # type: ignore[misc]
    """Predictions of several regressors, combined by weights found out of fold.

    The estimators' out-of-fold predictions are made by cross-validation, the weights from them by
    `optimize_weights`, and the estimators that have weight are fitted on all rows.

    Parameters
    ----------
    estimators : list of (str, regressor)
    metric : str or callable, default=None
        What the weights make good; None: rmse.
    method : str, default="auto"
        As for `optimize_weights`.
    weights : array-like of shape (n_estimators,), default=None
        Instead of learnt ones; divided by their sum.
    cv : int, splitter or iterable, default=5
        Folds of the out-of-fold predictions.
    n_splits : int, default=5
        Folds in which "auto" tests the weights.
    n_jobs : int, default=None
        Of fits at once.
    random_state : int, default=0
        Of the weights' folds.

    Attributes
    ----------
    weights_ : ndarray of shape (n_estimators,) or None
        None where "auto" chose stacking.
    optimized_ : OptimizedWeights or None
        How they were found: the alternatives, the gain with its interval.
    estimators_, named_estimators_ : list and Bunch
        Those that have weight, fitted.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from mlestar.ensemble import WeightedEnsembleRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> models = [("line", Ridge(0.01)), ("tree", DecisionTreeRegressor(max_depth=3))]
    >>> ensemble = WeightedEnsembleRegressor(models, method="convex").fit(X, y)
    >>> float(ensemble.weights_.sum().round(9))
    1.0
    """

    _metric = "rmse"
    _response = "predict"

    def __init__(
        self,
        estimators: Any,
        *,
        metric: Any = None,
        method: str = "auto",
        weights: Any = None,
        cv: Any = 5,
        n_splits: int = 5,
        n_jobs: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.estimators = estimators
        self.metric = metric
        self.method = method
        self.weights = weights
        self.cv = cv
        self.n_splits = n_splits
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Find the weights, and fit the estimators that have one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, for estimators that take them.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an argument is not what it must be.
        """
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        target = column_or_1d(y, warn=True)
        return self._fit(X, target, np.asarray(target, np.float64), sample_weight)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Combined predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self._blend_of(X)
