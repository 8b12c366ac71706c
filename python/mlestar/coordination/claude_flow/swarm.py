"""A swarm of ours in Claude Flow: its agents and tasks, made to say there what is so here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlestar.coordination.claude_flow.client import ClaudeFlowClient
from mlestar.exceptions import ToolError

# The server's own list would stop at 50.
_ALL = 1_000_000
_MOST_AGENTS = 50
_STOPPED = "stopped"
_SETTLED = ("completed", "failed", "cancelled")


@dataclass(frozen=True)
class AgentRecord:
    """An agent, as Claude Flow is to know it.

    Attributes
    ----------
    id : str
        Unique in the data folder: 1 to 128 letters, digits and ``_ . : -``.
    kind : str
        Its type, such as "training".
    capabilities : tuple of str
    health : float
        From 0 to 1.
    """

    id: str
    kind: str
    capabilities: tuple[str, ...] = ()
    health: float = 1.0


@dataclass(frozen=True)
class TaskRecord:
    """A unit of work, as Claude Flow is to know it.

    Attributes
    ----------
    name : str
        What a person reads; unique within the swarm.
    kind : str
        Its type.
    agents : tuple of str
        Ids of those who work on it.
    status : str
        "pending", "running", "completed", "failed" or "cancelled".
    progress : int
        In percent.
    result : dict or None
        JSON; of a task that is completed or failed.
    tags : tuple of str
    """

    name: str
    kind: str
    agents: tuple[str, ...] = ()
    status: str = "pending"
    progress: int = 0
    result: dict[str, Any] | None = None
    tags: tuple[str, ...] = ()


@dataclass
class _Seen:
    """What the server last said of a task."""

    id: str
    status: str = "pending"
    progress: int = 0
    agents: list[str] = field(default_factory=list)


class SwarmRecords:
    """The records that Claude Flow keeps of one swarm: what it lacks of ours is told.

    Parameters
    ----------
    client : ClaudeFlowClient
    name : str
        Of the swarm, unique in the data folder; its agents' ids must begin with ``<name>-``.
    topology : str, default="hierarchical"
    swarm_id : str, default=None
        What Claude Flow called the swarm when it was told of it before.

    Attributes
    ----------
    swarm_id : str or None
        What Claude Flow calls the swarm.

    Notes
    -----
    The server has neither transactions nor keys of ours, and may be killed between doing and
    answering. So nothing is remembered of what it was told: `read` asks what it holds, which must
    be done again after every start of the server, and `write` tells the difference. A task that was
    created and never answered for is found by its description.
    """

    def __init__(
        self,
        client: ClaudeFlowClient,
        name: str,
        *,
        topology: str = "hierarchical",
        swarm_id: str | None = None,
    ) -> None:
        self._client = client
        self.name = name
        self._topology = topology
        self.swarm_id = swarm_id
        self._agents: dict[str, dict[str, Any]] = {}
        self._tasks: dict[str, _Seen] = {}

    def read(self) -> None:
        """Ask the server what it holds of this swarm."""
        running = self._find(self.swarm_id) or self._find(None)
        self.swarm_id = running or self._start()
        rows = self._call("agent_list", includeTerminated=True)["agents"]
        self._agents = {r["agentId"]: r for r in rows if r["agentId"].startswith(f"{self.name}-")}
        rows = self._call("task_list", limit=_ALL)["tasks"]
        self._tasks = {
            row["description"]: _Seen(
                row["taskId"], row["status"], int(row["progress"]), list(row["assignedTo"])
            )
            for row in rows
            if row["description"].endswith(self._mark)
        }

    @property
    def _mark(self) -> str:
        return f" [{self.name}]"

    def _find(self, swarm_id: str | None) -> str | None:
        """A swarm that runs and is ours, by its id or as the newest that there is.

        Asked for an unknown id, the server answers for the newest swarm, whoever's that is.
        """
        found = self._call("swarm_status", **({} if swarm_id is None else {"swarmId": swarm_id}))
        ours = (found.get("config") or {}).get("strategy") == self.name
        return str(found["swarmId"]) if ours and found.get("status") == "running" else None

    def _start(self) -> str:
        answer = self._call(
            "swarm_init",
            topology=self._topology,
            maxAgents=_MOST_AGENTS,
            strategy=self.name,
        )
        return str(answer["swarmId"])

    def write(self, agents: Sequence[AgentRecord], tasks: Iterable[TaskRecord]) -> None:
        """Tell the server what it does not know yet of agents and tasks.

        Raises
        ------
        ServerUnavailableError
            If it is away; `read` before the next try.
        ToolError
            If it refuses; `read` before the next try.
        """
        for agent in agents:
            self._write_agent(agent)
        for task in tasks:
            self._write_task(task)

    def _write_agent(self, agent: AgentRecord) -> None:
        seen = self._agents.get(agent.id)
        if seen is None:
            self._call(
                "agent_spawn",
                agentType=agent.kind,
                agentId=agent.id,
                swarmId=self.swarm_id,
                domain="mlestar",
                config={"capabilities": list(agent.capabilities)},
            )
            seen = self._agents[agent.id] = {"health": 1.0}
        if seen["health"] != agent.health:
            self._call("agent_update", agentId=agent.id, health=agent.health)
            seen["health"] = agent.health

    def _write_task(self, task: TaskRecord) -> None:
        description = task.name + self._mark
        seen = self._tasks.get(description)
        if seen is None:
            answer = self._call(
                "task_create",
                type=task.kind,
                description=description,
                tags=["mlestar", self.name, *task.tags],
            )
            seen = self._tasks[description] = _Seen(str(answer["taskId"]))
        agents = list(task.agents)
        if agents and seen.agents != agents and seen.status not in _SETTLED:
            self._call("task_assign", taskId=seen.id, agentIds=agents)
            seen.agents = agents
        if task.status == "pending" or (seen.status in _SETTLED and task.status == "running"):
            return  # nothing goes back
        same = task.status != "running" or seen.progress == task.progress
        if seen.status == task.status and same:
            return
        if task.status in ("completed", "failed") and seen.status not in ("completed", "failed"):
            # Only this call takes a result; it says "completed".
            self._call("task_complete", taskId=seen.id, result=task.result or {})
        if task.status == "running":
            progress = task.progress
            self._call("task_update", taskId=seen.id, status="running", progress=progress)
        elif task.status == "failed":
            self._call("task_update", taskId=seen.id, status="failed")
        elif task.status == "cancelled":
            self._call("task_cancel", taskId=seen.id, reason="the run ended before")
        seen.status, seen.progress = task.status, task.progress

    def health(self) -> dict[str, Any]:
        """What the server says of the swarm's health: its status and what was checked."""
        return self._call("swarm_health", swarmId=self.swarm_id)

    def shut_down(self) -> None:
        """End the swarm, and no other; its agents stay in sight, as stopped."""
        for id_, row in self._agents.items():
            if row.get("status") != _STOPPED:
                # Not agent_terminate: `claude-flow agent list` would show them no more.
                self._call("agent_update", agentId=id_, status=_STOPPED)
                row["status"] = _STOPPED
        # Told to shut down a swarm that does not run, the server shuts down another.
        if self.swarm_id is not None and self._find(self.swarm_id) == self.swarm_id:
            self._call("swarm_shutdown", swarmId=self.swarm_id, graceful=True)

    def _call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        answer = self._client.call(tool, arguments)
        if answer.get("success") is False or "error" in answer:
            raise ToolError(f"{tool}: {answer.get('error', answer)}")
        return answer
