"""Agents meet only in the journal: what a lost message does, and replay."""

import time

import pytest

for needed in ("pandas", "optuna", "lightgbm", "skops", "pebble"):
    pytest.importorskip(needed)

from mlestar.agents import (  # noqa: E402
    EnsembleAgent,
    EvaluationAgent,
    RunState,
    SearchAgent,
    TrainingAgent,
)
from mlestar.config import MLConfig  # noqa: E402
from mlestar.coordination import Event, Journal  # noqa: E402
from mlestar.engine.data import load_table  # noqa: E402
from mlestar.engine.prepare import prepare  # noqa: E402
from mlestar.execution import SerialExecutor  # noqa: E402

LEASE = 2.0


@pytest.fixture
def run_folder(tmp_path):
    config = MLConfig.from_dict(
        {
            "training_params": {"fits": 20, "families": ["linear"]},
            "coordination_config": {"lease_seconds": LEASE, "window": 2},
        }
    )
    return prepare(load_table("iris"), config, tmp_path / "run")


class Station:
    """An agent with its place in the journal, and a message it may lose."""

    def __init__(self, agent, journal, lose=None):
        self.agent, self.journal, self.lose, self.seen = agent, journal, lose, 0
        self.lost = []

    def turn(self):
        events = self.journal.events(self.seen)
        self.seen = events[-1].seq if events else self.seen
        answers = self.agent.step(events)
        if self.lose:
            self.lost += [e for e in answers if (e.kind, e.key) == self.lose]
            answers = [e for e in answers if (e.kind, e.key) != self.lose]
        return self.journal.append(answers)


def state_of(journal):
    state = RunState()
    for event in journal.events():
        state.apply(event)
    return state


def test_a_lost_message_stalls_its_task_alone_until_the_lease_is_taken_over(run_folder):
    journal = Journal(run_folder / "journal.db")
    first = Station(
        TrainingAgent(run_folder, journal, SerialExecutor(), owner="first"),
        journal,
        lose=("fit.done", "0/2"),
    )
    others = [
        Station(agent, journal)
        for agent in (SearchAgent(), EvaluationAgent(), EnsembleAgent(run_folder))
    ]
    begin = time.time()
    for _ in range(60):
        for station in (*others, first):
            station.turn()
    state = state_of(journal)
    claimed = min(
        e.time for e in journal.events() if e.kind == "fit.started" and e.key.startswith("0/2/")
    )
    assert first.lost
    # Exactly one fit is missing; all that may go on without it has gone on.
    assert sorted(state.trials[0].fits) == [0, 1, 3, 4]
    assert not state.trials[0].settled
    assert [t.settled for t in state.trials[1:]] == [True] * (len(state.trials) - 1)
    assert len(state.trials) == 3  # trial 3 must see trial 0

    second = Station(TrainingAgent(run_folder, journal, SerialExecutor(), owner="second"), journal)
    while time.time() < claimed + LEASE * 0.6:
        second.turn()
        time.sleep(0.05)
    assert not state_of(journal).trials[0].settled or time.time() - begin > LEASE
    while state_of(journal).ensemble is None:
        assert time.time() - begin < 60
        for station in (*others, second):
            station.turn()
        time.sleep(0.01)
    again = [e for e in journal.events() if e.kind == "fit.started" and e.key.startswith("0/2/")]
    assert [e.payload["owner"] for e in again] == ["first", "second"]
    assert again[1].time - again[0].time >= LEASE * 0.9
    state = state_of(journal)
    assert len(state.trials) == 4
    assert all(t.status == "done" for t in state.trials)


def test_replaying_the_journal_is_resuming(run_folder):
    """A fresh agent given the same events answers as the one that lived through them."""
    journal = Journal(run_folder / "journal.db")
    stations = [
        Station(a, journal)
        for a in (
            SearchAgent(),
            TrainingAgent(run_folder, journal, SerialExecutor(), owner="one"),
            EvaluationAgent(),
            EnsembleAgent(run_folder),
        )
    ]
    while state_of(journal).ensemble is None:
        for station in stations:
            station.turn()
    events = journal.events()
    for kind, agent in (
        ("trial.proposed", SearchAgent()),
        ("trial.evaluated", EvaluationAgent()),
        ("ensemble.done", EnsembleAgent(run_folder)),
    ):
        said = {}
        for i in range(len(events)):
            for answer in agent.step(events[i : i + 1]):
                said.setdefault((answer.kind, answer.key), answer.payload)
        for event in events:
            if event.kind == kind:
                assert said[event.kind, event.key] == event.payload


def test_the_ensemble_says_what_it_compared(run_folder):
    journal = Journal(run_folder / "journal.db")
    stations = [
        Station(a, journal)
        for a in (
            SearchAgent(),
            TrainingAgent(run_folder, journal, SerialExecutor(), owner="one"),
            EvaluationAgent(),
            EnsembleAgent(run_folder),
        )
    ]
    while state_of(journal).ensemble is None:
        for station in stations:
            station.turn()
    said = state_of(journal).ensemble
    assert sum(said["weights"].values()) == pytest.approx(1)
    compared = {one["method"]: one for one in said["alternatives"]}
    assert list(compared) == ["best_single", "mean", "greedy", "convex"]
    assert said["reason"].startswith(said["method"])
    assert said["gain"] == compared[said["method"]]["gain"]
    assert said["interval"] == compared[said["method"]]["interval"]
    assert compared[said["method"]]["models"] == len(said["weights"])


def test_agents_say_nothing_before_the_run_has_begun(tmp_path):
    for agent in (SearchAgent(), EvaluationAgent(), EnsembleAgent(tmp_path)):
        assert agent.step([]) == []
        assert agent.step([Event("unknown.kind", "x")]) == []
