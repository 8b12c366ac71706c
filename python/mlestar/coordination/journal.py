"""The run's one truth: an append-only table of events and the agents' memory, in one SQLite
file."""

from __future__ import annotations

import builtins
import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlestar.coordination.base import Event
from mlestar.exceptions import RunFolderError

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    payload TEXT NOT NULL,
    created REAL NOT NULL,
    UNIQUE (kind, key)
);
CREATE TABLE IF NOT EXISTS memory (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    tags TEXT NOT NULL,
    updated REAL NOT NULL,
    PRIMARY KEY (namespace, key)
);
CREATE TABLE IF NOT EXISTS leases (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    owner TEXT NOT NULL,
    expires REAL NOT NULL,
    PRIMARY KEY (namespace, key)
);
"""


class Journal:
    """Events and memory of one run, shared by many processes.

    Parameters
    ----------
    path : path
        SQLite file (WAL). Created with its tables unless `create` is False.
    create : bool, default=True
        False refuses a file that is not there.

    Raises
    ------
    RunFolderError
        If the file is not there, is no journal, or is of another version.

    Notes
    -----
    Implements `MemoryStore`. A write waits up to 30 s for another process's. Every method is safe
    from any thread; a journal opened before a fork must not be used after it.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from mlestar.coordination import Event, Journal
    >>> journal = Journal(pathlib.Path(tempfile.mkdtemp()) / "journal.db")
    >>> journal.append([Event("trial.proposed", "0"), Event("trial.proposed", "0")])
    1
    >>> [event.kind for event in journal.events()]
    ['trial.proposed']
    >>> journal.store("best", {"trial": 0})
    >>> journal.retrieve("best")
    {'trial': 0}
    >>> journal.close()
    """

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        self.path = Path(path)
        if not create and not self.path.is_file():
            raise RunFolderError(f"there is no journal at {self.path}")
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(
                self.path, timeout=30.0, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            # WAL with NORMAL loses no commit when the process dies, only, at worst, the last ones
            # when the machine does; the journal stays consistent.
            self._db.execute("PRAGMA synchronous = NORMAL")
            with self._transaction():
                for statement in _SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute(
                    "INSERT OR IGNORE INTO meta VALUES ('schema_version', ?)",
                    (str(SCHEMA_VERSION),),
                )
            version = self._db.execute(
                "SELECT value FROM meta WHERE name = 'schema_version'"
            ).fetchone()[0]
        except (sqlite3.DatabaseError, OSError) as error:
            raise RunFolderError(f"{self.path} cannot be used as a journal: {error}") from error
        if version != str(SCHEMA_VERSION):
            self.close()
            raise RunFolderError(
                f"{self.path} is of version {version}, but this mlestar reads {SCHEMA_VERSION}"
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file; the journal cannot be used afterwards."""
        with self._lock:
            self._db.close()

    # Events

    def append(
        self,
        events: Iterable[Event],
        memory: dict[str, Any] | None = None,
        namespace: str = "default",
    ) -> int:
        """Write events, and memory that goes with them, in one transaction.

        Returns
        -------
        int
            Events that were new; one whose kind and key are there already is dropped.
        """
        events = [*events]
        if not events and not memory:
            return 0
        now = time.time()
        rows = [(e.kind, e.key, _dump(e.payload), now) for e in events]
        with self._transaction():
            before = self._db.total_changes
            self._db.executemany(
                "INSERT OR IGNORE INTO events (kind, key, payload, created) VALUES (?, ?, ?, ?)",
                rows,
            )
            written = self._db.total_changes - before
            for key, value in (memory or {}).items():
                self._put(namespace, key, value, (), now)
        return written

    def events(self, after: int = 0) -> builtins.list[Event]:
        """Events with a `seq` above `after`, in order."""
        with self._lock:
            rows = self._db.execute(
                "SELECT kind, key, payload, seq, created FROM events WHERE seq > ? ORDER BY seq",
                (after,),
            ).fetchall()
        return [Event(kind, key, json.loads(text), seq, at) for kind, key, text, seq, at in rows]

    # Memory

    def store(
        self, key: str, value: Any, *, namespace: str = "default", tags: Iterable[str] = ()
    ) -> None:
        """Write a JSON value, replacing one of the same key."""
        with self._transaction():
            self._put(namespace, key, value, tags, time.time())

    def _put(self, namespace: str, key: str, value: Any, tags: Iterable[str], now: float) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO memory VALUES (?, ?, ?, ?, ?)",
            (
                _name(namespace, "namespace"),
                _name(key, "key"),
                _dump(value),
                _dump(sorted(tags)),
                now,
            ),
        )

    def retrieve(self, key: str, *, namespace: str = "default") -> Any:
        """Read a value exactly as it was written; KeyError if there is none."""
        with self._lock:
            row = self._db.execute(
                "SELECT value FROM memory WHERE namespace = ? AND key = ?", (namespace, key)
            ).fetchone()
        if row is None:
            raise KeyError(key)
        return json.loads(row[0])

    def search(
        self, query: str, *, namespace: str = "default", limit: int = 50
    ) -> builtins.list[tuple[str, Any]]:
        """Keys and values whose key, tags or text contain `query`, by key."""
        with self._lock:
            rows = self._db.execute(
                "SELECT key, value FROM memory WHERE namespace = ? AND (instr(key, ?) "
                "OR instr(tags, ?) OR instr(value, ?)) ORDER BY key LIMIT ?",
                (namespace, query, query, query, limit),
            ).fetchall()
        return [(key, json.loads(value)) for key, value in rows]

    def list(self, *, namespace: str = "default", prefix: str = "") -> builtins.list[str]:
        """Keys that start with `prefix`, sorted."""
        with self._lock:
            rows = self._db.execute(
                "SELECT key FROM memory WHERE namespace = ? AND substr(key, 1, ?) = ? ORDER BY key",
                (namespace, len(prefix), prefix),
            ).fetchall()
        return [key for (key,) in rows]

    def delete(self, key: str, *, namespace: str = "default") -> bool:
        """Remove a value; whether there was one."""
        with self._transaction():
            cursor = self._db.execute(
                "DELETE FROM memory WHERE namespace = ? AND key = ?", (namespace, key)
            )
        return cursor.rowcount > 0

    def claim(self, key: str, owner: str, *, seconds: float, namespace: str = "default") -> bool:
        """Take, or keep, a lease on a key; False while another owner's lease lasts. Atomic."""
        now = time.time()
        with self._transaction():
            cursor = self._db.execute(
                "INSERT INTO leases VALUES (?, ?, ?, ?) ON CONFLICT (namespace, key) DO UPDATE SET "
                "owner = excluded.owner, expires = excluded.expires "
                "WHERE leases.owner = excluded.owner OR leases.expires <= ?",
                (_name(namespace, "namespace"), _name(key, "key"), owner, now + seconds, now),
            )
        return cursor.rowcount > 0

    def release(self, owner: str) -> int:
        """Give up every lease of an owner; how many there were."""
        with self._transaction():
            return self._db.execute("DELETE FROM leases WHERE owner = ?", (owner,)).rowcount

    def namespaces(self) -> builtins.list[str]:
        """Namespaces that hold a value, sorted."""
        with self._lock:
            rows = self._db.execute("SELECT DISTINCT namespace FROM memory ORDER BY 1").fetchall()
        return [namespace for (namespace,) in rows]


def _name(value: str, argument: str) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{argument} is {value!r}, but must be a string that is not empty")
    return value


def _dump(value: Any) -> str:
    """JSON that reads back as it was; NaN and infinity are an error, not an invalid document."""
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=True)
    except (TypeError, ValueError) as error:
        raise ValueError(f"value is not JSON: {error}") from error
