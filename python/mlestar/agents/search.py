"""The agent that proposes pipelines."""

from __future__ import annotations

from mlestar.agents.base import Agent
from mlestar.coordination.base import Event
from mlestar.pipeline.tabular import PipelineSpec
from mlestar.search.sampler import Proposal, Result, choices_of, propose
from mlestar.search.schedule import Step, ablate, step_of


class SearchAgent(Agent):
    """Proposes trial k once trials 0 to k - window - 1 are settled, from these and nothing else."""

    role = "search"

    def act(self) -> list[Event]:
        """The next proposal, or the end of the search."""
        state = self.state
        if state.closed:
            return []
        number = len(state.trials)
        if state.budget is not None and number >= state.budget:
            if all(trial.settled for trial in state.trials):
                return [Event("search.closed", "", {"reason": "fits"})]
            return []
        visible = max(0, number - int(state.manifest["window"]))
        if not all(trial.settled for trial in state.trials[:visible]):
            return []
        proposal = self._propose(number, visible)
        return [] if proposal is None else [proposal]

    def _propose(self, number: int, visible: int) -> Event | None:
        state = self.state
        space = state.space()
        portfolio = space.portfolio()
        step = step_of(number, len(portfolio), int(state.manifest["window"]), state.budget)
        base, block = None, step.block
        proposal: Proposal | None = None
        if step.purpose == "search" and number < len(portfolio) and step.start == 0:
            spec = portfolio[number]
            proposal = Proposal(spec, choices_of(spec, space))
        elif step.purpose in ("ablation", "refine"):
            base = state.best(max(0, step.start - int(state.manifest["window"])))
            if step.purpose == "refine":
                analysis = state.analyses.get(step.round)
                if analysis is None:
                    return None  # its trials are settled; the evaluation agent is about to say
                block = analysis["focus"]
            if base is not None and step.purpose == "ablation":
                plain = ablate(base.spec, str(block), space)
                if plain is not None:
                    proposal = Proposal(plain, choices_of(plain, space))
            if proposal is None and (base is None or block is None or step.purpose == "ablation"):
                step, base, block = Step("search", step.round, None, step.start), None, None
        if proposal is None:
            proposal = self._draw(number, visible, base.spec if base else None, block)
        return Event(
            "trial.proposed",
            str(number),
            {
                "trial": number,
                "spec": proposal.spec.to_dict(),
                "choices": proposal.choices,
                "purpose": step.purpose,
                "round": step.round,
                "block": block,
                "base": None if base is None else base.number,
            },
        )

    def _draw(
        self, number: int, visible: int, base: PipelineSpec | None, block: str | None
    ) -> Proposal:
        state = self.state
        results = [Result(t.choices, state.error_of(t)) for t in state.trials[:visible]]
        seed = int(state.manifest["seed"])
        return propose(state.space(), number, seed, results, base=base, block=block)
