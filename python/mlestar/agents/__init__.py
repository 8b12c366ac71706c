"""The four kinds of agents. They meet only in the run's journal, never by calling each other."""

from mlestar.agents.base import Agent
from mlestar.agents.ensemble import EnsembleAgent
from mlestar.agents.evaluation import EvaluationAgent
from mlestar.agents.search import SearchAgent
from mlestar.agents.state import RunState, Trial
from mlestar.agents.training import TrainingAgent

__all__ = [
    "Agent",
    "EnsembleAgent",
    "EvaluationAgent",
    "RunState",
    "SearchAgent",
    "TrainingAgent",
    "Trial",
]
