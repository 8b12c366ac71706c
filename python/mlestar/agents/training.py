"""The agent that fits."""

from __future__ import annotations

import hashlib
import os
import socket
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlestar.agents.base import Agent
from mlestar.agents.fitting import OUT_OF_MEMORY, fit_fold
from mlestar.agents.folds import PLAN
from mlestar.agents.state import Trial
from mlestar.coordination.base import Event, MemoryStore
from mlestar.execution.base import Executor, Outcome, Task

PRELOAD = ("mlestar.agents._preload",)
"""Modules that an executor's processes had better have imported before the first fit."""

_ATTEMPTS = 2
_NAMESPACE = "fits"


class TrainingAgent(Agent):
    """Claims fits of proposed trials, runs them on an executor and reports how each ended.

    Parameters
    ----------
    folder : path
        The run's folder.
    memory : MemoryStore
        Where fits are claimed: one that another agent holds is left to it until its lease is over.
    executor : Executor
    owner : str, default=None
        The name under which fits are claimed; unique by default.
    deadline : callable, default=None
        Gives the seconds left to the fits; None where there is no end.
    """

    role = "training"

    def __init__(
        self,
        folder: str | Path,
        memory: MemoryStore,
        executor: Executor,
        *,
        owner: str | None = None,
        deadline: Callable[[], float | None] | None = None,
    ) -> None:
        super().__init__()
        self.folder = str(folder)
        self.memory = memory
        self.executor = executor
        self.owner = owner or f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.deadline = deadline or (lambda: None)
        self._running: dict[tuple[int, int], Task] = {}
        self._reported: set[tuple[int, int]] = set()  # done, but not yet back from the journal
        self._renewed = 0.0
        self._tried: dict[tuple[int, int], float] = {}

    def act(self) -> list[Event]:
        """Fits that have ended, and the start of those that may begin."""
        events = self._collect()
        self._renew_leases()
        if self.state.closed:
            self.close()
            return events
        return events + self._start()

    def close(self) -> None:
        """Stop the fits under way."""
        for task in self._running.values():
            task.cancel()
        self._running.clear()

    def _collect(self) -> list[Event]:
        events = []
        for (number, fold), task in list(self._running.items()):
            trial = self.state.trials[number]
            if trial.settled or trial.failure:  # the trial is lost; so is the rest of it
                task.cancel()
                del self._running[number, fold]
                continue
            if not task.done():
                continue
            del self._running[number, fold]
            outcome = task.outcome()
            if outcome.exit_code == OUT_OF_MEMORY:  # it would again
                megabytes = int(self.state.manifest["memory_bytes"]) // 2**20
                outcome = Outcome("failed", error=f"took more than {megabytes} MiB of memory")
            where = {"trial": number, "fold": fold}
            if outcome.status == "done":
                self._reported.add((number, fold))
                events.append(Event("fit.done", f"{number}/{fold}", {**where, **outcome.value}))
            elif outcome.status == "died" and trial.deaths.get(fold, 0) + 1 < _ATTEMPTS:
                key = f"{number}/{fold}/{trial.deaths.get(fold, 0)}"
                events.append(Event("fit.died", key, {**where, "error": outcome.error}))
            elif outcome.status not in ("timeout", "cancelled"):
                self._reported.add((number, fold))
                failed = {**where, "error": outcome.error[:2000]}
                events.append(Event("fit.failed", f"{number}/{fold}", failed))
        return events

    def _renew_leases(self) -> None:
        seconds = float(self.state.manifest["lease_seconds"])
        if time.monotonic() - self._renewed < seconds / 4:
            return
        self._renewed = time.monotonic()
        for number, fold in self._running:
            self.memory.claim(f"{number}/{fold}", self.owner, seconds=seconds, namespace=_NAMESPACE)

    def _start(self) -> list[Event]:
        """Claim and submit fits, lowest first, as many as there are workers."""
        events: list[Event] = []
        free = self.executor.resources.cores - len(self._running)
        seconds = float(self.state.manifest["lease_seconds"])
        for trial in self.state.trials:
            if free <= 0:
                break
            if trial.settled or trial.failure:
                continue
            for fold in range(self.state.folds):
                place = (trial.number, fold)
                if free <= 0 or place in self._running or fold in trial.fits:
                    continue
                if place in self._reported:
                    continue
                if time.monotonic() < self._tried.get(place, 0.0):
                    continue  # another agent holds it; asked again a little later
                key = f"{trial.number}/{fold}"
                if not self.memory.claim(key, self.owner, seconds=seconds, namespace=_NAMESPACE):
                    self._tried[place] = time.monotonic() + min(1.0, seconds / 4)
                    continue
                self._running[place] = self.executor.submit(
                    fit_fold, self.folder, self._job(trial, fold), timeout=self.deadline()
                )
                free -= 1
                started = {"trial": trial.number, "fold": fold, "owner": self.owner}
                events.append(Event("fit.started", f"{key}/{uuid.uuid4().hex[:12]}", started))
        return events

    def _job(self, trial: Trial, fold: int) -> dict[str, Any]:
        manifest = self.state.manifest
        digest = hashlib.sha256(f"{manifest['seed']}/{trial.number}/{fold}".encode()).digest()
        names = (
            "task",
            "metric",
            "threads",
            "memory_bytes",
            "cardinalities",
            *PLAN,
        )
        return {
            **{name: manifest[name] for name in names},
            "spec": trial.spec.to_dict(),
            "fold": fold,
            "seed": int.from_bytes(digest[:4], "little") % 2**31,
            "classes": len(manifest["classes"]),
        }
