"""Cross-validated scores of a model, with everything that is said about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mlestar.evaluation.comparison import ModelComparator, mean_interval
from mlestar.evaluation.metrics import MetricsCalculator
from mlestar.evaluation.report import ReportGenerator

if TYPE_CHECKING:
    from mlestar.model_selection import FoldPlan


class CrossValidator:
    """Folds for a task: stratified for classes, shuffled for values.

    Parameters
    ----------
    folds : int, default=5
    seed : int, default=0

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar import CrossValidator
    >>> CrossValidator(folds=2).assign(np.array([0, 1, 0, 1]), "binary").tolist()
    [1, 0, 0, 1]
    """

    def __init__(self, folds: int = 5, seed: int = 0) -> None:
        self.folds = folds
        self.seed = seed

    def plan(self, X: Any, y: Any, task: str) -> FoldPlan:
        """The folds of a table, prepared for all who fit on them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        task : {"binary", "multiclass", "regression"}
        """
        from mlestar.model_selection import FoldPlan

        return FoldPlan(self.split(X, y, task), X, y)

    def split(self, X: Any, y: Any, task: str) -> Iterator[tuple[Any, Any]]:
        """Row numbers to train and to test on, fold by fold."""
        import warnings

        from mlestar.model_selection import KFold, StratifiedKFold

        cls = KFold if task == "regression" else StratifiedKFold
        with warnings.catch_warnings():
            # Classes rarer than the folds are among the data's findings; here they need no second
            # word.
            warnings.filterwarnings("ignore", message="The least populated class")
            yield from cls(self.folds, shuffle=True, random_state=self.seed).split(X, y)

    def assign(self, y: Any, task: str) -> Any:
        """The fold that tests each row, an int array of shape (n_rows,)."""
        return self.plan(y, y, task).fold_of_row


@dataclass(frozen=True)
class EvaluationResult:
    """What `ModelEvaluator.evaluate` found.

    Attributes
    ----------
    scores : dict
        Metric name to the list of fold scores.
    intervals : dict
        Metric name to (mean, low, high).
    out_of_fold : ndarray
        Answer for each row by the model that had not seen it.
    """

    scores: dict[str, list[float]]
    intervals: dict[str, tuple[float, float, float]]
    out_of_fold: Any = field(repr=False)


class ModelEvaluator:
    """Metrics, validation, reporting and comparison of models, put together.

    Parameters
    ----------
    metrics : MetricsCalculator or None
    validation : CrossValidator or None
    reporting : ReportGenerator or None
    comparison : ModelComparator or None

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from mlestar import MetricsCalculator, ModelEvaluator
    >>> X, y = load_diabetes(return_X_y=True)
    >>> evaluator = ModelEvaluator(MetricsCalculator(["rmse"]))
    >>> result = evaluator.evaluate(Ridge(), X, y, task="regression")
    >>> 50 < result.intervals["rmse"][0] < 65
    True
    """

    def __init__(
        self,
        metrics: MetricsCalculator | None = None,
        validation: CrossValidator | None = None,
        reporting: ReportGenerator | None = None,
        comparison: ModelComparator | None = None,
    ) -> None:
        self.metrics = metrics
        self.validation = validation or CrossValidator()
        self.reporting = reporting or ReportGenerator()
        self.comparison = comparison or ModelComparator()

    def evaluate(self, model: Any, X: Any, y: Any, *, task: str) -> EvaluationResult:
        """Cross-validate a model or estimator; it is cloned for each fold.

        Parameters
        ----------
        model : estimator or MLESTARModel
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            For classes, integers 0, 1, ...
        task : {"binary", "multiclass", "regression"}
        """
        from sklearn.base import clone

        y = np.asarray(y)
        calculator = self.metrics or MetricsCalculator([MetricsCalculator.default(task).name])
        scores: dict[str, list[float]] = {}
        plan = self.validation.plan(X if hasattr(X, "iloc") else np.asarray(X), y, task)
        answers = []
        for fold in range(plan.n_splits):
            fitted = clone(model, safe=False).fit(*plan.train(fold))
            X_test, y_test = plan.test(fold)
            answers.append(
                fitted.predict_proba(X_test)
                if task != "regression" and hasattr(fitted, "predict_proba")
                else fitted.predict(X_test)
            )
            for name, score in calculator.compute(y_test, answers[-1]).items():
                scores.setdefault(name, []).append(score)
        level = self.comparison.confidence
        intervals = {name: mean_interval(values, level) for name, values in scores.items()}
        return EvaluationResult(scores, intervals, plan.collect(answers))
