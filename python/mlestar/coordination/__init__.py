"""The memory that agents share: a protocol, and what implements it: one SQLite file, the run's
journal, and Claude Flow."""

from typing import TYPE_CHECKING, Any

from mlestar._lazy import load_lazily
from mlestar.coordination.artifacts import ArtifactStore
from mlestar.coordination.base import Event, MemoryStore
from mlestar.coordination.embedded import EmbeddedStore
from mlestar.coordination.journal import Journal
from mlestar.coordination.sharing import Lease, Versions, watch

if TYPE_CHECKING:
    from mlestar.coordination.claude_flow import ClaudeFlowClient, ClaudeFlowStore

_NAMES = {"claude_flow": ["ClaudeFlowClient", "ClaudeFlowStore"]}

__all__ = [
    "ArtifactStore",
    "ClaudeFlowClient",
    "ClaudeFlowStore",
    "EmbeddedStore",
    "Event",
    "Journal",
    "Lease",
    "MemoryStore",
    "Versions",
    "watch",
]


def __getattr__(name: str) -> Any:
    return load_lazily(__name__, globals(), _NAMES, name)
