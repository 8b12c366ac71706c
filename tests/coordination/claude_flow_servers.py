"""Where the tests find servers: the real one, if it is installed, and one that fails on demand."""

import sys
from pathlib import Path

import pytest

from mlestar.coordination.claude_flow.server import COMMAND_VARIABLE, find_server
from mlestar.exceptions import ServerError

FAKE = (sys.executable, "-S", "-E", str(Path(__file__).with_name("fake_server.py")))


def real_server():
    """The real server's command, or a skip that says how to have one."""
    try:
        command = find_server(None, Path(__file__).parent)
    except ServerError as error:
        pytest.skip(f"{error}, or set {COMMAND_VARIABLE}")
    if "npx" in command.argv[0]:
        pytest.skip(f"Claude Flow is not installed: npm install claude-flow, or {COMMAND_VARIABLE}")
    return command.argv[:-2]
