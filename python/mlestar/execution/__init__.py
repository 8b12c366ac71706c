"""Where work runs: executors behind one protocol, and the manager of what a machine has."""

from mlestar.execution.base import Executor, Outcome, Task
from mlestar.execution.processes import ProcessExecutor
from mlestar.execution.resources import ResourceManager
from mlestar.execution.serial import SerialExecutor

__all__ = ["Executor", "Outcome", "ProcessExecutor", "ResourceManager", "SerialExecutor", "Task"]
