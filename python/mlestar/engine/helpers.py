"""Agents of a run as processes, started again when they die."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from mlestar.agents.service import ROLES
from mlestar.coordination.journal import Journal
from mlestar.exceptions import CoordinationError

# An agent that dies so often cannot live here.
_MOST_DEATHS = 20
_LOOK_SECONDS = 0.2
_END_SECONDS = 3.0


class AgentProcesses:
    """Agents that work on a run beside the engine.

    Parameters
    ----------
    folder : path
        The run's.
    journal : Journal
    counts : mapping of str to int
        Processes of each role.

    Raises
    ------
    CoordinationError
        From `look`, if they keep dying.

    Notes
    -----
    They share the journal and the artifacts with the engine and with each other. What a dead one
    had claimed is given up at once; one that is started again replays the journal. They end with
    the process that started them.
    """

    def __init__(self, folder: Path, journal: Journal, counts: Mapping[str, int]) -> None:
        self._folder, self._journal = folder, journal
        self._processes: list[tuple[str, str, subprocess.Popen[bytes]]] = []
        self._deaths = 0
        self._looked = 0.0
        for role in ROLES:
            for _ in range(counts.get(role, 0)):
                self._start(role)

    def _start(self, role: str) -> None:
        owner = f"{role}-{uuid.uuid4().hex[:8]}"
        command = [sys.executable, "-m", "mlestar.agents", role, str(self._folder)]
        with (self._folder / "agents.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "--owner", owner, "--parent"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is the engine's affair
            )
        self._processes.append((role, owner, process))

    def look(self) -> None:
        """Start those again that have died."""
        if time.monotonic() - self._looked < _LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        for role, owner, process in list(self._processes):
            if process.poll() in (None, 0):
                continue
            self._processes.remove((role, owner, process))
            self._journal.release(owner)
            self._deaths += 1
            if self._deaths > _MOST_DEATHS:
                raise CoordinationError(
                    f"agents keep dying, the last one ({role}) with exit code "
                    f"{process.returncode}; see {self._folder / 'agents.log'}"
                )
            self._start(role)

    def close(self) -> None:
        """End them, at once if they do not end by themselves when the run does."""
        end = time.monotonic() + _END_SECONDS
        for _, owner, process in self._processes:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._journal.release(owner)
        self._processes.clear()

    def __enter__(self) -> AgentProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
