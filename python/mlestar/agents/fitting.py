"""One fit: a pipeline on one fold, in a worker process. Everything it needs comes by name and
hash."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mlestar.agents.folds import plan_of
from mlestar.coordination.artifacts import ArtifactStore
from mlestar.evaluation.metrics import MetricsCalculator
from mlestar.models.persistence import dumps
from mlestar.models.sklearn_adapter import loss_curve
from mlestar.pipeline.tabular import PipelineSpec, make_pipeline

# Probabilities of 0 and 1 that a forest or a neighbourhood gives are a matter of its size, not
# certainties; log loss would take them at their word.
PROBABILITY_FLOOR = 1e-4

OUT_OF_MEMORY = 77
"""Exit code of a worker whose fit took more memory than it may."""

_PR_SET_PDEATHSIG = 1


def fit_fold(folder: str, job: dict[str, Any]) -> dict[str, Any]:
    """Fit one pipeline on all folds but one, and answer for that one.

    Parameters
    ----------
    folder : str
        The run's folder.
    job : dict
        ``spec``, ``task``, ``metric``, ``fold``, ``seed``, ``threads``, ``memory_bytes``,
        ``classes`` (their number), ``cardinalities``, and the artifacts ``X``, ``y`` and
        ``folds_of_rows``.

    Returns
    -------
    dict
        ``score``, the artifacts ``out_of_fold`` and ``model``, ``wall_seconds``, ``cpu_seconds``,
        ``peak_bytes``, ``device`` and ``loss_curve``.
    """
    die_with_parent()
    _reset_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    artifacts = ArtifactStore(Path(folder) / "artifacts")
    plan = plan_of(artifacts, job)
    pipeline, arguments = _pipeline(job)
    with _limits(job):
        pipeline.fit(*plan.train(job["fold"]), **arguments)
        X_test, y_test = plan.test(job["fold"])
        out_of_fold = answer(pipeline, X_test, job["task"], job["classes"])
    metric = MetricsCalculator.find(job["metric"])
    given = out_of_fold.argmax(axis=1) if metric.response == "label" else out_of_fold
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        score = float(metric.score(y_test, given))
    if not np.isfinite(score):
        raise ValueError(f"the {metric.name} of fold {job['fold']} is {score}")
    return {
        "score": score,
        "out_of_fold": artifacts.put_array(out_of_fold),
        "model": artifacts.put(dumps(pipeline), ".skops"),
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_bytes": _peak_bytes(),
        "device": "cpu",
        "loss_curve": loss_curve(pipeline[-1]),
    }


def refit_all(folder: str, job: dict[str, Any]) -> str:
    """Fit one pipeline on all rows; returns the artifact of the fitted pipeline."""
    die_with_parent()
    artifacts = ArtifactStore(Path(folder) / "artifacts")
    pipeline, arguments = _pipeline(job)
    with _limits(job):
        plan = plan_of(artifacts, job)
        pipeline.fit(np.asarray(plan.X), np.asarray(plan.y), **arguments)
    return artifacts.put(dumps(pipeline), ".skops")


def _pipeline(job: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    return make_pipeline(
        PipelineSpec.from_dict(job["spec"]),
        job["task"],
        job["cardinalities"],
        seed=job["seed"],
        threads=job["threads"],
    )


@contextmanager
def _limits(job: dict[str, Any]) -> Iterator[None]:
    """The job's threads and memory, without warnings: what matters of them shows in the score."""
    from threadpoolctl import threadpool_limits

    with (
        threadpool_limits(job["threads"]),
        _memory_limit(int(job["memory_bytes"])),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def answer(pipeline: Any, X: Any, task: str, classes: int) -> Any:
    """Values, or probabilities with a column for every class, also one that the fit had not
    seen."""
    if task == "regression":
        return np.asarray(pipeline.predict(X), dtype=np.float64)
    given = np.asarray(pipeline.predict_proba(X), dtype=np.float64)
    result = np.zeros((len(given), classes))
    result[:, np.asarray(pipeline.classes_, dtype=np.int64)] = given
    result += PROBABILITY_FLOOR
    return result / result.sum(axis=1, keepdims=True)


def die_with_parent() -> None:
    """A worker whose pool was killed must not go on fitting."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, AttributeError):
        pass  # not Linux


@contextmanager
def _memory_limit(limit: int) -> Iterator[None]:
    """End this process, with `OUT_OF_MEMORY`, when it grows by more than `limit` bytes.

    A thread looks every 20 ms. The system's own limit (RLIMIT_AS) would not do: OpenBLAS waits
    forever for memory that it is refused.
    """
    start, over = _resident_bytes(), threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            if _resident_bytes() - start > limit:
                os._exit(OUT_OF_MEMORY)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _resident_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _reset_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        pass  # the peak is then that of the worker's life


def _peak_bytes() -> int:
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
