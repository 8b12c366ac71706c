"""Claude Flow's server on disk: which command starts it, and the folder that it works in.

The facts behind every precaution here were measured on version 3.43.0; each is named where it is
met.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import signal
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mlestar.exceptions import ServerUnavailableError, ServerVersionError

VERSION = "3.43.0"
INSTALL = f"npm install claude-flow@{VERSION}"
COMMAND_VARIABLE = "MLESTAR_CLAUDE_FLOW"

_OWN = ".mlestar-claude-flow"
_CLI = Path("bin") / "cli.js"
# Not ours to inherit: the first breaks the server's memory, the second replaces its store by one
# that rewrites the whole file with every call, the third would hide tools from other clients.
_LEFT_OUT = ("CLAUDE_FLOW_DB_PATH", "CLAUDE_FLOW_DISABLE_BRIDGE", "CLAUDE_FLOW_MCP_TOOLS")


@dataclass(frozen=True)
class ServerCommand:
    """How a server is started.

    Attributes
    ----------
    argv : tuple of str
    version : str
        Of the installed package; empty where only the running server can tell.
    """

    argv: tuple[str, ...]
    version: str = ""


def find_server(command: str | Sequence[str] | None, folder: Path) -> ServerCommand:
    """The command of Claude Flow's server.

    Looked for in this order: `command`; the environment variable ``MLESTAR_CLAUDE_FLOW``, a command
    or an install's folder; ``node_modules`` of `folder`, the working folder and those above them;
    ``claude-flow`` on the path; ``npx``, which runs what it has installed and downloads nothing.

    Raises
    ------
    ServerUnavailableError
        If there is none.
    ServerVersionError
        If the one that was found is no 3.x.
    """
    if command is None:
        command = os.environ.get(COMMAND_VARIABLE) or None
    if isinstance(command, str):
        installed = _installed(Path(command).expanduser())
        if installed is not None:
            return installed
        command = shlex.split(command)
    if command is not None:
        if not command or not all(isinstance(word, str) and word for word in command):
            raise ValueError(f"command is {command!r}, but must be words of a command line")
        if shutil.which(command[0]) is None:
            raise ServerUnavailableError(f"there is no command {command[0]!r}")
        return ServerCommand((*command, "mcp", "start"))
    for place in dict.fromkeys([folder, *folder.parents, Path.cwd(), *Path.cwd().parents]):
        installed = _installed(place)
        if installed is not None:
            return installed
    program = shutil.which("claude-flow")
    if program is not None:
        return _installed(Path(program)) or ServerCommand((program, "mcp", "start"))
    if shutil.which("npx") is not None:
        return ServerCommand(("npx", "--no", "--", "claude-flow", "mcp", "start"))
    raise ServerUnavailableError(f"Claude Flow is not installed (Node.js, then {INSTALL})")


def _installed(place: Path) -> ServerCommand | None:
    """The command of an install: its folder, one with it in node_modules, or its cli.js."""
    place = place.resolve()
    candidates = [place / "node_modules" / "claude-flow", place]
    if place.is_file():
        candidates = [place.parent.parent]
    for package in candidates:
        if (package / _CLI).is_file() and (package / "package.json").is_file():
            break
    else:
        return None
    try:
        version = str(json.loads((package / "package.json").read_text())["version"])
    except (OSError, ValueError, KeyError) as error:
        raise ServerUnavailableError(f"{package} is damaged: {error!r}; {INSTALL}") from error
    check_version(version, str(package))
    node = shutil.which("node")
    if node is None:
        raise ServerUnavailableError(f"{package} needs Node.js: there is no command 'node'")
    return ServerCommand((node, str(package / _CLI), "mcp", "start"), version)


def check_version(version: str, where: str) -> None:
    """ServerVersionError unless a version is 3.x."""
    if version.split(".")[0] != "3":
        raise ServerVersionError(
            f"{where} is Claude Flow {version}, but mlestar works with 3.x: {INSTALL}"
        )


def check_identity(name: str, version: str) -> None:
    """ServerVersionError unless a running server is Claude Flow 3.x, which calls itself ruflo."""
    if name == "claude-flow" and not version.startswith("3."):
        check_version(version, "the server")
    if name not in ("ruflo", "claude-flow"):
        raise ServerVersionError(
            f"the server is {name!r} {version}, but must be Claude Flow 3.x: {INSTALL}"
        )
    check_version(version, "the server")


class ServerFolder:
    """The data folder of a server: what it may find there, and what it may not.

    Parameters
    ----------
    path : path
        The folder in which ``.swarm`` lies, or will.

    Attributes
    ----------
    path : Path
    scratch : Path
        The server's working folder, ours alone: its policy ledger and side files stay out of the
        user's.
    database : Path
        Claude Flow's memory.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).resolve()
        if self.path in (Path("/"), Path.home().resolve()):
            # The server would ignore it and take its working folder.
            raise ValueError(f"folder is {self.path}, but must not be / nor the home folder")
        self.scratch = self.path / _OWN
        self.database = self.path / ".swarm" / "agentdb-memory.db"
        self._policy = self.scratch / ".claude-flow" / "policy"
        self._pid = self.scratch / "server.pid"
        self._owner: IO[str] | None = None

    def environment(self) -> Mapping[str, str]:
        """The server's environment."""
        ours = {
            "CLAUDE_FLOW_CWD": str(self.path),
            "CLAUDE_FLOW_MEMORY_PATH": str(self.path / ".swarm"),
            "RUFLO_DAEMON_AUTOSTART": "0",  # no process that outlives the server
        }
        return {k: v for k, v in os.environ.items() if k not in _LEFT_OUT} | ours

    def wrapped(self, command: ServerCommand) -> list[str]:
        """The command in a shell that leaves the server's process id behind."""
        return ["/bin/sh", "-c", 'echo $$ > "$0"; exec "$@"', str(self._pid), *command.argv]

    def take(self) -> bool:
        """Become the one who may start a server here; False while another is."""
        if self._owner is not None:
            return True
        self.scratch.mkdir(parents=True, exist_ok=True)
        file = (self.scratch / "owner.lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._owner = file
        return True

    def owner(self) -> str:
        """The process that owns the server, as it wrote it."""
        try:
            return (self.scratch / "owner.lock").read_text() or "unknown"
        except OSError:
            return "unknown"

    def give(self) -> None:
        """Let another start a server here."""
        if self._owner is not None:
            self._owner.close()
            self._owner = None

    def prepare(self) -> bool:
        """Make the folder fit for a server to start; whether its memory is a new one.

        Only for the owner, while no server runs.
        """
        self.kill()
        # Without the folder, the server may keep its memory elsewhere and lose it.
        self.database.parent.mkdir(parents=True, exist_ok=True)
        self.drop_stale_lock()
        self.turn_ledger()
        if self.database.exists() and not _is_sound(self.database):
            # The server would go on in another file, say that all is well, and forget it.
            name = f"{self.database.name}.damaged-{time.time_ns()}"
            self.database.rename(self.database.with_name(name))
            for suffix in ("-wal", "-shm"):
                self.database.with_name(self.database.name + suffix).unlink(missing_ok=True)
        return not self.database.exists()

    def turn_ledger(self) -> None:
        """Let the server begin a new policy ledger; the last one is kept beside it.

        The server verifies and rewrites the whole ledger with every call: 95 ms at 1 500 calls, 4
        at the first. A damaged one makes every call fail. Only while no call is under way.
        """
        try:
            os.replace(self._policy / "state.json", self._policy / "state.previous.json")
        except FileNotFoundError:
            pass

    def drop_stale_lock(self) -> None:
        """Remove a ledger lock that a killed server left: each call would wait 5 s and fail.

        Only while no call is under way: then nobody holds it.
        """
        (self._policy / "state.lock").unlink(missing_ok=True)

    def pid(self) -> int | None:
        """The process id of the server that runs here, if one does."""
        try:
            pid = int(self._pid.read_text())
            # A number that another process bears by now is not ours to touch.
            at_home = os.readlink(f"/proc/{pid}/cwd") == str(self.scratch)
        except (OSError, ValueError):
            return None
        return pid if at_home else None

    def kill(self) -> None:
        """End the server that runs here and its children at once."""
        pid = self.pid()
        if pid is None:
            return
        try:
            if os.getpgid(pid) == pid:
                os.killpg(pid, signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def _is_sound(path: Path) -> bool:
    try:
        db = sqlite3.connect(path)
        try:
            return bool(db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
        finally:
            db.close()
    except sqlite3.DatabaseError:
        return False
