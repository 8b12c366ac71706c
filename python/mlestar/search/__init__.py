"""Search: the space of pipelines, the order in which it is tried, and the sampler that proposes."""

from mlestar.search.sampler import Proposal, propose
from mlestar.search.schedule import BLOCKS, Step, ablate, step_of
from mlestar.search.space import Space

__all__ = ["BLOCKS", "Proposal", "Space", "Step", "ablate", "propose", "step_of"]
