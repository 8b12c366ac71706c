"""What every validation function does: check, route, gather a fold, fit and score it."""

from __future__ import annotations

import time
from traceback import format_exc
from typing import Any

import numpy as np
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection import _validation as theirs
from sklearn.utils._param_validation import validate_parameter_constraints
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _manual_routing,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import _check_method_params

from mlestar._calls import original
from mlestar.metrics.scorers import _with_ours
from mlestar.model_selection._fold_data import FoldBuffer, rows_to_test, rows_to_train

ROOM = "sklearn.model_selection"


def check_arguments(name: str, arguments: dict[str, Any]) -> None:
    """scikit-learn's check of a function's arguments, and its words."""
    constraints = original(name, ROOM)._skl_parameter_constraints
    validate_parameter_constraints(constraints, arguments, caller_name=name)


def our_scorers(scorers: Any, scoring: Any) -> Any:
    """Scorers that were asked for by name, around our functions."""
    if isinstance(scoring, str):
        return _with_ours(scorers)
    named = isinstance(scoring, list | tuple | set)
    if isinstance(scorers, _MultimetricScorer) and (named or isinstance(scoring, dict)):
        for name, scorer in scorers._scorers.items():
            if named or isinstance(scoring[name], str):
                scorers._scorers[name] = _with_ours(scorer)
    return scorers


def route(
    owner: str,
    params: dict[str, Any],
    groups: Any,
    cv: Any,
    estimator: Any,
    scorer: Any,
    fits: tuple[str, ...] = ("fit",),
) -> Any:
    """Who gets which of the parameters; `fits` are the methods that an estimator is fitted by."""
    if not _routing_enabled():
        return _manual_routing(
            {
                "splitter": {"split": {"groups": groups}},
                "estimator": dict.fromkeys(fits, params),
                "scorer": {},
            }
        )
    router = MetadataRouter(owner=owner)
    components = {"splitter": (cv, ("split",)), "estimator": (estimator, fits)}
    components["scorer"] = (scorer, ("score",))
    for whose, (component, callees) in components.items():
        mapping = MethodMapping()
        for callee in callees:
            mapping.add(caller="fit", callee=callee)
        router.add(method_mapping=mapping, **{whose: component})
    try:
        return process_routing(router, "fit", **params)
    except UnsetMetadataPassedError as error:
        raise UnsetMetadataPassedError(
            message=str(error).replace(f"{owner}.fit", owner),
            unrequested_params=error.unrequested_params,
            routed_params=error.routed_params,
        ) from error


def fit_and_score(
    buffer: FoldBuffer,
    estimator: Any,
    X: Any,
    y: Any,
    scorer: Any,
    train: Any,
    test: Any,
    fit_params: Any,
    score_params: Any,
    return_train_score: bool,
    return_estimator: bool,
    error_score: Any,
) -> dict[str, Any]:
    """One fold."""
    train, test = np.asarray(train), np.asarray(test)
    fit_params = _check_method_params(X, params=fit_params or {}, indices=train)
    score_params = score_params or {}
    for_train = _check_method_params(X, params=score_params, indices=train)
    for_test = _check_method_params(X, params=score_params, indices=test)
    start = time.time()
    X_train, y_train = rows_to_train(buffer, estimator, X, y, train)
    result: dict[str, Any] = {"fit_error": None}
    train_scores: Any = None
    try:
        fit(estimator, X_train, y_train, fit_params)
    except Exception:
        if error_score == "raise":
            raise
        fit_time, score_time = time.time() - start, 0.0
        names = scorer._scorers if isinstance(scorer, _MultimetricScorer) else None
        test_scores = error_score if names is None else dict.fromkeys(names, error_score)
        train_scores = error_score if names is None else dict(test_scores)
        result["fit_error"] = format_exc()
    else:
        fit_time = time.time() - start
        if not return_train_score:
            # Unless the estimator holds them, the rows to test on take their place.
            del X_train
        X_test, y_test = rows_to_test(buffer, estimator, X, y, test, train)
        test_scores = theirs._score(estimator, X_test, y_test, scorer, for_test, error_score)
        score_time = time.time() - start - fit_time
        if return_train_score:
            train_scores = theirs._score(
                estimator, X_train, y_train, scorer, for_train, error_score
            )
    result["test_scores"] = test_scores
    if return_train_score:
        result["train_scores"] = train_scores
    result |= {"fit_time": fit_time, "score_time": score_time}
    if return_estimator:
        result["estimator"] = estimator
    return result


def fit(estimator: Any, X: Any, y: Any, params: dict[str, Any]) -> None:
    if y is None:
        estimator.fit(X, **params)
    else:
        estimator.fit(X, y, **params)
