"""What an executor promises. Nothing above this room may assume one machine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mlestar.execution.resources import ResourceManager


@dataclass(frozen=True)
class Outcome:
    """How a task ended.

    Attributes
    ----------
    status : str
        "done", "failed" (it raised), "died" (its process ended), "timeout" or "cancelled".
    value : object
        What it returned, if done.
    error : str
        What went wrong, else empty.
    exit_code : int or None
        Of the process, if it died.
    """

    status: str
    value: Any = None
    error: str = ""
    exit_code: int | None = None


class Task(ABC):
    """A submitted call."""

    @abstractmethod
    def done(self) -> bool:
        """Whether the outcome is there."""

    @abstractmethod
    def outcome(self) -> Outcome:
        """Wait for the outcome; never raises what the task raised."""

    @abstractmethod
    def cancel(self) -> None:
        """Stop the task, running or not."""


class Executor(ABC):
    """Runs calls somewhere. `mlestar.testing.ExecutorContract` is the test suite of this class."""

    @abstractmethod
    def submit(
        self, function: Callable[..., Any], *args: Any, timeout: float | None = None
    ) -> Task:
        """Run function(*args), stopped after `timeout` seconds."""

    def map(
        self, function: Callable[..., Any], values: Iterable[Any], *, timeout: float | None = None
    ) -> list[Outcome]:
        """Outcomes of function(value) for each value, in order."""
        tasks = [self.submit(function, value, timeout=timeout) for value in values]
        return [task.outcome() for task in tasks]

    @abstractmethod
    def put(self, value: Any) -> Any:
        """Make a value available where tasks run; returns a reference to pass to them."""

    @abstractmethod
    def get(self, reference: Any) -> Any:
        """The value behind a reference."""

    @property
    @abstractmethod
    def resources(self) -> ResourceManager:
        """What this executor may use."""

    @abstractmethod
    def close(self) -> None:
        """Stop everything. The executor cannot be used afterwards."""

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
