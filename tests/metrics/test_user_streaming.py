"""Users' metrics of rows that come in batches: in memory, and on disk."""

import errno
import os

import numpy as np
import pytest

from mlestar.metrics.streaming import MeanSquaredError, MetricCollection, UserMetric
from mlestar.testing import StreamingMetricContract

pytest.importorskip("numba")
from metrics.test_user import in_python, rows
from reference import user_metrics as user


class TestStreaming(StreamingMetricContract):
    # The value is of the rows in the order in which they came.
    batching_rtol = weighted_batching_rtol = 1e-12

    def make(self):
        return UserMetric(user.cost)

    def batch(self, rng, n):
        y = rng.normal(size=n)
        return y, y + rng.normal(size=n)

    def reference(self, y_true, y_pred, sample_weight):
        return in_python(user.cost)(y_true, y_pred, sample_weight)


class TestStreamingSpilled(TestStreaming):
    def make(self):
        return UserMetric(user.cost, memory_limit=4096)


def test_spilled_rows_give_the_same_bits(tmp_path):
    y, p, _, w = rows(5_000)
    spilled = UserMetric(user.cost, memory_limit=20_000, spill_dir=tmp_path)
    held = UserMetric(user.cost)
    for at in range(0, 5_000, 300):
        part = slice(at, at + 300)
        weights = w[part] if at > 2_000 else None
        spilled.update(y[part], p[part], weights)
        held.update(y[part], p[part], weights)
        assert spilled.bytes_in_memory <= 20_000
    assert spilled.compute() == held.compute()
    assert held.bytes_in_memory > 20_000
    assert list(tmp_path.iterdir()) == []  # the files have no name
    spilled.update(y[:10], p[:10])  # after they were read
    held.update(y[:10], p[:10])
    merged = UserMetric(user.cost, memory_limit=20_000, spill_dir=tmp_path).merge(spilled)
    assert merged.compute() == spilled.compute() == held.compute()
    assert merged.n_samples == 5_010
    spilled.reset()
    assert spilled.n_samples == spilled.bytes_in_memory == 0


def test_a_full_disk_leaves_the_rows_there_were(tmp_path, monkeypatch):
    y, p, _, w = rows(1_000)
    metric_ = UserMetric(user.cost, memory_limit=4096, spill_dir=tmp_path)
    metric_.update(y[:300], p[:300])
    before = metric_.compute()
    other = UserMetric(user.cost, memory_limit=4096, spill_dir=tmp_path)
    for at in range(0, 1_000, 100):
        other.update(y[at : at + 100], p[at : at + 100])
    write, writes = os.pwrite, []

    def full(descriptor, data, at):
        if not writes:
            raise OSError(errno.ENOSPC, "No space left on device")
        writes.pop()
        return write(descriptor, data, at)

    monkeypatch.setattr(os, "pwrite", full)
    large = np.tile(y, 3), np.tile(p, 3), np.tile(w, 3)
    for change in (lambda: metric_.update(*large), lambda: metric_.merge(other)):
        for good in range(3):  # writes before the disk is full: in the middle of a batch, too
            writes[:] = [True] * good
            with pytest.raises(OSError, match=r"cannot write a temporary file in '.*No space"):
                change()
            assert metric_.n_samples == 300
    monkeypatch.setattr(os, "pwrite", write)
    assert metric_.compute() == before
    with pytest.raises(ValueError, match="memory_limit is 10, but must be None or at least 4096"):
        UserMetric(user.cost, memory_limit=10)
    with pytest.raises(OSError, match="nowhere"):
        UserMetric(user.cost, memory_limit=4096, spill_dir=tmp_path / "nowhere").update(y, p)


def test_a_forked_process_writes_to_files_of_its_own():
    y, p, _, _ = rows(1_000)
    metric_, alone = UserMetric(user.cost, memory_limit=4096), UserMetric(user.cost)
    metric_.update(y, p)
    child = os.fork()
    if child == 0:
        metric_.update(p, y)
        os._exit(0)
    os.waitpid(child, 0)
    metric_.update(y, p)
    for _ in range(2):
        alone.update(y, p)
    assert metric_.compute() == alone.compute()


def test_streaming_keeps_copies_and_mixes_weights():
    y, p, q, w = rows(30)
    metric_ = UserMetric(user.cost)
    buffer = p.copy()
    metric_.update(y, buffer)
    buffer[:] = 0
    assert metric_.compute() == user.cost(y, p)
    metric_.update(y, q, w)
    both = np.append(y, y), np.append(p, q), np.append(np.ones(30), w)
    assert metric_.compute() == user.cost(*both)
    assert metric_.state_dict()["parameters"]["metric"] == f"{user.__name__}:cost"
    other = UserMetric(user.mean_absolute)
    with pytest.raises(ValueError, match="state has the parameters"):
        other.load_state_dict(metric_.state_dict())
    with pytest.raises(ValueError, match="other has the parameters"):
        other.merge(metric_)
    for damage in (
        {"integers": np.array([30, 1])},
        {"reals": np.ones(7)},
        {"integers": np.array([60, 2])},
    ):
        with pytest.raises(ValueError, match="state is damaged"):
            metric_.load_state_dict({**metric_.state_dict(), **damage})
    metric_.load_state_dict(UserMetric(user.cost).state_dict())
    assert metric_.n_samples == 0


def test_streaming_in_a_collection():
    y, p, _, _ = rows(30)
    both = MetricCollection({"cost": UserMetric(user.cost), "mse": MeanSquaredError()})
    both.update(y[:10], p[:10])
    both.update(y[10:], p[10:])
    assert both.compute()["cost"] == user.cost(y, p)
    with pytest.raises(TypeError, match="metric is 'rmse'"):
        UserMetric("rmse")
    streamed = UserMetric(user.no_sevens)
    streamed.update([7.0], [1.0])
    with pytest.raises(LookupError, match="a seven"):
        streamed.compute()
