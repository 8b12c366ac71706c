"""The bridge to swarm_benchmark: the real package where it is installed, else a stand-in."""

import asyncio
import dataclasses
import json
import os
import sys
import time
from datetime import datetime

import numpy as np
import pytest

from coordination.stand_in_benchmark import make_package
from mlestar.coordination.claude_flow.swarm import AgentRecord, TaskRecord
from mlestar.coordination.swarm_benchmark import (
    Experiment,
    MLPerformanceMetrics,
    MLQualityMetrics,
    StarStrategy,
    agent_from_benchmark,
    agent_to_benchmark,
    from_plain,
    register_strategy,
    result_from_benchmark,
    result_to_benchmark,
    strategy,
    task_from_benchmark,
    task_to_benchmark,
    to_plain,
)
from mlestar.coordination.swarm_benchmark.metrics import PerformanceFields, QualityFields
from mlestar.coordination.swarm_benchmark.package import INSTALL, find_package
from mlestar.exceptions import ConfigError

REAL = find_package()


@pytest.fixture
def package(monkeypatch):
    """swarm_benchmark."""
    if REAL is not None:
        return REAL
    found = make_package()
    for name, module in (("", found), (".strategies", found.strategies), (".core", found.core)):
        monkeypatch.setitem(sys.modules, f"swarm_benchmark{name}", module)
    return found


def only_real():
    if REAL is None:
        pytest.skip(f"swarm_benchmark is not installed: {INSTALL}")
    return REAL


def exact(text):
    """JSON as any reader takes it."""

    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def test_fields_are_those_of_the_real_package():
    models = only_real().core.models
    for ours, theirs, more in (
        (PerformanceFields, models.PerformanceMetrics, MLPerformanceMetrics),
        (QualityFields, models.QualityMetrics, MLQualityMetrics),
    ):
        expected = [(f.name, f.default) for f in dataclasses.fields(theirs)]
        assert [(f.name, f.default) for f in dataclasses.fields(ours)] == expected
        assert [(f.name, f.default) for f in dataclasses.fields(more)][: len(expected)] == expected
        assert issubclass(more, theirs)


def test_importing_the_real_package_leaves_nothing_behind(run_python, tmp_path):
    only_real()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "__init__.py").write_text("raise SystemExit('the caller\\'s own src ran')")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); before = list(sys.path)\n"
        "import mlestar.coordination.swarm_benchmark\n"
        "print(sys.path == before, 'src' in sys.modules, 'swarm_benchmark' in sys.modules)"
    )
    assert run_python(code).splitlines() == ["True False True"]


def test_without_the_package_metrics_stand_alone_and_the_rest_says_how_to_have_it(run_python):
    code = (
        "import importlib.util as u, sys; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'swarm_benchmark' else find(name, *rest)\n"
        "from mlestar.coordination.swarm_benchmark import *\n"
        "print(MLPerformanceMetrics(execution_time=1.5).execution_time, MLQualityMetrics().score)\n"
        "for call in (register_strategy, StarStrategy, lambda: from_plain({'__class__': 'Task'})):\n"
        "    try: call()\n"
        "    except ImportError as error: print(error)"
    )
    first, *others = run_python(code).splitlines()
    assert first == "1.5 None"
    assert len(others) == 3
    assert all(INSTALL in words for words in others)


@pytest.mark.parametrize(
    "record",
    [
        AgentRecord("ours-training-1", "training", ("fit", "predict"), 0.75),
        AgentRecord("ours-search", "search"),
        AgentRecord("x", "something else"),
    ],
)
def test_agents_come_back(package, record):
    agent = agent_to_benchmark(record)
    assert agent_from_benchmark(agent) == record
    assert agent_from_benchmark(from_plain(exact(json.dumps(to_plain(agent))))) == record


@pytest.mark.parametrize("status", ["pending", "running", "completed", "failed", "cancelled"])
def test_tasks_come_back(package, status):
    record = TaskRecord(
        "trial 7: lightgbm, search",
        "training",
        ("a", "b"),
        status,
        60,
        {"score": 0.5, "params": {"n": 2**70}, "error": None},
        ("search",),
    )
    task = task_to_benchmark(record)
    assert task_from_benchmark(task) == record
    assert task.id == task_to_benchmark(record).id
    assert task_from_benchmark(from_plain(exact(json.dumps(to_plain(task))))) == record
    bare = TaskRecord("ensemble", "ensemble", status=status)
    assert task_from_benchmark(task_to_benchmark(bare)) == bare


@pytest.mark.parametrize("status", ["done", "failed"])
def test_results_come_back(package, status):
    record = {
        "trial": 3,
        "family": "linear",
        "pipeline": {"family": "linear", "params": {"alpha": 1.5}},
        "purpose": "search",
        "status": status,
        "metric": "roc_auc",
        "score": 0.9 if status == "done" else None,
        "ci_low": None,
        "ci_high": None,
        "error": "" if status == "done" else "no memory",
        "fit_seconds": 1.25,
    }
    result = result_to_benchmark(record, "ours-training-1")
    assert result_from_benchmark(result) == record
    assert result.agent_id == "ours-training-1"
    assert result.status.value == ("success" if status == "done" else "failure")
    assert result.performance_metrics.fit_seconds == 1.25
    assert result.quality_metrics.score == record["score"]
    again = from_plain(exact(json.dumps(to_plain(result))))
    assert again == result
    assert type(again.quality_metrics) is MLQualityMetrics
    assert again.execution_details["performance"]["fit_seconds"] == 1.25


def test_others_agents_and_tasks_are_read(package):
    models = package.core.models
    agent = agent_from_benchmark(models.Agent(id="x", type=models.AgentType.TESTER))
    assert agent == AgentRecord("x", "tester")
    task = models.Task(objective="win", status=models.TaskStatus.TIMEOUT)
    assert task_from_benchmark(task) == TaskRecord("win", "auto", status="failed")


def test_plain_json(package):
    value = {"a": np.float32(0.5), "b": np.arange(2), "c": float("nan"), "d": (1, True, None)}
    assert to_plain(value) == {"a": 0.5, "b": [0, 1], "c": None, "d": [1, True, None]}
    when = datetime(2025, 7, 10, 1, 56, 5, 123456)
    assert from_plain(exact(json.dumps(to_plain([when, "x"])))) == [when, "x"]
    for bad in ({1: 2}, {"__class__": "Task"}, object(), {"a": {1}}):
        with pytest.raises(ValueError):
            to_plain(bad)
    for bad in ("Popen", "uuid", "no such class"):
        with pytest.raises(ValueError, match="one of swarm_benchmark's records"):
            from_plain({"__class__": bad})


def test_performance_from_fits():
    fits = [
        {"wall_seconds": 1.0, "cpu_seconds": 2.0, "peak_bytes": 10, "device": "cpu"},
        {"wall_seconds": 3.0, "cpu_seconds": 0.5, "peak_bytes": 30, "device": "cuda:0"},
    ]
    found = MLPerformanceMetrics.of(
        fits,
        seconds=8.0,
        rows_per_fit=100,
        failed=1,
        died=1,
        predict_seconds=0.5,
        predict_rows=50,
        coordination_seconds=0.4,
    )
    assert (found.fit_seconds, found.cpu_seconds, found.device_seconds) == (4.0, 2.5, 3.0)
    assert (found.success_rate, found.error_rate, found.retry_count) == (0.5, 0.5, 1)
    assert (found.fit_rows_per_second, found.predict_rows_per_second) == (50.0, 100.0)
    assert (found.peak_bytes, found.coordination_overhead) == (30, 0.05)
    assert MLPerformanceMetrics.of([], seconds=0.0) == MLPerformanceMetrics()


def test_quality_from_scores():
    found = MLQualityMetrics.of(
        "rmse", [2.0, 4.0], score=3.0, baseline=4.0, greater_is_better=False, accuracy=0.7
    )
    assert (found.gain, found.relevance_score, found.overall_quality) == (1.0, 0.25, 0.7)
    assert found.consistency_score == pytest.approx(1 - 2**0.5 / 3)
    worse = MLQualityMetrics.of("rmse", [1.0], score=5.0, baseline=4.0, greater_is_better=False)
    assert (worse.gain, worse.relevance_score, worse.fold_deviation) == (-1.0, 0.0, None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"grace_seconds": 0}, "grace_seconds is 0"), ({"config": {"a": {1}}}, "config is no JSON")],
)
def test_bad_experiments(arguments, words):
    with pytest.raises(ConfigError, match=words):
        Experiment("iris", **arguments)


PROGRAMS = {
    "stubborn": "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)",
    "late": (
        "import signal, sys, time, pathlib\n"
        "def end(*_):\n"
        "    (pathlib.Path(sys.argv[1]) / 'outcome.json').write_text(\n"
        '        \'{"output": {"interrupted": true}, "quality": {"score": 0.5}}\')\n'
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGINT, end)\n"
        "time.sleep(60)"
    ),
    "broken": "print('the table is empty'); raise SystemExit(2)",
    "dead": "import os; os.abort()",
}


def engine_of(package, **settings):
    if package is REAL:
        from swarm_benchmark.core.benchmark_engine import BenchmarkEngine
    else:
        BenchmarkEngine = package.BenchmarkEngine
    return BenchmarkEngine(package.core.models.BenchmarkConfig(**settings))


def results_of(engine):
    return engine.results if REAL is None else engine.current_benchmark.results


@pytest.fixture
def run_program(package, tmp_path, monkeypatch):
    """Run a benchmark whose process is one of PROGRAMS: the Result, seconds, and idle turns of the
    loop meanwhile."""
    for name, code in PROGRAMS.items():
        (tmp_path / f"program_{name}.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")

    def run(name, timeout, grace=1.5):
        monkeypatch.setattr(strategy, "PROGRAM", f"program_{name}")
        folder = str(tmp_path / "runs" / "deep")
        star = register_strategy(Experiment("iris", folder=folder, grace_seconds=grace))
        engine = engine_of(
            package, strategy=star, task_timeout=timeout, output_directory=str(tmp_path / "out")
        )

        async def both():
            turns = 0
            running = asyncio.create_task(engine.run_benchmark("anything"))
            while not running.done():
                turns += 1
                await asyncio.sleep(0.01)
            return await running, turns

        begin = time.monotonic()
        answer, turns = asyncio.run(both())
        exact(json.dumps(answer))
        return results_of(engine)[0], time.monotonic() - begin, turns

    return run


def test_the_time_out_holds_and_what_was_found_is_kept(run_program):
    # Long enough for the process to be ready on a busy machine.
    result, seconds, turns = run_program("late", 4.0, grace=20.0)
    assert result.status.value == "timeout"
    assert result.errors == ["the time-out of 4 s was over"]
    assert result.output["interrupted"] is True
    assert result.quality_metrics.score == result.execution_details["quality"]["score"] == 0.5
    assert seconds < 20
    assert turns > 20


def test_a_process_that_does_not_end_is_killed(run_program):
    result, seconds, _ = run_program("stubborn", 0.5)
    assert result.status.value == "timeout"
    assert list(result.output) == ["folder"]
    assert seconds < 10


@pytest.mark.parametrize(
    ("name", "words"), [("broken", "the table is empty"), ("dead", "exit code -6")]
)
def test_a_run_that_fails_says_why(run_program, name, words):
    result, _, _ = run_program(name, 30.0)
    assert result.status.value == "failure"
    assert words in result.errors[0]


def test_the_outcome_of_an_earlier_execution_is_not_taken_for_this_one(
    package, tmp_path, monkeypatch
):
    # Of one that succeeded before; and of one that left an outcome and then broke.
    (tmp_path / "program_wrote.py").write_text(
        "import sys, pathlib\n"
        "(pathlib.Path(sys.argv[1]) / 'outcome.json').write_text('{}')\n"
        "sys.exit('broke at the end')"
    )
    (tmp_path / "program_broken.py").write_text(PROGRAMS["broken"])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    task = package.core.models.Task(objective="iris")
    star = StarStrategy(Experiment("iris", folder=str(tmp_path)))
    for program, words in (("wrote", "broke at the end"), ("broken", "the table is empty")):
        monkeypatch.setattr(strategy, "PROGRAM", f"program_{program}")
        folder = tmp_path / f"{star.name}-{task.id}"
        folder.mkdir(exist_ok=True)
        (folder / "outcome.json").write_text("{}")
        task.timeout = 30.0
        result = asyncio.run(star.execute(task))
        assert result.status.value == "failure"
        assert words in result.errors[0]


def test_a_task_that_is_cancelled_leaves_no_process(package, tmp_path, monkeypatch):
    (tmp_path / "program_marked.py").write_text(
        "import os, sys, time, pathlib\n"
        "(pathlib.Path(sys.argv[1]) / 'pid').write_text(str(os.getpid()))\n"
        "time.sleep(60)"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(strategy, "PROGRAM", "program_marked")
    star = StarStrategy(Experiment("iris", folder=str(tmp_path)))
    task = package.core.models.Task(objective="iris")

    async def cancelled():
        running = asyncio.create_task(star.execute(task))
        while not (found := list(tmp_path.glob("mlestar-*/pid"))) or not found[0].read_text():
            await asyncio.sleep(0.02)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return int(found[0].read_text())

    pid = asyncio.run(cancelled())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_real_run_is_saved_as_plain_json(package, tmp_path):
    for needed in ("pandas", "optuna", "lightgbm", "skops", "pebble", "matplotlib"):
        pytest.importorskip(needed)
    config = {"training_params": {"fits": 10, "families": ["linear", "k_nearest_neighbors"]}}
    star = register_strategy(Experiment(config=config, folder=str(tmp_path / "runs")))
    formats = ["json", "sqlite"]
    engine = engine_of(
        package,
        name="iris",
        strategy=star,
        task_timeout=120,
        output_formats=formats,
        output_directory=str(tmp_path / "out"),
    )
    answer = asyncio.run(engine.run_benchmark("iris"))  # the objective names the table
    assert answer["status"] == "success"
    output = exact(json.dumps(answer))["results"][0]["output"]
    assert output["finished"] is True
    assert [row["status"] for row in output["leaderboard"]] == ["done", "done"]
    kinds = {agent["kind"] for agent in output["agents"]}
    assert kinds == {"search", "training", "evaluation", "ensemble"}
    for values in output["tasks"]:
        record = TaskRecord(**{**values, **{n: tuple(values[n]) for n in ("agents", "tags")}})
        assert task_from_benchmark(task_to_benchmark(record)) == record
    (result,) = results_of(engine)
    performance, quality = result.performance_metrics, result.quality_metrics
    assert performance.fits == 10
    assert performance.success_rate == 1.0
    assert performance.predict_rows_per_second > 0
    assert performance.peak_bytes > 2**20
    assert 0 < performance.coordination_seconds < performance.execution_time
    assert quality.metric == "log_loss"
    assert quality.score_low <= quality.score <= quality.score_high
    assert quality.accuracy_score > 0.9
    assert 0 <= quality.calibration_error < 0.3
    assert quality.baseline_score == output["leaderboard"][-1]["score"] or quality.gain >= 0
    if REAL is not None:
        (saved,) = (tmp_path / "out").glob("iris_*.json")
        details = exact(saved.read_text())["results"][0]["execution_details"]
        assert details["quality"] == dataclasses.asdict(quality)
        assert details["performance"]["fits"] == 10
        assert (tmp_path / "out" / "benchmark_results.db").is_file()
