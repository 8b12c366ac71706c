"""What worked on which table, kept in a memory that outlives the run."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlestar.coordination.base import MemoryStore
from mlestar.pipeline.meta_features import META_FEATURES
from mlestar.pipeline.tabular import ENCODE, IMPUTE, SCALE, TAKES_CATEGORIES, TAKES_MISSING
from mlestar.pipeline.tabular import PipelineSpec as Spec
from mlestar.search.space import Space

PATTERNS = "mlestar-patterns"
"""Namespace of the patterns in a memory."""

_VERSION = 1
# A pattern is a few kilobytes: a long run's lesser trials teach little.
_MOST_TRIALS = 40
# Of the median error: what makes no difference.
_NOTHING = 0.02
_CATEGORIES_APART = ("linear", "mlp", "k_nearest_neighbors")


@dataclass(frozen=True)
class Pattern:
    """What a run learned of one table.

    Attributes
    ----------
    table : str
        Fingerprint of the data: the same for the same rows, columns and target.
    name : str
        What the data were called.
    task, metric : str
    features : dict
        `mlestar.pipeline.MetaFeatures` of the table.
    trials : tuple of (PipelineSpec, float)
        Pipelines and their gain, the greatest first: 1 less twice the binary logarithm of the ratio
        of its error to the least of the run's. So 1 is the best, 0 has 1.4 times and -1 twice its
        error, or more.
    """

    table: str
    name: str
    task: str
    metric: str
    features: Mapping[str, float]
    trials: tuple[tuple[Spec, float], ...]

    @classmethod
    def of(
        cls,
        table: str,
        name: str,
        task: str,
        metric: str,
        features: Mapping[str, float],
        results: Sequence[tuple[Spec, float]],
    ) -> Pattern | None:
        """The pattern of a run's trials and their errors; None if fewer than three say anything.

        Parameters
        ----------
        table, name, task, metric, features : as the attributes
        results : sequence of (PipelineSpec, float)
            Scored pipelines and their errors: at least 0, and 0 is perfect.

        Examples
        --------
        >>> from mlestar.pipeline import META_FEATURES, PipelineSpec
        >>> features = dict.fromkeys(META_FEATURES, 0.0)
        >>> errors = {"linear": 0.5, "mlp": 0.14, "lightgbm": 0.1}
        >>> results = [(PipelineSpec(family), error) for family, error in errors.items()]
        >>> found = Pattern.of("f00d", "toy", "regression", "rmse", features, results)
        >>> [(spec.family, gain) for spec, gain in found.trials]
        [('lightgbm', 1.0), ('mlp', 0.0517), ('linear', -1.0)]
        """
        scored = [(s, float(error)) for s, error in results if 0.0 <= error < math.inf]
        if len(scored) < 3:
            return None
        errors = sorted(error for _, error in scored)
        # Next to nothing is as good as nothing: without it, the ratio of two such would be noise.
        floor = _NOTHING * errors[len(errors) // 2]
        if not errors[-1] > errors[0]:
            return None  # all the same: nothing is to be learned
        gains: dict[str, tuple[Spec, float]] = {}
        for spec, error in scored:
            ratio = (error + floor) / (errors[0] + floor)
            gain = round(max(-1.0, 1.0 - 2.0 * math.log2(ratio)), 4)
            if spec.key not in gains or gains[spec.key][1] < gain:
                gains[spec.key] = (spec, gain)
        ranked = sorted(gains.values(), key=lambda pair: (-pair[1], pair[0].key))
        # That a family was bad here is worth knowing too.
        firsts = {spec.family: spec.key for spec, _ in reversed(ranked)}
        ranked.sort(key=lambda pair: pair[0].key != firsts[pair[0].family])
        kept = sorted(ranked[:_MOST_TRIALS], key=lambda pair: (-pair[1], pair[0].key))
        return cls(table, name, task, metric, dict(features), tuple(kept))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "version": _VERSION,
            "table": self.table,
            "name": self.name,
            "task": self.task,
            "metric": self.metric,
            "features": dict(self.features),
            "trials": [{"pipeline": spec.to_dict(), "gain": gain} for spec, gain in self.trials],
        }

    @classmethod
    def from_dict(cls, values: Any) -> Pattern:
        """What `to_dict` gave.

        Raises
        ------
        ValueError
            For anything else, another version's patterns among it.
        """
        try:
            if values["version"] != _VERSION:
                raise ValueError(f"the pattern is of version {values['version']}, not {_VERSION}")
            features = {name: float(values["features"][name]) for name in META_FEATURES}
            trials = tuple(
                (Spec.from_dict(trial["pipeline"]), float(trial["gain"]))
                for trial in values["trials"]
            )
            table, name, task, metric = (
                str(values[part]) for part in ("table", "name", "task", "metric")
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is no pattern: {error!r}") from error
        numbers = [*features.values(), *(gain for _, gain in trials)]
        if not trials or not all(math.isfinite(number) for number in numbers):
            raise ValueError("this is no pattern: it has no trials, or numbers that are not finite")
        return cls(table, name, task, metric, features, trials)

    def describe(self) -> str:
        """The pattern in words, for a person and for a search by words."""
        rows, columns = (
            round(10.0 ** self.features[f"log_{part}"]) for part in ("rows", "columns")
        )
        lines = [
            f"{self.task} table {self.name}, {rows} rows, {columns} columns, {self.metric}; "
            "pipelines by gain (1 the best, 0 with 1.4 times, -1 with twice its error):"
        ]
        for spec, gain in self.trials[:5]:
            params = " ".join(f"{name}={value}" for name, value in sorted(spec.params.items()))
            blocks = f"impute={spec.impute} encode={spec.encode} scale={spec.scale}"
            lines.append(f"{gain:.2f} {spec.family} {blocks} {params}".rstrip())
        return "\n".join(lines)

    @property
    def key(self) -> str:
        """Its key in a memory: the same for the same content."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return f"{self.task}/{self.table}/{hashlib.sha256(text.encode()).hexdigest()[:16]}"


class PatternMemory:
    """Patterns in a memory that agents share.

    Parameters
    ----------
    store : MemoryStore
        Any; patterns have a namespace of their own there.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from mlestar.coordination import EmbeddedStore
    >>> from mlestar.search import PatternMemory
    >>> memory = PatternMemory(EmbeddedStore(pathlib.Path(tempfile.mkdtemp()) / "patterns.db"))
    >>> memory.recall("regression")
    []
    """

    def __init__(self, store: MemoryStore) -> None:
        self.store = store

    def keep(self, pattern: Pattern) -> bool:
        """Write a pattern, once; whether it was new."""
        tags = ["mlestar", pattern.task, pattern.metric]
        return self.store.store_once(pattern.key, pattern.to_dict(), namespace=PATTERNS, tags=tags)

    def recall(self, task: str) -> list[Pattern]:
        """Patterns of tables of the same kind, by key: of classes, or of values.

        What is no pattern of this version passes by.
        """
        found = []
        kinds = ("regression",) if task == "regression" else ("binary", "multiclass")
        for kind in kinds:
            for key in self.store.list(namespace=PATTERNS, prefix=f"{kind}/"):
                try:
                    found.append(Pattern.from_dict(self.store.retrieve(key, namespace=PATTERNS)))
                except (KeyError, ValueError):
                    continue  # gone meanwhile, of another version, or somebody else's
        return found


def fit_to_space(spec: Spec, space: Space) -> Spec | None:
    """A pipeline of another table as this one's space has it; None if its family is not allowed.

    Blocks that do not matter here are made plain, those that did not matter there get what the
    family usually takes, and numbers are brought within their bounds.

    Examples
    --------
    >>> from mlestar.pipeline import PipelineSpec
    >>> from mlestar.search import Space
    >>> from mlestar.search.patterns import fit_to_space
    >>> space = Space.of("binary", 500, has_categories=True, has_missing=False)
    >>> found = fit_to_space(PipelineSpec("linear", "mean", params={"alpha": 1e9}), space)
    >>> found.impute, found.encode, found.params
    ('median', 'onehot', {'alpha': 100.0})
    """
    if spec.family not in space.families:
        return None
    if spec.impute not in IMPUTE or spec.encode not in ENCODE or spec.scale not in SCALE:
        return None
    takes_missing = spec.family in TAKES_MISSING
    impute = spec.impute
    if not space.has_missing or (impute == "none" and not takes_missing):
        impute = "none" if takes_missing else "median"
    encode = space.encoding(spec.encode)
    if space.has_categories and encode == "ordinal" and spec.family in _CATEGORIES_APART:
        encode = "onehot"
    if encode == "native" and spec.family not in TAKES_CATEGORIES:
        encode = "ordinal"
    params: dict[str, Any] = {}
    distributions = space.distributions(spec.family)
    for name, value in spec.params.items():
        if name not in distributions:
            return None
        options = distributions[name]
        if isinstance(options, list):
            if value not in options:
                return None
            params[name] = value
        else:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value):
                return None
            bounded = min(options.high, max(options.low, value))
            whole = isinstance(options.low, int)
            params[name] = round(bounded) if whole else float(bounded)
    return Spec(spec.family, impute, encode, spec.scale, params)
