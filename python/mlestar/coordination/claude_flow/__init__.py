"""Claude Flow as the memory that agents share: its server, a client of it, a store over it."""

from mlestar.coordination.claude_flow.client import ClaudeFlowClient
from mlestar.coordination.claude_flow.store import ClaudeFlowStore

__all__ = ["ClaudeFlowClient", "ClaudeFlowStore"]
