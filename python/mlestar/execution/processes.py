"""Supervised worker processes, each of which can be stopped without the others."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Sequence
from multiprocessing import context, forkserver, popen_forkserver, spawn
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
            words = f"the worker process ended with exit code {error.exitcode}"
            return Outcome("died", error=words, exit_code=error.exitcode)
        except Exception as error:
            return Outcome("failed", error=f"{type(error).__name__}: {error}")

    def cancel(self) -> None:
        self._future.cancel()


_preparation = threading.local()
_original_preparation = spawn.get_preparation_data


def _prepare(name: str) -> dict[str, Any]:
    """What a new process is told of this one; for our workers, nothing of the main script."""
    data: dict[str, Any] = _original_preparation(name)
    if getattr(_preparation, "without_main", False):
        data.pop("init_main_from_path", None)
        data.pop("init_main_from_name", None)
    return data


class _Popen(popen_forkserver.Popen):
    """Starts a worker that does not run the caller's script again.

    Python's own would, so that functions defined there can be found; a script without a main guard
    would then start itself in every worker. Ours run functions of installed modules only.
    """

    def _launch(self, process_obj: Any) -> None:
        spawn.get_preparation_data = _prepare
        _preparation.without_main = True
        try:
            super()._launch(process_obj)  # type: ignore[misc]
        finally:
            _preparation.without_main = False


class _Process(context.ForkServerProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 (multiprocessing's name)
        return _Popen(process_obj)


class _Context(context.ForkServerContext):
    Process = _Process


def start_forkserver(preload: Sequence[str] = ()) -> Any:
    """Start the process that workers are forked from, if it does not run yet; returns its context.

    Called early, it imports the modules while the caller does other things.
    """
    workers = _Context()
    workers.set_forkserver_preload(list(preload))
    forkserver.ensure_running()
    return workers


class ProcessExecutor(Executor):
    """A pool of worker processes on this machine (pebble): one that dies or hangs is replaced.

    Parameters
    ----------
    workers : int
        Processes at a time. They run functions of importable modules, not of the main script.
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
        workers_context = start_forkserver(preload)
        self._workers = workers
        self._pool = pebble.ProcessPool(max_workers=workers, context=workers_context)

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
