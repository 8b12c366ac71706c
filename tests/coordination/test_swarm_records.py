"""A swarm's records in Claude Flow: told by difference, whatever the server forgets."""

import json
import time

import pytest

pytest.importorskip("mcp")

from coordination.claude_flow_servers import FAKE
from mlestar.coordination import ClaudeFlowClient
from mlestar.coordination.claude_flow.swarm import AgentRecord, SwarmRecords, TaskRecord
from mlestar.exceptions import ServerUnavailableError, ToolError

AGENTS = [AgentRecord("ours-1", "training", ("fit",)), AgentRecord("ours-2", "search")]
PENDING = [TaskRecord("trial 0", "training"), TaskRecord("trial 1", "training")]
RUNNING = [
    TaskRecord("trial 0", "training", ("ours-1",), "running", 40),
    TaskRecord("trial 1", "training", ("ours-1",), "running", 0),
]
SETTLED = [
    TaskRecord("trial 0", "training", ("ours-1",), "completed", 100, {"score": 1.5}, ("search",)),
    TaskRecord("trial 1", "training", ("ours-1",), "failed", 100, {"error": "of no use"}),
]


@pytest.fixture
def client(tmp_path):
    with ClaudeFlowClient(tmp_path, command=FAKE, backoff=(0.05, 0.2), timeout=2.0) as client:
        yield client


def there(client):
    return json.loads((client.folder.path / "fake-records.json").read_text())


def tasks(client):
    return {task["description"]: task for task in there(client)["tasks"].values()}


def up_again(client):
    """Wait until another server runs."""
    end = time.monotonic() + 10
    while client.starts < 2 or client.state != "up":
        assert time.monotonic() < end, client.reason
        time.sleep(0.02)


def test_agents_and_tasks_go_through_their_lives(client):
    swarm = SwarmRecords(client, "ours", topology="mesh")
    swarm.read()
    swarm.write(AGENTS, PENDING)
    assert {t["status"] for t in tasks(client).values()} == {"pending"}
    swarm.write(AGENTS, RUNNING)
    first = tasks(client)["trial 0 [ours]"]
    assert (first["status"], first["progress"]) == ("running", 40)
    assert first["assignedTo"] == ["ours-1"]
    swarm.write([AgentRecord("ours-1", "training", ("fit",), 0.5)], SETTLED)
    first, second = (tasks(client)[f"trial {i} [ours]"] for i in range(2))
    assert (first["status"], first["result"]) == ("completed", {"score": 1.5})
    assert (second["status"], second["result"]) == ("failed", {"error": "of no use"})
    assert there(client)["agents"]["ours-1"]["health"] == 0.5
    assert swarm.health()["status"] == "healthy"
    calls = there(client)["calls"]
    swarm.write([AgentRecord("ours-1", "training", ("fit",), 0.5)], SETTLED)
    assert there(client)["calls"] == calls  # what it knows is not told twice
    swarm.shut_down()
    assert there(client)["swarms"]["swarm-0"]["config"]["topology"] == "mesh"
    assert there(client)["swarms"]["swarm-0"]["status"] == "terminated"
    assert {a["status"] for a in there(client)["agents"].values()} == {"stopped"}


def test_a_task_that_was_not_begun_is_cancelled(client):
    swarm = SwarmRecords(client, "ours")
    swarm.read()
    swarm.write(AGENTS, RUNNING)
    swarm.write(AGENTS, [TaskRecord(t.name, t.kind, t.agents, "cancelled") for t in RUNNING])
    assert {t["status"] for t in tasks(client).values()} == {"cancelled"}


@pytest.mark.parametrize(
    "tool", ["swarm_init", "agent_spawn", "task_create", "task_assign", "task_complete"]
)
def test_what_was_done_and_not_answered_is_not_done_twice(client, tool):
    (client.folder.scratch / "mode").write_text(f"die after {tool}")
    swarm = SwarmRecords(client, "ours")
    for attempt in range(3):
        try:
            swarm.read()
            for state in (PENDING, RUNNING, SETTLED):
                swarm.write(AGENTS, state)
            break
        except ServerUnavailableError:
            assert attempt < 2
            up_again(client)
    assert attempt == 1
    found = there(client)
    assert len(found["swarms"]) == 1
    assert len(found["agents"]) == 2
    assert sorted(tasks(client)) == ["trial 0 [ours]", "trial 1 [ours]"]
    assert len(found["tasks"]) == 2
    assert {task["times"] for task in found["tasks"].values()} == {1}


def test_what_the_server_forgot_is_told_again(client):
    swarm = SwarmRecords(client, "ours")
    swarm.read()
    swarm.write(AGENTS, RUNNING)
    (client.folder.path / "fake-records.json").unlink()
    with pytest.raises(ToolError, match="Task not found"):
        swarm.write(AGENTS, SETTLED)
    swarm.read()
    swarm.write(AGENTS, SETTLED)
    assert [t["status"] for t in tasks(client).values()] == ["completed", "failed"]
    assert len(there(client)["swarms"]) == 1


def test_another_swarm_is_left_alone(client):
    ours, theirs = SwarmRecords(client, "ours"), SwarmRecords(client, "theirs")
    ours.read()
    ours.write(AGENTS, SETTLED)
    theirs.read()
    theirs.write([AgentRecord("theirs-1", "search")], [TaskRecord("trial 0", "training")])
    ours.shut_down()
    ours.shut_down()  # asked again, the server would take the other one
    swarms = {s["config"]["strategy"]: s["status"] for s in there(client)["swarms"].values()}
    assert swarms == {"ours": "terminated", "theirs": "running"}
    assert there(client)["agents"]["theirs-1"]["status"] == "idle"
    assert tasks(client)["trial 0 [theirs]"]["status"] == "pending"
    again = SwarmRecords(client, "theirs", swarm_id="swarm-0")  # somebody else's id
    again.read()
    assert again.swarm_id == "swarm-1"
