import multiprocessing
import sqlite3

import numpy as np
import pytest

from mlestar.coordination import ArtifactStore, Event, Journal, MemoryStore
from mlestar.exceptions import RunFolderError
from mlestar.testing import MemoryStoreContract


class TestJournalKeepsTheContract(MemoryStoreContract):
    def make(self, folder):
        return Journal(folder / "journal.db")


def test_it_is_a_memory_store(tmp_path):
    assert isinstance(Journal(tmp_path / "journal.db"), MemoryStore)


def write_events(path, worker):
    journal = Journal(path)
    for i in range(50):
        journal.append([Event("shared", str(i), {"by": worker}), Event("own", f"{worker}/{i}")])


def test_many_processes_write_and_nothing_is_lost_or_doubled(tmp_path):
    path = tmp_path / "journal.db"
    Journal(path).close()
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=write_events, args=(path, w)) for w in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    events = Journal(path).events()
    assert sum(e.kind == "own" for e in events) == 200
    assert sorted(int(e.key) for e in events if e.kind == "shared") == list(range(50))
    assert [e.seq for e in events] == sorted(e.seq for e in events)


def test_events_and_memory_in_one_transaction(tmp_path):
    journal = Journal(tmp_path / "journal.db")
    with pytest.raises(ValueError, match="not JSON"):
        journal.append([Event("a", "1")], {"k": float("nan")})
    assert journal.events() == []
    assert journal.append([Event("a", "1", {"x": 1})], {"k": 1}) == 1
    assert journal.retrieve("k") == 1
    assert journal.events()[0].payload == {"x": 1}
    assert journal.events(after=journal.events()[-1].seq) == []


def test_files_that_are_no_journal(tmp_path):
    (tmp_path / "text.db").write_text("not a database, by far" * 100)
    with pytest.raises(RunFolderError, match="cannot be used as a journal"):
        Journal(tmp_path / "text.db")
    with pytest.raises(RunFolderError, match="no journal at"):
        Journal(tmp_path / "absent.db", create=False)
    Journal(tmp_path / "old.db").close()
    with sqlite3.connect(tmp_path / "old.db") as db:
        db.execute("UPDATE meta SET value = '99'")
    db.close()
    with pytest.raises(RunFolderError, match="version 99"):
        Journal(tmp_path / "old.db")


def test_artifacts_are_named_by_content_and_never_half_written(tmp_path, monkeypatch):
    store = ArtifactStore(tmp_path / "a")
    name = store.put_array(np.arange(5))
    assert store.put_array(np.arange(5)) == name
    np.testing.assert_array_equal(store.get_array(name, mapped=True), np.arange(5))
    with pytest.raises(FileNotFoundError):
        store.get("../a/" + name)

    from mlestar import _files

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files.os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        store.put(b"something else", ".bin")
    assert [p.name for p in store.folder.iterdir()] == [name]
