"""What every memory store can do with its few calls: leases that stay alive, numbered versions,
and waiting for news."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from mlestar.coordination.base import MemoryStore, check_key, check_namespace, check_seconds
from mlestar.exceptions import CoordinationError


def unique_owner() -> str:
    """A name for whoever claims: machine, process and a random part."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


class Lease:
    """A claim that is kept alive while it is held.

    Parameters
    ----------
    store : MemoryStore
    key : str
        What is claimed.
    owner : str, default=None
        By default a name of its own.
    seconds : float, default=30.0
        How long the claim outlives its holder; it is renewed three times in this time.
    namespace : str, default="default"

    Attributes
    ----------
    owner : str
    lost : bool
        Whether the claim, once held, may be another's now: the process was stopped, or the store
        could not be reached, for longer than `seconds`. Work under a lost lease is another's too.

    Raises
    ------
    CoordinationError
        On entering the context, if another owner holds the key.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from mlestar.coordination import EmbeddedStore, Lease
    >>> store = EmbeddedStore(pathlib.Path(tempfile.mkdtemp()) / "memory.db")
    >>> with Lease(store, "fit/7") as lease:
    ...     store.claim("fit/7", "somebody else", seconds=1), lease.lost
    (False, False)
    >>> store.claim("fit/7", "somebody else", seconds=1)
    True
    """

    def __init__(
        self,
        store: MemoryStore,
        key: str,
        owner: str | None = None,
        *,
        seconds: float = 30.0,
        namespace: str = "default",
    ) -> None:
        self._store = store
        self._key = check_key(key)
        self._namespace = check_namespace(namespace)
        self._seconds = check_seconds(seconds) or 0.0
        self.owner = unique_owner() if owner is None else owner
        self._until = 0.0
        self._taken = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(self) -> bool:
        """Claim the key and begin to renew; False if another owner holds it."""
        if self._thread is not None:
            raise CoordinationError(f"the lease on {self._key!r} is held already")
        if not self._claim():
            return False
        self._stop.clear()
        self._taken.clear()
        self._thread = threading.Thread(target=self._renew, name="mlestar-lease", daemon=True)
        self._thread.start()
        return True

    def _claim(self) -> bool:
        # Counted from before the call, so that we never think ourselves longer in possession than
        # the store does.
        until = time.monotonic() + self._seconds
        claimed = self._store.claim(
            self._key, self.owner, seconds=self._seconds, namespace=self._namespace
        )
        if claimed:
            self._until = until
        return claimed

    def _renew(self) -> None:
        while not self._stop.wait(self._seconds / 3):
            try:
                claimed = self._claim()
            except Exception:
                continue  # tried again; `lost` says when it has been too long
            if not claimed:
                self._taken.set()
                return

    @property
    def lost(self) -> bool:
        """Whether the claim may be another's now."""
        return self._taken.is_set() or time.monotonic() >= self._until

    def release(self) -> None:
        """Stop renewing and give the key up."""
        if self._thread is None:
            return
        self._stop.set()
        self._thread.join()
        self._thread = None
        self._until = 0.0
        self._store.release(self.owner, self._key, namespace=self._namespace)

    def __enter__(self) -> Lease:
        if not self.acquire():
            raise CoordinationError(f"{self._key!r} is claimed by another owner")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


class Versions:
    """The numbered versions of a value, each written once.

    Version n of a key is the entry ``<key>/v<n>``, eight digits, from 1: nobody overwrites
    another's, so that `update` loses none and no reader can see a stale one.

    Parameters
    ----------
    store : MemoryStore
    key : str
    namespace : str, default="default"

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from mlestar.coordination import EmbeddedStore, Versions
    >>> store = EmbeddedStore(pathlib.Path(tempfile.mkdtemp()) / "memory.db")
    >>> counts = Versions(store, "counts")
    >>> counts.append({"fits": 1}), counts.update(lambda old: {"fits": old["fits"] + 1})
    (1, {'fits': 2})
    >>> counts.latest(), store.list()
    ((2, {'fits': 2}), ['counts/v00000001', 'counts/v00000002'])
    """

    def __init__(self, store: MemoryStore, key: str, *, namespace: str = "default") -> None:
        self._store = store
        self._key = check_key(key)
        self._namespace = check_namespace(namespace)
        self._known = 0

    def _name(self, number: int) -> str:
        return f"{self._key}/v{number:08d}"

    def numbers(self) -> list[int]:
        """The versions there are, in order."""
        prefix = f"{self._key}/v"
        keys = self._store.list(namespace=self._namespace, prefix=prefix)
        return sorted(int(key.removeprefix(prefix)) for key in keys)

    def get(self, number: int) -> Any:
        """One version; KeyError if there is none of that number."""
        return self._store.retrieve(self._name(number), namespace=self._namespace)

    def latest(self) -> tuple[int, Any]:
        """The newest version's number and value; (0, None) before the first."""
        if not self._known:
            self._known = max(self.numbers(), default=0)
        value = self.get(self._known) if self._known else None
        while True:
            try:
                value = self.get(self._known + 1)
            except KeyError:
                return self._known, value
            self._known += 1

    def append(self, value: Any) -> int:
        """Write the next version; its number."""
        while True:
            number = self.latest()[0] + 1
            if self._write(number, value):
                return number

    def update(self, change: Callable[[Any], Any]) -> Any:
        """Write ``change(newest value)`` as the next version, again if another was faster.

        `change` gets None before the first version, and may be called several times.
        """
        while True:
            number, value = self.latest()
            value = change(value)
            if self._write(number + 1, value):
                return value

    def _write(self, number: int, value: Any) -> bool:
        return self._store.store_once(self._name(number), value, namespace=self._namespace)


def watch(
    store: MemoryStore,
    *,
    namespace: str = "default",
    prefix: str = "",
    seconds: float | None = None,
    after: dict[str, int] | None = None,
    poll: tuple[float, float] = (0.01, 1.0),
) -> Iterator[tuple[str, Any]]:
    """Keys and values as they are written, by anybody.

    Parameters
    ----------
    store : MemoryStore
    namespace : str, default="default"
    prefix : str, default=""
        Of the keys that are watched.
    seconds : float, default=None
        End after this time; by default never.
    after : dict, default=None
        What `MemoryStore.stamps` gave: only what was written since then. By default what is there
        comes first.
    poll : (float, float), default=(0.01, 1.0)
        Shortest and longest pause between two looks, in seconds: it doubles while nothing happens.

    Yields
    ------
    key, value
        A key that is written several times between two looks comes once, with its last value.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from mlestar.coordination import EmbeddedStore, watch
    >>> store = EmbeddedStore(pathlib.Path(tempfile.mkdtemp()) / "memory.db")
    >>> store.store("trial/1", 0.5)
    >>> list(watch(store, prefix="trial/", seconds=0.01))
    [('trial/1', 0.5)]
    """
    shortest, longest = poll
    if not 0 < shortest <= longest:
        raise ValueError(f"poll is {poll}, but must be two positive numbers, the smaller first")
    check_seconds(seconds, optional=True)
    end = None if seconds is None else time.monotonic() + seconds
    return _news(store, namespace, prefix, end, dict(after or {}), shortest, longest)


def _news(
    store: MemoryStore,
    namespace: str,
    prefix: str,
    end: float | None,
    seen: dict[str, int],
    shortest: float,
    longest: float,
) -> Iterator[tuple[str, Any]]:
    pause = shortest
    while True:
        stamps = store.stamps(namespace=namespace, prefix=prefix)
        new = sorted((stamp, key) for key, stamp in stamps.items() if seen.get(key, 0) != stamp)
        for stamp, key in new:
            try:
                value = store.retrieve(key, namespace=namespace)
            except KeyError:
                continue  # deleted since
            seen[key] = stamp
            yield key, value
        pause = shortest if new else min(2 * pause, longest)
        if end is not None:
            left = end - time.monotonic()
            if left <= 0:
                return
            pause = min(pause, left)
        time.sleep(pause)
