"""A run shown in Claude Flow while it goes on, by a thread that reads the journal and nothing
else."""

from __future__ import annotations

import logging
import os
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlestar._lazy import require
from mlestar.config import CoordinationConfig
from mlestar.coordination.claude_flow.client import ClaudeFlowClient
from mlestar.coordination.claude_flow.patterns import tell_pattern
from mlestar.coordination.claude_flow.server import COMMAND_VARIABLE, ServerFolder, find_server
from mlestar.coordination.claude_flow.store import ClaudeFlowStore
from mlestar.coordination.claude_flow.swarm import SwarmRecords
from mlestar.coordination.embedded import EmbeddedStore
from mlestar.coordination.journal import Journal
from mlestar.engine.records import RunRecords
from mlestar.exceptions import (
    ConfigError,
    CoordinationWarning,
    ServerError,
    ServerUnavailableError,
    ToolError,
)
from mlestar.search.patterns import PATTERNS, Pattern

_POLL = 0.2
_METRICS_SECONDS = 2.0
# The end of a run waits so long for a server that is up, and for one that is not.
_PATIENCE, _SHORT_PATIENCE = 10.0, 2.0
_PATTERN_SECONDS = 3.0
# What is not sent: the mirror's own notes.
_NOTES = "mlestar-mirror"


def check_claude_flow(config: CoordinationConfig, out: Path | None) -> None:
    """Refuse what can never work, before a run begins.

    Raises
    ------
    ImportError
        Without the extra ``claude-flow``.
    ConfigError
        For a command that is not there, or a folder that Claude Flow would ignore.
    ServerVersionError
        For a Claude Flow that is not of version 3.
    """
    require("mcp", "claude-flow")
    where = config.folder or out or "mlestar-runs"
    try:
        folder = ServerFolder(where)
    except ValueError as error:
        raise ConfigError(f"coordination_config.{error}") from error
    try:
        find_server(config.command, folder.path)
    except ValueError as error:
        raise ConfigError(f"coordination_config.{error}") from error
    except ServerUnavailableError as error:
        if config.command or os.environ.get(COMMAND_VARIABLE):
            raise ConfigError(f"coordination_config.command: {error}") from error
        # Absent altogether: the run goes on without, and says so.


class Mirror:
    """Shows a run in Claude Flow.

    Parameters
    ----------
    folder : path
        The run's.
    name : str
        Of the run in Claude Flow: its swarm's strategy, its memories' namespace, the beginning of
        its agents' ids.
    config : CoordinationConfig

    Attributes
    ----------
    patience : float
        Seconds that the end of the run may wait for Claude Flow.
    seconds : float
        Processor time that it took.

    Notes
    -----
    The thread writes nothing that the run reads, so nothing that it meets can change the run. What
    Claude Flow is to be told follows from the journal; memories go through the outbox of
    ``mlestar-memory.db`` in Claude Flow's folder, and agents and tasks are told by difference to
    what the server says it has. So a server that was killed gets what it lacks when it is back, and
    a run that was killed goes on in the same swarm.
    """

    def __init__(self, folder: Path, name: str, config: CoordinationConfig) -> None:
        self.folder, self.name, self._config = folder, name, config
        self._where = Path(config.folder or folder)
        self._words: list[str] = []
        self._stop = threading.Event()
        self._end = float("inf")
        self.patience = _PATIENCE
        self._seen = 0
        self._metered = float("-inf")
        self.seconds = 0.0
        self._records = RunRecords(name)
        self._thread = threading.Thread(target=self._live, name="mlestar-mirror", daemon=True)
        self._thread.start()

    def say(self) -> None:
        """Warn of what has gone wrong since the last call."""
        while self._words:
            warnings.warn(self._words.pop(0), CoordinationWarning, stacklevel=2)

    def close(self) -> None:
        """Tell what is left and shut the swarm down; what the patience does not reach for stays."""
        self._end = time.monotonic() + self.patience
        self._stop.set()
        # The store's own end takes up to two seconds more.
        self._thread.join(self.patience + 4.0)
        self.say()

    def _live(self) -> None:
        journal: Journal | None = None
        store: ClaudeFlowStore | None = None
        try:
            journal = Journal(self.folder / "journal.db", create=False)
            store = ClaudeFlowStore(
                self._where, command=self._config.command, tell=self._words.append
            )
            self._mirror(journal, store)
        except Exception as error:
            logging.getLogger("mlestar").debug("the mirror ended", exc_info=True)
            self._words.append(f"the run is not shown in Claude Flow any more: {error}")
        finally:
            if store is not None:
                store.close()
            if journal is not None:
                journal.close()
            self.seconds = time.thread_time()

    def _mirror(self, journal: Journal, store: ClaudeFlowStore) -> None:
        client = store.client
        swarm = SwarmRecords(
            client, self.name, topology=self._config.topology, swarm_id=self._note(store)
        )
        # The start of the server that was last asked, and whether it knows all there is to know.
        asked, told = 0, False
        since, again, refusals = time.monotonic(), 0.0, 0
        while True:
            stopping = self._stop.wait(_POLL)
            now = time.monotonic()
            self.seconds = time.thread_time()
            told = not self._read(journal, store) and told
            store.notice()
            if client.state == "up" and not refusals:
                since = now
            if client.state == "up" and now >= again and not (told and not stopping):
                try:
                    if asked != client.starts:
                        asked = client.starts
                        swarm.read()
                        self._remember(store, swarm)
                    swarm.write(self._records.agents(), self._records.tasks())
                    if stopping or now - self._metered > _METRICS_SECONDS:
                        self._measure(store, swarm)
                    told, refusals = True, 0
                    if stopping:
                        if self._records.over:
                            self._finish(store, swarm)
                        return  # or it goes on another time, in the same swarm
                except ServerUnavailableError:
                    asked, told = 0, False
                except ToolError as error:
                    asked, told, refusals = 0, False, refusals + 1
                    again = now + min(2.0**refusals / 4, 30.0)
                    if refusals == 1:
                        self._words.append(f"Claude Flow refuses: {error}; it is asked again")
            elif asked != client.starts:
                told = False
            away = now - since > _SHORT_PATIENCE
            if stopping and (away or client.state == "failed" or now >= self._end):
                return

    def _note(self, store: ClaudeFlowStore) -> str | None:
        try:
            return str(store.local.retrieve(self.name, namespace=_NOTES)["swarm"])
        except KeyError:
            return None

    def _remember(self, store: ClaudeFlowStore, swarm: SwarmRecords) -> None:
        found = {"swarm": swarm.swarm_id, "topology": self._config.topology}
        store.local.store(self.name, found, namespace=_NOTES)
        store.local.store("swarm", found, namespace=self.name, tags=["mlestar"], send=True)

    def _read(self, journal: Journal, store: ClaudeFlowStore) -> bool:
        """Put what new events leave behind into the outbox; whether there were any."""
        events = journal.events(self._seen)
        for event in events:
            self._records.apply(event)
            for key, value in self._records.memories(event).items():
                kind = key.split("/")[0]
                store.local.store_once(
                    key, value, namespace=self.name, tags=["mlestar", kind], send=True
                )
            if event.kind == "pattern.kept":
                pattern = event.payload["pattern"]
                tags = ["mlestar", pattern["task"], pattern["metric"]]
                store.local.store_once(
                    event.payload["key"], pattern, namespace=PATTERNS, tags=tags, send=True
                )
            self._seen = event.seq
        return bool(events)

    def _measure(self, store: ClaudeFlowStore, swarm: SwarmRecords) -> None:
        """Say how far the run is, and what Claude Flow thinks of the swarm's health."""
        self._metered = time.monotonic()
        metrics = {**self._records.metrics(), "health": swarm.health()["status"]}
        tags = ["mlestar", "metrics"]
        store.local.store("metrics", metrics, namespace=self.name, tags=tags, send=True)

    def _finish(self, store: ClaudeFlowStore, swarm: SwarmRecords) -> None:
        """Shut the swarm down, empty the outbox, and note if nothing is left to be told."""
        swarm.shut_down()
        told = self._tell_pattern(store.client)
        left, before = store.deliver(_SHORT_PATIENCE), None
        while left and left != before and time.monotonic() < self._end:
            left, before = store.deliver(_SHORT_PATIENCE), left
        if not left and told:
            done = {"swarm": swarm.swarm_id, "told": True}
            store.local.store(self.name, done, namespace=_NOTES)

    def _tell_pattern(self, client: ClaudeFlowClient) -> bool:
        """Tell the server's pattern tools what the run learned; whether nothing is left to tell.

        They wait for the server's model, which may never come: then the run does not wait.
        """
        kept = self._records.state.pattern
        seconds = min(_PATTERN_SECONDS, max(0.1, self._end - time.monotonic()))
        if kept is None:
            return True
        text = Pattern.from_dict(kept["pattern"]).describe()
        try:
            tell_pattern(client, kept["key"], text, kept["pattern"], seconds=seconds)
        except ServerError as error:
            self._words.append(
                f"Claude Flow's pattern tools do not have the run's pattern: {error}; "
                "mlestar resume tells them again"
            )
            return False
        return True


@contextmanager
def shown(folder: Path, manifest: dict[str, Any], started_at: float) -> Iterator[Mirror | None]:
    """A mirror of a run, if its configuration asks for one."""
    settings = manifest["config"]["coordination_config"]
    if settings["backend"] != "claude-flow":
        yield None
        return
    mirror = Mirror(folder, _name(manifest, started_at), _config(settings))
    try:
        yield mirror
    except BaseException:
        mirror.patience = 1.0  # what failed is not kept waiting
        raise
    finally:
        mirror.close()


def tell_what_is_left(folder: Path, manifest: dict[str, Any], started_at: float) -> None:
    """Tell Claude Flow what it has not been told of a finished run, if it was to be told."""
    settings = manifest["config"]["coordination_config"]
    if settings["backend"] != "claude-flow":
        return
    memory = Path(settings["folder"] or folder) / "mlestar-memory.db"
    if memory.is_file():
        store = EmbeddedStore(memory)
        try:
            note = store.retrieve(_name(manifest, started_at), namespace=_NOTES)
        except KeyError:
            note = {}
        finally:
            store.close()
        if note.get("told"):
            return
    with shown(folder, manifest, started_at):
        pass


def _name(manifest: dict[str, Any], started_at: float) -> str:
    """The run's name in Claude Flow; runs of before have no id of their own."""
    return f"mlestar-{manifest.get('id') or format(int(started_at * 1e3), 'x')}"


def _config(settings: dict[str, Any]) -> CoordinationConfig:
    known = CoordinationConfig.__dataclass_fields__
    return CoordinationConfig(**{k: v for k, v in settings.items() if k in known})
