"""Racing: candidates that their first folds show to be hopeless get no further ones."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from threading import Lock
from typing import Any

import numpy as np

from mlestar.metrics._intervals import error_over_folds


class FoldRace:
    """A race of candidates that are cross-validated one after another on the same folds.

    Given as ``racing=`` to `cross_validate`, once for each candidate. The leader is the candidate
    with the best mean score so far that was given all folds; the others are compared with it fold
    by fold, and abandoned when they are worse beyond doubt.

    Parameters
    ----------
    alpha : float, default=0.05
        Chance, at most, that a candidate which is as good as the leader is abandoned.
    min_folds : int, default=3
        Folds that every candidate is given.
    metric : str, default=None
        Which of the scores decides, where there are several.

    Attributes
    ----------
    best_scores_ : ndarray of shape (n_splits,) or None
        The leader's scores; greater is better, as scorers have it.
    n_completed_, n_abandoned_ : int
        Candidates so far.

    Notes
    -----
    After `k` folds the mean difference to the leader's scores of these folds is compared with its
    standard error by Student's t with `k` - 1 degrees of freedom. Folds share training rows, so the
    variance is that of Nadeau and Bengio (Machine Learning 52, 2003): multiplied by 1/k + n_test /
    n_train instead of 1/k. The test is one-sided, and looks are taken after `min_folds`,
    `min_folds` + 1, ... folds but the last: each is at `alpha` divided by their number
    (Bonferroni). The chance is that of one candidate against one leader; the normal theory behind
    it is an approximation for a handful of folds.

    A candidate with a failed fold (a score of NaN) is neither abandoned nor leads. The decision
    is taken on the folds in their order, so it is the same for any number of jobs. That racing
    saves folds at little loss is from Maron and Moore, "Hoeffding Races", NIPS 6, 1994.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from mlestar.model_selection import FoldRace, cross_validate
    >>> X, y = load_diabetes(return_X_y=True)
    >>> race = FoldRace()
    >>> for alpha in [0.1, 1e-3, 1e3, 1e5]:
    ...     found = cross_validate(Ridge(alpha=alpha), X, y, cv=10, racing=race)
    ...     print(alpha, len(found["test_score"]), found["abandoned"])
    0.1 10 False
    0.001 10 False
    1000.0 3 True
    100000.0 3 True
    """

    def __init__(
        self, *, alpha: float = 0.05, min_folds: int = 3, metric: str | None = None
    ) -> None:
        if not isinstance(alpha, int | float | np.floating) or not 0.0 < alpha < 1.0:
            raise ValueError(f"alpha is {alpha!r}, but must be a number between 0 and 1")
        whole = isinstance(min_folds, int | np.integer) and not isinstance(min_folds, bool)
        if not whole or min_folds < 2:
            raise ValueError(f"min_folds is {min_folds!r}, but must be an integer of at least 2")
        if metric is not None and not isinstance(metric, str):
            raise ValueError(f"metric is {metric!r}, but must be the name of a score or None")
        self.alpha = float(alpha)
        self.min_folds = int(min_folds)
        self.metric = metric
        self.best_scores_: Any = None
        self.n_completed_ = 0
        self.n_abandoned_ = 0
        self._folds: bytes | None = None
        self._lock = Lock()

    def __repr__(self) -> str:
        return (
            f"FoldRace(alpha={self.alpha!r}, min_folds={self.min_folds!r}, metric={self.metric!r})"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = Lock()

    def follow(
        self, results: Iterable[dict[str, Any]], splits: list[tuple[Any, Any]]
    ) -> tuple[list[dict[str, Any]], bool]:
        """Take one candidate's results, fold by fold, until the rule stops it.

        Parameters
        ----------
        results : iterable of dict
            Each with ``test_scores``: a number, or a dict of numbers by name.
        splits : list of (ndarray, ndarray)
            Row numbers to train and to test on; as many as there are results.

        Returns
        -------
        taken : list of dict
        abandoned : bool

        Raises
        ------
        ValueError
            If the folds are not those of the candidates before.
        """
        with self._lock:
            self._check_folds(splits)
            leader = self.best_scores_
        ratio = float(np.mean([len(test) / max(1, len(train)) for train, test in splits]))
        taken: list[dict[str, Any]] = []
        scores: list[float] = []
        for result in results:
            taken.append(result)
            scores.append(self._score_of(result["test_scores"]))
            if leader is not None and self._hopeless(leader, scores, len(splits), ratio):
                with self._lock:
                    self.n_abandoned_ += 1
                return taken, True
        self._finish(np.array(scores))
        return taken, False

    def _check_folds(self, splits: list[tuple[Any, Any]]) -> None:
        digest = hashlib.sha256()
        for _, test in splits:
            digest.update(np.ascontiguousarray(test).tobytes() + b"|")
        if self._folds is None:
            self._folds = digest.digest()
        elif self._folds != digest.digest():
            raise ValueError(
                "racing holds scores of other folds, but all candidates of a race must be given "
                "the same ones: pass a list of splits, or a splitter that repeats itself, as cv"
            )

    def _score_of(self, scores: Any) -> float:
        if not isinstance(scores, dict):
            return float(scores)
        if self.metric is None and len(scores) == 1:
            return float(next(iter(scores.values())))
        if self.metric not in scores:
            raise ValueError(
                f"metric of racing is {self.metric!r}, but must be one of {sorted(scores)}"
            )
        return float(scores[self.metric])

    def _hopeless(self, leader: Any, scores: list[float], n_splits: int, ratio: float) -> bool:
        from scipy.stats import t

        k = len(scores)
        if k < self.min_folds or k >= n_splits:
            return False
        behind = leader[:k] - np.array(scores)
        mean = float(behind.mean())
        if not math.isfinite(mean) or mean <= 0.0:
            return False
        error = error_over_folds(behind, ratio)
        if error == 0.0:
            return True
        level = self.alpha / (n_splits - self.min_folds)
        return float(t.sf(mean / error, k - 1)) < level

    def _finish(self, scores: Any) -> None:
        with self._lock:
            self.n_completed_ += 1
            mean = scores.mean()
            if np.isfinite(mean) and (self.best_scores_ is None or mean > self.best_scores_.mean()):
                self.best_scores_ = scores
