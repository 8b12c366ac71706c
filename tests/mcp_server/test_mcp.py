"""The server of tools: through the official client in this process, and over a pipe that is cut."""

import asyncio
import json
import os
import signal
import sys
import time

import numpy as np
import pytest

pandas = pytest.importorskip("pandas")
for needed in ("optuna", "lightgbm", "skops", "pebble", "matplotlib", "mcp"):
    pytest.importorskip(needed)

from mcp import Client, StdioServerParameters  # noqa: E402

import mlestar  # noqa: E402
from mlestar.cli import main  # noqa: E402
from mlestar.mcp import Folders, Limits, RunKeeper, Toolbox  # noqa: E402
from mlestar.mcp.server import make_server  # noqa: E402

FAST = {"training_params": {"families": ["linear", "k_nearest_neighbors"]}}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A folder with a table, and one with a finished run."""
    top = tmp_path_factory.mktemp("places")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    frame = pandas.DataFrame(x, columns=["strong", "weak", "none"])
    frame["colour"] = rng.choice(["red", "blue"], 120)
    frame["target"] = np.where(
        2 * x[:, 0] + 0.5 * x[:, 1] + rng.normal(0, 0.5, 120) > 0, "yes", "no"
    )
    (top / "data").mkdir()
    frame.to_csv(top / "data" / "table.csv", index=False)
    (top / "secret.csv").write_text("a,target\n1,2\n")
    (top / "data" / "link.csv").symlink_to(top / "secret.csv")
    data = top / "data" / "table.csv"
    mlestar.run(data, fits=50, out=top / "runs" / "done", config=FAST)
    mlestar.run(
        data,
        fits=10,
        out=top / "runs" / "other",
        config={"training_params": {"families": ["linear"]}},
    )
    mlestar.run("iris", fits=10, out=top / "runs" / "iris", config=FAST)
    return top


@pytest.fixture
def toolbox(places):
    folders = Folders([places / "data"], places / "runs")
    return Toolbox(folders, RunKeeper(folders, Limits(seconds=60, fits=20)))


def talk(server, *calls):
    """Answers to calls of tools: what they gave, or the words of the error."""

    async def ask():
        async with Client(server) as client:
            answers = []
            for name, arguments in calls:
                answer = await client.call_tool(name, arguments)
                text = answer.content[0].text
                answers.append(text if answer.is_error else json.loads(text))
            return answers

    return asyncio.run(ask())


def test_the_tools_are_named_and_described(toolbox):
    async def ask():
        async with Client(make_server(toolbox)) as client:
            return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in asyncio.run(ask())}
    assert set(tools) == {
        "ablation",
        "compare_models",
        "explain",
        "leaderboard",
        "list_runs",
        "poll_run",
        "predict",
        "resume_run",
        "start_run",
        "stop_run",
        "validate_table",
    }
    assert all(tool.description for tool in tools.values())
    assert tools["leaderboard"].annotations.read_only_hint
    assert not tools["start_run"].annotations.read_only_hint
    assert tools["start_run"].input_schema["required"] == ["data"]


def test_a_finished_run_is_read(toolbox):
    valid, runs, poll, board, ablation, explained, predicted, compared = talk(
        make_server(toolbox),
        ("validate_table", {"data": "table.csv"}),
        ("list_runs", {}),
        ("poll_run", {"run": "done"}),
        ("leaderboard", {"run": "done", "limit": 3}),
        ("ablation", {"run": "done"}),
        ("explain", {"run": "done"}),
        ("predict", {"run": "done", "data": "table.csv", "offset": 100, "limit": 50}),
        ("compare_models", {"run": "done", "first": 0, "second": 1, "other_run": "other"}),
    )
    assert (valid["rows"], valid["task"], valid["classes"]) == (120, "binary", ["no", "yes"])
    assert {"name": "colour", "kind": "category"} in valid["columns"]
    assert runs["runs"] == ["done", "iris", "other"]
    assert (poll["state"], poll["trials"], poll["metric"]) == ("finished", 10, "roc_auc")
    assert [row["rank"] for row in board["rows"]] == [1, 2, 3]
    assert board["trials"] == 10
    assert ablation["rounds"][0]["round"] == 0
    importances = {row["column"]: row["importance"] for row in explained["importances"]}
    assert next(iter(importances)) == "strong"
    assert importances["strong"] > 0.1 > abs(importances["none"])
    assert sum(member["weight"] for member in explained["members"]) == pytest.approx(1)
    assert predicted["rows"] == 120
    assert len(predicted["predictions"]) == len(predicted["probabilities"]) == 20
    assert set(predicted["predictions"]) <= {"no", "yes"}
    assert compared["first"] == board_score(toolbox, "done", 0)
    assert compared["better"] in ("first", "second", None)
    assert 0 <= compared["p_value"] <= 1


def board_score(toolbox, run, trial):
    rows = toolbox.leaderboard(run)["rows"]
    return next(row["score"] for row in rows if row["trial"] == trial)


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("validate_table", {"data": "../secret.csv"}, "no file of the allowed folders"),
        ("validate_table", {"data": "link.csv"}, "no file of the allowed folders"),
        ("validate_table", {"data": "/etc/hostname"}, "no file of the allowed folders"),
        ("validate_table", {"data": "table.csv", "target": "colur"}, "did you mean 'colour'"),
        ("start_run", {"data": "table.csv", "seconds": 61}, "at most 60"),
        ("start_run", {"data": "table.csv", "seconds": -1}, "must be positive"),
        ("start_run", {"data": "table.csv", "fits": 21}, "at most 20"),
        ("start_run", {"data": "table.csv", "fits": "many"}, "fits"),
        ("start_run", {"data": "absent.csv"}, "no file of the allowed folders"),
        ("poll_run", {"run": "absent"}, "there is no run 'absent'"),
        ("poll_run", {"run": "../data"}, "letters, digits"),
        ("leaderboard", {"run": "done/../../data"}, "letters, digits"),
        ("leaderboard", {"run": "done", "limit": 0}, "limit is 0"),
        ("predict", {"run": "done", "data": "/etc/passwd"}, "no file of the allowed folders"),
        ("predict", {"run": "done", "data": "table.csv", "offset": -1}, "offset is -1"),
        ("predict", {"run": "iris", "data": "table.csv"}, "lacks columns"),
        ("resume_run", {"run": "done"}, "finished, but must be stopped"),
        ("compare_models", {"run": "done", "first": 0, "second": 99}, "trial 99 has no scores"),
        (
            "compare_models",
            {"run": "done", "first": 0, "second": 0, "other_run": "iris"},
            "differ in X",
        ),
    ],
)
def test_bad_input_is_words_and_changes_nothing(toolbox, places, tool, arguments, words):
    before = sorted(p.name for p in (places / "runs").iterdir())
    (answer,) = talk(make_server(toolbox), (tool, arguments))
    assert words in answer
    assert sorted(p.name for p in (places / "runs").iterdir()) == before


def until(toolbox, run, *states, seconds=90):
    end = time.monotonic() + seconds
    while (found := toolbox.poll_run(run))["state"] not in states:
        assert time.monotonic() < end, found
        time.sleep(0.1)
    return found


def test_a_client_that_is_cut_off_loses_nothing(places):
    """The server and its client are killed; another server sees the run to its end."""
    arguments = ["-m", "mlestar", "mcp", "--folder", str(places / "data")]
    arguments += ["--runs", str(places / "runs"), "--max-seconds", "120"]
    parameters = StdioServerParameters(
        command=sys.executable, args=arguments, env={**os.environ, "PYTHONWARNINGS": "ignore"}
    )
    started, busy = talk(
        parameters,
        ("start_run", {"data": "table.csv", "fits": 10, "seed": 2}),
        ("start_run", {"data": "table.csv", "fits": 25}),
    )
    assert "all there may be" in busy
    folders = Folders([places / "data"], places / "runs")
    toolbox = Toolbox(folders, RunKeeper(folders, Limits()))
    found = until(toolbox, started["run"], "finished")
    assert (found["trials"], found["search_ended_by"]) == (2, "fits")
    assert started["run"] in toolbox.list_runs()["runs"]
    assert not toolbox.stop_run(started["run"])["asked"]


def test_a_run_is_stopped_killed_and_resumed(places):
    folders = Folders([places / "data"], places / "runs")
    keeper = RunKeeper(folders, Limits(seconds=100))
    toolbox = Toolbox(folders, keeper)
    run = toolbox.start_run("table.csv", fits=2000)["run"]
    while toolbox.poll_run(run).get("settled", 0) < 2:
        time.sleep(0.1)
    os.killpg(keeper._record(run)["pid"], signal.SIGKILL)
    until(toolbox, run, "stopped")
    toolbox.resume_run(run)
    until(toolbox, run, "running")
    settled = toolbox.poll_run(run)["settled"]
    while toolbox.poll_run(run)["settled"] <= settled:
        time.sleep(0.1)
    assert toolbox.stop_run(run)["asked"]
    found = until(toolbox, run, "finished")
    assert found["search_ended_by"] == "interrupted"
    assert toolbox.predict(run, "table.csv", limit=5)["predictions"]


def test_a_run_that_cannot_begin_says_why(places):
    folders = Folders([places / "data"], places / "runs")
    toolbox = Toolbox(folders, RunKeeper(folders, Limits()))
    run = toolbox.start_run("table.csv", metric="nonsense", fits=10)["run"]
    assert "evaluation_config.metric" in until(toolbox, run, "failed")["said"]


def test_a_process_that_only_has_the_runs_number_is_let_alone(places):
    folders = Folders([places / "data"], places / "runs")
    keeper = RunKeeper(folders, Limits())
    record = {"pid": os.getpid(), "started": "1", "end": 0.0}
    (places / "runs" / ".mlestar-mcp" / "done.json").write_text(json.dumps(record))
    assert keeper.look("done")["state"] == "finished"
    assert not keeper.stop("done")  # and this process lives
    (places / "runs" / ".mlestar-mcp" / "done.json").unlink()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--folder", "absent"], "which is no folder"),
        (["--max-seconds", "-1"], "seconds is -1"),
        (["--max-runs", "0"], "runs is 0"),
    ],
)
def test_the_command_names_bad_options(options, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["mcp", *options]) == 2
    assert words in capsys.readouterr().err
