"""Whether a score is better than that of targets without meaning."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import _validation as theirs
from sklearn.utils import check_random_state, indexable
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params

from mlestar._calls import answered
from mlestar.model_selection._fold_data import FoldBuffer, rows_to_test, rows_to_train
from mlestar.model_selection._running import check_arguments, our_scorers, route
from mlestar.model_selection.splitters import check_cv


def permutation_test_score(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    groups: Any = None,
    cv: Any = None,
    n_permutations: int = 100,
    n_jobs: int | None = None,
    random_state: Any = 0,
    verbose: int = 0,
    scoring: Any = None,
    params: dict[str, Any] | None = None,
) -> tuple[float, Any, float]:
    """Cross-validated score, and how often shuffled targets give one as good.

    Drop-in for `sklearn.model_selection.permutation_test_score`: the same permutations, folds and
    scores. Scorers asked for by name are ours, and fold data are gathered as `cross_validate` does.

    Parameters
    ----------
    estimator : estimator
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs) or None
    groups : array-like of shape (n_samples,), default=None
        Targets are shuffled within groups.
    cv : int, splitter, iterable or None, default=None
    n_permutations : int, default=100
    n_jobs : int, default=None
        Permutations at a time, by joblib.
    random_state : int, RandomState or None, default=0
    verbose : int, default=0
    scoring : str, callable or None, default=None
    params : dict, default=None
        For the estimator's `fit`, or routed.

    Returns
    -------
    score : float
    permutation_scores : ndarray of shape (n_permutations,)
    pvalue : float
        (c + 1) / (n_permutations + 1), where c permutations were as good.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from mlestar.model_selection import permutation_test_score
    >>> X, y = load_diabetes(return_X_y=True)
    >>> score, _, pvalue = permutation_test_score(Ridge(), X, y, n_permutations=19)
    >>> print(round(score, 2), pvalue)
    0.41 0.05
    """
    check_arguments("permutation_test_score", dict(locals()))
    theirs._check_groups_routing_disabled(groups)
    X, y, groups = indexable(X, y, groups)
    cv = check_cv(cv, y, classifier=is_classifier(estimator))
    scorer = our_scorers(check_scoring(estimator, scoring=scoring), scoring)
    random_state = check_random_state(random_state)
    routed = route("permutation_test_score", params or {}, groups, cv, estimator, scorer)
    buffer = FoldBuffer()
    score = _mean_score(buffer, clone(estimator), X, y, cv, scorer, routed)
    permuted = Parallel(n_jobs=n_jobs, verbose=verbose)(
        delayed(_mean_score)(
            buffer,
            clone(estimator),
            X,
            theirs._shuffle(y, groups, random_state),
            cv,
            scorer,
            routed,
        )
        for _ in range(n_permutations)
    )
    answered("permutation_test_score")
    scores = np.array(permuted)
    return score, scores, (np.sum(scores >= score) + 1.0) / (n_permutations + 1)


def _mean_score(
    buffer: FoldBuffer, estimator: Any, X: Any, y: Any, cv: Any, scorer: Any, routed: Any
) -> Any:
    """The mean over folds; as in scikit-learn, one estimator is fitted on all of them in turn."""
    scores = []
    for train, test in cv.split(X, y, **routed.splitter.split):
        fit_params = _check_method_params(X, params=routed.estimator.fit or {}, indices=train)
        score_params = _check_method_params(X, params=routed.scorer.score or {}, indices=test)
        X_train, y_train = rows_to_train(buffer, estimator, X, y, train)
        estimator.fit(X_train, y_train, **fit_params)
        del X_train
        X_test, y_test = rows_to_test(buffer, estimator, X, y, test, train)
        scores.append(scorer(estimator, X_test, y_test, **score_params))
        del X_test
    return np.mean(scores)
