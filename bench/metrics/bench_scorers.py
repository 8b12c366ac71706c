"""Scorers: one call, and a cross-validation, with an estimator that costs next to nothing."""

from functools import partial

import numpy as np
import sklearn.metrics as theirs
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedKFold, cross_validate

import mlestar.metrics as ours
from bench.row import Row, bench_rows
from mlestar.model_selection import StratifiedKFold as OurStratifiedKFold

COUNTED = {"roc_auc": "roc_auc_score", "f1": "f1_score", "neg_log_loss": "log_loss"}


class FirstColumn(ClassifierMixin, BaseEstimator):
    """A classifier whose score is the first column."""

    def fit(self, X, y):
        self.classes_ = np.array([0, 1])
        return self

    def decision_function(self, X):
        return X[:, 0]

    def predict(self, X):
        return (X[:, 0] > 0.5).astype(np.int64)

    def predict_proba(self, X):
        return np.column_stack((1 - X[:, 0], X[:, 0]))


def scores(model, X, y, scoring, cv):
    return cross_validate(model, X, y, scoring=scoring, cv=cv)["test_score"]


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    X, y = rng.random((n, 1)), rng.integers(0, 2, n)
    model = FirstColumn().fit(X, y)
    found = []
    for name, counted in COUNTED.items():
        mine, other = ours.get_scorer(name), theirs.get_scorer(name)
        found.append(
            Row(
                f"get_scorer({name!r})",
                n,
                partial(mine, model, X, y),
                {"scikit-learn": partial(other, model, X, y)},
                counted=counted,
                rtol=1e-6 if n > 10_000 else 1e-9,
            )
        )
    mine = ours.get_scorer("roc_auc")
    for label, cv in (("", StratifiedKFold(5)), (", our splitter", OurStratifiedKFold(5))):
        found.append(
            Row(
                f"cross_validate(scoring=roc_auc){label}",
                n,
                partial(scores, model, X, y, mine, cv),
                {"scikit-learn": partial(scores, model, X, y, "roc_auc", StratifiedKFold(5))},
                counted="roc_auc_score",
                rtol=1e-6 if n > 10_000 else 1e-9,
            )
        )
    return found


test_rows = bench_rows(rows)
