"""Which kind of trial comes when: Search, Test, Analyze, Refine as a function of the trial's
number."""

from __future__ import annotations

from dataclasses import dataclass

from mlestar.models.families import make_estimator
from mlestar.pipeline.tabular import PipelineSpec
from mlestar.search.space import Space

BLOCKS = ("impute", "encode", "scale", "params", "family")
"""Blocks of a pipeline that the analysis takes away one at a time."""

_REFINES = 8
_EXPLORES = 4


@dataclass(frozen=True)
class Step:
    """What a trial is for.

    Attributes
    ----------
    purpose : str
        "search" (the whole space), "ablation" (the best with one block made plain) or "refine" (the
        block that mattered most).
    round : int
        Round of analysis that it belongs to.
    block : str or None
        The block made plain, of an ablation.
    start : int
        The first trial of the round's ablation: what is best is judged by what that one saw.
    """

    purpose: str
    round: int = 0
    block: str | None = None
    start: int = 0


def step_of(trial: int, portfolio: int, window: int, trials: int | None) -> Step:
    """The step of a trial.

    Parameters
    ----------
    trial : int
    portfolio : int
        Pipelines that are tried first.
    window : int
        Trials under way when the next is proposed: so many searches stand between an ablation and
        the refinement that needs its result.
    trials : int or None
        Trials that the budget allows, where it is known: a small one has a shorter search.

    Examples
    --------
    >>> from mlestar.search import step_of
    >>> [step_of(k, 3, 1, None).purpose for k in (0, 3, 8, 9, 17)]
    ['search', 'ablation', 'search', 'refine', 'search']
    """
    first = portfolio if trials is None else min(portfolio, max(2, trials // 2))
    if trial < first:
        return Step("search")
    length = len(BLOCKS) + window + _REFINES + _EXPLORES
    round_, place = divmod(trial - first, length)
    start = first + round_ * length
    if place < len(BLOCKS):
        return Step("ablation", round_, BLOCKS[place], start)
    place -= len(BLOCKS)
    if window <= place < window + _REFINES:
        return Step("refine", round_, None, start)
    return Step("search", round_, None, start)


def ablate(spec: PipelineSpec, block: str, space: Space) -> PipelineSpec | None:
    """The pipeline with one block made plain; None where it is plain already or does not matter.

    Examples
    --------
    >>> from mlestar.pipeline import PipelineSpec
    >>> from mlestar.search import Space, ablate
    >>> space = Space.of("binary", 100, has_categories=False, has_missing=False)
    >>> ablate(PipelineSpec("linear", scale="quantile"), "scale", space).scale
    'none'
    """
    values = spec.to_dict()
    if block == "impute":
        if not space.has_missing or spec.impute == "mean":
            return None
        values["impute"] = "mean"
    elif block == "encode":
        if not space.has_categories or spec.encode == "ordinal":
            return None
        values["encode"] = "ordinal"
    elif block == "scale":
        if spec.scale == "none":
            return None
        values["scale"] = "none"
    elif block == "params":
        # An estimator writes itself by what is not its default.
        plain, chosen = (
            repr(make_estimator(spec.family, space.task, params)) for params in ({}, spec.params)
        )
        if chosen == plain:
            return None
        values["params"] = {}
    else:
        other = "extra_trees" if spec.family == "linear" else "linear"
        values["family"] = other
        values["params"] = {}
        if other == "linear" and spec.scale == "none":
            values["scale"] = "standard"
        values["impute"] = "median" if spec.impute == "none" else spec.impute
        values["encode"] = "ordinal" if spec.encode == "native" else spec.encode
    return PipelineSpec.from_dict(values)
