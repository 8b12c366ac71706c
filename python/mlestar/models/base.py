"""The classes every model is one of, and what a training stage promises."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

Callback = Callable[[str, dict[str, Any]], None]
"""Called with an event ("fit_begin", "epoch_end", "fit_end") and its figures."""


class MLESTARModel(ABC):
    """A model: fitted, asked, scored, saved.

    Parameters are the arguments of ``__init__``, kept under their names, as scikit-learn has it, so
    that `sklearn.base.clone` works. `mlestar.testing.ModelContract` is the test suite of this
    class.
    """

    @abstractmethod
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from data; returns the model itself."""

    @abstractmethod
    def predict(self, X: Any) -> Any:
        """Answers for new data."""

    @abstractmethod
    def score(self, X: Any, y: Any = None) -> float:
        """How good the answers are; greater is better."""

    @classmethod
    def _parameter_names(cls) -> list[str]:
        parameters = inspect.signature(cls.__init__).parameters.values()
        return sorted(p.name for p in parameters if p.name != "self" and p.kind != p.VAR_KEYWORD)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name; with `deep`, those of parameters that have some as
        ``name__inner``."""
        params: dict[str, Any] = {}
        for name in self._parameter_names():
            value = params[name] = getattr(self, name)
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                params |= {f"{name}__{k}": v for k, v in value.get_params(deep=True).items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name; ``name__inner`` reaches into a parameter.

        Raises
        ------
        ValueError
            For a name that is not a parameter.
        """
        known = self._parameter_names()
        for name, value in params.items():
            outer, _, inner = name.partition("__")
            if outer not in known:
                raise ValueError(
                    f"{outer!r} is not a parameter of {type(self).__name__}; it has {known}"
                )
            if inner:
                getattr(self, outer).set_params(**{inner: value})
            else:
                setattr(self, name, value)
        return self

    def save(self, path: str | Path) -> Path:
        """Write the model to a file (skops: no code, only types that are known).

        Raises
        ------
        ModelFileError
            If the model holds a type that could not be loaded again.
        """
        from mlestar.models.persistence import save

        return save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model from a file.

        Raises
        ------
        ModelFileError
            If the file holds a type that mlestar does not trust, or is no file of this class.
        """
        from mlestar.models.persistence import load

        return load(cls, path)


class SupervisedModel(MLESTARModel):
    """A model of a target: fitted on X and y."""

    @abstractmethod
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the target `y` of the rows of `X`."""


class UnsupervisedModel(MLESTARModel):
    """A model of the data themselves: fitted on X alone."""

    @abstractmethod
    def transform(self, X: Any) -> Any:
        """The rows of `X` as the model sees them (clusters, components, ...)."""


class ReinforcementModel(MLESTARModel):
    """A policy: fitted on an environment with gymnasium's interface, asked for actions.

    Subclasses write `fit` (learn from an environment, given as `X`) and `predict` (an action for an
    observation); `score` plays.
    """

    def score(self, X: Any, y: Any = None, *, episodes: int = 10, seed: int = 0) -> float:
        """Mean undiscounted return over episodes.

        Parameters
        ----------
        X : gymnasium.Env
            Environment: ``reset(seed=)`` and ``step(action)``.
        y : ignored
        episodes : int, default=10
            Episodes to play, with seeds `seed`, `seed` + 1, ...
        seed : int, default=0
            Of the first episode.
        """
        total = 0.0
        for episode in range(episodes):
            observation, _ = X.reset(seed=seed + episode)
            over = False
            while not over:
                observation, reward, terminated, truncated, _ = X.step(self.predict(observation))
                total += float(reward)
                over = bool(terminated or truncated)
        return total / episodes


@runtime_checkable
class TrainingStage(Protocol):
    """One stage of training, whatever does it: fit with callbacks, and a checkpoint at any time."""

    callbacks: Sequence[Callback]

    def fit(self, X: Any, y: Any = None) -> Any:
        """Train, calling each callback with "fit_begin", "epoch_end" (where there are epochs) and
        "fit_end"."""

    def checkpoint(self, path: str | Path) -> Path:
        """Write what has been learned so far; `load` of the class reads it."""
