"""String labels as integer codes: what every metric of labels does when the core has declined."""

from __future__ import annotations

from typing import Any, NamedTuple

from mlestar._arrays import is_string
from mlestar._native import _core


class Encoded(NamedTuple):
    """Codes of the strings of two arrays among `values`, all of them together, sorted."""

    y_true: Any
    y_pred: Any
    values: list[str]

    def code(self, label: object) -> int | None:
        """The code of one label; None where it is not a string among them."""
        return self.values.index(label) if label in self.values else None


def encode(y_true: Any, y_pred: Any = None) -> Encoded | None:
    """Codes of one or two string arrays; None where they are not strings."""
    if not is_string(y_true) or not (y_pred is None or is_string(y_pred)):
        return None
    found = _core.metrics.encode_strings(y_true, y_pred)
    return None if found is None else Encoded(*found)


def as_integer(label: object) -> int | None:
    """A label as the core's integer; None for strings, fractions, None and more than 64 bits."""
    try:
        number = int(label)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number == label and -(2**63) <= number < 2**63 else None
