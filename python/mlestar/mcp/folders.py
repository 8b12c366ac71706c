"""The folders that a client may name files of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


class Folders:
    """What may be read, and where runs are.

    Parameters
    ----------
    data : sequence of path
        Folders with tables.
    runs : path
        The folder of all runs; made at need.

    Raises
    ------
    ValueError
        For a folder that is not there.

    Examples
    --------
    >>> import tempfile
    >>> from mlestar.mcp import Folders
    >>> folders = Folders([], tempfile.mkdtemp())
    >>> folders.run("../elsewhere")
    Traceback (most recent call last):
    ...
    ValueError: run is '../elsewhere', but must be letters, digits and _ . - (list_runs names them)
    """

    def __init__(self, data: Sequence[str | Path], runs: str | Path) -> None:
        self.data = [Path(folder).resolve() for folder in data]
        for folder in self.data:
            if not folder.is_dir():
                raise ValueError(f"folder is {str(folder)!r}, which is no folder")
        self.runs = Path(runs).resolve()
        self.runs.mkdir(parents=True, exist_ok=True)

    def table(self, name: str) -> Path:
        """The file of a table: a path in one of the folders, whatever links lie on the way.

        Raises
        ------
        ValueError
            If there is none, or it lies elsewhere.
        """
        given = Path(name)
        candidates = [given] if given.is_absolute() else [f / given for f in self.data]
        for candidate in candidates:
            path = candidate.resolve()
            if any(path.is_relative_to(folder) for folder in self.data) and path.is_file():
                return path
        allowed = ", ".join(map(str, self.data)) or "no folder was named"
        raise ValueError(f"data is {name!r}, which is no file of the allowed folders ({allowed})")

    def run(self, name: str) -> Path:
        """The folder of a run, which need not be there.

        Raises
        ------
        ValueError
            For what is no name of a run.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"run is {name[:120]!r}, but must be letters, digits and _ . - (list_runs names "
                "them)"
            )
        path = self.runs / name
        if path.resolve() != path:
            raise ValueError(f"run is {name!r}, which is a link to elsewhere")
        return path
