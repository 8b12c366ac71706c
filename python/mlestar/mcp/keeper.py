"""Runs as processes of their own, which outlive the client that started them and the server too."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlestar._files import write_whole
from mlestar.engine.runs import Run
from mlestar.exceptions import RunFolderError
from mlestar.mcp.folders import Folders

_RECORDS = ".mlestar-mcp"
# A run keeps to its seconds by itself; one that has not after this many more is ended.
_GRACE = 60.0
# A server that a shell started in the background ignores Ctrl-C, and so would its runs, which are
# stopped by it.
_PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from mlestar.cli import main; sys.exit(main())"
)


@dataclass(frozen=True)
class Limits:
    """What a client's runs may take.

    Attributes
    ----------
    seconds : float
        Of one run.
    fits : int or None
        Of one run; None for as many as the seconds allow.
    runs : int
        At a time.
    workers : int or None
        Fits at a time of one run; None for the cores.
    """

    seconds: float = 600.0
    fits: int | None = None
    runs: int = 1
    workers: int | None = None

    def __post_init__(self) -> None:
        for name in ("seconds", "fits", "runs", "workers"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name} is {value}, but must be positive and finite")


class RunKeeper:
    """Starts, watches and stops runs.

    Parameters
    ----------
    folders : Folders
    limits : Limits

    Notes
    -----
    A record of each run lies in the folder of all runs: another server goes on where this one was
    killed. A process counts as the run's only if it was started when the record says.
    """

    def __init__(self, folders: Folders, limits: Limits) -> None:
        self._folders, self.limits = folders, limits
        self._lock = threading.Lock()
        (folders.runs / _RECORDS).mkdir(exist_ok=True)

    def start(
        self,
        data: str,
        *,
        seconds: float | None = None,
        fits: int | None = None,
        options: Sequence[str] = (),
    ) -> str:
        """Start a run; its name.

        Parameters
        ----------
        data : str
            A file, or the name of a table that scikit-learn ships.
        seconds, fits : float and int, default=None
            The run's budget, within the limits; by default the limit.
        options : sequence of str
            More of ``mlestar run``'s.

        Raises
        ------
        ValueError
            For a budget above the limits, or if too many runs are under way.
        """
        seconds = self._within("seconds", seconds, self.limits.seconds)
        fits = self._within("fits", fits, self.limits.fits)
        stem = re.sub(r"[^A-Za-z0-9]+", "-", Path(data).name.split(".")[0]).strip("-") or "table"
        name = f"{stem[:40]}-{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:4]}"
        arguments = ["run", "--data", data, "--out", str(self._folders.runs / name), *options]
        arguments += ["--seconds", repr(seconds)]
        if fits is not None:
            arguments += ["--fits", str(fits)]
        self._launch(name, arguments, seconds)
        return name

    def _within(self, name: str, value: Any, limit: Any) -> Any:
        if value is None:
            return limit
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} is {value}, but must be positive and finite")
        if limit is not None and value > limit:
            raise ValueError(f"{name} is {value}, but may be at most {limit} on this server")
        return value

    def resume(self, name: str) -> None:
        """Go on with a run that was stopped before it was finished.

        Raises
        ------
        ValueError
            If it is under way, finished or not there, or too many others are under way.
        """
        state = self.look(name)["state"]
        if state != "stopped":
            raise ValueError(f"run {name!r} is {state}, but must be stopped to be resumed")
        self._launch(name, ["resume", str(self._folders.run(name))], self.limits.seconds)

    def _launch(self, name: str, arguments: list[str], seconds: float) -> None:
        with self._lock:
            busy = [other for other in self.names() if self._busy(other)]
            if len(busy) >= self.limits.runs:
                raise ValueError(
                    f"{len(busy)} runs are under way, which is all there may be: {busy}"
                )
            if self.limits.workers is not None:
                arguments = [*arguments, "--workers", str(self.limits.workers)]
            with self._path(name, ".log").open("ab") as log:
                child = subprocess.Popen(
                    [sys.executable, "-c", _PROGRAM, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    # A client that hangs up takes the server with it, not the run.
                    start_new_session=True,
                )
            # One that has ended must be waited for, or its number stays taken.
            threading.Thread(target=child.wait, daemon=True).start()
            record = {
                "pid": child.pid,
                "started": _start_of(child.pid),
                "end": time.time() + seconds + _GRACE,
                "arguments": arguments,
            }
            text = json.dumps(record).encode()
            write_whole(self._path(name, ".json"), lambda file: file.write(text))

    def _path(self, name: str, suffix: str) -> Path:
        return self._folders.runs / _RECORDS / (name + suffix)

    def _record(self, name: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._path(name, ".json").read_bytes())
        except FileNotFoundError:
            return {}
        return found

    def _alive(self, record: dict[str, Any]) -> bool:
        pid = record.get("pid")
        if pid is None:
            return False
        if _start_of(pid) != record["started"] or record["started"] is None:
            return False
        if time.time() > record["end"]:
            os.killpg(pid, signal.SIGKILL)
            return False
        return True

    def _busy(self, name: str) -> bool:
        """Whether a run is under way; one whose process is only winding up is not."""
        alive = self._alive(self._record(name))
        return alive and self.look(name)["state"] in ("starting", "running")

    def names(self) -> list[str]:
        """Runs that there are, sorted."""
        records = {p.stem for p in (self._folders.runs / _RECORDS).glob("*.json")}
        folders = {p.parent.name for p in self._folders.runs.glob("*/journal.db")}
        return sorted(records | folders)

    def read(self, name: str) -> Run:
        """A run that has begun.

        Raises
        ------
        ValueError
            If there is none of that name.
        RunFolderError
            If it has not begun.
        """
        folder = self._folders.run(name)
        if not folder.is_dir() and not self._record(name):
            raise ValueError(f"there is no run {name!r}; there are {self.names()[-20:]}")
        return Run(folder)

    def look(self, name: str) -> dict[str, Any]:
        """How a run is doing: its state, and what it has found.

        The state is "starting", "running", "finished", "stopped" (it can be resumed) or "failed".
        """
        alive = self._alive(self._record(name))
        try:
            run = self.read(name)
        except RunFolderError:
            if alive:
                return {"run": name, "state": "starting"}
            return {"run": name, "state": "failed", "said": self._said(name)}
        state = run._state
        word = "running" if alive else "stopped"
        if state.finished:
            word = "finished"
        elif not alive and state.closed:
            word = "failed" if not any(t.settled for t in state.trials) else "stopped"
        best = state.best()
        found: dict[str, Any] = {
            "run": name,
            "state": word,
            "trials": len(state.trials),
            "settled": sum(trial.settled for trial in state.trials),
            "failed": sum(trial.status == "failed" for trial in state.trials),
            "metric": state.manifest["metric_name"],
            "best": None if best is None else {"family": best.spec.family, "score": best.score},
            "search_ended_by": state.closed or None,
        }
        if not alive and word != "finished":
            found["said"] = self._said(name)
        return found

    def _said(self, name: str) -> str:
        try:
            text = self._path(name, ".log").read_text(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.strip().splitlines()[-5:])[-2000:]

    def stop(self, name: str) -> bool:
        """Ask a run to end with the best that it has; whether it was under way."""
        self._folders.run(name)
        if not self._busy(name):
            return False
        os.kill(self._record(name)["pid"], signal.SIGINT)
        return True


def _start_of(pid: int) -> str | None:
    """When a process was started, in ticks since the machine was; None for one that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]
