"""One agent as a process of its own: python -m mlestar.agents ROLE FOLDER."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from mlestar.agents import (
    Agent,
    EnsembleAgent,
    EvaluationAgent,
    SearchAgent,
    TrainingAgent,
)
from mlestar.agents.training import PRELOAD
from mlestar.coordination.journal import Journal
from mlestar.execution.processes import ProcessExecutor

ROLES = ("search", "training", "evaluation", "ensemble")


def make_agent(role: str, folder: Path, journal: Journal, workers: int) -> Agent:
    """The agent of a role on a run's folder."""
    if role == "search":
        return SearchAgent()
    if role == "evaluation":
        return EvaluationAgent()
    if role == "ensemble":
        return EnsembleAgent(folder)
    executor = ProcessExecutor(workers, preload=PRELOAD)
    return TrainingAgent(folder, journal, executor)


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


def main() -> int:
    """Run one agent until the run it works on is over."""
    parser = argparse.ArgumentParser(prog="python -m mlestar.agents", description=__doc__)
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=1, help="fits at a time (training)")
    parser.add_argument("--seconds", type=float, default=None, help="give up after this time")
    arguments = parser.parse_args()
    journal = Journal(arguments.folder / "journal.db", create=False)
    agent = make_agent(arguments.role, arguments.folder, journal, arguments.workers)
    try:
        return 0 if serve(agent, journal, seconds=arguments.seconds) else 3
    finally:
        agent.close()
        if isinstance(agent, TrainingAgent):
            agent.executor.close()
        journal.close()


if __name__ == "__main__":
    raise SystemExit(main())
