"""A search as a strategy of ``swarm_benchmark``: in a process of its own, so that its event loop
goes on and its time-out holds."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlestar._files import write_whole
from mlestar.coordination.swarm_benchmark.metrics import MLPerformanceMetrics, MLQualityMetrics
from mlestar.coordination.swarm_benchmark.package import find_package, require_package
from mlestar.coordination.swarm_benchmark.records import (
    STRATEGY,
    Strategy,
    as_json,
    details_of,
)
from mlestar.exceptions import ConfigError

PROGRAM = "mlestar.engine.benchmarked"
"""What runs in the other process."""

_TAIL = 2000

if TYPE_CHECKING:
    StrategyBase = Any
else:
    _PACKAGE = find_package()
    StrategyBase = object if _PACKAGE is None else _PACKAGE.strategies.BaseStrategy


@dataclass(frozen=True)
class Experiment:
    """What a benchmark runs.

    Attributes
    ----------
    data : str or None
        A CSV or Parquet file, or the name of a table that scikit-learn ships; None: the benchmark's
        objective is it.
    target : str or None
        The column to predict; None: "target".
    config : dict
        As `mlestar.MLConfig.from_dict` reads it: budget, seed, metric.
    folder : str
        Each run has a folder in it.
    grace_seconds : float
        After the time-out, the run is asked to end and has so long to write what it has found;
        then it is killed.

    Raises
    ------
    ConfigError
        For a grace that is no positive number, or a configuration that is no JSON.
    """

    data: str | None = None
    target: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    folder: str = "mlestar-runs"
    grace_seconds: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.grace_seconds < float("inf"):
            raise ConfigError(f"grace_seconds is {self.grace_seconds}, but must be positive")
        try:
            json.dumps(dict(self.config), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"config is no JSON: {error}") from error


def register_strategy(experiment: Experiment | None = None) -> Any:
    """Make ``swarm_benchmark`` know the strategy "mlestar".

    Parameters
    ----------
    experiment : Experiment, default=None
        What it runs; by default the table that the objective names.

    Returns
    -------
    Strategy
        For ``BenchmarkConfig(strategy=...)``.

    Raises
    ------
    ImportError
        Where the package is not installed; the message says how to have it.

    Examples
    --------
    >>> from mlestar.coordination.swarm_benchmark import Experiment, register_strategy
    >>> from swarm_benchmark.core.benchmark_engine import BenchmarkEngine  # doctest: +SKIP
    >>> from swarm_benchmark.core.models import BenchmarkConfig  # doctest: +SKIP
    >>> star = register_strategy(
    ...     Experiment("iris", config={"training_params": {"fits": 50}})
    ... )  # doctest: +SKIP
    >>> config = BenchmarkConfig(name="iris", strategy=star, task_timeout=60)  # doctest: +SKIP
    >>> asyncio.run(BenchmarkEngine(config).run_benchmark("iris"))["status"]  # doctest: +SKIP
    'success'
    """
    package = require_package()
    # Its registry wants something that takes no arguments.
    package.strategies.STRATEGY_REGISTRY[STRATEGY] = functools.partial(StarStrategy, experiment)
    return Strategy.MLESTAR


class StarStrategy(StrategyBase):  # type: ignore[misc]
    """Search, test, analyze and refine as a strategy of ``swarm_benchmark``.

    Parameters
    ----------
    experiment : Experiment, default=None
        By default the table that a task's objective names.

    Raises
    ------
    ImportError
        Where the package is not installed.
    """

    def __init__(self, experiment: Experiment | None = None) -> None:
        require_package()
        super().__init__()
        self.experiment = Experiment() if experiment is None else experiment
        self._ended: list[dict[str, Any]] = []

    @property
    def name(self) -> str:
        """Its name in the registry."""
        return STRATEGY

    @property
    def description(self) -> str:
        """What it does."""
        return "Search, Test, Analyze, Refine: four kinds of agents look for a model of a table"

    async def execute(self, task: Any) -> Any:
        """Run the experiment.

        Parameters
        ----------
        task : swarm_benchmark Task
            Its ``timeout`` in seconds is kept to, but for the experiment's grace.

        Returns
        -------
        swarm_benchmark Result
            SUCCESS; FAILURE with what was wrong in ``errors``; or TIMEOUT, with what the run had
            found until then. ``output`` is plain JSON: the run's folder, leaderboard, agents and
            tasks; ``execution_details`` holds every field of both metrics, of which the package
            itself saves only those it knows.
        """
        models = require_package().core.models
        started, begin = datetime.now(), time.monotonic()
        folder = Path(self.experiment.folder) / f"{STRATEGY}-{task.id}"
        outcome, words, late = await self._run(task, folder)
        status = models.ResultStatus.TIMEOUT if late else models.ResultStatus.SUCCESS
        errors = []
        if late:
            errors.append(f"the time-out of {task.timeout:g} s was over")
        if outcome is None and not late:
            status, errors = models.ResultStatus.FAILURE, [words]
        found = outcome or {}
        performance = MLPerformanceMetrics(**found.get("performance", {}))
        performance.execution_time = time.monotonic() - begin
        quality = MLQualityMetrics(**found.get("quality", {}))
        usage = models.ResourceUsage(
            memory_mb=performance.peak_bytes / 2**20,
            peak_memory_mb=performance.peak_bytes / 2**20,
            average_cpu_percent=100.0 * performance.cpu_seconds / performance.execution_time,
            cpu_percent=100.0 * performance.cpu_seconds / performance.execution_time,
        )
        result = models.Result(
            task_id=task.id,
            agent_id=STRATEGY,
            status=status,
            output=as_json({"folder": str(folder), **found.get("output", {})}),
            errors=errors,
            warnings=[] if outcome is None or not words else [words],
            performance_metrics=performance,
            quality_metrics=quality,
            resource_usage=usage,
            execution_details=details_of(performance, quality),
            started_at=started,
            completed_at=datetime.now(),
        )
        seconds = performance.execution_time
        row = {"task_id": task.id, "result_status": status.value, "execution_time": seconds}
        self._ended.append(row)
        return result

    def get_metrics(self) -> dict[str, Any]:
        """How many tasks there were, and how each ended."""
        return {"executions": len(self._ended), "history": [dict(row) for row in self._ended]}

    async def _run(self, task: Any, folder: Path) -> tuple[dict[str, Any] | None, str, bool]:
        """The outcome, what the process said, and whether the time was over."""
        if not task.timeout > 0:
            raise ValueError(f"timeout is {task.timeout!r}, but must be positive")
        settings = {
            **dataclasses.asdict(self.experiment),
            "data": self.experiment.data or task.objective,
            "out": str(folder / "run"),
        }
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(settings).encode()
        write_whole(folder / "experiment.json", lambda file: file.write(text))
        log, outcome = folder / "experiment.log", folder / "outcome.json"
        outcome.unlink(missing_ok=True)  # of an earlier execution of the same task
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                PROGRAM,
                str(folder),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,  # it and its fits can be ended as a group
            )
        late = False
        try:
            try:
                await asyncio.wait_for(process.wait(), task.timeout)
            except TimeoutError:
                late = True
                with suppress(ProcessLookupError):
                    process.send_signal(signal.SIGINT)
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), self.experiment.grace_seconds)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        words = log.read_text(encoding="utf-8", errors="replace").strip()[-_TAIL:]
        if not outcome.is_file() or (process.returncode != 0 and not late):
            return None, words or f"the run ended with exit code {process.returncode}", late
        return json.loads(outcome.read_text(encoding="utf-8")), words, late
