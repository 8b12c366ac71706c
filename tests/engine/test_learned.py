"""Runs that start from other runs' patterns and leave their own."""

import json

import pytest

pytest.importorskip("pandas")
for needed in ("optuna", "lightgbm", "skops", "pebble", "matplotlib"):
    pytest.importorskip(needed)

import mlestar  # noqa: E402
from mlestar.agents import EvaluationAgent, RunState, SearchAgent  # noqa: E402
from mlestar.cli import main  # noqa: E402
from mlestar.config import MLConfig  # noqa: E402
from mlestar.coordination import EmbeddedStore, Journal  # noqa: E402
from mlestar.engine import resume  # noqa: E402
from mlestar.engine.data import load_table  # noqa: E402
from mlestar.engine.learned import keep_pattern  # noqa: E402
from mlestar.engine.prepare import prepare  # noqa: E402
from mlestar.exceptions import CoordinationWarning, RunFolderError  # noqa: E402
from mlestar.pipeline import PipelineSpec  # noqa: E402
from mlestar.search import Pattern, PatternMemory  # noqa: E402

FAMILIES = ["linear", "k_nearest_neighbors"]
TIMING = ("fit_seconds", "wall_time")


def settings(file, **training):
    return {
        "training_params": {"families": FAMILIES, **training},
        "coordination_config": {"patterns": None if file is None else str(file)},
    }


def board(run):
    return [{k: v for k, v in row.items() if k not in TIMING} for row in run.leaderboard]


def pipelines(run):
    return [trial.spec.key for trial in run._state.trials]


def remember(file, table="other", name="<i>other</i>", **values):
    """A pattern of another table, whose best pipeline is one that no run would begin with."""
    features = load_features(file.parent)
    results = [
        (
            PipelineSpec(
                "k_nearest_neighbors", "median", "ordinal", "quantile", {"n_neighbors": 7}
            ),
            1.0,
        ),
        (PipelineSpec("linear", "median", "ordinal", "standard", {"alpha": 33.0}), 1.2),
        (PipelineSpec("linear", "median", "ordinal", "standard", {"alpha": 1.0}), 3.0),
        (PipelineSpec("linear", "median", "ordinal", "standard", {"alpha": 5.0}), 3.5),
        (
            PipelineSpec(
                "k_nearest_neighbors", "median", "ordinal", "standard", {"n_neighbors": 25}
            ),
            4.0,
        ),
    ]
    store = EmbeddedStore(file)
    PatternMemory(store).keep(Pattern.of(table, name, "binary", "roc_auc", features, results))
    store.close()
    return [spec.key for spec, _ in results[:2]]


def load_features(folder):
    """Meta-features as a run has them."""
    config = MLConfig.from_dict(settings(folder / "unused.db", fits=10))
    run = prepare(load_table("iris"), config, folder / "unused")
    journal = Journal(run / "journal.db")
    found = journal.events()[0].payload["patterns"]["features"]
    journal.close()
    return found


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A run that found a pattern and left its own."""
    folder = tmp_path_factory.mktemp("learned")
    expected = remember(folder / "patterns.db")
    run = mlestar.run("iris", fits=20, out=folder / "run", config=settings(folder / "patterns.db"))
    return folder, expected, run


def test_a_run_starts_with_its_neighbours_winners_and_leaves_its_own(learned):
    folder, expected, run = learned
    assert pipelines(run)[:2] == expected
    store = EmbeddedStore(folder / "patterns.db")
    known = PatternMemory(store).recall("multiclass")
    store.close()
    (mine,) = [pattern for pattern in known if pattern.name == "iris"]
    assert mine.trials[0][1] == 1.0
    assert mine.trials[0][0].key == run._state.best().spec.key
    assert run._state.pattern["key"] == mine.key


def test_the_report_says_where_the_run_started_and_escapes_names(learned):
    _, _, run = learned
    page = run.report.read_text()
    assert "<h2>Patterns</h2>" in page
    assert "&lt;i&gt;other&lt;/i&gt;" in page
    assert "<i>other" not in page
    assert "n_neighbors 7" in page


def test_replay_needs_nothing_but_the_journal(learned):
    """Fresh agents, given the events one by one, propose and judge what was proposed and judged."""
    _, _, run = learned
    journal = Journal(run.folder / "journal.db")
    events = journal.events()
    journal.close()
    for kind, agent in (("trial.proposed", SearchAgent()), ("trial.evaluated", EvaluationAgent())):
        said = {}
        for event in events:
            for answer in agent.step([event]):
                said.setdefault((answer.kind, answer.key), answer.payload)
        for event in events:
            if event.kind == kind:
                assert said[event.kind, event.key] == event.payload


def test_what_a_run_started_from_stays_though_the_memory_changes(learned, tmp_path):
    """The memory learns and is then lost between a run's start and its resumption."""
    _, _, run = learned
    file = tmp_path / "patterns.db"
    remember(file)
    config = MLConfig.from_dict(settings(file, fits=20))
    out = prepare(load_table("iris"), config, tmp_path / "run")
    for path in tmp_path.glob("patterns.db*"):
        path.unlink()
    again = resume(out, workers=1)
    assert board(again) == board(run)
    assert again.weights == run.weights
    store = EmbeddedStore(file)
    assert [p.name for p in PatternMemory(store).recall("multiclass")] == ["iris"]
    store.close()


def test_the_same_run_again_adds_nothing_and_is_its_own_neighbour(learned, tmp_path):
    folder, _, run = learned
    state = run._state
    keep_pattern(state)
    store = EmbeddedStore(folder / "patterns.db")
    known = PatternMemory(store).recall("multiclass")
    store.close()
    assert len([p for p in known if p.name == "iris"]) == 1
    config = MLConfig.from_dict(settings(folder / "patterns.db", fits=20))
    out = prepare(load_table("iris"), config, tmp_path / "run")
    journal = Journal(out / "journal.db")
    found = journal.events()[0].payload["patterns"]
    journal.close()
    assert found["known"] == len(known)
    nearest = {n["name"]: n["distance"] for n in found["neighbors"]}
    assert nearest["iris"] == 0.0


def test_without_a_file_nothing_is_looked_up_or_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = MLConfig.from_dict(settings(None, fits=20))
    out = prepare(load_table("iris"), config, tmp_path / "run")
    journal = Journal(out / "journal.db")
    state = RunState()
    state.apply(journal.events()[0])
    journal.close()
    assert "patterns" not in state.manifest
    assert state.portfolio() == state.space().portfolio()
    assert keep_pattern(state) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_a_run_against_the_clock_has_something_quick_first(tmp_path):
    expected = remember(tmp_path / "patterns.db")
    config = MLConfig.from_dict(settings(tmp_path / "patterns.db", seconds=60.0))
    out = prepare(load_table("iris"), config, tmp_path / "run")
    journal = Journal(out / "journal.db")
    state = RunState()
    state.apply(journal.events()[0])
    journal.close()
    keys = [spec.key for spec in state.portfolio()]
    usual = [spec.key for spec in state.space().portfolio()]
    assert keys[:3] == [usual[0], *expected]
    assert sorted(keys) == sorted({*usual, *expected})


def test_a_file_that_is_no_store_is_refused_before_anything_is_written(tmp_path):
    file = tmp_path / "patterns.db"
    file.write_text("a table, perhaps")
    with pytest.raises(RunFolderError, match=r"patterns\.db cannot be used as a store"):
        mlestar.run("iris", fits=20, out=tmp_path / "run", config=settings(file))
    assert not (tmp_path / "run").exists()
    assert file.read_text() == "a table, perhaps"


def test_a_folder_that_cannot_be_made_is_an_error_of_the_run(tmp_path):
    (tmp_path / "file").write_text("no folder")
    patterns = settings(tmp_path / "file" / "deep" / "patterns.db")
    with pytest.raises(RunFolderError, match="cannot be the folder of patterns"):
        mlestar.run("iris", fits=20, out=tmp_path / "run", config=patterns)
    assert not (tmp_path / "run").exists()


def test_a_memory_that_cannot_be_written_does_not_cost_the_run(learned, tmp_path):
    *_, run = learned
    state = RunState()
    for event in Journal(run.folder / "journal.db").events():
        state.apply(event)
    file = tmp_path / "patterns.db"
    file.write_text("spoiled meanwhile")
    state.manifest["patterns"]["file"] = str(file)
    with pytest.warns(CoordinationWarning, match="the run's pattern is not kept"):
        assert keep_pattern(state) is None


def test_the_command_line_chooses_and_switches_off(tmp_path, capsys, monkeypatch):
    seen = []

    def stop(data, target, *, config, **rest):
        seen.append(config.coordination_config.patterns)
        raise RunFolderError("enough")

    monkeypatch.setattr("mlestar.engine.runs.run", stop)
    file = tmp_path / "config.json"
    file.write_text(json.dumps(settings("from-config.db")))
    for words, expected in (
        ([], None),
        (["--patterns", "p.db"], "p.db"),
        (["--config", str(file)], "from-config.db"),
        (["--config", str(file), "--patterns", "p.db"], "p.db"),
        (["--config", str(file), "--no-patterns"], None),
    ):
        assert main(["run", "--data", "iris", *words]) == 2
        assert seen.pop() == expected
    with pytest.raises(SystemExit):
        main(["run", "--data", "iris", "--patterns", "p.db", "--no-patterns"])
    assert "not allowed with" in capsys.readouterr().err
