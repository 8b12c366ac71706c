"""The families a search chooses from, as estimators with our parameters' names."""

from __future__ import annotations

from typing import Any

from mlestar._lazy import require

FAMILIES = (
    "lightgbm",
    "hist_gradient_boosting",
    "extra_trees",
    "random_forest",
    "linear",
    "mlp",
    "k_nearest_neighbors",
)
"""Model families, in the order in which a search first tries them."""


def make_estimator(
    family: str, task: str, params: dict[str, Any], *, seed: int = 0, threads: int = 1
) -> Any:
    """An unfitted estimator of a family.

    Parameters
    ----------
    family : str
        One of `FAMILIES`.
    task : {"binary", "multiclass", "regression"}
    params : dict
        Hyperparameters as `mlestar.search.space` names them; those absent have defaults.
    seed : int, default=0
    threads : int, default=1
        Threads that the fit may use.

    Returns
    -------
    estimator
        Of scikit-learn, or of LightGBM.

    Raises
    ------
    ValueError
        For a family that is not known.

    Examples
    --------
    >>> from mlestar.models import make_estimator
    >>> make_estimator("linear", "regression", {"alpha": 2.0})
    Ridge(alpha=2.0)
    """
    makers = {
        "lightgbm": _lightgbm,
        "hist_gradient_boosting": _hist_gradient_boosting,
        "extra_trees": _forest,
        "random_forest": _forest,
        "linear": _linear,
        "mlp": _mlp,
        "k_nearest_neighbors": _neighbors,
    }
    if family not in makers:
        raise ValueError(f"family is {family!r}, but must be one of {FAMILIES}")
    return makers[family](family, task == "regression", dict(params), seed, threads)


def _lightgbm(
    family: str, regression: bool, params: dict[str, Any], seed: int, threads: int
) -> Any:
    lightgbm = require("lightgbm", "run")
    settings = {
        "n_estimators": 300,
        "learning_rate": 0.05,
        "num_leaves": 31,
        "min_child_samples": 20,
        "subsample": 1.0,
        "colsample_bytree": 1.0,
        "reg_lambda": 0.0,
        "reg_alpha": 0.0,
        "cat_smooth": 10.0,
    } | params
    cls = lightgbm.LGBMRegressor if regression else lightgbm.LGBMClassifier
    return cls(
        **settings,
        subsample_freq=1,
        n_jobs=threads,
        random_state=seed,
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
    )


def _hist_gradient_boosting(
    family: str, regression: bool, params: dict[str, Any], seed: int, threads: int
) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    settings = {"max_iter": 200, "learning_rate": 0.08, "early_stopping": False} | params
    cls = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    return cls(**settings, random_state=seed)


def _forest(family: str, regression: bool, params: dict[str, Any], seed: int, threads: int) -> Any:
    from sklearn import ensemble

    name = "ExtraTrees" if family == "extra_trees" else "RandomForest"
    cls = getattr(ensemble, name + ("Regressor" if regression else "Classifier"))
    settings = {
        "n_estimators": 150,
        "min_samples_leaf": 2,
        "max_features": 0.5 if regression else "sqrt",
    } | params
    return cls(**settings, n_jobs=threads, random_state=seed)


def _linear(family: str, regression: bool, params: dict[str, Any], seed: int, threads: int) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge

    alpha = params.pop("alpha", 1.0)
    if regression:
        return Ridge(alpha=alpha)
    return LogisticRegression(C=1.0 / alpha, max_iter=300)


def _mlp(family: str, regression: bool, params: dict[str, Any], seed: int, threads: int) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    width, depth = params.pop("width", 64), params.pop("depth", 2)
    settings = {
        "hidden_layer_sizes": (width,) * depth,
        "alpha": 1e-4,
        "learning_rate_init": 1e-3,
        "max_iter": 60,
        "early_stopping": True,
        "n_iter_no_change": 6,
    } | params
    cls = MLPRegressor if regression else MLPClassifier
    estimator = cls(**settings, random_state=seed)
    if regression:  # a network learns a target of unit scale
        return TransformedTargetRegressor(estimator, transformer=StandardScaler())
    return estimator


def _neighbors(
    family: str, regression: bool, params: dict[str, Any], seed: int, threads: int
) -> Any:
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    settings = {"n_neighbors": 15, "weights": "distance"} | params
    cls = KNeighborsRegressor if regression else KNeighborsClassifier
    return cls(**settings, n_jobs=threads)
