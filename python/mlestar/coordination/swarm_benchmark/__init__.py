"""The bridge to ``swarm_benchmark``, Claude Flow's package for comparing swarms: a search as a
strategy there, and our records as its own."""

from mlestar.coordination.swarm_benchmark.metrics import MLPerformanceMetrics, MLQualityMetrics
from mlestar.coordination.swarm_benchmark.records import (
    agent_from_benchmark,
    agent_to_benchmark,
    from_plain,
    result_from_benchmark,
    result_to_benchmark,
    task_from_benchmark,
    task_to_benchmark,
    to_plain,
)
from mlestar.coordination.swarm_benchmark.strategy import (
    Experiment,
    StarStrategy,
    register_strategy,
)

__all__ = [
    "Experiment",
    "MLPerformanceMetrics",
    "MLQualityMetrics",
    "StarStrategy",
    "agent_from_benchmark",
    "agent_to_benchmark",
    "from_plain",
    "register_strategy",
    "result_from_benchmark",
    "result_to_benchmark",
    "task_from_benchmark",
    "task_to_benchmark",
    "to_plain",
]
