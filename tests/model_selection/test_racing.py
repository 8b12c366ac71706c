import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge

from mlestar.model_selection import FoldRace, KFold, cross_validate


class Told(RegressorMixin, BaseEstimator):
    """Scores what it is told for the fold whose first test row is asked for."""

    def __init__(self, scores=()):
        self.scores = scores

    def fit(self, X, y):
        if np.isnan(self.scores[self._fold(X)]):
            raise ValueError("told to fail")
        return self

    def _fold(self, X):
        return int(np.flatnonzero(~np.isin(np.arange(len(self.scores)), X[:, 0]))[0])

    def score(self, X, y):
        return self.scores[int(X[0, 0])]


def run(scores, race, **options):
    """Ten folds of ten rows, whose scores are given."""
    n = len(scores)
    X = np.repeat(np.arange(n), 10)[:, None].astype(float)
    return cross_validate(Told(tuple(scores)), X, X[:, 0], cv=KFold(n), racing=race, **options)


def test_the_rule_is_the_corrected_t_test_at_a_shared_level(rng):
    leader, other = 0.8 + 0.02 * rng.random(10), 0.78 + 0.02 * rng.random(10)
    race = FoldRace(alpha=0.1, min_folds=3)
    assert not run(leader, race)["abandoned"]
    found = run(other, race)
    for k in range(3, 10):
        behind = leader[:k] - other[:k]
        error = np.sqrt((1 / k + 1 / 9) * behind.var(ddof=1))
        if stats.t.sf(behind.mean() / error, k - 1) < 0.1 / 7:
            break
    assert found["abandoned"]
    assert len(found["test_score"]) == len(found["fit_time"]) == k < 10
    np.testing.assert_array_equal(found["test_score"], other[:k])
    assert (race.n_completed_, race.n_abandoned_) == (1, 1)


def test_an_equal_candidate_is_seldom_abandoned():
    rng = np.random.default_rng(0)
    race_of = lambda: FoldRace(alpha=0.05)  # noqa: E731
    lost = 0
    for _ in range(400):
        race, shared = race_of(), rng.normal(size=10)
        race.best_scores_ = shared + rng.normal(size=10)
        splits = list(KFold(10).split(np.zeros(100)))
        results = [{"test_scores": s} for s in shared + rng.normal(size=10)]
        lost += race.follow(results, splits)[1]
    assert lost <= 20  # the level; the correction for shared rows makes it far rarer here


def test_a_better_candidate_leads_and_the_best_is_never_abandoned():
    race = FoldRace()
    for level in (0.5, 0.6, 0.7):
        assert not run(level + 0.01 * np.arange(5), race)["abandoned"]
        assert race.best_scores_[0] == level
    assert run(0.5 + 0.01 * np.arange(5), race)["abandoned"]  # the same distance on every fold
    assert not run(0.7 + 0.01 * np.arange(5), race)["abandoned"]


def test_any_number_of_jobs_decides_the_same(rng):
    X = rng.random((400, 4))
    y = X @ [1.0, 2.0, 3.0, 4.0] + 0.1 * rng.random(400)
    tables = []
    for n_jobs in (1, 2):
        race = FoldRace()
        tables.append(
            [
                cross_validate(
                    Ridge(alpha=a), X, y, cv=8, racing=race, n_jobs=n_jobs, return_indices=True,
                    return_estimator=True, return_train_score=True,
                )
                for a in (1.0, 0.1, 1e4, 1e-3, 1e5)
            ]
        )  # fmt: skip
    for one, two in zip(*tables, strict=True):
        np.testing.assert_array_equal(one["test_score"], two["test_score"])
        np.testing.assert_array_equal(one["train_score"], two["train_score"])
        assert one["abandoned"] == two["abandoned"]
        assert len(one["estimator"]) == len(one["indices"]["test"]) == len(one["test_score"])
    assert [t["abandoned"] for t in tables[0]] == [False, False, True, False, True]


def test_without_a_race_nothing_changes():
    assert "abandoned" not in cross_validate(Ridge(), np.eye(10), np.arange(10.0), cv=2)


def test_a_failed_fold_neither_leads_nor_is_abandoned():
    race = FoldRace()
    with pytest.warns(Warning, match="told to fail"):
        assert not run([np.nan, 0.9, 0.9, 0.9, 0.9], race)["abandoned"]
    assert race.best_scores_ is None
    run([0.95] * 5, race)
    with pytest.warns(Warning, match="told to fail"):
        assert not run([np.nan, 0.1, 0.1, 0.1, 0.1], race)["abandoned"]


def test_several_scores(rng):
    X, y = rng.random((90, 3)), rng.random(90)
    race = FoldRace(metric="r2")
    cross_validate(Ridge(), X, y, scoring=["r2", "neg_max_error"], racing=race)
    assert race.n_completed_ == 1
    with pytest.raises(ValueError, match=r"metric of racing is None, but must be one of"):
        cross_validate(Ridge(), X, y, scoring=["r2", "neg_max_error"], racing=FoldRace())


def test_other_folds_are_an_error(rng):
    X, y = rng.random((90, 3)), rng.random(90)
    race = FoldRace()
    cross_validate(Ridge(), X, y, cv=KFold(5), racing=race)
    with pytest.raises(ValueError, match="racing holds scores of other folds"):
        cross_validate(Ridge(), X, y, cv=KFold(6), racing=race)
    with pytest.raises(ValueError, match="racing holds scores of other folds"):
        cross_validate(Ridge(), X, y, cv=KFold(5, shuffle=True, random_state=0), racing=race)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alpha": 0}, "alpha is 0, but must be a number between 0 and 1"),
        ({"alpha": "0.05"}, "alpha is '0.05'"),
        ({"min_folds": 1}, "min_folds is 1, but must be an integer of at least 2"),
        ({"min_folds": 2.5}, "min_folds is 2.5"),
        ({"metric": 3}, "metric is 3, but must be the name of a score"),
    ],
)
def test_bad_parameters(options, words):
    with pytest.raises(ValueError, match=words):
        FoldRace(**options)
    with pytest.raises(ValueError, match="racing is True, but must be a FoldRace or None"):
        cross_validate(Ridge(), [[1.0]], [1.0], racing=True)


def test_a_race_pickles():
    import pickle

    race = FoldRace()
    run([0.1, 0.2, 0.3], race)
    again = pickle.loads(pickle.dumps(race))
    assert not run([0.1, 0.2, 0.3], again)["abandoned"]
    assert again.n_completed_ == 2
