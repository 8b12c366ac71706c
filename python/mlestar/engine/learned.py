"""What a run takes from earlier runs' patterns, and what it leaves for later ones."""

from __future__ import annotations

import hashlib
import json
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

from mlestar.agents.state import RunState
from mlestar.coordination.base import Event
from mlestar.coordination.embedded import EmbeddedStore
from mlestar.exceptions import CoordinationWarning, RunFolderError
from mlestar.pipeline.meta_features import MetaFeatures
from mlestar.pipeline.tabular import PipelineSpec
from mlestar.search.patterns import Pattern, PatternMemory
from mlestar.search.space import Space
from mlestar.search.starts import choose_starts, nearest_tables


def look_up(file: str, manifest: dict[str, Any], space: Space, X: Any, y: Any) -> dict[str, Any]:
    """What the start of a run's journal says of patterns; the run depends on nothing else of them.

    Parameters
    ----------
    file : str
        Where patterns are kept.
    manifest : dict
        Of the run, with ``X``, ``y``, ``task``, ``classes`` and ``cardinalities``.
    space : Space
    X : ndarray of shape (n_rows, n_columns)
    y : ndarray of shape (n_rows,)

    Returns
    -------
    dict
        ``file``, ``table`` (the fingerprint), ``features``, ``known`` (how many patterns there
        were), ``neighbors`` and ``starts``.

    Raises
    ------
    RunFolderError
        If the file cannot be used.
    """
    task = manifest["task"]
    meta = MetaFeatures(task, manifest["cardinalities"], len(manifest["classes"]))
    features = meta.update(X, y).compute()
    with closing(_open(file)) as store:
        known = PatternMemory(store).recall(task)
    neighbors = nearest_tables(features, known, space)
    return {
        "file": file,
        "table": _fingerprint(manifest),
        "features": features,
        "known": len(known),
        "neighbors": [
            {"table": n.table, "name": n.name, "distance": n.distance, "weight": n.weight}
            for n in neighbors
        ],
        "starts": choose_starts(neighbors, space.portfolio()),
    }


def pattern_of(state: RunState) -> Pattern | None:
    """What a run learned; None where it was not to, or learned nothing."""
    asked = state.manifest.get("patterns")
    if not asked:
        return None
    manifest = state.manifest
    return Pattern.of(
        asked["table"],
        manifest["name"],
        manifest["task"],
        manifest["metric_name"],
        asked["features"],
        results_of(state),
    )


def results_of(state: RunState) -> list[tuple[PipelineSpec, float]]:
    """Scored pipelines and their errors: 0 is perfect."""
    return [
        (trial.spec, 1.0 - trial.score if state.greater_is_better else trial.score)
        for trial in state.trials
        if trial.status == "done" and trial.score is not None
    ]


def keep_pattern(state: RunState) -> Event | None:
    """Leave what a run learned where later ones look, and say so to the journal.

    The run itself is whole without: a file that cannot be written is a `CoordinationWarning`.
    """
    pattern = pattern_of(state)
    if pattern is None:
        return None
    file = state.manifest["patterns"]["file"]
    try:
        with closing(_open(file)) as store:
            PatternMemory(store).keep(pattern)
    except (OSError, RunFolderError) as error:
        warnings.warn(f"the run's pattern is not kept: {error}", CoordinationWarning, stacklevel=2)
        return None
    event = Event("pattern.kept", "", {"key": pattern.key, "pattern": pattern.to_dict()})
    state.apply(event)
    return event


def learned_section(state: RunState) -> dict[str, Any]:
    """What the report says of patterns; empty where none were asked for."""
    asked = state.manifest.get("patterns")
    if not asked:
        return {}
    scores = {trial.spec.key: trial for trial in reversed(state.trials)}
    starts = []
    for start, spec in zip(asked["starts"], state.start_specs(), strict=True):
        trial = scores.get(spec.key)
        starts.append(
            {
                "trial": None if trial is None else trial.number,
                "pipeline": _words(start["pipeline"]),
                "name": start["name"] or "every run",
                "gain": start["gain"],
                "score": None if trial is None else trial.score,
            }
        )
    kept = "What this run learned was added."
    if state.pattern is None:
        kept = "This run added nothing."
    return {
        "file": asked["file"],
        "known": asked["known"],
        "neighbors": asked["neighbors"],
        "starts": starts,
        "kept": kept,
    }


def _open(file: str) -> EmbeddedStore:
    folder = Path(file).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"{folder} cannot be the folder of patterns: {error}") from error
    return EmbeddedStore(file)


def _fingerprint(manifest: dict[str, Any]) -> str:
    """The same for the same rows, columns, target and task, whatever they are called."""
    parts = [manifest["X"], manifest["y"], manifest["task"], manifest["cardinalities"]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _words(pipeline: dict[str, Any]) -> str:
    blocks = ", ".join(f"{name} {pipeline[name]}" for name in ("impute", "encode", "scale"))
    params = ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in pipeline["params"].items()
    )
    return f"{pipeline['family']}: {blocks}" + (f"; {params}" if params else "")
