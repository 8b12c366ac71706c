"""A stand-in for swarm_benchmark, for where it is not installed: the names, fields and habits of its
version 1.0.0 that the bridge relies on. The tests run on the real one where that is."""

import uuid
from dataclasses import dataclass, field, make_dataclass
from datetime import datetime
from enum import Enum
from types import ModuleType
from typing import Any

from mlestar.coordination.swarm_benchmark.metrics import PerformanceFields, QualityFields

ENUMS = {
    "TaskStatus": "pending running completed failed cancelled timeout",
    "ResultStatus": "success failure partial error timeout cancelled",
    "AgentStatus": "idle busy failed offline",
    "AgentType": "coordinator researcher developer analyzer reviewer tester documenter monitor specialist",
    "StrategyType": "auto research optimization",
    "CoordinationMode": "centralized distributed",
}


def _made(kind, /, **fields):
    made = []
    for key, default in fields.items():
        factory = default if callable(default) else lambda default=default: default
        made.append((key, Any, field(default_factory=factory)))
    return make_dataclass(kind, made)


def _id():
    return str(uuid.uuid4())


def _models():
    models = ModuleType("swarm_benchmark.core.models")
    for name, words in ENUMS.items():
        setattr(models, name, Enum(name, {word.upper(): word for word in words.split()}))
    models.PerformanceMetrics, models.QualityMetrics = PerformanceFields, QualityFields
    usage = dict.fromkeys(
        ("cpu_percent", "memory_mb", "peak_memory_mb", "average_cpu_percent"), 0.0
    )
    models.ResourceUsage = _made("ResourceUsage", **usage)
    models.Task = _made(
        "Task",
        id=_id,
        objective="",
        description="",
        strategy=models.StrategyType.AUTO,
        mode=models.CoordinationMode.CENTRALIZED,
        parameters=dict,
        timeout=3600,
        status=models.TaskStatus.PENDING,
        created_at=datetime.now,
        assigned_agents=list,
    )
    models.Agent = _made(
        "Agent",
        id=_id,
        type=models.AgentType.SPECIALIST,
        name="",
        capabilities=list,
        status=models.AgentStatus.IDLE,
        performance_history=list,
        created_at=datetime.now,
        success_rate=1.0,
    )
    models.Result = _made(
        "Result",
        id=_id,
        task_id="",
        agent_id="",
        status=models.ResultStatus.SUCCESS,
        output=dict,
        errors=list,
        warnings=list,
        performance_metrics=PerformanceFields,
        quality_metrics=QualityFields,
        resource_usage=models.ResourceUsage,
        execution_details=dict,
        created_at=datetime.now,
        started_at=None,
        completed_at=None,
    )
    return models


def make_package():
    """The package as a module, with its engine."""
    package = ModuleType("swarm_benchmark")
    package.core, package.strategies = ModuleType("core"), ModuleType("strategies")
    package.core.models = models = _models()
    package.strategies.STRATEGY_REGISTRY = registry = {}

    @dataclass
    class BenchmarkConfig:
        name: str = "benchmark"
        strategy: Any = models.StrategyType.AUTO
        task_timeout: float = 300
        output_directory: str = "./reports"
        output_formats: Any = ("json",)

    class BenchmarkEngine:
        def __init__(self, config):
            self.config, self.results = config, []

        async def run_benchmark(self, objective):
            task = models.Task(
                objective=objective, strategy=self.config.strategy, timeout=self.config.task_timeout
            )
            try:
                result = await registry[self.config.strategy.value.lower()]().execute(task)
            except Exception as error:
                return {"status": "failed", "error": str(error)}
            self.results.append(result)
            return {"status": "success", "results": [{"output": result.output}]}

    models.BenchmarkConfig, package.BenchmarkEngine = BenchmarkConfig, BenchmarkEngine
    return package
