"""Where to start on a new table: with what worked on the tables that are most like it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlestar.pipeline.meta_features import META_FEATURES
from mlestar.pipeline.tabular import PipelineSpec
from mlestar.search.patterns import Pattern, fit_to_space
from mlestar.search.space import Space

# How many tables are asked, how many pipelines are chosen, and at which distance a table has 0.6 of
# the say that it would have at none.
_NEIGHBORS, _STARTS, _WIDTH = 10, 5, 0.5
# A pipeline that is only like one that was tried is believed the less, the less alike they are.
_ALIKE = 2.0
# The say of what every run tries first: as that of two tables just like the new one.
_HABIT = 2.0
# The chance that families of one kind fail here together, whatever they did elsewhere.
_FAILING = 1 / 3
_KINDS = {
    "lightgbm": "boosting",
    "hist_gradient_boosting": "boosting",
    "extra_trees": "forest",
    "random_forest": "forest",
}


@dataclass(frozen=True)
class Neighbor:
    """A known table and how far it is.

    Attributes
    ----------
    table, name : str
        As in `Pattern`.
    distance : float
        Root mean square of the differences of the meta-features, each in its standard deviations.
    weight : float
        Its say: 1 for a table just like the new one.
    trials : list of (PipelineSpec, float)
        The best gain of each pipeline, in this table's space.
    """

    table: str
    name: str
    distance: float
    weight: float
    trials: list[tuple[PipelineSpec, float]]


def nearest_tables(
    features: Mapping[str, float], patterns: Sequence[Pattern], space: Space
) -> list[Neighbor]:
    """The known tables that are most like one, at most ten, the nearest first.

    Parameters
    ----------
    features : mapping of str to float
        Meta-features of the new table.
    patterns : sequence of Pattern
        Several of one table are taken together.
    space : Space
        Of the new table.

    Notes
    -----
    Each meta-feature is scaled by its standard deviation over the known tables and the new one. A
    table's weight is that of a Gaussian kernel half a standard deviation wide.
    """
    grouped: dict[str, list[Pattern]] = {}
    for pattern in patterns:
        grouped.setdefault(pattern.table, []).append(pattern)
    if not grouped:
        return []
    tables = sorted(grouped)
    points = np.array(
        [_vector(features), *(_vector(grouped[table][0].features) for table in tables)]
    )
    spread = points.std(axis=0)
    scaled = points / np.where(spread > 1e-9, spread, np.inf)
    # Rounded, so that tables equally far are ordered by name.
    distances = np.sqrt(((scaled[1:] - scaled[0]) ** 2).mean(axis=1)).round(9)
    order = sorted(range(len(tables)), key=lambda i: (distances[i], tables[i]))[:_NEIGHBORS]
    weights = [math.exp(-0.5 * (float(distances[i]) / _WIDTH) ** 2) for i in order]
    found = []
    for i, weight in zip(order, weights, strict=True):
        known = grouped[tables[i]]
        gains: dict[str, tuple[PipelineSpec, float]] = {}
        for pattern in known:
            for spec, gain in pattern.trials:
                fitting = fit_to_space(spec, space)
                if fitting is not None and gain > gains.get(fitting.key, (None, -2.0))[1]:
                    gains[fitting.key] = (fitting, gain)
        trials = [gains[key] for key in sorted(gains)]
        if trials:
            distance = float(distances[i])
            found.append(Neighbor(tables[i], known[0].name, distance, weight, trials))
    return found


def choose_starts(
    neighbors: Sequence[Neighbor], usual: Sequence[PipelineSpec] = (), count: int = _STARTS
) -> list[dict[str, Any]]:
    """Pipelines to try first, from what the neighbours tell.

    Parameters
    ----------
    neighbors : sequence of Neighbor
        The nearest first.
    usual : sequence of PipelineSpec, default=()
        What every run tries first, in order: it has the say of two tables just like the new one,
        unless one is the new one.
    count : int, default=5

    Returns
    -------
    list of dict
        ``pipeline`` (as `PipelineSpec.to_dict`), ``table`` and ``name`` (where it did best; empty
        for one of the usual), its ``gain`` there, and ``expected``, its mean gain by weight.
        Empty where there are no neighbours.

    Notes
    -----
    Only pipelines whose gain is above 0 somewhere are chosen. The first has the greatest expected
    gain; each further one adds most to the expected best of those chosen (a greedy portfolio, as in
    Feurer et al., JMLR 23, 2022), where families of one kind (boosted trees, forests, and each
    other by itself) may fail on the new table together, with a chance of one in three, whatever the
    neighbours say: so not all that is chosen is of one kind. What a neighbour has not tried counts
    as the most similar pipeline of its family there, drawn towards -1 the less alike the two are.
    Of the usual pipelines, the first counts as the best and each next one as a little worse.
    """
    if not neighbors:
        return []
    habit = [(spec, 1.0 - place / len(usual)) for place, spec in enumerate(usual)]
    say = _HABIT if neighbors[0].distance > 0 else 0.0
    neighbors = [*neighbors, Neighbor("", "", 0.0, say, habit)]
    candidates: dict[str, tuple[PipelineSpec, float, Neighbor]] = {}
    for neighbor in neighbors:
        for spec, gain in neighbor.trials:
            if gain > candidates.get(spec.key, (spec, 0.0, neighbor))[1]:
                candidates[spec.key] = (spec, gain, neighbor)
    keys = sorted(candidates)
    weights = np.array([neighbor.weight for neighbor in neighbors])
    weights /= weights.sum()
    gains = np.array(
        [[_gain_of(candidates[key][0], neighbor) for neighbor in neighbors] for key in keys]
    )
    found = [_KINDS.get(candidates[key][0].family, candidates[key][0].family) for key in keys]
    kinds = sorted(set(found))
    rows = [kinds.index(kind) for kind in found]
    best = np.full((len(kinds), len(neighbors)), -1.0)
    starts: list[dict[str, Any]] = []
    left = list(range(len(keys)))
    while left and len(starts) < count:
        values = [_expected_best(best, rows[i], gains[i]) @ weights for i in left]
        place = left.pop(int(np.argmax(values)))
        best[rows[place]] = np.maximum(best[rows[place]], gains[place])
        spec, gain, neighbor = candidates[keys[place]]
        starts.append(
            {
                "pipeline": spec.to_dict(),
                "table": neighbor.table,
                "name": neighbor.name,
                "gain": gain,
                "expected": round(float((gains[place] * weights).sum()), 4),
            }
        )
    return starts


def _expected_best(best: Any, row: int, gains: Any) -> Any:
    """The best gain to hope for on each neighbour, of shape (n_neighbors,), if one kind had the
    better of what it has and these gains."""
    best = best.copy()
    best[row] = np.maximum(best[row], gains)
    ordered = -np.sort(-best, axis=0)
    chances = (1.0 - _FAILING) * _FAILING ** np.arange(len(ordered))
    return chances @ ordered - (1.0 - chances.sum())


def _vector(features: Mapping[str, float]) -> list[float]:
    return [float(features[name]) for name in META_FEATURES]


def _gain_of(spec: PipelineSpec, neighbor: Neighbor) -> float:
    """What a pipeline is worth on a table, from what was tried there."""
    found, nearest = -1.0, math.inf
    for tried, gain in neighbor.trials:
        if tried.family != spec.family:
            continue
        apart = _difference(spec, tried)
        if apart < nearest or (apart == nearest and gain > found):
            found, nearest = gain, apart
    trust = math.exp(-nearest / _ALIKE)
    return trust * found - (1.0 - trust)


def _difference(first: PipelineSpec, second: PipelineSpec) -> float:
    """How different two pipelines of one family are: 1 for each block or choice, the logarithm of
    the ratio for a number."""
    apart = float(
        (first.impute != second.impute)
        + (first.encode != second.encode)
        + (first.scale != second.scale)
    )
    for name in sorted(set(first.params) | set(second.params)):
        a, b = first.params.get(name), second.params.get(name)
        if a == b:
            continue
        if isinstance(a, int | float) and isinstance(b, int | float) and a > 0 and b > 0:
            apart += min(1.0, abs(math.log(a / b)))
        else:
            apart += 1.0
    return apart
