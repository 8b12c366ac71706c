"""Whole runs: small ones, on data that scikit-learn ships."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pandas = pytest.importorskip("pandas")
for needed in ("optuna", "lightgbm", "skops", "pebble", "matplotlib"):
    pytest.importorskip(needed)

import mlestar  # noqa: E402
from mlestar.coordination import Journal  # noqa: E402
from mlestar.exceptions import ConfigError, DataError, DeadlineError, RunFolderError  # noqa: E402

FAST = {"training_params": {"families": ["linear", "lightgbm", "k_nearest_neighbors"]}}
TIMING = ("fit_seconds", "wall_time")


def board(run):
    """The leaderboard without what differs from run to run: times."""
    return [{k: v for k, v in row.items() if k not in TIMING} for row in run.leaderboard]


def mixed_table(rng, n=240):
    """Numbers, text, dates, booleans; missing values; a constant, a copy and an empty column."""
    x = rng.normal(size=n)
    colour = np.array(["red", "green", "blue"], dtype=object)[rng.integers(0, 3, n)]
    colour[::11] = None
    frame = pandas.DataFrame(
        {
            "x": x,
            "x again": x,
            "colour": colour,
            "flag": rng.integers(0, 2, n).astype(bool),
            "when": pandas.Timestamp("2024-01-01")
            + pandas.to_timedelta(rng.integers(0, 900, n), unit="D"),
            "constant": 1,
            "empty": np.nan,
            "<script>alert(1)</script>": rng.normal(size=n),
        }
    )
    frame.loc[::7, "x"] = np.nan
    frame["x again"] = frame["x"]
    frame["y"] = np.where(
        x + (colour == "red") + rng.normal(0, 0.5, n) > 0, "yes & $no$", "<b>no</b>"
    )
    return frame


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A finished run in fits."""
    out = tmp_path_factory.mktemp("run") / "reference"
    return mlestar.run("breast_cancer", fits=50, seed=3, out=out, config=FAST)


def test_a_run_leaves_everything_behind(reference):
    assert reference.finished
    rows = reference.leaderboard
    assert [row["rank"] for row in rows] == list(range(1, 11))
    keys = [
        "rank",
        "trial",
        "family",
        "score",
        "ci_low",
        "ci_high",
        "params",
        "status",
        "error",
        "fit_seconds",
        "wall_time",
    ]
    assert set(keys) <= set(rows[0])
    assert rows[0]["score"] > 0.98
    assert rows[0]["ci_low"] < rows[0]["score"] < rows[0]["ci_high"] <= 1.0
    assert sum(reference.weights.values()) == pytest.approx(1.0)
    assert reference.ablation[0]["focus"] in ("scale", "params", "family")
    assert {row["purpose"] for row in rows} == {"search", "ablation"}
    page = reference.report.read_text()
    for words in (
        "proposed by swarm",
        "proposed by tpe",
        "Leaderboard",
        "Analysis",
        "Ensemble",
        "calibration of",
        "data:image/png",
    ):
        assert words in page
    assert "http://" not in page
    assert "https://" not in page
    predictions = pandas.read_csv(reference.folder / "predictions.csv")
    assert len(predictions) == 569
    assert (
        (predictions["probability of 0"] + predictions["probability of 1"] - 1).abs() < 1e-9
    ).all()
    fits = [e for e in Journal(reference.folder / "journal.db").events() if e.kind == "fit.done"]
    assert len(fits) == 50
    for fit in fits:
        assert fit.payload["wall_seconds"] > 0
        assert fit.payload["cpu_seconds"] > 0
        assert fit.payload["peak_bytes"] > 1e7
        assert fit.payload["device"] == "cpu"
        assert "loss_curve" in fit.payload


def test_the_model_answers_like_the_report_says(reference):
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer(as_frame=True)
    model = mlestar.load_run(reference.folder).model
    probability = model.predict_proba(data.data)
    assert probability.shape == (569, 2)
    np.testing.assert_allclose(probability.sum(axis=1), 1.0)
    np.testing.assert_array_equal(model.predict(data.data), probability.argmax(axis=1))
    np.testing.assert_allclose(model.predict_proba(data.data.to_numpy()), probability)
    assert model.score(data.data, data.target) > 0.98
    with pytest.raises(DataError, match="lacks columns"):
        model.predict(data.data.drop(columns="mean radius"))


def test_the_same_seed_gives_the_same_run_for_any_number_of_workers(reference, tmp_path):
    one = mlestar.run(
        "breast_cancer", fits=50, seed=3, workers=1, out=tmp_path / "one", config=FAST
    )
    assert board(one) == board(reference)
    assert one.weights == reference.weights
    assert one.ablation == reference.ablation
    other = mlestar.run("breast_cancer", fits=50, seed=4, out=tmp_path / "other", config=FAST)
    assert board(other) != board(reference)


def interruptible():
    """A test run started in the background of a shell ignores Ctrl-C; its children must not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(folder, fits=50, extra=()):
    config = folder.parent / "fast.json"
    config.write_text(json.dumps(FAST))
    command = [
        sys.executable,
        "-m",
        "mlestar",
        "run",
        "--data",
        "breast_cancer",
        "--fits",
        str(fits),
        "--seed",
        "3",
        "--out",
        str(folder),
        "--config",
        str(config),
        *extra,
    ]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=interruptible
    )


@pytest.mark.parametrize("moment", range(20))
def test_killed_at_any_moment_and_resumed(reference, tmp_path, moment):
    """The leaderboard is, bit for bit, that of the run that was not killed; no finished fit is repeated."""
    folder = tmp_path / "killed"
    with start(folder) as process:
        # From the first event of the journal to about the end of the run.
        while not (folder / "journal.db").exists():
            time.sleep(0.01)
            assert process.poll() is None
        time.sleep(random.Random(moment).uniform(0.0, 6.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
    try:
        before = Journal(folder / "journal.db", create=False).events()
    except RunFolderError:
        before = []
    if not any(event.kind == "run.started" for event in before):
        with pytest.raises(RunFolderError):
            mlestar.load_run(
                folder
            )  # killed before there was a run; nothing pretends that there is
        return
    in_flight = {
        (e.payload["trial"], e.payload["fold"]) for e in before if e.kind == "fit.started"
    } - {(e.payload["trial"], e.payload["fold"]) for e in before if e.kind == "fit.done"}
    from mlestar.engine import resume

    result = resume(folder)
    assert board(result) == board(reference)
    assert result.weights == reference.weights
    assert result.finished
    assert (folder / "model" / "model.json").is_file()
    started = [e for e in Journal(folder / "journal.db").events() if e.kind == "fit.started"]
    assert len(started) <= 50 + len(in_flight) + 2
    assert len(started) >= 50


def test_four_agents_as_four_processes(reference, tmp_path):
    """Started separately on one folder, they give what one process gives."""
    from mlestar.config import MLConfig
    from mlestar.engine.data import load_table
    from mlestar.engine.prepare import prepare

    config = (
        MLConfig.from_dict(FAST)
        .override("training_params.fits", 50)
        .override("training_params.seed", 3)
    )
    folder = prepare(load_table("breast_cancer"), config, tmp_path / "four")
    roles = ["search", "training", "evaluation", "ensemble"]
    agents = [
        subprocess.Popen(
            [sys.executable, "-m", "mlestar.agents", role, str(folder), "--seconds", "150"]
        )
        for role in roles
    ]
    try:
        assert [agent.wait(timeout=170) for agent in agents] == [0, 0, 0, 0]
    finally:
        for agent in agents:
            agent.kill()
    found = mlestar.load_run(folder)
    assert board(found) == board(reference)
    assert found.weights == reference.weights


def test_mixed_types_missing_values_and_hostile_text(rng, tmp_path):
    table = mixed_table(rng)
    path = tmp_path / "table.parquet"
    table.to_parquet(path)
    result = mlestar.run(path, "y", fits=45, out=tmp_path / "run")
    assert result.leaderboard[0]["score"] > 0.7
    messages = {f["message"] for f in result._state.manifest["findings"]}
    assert "holds one value only" in messages
    assert "holds no value at all" in messages
    assert any("same values as" in m for m in messages)
    page = result.report.read_text()
    assert "<script>alert" not in page
    assert "<b>no</b>" not in page
    assert result.model.classes == ["<b>no</b>", "yes & $no$"]
    shuffled = table.sample(frac=1, random_state=0).iloc[:20, ::-1].assign(colour="unseen")
    assert set(result.model.predict(shuffled)) <= set(result.model.classes)


def test_regression_and_multiclass(tmp_path):
    values = mlestar.run("diabetes", fits=15, out=tmp_path / "r", config=FAST)
    assert values._state.manifest["metric_name"] == "rmse"
    assert 50 < values.leaderboard[0]["score"] < 65
    assert "Residuals" in values.report.read_text() or "residuals" in values.report.read_text()
    classes = mlestar.run("wine", fits=15, out=tmp_path / "m", config=FAST)
    assert classes._state.manifest["metric_name"] == "log_loss"
    assert classes.leaderboard[0]["score"] < 0.2
    accuracy = mlestar.run("wine", metric="accuracy", fits=10, out=tmp_path / "a", config=FAST)
    assert accuracy.leaderboard[0]["score"] > 0.9


def test_arrays_and_refit(rng, tmp_path):
    X = rng.normal(size=(120, 3))
    y = X[:, 0] * 2 + rng.normal(0, 0.1, 120)
    result = mlestar.run(X, y, fits=10, refit=True, out=tmp_path / "run", config=FAST)
    assert [len(pipelines) for _, pipelines in result.model.members] == [1] * len(result.weights)
    assert np.corrcoef(result.model.predict(X), y)[0, 1] > 0.9


def test_seconds_are_kept_to(tmp_path):
    begin = time.monotonic()
    result = mlestar.run("digits", seconds=14, out=tmp_path / "run")
    assert time.monotonic() - begin < 14 + 2
    assert result.finished
    assert result._state.closed == "seconds"
    assert result.weights


def test_a_deadline_without_a_result(tmp_path):
    process = start(tmp_path / "run", extra=("--seconds", "1"))
    assert process.wait(timeout=60) == 3


def test_interrupted_with_the_best_result_written(tmp_path):
    folder = tmp_path / "run"
    process = start(folder, fits=5000)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        time.sleep(0.3)
        if (folder / "journal.db").exists() and sum(
            e.kind == "trial.evaluated" for e in Journal(folder / "journal.db").events()
        ) >= 3:
            break
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(timeout=40) == 130
    finally:
        process.kill()
    found = mlestar.load_run(folder)
    assert found.finished
    assert found.weights
    assert found.report.is_file()


def test_failures_are_recorded_and_the_run_goes_on(tmp_path):
    """A family that cannot be fitted (too little memory) fails; the others are searched."""
    config = {
        "training_params": {"families": ["extra_trees", "linear"], "memory_mb": 24, "fits": 20},
    }
    X = np.random.default_rng(0).normal(size=(9000, 30))
    y = X[:, 0] + np.random.default_rng(1).normal(size=9000)
    result = mlestar.run(X, y, out=tmp_path / "run", config=config)
    failed = [row for row in result.leaderboard if row["status"] == "failed"]
    assert failed
    assert all(row["error"] for row in failed)
    assert all(row["rank"] is None for row in failed)
    assert result.weights


def csv(tmp_path, text):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    return path


def rows(count, line):
    return "".join(line(i) + "\n" for i in range(count))


BAD = {
    "no such file": (lambda p: ("nothing.csv", "y"), "neither a file nor"),
    "no such column": (
        lambda p: (csv(p, "a,y\n" + rows(30, lambda i: f"{i},{i}")), "z"),
        "'z', which is no column",
    ),
    "close column": (
        lambda p: (csv(p, "a,price\n" + rows(30, lambda i: f"{i},{i}")), "prise"),
        "did you mean 'price'",
    ),
    "missing target": (
        lambda p: (csv(p, "a,y\n" + rows(30, lambda i: f"{i}," + ("1" if i % 2 else ""))), "y"),
        "target lacks 15",
    ),
    "constant target": (
        lambda p: (csv(p, "a,y\n" + rows(30, lambda i: f"{i},1")), "y"),
        "target is constant",
    ),
    "one row": (lambda p: (csv(p, "a,y\n1,2\n"), "y"), "has 1 rows"),
    "empty file": (lambda p: (csv(p, ""), "y"), "cannot be read"),
    "only the target": (lambda p: (csv(p, "y\n" + rows(30, str)), "y"), "no columns"),
    "three axes": (lambda p: (np.zeros((3, 3, 3)), np.zeros(3)), "3 axes"),
    "lengths differ": (lambda p: (np.zeros((20, 3)), np.zeros(3)), "has shape"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_is_named_and_leaves_nothing(tmp_path, case):
    make, words = BAD[case]
    data, target = make(tmp_path)
    with pytest.raises(DataError, match=words):
        mlestar.run(data, target, fits=10, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"metric": "rmse"}, "evaluation_config.metric"),
        ({"metric": "nonsense"}, "not known"),
        ({"fits": 3}, "training_params.fits is 3"),
        ({"seconds": -1.0}, "training_params.seconds"),
        ({"config": {"training_params": {"familes": []}}}, "did you mean 'families'"),
        ({"config": {"training_params": {"families": ["svm"]}}}, "'svm'"),
        ({"config": {"evaluation_config": {"folds": "five"}}}, "evaluation_config.folds is 'five'"),
        ({"workers": 0}, "coordination_config.workers"),
        ({"config": {"training_params": {"samplers": ["cmaes"]}}}, "training_params.samplers"),
    ],
)
def test_bad_settings_are_named_and_leave_nothing(tmp_path, options, words):
    with pytest.raises(ConfigError, match=words):
        mlestar.run(
            "iris", "target", task="multiclass", out=tmp_path / "run", **{"fits": 10, **options}
        )
    assert not (tmp_path / "run").exists()


def test_folders_that_cannot_be_used(tmp_path, reference):
    with pytest.raises(RunFolderError, match="not empty"):
        mlestar.run("iris", fits=10, out=reference.folder)
    blocked = tmp_path / "file"
    blocked.write_text("x")
    with pytest.raises(RunFolderError, match="cannot be written|not empty"):
        mlestar.run("iris", fits=10, out=blocked / "run")
    with pytest.raises(RunFolderError, match="no run folder"):
        mlestar.load_run(tmp_path)
    from mlestar.engine.loop import locked

    with (
        locked(reference.folder),
        pytest.raises(RunFolderError, match="in use"),
        locked(reference.folder),
    ):
        pass


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path, monkeypatch):
    from mlestar import _files

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files.os, "replace", full)
    with pytest.raises(RunFolderError, match="No space left"):
        mlestar.run("iris", fits=10, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_deadline_error_is_a_python_error_too(tmp_path):
    with pytest.raises(DeadlineError, match="time was over"):
        mlestar.run("iris", seconds=0.5, out=tmp_path / "run")
