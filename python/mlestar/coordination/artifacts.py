"""Content-addressed files: what is too big for a message travels by the hash of its bytes."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from mlestar._files import write_whole


class ArtifactStore:
    """Files in a folder, named by the SHA-256 of their bytes.

    Parameters
    ----------
    folder : path
        Created at need.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> store = ArtifactStore(tempfile.mkdtemp())
    >>> name = store.put_array(np.arange(3))
    >>> store.get_array(name)
    array([0, 1, 2])
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def put(self, data: bytes, suffix: str) -> str:
        """Write bytes, once; returns the artifact's name, hash and suffix.

        The file appears whole or not at all.
        """
        name = hashlib.sha256(data).hexdigest()[:32] + suffix
        target = self.folder / name
        if target.exists():
            return name
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(target, lambda file: file.write(data))
        return name

    def path(self, name: str) -> Path:
        """Where an artifact is; FileNotFoundError if it is not there."""
        path = self.folder / name
        if Path(name).name != name or not path.is_file():
            raise FileNotFoundError(f"artifact {name!r} is not in {self.folder}")
        return path

    def get(self, name: str) -> bytes:
        """The bytes of an artifact."""
        return self.path(name).read_bytes()

    def put_array(self, array: Any) -> str:
        """Write an array as .npy (never as pickle)."""
        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
        return self.put(buffer.getvalue(), ".npy")

    def get_array(self, name: str, *, mapped: bool = False) -> Any:
        """Read an array, or map it read-only so that processes share its memory."""
        return np.load(self.path(name), mmap_mode="r" if mapped else None, allow_pickle=False)
