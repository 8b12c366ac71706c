"""Results kept by what they were computed from."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mlestar._files import write_whole
from mlestar._native import build_info
from mlestar.exceptions import CacheWarning
from mlestar.pipeline.content import content_hash, encoded, read_content, write_content

_SUFFIX = ".cached"
_LONGEST_KEY = 200  # file systems take names of 255 bytes, with what writing adds
_STALE_SECONDS = 3600.0
_LIBRARIES = ("numpy", "pandas", "pyarrow", "scipy", "sklearn")


class CacheManager:
    """Arrays and tables on disk, found again by the hash of what they come from.

    Many processes may share a folder: entries appear whole or not at all, and one that is being
    read stays readable while another process evicts it. Two that ask for the same missing entry at
    once both compute it. An entry is checked against its hash when this process first reads it, and
    a damaged one is computed anew.

    Parameters
    ----------
    folder : path or None, default=None
        Where the files are; None keeps nothing.
    max_bytes : int, default=2**30
        Bytes on disk to stay under: the entries that have not been used for longest go. What is
        larger alone is not kept.
    mapped : bool, default=True
        Arrays that were kept come back as read-only views of their file, of which only the parts
        that are used are loaded once they have been checked; False reads them into memory, where
        they may be written to.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from mlestar import CacheManager
    >>> cache = CacheManager(tempfile.mkdtemp())
    >>> key = cache.key({"scale": 2}, np.arange(3))
    >>> cache.get_or_compute(key, lambda: np.arange(3) * 2)
    array([0, 2, 4])
    >>> cache.get_or_compute(key, lambda: 1 / 0)
    array([0, 2, 4])
    >>> statistics = cache.statistics()
    >>> statistics["hits"], statistics["misses"], statistics["entries"]
    (1, 1, 1)
    """

    def __init__(
        self, folder: str | Path | None = None, max_bytes: int = 2**30, *, mapped: bool = True
    ) -> None:
        if isinstance(max_bytes, bool) or not isinstance(max_bytes, int) or max_bytes < 0:
            raise ValueError(f"max_bytes is {max_bytes!r}, but must be a whole number, 0 or more")
        self.folder = None if folder is None else Path(folder)
        self.max_bytes = max_bytes
        self.mapped = mapped
        names = ("hits", "misses", "damaged", "evicted", "refused", "failed", "written_bytes")
        self._counts = dict.fromkeys(names, 0)
        self._verified: set[tuple[int, int, int]] = set()

    def key(self, parameters: Any, *values: Any) -> str:
        """A name for a result: the hash of parameters and data, and of the libraries' versions.

        Parameters
        ----------
        parameters : object
            Plain values, arrays, lists and dictionaries of them, functions, transforms.
        *values : array, table, sparse matrix, or Path of a file
            What the result is computed from.

        Raises
        ------
        ValueError
            For an object whose content cannot be told.
        """
        loaded = {n: sys.modules[n].__version__ for n in _LIBRARIES if n in sys.modules}
        versions = {"mlestar": str(build_info()["version"]), **loaded}
        return content_hash(versions, parameters, *values)

    def get_or_compute(self, key: str, compute: Callable[[], Any]) -> Any:
        """The value of that key, computed and kept if it is not there.

        Parameters
        ----------
        key : str
            From `key`, or any name of letters, digits, dots, dashes and underscores.
        compute : callable
            Without arguments.

        Warns
        -----
        CacheWarning
            If the value could not be written (a full disk); it is given all the same, and nothing
            is left half-written.
        """
        if self.folder is None:
            return compute()
        missing = object()
        found = self.get(key, missing)
        if found is not missing:
            return found
        value = compute()
        self.put(key, value)
        return value

    def get(self, key: str, default: Any = None) -> Any:
        """The value of that key, or `default` where there is none, or a damaged one."""
        if self.folder is None:
            return default
        path = self._path(key)
        try:
            status = path.stat()
            mark = (status.st_ino, status.st_mtime_ns, status.st_size)
            value = read_content(path, self.mapped, mark not in self._verified)
        except OSError:  # not there, or not to be read just now: no reason to drop it
            self._counts["misses"] += 1
            return default
        except (ValueError, KeyError, TypeError):
            self._counts["misses"] += 1
            self._counts["damaged"] += 1
            with suppress(OSError):
                path.unlink()
            return default
        self._counts["hits"] += 1
        self._verified.discard(mark)
        try:
            os.utime(path)
            status = path.stat()
            self._verified.add((status.st_ino, status.st_mtime_ns, status.st_size))
        except OSError:
            pass  # another process has evicted it; what was read stays
        return value

    def put(self, key: str, value: Any) -> bool:
        """Keep a value; False where it has no form without pickle, is too large or disk is full."""
        if self.folder is None:
            return False
        path = self._path(key)
        try:
            tree, buffers = encoded(value)
        except TypeError:
            self._counts["refused"] += 1
            return False
        size = sum(int(buffer.nbytes) for buffer in buffers)
        if size > self.max_bytes:
            self._counts["refused"] += 1
            return False
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, lambda file: write_content(file, tree, buffers))
            self._evict(path)
        except OSError as error:
            self._counts["failed"] += 1
            warnings.warn(
                f"{path} could not be written, and nothing is kept: {error}",
                CacheWarning,
                stacklevel=3,
            )
            return False
        self._counts["written_bytes"] += size
        return True

    def __contains__(self, key: str) -> bool:
        return self.folder is not None and self._path(key).is_file()

    def clear(self) -> None:
        """Drop every entry."""
        for path, _, _ in self._entries():
            path.unlink(missing_ok=True)

    def statistics(self) -> dict[str, int]:
        """What happened through this object, and what the folder holds.

        Returns
        -------
        dict of str to int
            ``hits``, ``misses``, ``damaged`` (entries that were computed anew), ``evicted``,
            ``refused`` (values without a form, or too large), ``failed`` (writes),
            ``written_bytes``; ``entries`` and ``bytes`` on disk.
        """
        sizes = [size for _, _, size in self._entries()]
        return {**self._counts, "entries": len(sizes), "bytes": sum(sizes)}

    def _path(self, key: str) -> Path:
        if not key or not all(c.isalnum() or c in "._-" for c in key) or key[0] == ".":
            raise ValueError(
                f"key is {key!r}, but must be letters, digits, dots, dashes and underscores"
            )
        if len(key.encode()) > _LONGEST_KEY:
            raise ValueError(
                f"key has {len(key.encode())} bytes, but must have {_LONGEST_KEY} at most"
            )
        assert self.folder is not None
        return self.folder / f"{key}{_SUFFIX}"

    def _entries(self) -> list[tuple[Path, int, int]]:
        """Path, time of last use and size of each entry."""
        found = []
        for entry in (
            () if self.folder is None or not self.folder.is_dir() else os.scandir(self.folder)
        ):
            try:
                status = entry.stat()
            except OSError:
                continue  # gone meanwhile
            if entry.name.endswith(_SUFFIX):
                found.append((Path(entry.path), status.st_mtime_ns, status.st_size))
            elif entry.name.endswith(".part") and time.time() - status.st_mtime > _STALE_SECONDS:
                Path(entry.path).unlink(missing_ok=True)  # of a writer that was killed
        return found

    def _evict(self, newest: Path) -> None:
        with self._locked():
            entries = sorted(self._entries(), key=lambda entry: entry[1])
            total = sum(size for _, _, size in entries)
            for path, _, size in entries:
                if total <= self.max_bytes:
                    break
                if path != newest:
                    path.unlink(missing_ok=True)
                    total -= size
                    self._counts["evicted"] += 1
            if total > self.max_bytes:  # its header alone is too much
                newest.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time counts and evicts."""
        import fcntl

        assert self.folder is not None
        with open(self.folder / ".lock", "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
