"""Cross-validation as scikit-learn runs it, on fold data that our kernel gathers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.sparse
import sklearn.model_selection
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import _validation as theirs
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import indexable
from sklearn.utils.metadata_routing import _routing_enabled
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params, _num_samples

from mlestar._calls import answered, decline
from mlestar.model_selection._fold_data import FoldBuffer, rows_to_test, rows_to_train
from mlestar.model_selection._running import (
    ROOM,
    check_arguments,
    fit,
    fit_and_score,
    our_scorers,
    route,
)
from mlestar.model_selection.racing import FoldRace
from mlestar.model_selection.splitters import check_cv


def cross_validate(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    scoring: Any = None,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    params: dict[str, Any] | None = None,
    pre_dispatch: int | str = "2*n_jobs",
    return_train_score: bool = False,
    return_estimator: bool = False,
    return_indices: bool = False,
    error_score: Any = np.nan,
    racing: FoldRace | None = None,
) -> dict[str, Any]:
    """Fit and score an estimator on every fold.

    Drop-in for `sklearn.model_selection.cross_validate`: the same folds, scores, warnings and
    errors. Scorers asked for by name are ours. Fold data of plain arrays are copied by several
    threads, to memory that the fold before has left; an estimator that keeps its training data
    keeps the memory too, and never sees it overwritten.

    Parameters
    ----------
    estimator : estimator
        Cloned for each fold.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
    groups : array-like of shape (n_samples,), default=None
        For splitters of groups.
    scoring : str, callable, list, tuple, dict or None, default=None
    cv : int, splitter, iterable or None, default=None
    n_jobs : int, default=None
        Folds at a time, by joblib; its processes share one read-only X.
    verbose : int, default=0
        Above 1, scikit-learn's original runs.
    params : dict, default=None
        For the estimator's `fit`, or routed.
    pre_dispatch : int or str, default="2*n_jobs"
    return_train_score, return_estimator, return_indices : bool, default=False
    error_score : "raise" or float, default=nan
        Score of a fold whose fit fails.
    racing : FoldRace, default=None
        Of mlestar: the race that this candidate takes part in. A candidate that is hopeless by the
        race's rule gets no further fold.

    Returns
    -------
    dict
        ``fit_time`` and ``score_time`` (seconds), ``test_score`` or ``test_<name>``, and what
        else was asked for; arrays of shape (n_splits,). With `racing`, also ``abandoned``, and the
        arrays of an abandoned candidate hold the folds that it was given.

    Raises
    ------
    ValueError
        As scikit-learn; also if all fits fail.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from mlestar.model_selection import cross_validate
    >>> X, y = load_diabetes(return_X_y=True)
    >>> cross_validate(Ridge(), X, y, cv=3)["test_score"].round(2)
    array([0.37, 0.42, 0.44])
    """
    arguments = dict(locals())
    del arguments["racing"]
    if racing is not None and not isinstance(racing, FoldRace):
        raise ValueError(f"racing is {racing!r}, but must be a FoldRace or None")
    if type(verbose) is int and verbose > 1 and racing is None:
        declined: dict[str, Any] = decline("cross_validate", ROOM)(**arguments)
        return declined
    check_arguments("cross_validate", arguments)
    theirs._check_groups_routing_disabled(groups)
    X, y = indexable(X, y)
    cv = check_cv(cv, y, classifier=is_classifier(estimator))
    scorers = check_scoring(estimator, scoring=scoring, raise_exc=error_score == "raise")
    scorers = our_scorers(scorers, scoring)
    routed = route("cross_validate", params or {}, groups, cv, estimator, scorers)
    indices = cv.split(X, y, **routed.splitter.split)
    if return_indices or racing is not None:
        indices = list(indices)
    buffer = FoldBuffer()
    given_by = "list" if racing is None else "generator"
    results = Parallel(
        n_jobs=n_jobs, verbose=verbose, pre_dispatch=pre_dispatch, return_as=given_by
    )(
        delayed(fit_and_score)(
            buffer,
            clone(estimator),
            X,
            y,
            scorers,
            train,
            test,
            routed.estimator.fit,
            routed.scorer.score,
            return_train_score,
            return_estimator,
            error_score,
        )
        for train, test in indices
    )
    abandoned = False
    if racing is not None:
        answers = results
        results, abandoned = racing.follow(answers, indices)
        with warnings.catch_warnings():
            # joblib tells of fits under way that nobody waits for: that is what a race is for.
            warnings.filterwarnings("ignore", message=".*tasks", category=UserWarning)
            answers.close()
    answered("cross_validate")
    theirs._warn_or_raise_about_fit_failures(results, error_score)
    if callable(scoring):
        theirs._insert_error_scores(results, error_score)
    table = theirs._aggregate_score_dicts(results)
    found = {name: table[name] for name in ("fit_time", "score_time")}
    if return_estimator:
        found["estimator"] = table["estimator"]
    if return_indices:
        train_rows, test_rows = zip(*indices[: len(results)], strict=True)
        found["indices"] = {"train": train_rows, "test": test_rows}
    test_scores = theirs._normalize_score_results(table["test_scores"])
    train_scores = (
        theirs._normalize_score_results(table["train_scores"]) if return_train_score else {}
    )
    for name, values in test_scores.items():
        found[f"test_{name}"] = values
        if return_train_score:
            found[f"train_{name}"] = train_scores[name]
    if racing is not None:
        found["abandoned"] = abandoned
    return found


def cross_val_score(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    scoring: Any = None,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    params: dict[str, Any] | None = None,
    pre_dispatch: int | str | None = "2*n_jobs",
    error_score: Any = np.nan,
) -> Any:
    """Score of an estimator on every fold.

    Drop-in for `sklearn.model_selection.cross_val_score`; see `cross_validate`.

    Parameters
    ----------
    estimator : estimator
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
    groups : array-like of shape (n_samples,), default=None
    scoring : str, callable or None, default=None
    cv : int, splitter, iterable or None, default=None
    n_jobs, verbose, params, pre_dispatch, error_score : as for `cross_validate`

    Returns
    -------
    ndarray of shape (n_splits,)

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from mlestar.model_selection import cross_val_score
    >>> X, y = load_diabetes(return_X_y=True)
    >>> cross_val_score(Ridge(), X, y, cv=3).round(2)
    array([0.37, 0.42, 0.44])
    """
    check_arguments("cross_val_score", dict(locals()))
    scorer = our_scorers(check_scoring(estimator, scoring=scoring), scoring)
    scores = cross_validate(
        estimator,
        X,
        y,
        groups=groups,
        scoring={"score": scorer},
        cv=cv,
        n_jobs=n_jobs,
        verbose=verbose,
        params=params,
        pre_dispatch=pre_dispatch,  # type: ignore[arg-type]  # None is refused there
        error_score=error_score,
    )
    answered("cross_val_score")
    return scores["test_score"]


def cross_val_predict(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    params: dict[str, Any] | None = None,
    pre_dispatch: int | str | None = "2*n_jobs",
    method: str = "predict",
) -> Any:
    """Answer for every row by the fit that had not seen it.

    Drop-in for `sklearn.model_selection.cross_val_predict`; see `cross_validate`.

    Parameters
    ----------
    estimator : estimator
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
    groups : array-like of shape (n_samples,), default=None
    cv : int, splitter, iterable or None, default=None
        Its test folds must be a partition.
    n_jobs, verbose, params, pre_dispatch : as for `cross_validate`
    method : {"predict", "predict_proba", "predict_log_proba", "decision_function"}

    Returns
    -------
    ndarray of shape (n_samples,) or (n_samples, n_columns), or a list of such

    Raises
    ------
    ValueError
        As scikit-learn: folds that are no partition, among others.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from mlestar.model_selection import cross_val_predict
    >>> X = [[0.0], [1.0], [2.0], [3.0]]
    >>> cross_val_predict(LinearRegression(), X, [0, 2, 4, 6], cv=2).round(6) + 0.0
    array([0., 2., 4., 6.])
    """
    arguments = dict(locals())
    check_arguments("cross_val_predict", arguments)
    theirs._check_groups_routing_disabled(groups)
    if sklearn.get_config()["array_api_dispatch"] or _routing_enabled():
        return decline("cross_val_predict", ROOM)(**arguments)
    X, y = indexable(X, y)
    cv = check_cv(cv, y, classifier=is_classifier(estimator))
    splits = list(cv.split(X, y, groups=groups))
    places = np.concatenate([test for _, test in splits])
    if not theirs._check_is_permutation(places, _num_samples(X)):
        raise ValueError("cross_val_predict only works for partitions")
    encodes = method != "predict" and y is not None
    if encodes:
        y = _encoded(y)
    buffer = FoldBuffer()
    parts = Parallel(n_jobs=n_jobs, verbose=verbose, pre_dispatch=pre_dispatch)(
        delayed(_fit_and_predict)(
            buffer, clone(estimator), X, y, train, test, params or {}, method, encodes
        )
        for train, test in splits
    )
    answered("cross_val_predict")
    tests = [test for _, test in splits]
    if scipy.sparse.issparse(parts[0]):
        order = np.empty(len(places), dtype=int)
        order[places] = np.arange(len(places))
        return scipy.sparse.vstack(parts, format=parts[0].format)[order]
    if encodes and isinstance(parts[0], list):
        return [_in_place([part[i] for part in parts], tests) for i in range(y.shape[1])]
    return _in_place(parts, tests)


def _fit_and_predict(
    buffer: FoldBuffer,
    estimator: Any,
    X: Any,
    y: Any,
    train: Any,
    test: Any,
    fit_params: dict[str, Any],
    method: str,
    encodes: bool,
) -> Any:
    """One fold's answers."""
    fit_params = _check_method_params(X, params=fit_params, indices=train)
    X_train, y_train = rows_to_train(buffer, estimator, X, y, train)
    fit(estimator, X_train, y_train, fit_params)
    del X_train
    X_test, _ = rows_to_test(buffer, estimator, X, None, test, train)
    given = getattr(estimator, method)(X_test)
    if isinstance(given, np.ndarray) and np.may_share_memory(given, X_test):
        given = given.copy()  # an answer must outlive the fold's memory
    if not encodes:
        return given
    order = theirs._enforce_prediction_order
    if isinstance(given, list):
        return [
            order(estimator.classes_[i], part, n_classes=len(set(y[:, i])), method=method)
            for i, part in enumerate(given)
        ]
    classes = len(set(y)) if y.ndim == 1 else y.shape[1]
    return order(estimator.classes_, given, classes, method)


def _encoded(y: Any) -> Any:
    """Classes as 0, 1, ..., so that every fold's columns are in one order."""
    y = np.asarray(y)
    if y.ndim == 1:
        return LabelEncoder().fit_transform(y)
    if y.ndim == 2:
        codes = np.zeros_like(y, dtype=int)
        for column in range(y.shape[1]):
            codes[:, column] = LabelEncoder().fit_transform(y[:, column])
        return codes
    return y


def _in_place(parts: list[Any], tests: list[Any]) -> Any:
    """Folds' answers, each where its rows are."""
    arrays = [np.asarray(part) for part in parts]
    rows = sum(len(part) for part in arrays)
    if {part.shape[1:] for part in arrays} != {arrays[0].shape[1:]}:
        return np.concatenate(arrays)  # NumPy words the error
    result = np.empty((rows, *arrays[0].shape[1:]), np.result_type(*arrays))
    for part, test in zip(arrays, tests, strict=True):
        result[test] = part
    return result
