"""Calls where they are made: for tests and for embedding where processes are not wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlestar.execution.base import Executor, Outcome, Task
from mlestar.execution.resources import ResourceManager


class _Finished(Task):
    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def done(self) -> bool:
        return True

    def outcome(self) -> Outcome:
        return self._outcome

    def cancel(self) -> None:
        """Nothing is left to stop."""


class SerialExecutor(Executor):
    """Runs each call at once, in the caller's thread; it cannot stop one (`timeout` is not kept).

    Examples
    --------
    >>> from mlestar.execution import SerialExecutor
    >>> SerialExecutor().submit(divmod, 7, 2).outcome().value
    (3, 1)
    """

    def submit(
        self, function: Callable[..., Any], *args: Any, timeout: float | None = None
    ) -> Task:
        """Run function(*args) now."""
        try:
            return _Finished(Outcome("done", function(*args)))
        except Exception as error:
            return _Finished(Outcome("failed", error=f"{type(error).__name__}: {error}"))

    def put(self, value: Any) -> Any:
        """The value itself."""
        return value

    def get(self, reference: Any) -> Any:
        """The value itself."""
        return reference

    @property
    def resources(self) -> ResourceManager:
        """This machine, one call at a time."""
        machine = ResourceManager.detect()
        return ResourceManager(1, machine.memory_bytes)

    def close(self) -> None:
        """Nothing to stop."""
