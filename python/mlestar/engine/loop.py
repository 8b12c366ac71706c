"""All four agents in one process, on one journal, until the budget is spent."""

from __future__ import annotations

import fcntl
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mlestar.agents import EnsembleAgent, EvaluationAgent, RunState, SearchAgent, TrainingAgent
from mlestar.agents.base import Agent
from mlestar.agents.training import PRELOAD
from mlestar.coordination.base import Event
from mlestar.coordination.journal import Journal
from mlestar.engine.helpers import AgentProcesses
from mlestar.exceptions import RunFolderError
from mlestar.execution.processes import ProcessExecutor
from mlestar.execution.resources import ResourceManager

# The engine's fits are claimed under one name: whoever holds the folder's lock is the engine, and
# takes over at once what a killed one had claimed.
OWNER = "engine"
_POLL = 0.02


class Clock:
    """Time left of a budget in seconds, over all sessions of a run; what coordination took of
    this one."""

    def __init__(self, seconds: float | None, spent: float, refit: bool, started: float) -> None:
        self.started = started - spent
        self.begun = started
        self.coordination = 0.0
        self.seconds = seconds
        # Kept for ensemble, model and report; more where the members are fitted once more.
        self.reserve = max(3.0, (0.25 if refit else 0.1) * seconds) if seconds else 0.0

    @property
    def elapsed(self) -> float:
        """Seconds that the run has taken."""
        return time.monotonic() - self.started

    @contextmanager
    def coordinating(self) -> Iterator[None]:
        """Count the time inside as the cost of coordination."""
        begin = time.perf_counter()
        yield
        self.coordination += time.perf_counter() - begin

    @property
    def coordination_share(self) -> float:
        """The share of this session's time that coordination took."""
        return self.coordination / max(1e-9, time.monotonic() - self.begun)

    @property
    def left(self) -> float | None:
        """Seconds left to the whole run."""
        return None if self.seconds is None else self.seconds - self.elapsed

    def left_to_fits(self) -> float | None:
        """Seconds left before the search closes; at least a moment."""
        left = self.left
        return None if left is None else max(0.05, left - self.reserve)

    @property
    def search_is_over(self) -> bool:
        """Whether the search must close now."""
        return self.left is not None and self.left <= self.reserve


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One engine a folder; the system releases the lock of one that was killed."""
    with (folder / "run.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunFolderError(f"{folder} is in use by another mlestar run") from None
        yield


def search(
    folder: Path,
    journal: Journal,
    workers: int | None,
    started: float,
    on_progress: Callable[[RunState, Clock], None],
) -> tuple[RunState, Clock, bool]:
    """Run the agents until the ensemble is there.

    Returns
    -------
    state, clock, interrupted
    """
    events = journal.events()
    state = RunState()
    for event in events:
        state.apply(event)
    clock = Clock(
        state.manifest["seconds"], _spent(journal), bool(state.manifest["refit"]), started
    )
    if state.is_combined():
        return state, clock, False
    journal.release(OWNER)
    threads = int(state.manifest["threads"])
    count = workers or ResourceManager.detect().workers(threads)
    interrupted: bool = False
    # The report's library loads while the first fits run.
    threading.Thread(target=_warm_up, daemon=True).start()
    apart = state.agents
    with (
        ProcessExecutor(count, preload=PRELOAD) as executor,
        AgentProcesses(folder, journal, apart) as processes,
        _asked_to_stop() as stop,
    ):
        training = TrainingAgent(
            folder, journal, executor, owner=OWNER, deadline=clock.left_to_fits
        )
        every: list[Agent] = [SearchAgent(), training, EvaluationAgent(), EnsembleAgent(folder)]
        agents = [agent for agent in every if not apart.get(agent.role)]
        seen, heartbeat = 0, 0.0
        while not state.is_combined():
            try:
                with clock.coordinating():
                    new = events if seen == 0 else journal.events(seen)
                seen = new[-1].seq if new else seen
                if seen and new is not events:
                    for event in new:
                        state.apply(event)
                answers = [event for agent in agents for event in agent.step(new)]
                if stop.is_set() and not interrupted:
                    interrupted = True
                    answers.append(Event("search.closed", "", {"reason": "interrupted"}))
                if not state.closed and clock.search_is_over:
                    answers.append(Event("search.closed", "", {"reason": "seconds"}))
                with clock.coordinating():
                    written = journal.append(answers)
                    if clock.elapsed - heartbeat > 0.5 or written:
                        heartbeat = clock.elapsed
                        journal.store("elapsed", clock.elapsed, namespace="engine")
                on_progress(state, clock)
                processes.look()
                if not written:
                    time.sleep(_POLL)
            except KeyboardInterrupt:
                if interrupted or stop.is_set():
                    raise  # asked twice: at once
                interrupted = True
                journal.append([Event("search.closed", "", {"reason": "interrupted"})])
        training.close()
    return state, clock, interrupted


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets; the second raises.

    The first, if it were raised wherever the loop is, could lose events between the journal and the
    agents, which would then wait for them.
    """
    asked = threading.Event()
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield asked  # somebody else decides what Ctrl-C does
        return

    def handle(number: int, frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    signal.signal(signal.SIGINT, handle)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _spent(journal: Journal) -> float:
    """Seconds that earlier sessions of the run took."""
    try:
        return float(journal.retrieve("elapsed", namespace="engine"))
    except KeyError:
        return 0.0


def _warm_up() -> None:
    from mlestar.evaluation.report import warm_up

    warm_up()
