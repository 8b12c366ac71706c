"""The run's one truth: an append-only table of events and the agents' memory, in one SQLite
file."""

from __future__ import annotations

import builtins
import json
import time
from collections.abc import Iterable
from typing import Any

from mlestar.coordination.base import Event, dump
from mlestar.coordination.embedded import EmbeddedStore, make_row


class Journal(EmbeddedStore):
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
    The memory is an `EmbeddedStore`: what it promises, a journal does.

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

    _MORE_TABLES = """
    CREATE TABLE IF NOT EXISTS events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        payload TEXT NOT NULL,
        created REAL NOT NULL,
        UNIQUE (kind, key)
    );
    """
    _KIND = "journal"

    def append(
        self,
        events: Iterable[Event],
        memory: dict[str, Any] | None = None,
        namespace: str = "default",
        *,
        send: bool = False,
    ) -> int:
        """Write events, and memory that goes with them, in one transaction.

        Parameters
        ----------
        events : iterable of Event
        memory : dict, default=None
            Values by key.
        namespace : str, default="default"
            Of `memory`.
        send : bool, default=False
            Put `memory` into the outbox too. Its keys are then written once: one that is there
            already is left alone, like an event that is said twice.

        Returns
        -------
        int
            Events that were new; one whose kind and key are there already is dropped.
        """
        events = [*events]
        if not events and not memory:
            return 0
        now = time.time()
        rows = [(e.kind, e.key, dump(e.payload), now) for e in events]
        values = [
            make_row(namespace, key, value, (), None) for key, value in (memory or {}).items()
        ]
        with self._transaction():
            before = self._db.total_changes
            self._db.executemany(
                "INSERT OR IGNORE INTO events (kind, key, payload, created) VALUES (?, ?, ?, ?)",
                rows,
            )
            written = self._db.total_changes - before
            for row in values:
                self._put(row, once=send, send=send)
        return written

    def events(self, after: int = 0) -> builtins.list[Event]:
        """Events with a `seq` above `after`, in order."""
        rows = self._rows(
            "SELECT kind, key, payload, seq, created FROM events WHERE seq > ? ORDER BY seq",
            (after,),
        )
        return [Event(kind, key, json.loads(text), seq, at) for kind, key, text, seq, at in rows]
