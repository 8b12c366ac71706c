"""Our agents, tasks and results as ``swarm_benchmark``'s, and back; and these as plain JSON."""

from __future__ import annotations

import dataclasses
import math
import uuid
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

import numpy as np

from mlestar.coordination.claude_flow.swarm import AgentRecord, TaskRecord
from mlestar.coordination.swarm_benchmark.metrics import MLPerformanceMetrics, MLQualityMetrics
from mlestar.coordination.swarm_benchmark.package import require_package

STRATEGY = "mlestar"
"""Name of our strategy there."""

Strategy = Enum("Strategy", {"MLESTAR": STRATEGY})
"""What a task or a configuration names it by: its own enumeration takes no more members."""

_OURS = "mlestar"
_TYPES = {
    "search": "RESEARCHER",
    "training": "DEVELOPER",
    "evaluation": "ANALYZER",
    "ensemble": "COORDINATOR",
}
_CLASS, _DATE, _ENUM = "__class__", "__datetime__", "__enum__"


def agent_to_benchmark(record: AgentRecord) -> Any:
    """An agent of ours as ``swarm_benchmark``'s Agent.

    Raises
    ------
    ImportError
        Where the package is not installed.
    """
    models = require_package().core.models
    return models.Agent(
        id=record.id,
        type=models.AgentType[_TYPES.get(record.kind, "SPECIALIST")],
        name=record.kind,
        capabilities=list(record.capabilities),
        success_rate=record.health,
    )


def agent_from_benchmark(agent: Any) -> AgentRecord:
    """The agent of ours that an Agent was made of; of another's, what there is to know."""
    return AgentRecord(
        agent.id,
        agent.name or agent.type.value,
        tuple(agent.capabilities),
        float(agent.success_rate),
    )


def task_to_benchmark(record: TaskRecord) -> Any:
    """A task of ours as ``swarm_benchmark``'s Task, whose id follows from the task's name.

    Raises
    ------
    ImportError
        Where the package is not installed.
    """
    models = require_package().core.models
    kept = {"kind": record.kind, "progress": record.progress, "tags": list(record.tags)}
    return models.Task(
        id=str(uuid.uuid5(uuid.NAMESPACE_OID, record.name)),
        objective=record.name,
        description=record.name,
        strategy=Strategy.MLESTAR,
        parameters={_OURS: {**kept, "result": record.result}},
        status=models.TaskStatus(record.status),
        assigned_agents=list(record.agents),
    )


def task_from_benchmark(task: Any) -> TaskRecord:
    """The task of ours that a Task was made of; of another's, what there is to know."""
    kept = task.parameters.get(_OURS, {})
    status = task.status.value
    return TaskRecord(
        task.objective,
        kept.get("kind", task.strategy.value),
        tuple(task.assigned_agents),
        "failed" if status == "timeout" else status,
        kept.get("progress", 100 if status == "completed" else 0),
        kept.get("result"),
        tuple(kept.get("tags", ())),
    )


def result_to_benchmark(record: Mapping[str, Any], agent: str = "") -> Any:
    """A settled trial's result as ``swarm_benchmark``'s Result.

    Parameters
    ----------
    record : mapping
        JSON; of it ``trial``, ``status`` ("done" or "failed"), ``error``, ``metric``, ``score``,
        ``ci_low``, ``ci_high`` and ``fit_seconds`` are used where they are there.
    agent : str
        Id of the agent that worked on it.

    Raises
    ------
    ImportError
        Where the package is not installed.
    """
    models = require_package().core.models
    done = record.get("status") == "done"
    seconds = float(record.get("fit_seconds") or 0.0)
    performance = MLPerformanceMetrics(
        execution_time=seconds,
        fit_seconds=seconds,
        success_rate=float(done),
        error_rate=float(not done),
    )
    quality = MLQualityMetrics(
        completeness_score=float(done),
        metric=str(record.get("metric", "")),
        automated_score=record.get("score"),
        score=record.get("score"),
        score_low=record.get("ci_low"),
        score_high=record.get("ci_high"),
    )
    return models.Result(
        id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"result of trial {record.get('trial')}")),
        task_id=str(record.get("trial", "")),
        agent_id=agent,
        status=models.ResultStatus.SUCCESS if done else models.ResultStatus.FAILURE,
        output=dict(record),
        errors=[str(record["error"])] if record.get("error") else [],
        performance_metrics=performance,
        quality_metrics=quality,
        # Its writers name the fields they know; these are all of them.
        execution_details=details_of(performance, quality),
    )


def result_from_benchmark(result: Any) -> dict[str, Any]:
    """The result of ours that a Result was made of."""
    return dict(result.output)


def details_of(performance: Any, quality: Any) -> dict[str, Any]:
    """Every field of both metrics as JSON."""
    return {
        "performance": as_json(dataclasses.asdict(performance)),
        "quality": as_json(dataclasses.asdict(quality)),
    }


def to_plain(value: Any) -> Any:
    """One of ``swarm_benchmark``'s records, or what one holds, as plain JSON that `from_plain`
    reads.

    Dates, enumerations and metrics keep their classes; NumPy's numbers become Python's, and what is
    not finite None.

    Raises
    ------
    ValueError
        For what is none of these and no JSON.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {_CLASS: type(value).__name__, **fields}
    if isinstance(value, datetime):
        return {_DATE: value.isoformat()}
    if isinstance(value, Enum):
        return {_ENUM: type(value).__name__, "value": value.value}
    if isinstance(value, Mapping):
        return {_name(key): to_plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(part) for part in value]
    return _scalar(value)


def from_plain(values: Any) -> Any:
    """What `to_plain` wrote.

    Raises
    ------
    ImportError
        Where the package is not installed.
    ValueError
        For a class that is none of its records.
    """
    if isinstance(values, list):
        return [from_plain(part) for part in values]
    if not isinstance(values, dict):
        return values
    if _DATE in values:
        return datetime.fromisoformat(values[_DATE])
    if _ENUM in values:
        return _known(values[_ENUM])(values["value"])
    fields = {name: from_plain(part) for name, part in values.items() if name != _CLASS}
    return _known(values[_CLASS])(**fields) if _CLASS in values else fields


def _known(name: str) -> Any:
    ours = {
        "MLPerformanceMetrics": MLPerformanceMetrics,
        "MLQualityMetrics": MLQualityMetrics,
        "Strategy": Strategy,
    }
    models = require_package().core.models
    found = ours.get(name) or getattr(models, str(name), None)
    if not isinstance(found, type) or not (
        dataclasses.is_dataclass(found) or issubclass(found, Enum)
    ):
        raise ValueError(f"the class is {name!r}, but must be one of swarm_benchmark's records")
    return found


def as_json(value: Any) -> Any:
    """JSON that any reader takes: NumPy's numbers become Python's, and what is not finite None.

    Raises
    ------
    ValueError
        For what is no JSON.
    """
    if isinstance(value, Mapping):
        return {_name(key): as_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(part) for part in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [as_json(part) for part in value.tolist()]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"value is a {type(value).__name__}, which is no JSON: {value!r:.60}")


def _name(key: Any) -> str:
    if not isinstance(key, str) or key in (_CLASS, _DATE, _ENUM):
        raise ValueError(f"a key is {key!r:.60}, but must be a string that means nothing here")
    return key
