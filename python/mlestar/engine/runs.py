"""A run from Python: start it, resume it, read it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from mlestar.agents.state import RunState
from mlestar.agents.training import PRELOAD
from mlestar.config import MLConfig
from mlestar.coordination.journal import Journal
from mlestar.engine.data import load_table
from mlestar.engine.finish import finish, leaderboard, write_report
from mlestar.engine.loop import Clock, locked, search
from mlestar.engine.mirror import check_claude_flow, shown, tell_what_is_left
from mlestar.engine.model import TabularEnsemble
from mlestar.engine.prepare import prepare
from mlestar.engine.progress import make_progress
from mlestar.exceptions import DeadlineError, RunFolderError
from mlestar.execution.processes import start_forkserver


class Run:
    """A run's folder, read.

    Parameters
    ----------
    folder : path

    Attributes
    ----------
    folder : Path
    finished : bool
        Whether model and report are written.
    interrupted : bool
        Whether Ctrl-C ended the search.
    """

    def __init__(self, folder: str | Path, *, interrupted: bool = False) -> None:
        self.folder = Path(folder)
        if not (self.folder / "journal.db").is_file():
            raise RunFolderError(f"{self.folder} is no run folder: it has no journal.db")
        journal = Journal(self.folder / "journal.db", create=False)
        self._state = RunState()
        for event in journal.events():
            self._state.apply(event)
        journal.close()
        if not self._state.started:
            raise RunFolderError(f"{self.folder} is no run folder: its journal has no start")
        self.interrupted = interrupted
        self._model: TabularEnsemble | None = None

    @property
    def finished(self) -> bool:
        """Whether model and report are written."""
        return self._state.finished

    @property
    def leaderboard(self) -> list[dict[str, Any]]:
        """Trials by score: rank, trial, family, score, ci_low, ci_high, params, status, error,
        fit_seconds (of its fits together), wall_time (seconds since the start) and purpose."""
        return leaderboard(self._state)

    @property
    def model(self) -> TabularEnsemble:
        """The ensemble: predict and predict_proba."""
        if self._model is None:
            self._model = TabularEnsemble.load(self.folder / "model")
        return self._model

    @property
    def ablation(self) -> list[dict[str, Any]]:
        """One row a round of analysis: base trial, blocks with differences, the focus."""
        return [self._state.analyses[r] for r in sorted(self._state.analyses)]

    @property
    def weights(self) -> dict[int, float]:
        """The ensemble's weight of each trial that has one."""
        found = (self._state.ensemble or {}).get("weights", {})
        return {int(number): float(weight) for number, weight in found.items()}

    @property
    def report(self) -> Path:
        """The report's file."""
        return self.folder / "report.html"

    def __repr__(self) -> str:
        board = [row for row in self.leaderboard if row["status"] == "done"]
        best = f"best {board[0]['score']:.6g} ({board[0]['family']})" if board else "no result"
        return f"<Run {self.folder}: {len(self.leaderboard)} trials, {best}>"


def run(
    data: Any,
    target: Any = None,
    *,
    task: str | None = None,
    metric: str | None = None,
    seconds: float | None = None,
    fits: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    out: str | Path | None = None,
    config: MLConfig | str | Path | dict[str, Any] | None = None,
    refit: bool = False,
    verbose: bool = False,
    started: float | None = None,
) -> Run:
    """Search, test, analyze and refine a model for a table.

    Parameters
    ----------
    data : path, name, DataFrame or array of shape (n_rows, n_features)
        See `mlestar.engine.load_table`.
    target : str, or array of shape (n_rows,)
        Column to predict; its values where `data` is an array.
    task : {"binary", "multiclass", "regression"}, default=None
        By default as the target suggests.
    metric : str, default=None
        By default ROC AUC (binary), log loss (multiclass) or RMSE (regression).
    seconds : float, default=None
        Budget in seconds, kept to: the last tenth (at least 3 s) is for ensemble and report.
    fits : int, default=None
        Budget in fits; one is a pipeline fitted on one fold. With neither, 120 seconds.
    seed : int, default=0
        Of everything drawn. With a budget in fits, the same seed gives the same run. 0 leaves what
        `config` says.
    workers : int, default=None
        Fits at a time; by default the cores.
    out : path, default=None
        The run's folder; by default a new one in ``mlestar-runs``.
    config : MLConfig, path or dict, default=None
        Where the arguments that are not given come from.
    refit : bool, default=False
        Fit the chosen members once more on all rows. False leaves what `config` says.
    verbose : bool, default=False
        Show progress.
    started : float, default=None
        `time.monotonic()` from which `seconds` counts; by default now.

    Returns
    -------
    Run

    Raises
    ------
    DataError, ConfigError, RunFolderError
        For what cannot be used; nothing is left behind.
    DeadlineError
        If the time was over before one trial was scored.

    Examples
    --------
    >>> import mlestar, tempfile
    >>> result = mlestar.run("iris", fits=10, out=tempfile.mkdtemp())
    >>> len(result.leaderboard), result.finished
    (2, True)
    """
    started = time.monotonic() if started is None else started
    start_forkserver(PRELOAD)  # imports what fits need while the table is read
    settings = _settings(config)
    overrides = {
        "model_type": task,
        "evaluation_config.metric": metric,
        "training_params.seconds": seconds,
        "training_params.fits": fits,
        "training_params.seed": seed or None,
        "training_params.refit": refit or None,
        "coordination_config.workers": workers,
    }
    for path, value in overrides.items():
        settings = settings.override(path, value)
    shared = settings.coordination_config.folder
    if shared is not None:  # a run may be resumed from another working folder
        settings = settings.override("coordination_config.folder", str(Path(shared).resolve()))
    known = settings.coordination_config.patterns
    if known is not None:
        settings = settings.override("coordination_config.patterns", str(Path(known).resolve()))
    table = load_table(
        data,
        target,
        task=None if settings.model_type == "auto" else settings.model_type,
        drop=settings.data_config.drop,
        folds=settings.evaluation_config.folds,
    )
    if settings.coordination_config.backend == "claude-flow":
        check_claude_flow(settings.coordination_config, None if out is None else Path(out))
    folder = prepare(table, settings, out)
    return _drive(folder, settings.coordination_config.workers, started, verbose)


def resume(
    folder: str | Path,
    *,
    workers: int | None = None,
    verbose: bool = False,
    started: float | None = None,
) -> Run:
    """Go on with a run that was killed or interrupted; a finished one is only read.

    Raises
    ------
    RunFolderError
        If the folder is no run's, or is in use.
    """
    started = time.monotonic() if started is None else started
    found = Run(folder)
    if found.finished:
        tell_what_is_left(found.folder, found._state.manifest, found._state.started_at)
        return found
    start_forkserver(PRELOAD)
    if workers is None:
        workers = found._state.manifest["config"]["coordination_config"]["workers"]
    return _drive(Path(folder), workers, started, verbose)


def load_run(folder: str | Path) -> Run:
    """Read a run's folder, whatever its state.

    Raises
    ------
    RunFolderError
        If the folder is no run's.
    """
    return Run(folder)


def rewrite_report(folder: str | Path) -> Path:
    """Write the report of a run anew from its journal."""
    return write_report(Path(folder), Run(folder)._state)


def _settings(config: Any) -> MLConfig:
    if config is None:
        return MLConfig()
    if isinstance(config, MLConfig):
        return config
    return MLConfig.from_dict(config) if isinstance(config, dict) else MLConfig.load(config)


def _drive(folder: Path, workers: int | None, started: float, verbose: bool) -> Run:
    with locked(folder):
        journal = Journal(folder / "journal.db", create=False)
        try:
            start = journal.events()[0]
            with shown(folder, start.payload, start.time) as mirror:
                with make_progress(verbose, sys.stderr) as progress:

                    def show(state: RunState, clock: Clock) -> None:
                        progress(state, clock)
                        if mirror is not None:
                            mirror.say()

                    state, clock, interrupted = search(folder, journal, workers, started, show)
                if mirror is not None:
                    clock.coordination += mirror.seconds
                finish(folder, journal, state, clock, workers)
                if mirror is not None and clock.left is not None:
                    mirror.patience = min(mirror.patience, max(1.0, clock.left))
        finally:
            journal.close()
    result = Run(folder, interrupted=interrupted)
    if not result.weights and not interrupted:
        if state.closed == "seconds":
            raise DeadlineError(f"the time was over before one trial was scored; see {folder}")
        failures = {row["error"] for row in result.leaderboard}
        raise DeadlineError(f"no trial was scored: {sorted(failures)}; see {folder}")
    return result


__all__ = ["Run", "load_run", "resume", "rewrite_report", "run"]
