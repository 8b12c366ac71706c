"""Scores along a line: of training sets of growing size, and of one parameter's values."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import _validation as theirs
from sklearn.utils import check_random_state, indexable
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params

from mlestar._calls import answered, decline
from mlestar.model_selection._fold_data import FoldBuffer, rows_to_test, rows_to_train
from mlestar.model_selection._running import (
    ROOM,
    check_arguments,
    fit_and_score,
    our_scorers,
    route,
)
from mlestar.model_selection.splitters import check_cv

_TICKS = np.linspace(0.1, 1.0, 5)


def learning_curve(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    groups: Any = None,
    train_sizes: Any = _TICKS,
    cv: Any = None,
    scoring: Any = None,
    exploit_incremental_learning: bool = False,
    n_jobs: int | None = None,
    pre_dispatch: int | str = "all",
    verbose: int = 0,
    shuffle: bool = False,
    random_state: Any = None,
    error_score: Any = np.nan,
    return_times: bool = False,
    params: dict[str, Any] | None = None,
) -> tuple[Any, ...]:
    """Scores on every fold for training sets of growing size.

    Drop-in for `sklearn.model_selection.learning_curve`; fold data and scorers as for
    `cross_validate`.

    Parameters
    ----------
    estimator : estimator
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs) or None
    groups : array-like of shape (n_samples,), default=None
    train_sizes : array-like of shape (n_ticks,), default=np.linspace(0.1, 1.0, 5)
        Floats are fractions of the first fold's training rows, integers numbers of rows.
    cv : int, splitter, iterable or None, default=None
    scoring : str, callable or None, default=None
    exploit_incremental_learning : bool, default=False
        Go on with `partial_fit` from one size to the next.
    n_jobs, pre_dispatch : as for `cross_validate`
    verbose : int, default=0
        Above 1, scikit-learn's original runs.
    shuffle : bool, default=False
        Shuffle training rows before taking their first ones.
    random_state : int, RandomState or None, default=None
    error_score : "raise" or float, default=nan
    return_times : bool, default=False
    params : dict, default=None
        For the estimator's `fit` and `partial_fit`, or routed.

    Returns
    -------
    train_sizes_abs : ndarray of shape (n_unique_ticks,)
    train_scores, test_scores : ndarray of shape (n_ticks, n_splits)
    fit_times, score_times : ndarray of shape (n_ticks, n_splits)
        Seconds; only with `return_times`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from mlestar.model_selection import learning_curve
    >>> X, y = load_diabetes(return_X_y=True)
    >>> sizes, train, test = learning_curve(Ridge(), X, y, train_sizes=[0.1, 1.0], cv=3)
    >>> sizes, test.mean(axis=1).round(2)
    (array([ 29, 294]), array([0.08, 0.41]))
    """
    arguments = dict(locals())
    if type(verbose) is int and verbose > 1:
        declined: tuple[Any, ...] = decline("learning_curve", ROOM)(**arguments)
        return declined
    check_arguments("learning_curve", arguments)
    if exploit_incremental_learning and not hasattr(estimator, "partial_fit"):
        raise ValueError(
            "An estimator must support the partial_fit interface to exploit incremental learning"
        )
    theirs._check_groups_routing_disabled(groups)
    X, y, groups = indexable(X, y, groups)
    cv = check_cv(cv, y, classifier=is_classifier(estimator))
    scorer = our_scorers(check_scoring(estimator, scoring=scoring), scoring)
    routed = route(
        "learning_curve", params or {}, groups, cv, estimator, scorer, ("fit", "partial_fit")
    )
    splits: Any = list(cv.split(X, y, **routed.splitter.split))
    # Folds may have fewer training rows than the first: the largest sizes are then all of them.
    sizes = theirs._translate_train_sizes(train_sizes, len(splits[0][0]))
    if verbose > 0:
        print("[learning_curve] Training set sizes: " + str(sizes))
    parallel = Parallel(n_jobs=n_jobs, pre_dispatch=pre_dispatch, verbose=verbose)
    if shuffle:
        generator = check_random_state(random_state)
        splits = ((generator.permutation(train), test) for train, test in splits)
    buffer = FoldBuffer()
    if exploit_incremental_learning:
        classes = np.unique(y) if is_classifier(estimator) else None
        tables = parallel(
            delayed(_grow)(
                buffer, clone(estimator), X, y, classes, train, test, sizes, scorer, routed,
                error_score,
            )
            for train, test in splits
        )  # fmt: skip
        columns = list(np.asarray(tables).transpose(1, 2, 0))
    else:
        results = parallel(
            delayed(fit_and_score)(
                buffer, clone(estimator), X, y, scorer, train[:size], test,
                routed.estimator.fit, routed.scorer.score, True, False, error_score,
            )
            for train, test in splits
            for size in sizes
        )  # fmt: skip
        theirs._warn_or_raise_about_fit_failures(results, error_score)
        table = theirs._aggregate_score_dicts(results)
        columns = [
            table[name].reshape(-1, len(sizes)).T
            for name in ("train_scores", "test_scores", "fit_time", "score_time")
        ]
    answered("learning_curve")
    return (sizes, *columns) if return_times else (sizes, *columns[:2])


def validation_curve(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    param_name: str,
    param_range: Any,
    groups: Any = None,
    cv: Any = None,
    scoring: Any = None,
    n_jobs: int | None = None,
    pre_dispatch: int | str = "all",
    verbose: int = 0,
    error_score: Any = np.nan,
    params: dict[str, Any] | None = None,
) -> tuple[Any, Any]:
    """Scores on every fold for the values of one parameter.

    Drop-in for `sklearn.model_selection.validation_curve`; fold data and scorers as for
    `cross_validate`.

    Parameters
    ----------
    estimator : estimator
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs) or None
    param_name : str
    param_range : array-like of shape (n_values,)
    groups : array-like of shape (n_samples,), default=None
    cv : int, splitter, iterable or None, default=None
    scoring : str, callable or None, default=None
    n_jobs, pre_dispatch : as for `cross_validate`
    verbose : int, default=0
        Above 1, scikit-learn's original runs.
    error_score : "raise" or float, default=nan
    params : dict, default=None
        For the estimator's `fit`, or routed.

    Returns
    -------
    train_scores, test_scores : ndarray of shape (n_values, n_splits)

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from mlestar.model_selection import validation_curve
    >>> X, y = load_diabetes(return_X_y=True)
    >>> _, test = validation_curve(Ridge(), X, y, param_name="alpha", param_range=[0.1, 10], cv=3)
    >>> test.mean(axis=1).round(2)
    array([0.49, 0.14])
    """
    arguments = dict(locals())
    if type(verbose) is int and verbose > 1:
        declined: tuple[Any, Any] = decline("validation_curve", ROOM)(**arguments)
        return declined
    check_arguments("validation_curve", arguments)
    theirs._check_groups_routing_disabled(groups)
    X, y, groups = indexable(X, y, groups)
    cv = check_cv(cv, y, classifier=is_classifier(estimator))
    scorer = our_scorers(check_scoring(estimator, scoring=scoring), scoring)
    routed = route("validation_curve", params or {}, groups, cv, estimator, scorer)
    buffer = FoldBuffer()
    results = Parallel(n_jobs=n_jobs, pre_dispatch=pre_dispatch, verbose=verbose)(
        delayed(fit_and_score)(
            buffer,
            # A value may be an estimator itself: each fold gets one of its own.
            clone(estimator).set_params(**clone({param_name: value}, safe=False)),
            X, y, scorer, train, test,
            routed.estimator.fit, routed.scorer.score, True, False, error_score,
        )
        for train, test in cv.split(X, y, **routed.splitter.split)
        for value in param_range
    )  # fmt: skip
    answered("validation_curve")
    table = theirs._aggregate_score_dicts(results)
    train_scores, test_scores = (
        table[name].reshape(-1, len(param_range)).T for name in ("train_scores", "test_scores")
    )
    return train_scores, test_scores


def _grow(
    buffer: FoldBuffer,
    estimator: Any,
    X: Any,
    y: Any,
    classes: Any,
    train: Any,
    test: Any,
    sizes: Any,
    scorer: Any,
    routed: Any,
    error_score: Any,
) -> list[list[float]]:
    """One fold of an estimator that learns more and more rows: scores and seconds by size."""
    train_scores: list[float] = []
    test_scores: list[float] = []
    fit_times: list[float] = []
    score_times: list[float] = []
    known = {} if classes is None else {"classes": classes}
    for size, more in zip(sizes, np.split(train, sizes)[:-1], strict=True):
        so_far = train[:size]
        X_more, y_more = rows_to_train(buffer, estimator, X, y, more)
        start = time.time()
        params = _check_method_params(X, params=routed.estimator.partial_fit or {}, indices=more)
        if y_more is None:
            estimator.partial_fit(X_more, **known, **params)
        else:
            estimator.partial_fit(X_more, y_more, **known, **params)
        fit_times.append(time.time() - start)
        del X_more
        start = time.time()
        for rows, scores in ((test, test_scores), (so_far, train_scores)):
            params = _check_method_params(X, params=routed.scorer.score or {}, indices=rows)
            part = rows_to_test(buffer, estimator, X, y, rows, so_far)
            scores.append(theirs._score(estimator, *part, scorer, params, error_score))
            del part
        score_times.append(time.time() - start)
    return [train_scores, test_scores, fit_times, score_times]
