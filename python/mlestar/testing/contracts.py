"""Contract suites: a new implementation joins one in a few lines and is held to every promise.

Each class is a pytest suite; subclass it, name the subclass ``Test...`` and write the method that
makes the thing under test.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from mlestar.coordination.base import MemoryStore
from mlestar.coordination.sharing import Lease, Versions, watch
from mlestar.execution.base import Executor
from mlestar.models.base import MLESTARModel, SupervisedModel


class MemoryStoreContract(ABC):
    """What every `MemoryStore` promises."""

    @abstractmethod
    def make(self, folder: Path) -> MemoryStore:
        """A store over a folder; called twice with one folder, two views of the same memory."""

    def open(self, folder: Path) -> MemoryStore:
        """A store that is closed after the test."""
        store = self.make(folder)
        self.__dict__.setdefault("_opened", []).append(store)
        return store

    def teardown_method(self) -> None:
        """Close what the test opened, the last one first."""
        while self.__dict__.get("_opened"):
            self.__dict__["_opened"].pop().close()

    def refused(self, call: Callable[[], object], words: str) -> None:
        """Raise unless a call is a ValueError that says `words`."""
        try:
            call()
        except ValueError as error:
            said = str(error)
        else:
            said = "no ValueError"
        assert words in said

    def test_it_is_a_memory_store(self, tmp_path: Path) -> None:
        """Every method is there."""
        assert isinstance(self.open(tmp_path), MemoryStore)

    def test_round_trip_is_exact(self, tmp_path: Path) -> None:
        """JSON comes back as it went in, seen from elsewhere too."""
        store, other = self.open(tmp_path), self.open(tmp_path)
        values: list[Any] = [
            None,
            True,
            False,
            0,
            -1,
            2**70,
            12345678901234567890,
            0.1,
            1.0,
            -0.0,
            1e-300,
            1.7976931348623157e308,
            "",
            "true",
            "null",
            "007",
            "12345678901234567890",
            "1e400",
            "NaN",
            '"quoted"',
            "j1:",
            '{"s": 1}',
            "\u00e9\u2028\U0001f600\x00\n",
            "\ud800",
            [],
            {"a": [1, {}], "\u00fc": None},
        ]
        for i, value in enumerate(values):
            store.store(f"k{i}", value)
        for i, value in enumerate(values):
            for view in (store, other):
                back = view.retrieve(f"k{i}")
                assert type(back) is type(value)
                assert repr(back) == repr(value)

    def test_a_long_value(self, tmp_path: Path) -> None:
        """Megabytes come back, are replaced, and go."""
        store = self.open(tmp_path)
        value = {"text": "\u00e9x" * 400_000, "list": list(range(1_000))}
        store.store("long", value)
        assert store.retrieve("long") == value
        store.store("long", [*range(300_000)])
        assert store.retrieve("long") == [*range(300_000)]
        store.store("long", "short")
        assert store.retrieve("long") == "short"
        assert store.namespaces() == ["default"]
        assert store.delete("long")
        assert store.list() == []

    def test_what_is_no_json_is_refused(self, tmp_path: Path) -> None:
        """NaN, infinity, tuples, keys that are no strings and objects; nothing is written."""
        store = self.open(tmp_path)
        store.store("kept", 1)
        for bad in (float("nan"), [float("inf")], object(), {1, 2}, (1, 2), {1: 2}, b"x"):
            self.refused(lambda b=bad: store.store("kept", b), "value is not JSON")  # type: ignore[misc]
            self.refused(lambda b=bad: store.store_once("new", b), "value is not JSON")  # type: ignore[misc]
        assert store.list() == ["kept"]
        assert store.retrieve("kept") == 1

    def test_names_that_a_store_would_mangle_are_refused(self, tmp_path: Path) -> None:
        """The error names the argument; what was there stays."""
        store = self.open(tmp_path)
        for key in ("", "a:b", "a b", "../a", "a/../b", "\u00e9", "-a", "a\n", "x" * 513):
            self.refused(lambda k=key: store.store(k, 1), "key is")  # type: ignore[misc]
            self.refused(lambda k=key: store.claim(k, "o", seconds=1), "key is")  # type: ignore[misc]
            self.refused(lambda k=key: store.retrieve(k), "key is")  # type: ignore[misc]
        for namespace in ("", "a/b", "a b", "a:b", "-a", "x" * 129):
            self.refused(lambda n=namespace: store.store("k", 1, namespace=n), "namespace is")  # type: ignore[misc]
            self.refused(lambda n=namespace: store.list(namespace=n), "namespace is")  # type: ignore[misc]
        for seconds in (0, -1, float("nan"), float("inf"), "1"):
            self.refused(
                lambda s=seconds: store.store("k", 1, seconds=s),  # type: ignore[misc]
                "seconds is",
            )
        self.refused(lambda: store.store("k", 1, tags=[""]), "tags holds")
        self.refused(lambda: store.search("k", limit=0), "limit is")
        assert store.namespaces() == []

    def test_a_key_that_is_not_there(self, tmp_path: Path) -> None:
        """KeyError to read, False to delete."""
        store = self.open(tmp_path)
        try:
            store.retrieve("nothing")
        except KeyError:
            pass
        else:
            raise AssertionError("no KeyError")
        assert store.delete("nothing") is False

    def test_namespaces_list_search_delete(self, tmp_path: Path) -> None:
        """Keys live in namespaces; they are listed by prefix and found by text and tag."""
        store = self.open(tmp_path)
        store.store("run/1", "apple", namespace="a", tags=["fruit", "red"])
        store.store("run/2", "p\u00e4ar", namespace="a", tags=["fruit"])
        store.store("run_3", "stone", namespace="a")
        store.store("run/1", 3, namespace="b")
        assert store.namespaces() == ["a", "b"]
        assert store.list(namespace="a", prefix="run/") == ["run/1", "run/2"]
        assert store.list(namespace="a", prefix="run/2") == ["run/2"]
        assert sorted(store.stamps(namespace="a", prefix="run/")) == ["run/1", "run/2"]
        assert store.search("red", namespace="a") == [("run/1", "apple")]
        assert store.search("\u00e4", namespace="a") == [("run/2", "p\u00e4ar")]
        assert store.search("p\u00e4ar", namespace="b") == []
        assert [k for k, _ in store.search(namespace="a", tags=["fruit"])] == ["run/1", "run/2"]
        assert [k for k, _ in store.search(namespace="a", tags=["red", "fruit"])] == ["run/1"]
        assert store.search("pple", namespace="a", tags=["red"], limit=1) == [("run/1", "apple")]
        assert store.delete("run/1", namespace="a")
        assert store.list(namespace="a") == ["run/2", "run_3"]
        assert store.retrieve("run/1", namespace="b") == 3

    def test_written_once(self, tmp_path: Path) -> None:
        """The first value stays, until it is deleted or its time is over."""
        first, second = self.open(tmp_path), self.open(tmp_path)
        assert first.store_once("k", 1)
        assert not second.store_once("k", 2)
        assert second.retrieve("k") == 1
        assert second.delete("k")
        assert first.store_once("k", 3, seconds=0.2)
        assert not second.store_once("k", 4)
        time.sleep(0.25)
        assert second.store_once("k", 4)
        assert first.retrieve("k") == 4

    def test_a_value_is_gone_after_its_time(self, tmp_path: Path) -> None:
        """From every answer."""
        store = self.open(tmp_path)
        store.store("brief", "word", seconds=0.3, tags=["t"])
        store.store("kept", "word", seconds=60)
        assert store.retrieve("brief") == "word"
        time.sleep(0.35)
        assert store.list() == ["kept"]
        assert store.search("word") == [("kept", "word")]
        assert "brief" not in store.stamps()
        assert store.delete("brief") is False
        try:
            store.retrieve("brief")
        except KeyError:
            pass
        else:
            raise AssertionError("no KeyError")
        store.store("brief", "again")
        assert store.retrieve("brief") == "again"

    def test_a_claim_is_one_owners_until_its_lease_is_over(self, tmp_path: Path) -> None:
        """Exclusive, renewable, taken over after its time, given up."""
        first, second = self.open(tmp_path), self.open(tmp_path)
        assert first.claim("task", "a", seconds=0.3)
        assert not second.claim("task", "b", seconds=0.3)
        assert first.claim("task", "a", seconds=0.3)
        assert second.claim("other", "b", seconds=0.3)
        time.sleep(0.35)
        assert second.claim("task", "b", seconds=30)
        assert not first.claim("task", "a", seconds=0.3)
        assert first.release("a", "task") == 0
        assert second.release("b", "task") == 1
        assert first.claim("task", "a", seconds=30)
        assert first.claim("more", "a", seconds=30, namespace="n")
        assert first.release("a") == 2

    def test_of_many_claims_one_wins(self, tmp_path: Path) -> None:
        """Threads that race on two views."""
        views = [self.open(tmp_path), self.open(tmp_path)]
        with ThreadPoolExecutor(8) as pool:
            for key in ("a", "b", "c"):
                won = pool.map(
                    lambda i, k=key: views[i % 2].claim(k, f"owner{i}", seconds=30),
                    range(8),
                )
                assert sum(won) == 1

    def test_a_lease_lives_while_it_is_held(self, tmp_path: Path) -> None:
        """Renewed beyond its time, then free."""
        first, second = self.open(tmp_path), self.open(tmp_path)
        with Lease(first, "task", "a", seconds=0.6) as lease:
            time.sleep(0.9)
            assert not second.claim("task", "b", seconds=1)
            assert not lease.lost
        assert second.claim("task", "b", seconds=1)

    def test_no_update_of_versions_is_lost(self, tmp_path: Path) -> None:
        """Threads that count on two views."""
        views = [self.open(tmp_path), self.open(tmp_path)]

        def count(i: int) -> None:
            versions = Versions(views[i % 2], "counter")
            for _ in range(5):
                versions.update(lambda old: (old or 0) + 1)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(count, range(4)))
        versions = Versions(views[0], "counter")
        assert versions.latest() == (20, 20)
        assert versions.numbers() == list(range(1, 21))
        assert versions.get(7) == 7

    def test_news_are_seen(self, tmp_path: Path) -> None:
        """What is there, what is written elsewhere, and what is written over, each once."""
        first, second = self.open(tmp_path), self.open(tmp_path)
        first.store("t/1", 1)
        first.store("u/1", 1)
        news = watch(first, prefix="t/", seconds=20)
        assert next(news) == ("t/1", 1)
        second.store("t/2", 2)
        assert next(news) == ("t/2", 2)
        second.store("t/1", 3)
        assert next(news) == ("t/1", 3)
        after = first.stamps(prefix="t/")
        assert list(watch(first, prefix="t/", seconds=0.05, after=after)) == []

    def test_another_view_sees_what_was_written(self, tmp_path: Path) -> None:
        """At once: new values, others, and none."""
        first, second = self.open(tmp_path), self.open(tmp_path)
        for value in (1, 2, 3):
            first.store("k", value)
            assert second.retrieve("k") == value
        second.store("k", 4)
        assert first.retrieve("k") == 4
        assert second.delete("k")
        assert first.list() == []


def double(x: int) -> int:
    """Twice x."""
    return 2 * x


def fail(x: int) -> int:
    """Always an error."""
    raise ValueError(f"no {x}")


class ExecutorContract(ABC):
    """What every `Executor` promises."""

    @abstractmethod
    def make(self) -> Executor:
        """A fresh executor."""

    def test_values_come_back_in_order(self) -> None:
        """map keeps the order."""
        with self.make() as executor:
            assert [o.value for o in executor.map(double, range(5))] == [0, 2, 4, 6, 8]

    def test_an_error_is_an_outcome(self) -> None:
        """What a task raises is said, not raised, and the next task runs."""
        with self.make() as executor:
            outcome = executor.submit(fail, 7).outcome()
            assert outcome.status == "failed"
            assert "ValueError: no 7" in outcome.error
            assert executor.submit(double, 1).outcome().value == 2

    def test_put_and_get(self) -> None:
        """A reference gives its value."""
        with self.make() as executor:
            assert executor.get(executor.put([1, 2])) == [1, 2]

    def test_resources(self) -> None:
        """At least one core."""
        with self.make() as executor:
            assert executor.resources.cores >= 1


class ModelContract(ABC):
    """What every `SupervisedModel` promises."""

    @abstractmethod
    def make(self) -> SupervisedModel:
        """An unfitted model of real values."""

    def data(self) -> tuple[Any, Any]:
        """Rows to learn from."""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(60, 3))
        return X, X @ [1.0, -2.0, 0.5] + 1.0

    def test_it_learns(self) -> None:
        """fit returns the model, which then beats the mean."""
        X, y = self.data()
        model = self.make()
        assert isinstance(model, MLESTARModel)
        assert model.fit(X, y) is model
        assert np.shape(model.predict(X)) == (60,)
        assert model.score(X, y) > 0.5

    def test_parameters(self) -> None:
        """Parameters can be read, set and refused."""
        model = self.make()
        params = model.get_params(deep=False)
        assert model.set_params(**params) is model
        try:
            model.set_params(no_such_parameter=1)
        except ValueError as error:
            words = str(error)
        else:
            raise AssertionError("no ValueError")
        assert "no_such_parameter" in words

    def test_it_can_be_cloned(self) -> None:
        """scikit-learn's clone gives an unfitted one with the same parameters."""
        from sklearn.base import clone

        model = self.make()
        copy = clone(model)
        assert type(copy) is type(model)
        assert copy is not model

    def test_saved_and_loaded_it_answers_the_same(self, tmp_path: Path) -> None:
        """To the bit."""
        X, y = self.data()
        model = self.make().fit(X, y)
        path = model.save(tmp_path / "model.skops")
        again = type(model).load(path)
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
