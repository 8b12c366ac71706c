"""The embedded store: the contract, many processes, a full disk, other versions, the outbox."""

import multiprocessing
import sqlite3

import pytest

from mlestar.coordination import EmbeddedStore, Event, Journal, Lease, Versions, watch
from mlestar.exceptions import CoordinationError, RunFolderError
from mlestar.testing import MemoryStoreContract


class TestEmbeddedStoreKeepsTheContract(MemoryStoreContract):
    def make(self, folder):
        return EmbeddedStore(folder / "memory.db")


def count(path, worker):
    store = EmbeddedStore(path)
    versions = Versions(store, "counter")
    for i in range(25):
        versions.update(lambda old: (old or 0) + 1)
        store.store(f"own/{worker}/{i}", i)
        lease = Lease(store, "guard", seconds=30)
        while not lease.acquire():
            pass
        try:
            store.store("guarded", store.retrieve("guarded") + 1)
        finally:
            lease.release()
    store.close()


def test_eight_processes_lose_no_update(tmp_path):
    path = tmp_path / "memory.db"
    store = EmbeddedStore(path)
    store.store("guarded", 0)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=count, args=(path, w)) for w in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert Versions(store, "counter").latest() == (200, 200)
    assert len(store.list(prefix="own/")) == 200
    assert store.retrieve("guarded") == 200


def test_a_full_disk_is_an_oserror_and_what_was_there_stays(tmp_path):
    store = EmbeddedStore(tmp_path / "memory.db")
    store.store("kept", 1)
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(OSError, match="full"):
        store.store("kept", "x" * 1_000_000)
    assert store.retrieve("kept") == 1
    store._db.execute(f"PRAGMA max_page_count = {pages + 1000}")
    store.store("kept", "x" * 1_000_000)
    assert len(store.retrieve("kept")) == 1_000_000


VERSION_1 = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO meta VALUES ('schema_version', '1');
CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL,
    payload TEXT NOT NULL, created REAL NOT NULL, UNIQUE (kind, key));
CREATE TABLE memory (namespace TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    tags TEXT NOT NULL, updated REAL NOT NULL, PRIMARY KEY (namespace, key));
CREATE TABLE leases (namespace TEXT NOT NULL, key TEXT NOT NULL, owner TEXT NOT NULL,
    expires REAL NOT NULL, PRIMARY KEY (namespace, key));
INSERT INTO events VALUES (1, 'a', 'b', '{}', 5.0);
INSERT INTO memory VALUES ('default', 'k', '[1]', '["t"]', 7.5);
"""


def test_a_journal_of_the_version_before_is_read_and_one_of_a_later_stays_as_it_is(tmp_path):
    path = tmp_path / "journal.db"
    db = sqlite3.connect(path)
    db.executescript(VERSION_1)
    db.close()
    journal = Journal(path)
    assert journal.events() == [Event("a", "b", {}, 1, 5.0)]
    assert journal.search(tags=["t"]) == [("k", [1])]
    assert journal.stamps() == {"k": 7_500_000_000}
    journal.close()
    Journal(path).close()
    db = sqlite3.connect(path)
    db.execute("UPDATE meta SET value = '3'")
    db.commit()
    db.close()
    before = path.read_bytes()
    with pytest.raises(RunFolderError, match=r"of version 3, but this mlestar reads 1 to 2"):
        Journal(path)
    assert path.read_bytes() == before


def test_the_outbox_is_written_with_the_events_and_keeps_what_is_not_acknowledged(tmp_path):
    journal = Journal(tmp_path / "journal.db")
    with pytest.raises(ValueError, match="not JSON"):
        journal.append([Event("a", "1")], {"bad": float("nan")}, send=True)
    assert (journal.events(), journal.waiting()) == ([], 0)
    journal.append([Event("a", "1")], {"trial-1": 1, "trial-2": 2}, "run", send=True)
    journal.append([Event("a", "1")], {"trial-1": 9}, "run", send=True)  # said twice
    journal.store("mine", 3)
    sent = journal.pending()
    assert [(e.key, e.value) for _, e in sent] == [("trial-1", "1"), ("trial-2", "2")]
    journal.acknowledge(*sent[0], "[]")
    journal.close()
    journal = Journal(tmp_path / "journal.db")
    assert [e.key for _, e in journal.pending()] == ["trial-2"]
    # Written again while it was sent: the old acknowledgement does not count for the new value.
    waiting = journal.pending()[0]
    journal.store("trial-2", 4, namespace="run", send=True)
    journal.acknowledge(*waiting, "[]")
    assert [e.value for _, e in journal.pending()] == ["4"]
    journal.acknowledge(*journal.pending()[0], "[]")
    assert journal.delete("trial-1", namespace="run", send=True)
    assert [(e.key, e.live) for _, e in journal.pending()] == [("trial-1", False)]
    assert journal.requeue() == 1


def test_sweep_removes_what_has_expired(tmp_path):
    store = EmbeddedStore(tmp_path / "memory.db")
    store.store("a", 1, seconds=1e-6)
    store.store("b", 1, seconds=60)
    assert store.sweep() == 1
    assert store.entry("a") is None
    assert store.list() == ["b"]


def test_a_lease_that_is_taken_is_lost(tmp_path):
    store = EmbeddedStore(tmp_path / "memory.db")
    lease = Lease(store, "task", seconds=0.3)
    assert lease.acquire()
    with pytest.raises(CoordinationError, match="held already"):
        lease.acquire()
    store.release(lease.owner)
    assert store.claim("task", "thief", seconds=30)
    assert lease._taken.wait(5)
    assert lease.lost
    lease.release()
    assert not store.claim("task", "other", seconds=1)  # the thief's claim is not given up
    with pytest.raises(CoordinationError, match="another owner"), Lease(store, "task"):
        pass


def test_a_lease_on_a_store_that_fails_is_lost_after_its_time(tmp_path):
    store = EmbeddedStore(tmp_path / "memory.db")
    lease = Lease(store, "task", seconds=0.2)
    assert lease.acquire()
    store.close()
    assert not lease._taken.wait(0.4)
    assert lease.lost


def test_watch_wants_sensible_pauses(tmp_path):
    store = EmbeddedStore(tmp_path / "memory.db")
    with pytest.raises(ValueError, match="poll is"):
        watch(store, poll=(1.0, 0.5))
    with pytest.raises(ValueError, match="seconds is"):
        watch(store, seconds=-1)
