"""What the splitters that scikit-learn lacks share: parameters, and the checks of them."""

from __future__ import annotations

from inspect import signature
from numbers import Integral
from typing import Any

from sklearn.model_selection import BaseCrossValidator
from sklearn.utils.validation import _num_samples


class Splitter(BaseCrossValidator):  # type: ignore[misc]
    """A splitter whose parameters are read, set and cloned as an estimator's are."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name.

        Parameters
        ----------
        deep : ignored
            No parameter has parameters of its own.

        Returns
        -------
        dict
        """
        return {name: getattr(self, name) for name in signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Any:
        """Set parameters by name.

        Parameters
        ----------
        **params : dict
            Those to change.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a name is not a parameter, or a value is not one it may have; nothing is set then.
        """
        known = self.get_params()
        for name in params:
            if name not in known:
                raise ValueError(
                    f"{name!r} is not a parameter of {type(self).__name__}: they are {list(known)}"
                )
        type(self)(**{**known, **params})  # checks them together
        for name, value in params.items():
            setattr(self, name, value)
        return self


def check_count(value: Any, name: str, least: int) -> None:
    """Raise unless the value is a whole number and not too small."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} is {value!r}, but must be an integer of at least {least}")


def check_flag(value: Any, name: str) -> None:
    """Raise unless the value is True or False."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}, but must be True or False")


def check_shuffle(shuffle: Any, random_state: Any) -> None:
    """Raise where `random_state` could have no effect, as scikit-learn's splitters do."""
    check_flag(shuffle, "shuffle")
    if not shuffle and random_state is not None:
        raise ValueError(
            f"random_state is {random_state!r}, but has no effect while shuffle is False: it must "
            "be None, or shuffle=True"
        )


def count_of_rows(**arguments: Any) -> int:
    """The length that all arguments which are there have."""
    given = {name: _num_samples(value) for name, value in arguments.items() if value is not None}
    if not given:
        raise ValueError(f"{' or '.join(arguments)} must be given, to tell the number of rows")
    (first, rows), *others = given.items()
    for name, length in others:
        if length != rows:
            raise ValueError(f"{name} has {length} rows, but must have those of {first}, {rows}")
    return int(rows)
