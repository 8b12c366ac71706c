"""scikit-learn's scorers around our functions.

Scorer objects are scikit-learn's own class, so they print, pickle, clone and route metadata as its
do; only the function they call is ours.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from mlestar._calls import original
from mlestar.metrics.user import CompiledMetric

ALIASES = {
    "log_loss": "neg_log_loss",
    "brier_score": "neg_brier_score",
    "mse": "neg_mean_squared_error",
    "rmse": "neg_root_mean_squared_error",
    "mae": "neg_mean_absolute_error",
}


def get_scorer_names() -> list[str]:
    """Names of all scorers, as scikit-learn lists them.

    Drop-in for `sklearn.metrics.get_scorer_names`. The aliases that `get_scorer` takes besides
    are not listed.

    Returns
    -------
    list of str
        Sorted.

    Examples
    --------
    >>> from mlestar.metrics import get_scorer_names
    >>> "roc_auc" in get_scorer_names()
    True
    """
    names: list[str] = original("get_scorer_names")()
    return names


def get_scorer(scoring: Any) -> Any:
    """The scorer of a name, around our function.

    Drop-in for `sklearn.metrics.get_scorer`.

    Parameters
    ----------
    scoring : str, callable or None
        One of `get_scorer_names()`, or an alias: ``log_loss``, ``brier_score``, ``mse``, ``rmse``
        or ``mae`` for the scorer of that loss, negated. Anything but a string is returned as it is.

    Returns
    -------
    callable
        ``scorer(estimator, X, y, sample_weight=None)``, greater is better; a new object each time.

    Raises
    ------
    ValueError
        If there is no scorer of that name.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.model_selection import cross_validate
    >>> from mlestar.metrics import get_scorer
    >>> X, y = [[0], [1], [2], [3]], [0, 1, 0, 1]
    >>> found = cross_validate(DummyClassifier(), X, y, cv=2, scoring=get_scorer("roc_auc"))
    >>> found["test_score"]
    array([0.5, 0.5])
    """
    scorer = original("get_scorer")(_full_name(scoring))
    return _with_ours(scorer) if isinstance(scoring, str) else scorer


def make_scorer(
    score_func: Any,
    *,
    response_method: Any = "predict",
    greater_is_better: bool = True,
    **kwargs: Any,
) -> Any:
    """A scorer from a metric.

    Drop-in for `sklearn.metrics.make_scorer`.

    Parameters
    ----------
    score_func : callable
        ``score_func(y, y_pred, **kwargs)``. For a function of scikit-learn that mlestar has too,
        ours is called.
    response_method : {"predict_proba", "decision_function", "predict"} or list/tuple of such str
        Method of the estimator whose answer `score_func` is given; of several the first it has.
    greater_is_better : bool, default=True
        False for a loss, whose sign is turned. A metric made by `mlestar.metrics.metric` says so
        itself, and this is not looked at.
    **kwargs
        More arguments of `score_func`.

    Returns
    -------
    callable
        ``scorer(estimator, X, y, sample_weight=None)``, greater is better.

    Examples
    --------
    >>> from mlestar.metrics import fbeta_score, make_scorer
    >>> make_scorer(fbeta_score, beta=2)
    make_scorer(fbeta_score, response_method='predict', beta=2)
    """
    if isinstance(score_func, CompiledMetric):
        greater_is_better = score_func.greater_is_better
    return _with_ours(
        original("make_scorer")(
            score_func,
            response_method=response_method,
            greater_is_better=greater_is_better,
            **kwargs,
        )
    )


def check_scoring(
    estimator: Any = None,
    scoring: Any = None,
    *,
    allow_none: bool = False,
    raise_exc: bool = True,
) -> Any:
    """The scorer that an estimator and a `scoring` argument mean.

    Drop-in for `sklearn.metrics.check_scoring`.

    Parameters
    ----------
    estimator : object with a fit method, or None
        Its own `score` counts where `scoring` is None.
    scoring : str, callable, list, tuple, set, dict or None
        Names as for `get_scorer`, scorers, or several of them.
    allow_none : bool, default=False
        Whether None is returned, instead of an error, where nothing says how to score.
    raise_exc : bool, default=True
        Whether a failing scorer of several raises, or gives its traceback as its score.

    Returns
    -------
    callable
        ``scorer(estimator, X, y)``; of several scorers it returns a dict.

    Raises
    ------
    TypeError
        If there is neither a `scoring` nor a `score` method.
    ValueError
        If a name is not known, or `scoring` is a metric rather than a scorer.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from mlestar.metrics import check_scoring
    >>> model = DummyClassifier().fit([[0], [1], [2]], [0, 1, 1])
    >>> scorer = check_scoring(model, ["accuracy", "log_loss"])
    >>> {name: round(score, 4) for name, score in scorer(model, [[0], [1]], [0, 1]).items()}
    {'accuracy': 0.5, 'log_loss': -0.752}
    """
    if callable(scoring) and getattr(scoring, "__module__", None) == "mlestar.metrics":
        raise ValueError(
            f"scoring value {scoring!r} looks like it is a metric function rather than a scorer. "
            "A scorer should require an estimator as its first parameter. Please use `make_scorer` "
            "to convert a metric to a scorer."
        )
    scorer = original("check_scoring")(
        estimator, _full_names(scoring), allow_none=allow_none, raise_exc=raise_exc
    )
    if isinstance(scoring, str):
        return _with_ours(scorer)
    if isinstance(scoring, list | tuple | set | dict):
        for name, found in scorer._scorers.items():
            if not isinstance(scoring, dict) or isinstance(scoring[name], str):
                _with_ours(found)
    return scorer


def positive_likelihood_ratio(y_true: Any, y_pred: Any) -> Any:
    """What the scorer of that name calls."""
    from mlestar.metrics.confusion import class_likelihood_ratios

    return class_likelihood_ratios(y_true, y_pred, replace_undefined_by=1.0)[0]


def negative_likelihood_ratio(y_true: Any, y_pred: Any) -> Any:
    """What the scorer ``neg_negative_likelihood_ratio`` calls."""
    from mlestar.metrics.confusion import class_likelihood_ratios

    return class_likelihood_ratios(y_true, y_pred, replace_undefined_by=1.0)[1]


def _full_name(scoring: Any) -> Any:
    return ALIASES.get(scoring, scoring) if isinstance(scoring, str) else scoring


def _full_names(scoring: Any) -> Any:
    """`scoring` with aliases replaced, still under the names they were asked for by."""
    if isinstance(scoring, dict):
        return {key: _full_name(value) for key, value in scoring.items()}
    if isinstance(scoring, list | tuple | set):
        distinct = all(isinstance(name, str) for name in scoring) and len(set(scoring)) == len(
            scoring
        )
        if distinct and not ALIASES.keys().isdisjoint(scoring):
            return {name: _full_name(name) for name in scoring}
        return scoring  # scikit-learn words what may be wrong with it
    return _full_name(scoring)


def _with_ours(scorer: Any) -> Any:
    """The scorer, which is nobody else's yet, with our function instead of scikit-learn's."""
    function = getattr(scorer, "_score_func", None)
    try:
        scorer._score_func = _ours().get(function, function)
    except (AttributeError, TypeError):  # no scorer of that kind; a function that has no hash
        pass
    return scorer


@cache
def _ours() -> dict[Any, Any]:
    """scikit-learn's functions and ours."""
    import sklearn.metrics
    from sklearn.metrics import _scorer

    from mlestar import metrics

    found: dict[Any, Any] = {
        _scorer.positive_likelihood_ratio: positive_likelihood_ratio,
        _scorer.negative_likelihood_ratio: negative_likelihood_ratio,
    }
    for name in sklearn.metrics.__all__:
        mine = vars(metrics).get(name)
        if getattr(mine, "__module__", None) == "mlestar.metrics":
            found[original(name)] = mine
    return found
