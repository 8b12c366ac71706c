"""A run for ``swarm_benchmark``, as a process: python -m mlestar.engine.benchmarked FOLDER.

Reads ``experiment.json`` in the folder and leaves ``outcome.json`` there: plain JSON of what the
run found and took.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

_PARENT_SECONDS = 1.0


def main() -> int:
    """Run an experiment; 0 done, 2 bad input, 3 no result in time."""
    folder = Path(sys.argv[1])
    # A shell may have had us ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    # Here and not above: every worker that fits imports this module again.
    from mlestar._files import write_whole
    from mlestar.engine.outcome import outcome_of
    from mlestar.engine.runs import run
    from mlestar.exceptions import ConfigError, DataError, DeadlineError, RunFolderError

    settings = json.loads((folder / "experiment.json").read_text(encoding="utf-8"))
    begin = time.monotonic()
    try:
        finished = run(
            settings["data"], settings["target"], config=settings["config"], out=settings["out"]
        )
    except (ConfigError, DataError, RunFolderError, ImportError) as error:
        print(error)
        return 2
    except (DeadlineError, KeyboardInterrupt) as error:
        print(error or "the run was ended before it had found anything")
        return 3
    outcome = outcome_of(finished, seconds=time.monotonic() - begin)
    text = json.dumps(outcome, allow_nan=False).encode()
    write_whole(folder / "outcome.json", lambda file: file.write(text))
    return 0


def _end_with(parent: int) -> None:
    """A run must not outlive who asked for it."""
    while os.getppid() == parent:
        time.sleep(_PARENT_SECONDS)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
