"""Agents as processes of their own, killed and joined by others: the run is the same."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

pytest.importorskip("pandas")
for needed in ("optuna", "lightgbm", "skops", "pebble", "matplotlib"):
    pytest.importorskip(needed)

import mlestar  # noqa: E402
from mlestar.cli import main  # noqa: E402
from mlestar.coordination import Journal  # noqa: E402
from mlestar.engine import helpers  # noqa: E402
from mlestar.engine.helpers import AgentProcesses  # noqa: E402
from mlestar.exceptions import ConfigError, CoordinationError  # noqa: E402

TIMING = ("fit_seconds", "wall_time")
FAMILIES = {"families": ["linear", "k_nearest_neighbors"]}


def board(run):
    return [{k: v for k, v in row.items() if k not in TIMING} for row in run.leaderboard]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The run with all agents in one process."""
    out = tmp_path_factory.mktemp("run") / "reference"
    return mlestar.run("iris", fits=25, out=out, config={"training_params": FAMILIES})


def config(agents):
    return {"training_params": FAMILIES, "coordination_config": {"agents": agents}}


def kill_agents(folder, killed, done):
    """Kill, now and then, an agent of a run."""
    while not done.is_set():
        time.sleep(0.6)
        found = subprocess.run(
            ["pgrep", "-f", f"mlestar.agents [a-z]+ {folder}"], capture_output=True, text=True
        )
        pids = [int(word) for word in found.stdout.split()]
        if pids and len(killed) < 6:
            pid = pids[len(killed) % len(pids)]
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            killed.append(pid)


@pytest.mark.skipif(shutil.which("pgrep") is None, reason="pgrep is not installed")
def test_any_number_of_agents_killed_in_any_order_gives_the_same_run(reference, tmp_path):
    folder, killed, done = tmp_path / "run", [], threading.Event()
    killer = threading.Thread(target=kill_agents, args=(folder, killed, done))
    killer.start()
    try:
        settings = config("search=1,train=2,evaluate=1,ensemble=1")
        run = mlestar.run("iris", fits=25, out=folder, config=settings)
    finally:
        done.set()
        killer.join()
    assert killed
    assert board(run) == board(reference)
    assert run.weights == reference.weights
    events = Journal(folder / "journal.db").events()
    owners = {e.payload["owner"] for e in events if e.kind == "fit.started"}
    assert owners
    assert "engine" not in owners


def test_an_agent_joins_from_outside(reference, tmp_path):
    folder = tmp_path / "run"
    arguments = ["run", "--data", "iris", "--fits", "25", "--agents", "train=1"]
    arguments += ["--out", str(folder), "--config", str(tmp_path / "c.toml")]
    (tmp_path / "c.toml").write_text(
        '[training_params]\nfamilies = ["linear", "k_nearest_neighbors"]\n'
    )
    command = [sys.executable, "-m", "mlestar"]
    engine = subprocess.Popen([*command, *arguments], stderr=subprocess.DEVNULL)
    try:
        while not (folder / "journal.db").exists():
            time.sleep(0.05)
            assert engine.poll() is None
        joined = [*command, "agent", "train", "--run", str(folder), "--workers", "2"]
        assert subprocess.run(joined, timeout=120).returncode == 0
        assert engine.wait(timeout=60) == 0
    finally:
        engine.kill()
        engine.wait()
    assert board(mlestar.load_run(folder)) == board(reference)
    assert main(["agent", "search", "--run", str(folder)]) == 0  # it is over already


def look_on(agents):
    for _ in range(2000):
        agents.look()
        time.sleep(0.005)


def test_agents_that_cannot_live_are_an_error(reference, tmp_path, monkeypatch):
    monkeypatch.setattr(helpers.sys, "executable", shutil.which("false"))
    monkeypatch.setattr(helpers, "_LOOK_SECONDS", 0.0)
    journal = Journal(tmp_path / "journal.db")
    words = r"agents keep dying.*search.*exit code 1"
    with (
        AgentProcesses(tmp_path, journal, {"search": 1}) as agents,
        pytest.raises(CoordinationError, match=words),
    ):
        look_on(agents)
    journal.close()


@pytest.mark.parametrize(
    "agents", ["searching=1", "search", "train=-1", "train=1,train=2", "train=65"]
)
def test_bad_counts_are_named(agents, tmp_path):
    with pytest.raises(ConfigError, match="coordination_config.agents"):
        mlestar.run("iris", fits=5, out=tmp_path / "run", config=config(agents))
    assert not (tmp_path / "run").exists()


def test_an_agent_without_a_run(tmp_path, capsys):
    assert main(["agent", "train", "--run", str(tmp_path)]) == 2
    assert "there is no journal" in capsys.readouterr().err
    assert main(["agent", "train", "--run", str(tmp_path), "--workers", "0"]) == 2
