"""The next pipeline, as a function of the seed, the trial's number and the results it may see."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

from mlestar._lazy import require
from mlestar.pipeline.tabular import TAKES_CATEGORIES, TAKES_MISSING, PipelineSpec
from mlestar.search.space import Space

_DRAWS = 12


@dataclass(frozen=True)
class Proposal:
    """A pipeline and the choices that made it.

    Attributes
    ----------
    spec : PipelineSpec
    choices : dict
        Name of each choice to its value, as JSON; what the sampler learns from.
    sampler : str
        Who drew it; empty where it was not drawn.
    """

    spec: PipelineSpec
    choices: dict[str, Any]
    sampler: str = ""


@dataclass(frozen=True)
class Result:
    """A trial that the sampler may learn from: its choices, and its error (None if it failed)."""

    choices: dict[str, Any]
    error: float | None


def propose(
    space: Space,
    trial: int,
    seed: int,
    results: Sequence[Result],
    *,
    base: PipelineSpec | None = None,
    block: str | None = None,
    tried: Set[str] = frozenset(),
    sampler: str = "tpe",
) -> Proposal | None:
    """Draw a pipeline by the tree-structured Parzen estimator or by the particle swarm.

    Parameters
    ----------
    space : Space
    trial, seed : int
        The sampler is seeded by the pair, so that trial k is the same whoever asks and when.
    results : sequence of Result
        Trials to learn from; the study is rebuilt from them.
    base, block : PipelineSpec and str, optional
        Draw only this block of the pipeline anew.
    tried : set of str
        Keys (`PipelineSpec.key`) of pipelines not to propose again.
    sampler : {"tpe", "swarm"}, default="tpe"
        The tree-structured Parzen estimator (Bergstra et al., NIPS 2011), or `SwarmSampler`.

    Returns
    -------
    Proposal or None
        None where only pipelines already tried were drawn: a block has few choices.
    """
    optuna = require("optuna", "run")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="minimize", sampler=_make_sampler(sampler, seed, trial, optuna)
    )
    distributions = _Distributions(space)
    for result in results:
        if result.error is None or not result.choices:
            continue
        study.add_trial(
            optuna.trial.create_trial(
                params=result.choices,
                distributions={name: distributions[name] for name in result.choices},
                value=result.error,
            )
        )
    for _ in range(_DRAWS):
        asked = study.ask()
        choices: dict[str, Any] = {}

        def suggest(
            name: str, options: Any, asked: Any = asked, choices: dict[str, Any] = choices
        ) -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                choices[name] = asked._suggest(name, distributions[name])
            return choices[name]

        spec = space.suggest(suggest, base, block)
        if spec.key not in tried:
            return Proposal(spec, choices, sampler)
    return None


def _make_sampler(name: str, seed: int, trial: int, optuna: Any) -> Any:
    if name == "swarm":
        from mlestar.search.swarm import SwarmSampler

        # One swarm for the run: it finds itself again in the results. What it may learn from is
        # decided by whoever gives them.
        return SwarmSampler(seed=_seed(seed, -1))
    return optuna.samplers.TPESampler(seed=_seed(seed, trial), n_startup_trials=8)


def choices_of(spec: PipelineSpec, space: Space) -> dict[str, Any]:
    """The choices that would have made a pipeline, as far as the space holds them."""
    distributions = _Distributions(space)
    wanted: dict[str, Any] = {"family": spec.family}
    if space.has_missing:
        wanted["impute_native" if spec.family in TAKES_MISSING else "impute"] = spec.impute
    if space.has_categories:
        wanted["encode_native" if spec.family in TAKES_CATEGORIES else "encode"] = spec.encode
    if spec.family in ("linear", "mlp", "k_nearest_neighbors"):
        wanted["scale"] = spec.scale
    wanted |= {f"{spec.family}.{name}": value for name, value in spec.params.items()}
    return {
        name: value
        for name, value in wanted.items()
        if name in distributions and _holds(distributions[name], value)
    }


def _holds(distribution: Any, value: Any) -> bool:
    try:
        return bool(distribution._contains(distribution.to_internal_repr(value)))
    except ValueError:
        return False


class _Distributions(dict[str, Any]):
    """Every choice of a space by name."""

    def __init__(self, space: Space) -> None:
        d = require("optuna", "run").distributions
        choices: dict[str, Any] = {
            "family": list(space.families),
            "impute": ["median", "mean", "median_indicator"],
            "impute_native": ["none", "median", "mean", "median_indicator"],
            "encode": ["ordinal", "onehot", "target"],
            "encode_native": ["ordinal", "onehot", "target", "native"],
            "scale": ["standard", "quantile"],
            "scale_tree": ["none", "quantile"],
        }
        for family in space.families:
            for name, distribution in space.distributions(family).items():
                choices[f"{family}.{name}"] = distribution
        super().__init__(
            {
                name: d.CategoricalDistribution(value) if isinstance(value, list) else value
                for name, value in choices.items()
            }
        )


def _seed(seed: int, trial: int) -> int:
    digest = hashlib.sha256(f"{seed}/{trial}".encode()).digest()
    return int.from_bytes(digest[:4], "little")
