"""The memory that agents share: a protocol, and the run's journal that implements it."""

from mlestar.coordination.artifacts import ArtifactStore
from mlestar.coordination.base import Event, MemoryStore
from mlestar.coordination.journal import Journal

__all__ = ["ArtifactStore", "Event", "Journal", "MemoryStore"]
