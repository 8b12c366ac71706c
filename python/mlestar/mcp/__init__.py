"""mlestar's tools for agents that speak the Model Context Protocol."""

from mlestar.mcp.folders import Folders
from mlestar.mcp.keeper import Limits, RunKeeper
from mlestar.mcp.tools import Toolbox

__all__ = ["Folders", "Limits", "RunKeeper", "Toolbox"]
