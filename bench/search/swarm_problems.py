"""What samplers are compared on: BBOB's functions and ten models tuned on tables.

The lists were fixed before the first run.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FUNCTIONS = tuple(range(1, 25))
DIMENSIONS = (5, 10)
INSTANCE = 1
TASKS = (
    "breast_cancer/svc",
    "digits/k_nearest_neighbors",
    "digits/logistic",
    "wine/mlp",
    "diabetes/elastic_net",
    "diabetes/boosting",
    "winequality-red/extra_trees",
    "pima-diabetes/boosting",
    "abalone/tree",
    "adult/boosting",
)
TRIALS = 200
SEEDS = 20
SAMPLERS = ("swarm", "tpe", "cmaes", "random", "pso")

# Rows of a table at most: the question is the sampler, not the model.
_ROWS = 600


def problems(dimensions: tuple[int, ...] = DIMENSIONS) -> list[str]:
    """Names of all problems."""
    return [f"bbob/{f}/{d}" for d in dimensions for f in FUNCTIONS] + list(TASKS)


def objective(problem: str, data: Path | None, instance: int = INSTANCE) -> Callable[[Any], float]:
    """The function of an Optuna trial that is made small."""
    if problem.startswith("bbob/"):
        _, function, dimension = problem.split("/")
        return _bbob(int(function), int(dimension), instance)
    return functools.partial(_tune, problem, data)


def _bbob(function: int, dimension: int, instance: int) -> Callable[[Any], float]:
    import cocoex

    suite = cocoex.Suite("bbob", f"instances:{instance}", f"dimensions:{dimension}")
    found = suite.get_problem_by_function_dimension_instance(function, dimension, instance)

    def value(trial: Any, suite: Any = suite) -> float:  # which owns the problem
        point = [trial.suggest_float(f"x{i}", -5.0, 5.0) for i in range(dimension)]
        return float(found(np.array(point)))

    return value


@functools.cache
def _table(name: str, data: Path | None) -> tuple[Any, Any, bool]:
    """Features, target, and whether it is one of classes."""
    from sklearn import datasets

    if name in ("breast_cancer", "digits", "wine", "diabetes"):
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        classes = name != "diabetes"
    else:
        import pandas

        if data is None:
            raise FileNotFoundError(f"{name} needs --data FOLDER with {name}.csv.gz")
        frame = pandas.read_csv(data / f"{name}.csv.gz")
        target = {"adult": "income", "abalone": "rings", "pima-diabetes": "diabetes"}
        y = frame.pop(target.get(name, "quality"))
        for column in frame.columns:
            if not pandas.api.types.is_numeric_dtype(frame[column]):
                frame[column] = frame[column].astype("category").cat.codes
        X, classes = frame.to_numpy(dtype=float), name != "abalone"
        y = pandas.factorize(y, sort=True)[0] if classes else y.to_numpy(dtype=float)
    rows = np.random.default_rng(0).permutation(len(y))[:_ROWS]
    return X[rows], np.asarray(y)[rows], classes


def _tune(problem: str, data: Path | None, trial: Any) -> float:
    from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

    name, kind = problem.split("/")
    X, y, classes = _table(name, data)
    model = globals()[f"_{kind}"](trial, classes)
    folds = (StratifiedKFold if classes else KFold)(3, shuffle=True, random_state=0)
    scoring = "neg_log_loss" if classes else "neg_root_mean_squared_error"
    scores = cross_val_score(model, X, y, cv=folds, scoring=scoring)
    value = -float(scores.mean())
    return min(value, 1e6) if value == value else 1e6


def _scaled(model: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), model)


def _svc(trial: Any, classes: bool) -> Any:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    kernel = trial.suggest_categorical("kernel", ["rbf", "poly", "sigmoid"])
    options = {"degree": trial.suggest_int("degree", 2, 5)} if kernel == "poly" else {}
    model = SVC(
        C=trial.suggest_float("C", 1e-3, 1e3, log=True),
        gamma=trial.suggest_float("gamma", 1e-5, 1e1, log=True),
        kernel=kernel,
        max_iter=2000,
        **options,
    )
    return _scaled(CalibratedClassifierCV(model, cv=3, ensemble=False))


def _k_nearest_neighbors(trial: Any, classes: bool) -> Any:
    from sklearn.decomposition import PCA
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline

    return make_pipeline(
        PCA(trial.suggest_int("components", 2, 40), random_state=0),
        KNeighborsClassifier(
            trial.suggest_int("neighbors", 1, 100, log=True),
            weights=trial.suggest_categorical("weights", ["uniform", "distance"]),
            p=trial.suggest_float("p", 1.0, 3.0),
        ),
    )


def _logistic(trial: Any, classes: bool) -> Any:
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = LogisticRegression(
        C=trial.suggest_float("C", 1e-5, 1e3, log=True),
        fit_intercept=trial.suggest_categorical("intercept", [True, False]),
        class_weight=trial.suggest_categorical("weights", [None, "balanced"]),
        max_iter=trial.suggest_int("iterations", 20, 200),
    )
    return make_pipeline(PCA(trial.suggest_int("components", 2, 60), random_state=0), model)


def _mlp(trial: Any, classes: bool) -> Any:
    from sklearn.neural_network import MLPClassifier

    layers = trial.suggest_int("layers", 1, 2)
    return _scaled(
        MLPClassifier(
            [trial.suggest_int(f"width{i}", 4, 64, log=True) for i in range(layers)],
            activation=trial.suggest_categorical("activation", ["relu", "tanh", "logistic"]),
            alpha=trial.suggest_float("alpha", 1e-6, 1e1, log=True),
            learning_rate_init=trial.suggest_float("rate", 1e-4, 1e-1, log=True),
            max_iter=50,
            random_state=0,
        )
    )


def _elastic_net(trial: Any, classes: bool) -> Any:
    from sklearn.linear_model import ElasticNet
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    return make_pipeline(
        StandardScaler(),
        PolynomialFeatures(
            trial.suggest_int("degree", 1, 2),
            interaction_only=trial.suggest_categorical("interactions", [True, False]),
        ),
        ElasticNet(
            alpha=trial.suggest_float("alpha", 1e-4, 1e2, log=True),
            l1_ratio=trial.suggest_float("ratio", 0.01, 1.0),
            selection=trial.suggest_categorical("selection", ["cyclic", "random"]),
            max_iter=300,
            random_state=0,
        ),
    )


def _boosting(trial: Any, classes: bool) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    return (HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor)(
        learning_rate=trial.suggest_float("rate", 1e-2, 0.5, log=True),
        max_iter=trial.suggest_int("iterations", 10, 60, step=10),
        max_leaf_nodes=trial.suggest_int("leaves", 3, 31, log=True),
        min_samples_leaf=trial.suggest_int("rows", 2, 60, log=True),
        l2_regularization=trial.suggest_float("l2", 1e-6, 1e2, log=True),
        max_features=trial.suggest_float("features", 0.2, 1.0),
        random_state=0,
    )


def _extra_trees(trial: Any, classes: bool) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(
        n_estimators=30,
        criterion=trial.suggest_categorical("criterion", ["gini", "entropy"]),
        max_depth=trial.suggest_int("depth", 2, 25),
        min_samples_leaf=trial.suggest_int("rows", 1, 20, log=True),
        max_features=trial.suggest_float("features", 0.1, 1.0),
        bootstrap=trial.suggest_categorical("bootstrap", [True, False]),
        random_state=0,
    )


def _tree(trial: Any, classes: bool) -> Any:
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor(
        criterion=trial.suggest_categorical("criterion", ["squared_error", "friedman_mse"]),
        max_depth=trial.suggest_int("depth", 1, 20),
        min_samples_leaf=trial.suggest_int("rows", 1, 100, log=True),
        max_features=trial.suggest_float("features", 0.1, 1.0),
        ccp_alpha=trial.suggest_float("alpha", 1e-6, 1.0, log=True),
        random_state=0,
    )
