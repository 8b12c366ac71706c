"""The journal's events folded into what they mean: the same for every agent and every replay."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mlestar.coordination.base import Event
from mlestar.pipeline.tabular import PipelineSpec
from mlestar.search.bandit import judge_proposals
from mlestar.search.space import Space


@dataclass
class Trial:
    """One proposed pipeline and what became of it.

    Attributes
    ----------
    number : int
    spec : PipelineSpec
    purpose, round, block, base : as the step that proposed it
    choices : dict
        What the sampler learns from.
    sampler : str
        Who drew it; empty where it was not drawn.
    fits : dict
        Fold to the payload of its finished fit.
    status : str
        "running", "done" or "failed".
    scores : list of float
        One a fold, if done.
    score, ci_low, ci_high : float or None
    error : str
        Why it failed.
    wall_time : float
        Seconds from the start of the run to its evaluation.
    """

    number: int
    spec: PipelineSpec
    purpose: str = "search"
    round: int = 0
    block: str | None = None
    base: int | None = None
    choices: dict[str, Any] = field(default_factory=dict)
    sampler: str = ""
    fits: dict[int, dict[str, Any]] = field(default_factory=dict)
    deaths: dict[int, int] = field(default_factory=dict)
    failure: str = ""
    status: str = "running"
    scores: list[float] = field(default_factory=list)
    score: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    error: str = ""
    wall_time: float = 0.0

    @property
    def settled(self) -> bool:
        """Whether nothing more will become of it."""
        return self.status != "running"


class RunState:
    """What the events so far mean."""

    def __init__(self) -> None:
        self.manifest: dict[str, Any] = {}
        self.trials: list[Trial] = []
        self.analyses: dict[int, dict[str, Any]] = {}
        self.closed: str = ""
        self.ensemble: dict[str, Any] | None = None
        self.pattern: dict[str, Any] | None = None
        self.finished = False
        self.started_at = 0.0

    @property
    def started(self) -> bool:
        """Whether the run's description is there."""
        return bool(self.manifest)

    def is_combined(self) -> bool:
        """Whether the ensemble is there."""
        return self.ensemble is not None

    @property
    def folds(self) -> int:
        """Folds of every trial."""
        return int(self.manifest["folds"])

    @property
    def greater_is_better(self) -> bool:
        """Direction of the run's metric."""
        return bool(self.manifest["greater_is_better"])

    @property
    def budget(self) -> int | None:
        """Trials that the budget in fits allows; None where it is in seconds only."""
        fits = self.manifest["fits"]
        return None if fits is None else int(fits) // self.folds

    @property
    def samplers(self) -> list[str]:
        """Samplers that may propose; a run of before goes on with the one it had."""
        return list(self.manifest.get("samplers", ["tpe"]))

    @property
    def agents(self) -> dict[str, int]:
        """Processes of each role that work beside the engine, which is the others itself."""
        return dict(self.manifest.get("agents", {}))

    def outcomes(self, visible: int | None = None) -> list[tuple[str, bool]]:
        """Who proposed each of the first `visible` trials that was drawn, and whether it was
        good."""
        seen = [t for t in self.trials[:visible] if t.settled]
        return judge_proposals((t.sampler, self.error_of(t)) for t in seen)

    def space(self) -> Space:
        """What the search may choose."""
        values = self.manifest["space"]
        return Space(
            values["task"],
            tuple(values["families"]),
            values["rows"],
            values["has_categories"],
            values["has_missing"],
        )

    def portfolio(self) -> list[PipelineSpec]:
        """Pipelines that are tried first: what other tables' patterns suggest, then those that
        every run tries."""
        usual = self.space().portfolio()
        starts = self.start_specs()
        if not starts:
            return usual
        # A run against the clock has something quick to show first, whatever worked elsewhere.
        quick = usual[:1] if self.budget is None else []
        return list({spec.key: spec for spec in [*quick, *starts, *usual]}.values())

    def start_specs(self) -> list[PipelineSpec]:
        """What other tables' patterns suggest; nothing where none were asked."""
        starts = (self.manifest.get("patterns") or {}).get("starts", ())
        return [PipelineSpec.from_dict(start["pipeline"]) for start in starts]

    def error_of(self, trial: Trial) -> float | None:
        """The trial's score as something to make small; None if there is none."""
        if trial.score is None:
            return None
        return -trial.score if self.greater_is_better else trial.score

    def best(self, visible: int | None = None) -> Trial | None:
        """The best trial, among the first `visible` where given; the earlier of equals."""
        done = [t for t in self.trials[:visible] if t.status == "done"]
        return min(done, key=lambda t: (self.error_of(t), t.number)) if done else None

    def apply(self, event: Event) -> None:
        """Take one event in. Kinds that mean nothing here pass by."""
        handler = getattr(self, "_" + event.kind.replace(".", "_"), None)
        if handler is not None:
            handler(event.payload)
        if event.kind == "run.started":
            self.started_at = event.time
        elif event.kind == "trial.evaluated":
            self.trials[event.payload["trial"]].wall_time = event.time - self.started_at

    def _run_started(self, payload: dict[str, Any]) -> None:
        self.manifest = payload

    def _trial_proposed(self, payload: dict[str, Any]) -> None:
        trial = Trial(
            payload["trial"],
            PipelineSpec.from_dict(payload["spec"]),
            payload["purpose"],
            payload["round"],
            payload["block"],
            payload["base"],
            payload["choices"],
            payload.get("sampler", ""),  # runs of before had one sampler
        )
        if trial.number == len(self.trials):
            self.trials.append(trial)

    def _fit_done(self, payload: dict[str, Any]) -> None:
        self.trials[payload["trial"]].fits.setdefault(payload["fold"], payload)

    def _fit_died(self, payload: dict[str, Any]) -> None:
        deaths = self.trials[payload["trial"]].deaths
        deaths[payload["fold"]] = deaths.get(payload["fold"], 0) + 1

    def _fit_failed(self, payload: dict[str, Any]) -> None:
        trial = self.trials[payload["trial"]]
        trial.failure = trial.failure or payload["error"]

    def _trial_evaluated(self, payload: dict[str, Any]) -> None:
        trial = self.trials[payload["trial"]]
        trial.status = payload["status"]
        trial.scores = payload["scores"]
        trial.score = payload["score"]
        trial.ci_low = payload["ci_low"]
        trial.ci_high = payload["ci_high"]
        trial.error = payload["error"]

    def _analysis_done(self, payload: dict[str, Any]) -> None:
        self.analyses[payload["round"]] = payload

    def _search_closed(self, payload: dict[str, Any]) -> None:
        self.closed = payload["reason"]

    def _ensemble_done(self, payload: dict[str, Any]) -> None:
        self.ensemble = payload

    def _pattern_kept(self, payload: dict[str, Any]) -> None:
        self.pattern = payload

    def _run_finished(self, payload: dict[str, Any]) -> None:
        self.finished = True
