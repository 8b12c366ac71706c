"""Claude Flow's client and store, on the real server where it is installed and on one that fails on
demand."""

import asyncio
import json
import os
import signal
import sqlite3
import threading
import time
import warnings

import pytest

pytest.importorskip("mcp")

from coordination.claude_flow_servers import FAKE, real_server
from mlestar.coordination import ClaudeFlowClient, ClaudeFlowStore, EmbeddedStore, Event, Journal
from mlestar.coordination.claude_flow.server import COMMAND_VARIABLE, ServerFolder, find_server
from mlestar.exceptions import (
    CoordinationWarning,
    ServerUnavailableError,
    ServerVersionError,
    ToolError,
)
from mlestar.testing import MemoryStoreContract


class TestStoreOverTheFakeServerKeepsTheContract(MemoryStoreContract):
    def make(self, folder):
        return ClaudeFlowStore(folder, command=FAKE)


@pytest.fixture(scope="module")
def real_client(tmp_path_factory):
    """The real server, started once for many tests."""
    command = real_server()
    with ClaudeFlowClient(tmp_path_factory.mktemp("shared"), command=command) as client:
        yield client


class TestStoreOverClaudeFlowKeepsTheContract(MemoryStoreContract):
    @pytest.fixture(autouse=True)
    def _empty_server(self, real_client):
        self.client, self.files = real_client, []
        yield
        self.teardown_method()  # pytest's own comes later
        for file in self.files:
            file.close()
        for namespace in real_client.call("memory_stats")["namespaces"]:
            rows = real_client.call("memory_list", {"namespace": namespace, "limit": 1000})
            for row in rows["entries"]:
                real_client.call("memory_delete", {"key": row["key"], "namespace": namespace})

    def make(self, folder):
        # Two views that both talk to the server.
        self.files.append(EmbeddedStore(folder / "memory.db"))
        return ClaudeFlowStore(folder, client=self.client, local=self.files[-1], timeout=20)


class TestStoreWithoutAServerKeepsTheContract(MemoryStoreContract):
    @pytest.fixture(autouse=True)
    def _expect_the_warning(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CoordinationWarning)
            yield

    def make(self, folder):
        return ClaudeFlowStore(folder, command="/no/such/command")


@pytest.fixture
def opened():
    """Keep stores and clients, and close them after the test."""
    kept = []

    def keep(one):
        kept.append(one)
        return one

    yield keep
    while kept:
        kept.pop().close()


def fake_client(folder, **options):
    options = {"timeout": 2.0, "backoff": (0.05, 0.2), "command": FAKE, **options}
    return ClaudeFlowClient(folder, **options)


@pytest.fixture
def fake(tmp_path, opened):
    client = opened(fake_client(tmp_path))
    store = opened(ClaudeFlowStore(tmp_path, client=client, timeout=0.5, poll=0.05))
    assert client.state == "up"
    return store


def mode(store, word):
    (store.client.folder.scratch / "mode").write_text(word)


def eventually(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def on_server(folder, key, namespace="default"):
    """What the fake server's file holds."""
    db = sqlite3.connect(folder / ".swarm" / "agentdb-memory.db")
    try:
        row = db.execute(
            "SELECT value FROM m WHERE namespace = ? AND key = ?", (namespace, key)
        ).fetchone()
    finally:
        db.close()
    return None if row is None else row[0]


# Faults, one after the other


def kill(client):
    pid = client.folder.pid()
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: client.state != "up" or client.folder.pid() != pid)


def store_and_read(store, keys):
    for i in keys:
        store.store(f"k/{i}", i)
        assert store.retrieve(f"k/{i}") == i


def kill_and_go_on(store):
    for first in range(0, 150, 30):
        if first:
            kill(store.client)
            store_and_read(store, [first])
            kill(store.client)  # again, perhaps while it starts
        store_and_read(store, range(first, first + 30))
        eventually(lambda: store.client.state == "up")
        store.list()


def test_a_server_killed_in_mid_use_loses_nothing_and_it_is_said_once(tmp_path, fake):
    with pytest.warns(CoordinationWarning, match=r"Claude Flow is away.*memory.db") as said:
        kill_and_go_on(fake)
    assert len(said) <= 8  # once an outage, not once a call
    assert fake.deliver(20) == 0
    for i in range(150):
        assert json.loads(on_server(tmp_path, f"k/{i}").removeprefix("j1:"))["v"] == i


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("hang", "hangs: no answer to memory_store"),
        ("garbage", "hangs: no answer to memory_store"),
        ("text", "the answer is no JSON object: 'no JSON at all'"),
        ("die", "process ended|connection failed"),
        ("full", "database or disk is full"),
        ("fallback", "memory file is damaged"),
    ],
)
def test_a_server_that_fails_is_left_and_taken_up_again(tmp_path, fake, word, why):
    fake.store("before", 1)
    mode(fake, word)
    begin = time.monotonic()
    with pytest.warns(CoordinationWarning, match=why) as said:
        store_and_read(fake, range(5))
    assert len(said) == 1
    assert time.monotonic() - begin < 10  # one timeout, not one for each call
    (fake.client.folder.scratch / "mode").unlink(missing_ok=True)
    fake.store("later", 5)
    assert fake.deliver(20) == 0
    eventually(lambda: fake.client.state == "up")
    for key, value in [("before", 1), ("later", 5), *((f"k/{i}", i) for i in range(5))]:
        assert fake.retrieve(key) == value
        assert json.loads(on_server(tmp_path, key).removeprefix("j1:"))["v"] == value


def test_a_damaged_memory_is_set_aside_and_filled_again(tmp_path, opened):
    store = opened(ClaudeFlowStore(tmp_path, command=FAKE))
    store.store("a", 1, tags=["t"])
    store.store("b", 2)
    store.delete("b")
    store.close()
    database = store.client.folder.database
    for path in database.parent.iterdir():
        path.unlink()
    database.write_bytes(b"this is no database" * 500)
    store = opened(ClaudeFlowStore(tmp_path, command=FAKE))
    assert store.deliver(20) == 0
    assert '"v": 1' in on_server(tmp_path, "a")
    assert on_server(tmp_path, "b") is None
    assert len(list(database.parent.glob("*.damaged-*"))) == 1


def test_what_the_server_lost_is_written_there_again(tmp_path, fake):
    fake.store("a", 1)
    fake.client.call("memory_delete", {"key": "a", "namespace": "default"})
    assert fake.retrieve("a") == 1
    assert fake.deliver(20) == 0
    assert '"v": 1' in on_server(tmp_path, "a")


def test_the_ledger_and_its_lock(fake):
    policy = fake.client.folder.scratch / ".claude-flow" / "policy"
    for i in range(100):
        fake.client.call("memory_list", {"limit": i + 1})
    assert len((policy / "state.json").read_text().splitlines()) <= 17
    (policy / "state.lock").write_text('{"pid": 999999}')
    begin = time.monotonic()
    fake.client.call("memory_list")
    assert time.monotonic() - begin < 1
    (policy / "state.json").write_text("damaged")
    fake.client.call("memory_list")
    assert fake.client.starts == 1


def test_no_command_and_no_extra(tmp_path, monkeypatch, opened):
    client = opened(ClaudeFlowClient(tmp_path, command="/no/such/command"))
    with pytest.raises(ServerUnavailableError, match="no command '/no/such/command'"):
        client.start()
    client = opened(
        fake_client(tmp_path / "b", command=["/bin/sh", "-c", "echo broken >&2; exit 3"])
    )
    with pytest.raises(ServerUnavailableError, match="did not start.*broken"):
        client.start()
    with pytest.raises(ValueError, match="command is"):
        find_server([], tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "mcp", None)
    with pytest.raises(ImportError):
        ClaudeFlowClient(tmp_path)


@pytest.mark.parametrize("folder", ["/", "~"])
def test_folders_that_the_server_would_ignore(folder):
    with pytest.raises(ValueError, match="folder is"):
        ServerFolder(os.path.expanduser(folder))


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        ("claude-flow 2.0.0-alpha.59", r"Claude Flow 2.0.0-alpha.59, but .*claude-flow@3.43.0"),
        ("ruflo 4.0.0", r"Claude Flow 4.0.0, but mlestar works with 3.x"),
        ("other 1.0", r"the server is 'other' 1.0, but must be Claude Flow 3.x"),
    ],
)
def test_servers_of_another_version_are_refused(tmp_path, opened, monkeypatch, identity, words):
    monkeypatch.setenv("FAKE_SERVER", identity)
    client = opened(fake_client(tmp_path))
    with pytest.raises(ServerVersionError, match=words):
        client.start()
    assert client.state == "failed"
    with pytest.warns(CoordinationWarning, match=words):
        store = opened(ClaudeFlowStore(tmp_path / "s", command=FAKE))
    store.store("k", 1)
    assert store.retrieve("k") == 1


def test_an_install_is_found_and_its_version_read(tmp_path, monkeypatch):
    package = tmp_path / "node_modules" / "claude-flow"
    (package / "bin").mkdir(parents=True)
    (package / "bin" / "cli.js").write_text("")
    (package / "package.json").write_text('{"version": "3.5.0"}')
    node = tmp_path / "path" / "node"
    node.parent.mkdir()
    node.write_text("#!/bin/sh\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(node.parent))
    monkeypatch.delenv(COMMAND_VARIABLE, raising=False)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for command in (None, str(tmp_path), str(package), str(package / "bin" / "cli.js")):
        found = find_server(command, tmp_path / "deep" / "er")
        assert found.argv == (str(node), str(package / "bin" / "cli.js"), "mcp", "start")
        assert found.version == "3.5.0"
    monkeypatch.setenv(COMMAND_VARIABLE, "/bin/sh -c 'exit 1'")
    assert find_server(None, tmp_path).argv == ("/bin/sh", "-c", "exit 1", "mcp", "start")
    monkeypatch.delenv(COMMAND_VARIABLE)
    (package / "package.json").write_text('{"version": "2.7.47"}')
    with pytest.raises(ServerVersionError, match=r"2.7.47.*npm install claude-flow@3.43.0"):
        find_server(None, tmp_path)
    (package / "package.json").write_text("{")
    with pytest.raises(ServerUnavailableError, match="damaged"):
        find_server(None, tmp_path)


# Ways of use


def test_calls_from_threads_loops_and_after_the_end(tmp_path, fake):
    client = fake.client
    with pytest.raises(ToolError, match="no tool nothing"):
        client.call("nothing")
    assert client.state == "up"

    async def many():
        calls = [client.acall("memory_store", {"key": f"a{i}", "value": "x"}) for i in range(20)]
        answers = await asyncio.gather(*calls)
        return answers, await client.ahealth()

    answers, health = asyncio.run(many())
    assert all(answer["success"] for answer in answers)
    assert health["state"] == "up"
    assert health["ping_ms"] < 2_000
    environment = client.call("environment")
    assert environment["CLAUDE_FLOW_CWD"] == str(tmp_path.resolve())
    assert environment["RUFLO_DAEMON_AUTOSTART"] == "0"
    fake.close()
    client.close()
    with pytest.raises(ServerUnavailableError, match="closed"):
        client.call("memory_list")
    with pytest.raises(ServerUnavailableError, match="closed"):
        client.start()
    assert client.folder.pid() is None


def test_asyncio_opens_and_closes(tmp_path):
    async def use():
        async with fake_client(tmp_path) as client:
            return await client.acall("memory_stats")

    assert asyncio.run(use()) == {"namespaces": {}}


def test_a_slow_tool_has_its_own_time(fake):
    assert fake.client.call("slow", {"seconds": 0.2})["success"]
    begin = time.monotonic()
    with pytest.raises(ServerUnavailableError, match="slow"):
        fake.client.call("slow", {"seconds": 30}, timeout=0.2)
    assert time.monotonic() - begin < 5


def test_one_server_a_folder_and_the_next_process_takes_over(tmp_path, opened):
    first = opened(ClaudeFlowStore(tmp_path, command=FAKE, poll=0.05))
    second = opened(ClaudeFlowStore(tmp_path, command=FAKE, poll=0.05))
    assert (first.client.state, second.client.state) == ("up", "waiting")
    with pytest.raises(ServerUnavailableError, match=f"process {os.getpid()} owns"):
        second.client.call("memory_list")
    second.store("k", 1)
    eventually(lambda: on_server(tmp_path, "k") is not None)
    pid = first.client.folder.pid()
    first.close()
    eventually(lambda: second.client.state == "up")
    assert second.client.folder.pid() not in (None, pid)
    second.store("l", 2)
    assert '"v": 2' in on_server(tmp_path, "l")


def test_what_others_write_is_found_and_what_they_delete_is_gone(tmp_path, opened):
    # Nothing here is about a slow server, and a busy machine is one.
    client = opened(fake_client(tmp_path, timeout=20.0))
    fake = opened(ClaudeFlowStore(tmp_path, client=client, timeout=20.0, poll=0.05))
    call = client.call
    call("memory_store", {"key": "hers", "value": {"a": [1]}, "namespace": "n", "tags": ["t"]})
    assert fake.retrieve("hers", namespace="n") == {"a": [1]}
    assert fake.search(namespace="n", tags=["t"]) == [("hers", {"a": [1]})]
    call("memory_store", {"key": "odd key: x", "value": "v", "namespace": "n"})
    assert fake.list(namespace="n") == ["hers"]
    assert not fake.store_once("hers", 2, namespace="n")
    time.sleep(0.01)
    call("memory_store", {"key": "hers", "value": "j1:{", "namespace": "n"})
    assert fake.retrieve("hers", namespace="n") == "j1:{"
    call("memory_delete", {"key": "hers", "namespace": "n"})
    assert fake.list(namespace="n") == []
    assert fake.deliver(5) == 0
    fake.store("ours", 1, namespace="n")
    time.sleep(0.01)
    call("memory_store", {"key": "ours", "value": "theirs now", "namespace": "n"})
    assert fake.retrieve("ours", namespace="n") == "theirs now"
    with pytest.raises(ValueError, match="pieces"):
        fake.store("k", 1, namespace="mlestar-parts")


def test_another_folders_store_reads_long_values_from_the_server_alone(tmp_path, fake, opened):
    value = ["é" * 100_000] * 8
    fake.store("long", value, tags=["t"])
    lost = fake.local.path.with_name("other.db")
    fake.close()
    fake.client.close()
    local = opened(EmbeddedStore(lost))
    again = opened(ClaudeFlowStore(tmp_path, command=FAKE, local=local))
    assert again.search(tags=["t"]) == [("long", value)]


def test_a_journal_is_the_outbox(tmp_path, opened):
    journal = opened(Journal(tmp_path / "journal.db"))
    journal.append([Event("trial", "7")], {"trial-7": {"score": 0.5}}, "run", send=True)
    store = opened(ClaudeFlowStore(tmp_path, local=journal, command=FAKE))
    assert store.deliver(20) == 0
    assert '"score": 0.5' in on_server(tmp_path, "trial-7", "run")
    assert store.retrieve("trial-7", namespace="run") == {"score": 0.5}


def test_a_server_orphaned_by_a_killed_owner_is_ended(tmp_path):
    folder = ServerFolder(tmp_path)
    assert folder.take()
    import subprocess

    command = find_server([*FAKE], tmp_path)
    folder.prepare()
    process = subprocess.Popen(
        folder.wrapped(command), cwd=folder.scratch, env=folder.environment(), stdin=subprocess.PIPE
    )
    eventually(lambda: folder.pid() == process.pid)
    assert not ServerFolder(tmp_path).take()
    folder.prepare()
    assert process.wait(10) == -signal.SIGKILL
    process.stdin.close()
    (folder.scratch / "server.pid").write_text(str(os.getpid()))  # a number used again
    folder.kill()
    folder.give()


# The real server


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    store = ClaudeFlowStore(tmp_path_factory.mktemp("real"), command=real_server(), timeout=5)
    yield store
    store.close()


def test_the_real_server_killed_while_threads_store(real):
    done = []

    def write(worker):
        for i in range(40):
            real.store(f"w{worker}/{i}", [worker, i], namespace="kill")
            done.append((worker, i))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CoordinationWarning)
        threads = [threading.Thread(target=write, args=(w,)) for w in range(3)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(done) > 25)
        os.kill(real.client.folder.pid(), signal.SIGKILL)
        for thread in threads:
            thread.join()
    assert len(done) == 120
    assert real.deliver(30) == 0
    for worker, i in done:  # from the server itself
        answer = real.client.call(
            "memory_retrieve", {"key": f"w{worker}/{i}", "namespace": "kill"}, timeout=30
        )
        assert json.loads(answer["value"].removeprefix("j1:"))["v"] == [worker, i]


def test_the_real_servers_ledger_of_2000_calls_costs_nothing(real):
    policy = real.client.folder.scratch / ".claude-flow" / "policy"
    real.client.call("memory_list")
    ledger = json.loads((policy / "state.json").read_text())
    receipts = max(
        (n for n, v in ledger.items() if isinstance(v, list)), key=lambda n: len(ledger[n])
    )
    one = ledger[receipts][-1]
    ledger[receipts] = [one] * 2_000
    (policy / "state.json").write_text(json.dumps(ledger))  # not even a sound chain
    (policy / "state.lock").write_text('{"pid": 999999}')
    for i in range(45):
        real.store(f"l/{i}", i, namespace="ledger")
    assert (policy / "state.json").stat().st_size < 200_000
    assert real.client.state == "up"
    (policy / "state.json").write_text("damaged")
    real.store("after", 1, namespace="ledger")
    assert real.client.call("memory_retrieve", {"key": "after", "namespace": "ledger"})["found"]


def test_the_real_server_frozen(real):
    pid = real.client.folder.pid()
    real._timeout = 0.5
    try:
        os.kill(pid, signal.SIGSTOP)
        with pytest.warns(CoordinationWarning, match="hangs|no answer|busy"):
            real.store("frozen", 1)
        assert real.retrieve("frozen") == 1
    finally:
        real._timeout = 5.0
    eventually(lambda: real.client.state == "up", 60)
    assert real.client.folder.pid() != pid
    assert real.deliver(30) == 0
    assert real.client.call("memory_retrieve", {"key": "frozen"}, timeout=30)["found"]


def test_the_real_servers_side_files_stay_out_of_the_users_folder(real):
    found = {path.name for path in real.client.folder.path.iterdir()}
    assert {".swarm", ".mlestar-claude-flow"} <= found
    assert ".claude-flow" not in found
