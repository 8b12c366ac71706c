"""Results kept by what they were computed from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mlestar._files import write_whole


class CacheManager:
    """Arrays on disk, found again by a key of content; the oldest go when the limit is reached.

    Parameters
    ----------
    folder : path or None, default=None
        Where the files are; None caches nothing.
    max_bytes : int, default=2**30
        Bytes on disk to stay under.

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
    """

    def __init__(self, folder: str | Path | None = None, max_bytes: int = 2**30) -> None:
        self.folder = None if folder is None else Path(folder)
        self.max_bytes = max_bytes

    def key(self, parameters: Any, *arrays: Any) -> str:
        """A name for a result: the hash of JSON parameters and of arrays or tables."""
        digest = hashlib.sha256(json.dumps(parameters, sort_keys=True, default=repr).encode())
        for value in arrays:
            if hasattr(value, "columns"):
                from pandas.util import hash_pandas_object

                digest.update(repr(list(value.columns)).encode())
                value = hash_pandas_object(value, index=False).to_numpy()
            array = np.ascontiguousarray(value)
            if array.dtype.hasobject:
                array = np.asarray([repr(item) for item in array.ravel()])
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()[:32]

    def get_or_compute(self, key: str, compute: Callable[[], Any]) -> Any:
        """The array of that key, computed and kept if it is not there."""
        if self.folder is None:
            return compute()
        path = self.folder / f"{key}.npy"
        try:
            array = np.load(path, allow_pickle=False)
            os.utime(path)
            return array
        except (OSError, ValueError, EOFError):
            pass  # not there, or cut short: computed anew
        array = np.asarray(compute())
        if not array.dtype.hasobject:
            self._write(path, array)
        return array

    def _write(self, path: Path, array: Any) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda file: np.save(file, array, allow_pickle=False))
        files = sorted(path.parent.glob("*.npy"), key=lambda file: file.stat().st_mtime)
        total = sum(file.stat().st_size for file in files)
        while total > self.max_bytes and len(files) > 1:
            oldest = files.pop(0)
            total -= oldest.stat().st_size
            oldest.unlink(missing_ok=True)
