"""A run shown in Claude Flow: the real server where it is installed, and a fake one that fails."""

import json
import os
import shlex
import signal
import subprocess
import threading
import time

import pytest

pytest.importorskip("pandas")
for needed in ("optuna", "lightgbm", "skops", "pebble", "matplotlib", "mcp"):
    pytest.importorskip(needed)

import mlestar  # noqa: E402
from coordination.claude_flow_servers import FAKE, real_server  # noqa: E402
from mlestar.cli import main  # noqa: E402
from mlestar.coordination import EmbeddedStore  # noqa: E402
from mlestar.coordination.claude_flow.server import COMMAND_VARIABLE, ServerFolder  # noqa: E402
from mlestar.engine import resume  # noqa: E402
from mlestar.exceptions import ConfigError, CoordinationWarning  # noqa: E402

TIMING = ("fit_seconds", "wall_time")
FAKE_COMMAND = shlex.join(FAKE)


def config(command):
    return {
        "training_params": {"families": ["linear", "k_nearest_neighbors"]},
        "coordination_config": {"backend": "claude-flow", "command": command},
    }


def board(run):
    return [{k: v for k, v in row.items() if k not in TIMING} for row in run.leaderboard]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The run that nobody watches."""
    settings = {"training_params": config("")["training_params"]}
    out = tmp_path_factory.mktemp("run") / "reference"
    return mlestar.run("breast_cancer", fits=50, seed=3, out=out, config=settings)


def kill_half_way(folder, killed):
    """Kill the server's process once half of the trials are settled."""
    server = ServerFolder(folder)
    for _ in range(600):
        time.sleep(0.02)
        path = folder / "mlestar-memory.db"
        if not path.exists() or server.pid() is None:
            continue
        store = EmbeddedStore(path)
        names = [name for name in store.namespaces() if name.startswith("mlestar-")]
        settled = sum(len(store.list(namespace=n, prefix="trial/")) for n in names)
        store.close()
        pid = server.pid()
        if settled >= 4 and pid is not None:
            os.kill(pid, signal.SIGKILL)
            killed.append(settled)
            return


def test_the_real_server_killed_half_way_changes_nothing(reference, tmp_path):
    """And afterwards its own commands show the swarm, its agents, tasks and memories."""
    command = real_server()
    folder, killed = tmp_path / "run", []
    folder.mkdir()
    killer = threading.Thread(target=kill_half_way, args=(folder, killed))
    killer.start()
    with pytest.warns(CoordinationWarning, match="Claude Flow is away"):
        run = mlestar.run(
            "breast_cancer", fits=50, seed=3, out=folder, config=config(shlex.join(command))
        )
    killer.join()
    assert 0 < killed[0] < 10
    assert board(run) == board(reference)
    assert run.weights == reference.weights
    assert "coordination" in run.report.read_text()

    def shown(*words):
        arguments = [*command, *words]
        environment = {**os.environ, "RUFLO_DAEMON_AUTOSTART": "0"}
        done = subprocess.run(
            arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
        )
        return done.stdout + done.stderr

    swarms = json.loads((folder / ".claude-flow/swarm/swarm-state.json").read_text())["swarms"]
    ((swarm_id, swarm),) = swarms.items()
    assert swarm["status"] == "terminated"
    assert swarm_id in shown("swarm", "status", swarm_id)
    agents = shown("agent", "list")
    for role in ("search", "training", "evaluation", "ensemble"):
        assert role in agents
    tasks = shown("task", "list", "--status", "completed")
    assert "Showing 12 of 12" in tasks  # 10 trials, one analysis, one ensemble
    memories = shown("memory", "list", "--path", ".swarm/agentdb-memory.db", "--limit", "100")
    for key in ("run", "swarm", "trial/000009", "analysis/0000", "ensemble", "result", "metrics"):
        assert f"| {key} " in memories


def test_a_run_without_a_server_is_told_when_it_is_resumed(reference, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(COMMAND_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "run"
    with pytest.warns(CoordinationWarning, match="not installed") as said:
        run = mlestar.run("breast_cancer", fits=50, seed=3, out=out, config=config(None))
    assert len(said) == 1
    assert board(run) == board(reference)
    monkeypatch.setenv(COMMAND_VARIABLE, FAKE_COMMAND)
    assert resume(out).finished
    found = json.loads((out / "fake-records.json").read_text())
    assert len(found["tasks"]) == 12
    assert {task["status"] for task in found["tasks"].values()} == {"completed"}
    assert [swarm["status"] for swarm in found["swarms"].values()] == ["terminated"]
    memory = EmbeddedStore(out / "mlestar-memory.db")
    assert memory.waiting() == 0
    memory.close()
    (out / "fake-records.json").unlink()
    resume(out)
    assert not (out / "fake-records.json").exists()  # once is enough


@pytest.mark.parametrize("mode", ["hang", "full"])
def test_a_server_that_fails_changes_nothing_and_keeps_nobody_waiting(tmp_path, mode):
    out = tmp_path / "run"
    scratch = ServerFolder(out).scratch
    scratch.mkdir(parents=True)
    shared = config(FAKE_COMMAND)
    shared["coordination_config"]["folder"] = str(out)
    spoil = threading.Timer(0.8, lambda: (scratch / "mode").write_text(mode))
    spoil.start()
    begin = time.monotonic()
    with pytest.warns(CoordinationWarning):
        run = mlestar.run("iris", fits=25, out=tmp_path / "other", config=shared)
    assert run.finished
    assert len(run.leaderboard) == 5
    assert time.monotonic() - begin < 30
    spoil.join()


def test_what_can_never_work_is_refused_before_anything_is_written(tmp_path, capsys, monkeypatch):
    out = tmp_path / "run"
    for command, words in (("/no/such/command", "there is no command"), ("'", "No closing")):
        with pytest.raises(ConfigError, match=words):
            mlestar.run("iris", fits=5, out=out, config=config(command))
    for folder in ("/", "~"):
        settings = config(None)
        settings["coordination_config"]["folder"] = os.path.expanduser(folder)
        with pytest.raises(ConfigError, match="must not be / nor the home folder"):
            mlestar.run("iris", fits=5, out=out, config=settings)
    with pytest.raises(ConfigError, match=r"topology is 'tree', but must be one of"):
        mlestar.run("iris", config={"coordination_config": {"topology": "tree"}})
    package = tmp_path / "old" / "node_modules" / "claude-flow"
    (package / "bin").mkdir(parents=True)
    (package / "bin" / "cli.js").touch()
    (package / "package.json").write_text('{"version": "2.7.1"}')
    monkeypatch.setenv(COMMAND_VARIABLE, str(tmp_path / "old"))
    arguments = ["run", "--data", "iris", "--fits", "5", "--coordination", "claude-flow"]
    assert main([*arguments, "--out", str(out)]) == 2
    assert "npm install claude-flow@3" in capsys.readouterr().err
    assert not out.exists()


def test_what_a_run_learned_is_told_to_the_memory_and_the_pattern_tools(tmp_path):
    settings = config(FAKE_COMMAND)
    settings["coordination_config"]["patterns"] = str(tmp_path / "patterns.db")
    out = tmp_path / "run"
    run = mlestar.run("iris", fits=25, out=out, config=settings)
    kept = run._state.pattern
    memory = EmbeddedStore(out / "mlestar-memory.db")
    assert memory.retrieve(kept["key"], namespace="mlestar-patterns") == kept["pattern"]
    assert memory.waiting() == 0
    memory.close()
    (told,) = json.loads((out / "fake-records.json").read_text())["patterns"]
    assert told["name"] == kept["key"]
    assert told["metadata"] == kept["pattern"]
    assert "iris" in told["content"]
