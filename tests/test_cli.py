import subprocess
import sys

import pytest

from mlestar.cli import main

RUN = ("optuna", "lightgbm", "skops", "pebble", "matplotlib", "pandas")


def test_help_version_doctor(capsys):
    assert main([]) == 2
    assert "resume" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert main(["doctor"]) == 0
    words = capsys.readouterr().out
    assert "levels baseline" in words
    assert "numpy" in words
    with pytest.raises(SystemExit) as caught:
        main(["run", "--no-such-flag"])
    assert caught.value.code == 2


def test_run_predict_report_resume(tmp_path, capsys):
    for needed in RUN:
        pytest.importorskip(needed)
    import pandas
    from sklearn.datasets import load_iris

    table = load_iris(as_frame=True).frame
    table["target"] = table["target"].map({0: "a", 1: "b", 2: "c"})
    table.to_csv(tmp_path / "iris.csv", index=False)
    config = tmp_path / "c.toml"
    config.write_text('[training_params]\nfits = 500\nfamilies = ["linear"]\n')
    folder = str(tmp_path / "run")
    arguments = ["run", "--data", str(tmp_path / "iris.csv"), "--target", "target", "--fits", "10"]
    assert main([*arguments, "--config", str(config), "--out", folder, "--workers", "2"]) == 0
    captured = capsys.readouterr()
    assert "2 trials, 0 failed" in captured.out  # the flag went before the file
    assert "report:" in captured.out
    assert "trial 0" in captured.err  # plain lines where there is no terminal
    assert (
        main(
            [
                "predict",
                folder,
                "--data",
                str(tmp_path / "iris.csv"),
                "--out",
                str(tmp_path / "p.csv"),
            ]
        )
        == 0
    )
    predictions = pandas.read_csv(tmp_path / "p.csv")
    assert (predictions["prediction"] == table["target"]).mean() > 0.9
    assert list(predictions.columns)[1:] == [f"probability of {k}" for k in "abc"]
    (tmp_path / "run" / "report.html").unlink()
    assert main(["report", folder]) == 0
    assert (tmp_path / "run" / "report.html").is_file()
    assert main(["resume", folder]) == 0  # finished: only read
    assert main([*arguments, "--out", folder]) == 2
    assert "not empty" in capsys.readouterr().err
    assert main(["predict", folder, "--data", "absent.csv", "--out", str(tmp_path / "q.csv")]) == 2
    assert main(["predict", folder, "--data", str(tmp_path / "iris.csv"), "--out", "q.txt"]) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "--data"),
        (["run", "--data", "absent.csv", "--target", "y"], "neither a file nor"),
        (["run", "--data", "iris", "--metric", "rmse"], "evaluation_config.metric"),
        (["resume", "absent"], "no run folder"),
        (["report", "absent"], "no run folder"),
    ],
)
def test_bad_input_is_two_and_words(arguments, words, capsys, tmp_path, monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_names_itself():
    code = (
        "import sys; sys.modules['pandas'] = None\n"
        "from mlestar.cli import main; sys.exit(main(['run', '--data', 'iris', '--fits', '5']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "mlestar[run]" in done.stderr
