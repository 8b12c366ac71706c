"""Configuration: dataclasses, read strictly from TOML, YAML, JSON or a dict."""

from __future__ import annotations

import dataclasses
import difflib
import json
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

from mlestar._lazy import require
from mlestar.exceptions import ConfigError

__all__ = ["CoordinationConfig", "DataConfig", "EvalConfig", "MLConfig", "TrainingParams"]

BACKENDS = ("embedded", "claude-flow")
"""Where agents share what they know."""

_TOPOLOGIES = (
    "hierarchical",
    "mesh",
    "hierarchical-mesh",
    "ring",
    "star",
    "hybrid",
    "adaptive",
    "pheromone-adaptive",
)
_ROLES = {
    "search": "search",
    "train": "training",
    "evaluate": "evaluation",
    "ensemble": "ensemble",
}
_TASKS = ("auto", "binary", "multiclass", "regression")


@dataclass(frozen=True)
class DataConfig:
    """Where the table is and how it is read.

    Attributes
    ----------
    path : str or None
        CSV or Parquet file (gzip too), or the name of a table that scikit-learn ships.
    target : str or None
        The column to predict.
    drop : list of str
        Columns to leave out.
    """

    path: str | None = None
    target: str | None = None
    drop: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class EvalConfig:
    """How pipelines are scored.

    Attributes
    ----------
    metric : str or None
        A name of `mlestar.evaluation.MetricsCalculator`; by default ROC AUC (binary), log loss
        (multiclass) or RMSE (regression).
    folds : int
        Cross-validation folds, at least 2.
    confidence : float
        Level of the intervals, in (0, 1).
    """

    metric: str | None = None
    folds: int = 5
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise ConfigError(f"evaluation_config.folds is {self.folds}, but must be at least 2")
        if not 0.0 < self.confidence < 1.0:
            raise ConfigError(
                f"evaluation_config.confidence is {self.confidence}, but must be between 0 and 1"
            )


@dataclass(frozen=True)
class CoordinationConfig:
    """How the agents share work.

    Attributes
    ----------
    backend : str
        "embedded": the run folder's journal. "claude-flow": the journal too, and the run is shown
        in Claude Flow as a swarm with its agents, tasks and memories.
    folder : str or None
        Claude Flow's data folder; by default the run's folder, so that no other server of Claude
        Flow has its files open (it loses what two servers write at once).
    command : str or None
        What starts ``claude-flow``, or the folder of an install; by default one that is found.
    topology : str
        Of the swarm in Claude Flow: "hierarchical", "mesh", "hierarchical-mesh", "ring", "star",
        "hybrid", "adaptive" or "pheromone-adaptive".
    workers : int or None
        Fits at a time; by default the cores.
    agents : str or None
        Agents that are processes of their own, such as "search=1,train=2,evaluate=1,ensemble=1"; a
        kind that is not named, or 0, is part of the engine. Each that trains fits one at a time.
    window : int
        Trials that may be under way when the next is proposed, at least 0: trial k sees the results
        of trials 0 to k - window - 1, whatever the number of workers.
    lease_seconds : float
        After this time without a sign of life, another agent takes a fit over.
    patterns : str or None
        SQLite file of what worked on which table, made at need: the run starts with what worked on
        the tables most like its own, and leaves there what it learned. None: the run neither looks
        nor leaves anything.
    """

    backend: str = "embedded"
    folder: str | None = None
    command: str | None = None
    topology: str = "hierarchical"
    workers: int | None = None
    agents: str | None = None
    window: int = 2
    lease_seconds: float = 60.0
    patterns: str | None = None

    def __post_init__(self) -> None:
        for name, known in (("backend", BACKENDS), ("topology", _TOPOLOGIES)):
            if getattr(self, name) not in known:
                raise ConfigError(
                    f"coordination_config.{name} is {getattr(self, name)!r}, but must be one of "
                    f"{known}"
                )
        _ = self.agent_counts
        if self.workers is not None and self.workers < 1:
            raise ConfigError(
                f"coordination_config.workers is {self.workers}, but must be at least 1"
            )
        if self.window < 0:
            raise ConfigError(
                f"coordination_config.window is {self.window}, but must not be negative"
            )
        if not self.lease_seconds > 0:
            raise ConfigError(
                f"coordination_config.lease_seconds is {self.lease_seconds}, but must be positive"
            )

    @property
    def agent_counts(self) -> dict[str, int]:
        """Processes of each role: search, training, evaluation, ensemble."""
        counts: dict[str, int] = {}
        for part in (self.agents or "").split(",") if self.agents else ():
            name, _, number = part.strip().partition("=")
            role = _ROLES.get(name)
            if role is None or role in counts or not number.isdecimal() or int(number) > 64:
                raise ConfigError(
                    f"coordination_config.agents is {self.agents!r}, but must be like "
                    f"'search=1,train=2', of {', '.join(_ROLES)}, each once and at most 64"
                )
            counts[role] = int(number)
        return counts


@dataclass(frozen=True)
class TrainingParams:
    """What a run may spend and on what.

    Attributes
    ----------
    seconds : float or None
        Wall-clock budget of the run.
    fits : int or None
        Budget in fits; one is a pipeline fitted on one fold.
    seed : int
        Of everything drawn.
    families : list of str or None
        Model families to search; all by default.
    threads : int
        Threads of one fit (results of linear algebra change with it).
    memory_mb : int or None
        Largest resident memory of one fit, in MiB; by default half the machine's.
    ensemble_size : int
        Steps of the greedy ensemble.
    refit : bool
        Fit the chosen members once more on all rows.
    samplers : list of str
        Who proposes pipelines: "tpe", "swarm" or both, of which the one whose proposals were better
        proposes more often.
    """

    seconds: float | None = None
    fits: int | None = None
    seed: int = 0
    families: list[str] | None = None
    threads: int = 1
    memory_mb: int | None = None
    ensemble_size: int = 25
    refit: bool = False
    samplers: list[str] = field(default_factory=lambda: ["tpe", "swarm"])

    def __post_init__(self) -> None:
        positive = ("seconds", "fits", "threads", "memory_mb", "ensemble_size")
        for name in positive:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"training_params.{name} is {value}, but must be positive")
        if not self.samplers or not set(self.samplers) <= {"tpe", "swarm"}:
            raise ConfigError(
                f"training_params.samplers is {self.samplers!r}, but must hold 'tpe', 'swarm' or "
                "both"
            )
        if self.seed < 0:
            raise ConfigError(f"training_params.seed is {self.seed}, but must not be negative")


@dataclass(frozen=True)
class MLConfig:
    """Everything a run needs to know.

    Attributes
    ----------
    model_type : str
        The task: "auto", "binary", "multiclass" or "regression".
    training_params : TrainingParams
        Budget, seed, families.
    data_config : DataConfig
        Table and target.
    evaluation_config : EvalConfig
        Metric and folds.
    coordination_config : CoordinationConfig
        Workers and the memory that agents share.

    Examples
    --------
    >>> from mlestar import MLConfig
    >>> config = MLConfig.from_dict({"training_params": {"fits": 30}})
    >>> config.training_params.fits, config.evaluation_config.folds
    (30, 5)
    >>> MLConfig.from_dict({"training_params": {"fitz": 30}})
    Traceback (most recent call last):
    ...
    mlestar.exceptions.ConfigError: unknown key training_params.fitz; did you mean 'fits'?
    """

    model_type: str = "auto"
    training_params: TrainingParams = field(default_factory=TrainingParams)
    data_config: DataConfig = field(default_factory=DataConfig)
    evaluation_config: EvalConfig = field(default_factory=EvalConfig)
    coordination_config: CoordinationConfig = field(default_factory=CoordinationConfig)

    def __post_init__(self) -> None:
        if self.model_type not in _TASKS:
            raise ConfigError(f"model_type is {self.model_type!r}, but must be one of {_TASKS}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> MLConfig:
        """Build a configuration from nested mappings.

        Raises
        ------
        ConfigError
            For an unknown key or a value of the wrong type; the message names the key by its path.
        """
        result: MLConfig = _build(cls, values, "")
        return result

    @classmethod
    def load(cls, path: str | Path) -> MLConfig:
        """Read a TOML, YAML or JSON file, by its suffix.

        Raises
        ------
        ConfigError
            If the file cannot be read or parsed, or holds what `from_dict` refuses.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"configuration {path} cannot be read: {error}") from error
        suffix = path.suffix.lower()
        try:
            if suffix == ".toml":
                values = tomllib.loads(text)
            elif suffix == ".json":
                values = json.loads(text)
            elif suffix in (".yaml", ".yml"):
                values = require("yaml", "run").safe_load(text)
            else:
                raise ConfigError(
                    f"configuration {path} ends in {suffix!r}, but must be .toml, .yaml or .json"
                )
        except (ConfigError, ImportError):
            raise
        except Exception as error:
            raise ConfigError(f"configuration {path} cannot be parsed: {error}") from error
        return cls.from_dict({} if values is None else values)

    def to_dict(self) -> dict[str, Any]:
        """Nested plain dicts, as `from_dict` reads them."""
        return dataclasses.asdict(self)

    def override(self, path: str, value: Any) -> MLConfig:
        """A copy with one value replaced, by its dotted path; None keeps what is there.

        Examples
        --------
        >>> from mlestar import MLConfig
        >>> MLConfig().override("training_params.seed", 7).training_params.seed
        7
        """
        if value is None:
            return self
        values = self.to_dict()
        *parents, name = path.split(".")
        target = values
        for parent in parents:
            target = target[parent]
        target[name] = value
        return MLConfig.from_dict(values)

    def without_patterns(self) -> MLConfig:
        """A copy that neither looks at other runs' patterns nor leaves its own."""
        coordination = dataclasses.replace(self.coordination_config, patterns=None)
        return dataclasses.replace(self, coordination_config=coordination)


def _build(cls: Any, values: Any, path: str) -> Any:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path or 'the configuration'} is {values!r:.60}, but must be a table")
    hints = typing.get_type_hints(cls)
    known = {f.name for f in dataclasses.fields(cls)}
    arguments = {}
    for key, value in values.items():
        where = f"{path}.{key}" if path else str(key)
        if key not in known:
            close = difflib.get_close_matches(str(key), sorted(known), n=1, cutoff=0.4)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {sorted(known)}"
            raise ConfigError(f"unknown key {where}; {hint}")
        arguments[key] = _convert(hints[key], value, where)
    return cls(**arguments)


def _convert(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, where)
    options = (
        typing.get_args(hint) if typing.get_origin(hint) in (Union, types.UnionType) else (hint,)
    )
    for option in options:
        if option is type(None):
            if value is None:
                return None
        elif typing.get_origin(option) is list:
            (item,) = typing.get_args(option)
            if isinstance(value, list) and all(isinstance(v, item) for v in value):
                return list(value)
        elif option is float:
            if isinstance(value, int | float) and not isinstance(value, bool) and value == value:
                return float(value)
        elif option is int:
            if isinstance(value, int) and not isinstance(value, bool):
                return value
        elif isinstance(value, option):
            return value
    names = " or ".join(getattr(o, "__name__", str(o)).replace("NoneType", "null") for o in options)
    raise ConfigError(f"{where} is {value!r:.60}, but must be {names}")
