"""A run's folder, from a table and a configuration to the first event of its journal."""

from __future__ import annotations

import datetime
import re
import shutil
import uuid
from pathlib import Path
from typing import Any

import numpy as np

from mlestar.config import MLConfig
from mlestar.coordination.artifacts import ArtifactStore
from mlestar.coordination.base import Event
from mlestar.coordination.embedded import SCHEMA_VERSION
from mlestar.coordination.journal import Journal
from mlestar.engine.data import Table
from mlestar.engine.learned import look_up
from mlestar.evaluation.evaluator import CrossValidator
from mlestar.evaluation.metrics import MetricsCalculator
from mlestar.exceptions import ConfigError, RunFolderError
from mlestar.execution.resources import ResourceManager
from mlestar.search.space import Space

DEFAULT_SECONDS = 120.0


def prepare(table: Table, config: MLConfig, out: str | Path | None) -> Path:
    """Create the run's folder; nothing is left behind where that fails.

    Raises
    ------
    ConfigError
        If the metric is not for the task, or the budget does not reach for one trial.
    RunFolderError
        If the folder cannot be written, or is there already.
    """
    manifest = _manifest(table, config)
    folder = Path(out) if out is not None else _default_folder(table.name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunFolderError(
            f"out is {str(folder)!r}, which exists and is not empty; "
            "resume it, or name another folder"
        )
    existed = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        artifacts = ArtifactStore(folder / "artifacts")
        schema = table.schema
        X = table.pipeline.transform(table.features)
        evaluation = config.evaluation_config
        seed = config.training_params.seed
        plan = CrossValidator(evaluation.folds, seed).plan(X, table.y, table.task)
        _check_memory(plan.memory_bytes, manifest["memory_bytes"])
        manifest |= {
            "schema": schema.to_dict(),
            "cardinalities": schema.cardinalities,
            "X": artifacts.put_array(X),
            "y": artifacts.put_array(table.y),
            "folds_of_rows": artifacts.put_array(plan.fold_of_row),
        }
        space = Space.of(
            table.task,
            len(X),
            has_categories=any(schema.cardinalities),
            has_missing=bool(np.isnan(X).any()),
            families=config.training_params.families,
        )
        manifest["space"] = {**vars(space), "families": list(space.families)}
        known = config.coordination_config.patterns
        if known is not None:
            manifest["patterns"] = look_up(known, manifest, space, X, table.y)
        journal = Journal(folder / "journal.db")
        journal.append([Event("run.started", "", manifest)])
        journal.close()
    except (OSError, RunFolderError) as error:
        _remove(folder, existed)
        raise RunFolderError(f"out is {str(folder)!r}, which cannot be written: {error}") from error
    except BaseException:
        _remove(folder, existed)
        raise
    return folder


def _check_memory(needed: int, allowed: int) -> None:
    """Raise unless a fit can hold its fold: every fit of the run would fail."""
    if needed > allowed:
        raise ConfigError(
            f"training_params.memory_mb is {allowed // 2**20}, but must be more than "
            f"{needed // 2**20 + 1}: that much the rows of one fold take"
        )


def _remove(folder: Path, existed: bool) -> None:
    if not existed:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for name in ("artifacts", "journal.db", "journal.db-wal", "journal.db-shm"):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _default_folder(name: str) -> Path:
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name) or "table"
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return Path("mlestar-runs") / f"{stem}-{stamp}"


def _manifest(table: Table, config: MLConfig) -> dict[str, Any]:
    training, evaluation = config.training_params, config.evaluation_config
    coordination = config.coordination_config
    try:
        metric = (
            MetricsCalculator.default(table.task)
            if evaluation.metric is None
            else MetricsCalculator.find(evaluation.metric, table.task)
        )
    except ValueError as error:
        raise ConfigError(f"evaluation_config.metric: {error}") from error
    if training.fits is not None and training.fits < evaluation.folds:
        raise ConfigError(
            f"training_params.fits is {training.fits}, but one trial alone takes "
            f"{evaluation.folds} fits, one for each fold"
        )
    if training.families is not None:
        try:
            Space.of(
                table.task, 1, has_categories=False, has_missing=False, families=training.families
            )
        except ValueError as error:
            raise ConfigError(f"training_params.{error}") from error
    seconds = training.seconds
    if seconds is None and training.fits is None:
        seconds = DEFAULT_SECONDS
    machine = ResourceManager.detect()
    memory = machine.memory_bytes // 2 if training.memory_mb is None else training.memory_mb * 2**20
    return {
        "version": SCHEMA_VERSION,
        "id": uuid.uuid4().hex[:12],
        "name": table.name,
        "target": table.target,
        "rows": len(table.y),
        "task": table.task,
        "classes": table.classes,
        "metric": metric.name,
        "metric_name": MetricsCalculator.short_name(metric),
        "greater_is_better": metric.greater_is_better,
        "folds": evaluation.folds,
        "confidence": evaluation.confidence,
        "fits": training.fits,
        "seconds": seconds,
        "seed": training.seed,
        "threads": training.threads,
        "memory_bytes": memory,
        "ensemble_size": training.ensemble_size,
        "refit": training.refit,
        "samplers": training.samplers,
        "window": coordination.window,
        "agents": coordination.agent_counts,
        "lease_seconds": coordination.lease_seconds,
        "config": config.to_dict(),
        "findings": [vars(finding) for finding in table.findings],
    }
