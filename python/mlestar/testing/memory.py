"""The contract of pools under NumPy: a new one joins by saying how it is made.

A pytest suite; subclass it, name the subclass ``Test...`` and write `make`.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
import weakref
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from mlestar.exceptions import OutOfMemoryError
from mlestar.memory import use

__all__ = ["HostPoolContract"]

_MIB = 2**20


class HostPoolContract(ABC):
    """What every pool that `mlestar.memory.use` takes promises."""

    # Bytes of a block, above the pool's threshold.
    size = 6 * _MIB

    @abstractmethod
    def make(self, **options: Any) -> Any:
        """A pool of its own; `limit` is the one option."""

    def array(self, value: int = 1, size: int | None = None) -> Any:
        """An array of the pool in use."""
        return np.full(self.size if size is None else size, value, np.uint8)

    def test_large_arrays_are_the_pools(self) -> None:
        """Large ones within the scope, and nothing else."""
        pool = self.make()
        with use(pool) as entered:
            assert entered is pool
            large, small = self.array(), np.ones(3)
        outside = self.array()
        assert pool.owns(large)
        assert not pool.owns(small)
        assert not pool.owns(outside)
        assert large.ctypes.data % 64 == 0
        assert pool.statistics()["in_use"] == large.nbytes
        del large
        assert pool.statistics()["in_use"] == 0

    def test_what_is_freed_is_used_again(self) -> None:
        """The second array of a size costs no page."""
        pool = self.make()
        with use(pool):
            for _ in range(4):
                self.array()
        now = pool.statistics()
        assert (now["hits"], now["misses"], now["blocks"]) == (3, 1, 0)
        assert pool.trim() > 0
        assert pool.statistics()["held"] == 0

    def test_arrays_outlive_scope_and_pool(self) -> None:
        """The last array, not the last name of the pool, is the pool's end."""
        pool = self.make()
        with use(pool):
            array = self.array(7)
        view = array[::2]
        core = weakref.ref(pool)
        del pool, array
        gc.collect()
        assert core() is None
        assert int(view.min()) == int(view.max()) == 7

    def test_zeros_are_zeros(self) -> None:
        """Also where somebody else's numbers were."""
        pool = self.make()
        with use(pool):
            for _ in range(3):
                array = np.zeros(self.size, np.uint8)
                assert pool.owns(array)
                assert not array.any()
                array[:] = 255
                del array

    def test_resizing(self) -> None:
        """Values stay, from NumPy's memory into the pool's sizes and within the pool."""
        pool = self.make()
        with use(pool):
            for start in (10, self.size):
                array = np.arange(start, dtype=np.int64)
                for size in (self.size, 2 * self.size, self.size // 2, 5):
                    array.resize(size, refcheck=False)
                    kept = min(start, size, 5)
                    assert array[:kept].tolist() == list(range(kept))
                del array
        assert pool.statistics()["in_use"] == 0

    def test_nested_scopes(self) -> None:
        """The innermost is meant; an error leaves the one before."""
        one, two = self.make(), self.make()
        with use(one):
            try:
                with use(two):
                    inner = self.array()
                    raise KeyError
            except KeyError:
                outer = self.array()
        assert two.owns(inner)
        assert one.owns(outer)
        scope = use(one)  # one may be entered again, even within itself
        with scope, scope:
            pass
        assert not one.owns(self.array())

    def test_tags(self) -> None:
        """Counted by name."""
        pool = self.make()
        with use(pool, tag="left"):
            left = self.array()
        with use(pool, tag="right"):
            right = [self.array(), self.array()]
        tags = pool.statistics()["tags"]
        assert tags["left"]["in_use"] == left.nbytes
        assert tags["right"]["blocks"] == 2
        del left, right
        tags = pool.statistics()["tags"]
        assert tags["left"] == {"in_use": 0, "peak": self.size, "blocks": 0}
        assert tags["right"]["peak"] == 2 * self.size

    def test_the_limit_is_a_memory_error(self) -> None:
        """NumPy's, and memory that is freed can be had again."""
        pool = self.make(limit=4 * self.size)
        with use(pool):
            array = self.array(3, 3 * self.size)
            try:
                self.array(3, 2 * self.size)
            except MemoryError:
                pass
            else:
                raise AssertionError("more than the limit was given out")
            assert int(array[-1]) == 3
            del array
            assert pool.owns(self.array(3, 4 * self.size))
        assert pool.statistics()["failures"] == 1

    def test_wrong_frees_are_errors(self) -> None:
        """Twice, or of what is none of the pool's."""
        core = self.make()._core
        address = core.allocate(self.size, "")
        core.free(address)
        for wrong in (address, 0, 4096, address + 64, 2**63):
            try:
                core.free(wrong)
            except ValueError:
                continue
            raise AssertionError(f"{wrong} was freed")
        assert core.statistics()["frees"] == 1

    def test_the_error_names_the_holders(self) -> None:
        """The largest first, with tag."""
        pool = self.make(limit=4 * self.size)
        with use(pool, tag="hoard"):
            array = self.array(1, 3 * self.size)
        raised: OutOfMemoryError | None = None
        try:
            pool._core.allocate(2 * self.size, "")
        except OutOfMemoryError as error:
            raised = error
        assert raised is not None
        assert raised.requested == 2 * self.size
        assert [(row[1], row[2]) for row in raised.holders] == [(array.nbytes, "hoard")]
        assert "'hoard'" in str(raised)

    def test_threads(self) -> None:
        """Each enters the pool for itself; freeing is anybody's."""
        pool, plain, made = self.make(), [], []

        scope = use(pool)  # one for all

        def work(value: int) -> None:
            plain.append(pool.owns(self.array()))
            with scope:
                for _ in range(20):
                    array = self.array(value)
                    assert int(array[0]) == int(array[-1]) == value
                made.append(array)

        with scope:
            threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert plain == [False] * 4  # a thread begins with NumPy's default
        assert all(pool.owns(array) for array in made)
        assert len(made) == 4
        made.clear()
        assert pool.statistics()["in_use"] == 0

    def test_contexts(self) -> None:
        """Copies of the context use the pool, tasks keep their own."""
        pool = self.make()
        with use(pool):
            copied = contextvars.copy_context()
            inside = asyncio.run(self._tasks(pool))
        assert pool.owns(copied.run(self.array))
        assert inside == [True, True, False]

    async def _tasks(self, pool: Any) -> list[bool]:
        async def scoped(other: Any) -> bool:
            with use(other):
                await asyncio.sleep(0)
                return bool(pool.owns(self.array()))

        async def plain() -> bool:
            await asyncio.sleep(0)
            return bool(pool.owns(self.array()))

        threaded = asyncio.to_thread(lambda: bool(pool.owns(self.array())))
        return list(await asyncio.gather(plain(), threaded, scoped(self.make())))

    def test_kinds_of_arrays(self) -> None:
        """Whatever makes arrays: ufuncs, copies, pickles, sorting, objects, strings."""
        pool = self.make()
        count = self.size // 8
        with use(pool):
            x = np.arange(count, dtype=np.float64)[::-1].copy()
            y = x + x
            assert pool.owns(x)
            assert pool.owns(y)
            assert np.array_equal(np.sort(x), np.arange(count))
            assert np.argsort(x, kind="stable")[0] == count - 1
            objects = np.array([None] * count)
            objects[5] = "five"
            assert objects.astype(str)[5] == "five"
            fortran = np.asfortranarray(x.reshape(-1, 4))
            assert np.array_equal(fortran.ravel(), x)
        del x, y, objects, fortran
        gc.collect()
        assert pool.statistics()["in_use"] == 0
