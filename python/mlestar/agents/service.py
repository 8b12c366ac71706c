"""One agent as a process of its own, on the journal of a run that others work on too."""

from __future__ import annotations

import time
from pathlib import Path

from mlestar.agents.base import Agent
from mlestar.agents.ensemble import EnsembleAgent
from mlestar.agents.evaluation import EvaluationAgent
from mlestar.agents.search import SearchAgent
from mlestar.agents.training import PRELOAD, TrainingAgent
from mlestar.coordination.journal import Journal
from mlestar.execution.processes import ProcessExecutor

ROLES = ("search", "training", "evaluation", "ensemble")
"""Kinds of agents."""


def make_agent(
    role: str, folder: Path, journal: Journal, workers: int, owner: str | None = None
) -> Agent:
    """The agent of a role on a run's folder."""
    if role == "search":
        return SearchAgent()
    if role == "evaluation":
        return EvaluationAgent()
    if role == "ensemble":
        return EnsembleAgent(folder)
    executor = ProcessExecutor(workers, preload=PRELOAD)
    return TrainingAgent(folder, journal, executor, owner=owner)


def serve(agent: Agent, journal: Journal, *, seconds: float | None = None) -> bool:
    """Let an agent live on a journal until the run's ensemble is there; False if time ran out."""
    seen, end = 0, None if seconds is None else time.monotonic() + seconds
    while not agent.state.is_combined():
        if end is not None and time.monotonic() > end:
            return False
        events = journal.events(seen)
        seen = events[-1].seq if events else seen
        if not journal.append(agent.step(events)):
            time.sleep(0.05)
    return True


def join(
    role: str,
    folder: Path,
    *,
    workers: int = 1,
    seconds: float | None = None,
    owner: str | None = None,
) -> bool:
    """Work on a run until its ensemble is there; False if time ran out.

    Parameters
    ----------
    role : str
        One of `ROLES`.
    folder : path
        The run's.
    workers : int, default=1
        Fits at a time, of an agent that trains.
    seconds : float, default=None
        Give up after this time.
    owner : str, default=None
        The name under which fits are claimed; unique by default.

    Raises
    ------
    RunFolderError
        If there is no run in the folder.
    """
    journal = Journal(folder / "journal.db", create=False)
    try:
        agent = make_agent(role, folder, journal, workers, owner)
        try:
            return serve(agent, journal, seconds=seconds)
        finally:
            agent.close()
            if isinstance(agent, TrainingAgent):
                agent.executor.close()
    finally:
        journal.close()
