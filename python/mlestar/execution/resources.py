"""What a machine has, and what each fit may take of it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mlestar._native import _core


@dataclass(frozen=True)
class ResourceManager:
    """Cores and memory to hand out.

    Attributes
    ----------
    cores : int
        Cores of this machine that the process may use.
    memory_bytes : int
        Memory of this machine, within the cgroup's limit.

    Examples
    --------
    >>> from mlestar.execution import ResourceManager
    >>> machine = ResourceManager.detect()
    >>> machine.cores >= 1 and machine.memory_bytes > 0
    True
    >>> ResourceManager(cores=8, memory_bytes=2**34).workers(threads=2)
    4
    """

    cores: int
    memory_bytes: int

    @classmethod
    def detect(cls) -> ResourceManager:
        """What this machine leaves to this process."""
        from joblib import cpu_count

        memory = _core.memory.room()[0]  # the least of the machine and its cgroups
        if not memory:
            memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return cls(cores=max(1, int(cpu_count())), memory_bytes=memory)

    def workers(self, threads: int) -> int:
        """Processes of `threads` threads each that fill the cores."""
        return max(1, self.cores // max(1, threads))
