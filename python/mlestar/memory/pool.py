"""The host's pool: large arrays in memory that is kept when they are gone."""

from __future__ import annotations

from contextvars import ContextVar
from types import TracebackType
from typing import Any, NamedTuple

from mlestar._native import _core
from mlestar.memory._sizes import as_bytes, readable

__all__ = ["Block", "HostPool", "default_pool", "install", "uninstall", "use"]

_EVERYTHING = 2**63
# Handlers that the scopes of this context will bring back, so that one scope may be entered by
# several threads and tasks at once.
_entered: ContextVar[tuple[Any, ...]] = ContextVar("mlestar_memory_entered", default=())
_DEFAULT_SHARE = 4  # a quarter of the machine's memory may stay cached


class Block(NamedTuple):
    """A block of a pool that is in use.

    Attributes
    ----------
    address : int
    bytes : int
        As many as were asked for.
    tag : str
    serial : int
        Counts allocations of the pool: the smaller, the older.
    origin : str
        Where it was allocated; empty where the pool did not trace then.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.memory import HostPool, use
    >>> pool = HostPool()
    >>> with use(pool, tag="features"):
    ...     X = np.ones((1_000, 1_000))
    >>> pool.blocks()[0].tag
    'features'
    """

    address: int
    bytes: int
    tag: str
    serial: int
    origin: str


class HostPool:
    """A caching allocator for large blocks of host memory, in huge pages where the system has them.

    A temporary array costs more to get than to fill: the system clears each page and the first
    write to each is a fault. A block that comes from the pool's cache has its pages already.

    Parameters
    ----------
    limit : int or str, optional
        Bytes that the pool may hold, blocks and cache together, as in ``"8GiB"``. Without one, as
        many as there are.
    keep : int or str, optional
        Bytes that stay cached at most; what was freed first is given back first. A quarter of the
        memory that this process may have, if not given. Under memory pressure (less than a
        twentieth of the machine's or the cgroup's memory is left), looked at when the pool is used
        and at most ten times a second, everything cached is given back.
    threshold : int or str, default="4MiB"
        Arrays of fewer bytes are NumPy's own business.
    huge_pages : bool, default=True
        Whether to ask for transparent huge pages.
    debug : bool, default=False
        Red zones around blocks and paint in them: writes past a block, and writes to one that was
        freed, are reported. Slow: every byte is written when a block is made and freed.

    Notes
    -----
    Safe from any thread; a forked child has a pool of its own with the parent's blocks in it.
    Memory is cut in steps of 2 MiB. Arrays keep the pool alive, not the other way round.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.memory import HostPool, use
    >>> pool = HostPool(limit="2GiB")
    >>> with use(pool):
    ...     for _ in range(5):
    ...         X = np.ones(1_000_000)
    >>> pool.statistics()["in_use"], pool.statistics()["hits"] >= 3
    (8000000, True)
    """

    def __init__(
        self,
        limit: int | str | None = None,
        *,
        keep: int | str | None = None,
        threshold: int | str = "4MiB",
        huge_pages: bool = True,
        debug: bool = False,
    ) -> None:
        self._threshold = as_bytes(threshold, "threshold")
        held = _room_share() if keep is None else as_bytes(keep, "keep")
        most = _limit(limit)
        self._core: Any = _core.memory.HostPool(most, held, bool(huge_pages), bool(debug))
        self._debug = bool(debug)
        self._tracing = False

    @property
    def limit(self) -> int | None:
        """Bytes that the pool may hold; None is as many as there are.

        Setting it gives back what is cached beyond it. Less than what is in use may be set: nothing
        more is given out until enough is freed.
        """
        found: int | None = self._core.statistics()["limit"]
        return found

    @limit.setter
    def limit(self, limit: int | str | None) -> None:
        self._core.set_limit(_limit(limit))

    @property
    def keep(self) -> int:
        """Bytes that stay cached at most. Setting it gives back what is cached beyond it."""
        found: int = self._core.keep()
        return found

    @keep.setter
    def keep(self, keep: int | str) -> None:
        self._core.set_keep(as_bytes(keep, "keep"))

    @property
    def threshold(self) -> int:
        """Bytes of the smallest array that comes from the pool."""
        return self._threshold

    @property
    def debug(self) -> bool:
        """Whether the pool looks for writes where there should be none."""
        return self._debug

    @property
    def tracing(self) -> bool:
        """Whether blocks remember the Python code that they come from.

        Blocks made before it is switched on do not. Costs some microseconds for each.
        """
        return self._tracing

    @tracing.setter
    def tracing(self, on: bool) -> None:
        self._core.trace(bool(on))
        self._tracing = bool(on)

    def statistics(self) -> dict[str, Any]:
        """What the pool holds and what it did.

        Returns
        -------
        dict
            In bytes: ``in_use`` and its ``peak``, ``cached``, ``held`` (taken from the system: what
            is in use rounded to 2 MiB, and the cache), ``limit`` (None: none), ``released`` (given
            back, ever). Counts: ``blocks`` in use, ``hits`` (allocations from the cache),
            ``misses``, ``frees``, ``failures`` (refused). ``tags``: of each tag ``in_use``,
            ``peak``, ``blocks``.
        """
        found: dict[str, Any] = self._core.statistics()
        return found

    def reset_peaks(self) -> None:
        """Count peaks anew, from what is in use now."""
        self._core.reset_peaks()

    def blocks(self) -> list[Block]:
        """Blocks in use, the oldest first: what has leaked, if nothing should be.

        Returns
        -------
        list of Block
        """
        return [Block(*row) for row in self._core.blocks()]

    def check(self) -> list[str]:
        """Damage around the blocks in use, in words; always none unless the pool is in debug mode.

        Returns
        -------
        list of str
        """
        found: list[str] = self._core.check()
        return found

    def trim(self, keep: int | str = 0) -> int:
        """Give cached memory back to the system, what was freed first before the rest.

        Parameters
        ----------
        keep : int or str, default=0
            Bytes that may stay cached.

        Returns
        -------
        int
            Bytes given back.
        """
        given: int = self._core.trim(as_bytes(keep, "keep"))
        return given

    def owns(self, array: Any) -> bool:
        """Whether an array's data lies in this pool.

        Parameters
        ----------
        array : ndarray

        Returns
        -------
        bool
        """
        found: bool = self._core.owns(array.__array_interface__["data"][0])
        return found

    def __repr__(self) -> str:
        now = self.statistics()
        most = "" if now["limit"] is None else f", limit {readable(now['limit'])}"
        return f"HostPool({readable(now['in_use'])} in use, {readable(now['cached'])} cached{most})"


class use:  # noqa: N801
    """Make large NumPy arrays in a pool, within a ``with`` block.

    Arrays outlive the block, and the pool's last name: each keeps its memory for as long as it
    lives, and gives it back to the pool it came from. It holds for the calling thread (or task):
    threads that are started inside it use NumPy's own memory, unless they run in a copy of the
    context, as `asyncio.to_thread` does.

    Parameters
    ----------
    pool : HostPool
    tag : str, default=""
        Name under which the pool counts these arrays.

    Raises
    ------
    ValueError
        If `pool` is no pool.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.memory import HostPool, use
    >>> pool = HostPool()
    >>> with use(pool):
    ...     inside = np.zeros((1_024, 1_024))
    >>> pool.owns(inside), pool.owns(np.zeros((1_024, 1_024)))
    (True, False)
    """

    def __init__(self, pool: HostPool, tag: str = "") -> None:
        self._handler = _handler(pool, tag)
        self._pool = pool

    def __enter__(self) -> HostPool:
        before = _core.memory.set_handler(self._handler)
        _entered.set((*_entered.get(), before))
        return self._pool

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        *rest, before = _entered.get()
        _entered.set(tuple(rest))
        _core.memory.set_handler(before)


def install(pool: HostPool | None = None, tag: str = "") -> HostPool:
    """Make large NumPy arrays in a pool from now on, in the calling context and what copies it.

    NumPy keeps its handler in a context variable: threads that are started in another way, and what
    they start, keep NumPy's default, which is never changed. Call it in each thread that is to use
    the pool.

    Parameters
    ----------
    pool : HostPool, optional
        The process's, `default_pool`, if not given.
    tag : str, default=""
        Name under which the pool counts these arrays.

    Returns
    -------
    HostPool

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar import memory
    >>> pool = memory.install()
    >>> pool.owns(np.zeros(1_000_000))
    True
    >>> memory.uninstall()
    >>> pool.owns(np.zeros(1_000_000))
    False
    """
    chosen = default_pool() if pool is None else pool
    _core.memory.set_handler(_handler(chosen, tag))
    return chosen


def uninstall() -> None:
    """Make arrays in NumPy's own memory again, in the calling context.

    Examples
    --------
    >>> from mlestar import memory
    >>> _ = memory.install()
    >>> memory.uninstall()
    """
    _core.memory.set_handler(_core.memory.default_handler())


_pools: dict[str, HostPool] = {}


def default_pool() -> HostPool:
    """The pool of this process, made at first need: what `install` uses and `set_limit` limits.

    Returns
    -------
    HostPool

    Examples
    --------
    >>> from mlestar.memory import default_pool
    >>> default_pool() is default_pool()
    True
    """
    found = _pools.get("cpu")
    # No lock, which a forked child might find held; a pool that is not needed costs nothing.
    return _pools.setdefault("cpu", HostPool()) if found is None else found


def _handler(pool: Any, tag: Any) -> Any:
    if not isinstance(pool, HostPool):
        raise ValueError(f"pool is a {type(pool).__name__}, but must be a HostPool")
    if not isinstance(tag, str):
        raise ValueError(f"tag is {tag!r}, but must be a string")
    return pool._core.handler(tag, pool.threshold)


def _limit(limit: int | str | None) -> int:
    most = 0 if limit is None else as_bytes(limit, "limit")
    if limit is not None and most == 0:
        raise ValueError("limit is 0, but must be positive, or None for no limit")
    return most


def _room_share() -> int:
    total: int = _core.memory.room()[0]
    return total // _DEFAULT_SHARE if total else _EVERYTHING
