"""One agent as a process of its own: python -m mlestar.agents ROLE FOLDER."""

from __future__ import annotations

import argparse
from pathlib import Path

from mlestar.agents.fitting import die_with_parent
from mlestar.agents.service import ROLES, join


def main() -> int:
    """Run one agent until the run it works on is over."""
    parser = argparse.ArgumentParser(prog="python -m mlestar.agents", description=__doc__)
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=1, help="fits at a time (training)")
    parser.add_argument("--seconds", type=float, default=None, help="give up after this time")
    parser.add_argument("--owner", default=None, help="the name under which fits are claimed")
    parser.add_argument("--parent", action="store_true", help="end when the starter does")
    arguments = parser.parse_args()
    if arguments.parent:
        die_with_parent()
    done = join(
        arguments.role,
        arguments.folder,
        workers=arguments.workers,
        seconds=arguments.seconds,
        owner=arguments.owner,
    )
    return 0 if done else 3


if __name__ == "__main__":
    raise SystemExit(main())
