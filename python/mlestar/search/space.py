"""The space of pipelines for one table: distributions of every choice, and the first ones to
try."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mlestar._lazy import require
from mlestar.models.families import FAMILIES
from mlestar.pipeline.tabular import TAKES_CATEGORIES, TAKES_MISSING, PipelineSpec

Suggest = Callable[[str, Any], Any]

# From here on, neighbors are left out and forests are kept small: one of them costs as much as ten
# boosted models that are better.
_LARGE = 20_000

_BOOSTED = {
    "n_estimators": 600,
    "learning_rate": 0.03,
    "num_leaves": 15,
    "subsample": 0.8,
    "colsample_bytree": 0.5,
    "reg_lambda": 5.0,
}
_BOOSTED_MORE = {**_BOOSTED, "n_estimators": 300, "learning_rate": 0.05, "num_leaves": 31}
_BOOSTED_SHALLOW = {**_BOOSTED, "learning_rate": 0.06, "num_leaves": 6}
_HISTOGRAM = {
    "max_iter": 250,
    "learning_rate": 0.05,
    "max_leaf_nodes": 15,
    "l2_regularization": 5.0,
    "max_features": 0.5,
}
_QUICK = {"n_estimators": 100, "learning_rate": 0.1}


@dataclass(frozen=True)
class Space:
    """What may be chosen for one table.

    Attributes
    ----------
    task : str
    families : tuple of str
        Families allowed.
    rows : int
        Rows of the table; k-nearest neighbors and wide networks are left out of large ones.
    has_categories, has_missing : bool
        Whether `encode` and `impute` matter.
    """

    task: str
    families: tuple[str, ...]
    rows: int
    has_categories: bool
    has_missing: bool

    @classmethod
    def of(
        cls,
        task: str,
        rows: int,
        *,
        has_categories: bool,
        has_missing: bool,
        families: Sequence[str] | None = None,
    ) -> Space:
        """The space for a table; `families` restricts it.

        Raises
        ------
        ValueError
            For a family that is not known.
        """
        chosen = tuple(FAMILIES if families is None else families)
        for family in chosen:
            if family not in FAMILIES:
                raise ValueError(f"families holds {family!r}, but may hold {FAMILIES}")
        if not chosen:
            raise ValueError("families is empty, but must name at least one family")
        if families is None and rows >= _LARGE:
            chosen = tuple(f for f in chosen if f != "k_nearest_neighbors")
        return cls(task, chosen, rows, has_categories, has_missing)

    def portfolio(self) -> list[PipelineSpec]:
        """Pipelines to try first: strong ones of every family, quick ones early."""
        specs = _for_large(self) if self.rows >= _LARGE else _for_small(self)
        kept = [spec for spec in specs if spec.family in self.families]
        return kept or [self.plain(self.families[0])]

    def encoding(self, name: str) -> str:
        """The encoding of that name, or "ordinal" where there is nothing to encode."""
        return name if self.has_categories else "ordinal"

    def plain(self, family: str) -> PipelineSpec:
        """The plainest pipeline of a family: its defaults after the least preprocessing."""
        if family in TAKES_MISSING:
            return PipelineSpec(family, "none", "ordinal", "none")
        scale = "none" if family in ("extra_trees", "random_forest") else "standard"
        return PipelineSpec(family, "median", "ordinal", scale)

    def suggest(
        self, suggest: Suggest, base: PipelineSpec | None, block: str | None
    ) -> PipelineSpec:
        """A pipeline drawn choice by choice; with a block, only that one differs from `base`."""
        keep = base if block is not None else None
        if keep is not None and block != "family":
            family = keep.family
        else:
            family = suggest("family", list(self.families))
        takes_missing, takes_categories = family in TAKES_MISSING, family in TAKES_CATEGORIES
        impute, encode, scale = "median", "ordinal", "none"
        if keep is not None:
            impute, encode, scale = keep.impute, keep.encode, keep.scale
        if block in (None, "impute"):
            if self.has_missing:
                options = ["median", "mean", "median_indicator"]
                kind = "impute_native" if takes_missing else "impute"
                impute = suggest(kind, ["none", *options] if takes_missing else options)
            else:
                impute = "none" if takes_missing else "median"
        if block in (None, "encode") and self.has_categories:
            options = ["ordinal", "onehot", "target"]
            kind = "encode_native" if takes_categories else "encode"
            encode = suggest(kind, [*options, "native"] if takes_categories else options)
        if block in (None, "scale"):
            if family in ("extra_trees", "random_forest", *TAKES_MISSING):
                scale = "none" if block is None else suggest("scale_tree", ["none", "quantile"])
            else:
                scale = suggest("scale", ["standard", "quantile"])
        # What the base's family took may be more than this one takes.
        if impute == "none" and not takes_missing:
            impute = "median"
        if encode == "native" and not takes_categories:
            encode = "ordinal"
        if keep is not None and block in ("impute", "encode", "scale"):
            params = dict(keep.params)
        else:
            params = {
                name: suggest(f"{family}.{name}", distribution)
                for name, distribution in self.distributions(family).items()
            }
        return PipelineSpec(family, impute, encode, scale, params)

    def distributions(self, family: str) -> dict[str, Any]:
        """Optuna distributions of a family's hyperparameters; a list is a choice."""
        d = require("optuna", "run").distributions
        real, whole = d.FloatDistribution, d.IntDistribution
        small = self.rows < _LARGE
        if family == "lightgbm":
            return {
                "n_estimators": whole(60, 800, log=True),
                "learning_rate": real(0.015, 0.2, log=True),
                "num_leaves": whole(4, 96, log=True),
                "min_child_samples": whole(3, 80, log=True),
                "subsample": real(0.5, 1.0),
                "colsample_bytree": real(0.3, 1.0),
                "reg_lambda": real(1e-3, 30.0, log=True),
                "cat_smooth": real(1.0, 100.0, log=True),
            }
        if family == "hist_gradient_boosting":
            return {
                "max_iter": whole(60, 400, log=True),
                "learning_rate": real(0.02, 0.2, log=True),
                "max_leaf_nodes": whole(4, 64, log=True),
                "min_samples_leaf": whole(3, 80, log=True),
                "l2_regularization": real(1e-3, 30.0, log=True),
                "max_features": real(0.3, 1.0),
            }
        if family in ("extra_trees", "random_forest"):
            return {
                "n_estimators": whole(80, 400 if small else 150, log=True),
                "min_samples_leaf": whole(1, 20, log=True),
                "max_features": real(0.15, 1.0),
            }
        if family == "linear":
            return {"alpha": real(1e-3, 100.0, log=True)}
        if family == "mlp":
            return {
                "width": whole(32, 256 if small else 128, log=True),
                "depth": whole(1, 3),
                "alpha": real(1e-5, 1.0, log=True),
                "learning_rate_init": real(3e-4, 1e-2, log=True),
            }
        return {
            "n_neighbors": whole(3, 80, log=True),
            "weights": ["uniform", "distance"],
            "p": [1, 2],
        }


def _for_small(space: Space) -> list[PipelineSpec]:
    onehot, target, native = map(space.encoding, ("onehot", "target", "native"))
    return [
        PipelineSpec("lightgbm", "none", "ordinal", "none", _QUICK),
        PipelineSpec("linear", "median", onehot, "standard", {"alpha": 1.0}),
        PipelineSpec("extra_trees", "median", "ordinal", "none", {"n_estimators": 200}),
        PipelineSpec("hist_gradient_boosting", "none", "ordinal", "none", {"max_iter": 120}),
        PipelineSpec("lightgbm", "none", native, "none", _BOOSTED),
        PipelineSpec("mlp", "median", onehot, "quantile", {"width": 96}),
        PipelineSpec("random_forest", "median", target, "none", {"n_estimators": 100}),
        PipelineSpec("lightgbm", "none", target, "none", _BOOSTED_MORE),
        PipelineSpec("k_nearest_neighbors", "median", onehot, "standard", {"n_neighbors": 25}),
        PipelineSpec("hist_gradient_boosting", "none", "ordinal", "none", _HISTOGRAM),
        PipelineSpec("extra_trees", "median", onehot, "none", {"min_samples_leaf": 4}),
        PipelineSpec(
            "mlp", "median", onehot, "standard", {"width": 128, "depth": 1, "alpha": 0.01}
        ),
    ]


def _for_large(space: Space) -> list[PipelineSpec]:
    onehot, target, native = map(space.encoding, ("onehot", "target", "native"))
    few = {"n_estimators": 80, "min_samples_leaf": 4}
    return [
        PipelineSpec("lightgbm", "none", "ordinal", "none", _QUICK),
        PipelineSpec("lightgbm", "none", native, "none", _BOOSTED),
        PipelineSpec("hist_gradient_boosting", "none", "ordinal", "none", _HISTOGRAM),
        PipelineSpec("lightgbm", "none", target, "none", _BOOSTED_MORE),
        PipelineSpec("linear", "median", onehot, "standard", {"alpha": 1.0}),
        PipelineSpec("lightgbm", "none", "ordinal", "none", _BOOSTED_SHALLOW),
        PipelineSpec("random_forest", "median", target, "none", few),
        PipelineSpec("mlp", "median", onehot, "quantile", {"width": 64, "depth": 1}),
        PipelineSpec("extra_trees", "median", "ordinal", "none", few),
    ]
