"""The server: `mlestar mcp` over standard input and output."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from mlestar._lazy import require
from mlestar.mcp.tools import Toolbox

_INSTRUCTIONS = (
    "Searches, tests, analyzes and refines models for tables. validate_table first; start_run "
    "comes back at once and poll_run tells how it goes; leaderboard, ablation, explain, predict "
    "and compare_models read what a run has found. Runs go on when you disconnect."
)
_WRITES = ("start_run", "stop_run", "resume_run")


def make_server(toolbox: Toolbox) -> Any:
    """An `mcp.server.MCPServer` with the tools of a toolbox.

    Raises
    ------
    ImportError
        Without the extra ``claude-flow``.
    """
    from mlestar import __version__

    server_module = require("mcp.server.mcpserver", "claude-flow")
    types = require("mcp_types", "claude-flow")
    server = server_module.MCPServer(
        "mlestar", version=__version__, instructions=_INSTRUCTIONS, log_level="ERROR"
    )
    for name, method in inspect.getmembers(toolbox, inspect.ismethod):
        if not name.startswith("_"):
            hints = types.ToolAnnotations(
                read_only_hint=name not in _WRITES, destructive_hint=name == "stop_run"
            )
            server.add_tool(_tool(method), name=name, annotations=hints)
    return server


def _tool(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method whose errors are words for the client."""
    exceptions = require("mcp.server.mcpserver.exceptions", "claude-flow")

    @functools.wraps(method)
    def tool(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except (ValueError, RuntimeError, OSError, ImportError) as error:
            raise exceptions.ToolError(str(error)) from error

    return tool


def serve(toolbox: Toolbox) -> None:
    """Serve until the client hangs up."""
    make_server(toolbox).run("stdio")
