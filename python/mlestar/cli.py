"""The command line."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

_STARTED = time.monotonic()

EXIT_DONE, EXIT_INTERNAL, EXIT_BAD_INPUT, EXIT_DEADLINE, EXIT_INTERRUPTED = 0, 1, 2, 3, 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mlestar",
        description="Search, test, analyze and refine a model for a table.",
        epilog="Exit codes: 0 done, 1 internal error, 2 bad input, 3 deadline without any result, "
        "130 interrupted with the best result written.",
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    run = commands.add_parser("run", help="search a model for a table")
    run.add_argument("--data", metavar="PATH|NAME", help="CSV or Parquet file, or a shipped table")
    run.add_argument("--target", metavar="COLUMN", help='column to predict (default "target")')
    run.add_argument("--task", choices=("binary", "multiclass", "regression"))
    run.add_argument("--metric", help="what to optimize, such as roc_auc, log_loss, rmse")
    run.add_argument("--seconds", type=float, metavar="S", help="budget in seconds (default 120)")
    run.add_argument(
        "--fits", type=int, metavar="N", help="budget in fits: the same run every time"
    )
    run.add_argument("--seed", type=int, metavar="K")
    run.add_argument("--workers", type=int, metavar="W", help="fits at a time (default: the cores)")
    run.add_argument("--out", type=Path, metavar="FOLDER", help="the run's folder")
    run.add_argument("--config", type=Path, metavar="FILE", help="TOML, YAML or JSON")
    run.add_argument("--refit", action="store_true", help="fit the members again on all rows")
    run.add_argument(
        "--coordination",
        choices=("embedded", "claude-flow"),
        help="where the agents' work is seen (default embedded)",
    )

    patterns = run.add_mutually_exclusive_group()
    patterns.add_argument(
        "--patterns",
        metavar="FILE",
        help="what worked on which table: start from it, and add what this run learns",
    )
    patterns.add_argument(
        "--no-patterns", action="store_true", help="as without coordination_config.patterns"
    )
    run.add_argument(
        "--agents",
        metavar="COUNTS",
        help="agents that are processes of their own, such as search=1,train=2",
    )

    agent = commands.add_parser("agent", help="work on a run that is under way, as one agent")
    agent.add_argument("role", choices=("search", "train", "evaluate", "ensemble"))
    agent.add_argument("--run", type=Path, required=True, metavar="FOLDER", help="the run's folder")
    agent.add_argument("--workers", type=int, default=1, help="fits at a time, of train")
    agent.add_argument("--seconds", type=float, metavar="S", help="give up after this time")

    resume = commands.add_parser("resume", help="go on with a run that was stopped")
    resume.add_argument("folder", type=Path, metavar="FOLDER")
    resume.add_argument("--workers", type=int, metavar="W")

    predict = commands.add_parser("predict", help="predict the rows of a table")
    predict.add_argument("folder", type=Path, metavar="FOLDER")
    predict.add_argument("--data", type=Path, required=True, metavar="FILE")
    predict.add_argument("--out", type=Path, required=True, metavar="FILE")

    report = commands.add_parser("report", help="write a run's report anew")
    report.add_argument("folder", type=Path, metavar="FOLDER")

    patch = commands.add_parser(
        "patch",
        help="run a program with scikit-learn's functions answered by mlestar",
        usage="mlestar patch [-h] [--names NAMES] [--verbose] (SCRIPT | -m MODULE) [ARGUMENT ...]",
        description="Runs SCRIPT as python would, after mlestar.patch_sklearn().",
    )
    patch.add_argument("--names", metavar="NAMES", help="only these, with commas between them")
    patch.add_argument("--verbose", action="store_true", help="log every call to standard error")
    patch.add_argument("-m", dest="module", action="store_true", help="run a module")
    patch.add_argument("program", metavar="SCRIPT")

    mcp = commands.add_parser(
        "mcp",
        help="serve these tools to an agent, by the Model Context Protocol",
        description="Speaks the Model Context Protocol on standard input and output. Runs that a "
        "client starts go on when it disconnects.",
    )
    mcp.add_argument(
        "--folder", type=Path, action="append", default=[], help="tables may be read from it"
    )
    mcp.add_argument("--runs", type=Path, default=Path("mlestar-runs"), help="folder of all runs")
    mcp.add_argument("--max-seconds", type=float, default=600.0, help="of one run (default 600)")
    mcp.add_argument("--max-fits", type=int, help="of one run")
    mcp.add_argument("--max-runs", type=int, default=1, help="at a time (default 1)")
    mcp.add_argument("--workers", type=int, help="fits at a time of one run")

    commands.add_parser("doctor", help="what is installed, what is missing and how to get it")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0 done, 1 internal error, 2 bad input, 3 deadline without any result, 130 interrupted.
    """
    parser = _parser()
    ours, programs = _split(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(ours)
    if arguments.version:
        from mlestar import __version__

        print(f"mlestar {__version__}")
        return EXIT_DONE
    if arguments.command is None:
        parser.print_help()
        return EXIT_BAD_INPUT
    if arguments.command == "patch":
        return _patch(arguments, programs)
    from mlestar.exceptions import (
        ConfigError,
        DataError,
        DeadlineError,
        ModelFileError,
        RunFolderError,
        ServerVersionError,
    )

    started = time.monotonic() if argv is not None else _STARTED
    command = globals()[f"_{arguments.command}"]
    try:
        return int(command(arguments, started))
    except (
        ConfigError,
        DataError,
        RunFolderError,
        ModelFileError,
        ServerVersionError,
        ImportError,
    ) as error:
        print(f"mlestar: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except DeadlineError as error:
        print(f"mlestar: {error}", file=sys.stderr)
        return EXIT_DEADLINE
    except OSError as error:
        print(f"mlestar: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print("mlestar: interrupted before anything could be written", file=sys.stderr)
        return EXIT_INTERRUPTED
    except Exception as error:
        import traceback

        traceback.print_exc()
        print(f"mlestar: internal error: {error}", file=sys.stderr)
        return EXIT_INTERNAL


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and those of the program that `mlestar patch` runs."""
    if argv[:1] == ["patch"]:
        place = 1
        while place < len(argv) and argv[place].startswith("-"):
            place += 2 if argv[place] == "--names" else 1
        return argv[: place + 1], argv[place + 1 :]
    return argv, []


def _patch(arguments: argparse.Namespace, programs: list[str]) -> int:
    from mlestar._patch import patch_sklearn
    from mlestar._program import run_program

    names = None if arguments.names is None else arguments.names.split(",")
    try:
        patch_sklearn(names, verbose=arguments.verbose)
    except ValueError as error:
        print(f"mlestar: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    return run_program(arguments.program, programs, as_module=arguments.module)


def _run(arguments: argparse.Namespace, started: float) -> int:
    from mlestar.config import MLConfig
    from mlestar.engine.runs import run
    from mlestar.exceptions import DataError

    config = MLConfig() if arguments.config is None else MLConfig.load(arguments.config)
    config = config.override("coordination_config.backend", arguments.coordination)
    config = config.override("coordination_config.agents", arguments.agents)
    config = config.override("coordination_config.patterns", arguments.patterns)
    if arguments.no_patterns:
        config = config.without_patterns()
    config = config.override("training_params.seed", arguments.seed)
    data = arguments.data or config.data_config.path
    if data is None:
        raise DataError(
            "--data must name a CSV or Parquet file, or a table that scikit-learn ships"
        )
    result = run(
        data,
        arguments.target or config.data_config.target,
        task=arguments.task,
        metric=arguments.metric,
        seconds=arguments.seconds,
        fits=arguments.fits,
        workers=arguments.workers,
        out=arguments.out,
        config=config,
        refit=arguments.refit,
        verbose=True,
        started=started,
    )
    return _say(result)


def _agent(arguments: argparse.Namespace, started: float) -> int:
    from mlestar.agents.service import join
    from mlestar.exceptions import ConfigError

    if arguments.workers < 1:
        raise ConfigError(f"--workers is {arguments.workers}, but must be at least 1")
    role = {"train": "training", "evaluate": "evaluation"}.get(arguments.role, arguments.role)
    done = join(role, arguments.run, workers=arguments.workers, seconds=arguments.seconds)
    return EXIT_DONE if done else EXIT_DEADLINE


def _resume(arguments: argparse.Namespace, started: float) -> int:
    from mlestar.engine.runs import resume

    return _say(resume(arguments.folder, workers=arguments.workers, verbose=True, started=started))


def _say(result: Any) -> int:
    board = [row for row in result.leaderboard if row["status"] == "done"]
    name = result._state.manifest["metric_name"]
    for row in board[:5]:
        interval = (
            "" if row["ci_low"] is None else f"  ({row['ci_low']:.5g} to {row['ci_high']:.5g})"
        )
        print(f"{row['rank']:>3}  {row['family']:<24} {name} {row['score']:.6g}{interval}")
    failed = len(result.leaderboard) - len(board)
    print(
        f"{len(result.leaderboard)} trials, {failed} failed, {len(result.weights)} in the ensemble"
    )
    print(f"report: {result.report}")
    return EXIT_INTERRUPTED if result.interrupted else EXIT_DONE


def _predict(arguments: argparse.Namespace, started: float) -> int:
    import pandas

    from mlestar.engine.data import read_file
    from mlestar.engine.runs import load_run

    model = load_run(arguments.folder).model
    table = read_file(arguments.data, pandas)
    if arguments.out.suffix not in (".csv", ".parquet"):
        from mlestar.exceptions import DataError

        raise DataError(f"--out is {str(arguments.out)!r}, but must end in .csv or .parquet")
    columns: dict[str, Any] = {"prediction": model.predict(table)}
    if model.task != "regression":
        probability = model.predict_proba(table)
        for place, label in enumerate(model.classes):
            columns[f"probability of {label}"] = probability[:, place]
    frame = pandas.DataFrame(columns)
    temporary = arguments.out.with_name(arguments.out.name + ".part")
    if arguments.out.suffix == ".parquet":
        frame.to_parquet(temporary)
    else:
        frame.to_csv(temporary, index=False)
    temporary.replace(arguments.out)
    print(f"{len(frame)} predictions: {arguments.out}")
    return EXIT_DONE


def _report(arguments: argparse.Namespace, started: float) -> int:
    from mlestar.engine.runs import rewrite_report

    print(f"report: {rewrite_report(arguments.folder)}")
    return EXIT_DONE


def _mcp(arguments: argparse.Namespace, started: float) -> int:
    from mlestar._lazy import require

    require("mcp", "claude-flow")
    from mlestar.exceptions import ConfigError
    from mlestar.mcp import Folders, Limits, RunKeeper, Toolbox
    from mlestar.mcp.server import serve

    try:
        folders = Folders(arguments.folder, arguments.runs)
        limits = Limits(
            arguments.max_seconds, arguments.max_fits, arguments.max_runs, arguments.workers
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error
    serve(Toolbox(folders, RunKeeper(folders, limits)))
    return EXIT_DONE


def _doctor(arguments: argparse.Namespace, started: float) -> int:
    from mlestar._doctor import report

    print(report())
    return EXIT_DONE
