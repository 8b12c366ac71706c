"""Search: the space of pipelines, the order in which it is tried, and the samplers that propose."""

from typing import TYPE_CHECKING, Any

from mlestar._lazy import load_lazily
from mlestar.search.patterns import Pattern, PatternMemory
from mlestar.search.sampler import Proposal, propose
from mlestar.search.schedule import BLOCKS, Step, ablate, step_of
from mlestar.search.space import Space
from mlestar.search.starts import Neighbor, choose_starts, nearest_tables

if TYPE_CHECKING:
    from mlestar.search.swarm import SwarmSampler

_NAMES = {"swarm": ["SwarmSampler"]}

__all__ = [
    "BLOCKS",
    "Neighbor",
    "Pattern",
    "PatternMemory",
    "Proposal",
    "Space",
    "Step",
    "SwarmSampler",
    "ablate",
    "choose_starts",
    "nearest_tables",
    "propose",
    "step_of",
]


def __getattr__(name: str) -> Any:
    return load_lazily(__name__, globals(), _NAMES, name)
