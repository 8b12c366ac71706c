"""What agents may ask of the memory they share."""

from __future__ import annotations

import builtins
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

# What every store keeps as it is, Claude Flow's included, so that a program that runs on one runs
# on the other.
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-/]{0,511}")
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}")


@dataclass(frozen=True)
class Event:
    """Something that happened in a run: small JSON, written once.

    Attributes
    ----------
    kind : str
        What happened, such as "trial.proposed".
    key : str
        Which one, unique within its kind: the second event of a kind and key is dropped, so that an
        agent may say a thing twice.
    payload : dict
        JSON values; arrays and models travel by the hash of their artifact.
    seq : int
        Place in the journal; 0 before it is written.
    time : float
        When it was written, in seconds since 1970; 0 before.
    """

    kind: str
    key: str
    payload: dict[str, Any] = field(default_factory=dict)
    seq: int = 0
    time: float = 0.0


@runtime_checkable
class MemoryStore(Protocol):
    """Named JSON values in namespaces, shared by many processes.

    A key has 1 to 512 letters, digits and ``_ . - /``, begins with a letter, digit or ``_`` and
    holds no ``..``; a namespace has up to 128 and no ``/``. What is no such name, and what does not
    come back from JSON as it went in (NaN, infinity, tuples, dicts with keys that are no strings),
    is a ValueError, and what was there stays.

    `mlestar.testing.MemoryStoreContract` is the test suite of this protocol.
    """

    def store(
        self,
        key: str,
        value: Any,
        *,
        namespace: str = "default",
        tags: Iterable[str] = (),
        seconds: float | None = None,
    ) -> None:
        """Write a JSON value, replacing one of the same key; it is gone after `seconds`."""

    def store_once(
        self,
        key: str,
        value: Any,
        *,
        namespace: str = "default",
        tags: Iterable[str] = (),
        seconds: float | None = None,
    ) -> bool:
        """Write a value unless the key has one; whether it was written. Atomic."""

    def retrieve(self, key: str, *, namespace: str = "default") -> Any:
        """Read a value exactly as it was written; KeyError if there is none."""

    def search(
        self,
        query: str = "",
        *,
        namespace: str = "default",
        tags: Iterable[str] = (),
        limit: int = 50,
    ) -> builtins.list[tuple[str, Any]]:
        """Keys and values, by key: those whose key, tags or text contain `query` and that have all
        of `tags`."""

    def list(self, *, namespace: str = "default", prefix: str = "") -> builtins.list[str]:
        """Keys that start with `prefix`, sorted."""

    def stamps(self, *, namespace: str = "default", prefix: str = "") -> dict[str, int]:
        """For each key that starts with `prefix`, a number that grows whenever it is written."""

    def delete(self, key: str, *, namespace: str = "default") -> bool:
        """Remove a value; whether there was one."""

    def claim(self, key: str, owner: str, *, seconds: float, namespace: str = "default") -> bool:
        """Take, or keep, a lease on a key; False while another owner's lease lasts. Atomic."""

    def release(self, owner: str, key: str | None = None, *, namespace: str = "default") -> int:
        """Give up an owner's lease on a key, or all it has anywhere; how many there were."""

    def namespaces(self) -> builtins.list[str]:
        """Namespaces that hold a value, sorted."""

    def close(self) -> None:
        """Give up files and connections; the store cannot be used afterwards."""


def check_key(value: Any) -> str:
    """A key that every store can keep; ValueError otherwise."""
    if not isinstance(value, str) or not _KEY.fullmatch(value) or ".." in value:
        raise ValueError(
            f"key is {value!r:.80}, but must be 1 to 512 letters, digits and _ . - /, begin with a "
            "letter, digit or _ and hold no .."
        )
    return value


def check_namespace(value: Any) -> str:
    """A namespace that every store can keep; ValueError otherwise."""
    if not isinstance(value, str) or not _NAMESPACE.fullmatch(value):
        raise ValueError(
            f"namespace is {value!r:.80}, but must be 1 to 128 letters, digits and _ . - and begin "
            "with a letter, digit or _"
        )
    return value


def check_seconds(value: Any, *, optional: bool = False) -> float | None:
    """A duration that is positive and finite; ValueError otherwise."""
    if value is None and optional:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value < float("inf"):
        raise ValueError(f"seconds is {value!r}, but must be a positive number")
    return float(value)


def check_tags(value: Any) -> builtins.list[str]:
    """Tags, sorted, each once; ValueError if one is no string."""
    tags = [value] if isinstance(value, str) else [*value]
    for tag in tags:
        if not isinstance(tag, str) or not tag:
            raise ValueError(f"tags holds {tag!r}, but must be strings that are not empty")
    return sorted(set(tags))


def dump_exact(value: Any) -> str:
    """JSON that reads back as it was; ValueError for what does not."""
    text = dump(value)
    # Tuples and keys that are numbers would come back as something else.
    if json.loads(text) != value:
        raise ValueError(
            "value is not JSON: it holds tuples, or dict keys that are no strings, which come back "
            "as lists and strings"
        )
    return text


def dump(value: Any) -> str:
    """JSON; NaN and infinity are an error, not an invalid document."""
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"value is not JSON: {error}") from error
