"""The agent that judges: scores with intervals, and the analysis of the best pipeline."""

from __future__ import annotations

import math
from typing import Any

from mlestar.agents.base import Agent
from mlestar.agents.state import Trial
from mlestar.coordination.base import Event
from mlestar.evaluation.comparison import ModelComparator, mean_interval
from mlestar.evaluation.metrics import MetricsCalculator
from mlestar.search.schedule import BLOCKS, step_of


class EvaluationAgent(Agent):
    """Settles trials whose fits are in, and analyzes a round once its ablations are settled."""

    role = "evaluation"

    def act(self) -> list[Event]:
        """Evaluations and analyses that have become possible."""
        events = [
            self._evaluation(trial)
            for trial in self.state.trials
            if not trial.settled and (trial.failure or len(trial.fits) == self.state.folds)
        ]
        return events + self._analyses()

    def _evaluation(self, trial: Trial) -> Event:
        payload: dict[str, Any] = {
            "trial": trial.number,
            "status": "failed",
            "scores": [],
            "score": None,
            "ci_low": None,
            "ci_high": None,
            "error": trial.failure,
        }
        if not trial.failure:
            scores = [float(trial.fits[fold]["score"]) for fold in range(self.state.folds)]
            level = float(self.state.manifest["confidence"])
            mean, low, high = mean_interval(scores, level)
            payload |= {"status": "done", "scores": scores, "score": mean}
            if math.isfinite(low):
                metric = MetricsCalculator.find(self.state.manifest["metric"])
                low, high = metric.bounded(low, high)
                payload |= {"ci_low": low, "ci_high": high}
        return Event("trial.evaluated", str(trial.number), payload)

    def _analyses(self) -> list[Event]:
        state = self.state
        window = int(state.manifest["window"])
        portfolio = len(state.portfolio())
        starts = sorted(
            {
                (t.round, step_of(t.number, portfolio, window, state.budget).start)
                for t in state.trials
                if t.round not in state.analyses
            }
        )
        events = []
        for round_, start in starts:
            members = state.trials[start : start + len(BLOCKS)]
            if start == 0 or len(members) < len(BLOCKS) or not all(t.settled for t in members):
                continue
            events.append(self._analysis(round_, members))
        return events

    def _analysis(self, round_: int, members: list[Trial]) -> Event:
        """Paired differences, on the same folds, of the best pipeline and each ablation of it."""
        state = self.state
        comparator = ModelComparator(float(state.manifest["confidence"]))
        blocks = []
        base: Trial | None = None
        for trial in members:
            if trial.purpose != "ablation" or trial.status != "done" or trial.base is None:
                continue
            base = state.trials[trial.base]
            # What the block is worth: how much worse the pipeline is without it.
            first, second = (base, trial) if state.greater_is_better else (trial, base)
            result = comparator.compare(first.scores, second.scores)
            blocks.append(
                {
                    "block": trial.block,
                    "trial": trial.number,
                    "difference": result.difference,
                    "ci_low": result.ci_low,
                    "ci_high": result.ci_high,
                    "p_value": result.p_value,
                }
            )
        blocks.sort(key=lambda row: -float(str(row["difference"])))
        payload = {
            "round": round_,
            "base": None if base is None else base.number,
            "blocks": blocks,
            "focus": blocks[0]["block"] if blocks else None,
        }
        return Event("analysis.done", str(round_), payload)
