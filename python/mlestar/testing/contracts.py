"""Contract suites: a new implementation joins one in a few lines and is held to every promise.

Each class is a pytest suite; subclass it, name the subclass ``Test...`` and write the method that
makes the thing under test.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from mlestar.coordination.base import MemoryStore
from mlestar.execution.base import Executor
from mlestar.models.base import MLESTARModel, SupervisedModel


class MemoryStoreContract(ABC):
    """What every `MemoryStore` promises."""

    @abstractmethod
    def make(self, folder: Path) -> MemoryStore:
        """A store over a folder; called twice with one folder, two views of the same memory."""

    def test_round_trip_is_exact(self, tmp_path: Path) -> None:
        """JSON comes back as it went in."""
        store = self.make(tmp_path)
        values: list[Any] = [
            None,
            True,
            0,
            -1,
            2**70,
            0.1,
            1e-300,
            "",
            "true",
            "007",
            "é\u2028",
            [],
            {"a": [1, {}]},
        ]
        for i, value in enumerate(values):
            store.store(f"k{i}", value)
            back = store.retrieve(f"k{i}")
            assert back == value
            assert type(back) is type(value)

    def test_what_is_no_json_is_refused(self, tmp_path: Path) -> None:
        """NaN, infinity and objects are a ValueError, and nothing is written."""
        store = self.make(tmp_path)
        for bad in (float("nan"), float("inf"), object(), {1, 2}):
            try:
                store.store("bad", bad)
            except ValueError:
                continue
            raise AssertionError(f"{bad!r} was stored")
        assert store.list() == []

    def test_a_key_that_is_not_there(self, tmp_path: Path) -> None:
        """KeyError to read, False to delete."""
        store = self.make(tmp_path)
        try:
            store.retrieve("nothing")
        except KeyError:
            pass
        else:
            raise AssertionError("no KeyError")
        assert store.delete("nothing") is False

    def test_namespaces_list_search_delete(self, tmp_path: Path) -> None:
        """Keys live in namespaces; they are listed by prefix and found by text and tag."""
        store = self.make(tmp_path)
        store.store("run/1", "apple", namespace="a", tags=["fruit"])
        store.store("run/2", "pear", namespace="a")
        store.store("run/1", 3, namespace="b")
        assert store.namespaces() == ["a", "b"]
        assert store.list(namespace="a", prefix="run/") == ["run/1", "run/2"]
        assert store.list(namespace="a", prefix="run/2") == ["run/2"]
        assert store.search("fruit", namespace="a") == [("run/1", "apple")]
        assert store.search("pear", namespace="a") == [("run/2", "pear")]
        assert store.search("pear", namespace="b") == []
        assert store.delete("run/1", namespace="a")
        assert store.retrieve("run/1", namespace="b") == 3

    def test_a_claim_is_one_owners_until_its_lease_is_over(self, tmp_path: Path) -> None:
        """Exclusive, renewable, taken over after its time."""
        first, second = self.make(tmp_path), self.make(tmp_path)
        assert first.claim("task", "a", seconds=0.3)
        assert not second.claim("task", "b", seconds=0.3)
        assert first.claim("task", "a", seconds=0.3)
        assert second.claim("other", "b", seconds=0.3)
        time.sleep(0.35)
        assert second.claim("task", "b", seconds=30)
        assert not first.claim("task", "a", seconds=0.3)

    def test_another_view_sees_what_was_written(self, tmp_path: Path) -> None:
        """At once."""
        first, second = self.make(tmp_path), self.make(tmp_path)
        first.store("k", 1)
        assert second.retrieve("k") == 1
        first.store("k", 2)
        assert second.retrieve("k") == 2


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
