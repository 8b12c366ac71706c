import math

import numpy as np
import pytest
import sklearn.metrics as theirs

from mlestar import CrossValidator, MetricsCalculator, ModelComparator, ModelEvaluator
from mlestar.evaluation import mean_interval


def test_metric_names_are_scikit_learns_scorers():
    from sklearn.metrics import get_scorer_names

    for name in MetricsCalculator._known:
        assert name in get_scorer_names()
    assert MetricsCalculator.find("rmse").name == "neg_root_mean_squared_error"
    assert MetricsCalculator.find("log_loss").name == "neg_log_loss"
    with pytest.raises(ValueError, match="did you mean 'roc_auc'"):
        MetricsCalculator.find("roc_auk")
    with pytest.raises(ValueError, match="for regression it must be one of"):
        MetricsCalculator.find("roc_auc", "regression")


def test_every_metric_computes(rng):
    y, p = rng.integers(0, 2, 200), rng.random(200)
    table = np.stack([1 - p, p], axis=1)
    found = MetricsCalculator(MetricsCalculator.names("binary")).compute(y, table)
    assert found["roc_auc"] == pytest.approx(theirs.roc_auc_score(y, p))
    assert found["f1"] == pytest.approx(theirs.f1_score(y, p > 0.5))
    assert found["log_loss"] == pytest.approx(theirs.log_loss(y, p))
    assert found["brier_score"] == pytest.approx(theirs.brier_score_loss(y, p))
    values = MetricsCalculator(MetricsCalculator.names("regression")).compute(p, p + 1)
    assert values["rmse"] == pytest.approx(1.0)
    assert values["mae"] == pytest.approx(1.0)


def test_folds_are_stratified_for_classes():
    y = np.array([0] * 30 + [1] * 6)
    folds = CrossValidator(3, seed=1).assign(y, "binary")
    assert [int(y[folds == f].sum()) for f in range(3)] == [2, 2, 2]
    assert sorted(np.bincount(CrossValidator(3).assign(np.arange(10.0), "regression"))) == [3, 3, 4]


def test_intervals_allow_for_overlapping_folds(rng):
    """They cover the truth where folds overlap, about as often as they say."""
    covered = 0
    for seed in range(150):
        r = np.random.default_rng(seed)
        X = r.normal(size=(120, 2))
        y = X[:, 0] + r.normal(size=120)
        errors = []
        folds = CrossValidator(5, seed=seed).assign(y, "regression")
        for f in range(5):
            train = folds != f
            slope = np.linalg.lstsq(X[train], y[train], rcond=None)[0]
            errors.append(float(np.mean((y[~train] - X[~train] @ slope) ** 2)))
        _, low, high = mean_interval(errors, 0.9)
        covered += low <= 1.0 + 2 / 96 <= high  # the expected error of a fit on 96 rows
    assert 0.85 <= covered / 150 <= 1.0


def test_intervals_at_the_edges():
    mean, low, high = mean_interval([0.5])
    assert mean == 0.5
    assert math.isnan(low)
    assert math.isnan(high)
    assert ModelComparator().compare([1.0, 1.0], [1.0, 1.0]).p_value == 1.0
    assert ModelComparator().compare([2.0, 2.0], [1.0, 1.0]).p_value == 0.0
    with pytest.raises(ValueError, match="2 and 1 folds"):
        ModelComparator().compare([1.0, 2.0], [1.0])


def test_evaluator_out_of_fold(rng):
    from sklearn.linear_model import LogisticRegression

    from mlestar import SklearnModel

    X = rng.normal(size=(200, 3))
    y = (X[:, 0] > 0).astype(int)
    evaluator = ModelEvaluator(MetricsCalculator(["accuracy", "roc_auc"]))
    result = evaluator.evaluate(SklearnModel(LogisticRegression()), X, y, task="binary")
    assert result.out_of_fold.shape == (200, 2)
    assert result.intervals["roc_auc"][0] > 0.95
    assert len(result.scores["accuracy"]) == 5
