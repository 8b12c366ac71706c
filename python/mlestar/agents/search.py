"""The agent that proposes pipelines."""

from __future__ import annotations

from mlestar.agents.base import Agent
from mlestar.coordination.base import Event
from mlestar.pipeline.tabular import PipelineSpec
from mlestar.search.bandit import choose_sampler
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
        portfolio = state.portfolio()
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
        if proposal is None:  # every choice of the block was tried: the whole space has others
            step, base, block = Step("search", step.round, None, step.start), None, None
            proposal = self._draw(number, visible, None, None)
        if proposal is None:  # a small space is exhausted; another seed is still another fit
            proposal = self._draw(number, visible, None, None, again=True)
        assert proposal is not None
        return Event(
            "trial.proposed",
            str(number),
            {
                "trial": number,
                "spec": proposal.spec.to_dict(),
                "choices": proposal.choices,
                "sampler": proposal.sampler,
                "purpose": step.purpose,
                "round": step.round,
                "block": block,
                "base": None if base is None else base.number,
            },
        )

    def _draw(
        self,
        number: int,
        visible: int,
        base: PipelineSpec | None,
        block: str | None,
        *,
        again: bool = False,
    ) -> Proposal | None:
        """A draw that learns from the trials it may see; new among all proposed, unless `again`."""
        state = self.state
        results = [Result(t.choices, state.error_of(t)) for t in state.trials[:visible]]
        seed = int(state.manifest["seed"])
        # Proposals do not depend on what is settled: one seed still gives the same trials.
        tried = frozenset() if again else frozenset(t.spec.key for t in state.trials)
        sampler = choose_sampler(state.samplers, state.outcomes(visible), seed, number)
        return propose(
            state.space(),
            number,
            seed,
            results,
            base=base,
            block=block,
            tried=tried,
            sampler=sampler,
        )
