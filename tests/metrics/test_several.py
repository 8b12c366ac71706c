"""score_many gives what each function gives, from shared work."""

import warnings
from functools import partial

import numpy as np
import pytest

import mlestar.metrics as ours
from mlestar import _native
from mlestar.metrics import score_many

LABELS = ["accuracy", "f1_macro", "precision_weighted", "recall_micro", "balanced_accuracy_score", "matthews_corrcoef",
          "cohen_kappa_score", "jaccard_score", "confusion_matrix"]  # fmt: skip
VALUES = ["rmse", "mse", "mae", "r2", "mean_absolute_percentage_error", "median_absolute_error"]


def counting(monkeypatch, name):
    """How often the core's function of that name is called."""
    calls = []
    original = getattr(_native._core.metrics, name)

    def counted(*arguments):
        calls.append(name)
        return original(*arguments)

    monkeypatch.setattr(_native._core.metrics, name, counted)
    return calls


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("strings", [False, True])
def test_labels_share_one_table(rng, monkeypatch, weights, strings):
    y, p = rng.integers(0, 4, 500), rng.integers(0, 4, 500)
    if strings:
        y, p = (np.array([f"c{k}" for k in x]) for x in (y, p))
    w = rng.random(500) if weights else None
    asked = dict.fromkeys(LABELS)
    metrics = {
        name: partial(ours.jaccard_score, average="macro") if name == "jaccard_score" else name
        for name in asked
    }
    expected = {
        "accuracy": ours.accuracy_score(y, p, sample_weight=w),
        "f1_macro": ours.f1_score(y, p, average="macro", sample_weight=w),
        "precision_weighted": ours.precision_score(y, p, average="weighted", sample_weight=w),
        "recall_micro": ours.recall_score(y, p, average="micro", sample_weight=w),
        "jaccard_score": ours.jaccard_score(y, p, average="macro", sample_weight=w),
        **{name: getattr(ours, name)(y, p, sample_weight=w) for name in LABELS[4:7] + LABELS[8:]},
    }
    tables, single = (counting(monkeypatch, n) for n in ("confusion_matrix", "accuracy"))
    found = score_many(y, p, metrics, sample_weight=w)
    assert list(found) == LABELS
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-13, err_msg=name)
    assert len(tables) == (2 if strings else 1)  # strings are encoded, then counted
    assert not single


@pytest.mark.parametrize("weights", [False, True])
def test_values_share_one_pass(rng, monkeypatch, weights):
    y, p = rng.gamma(2, 1, 3_000), rng.gamma(2, 1, 3_000)
    w = rng.random(3_000) if weights else None
    passes = counting(monkeypatch, "mean_errors")
    single = [
        counting(monkeypatch, n) for n in ("mean_squared_error", "mean_absolute_error", "explained")
    ]
    found = score_many(y, p, VALUES, sample_weight=w)
    assert len(passes) == 1
    assert not any(single)
    monkeypatch.undo()
    for name, function in zip(
        VALUES,
        (ours.root_mean_squared_error, ours.mean_squared_error, ours.mean_absolute_error, ours.r2_score,
         ours.mean_absolute_percentage_error, ours.median_absolute_error),
        strict=True,
    ):  # fmt: skip
        assert found[name] == function(y, p, sample_weight=w), name


def test_scores_share_one_sort(rng, monkeypatch):
    y, s = rng.integers(0, 2, 5_000), np.round(rng.normal(size=5_000), 2)
    sorts = counting(monkeypatch, "roc_auc_and_average_precision")
    single = counting(monkeypatch, "roc_auc")
    found = score_many(y, s > 0, ["roc_auc", "average_precision", "accuracy"], y_score=s)
    assert (len(sorts), len(single)) == (1, 0)
    monkeypatch.undo()
    assert found["roc_auc"] == ours.roc_auc_score(y, s)
    assert found["average_precision"] == ours.average_precision_score(y, s)
    assert found["accuracy"] == ours.accuracy_score(y, s > 0)
    both = score_many(y * 2 - 1, s, [ours.roc_auc_score, ours.average_precision_score])
    assert both["roc_auc_score"] == found["roc_auc"]
    # Labels without a 1: average precision has its own say.
    with pytest.raises(ValueError, match="pos_label=1 is not a valid label"):
        score_many(y + 5, s, ["roc_auc", "average_precision"])


def test_probabilities_and_the_users_own_function(rng):
    y = rng.integers(0, 2, 200)
    p = rng.random(200)
    table = np.stack([1 - p, p], axis=1)

    def mine(y_true, y_pred):
        return float(np.mean(y_true == y_pred))

    found = score_many(
        y,
        p > 0.5,
        {"ll": "log_loss", "auc": "roc_auc", "ap": "average_precision", "own": mine},
        y_score=table,
    )
    assert found["ll"] == ours.log_loss(y, table)
    assert found["auc"] == ours.roc_auc_score(y, p)
    assert found["ap"] == ours.average_precision_score(y, p)
    assert found["own"] == mine(y, p > 0.5)


def test_bad_input():
    with pytest.raises(ValueError, match="did you mean 'accuracy'"):
        score_many([0, 1], [0, 1], ["acuracy"])
    with pytest.raises(ValueError, match="'rmse' twice"):
        score_many([0, 1], [0, 1], ["rmse", "rmse"])
    with pytest.raises(ValueError, match="must be a list"):
        score_many([0, 1], [0, 1], "rmse")
    with pytest.raises(TypeError, match="metrics holds 3"):
        score_many([0, 1], [0, 1], [3])
    with pytest.raises(ValueError, match="inconsistent"):
        score_many([0, 1, 1], [0, 1], ["accuracy", "f1_macro"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert score_many([1.0, 1.0], [1.0, 1.0], ["r2", "rmse"]) == {"r2": 1.0, "rmse": 0.0}
