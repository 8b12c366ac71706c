"""The pipelines a search fits: blocks that are chosen by name and built from scikit-learn's
parts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mlestar.models.families import make_estimator

IMPUTE = ("none", "median", "mean", "median_indicator")
ENCODE = ("ordinal", "onehot", "target", "native")
SCALE = ("none", "standard", "quantile")

# Families that take missing values as they are, and those that take categories. scikit-learn's
# histogram
# gradient boosting would take these too, but then holds a function that no model file may.
TAKES_MISSING = ("lightgbm", "hist_gradient_boosting")
TAKES_CATEGORIES = ("lightgbm",)
_MOST_NATIVE_CATEGORIES = 1000
_MOST_COLUMNS_PER_CATEGORY = 40


@dataclass(frozen=True)
class PipelineSpec:
    """One pipeline: the choice for each block.

    Attributes
    ----------
    family : str
        One of `mlestar.models.FAMILIES`.
    impute, encode, scale : str
        One of `IMPUTE`, `ENCODE` and `SCALE`.
    params : dict
        Hyperparameters of the family.
    """

    family: str
    impute: str = "median"
    encode: str = "ordinal"
    scale: str = "none"
    params: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "family": self.family,
            "impute": self.impute,
            "encode": self.encode,
            "scale": self.scale,
            "params": dict(self.params),
        }

    @property
    def key(self) -> str:
        """The same string for the same pipeline.

        Examples
        --------
        >>> from mlestar.pipeline import PipelineSpec
        >>> PipelineSpec("linear", params={"alpha": 1.0}).key == PipelineSpec("linear").key
        False
        """
        return json.dumps(self.to_dict(), sort_keys=True)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PipelineSpec:
        """What `to_dict` gave."""
        return cls(**values)


def make_pipeline(
    spec: PipelineSpec,
    task: str,
    cardinalities: Sequence[int],
    *,
    seed: int = 0,
    threads: int = 1,
) -> tuple[Any, dict[str, Any]]:
    """An unfitted scikit-learn Pipeline, and the arguments its ``fit`` takes beyond X and y.

    Parameters
    ----------
    spec : PipelineSpec
    task : {"binary", "multiclass", "regression"}
    cardinalities : sequence of int
        Categories of each column of X; 0 for numbers (see `TableSchema.cardinalities`).
    seed, threads : int

    Raises
    ------
    ValueError
        For a block's choice that is not known, or that the family cannot take.

    Examples
    --------
    >>> from mlestar.pipeline import PipelineSpec, make_pipeline
    >>> pipeline, _ = make_pipeline(PipelineSpec("linear", scale="standard"), "regression", [0, 0])
    >>> pipeline = pipeline.fit([[0.0, 1.0], [1.0, float("nan")], [2.0, 0.0]], [0.0, 1.0, 2.0])
    >>> pipeline.predict([[1.0, 1.0]]).shape
    (1,)
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    for name, value, known in (
        ("impute", spec.impute, IMPUTE),
        ("encode", spec.encode, ENCODE),
        ("scale", spec.scale, SCALE),
    ):
        if value not in known:
            raise ValueError(f"{name} is {value!r}, but must be one of {known}")
    if spec.encode == "native" and spec.family not in TAKES_CATEGORIES:
        raise ValueError(f"encode is 'native', but {spec.family} takes no categories as they are")
    if spec.impute == "none" and spec.family not in TAKES_MISSING:
        raise ValueError(f"impute is 'none', but {spec.family} takes no missing values")
    numbers = [i for i, count in enumerate(cardinalities) if count == 0]
    categories = [i for i, count in enumerate(cardinalities) if count > 0]
    parts = []
    if numbers:
        parts.append(("numbers", _numbers(spec, seed), numbers))
    if categories:
        parts.append(("categories", _categories(spec, task, seed), categories))
    estimator = make_estimator(spec.family, task, spec.params, seed=seed, threads=threads)
    fit_arguments: dict[str, Any] = {}
    if spec.encode == "native" and categories:
        first = len(
            numbers
        )  # the indicators of missing numbers come with impute, never with native
        places = [
            first + k
            for k, i in enumerate(categories)
            if cardinalities[i] <= _MOST_NATIVE_CATEGORIES
        ]
        fit_arguments["model__categorical_feature"] = places
    columns = ColumnTransformer(parts, sparse_threshold=0.0)
    return Pipeline([("columns", columns), ("model", estimator)]), fit_arguments


def _numbers(spec: PipelineSpec, seed: int) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    steps: list[tuple[str, Any]] = []
    if spec.impute != "none":
        indicator = spec.impute == "median_indicator" and spec.encode != "native"
        steps.append(
            (
                "impute",
                SimpleImputer(
                    strategy="mean" if spec.impute == "mean" else "median",
                    add_indicator=indicator,
                    keep_empty_features=True,
                ),
            )
        )
    if spec.scale == "standard":
        steps.append(("scale", StandardScaler()))
    elif spec.scale == "quantile":
        scaler = QuantileTransformer(
            n_quantiles=200, output_distribution="normal", subsample=50_000, random_state=seed
        )
        steps.append(("scale", scaler))
    return Pipeline(steps) if steps else "passthrough"


def _categories(spec: PipelineSpec, task: str, seed: int) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

    if spec.encode == "native":
        return "passthrough"  # NaN is the missing category
    steps: list[tuple[str, Any]] = [
        ("missing", SimpleImputer(strategy="constant", fill_value=-1.0, keep_empty_features=True))
    ]
    if spec.encode == "onehot":
        encoder = OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            max_categories=_MOST_COLUMNS_PER_CATEGORY,
            sparse_output=False,
        )
        steps.append(("encode", encoder))
    elif spec.encode == "target":
        kind = {"binary": "binary", "multiclass": "multiclass"}.get(task, "continuous")
        steps.append(("encode", TargetEncoder(target_type=kind, random_state=seed)))
    if spec.scale != "none" and spec.encode != "onehot":
        steps.append(("scale", StandardScaler()))
    return Pipeline(steps)
