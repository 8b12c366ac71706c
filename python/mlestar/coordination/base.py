"""What agents may ask of the memory they share."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable


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

    `mlestar.testing.MemoryStoreContract` is the test suite of this protocol.
    """

    def store(
        self, key: str, value: Any, *, namespace: str = "default", tags: Iterable[str] = ()
    ) -> None:
        """Write a JSON value, replacing one of the same key."""

    def retrieve(self, key: str, *, namespace: str = "default") -> Any:
        """Read a value exactly as it was written; KeyError if there is none."""

    def search(
        self, query: str, *, namespace: str = "default", limit: int = 50
    ) -> builtins.list[tuple[str, Any]]:
        """Keys and values whose key, tags or text contain `query`, by key."""

    def list(self, *, namespace: str = "default", prefix: str = "") -> builtins.list[str]:
        """Keys that start with `prefix`, sorted."""

    def delete(self, key: str, *, namespace: str = "default") -> bool:
        """Remove a value; whether there was one."""

    def claim(self, key: str, owner: str, *, seconds: float, namespace: str = "default") -> bool:
        """Take, or keep, a lease on a key; False while another owner's lease lasts. Atomic."""

    def namespaces(self) -> builtins.list[str]:
        """Namespaces that hold a value, sorted."""
