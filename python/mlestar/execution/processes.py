"""Supervised worker processes, each of which can be stopped without the others."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing import forkserver
from typing import Any

from mlestar._lazy import require
from mlestar.execution.base import Executor, Outcome, Task
from mlestar.execution.resources import ResourceManager


class _Scheduled(Task):
    def __init__(self, future: Any) -> None:
        self._future = future

    def done(self) -> bool:
        return bool(self._future.done())

    def outcome(self) -> Outcome:
        pebble = require("pebble", "run")
        try:
            return Outcome("done", self._future.result())
        except (concurrent.futures.CancelledError, KeyboardInterrupt):
            return Outcome("cancelled", error="cancelled")
        except concurrent.futures.TimeoutError:
            return Outcome("timeout", error="stopped: out of time")
        except pebble.ProcessExpired as error:
            return Outcome(
                "died", error=f"the worker process ended with exit code {error.exitcode}"
            )
        except Exception as error:
            return Outcome("failed", error=f"{type(error).__name__}: {error}")

    def cancel(self) -> None:
        self._future.cancel()


def start_forkserver(preload: Sequence[str] = ()) -> Any:
    """Start the process that workers are forked from, if it does not run yet; returns its context.

    Called early, it imports the modules while the caller does other things.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    forkserver.ensure_running()
    return context


class ProcessExecutor(Executor):
    """A pool of worker processes on this machine (pebble): one that dies or hangs is replaced.

    Parameters
    ----------
    workers : int
        Processes at a time.
    preload : sequence of str, default=()
        Modules to import once, in the process that workers are forked from, so that a replacement
        starts in milliseconds. That process never runs a thread, so forking it is safe.

    Examples
    --------
    >>> from mlestar.execution import ProcessExecutor
    >>> with ProcessExecutor(1) as executor:
    ...     executor.submit(divmod, 7, 2).outcome().value
    (3, 1)
    """

    def __init__(self, workers: int, *, preload: Sequence[str] = ()) -> None:
        if workers < 1:
            raise ValueError(f"workers is {workers}, but must be at least 1")
        pebble = require("pebble", "run")
        context = start_forkserver(preload)
        self._workers = workers
        self._pool = pebble.ProcessPool(max_workers=workers, context=context)

    def submit(
        self, function: Callable[..., Any], *args: Any, timeout: float | None = None
    ) -> Task:
        """Run function(*args) in a worker; its process is killed after `timeout` seconds."""
        return _Scheduled(self._pool.schedule(function, args=args, timeout=timeout))

    def put(self, value: Any) -> Any:
        """The value itself, which is pickled with each call: put large ones in an
        `ArtifactStore`."""
        return value

    def get(self, reference: Any) -> Any:
        """The value itself."""
        return reference

    @property
    def resources(self) -> ResourceManager:
        """This machine, as many calls at a time as there are workers."""
        machine = ResourceManager.detect()
        return ResourceManager(self._workers, machine.memory_bytes)

    def close(self) -> None:
        """Kill the workers and what they are doing."""
        self._pool.stop()
        self._pool.join()
