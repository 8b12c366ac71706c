"""What every agent is: a function from the events since the last step to new events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from mlestar.agents.state import RunState
from mlestar.coordination.base import Event


class Agent(ABC):
    """One of the four kinds.

    An agent's answer depends on the events it was given since it was made, and on nothing else but
    (for training) the fits it ran; so replaying the journal to a new agent is resuming.
    """

    role: str

    def __init__(self) -> None:
        self.state = RunState()

    def step(self, events: Sequence[Event]) -> list[Event]:
        """Take in events, in the journal's order, and give what they call for.

        Events of a kind and key that the journal has already are dropped there, so an agent may say
        the same again.
        """
        for event in events:
            self.state.apply(event)
        return self.act() if self.state.started else []

    @abstractmethod
    def act(self) -> list[Event]:
        """Events that the state calls for."""

    def close(self) -> None:
        """Stop what is under way."""
