"""Shared memory in one SQLite file, for many processes, and the outbox of what a server is told."""

from __future__ import annotations

import builtins
import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mlestar.coordination.base import (
    check_key,
    check_namespace,
    check_seconds,
    check_tags,
    dump,
    dump_exact,
)
from mlestar.exceptions import RunFolderError

SCHEMA_VERSION = 2

_MEMORY = """
CREATE TABLE IF NOT EXISTS memory (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    tags TEXT NOT NULL,
    stamp INTEGER NOT NULL,
    expires REAL,
    deleted INTEGER NOT NULL DEFAULT 0,
    sent INTEGER NOT NULL DEFAULT 0,
    parts TEXT NOT NULL DEFAULT '[]',
    adopted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (namespace, key)
);
"""

_LIVE = "deleted = 0 AND (expires IS NULL OR expires > ?)"
_COLUMNS = "namespace, key, value, tags, stamp, expires, deleted, sent, parts, adopted"
# A deleted key is remembered for as long as a server may still answer with its old value.
_REMEMBERED = 3600.0


@dataclass(frozen=True)
class Entry:
    """A row of the memory: what was written last under a key.

    Attributes
    ----------
    namespace, key : str
    value, tags : str
        JSON.
    stamp : int
        When it was written, in nanoseconds since 1970; grows with every write of the key.
    expires : float or None
        When it is gone, in seconds since 1970.
    deleted : int
        1 for a key that was deleted and is only remembered.
    sent : int
        When a server last acknowledged the key, in nanoseconds since 1970; 0 if none did.
    parts : str
        JSON list of the pieces, each a name and a count, in which a server holds the value.
    adopted : int
        1 for what somebody else wrote on the server.
    """

    namespace: str
    key: str
    value: str
    tags: str
    stamp: int
    expires: float | None = None
    deleted: int = 0
    sent: int = 0
    parts: str = "[]"
    adopted: int = 0

    @property
    def live(self) -> bool:
        """Whether the key has a value now."""
        return not self.deleted and (self.expires is None or self.expires > time.time())


class EmbeddedStore:
    """Memory that agents share, in one SQLite file.

    Parameters
    ----------
    path : path
        SQLite file (WAL). Created with its tables unless `create` is False.
    create : bool, default=True
        False refuses a file that is not there.

    Raises
    ------
    RunFolderError
        If the file is not there, is no store, or is of another version.

    Notes
    -----
    Implements `MemoryStore`. A write waits up to 30 s for another process's. Every method is safe
    from any thread; a store opened before a fork must not be used after it. A full disk is an
    OSError, and what was there stays.

    The outbox is the list of keys that a server has yet to be told: a write with ``send=True`` puts
    its key there in the transaction that writes the value, and `acknowledge` takes it out.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from mlestar.coordination import EmbeddedStore
    >>> store = EmbeddedStore(pathlib.Path(tempfile.mkdtemp()) / "memory.db")
    >>> store.store("best", {"trial": 0}, tags=["result"])
    >>> store.retrieve("best"), store.search(tags=["result"])
    ({'trial': 0}, [('best', {'trial': 0})])
    >>> store.claim("fit/7", "a", seconds=60), store.claim("fit/7", "b", seconds=60)
    (True, False)
    >>> store.close()
    """

    # What a subclass keeps in the same file.
    _MORE_TABLES: ClassVar[str] = ""
    _KIND: ClassVar[str] = "store"

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        self.path = Path(path)
        if not create and not self.path.is_file():
            raise RunFolderError(f"there is no {self._KIND} at {self.path}")
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(
                self.path, timeout=30.0, isolation_level=None, check_same_thread=False
            )
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error
        try:
            self._open()
        except (sqlite3.DatabaseError, OSError) as error:
            self.close()
            raise self._unusable(error) from error
        except RunFolderError:
            self.close()
            raise

    def _unusable(self, error: Exception) -> RunFolderError:
        return RunFolderError(f"{self.path} cannot be used as a {self._KIND}: {error}")

    def _open(self) -> None:
        # The version is looked at before anything is written: a newer file stays as it is.
        self._check_version()
        _patiently(lambda: self._db.execute("PRAGMA journal_mode = WAL"))
        # WAL with NORMAL loses no commit when the process dies, only, at worst, the last ones when
        # the machine does; the file stays consistent.
        self._db.execute("PRAGMA synchronous = NORMAL")
        with self._transaction():
            old = self._check_version()
            if old == 1:
                self._from_version_1()
            tables = f"""
            CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
            {_MEMORY}
            CREATE TABLE IF NOT EXISTS leases (
                namespace TEXT NOT NULL,
                key TEXT NOT NULL,
                owner TEXT NOT NULL,
                expires REAL NOT NULL,
                PRIMARY KEY (namespace, key)
            );
            CREATE TABLE IF NOT EXISTS outbox (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                namespace TEXT NOT NULL,
                key TEXT NOT NULL,
                UNIQUE (namespace, key)
            );
            {self._MORE_TABLES}"""
            for statement in tables.split(";"):
                self._db.execute(statement)
            self._db.execute(
                "INSERT OR REPLACE INTO meta VALUES ('schema_version', ?)", (str(SCHEMA_VERSION),)
            )

    def _check_version(self) -> int | None:
        """The file's version, None for a new file; RunFolderError for one that is not known."""
        tables = self._db.execute("SELECT name FROM sqlite_master WHERE name = 'meta'").fetchall()
        row = None
        if tables:
            query = "SELECT value FROM meta WHERE name = 'schema_version'"
            row = self._db.execute(query).fetchone()
        if row is None:
            return None
        if row[0] not in ("1", str(SCHEMA_VERSION)):
            raise RunFolderError(
                f"{self.path} is of version {row[0]}, but this mlestar reads 1 to {SCHEMA_VERSION}"
            )
        return int(row[0])

    def _from_version_1(self) -> None:
        self._db.execute("ALTER TABLE memory RENAME TO memory_1")
        self._db.execute(_MEMORY)
        self._db.execute(
            "INSERT INTO memory (namespace, key, value, tags, stamp) "
            "SELECT namespace, key, value, tags, CAST(updated * 1e9 AS INTEGER) FROM memory_1"
        )
        self._db.execute("DROP TABLE memory_1")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException as error:
                # SQLite has rolled back already where the disk was full.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if getattr(error, "sqlite_errorname", "") in ("SQLITE_FULL", "SQLITE_IOERR_WRITE"):
                    raise OSError(f"{self.path} was not written: {error}") from error
                raise

    def _rows(self, query: str, values: tuple[Any, ...]) -> builtins.list[Any]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._db.close()

    # Memory

    def store(
        self,
        key: str,
        value: Any,
        *,
        namespace: str = "default",
        tags: Iterable[str] = (),
        seconds: float | None = None,
        send: bool = False,
    ) -> None:
        """Write a JSON value, replacing one of the same key; it is gone after `seconds`."""
        row = make_row(namespace, key, value, tags, seconds)
        with self._transaction():
            self._put(row, send=send)

    def store_once(
        self,
        key: str,
        value: Any,
        *,
        namespace: str = "default",
        tags: Iterable[str] = (),
        seconds: float | None = None,
        send: bool = False,
    ) -> bool:
        """Write a value unless the key has one; whether it was written. Atomic."""
        row = make_row(namespace, key, value, tags, seconds)
        with self._transaction():
            return self._put(row, once=True, send=send)

    def _put(self, row: tuple[Any, ...], *, once: bool = False, send: bool = False) -> bool:
        """Write a row in the transaction that is open; whether it was written."""
        query = (
            "INSERT INTO memory (namespace, key, value, tags, expires, stamp) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (namespace, key) DO UPDATE SET "
            "value = excluded.value, tags = excluded.tags, expires = excluded.expires, "
            "stamp = max(excluded.stamp, memory.stamp + 1), deleted = 0, adopted = 0"
        )
        now = time.time_ns()
        values = (*row, now)
        if once:
            query += " WHERE memory.deleted = 1 OR memory.expires <= ?"
            values = (*values, now / 1e9)
        written = self._db.execute(query, values).rowcount > 0
        if written and send:
            self._queue(row[0], row[1])
        return written

    def retrieve(self, key: str, *, namespace: str = "default") -> Any:
        """Read a value exactly as it was written; KeyError if there is none."""
        rows = self._rows(
            f"SELECT value FROM memory WHERE namespace = ? AND key = ? AND {_LIVE}",
            (check_namespace(namespace), check_key(key), time.time()),
        )
        if not rows:
            raise KeyError(key)
        return json.loads(rows[0][0])

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
        if limit < 1:
            raise ValueError(f"limit is {limit}, but must be at least 1")
        written = dump(query)[1:-1]  # as it stands in JSON
        wanted = check_tags(tags)
        tagged = " AND EXISTS (SELECT 1 FROM json_each(memory.tags) AS tag WHERE tag.value = ?)"
        rows = self._rows(
            f"SELECT key, value FROM memory WHERE namespace = ? AND {_LIVE} AND (instr(key, ?) "
            f"OR instr(tags, ?) OR instr(value, ?)){tagged * len(wanted)} ORDER BY key LIMIT ?",
            (check_namespace(namespace), time.time(), query, written, written, *wanted, limit),
        )
        return [(key, json.loads(value)) for key, value in rows]

    def list(self, *, namespace: str = "default", prefix: str = "") -> builtins.list[str]:
        """Keys that start with `prefix`, sorted."""
        return sorted(self.stamps(namespace=namespace, prefix=prefix))

    def stamps(self, *, namespace: str = "default", prefix: str = "") -> dict[str, int]:
        """For each key that starts with `prefix`, a number that grows whenever it is written."""
        # Keys are ASCII: what starts with the prefix lies between it and it with a last DEL.
        rows = self._rows(
            "SELECT key, stamp FROM memory WHERE namespace = ? AND key >= ? AND key < ? "
            f"AND {_LIVE}",
            (check_namespace(namespace), prefix, prefix + "\x7f", time.time()),
        )
        return dict(rows)

    def delete(self, key: str, *, namespace: str = "default", send: bool = False) -> bool:
        """Remove a value; whether there was one."""
        where = (check_namespace(namespace), check_key(key))
        condition = f"namespace = ? AND key = ? AND {_LIVE}"
        with self._transaction():
            now = time.time_ns()
            if not send:
                query = f"DELETE FROM memory WHERE {condition}"
                return self._db.execute(query, (*where, now / 1e9)).rowcount > 0
            found = self._db.execute(
                "UPDATE memory SET deleted = 1, value = 'null', tags = '[]', expires = NULL, "
                f"stamp = max(?, stamp + 1) WHERE {condition}",
                (now, *where, now / 1e9),
            )
            if found.rowcount:
                self._queue(*where)
        return found.rowcount > 0

    def namespaces(self) -> builtins.list[str]:
        """Namespaces that hold a value, sorted."""
        query = f"SELECT DISTINCT namespace FROM memory WHERE {_LIVE} ORDER BY 1"
        return [namespace for (namespace,) in self._rows(query, (time.time(),))]

    def sweep(self) -> int:
        """Remove what has expired, and what was remembered as deleted for an hour; how many."""
        now = time.time()
        with self._transaction():
            # What a server holds is deleted there too.
            mirrored = self._db.execute(
                "SELECT namespace, key FROM memory WHERE deleted = 0 AND expires <= ? AND sent > 0",
                (now,),
            ).fetchall()
            for namespace, key in mirrored:
                self._queue(namespace, key)
            gone = self._db.execute(
                "UPDATE memory SET deleted = 1, value = 'null', tags = '[]', expires = NULL, "
                "stamp = max(?, stamp + 1) WHERE deleted = 0 AND expires <= ?",
                (int(now * 1e9), now),
            ).rowcount
            self._db.execute(
                "DELETE FROM memory WHERE deleted = 1 AND (sent = 0 OR stamp < ?) "
                "AND (namespace, key) NOT IN (SELECT namespace, key FROM outbox)",
                (int((now - _REMEMBERED) * 1e9),),
            )
        return gone

    # Leases

    def claim(self, key: str, owner: str, *, seconds: float, namespace: str = "default") -> bool:
        """Take, or keep, a lease on a key; False while another owner's lease lasts. Atomic."""
        if not isinstance(owner, str) or not owner:
            raise ValueError(f"owner is {owner!r}, but must be a string that is not empty")
        where = (check_namespace(namespace), check_key(key))
        length = check_seconds(seconds) or 0.0
        with self._transaction():
            now = time.time()
            cursor = self._db.execute(
                "INSERT INTO leases VALUES (?, ?, ?, ?) ON CONFLICT (namespace, key) DO UPDATE SET "
                "owner = excluded.owner, expires = excluded.expires "
                "WHERE leases.owner = excluded.owner OR leases.expires <= ?",
                (*where, owner, now + length, now),
            )
        return cursor.rowcount > 0

    def release(self, owner: str, key: str | None = None, *, namespace: str = "default") -> int:
        """Give up an owner's lease on a key, or all it has anywhere; how many there were."""
        query = "DELETE FROM leases WHERE owner = ?"
        values: tuple[str, ...] = (owner,)
        if key is not None:
            query += " AND namespace = ? AND key = ?"
            values = (owner, check_namespace(namespace), check_key(key))
        with self._transaction():
            return self._db.execute(query, values).rowcount

    # What a server that mirrors the memory needs

    def _queue(self, namespace: str, key: str) -> None:
        # A key that waits already goes to the end: only its last value is sent.
        self._db.execute(
            "INSERT OR REPLACE INTO outbox (namespace, key) VALUES (?, ?)", (namespace, key)
        )

    def entry(self, key: str, *, namespace: str = "default") -> Entry | None:
        """What was written last under a key, deleted and expired ones too."""
        query = f"SELECT {_COLUMNS} FROM memory WHERE namespace = ? AND key = ?"
        rows = self._rows(query, (namespace, key))
        return Entry(*rows[0]) if rows else None

    def adopt(self, entry: Entry) -> bool:
        """Take over what somebody else told the server, unless ours is newer; whether it was."""
        with self._transaction():
            cursor = self._db.execute(
                f"INSERT INTO memory ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1) "
                "ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value, "
                "tags = excluded.tags, stamp = excluded.stamp, expires = excluded.expires, "
                "deleted = 0, sent = excluded.sent, parts = excluded.parts, adopted = 1 "
                "WHERE memory.stamp < excluded.stamp AND NOT EXISTS (SELECT 1 FROM outbox "
                "WHERE outbox.namespace = memory.namespace AND outbox.key = memory.key)",
                (
                    entry.namespace,
                    entry.key,
                    entry.value,
                    entry.tags,
                    entry.stamp,
                    entry.expires,
                    0,
                    entry.sent,
                    entry.parts,
                ),
            )
        return cursor.rowcount > 0

    def adopted(self, *, namespace: str) -> builtins.list[str]:
        """Keys of a namespace that somebody else wrote on the server."""
        query = "SELECT key FROM memory WHERE namespace = ? AND adopted = 1"
        return [key for (key,) in self._rows(query, (namespace,))]

    def forget(self, key: str, *, namespace: str) -> None:
        """Drop a key that somebody else wrote on the server and that is there no more."""
        with self._transaction():
            self._db.execute(
                "DELETE FROM memory WHERE namespace = ? AND key = ? AND adopted = 1",
                (namespace, key),
            )

    def pending(self, *, after: int = 0, limit: int = 100) -> builtins.list[tuple[int, Entry]]:
        """What a server has yet to be told, in order, each with its number in the outbox."""
        columns = ", ".join(f"memory.{name}" for name in _COLUMNS.split(", "))
        rows = self._rows(
            f"SELECT outbox.seq, {columns} FROM outbox JOIN memory USING (namespace, key) "
            "WHERE outbox.seq > ? ORDER BY outbox.seq LIMIT ?",
            (after, limit),
        )
        return [(seq, Entry(*row)) for seq, *row in rows]

    def waiting(self) -> int:
        """How many keys a server has yet to be told."""
        return int(self._rows("SELECT count(*) FROM outbox", ())[0][0])

    def pending_of(self, key: str, *, namespace: str) -> tuple[int, Entry] | None:
        """What a server has yet to be told about one key."""
        query = "SELECT seq FROM outbox WHERE namespace = ? AND key = ?"
        rows = self._rows(query, (namespace, key))
        found = self.pending(after=rows[0][0] - 1, limit=1) if rows else []
        return found[0] if found else None

    def acknowledge(self, seq: int, entry: Entry, parts: str) -> None:
        """A server holds an entry: it leaves the outbox unless it was written again meanwhile."""
        with self._transaction():
            self._db.execute("DELETE FROM outbox WHERE seq = ?", (seq,))
            self._db.execute(
                "UPDATE memory SET sent = ?, parts = ? WHERE namespace = ? AND key = ?",
                (time.time_ns(), parts, entry.namespace, entry.key),
            )

    def requeue(self, key: str | None = None, *, namespace: str = "default") -> int:
        """Tell a server a key once more, or all it has ever acknowledged; how many."""
        query = "SELECT namespace, key FROM memory WHERE deleted = 0 AND sent > 0"
        values: tuple[Any, ...] = ()
        if key is not None:
            query, values = query + " AND namespace = ? AND key = ?", (namespace, key)
        with self._transaction():
            rows = self._db.execute(query, values).fetchall()
            for row in rows:
                self._queue(*row)
        return len(rows)


def make_row(namespace: Any, key: Any, value: Any, tags: Any, seconds: Any) -> tuple[Any, ...]:
    """The checked values of a row: namespace, key, value, tags, expires."""
    length = check_seconds(seconds, optional=True)
    return (
        check_namespace(namespace),
        check_key(key),
        dump_exact(value),
        dump(check_tags(tags)) if tags else "[]",
        None if length is None else time.time() + length,
    )


def _patiently(call: Any) -> None:
    """Call until no other process is changing the file's mode, for which SQLite does not wait."""
    for attempt in range(200):
        try:
            call()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == 199:
                raise
            time.sleep(0.02)
