"""Any scikit-learn estimator or Pipeline as a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from mlestar.models.base import Callback, SupervisedModel


class SklearnModel(SupervisedModel):
    """A scikit-learn estimator or Pipeline with the interface of a model.

    Parameters
    ----------
    estimator : estimator
        Anything with scikit-learn's ``fit`` and ``predict``. It is cloned before it is fitted.
    callbacks : sequence of callables, default=()
        Called as callback(event, figures): "fit_begin" with the shape of `X`, "epoch_end" with each
        value of a loss curve that the estimator keeps, "fit_end". Not saved.

    Attributes
    ----------
    estimator_ : estimator
        The fitted clone.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from mlestar import SklearnModel
    >>> model = SklearnModel(Ridge(alpha=0.0)).fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> model.predict([[3.0]]).round(6).tolist()
    [7.0]
    """

    def __init__(self, estimator: Any, callbacks: Sequence[Callback] = ()) -> None:
        self.estimator = estimator
        self.callbacks = callbacks

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit a clone of the estimator."""
        from sklearn.base import clone

        self._tell("fit_begin", {"rows": len(X) if hasattr(X, "__len__") else int(X.shape[0])})
        self.estimator_ = clone(self.estimator).fit(X, y)
        last = self.estimator_[-1] if hasattr(self.estimator_, "steps") else self.estimator_
        for epoch, loss in enumerate(loss_curve(last)):
            self._tell("epoch_end", {"epoch": epoch, "loss": loss})
        self._tell("fit_end", {})
        return self

    def _tell(self, event: str, figures: dict[str, Any]) -> None:
        for callback in self.callbacks:
            callback(event, figures)

    def predict(self, X: Any) -> Any:
        """What the estimator predicts."""
        return self._fitted().predict(X)

    def predict_proba(self, X: Any) -> Any:
        """Class probabilities, where the estimator gives them."""
        return self._fitted().predict_proba(X)

    def score(self, X: Any, y: Any = None) -> float:
        """The estimator's own score: accuracy or R^2."""
        return float(self._fitted().score(X, y))

    def checkpoint(self, path: str | Path) -> Path:
        """Write the model as it is; `SklearnModel.load` reads it."""
        return self.save(path)

    def _fitted(self) -> Any:
        if not hasattr(self, "estimator_"):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(f"this {type(self).__name__} is not fitted; call fit first")
        return self.estimator_


def loss_curve(estimator: Any) -> list[float]:
    """The training loss after each epoch, where the estimator keeps one."""
    inner = getattr(estimator, "regressor_", estimator)
    curve = getattr(inner, "loss_curve_", None)
    if curve is None:
        scores = getattr(inner, "train_score_", ())
        curve = [-score for score in scores]
    return [float(loss) for loss in curve]
