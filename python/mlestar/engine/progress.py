"""What a person sees of a run: a live table on a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from mlestar.agents.state import RunState
from mlestar.engine.loop import Clock

Progress = Callable[[RunState, Clock], None]


@contextmanager
def make_progress(verbose: bool, stream: TextIO) -> Iterator[Progress]:
    """The progress display for a stream."""
    if not verbose:
        yield lambda state, clock: None
    elif stream.isatty():
        with _live(stream) as show:
            yield show
    else:
        yield _Lines(stream)


class _Lines:
    """A line for each trial that settles."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._said: set[int] = set()
        self._closed = False

    def __call__(self, state: RunState, clock: Clock) -> None:
        for trial in state.trials:
            if not trial.settled or trial.number in self._said:
                continue
            self._said.add(trial.number)
            what = trial.purpose if trial.block is None else f"{trial.purpose} of {trial.block}"
            result = (
                f"{state.manifest['metric_name']} {trial.score:.6g}"
                if trial.score is not None
                else f"failed: {trial.error[:100]}"
            )
            best = state.best()
            star = " *" if best is trial else ""
            print(
                f"{clock.elapsed:7.1f} s  trial {trial.number:<4} {trial.spec.family:<24} "
                f"{what:<18} {result}{star}",
                file=self._stream,
                flush=True,
            )
        if state.closed and not self._closed:
            self._closed = True
            print(
                f"{clock.elapsed:7.1f} s  search closed ({state.closed})",
                file=self._stream,
                flush=True,
            )


@contextmanager
def _live(stream: TextIO) -> Iterator[Progress]:
    from mlestar._lazy import require

    rich_live = require("rich.live", "run")
    console = require("rich.console", "run").Console(file=stream)
    with rich_live.Live(console=console, refresh_per_second=4, transient=True) as live:
        yield lambda state, clock: live.update(_panel(state, clock))


def _panel(state: RunState, clock: Clock) -> Any:
    from rich.table import Table

    manifest = state.manifest
    done = sum(trial.settled for trial in state.trials)
    budget = (
        f"{clock.elapsed:.0f} of {clock.seconds:.0f} s"
        if clock.seconds
        else f"{done} of {state.budget} trials"
    )
    table = Table(title=f"{manifest['name']}: {manifest['task']}, {budget}", title_justify="left")
    for heading in ("trial", "family", "for", manifest["metric_name"]):
        table.add_column(heading)
    ranked = sorted(
        (t for t in state.trials if t.score is not None),
        key=lambda t: (state.error_of(t), t.number),
    )
    for trial in ranked[:8]:
        table.add_row(str(trial.number), trial.spec.family, trial.purpose, f"{trial.score:.6g}")
    return table
