"""One budget and one table; GPUs are fake ones here."""

from types import SimpleNamespace

import numpy as np
import pytest

from mlestar import memory
from mlestar.memory import budget, device


@pytest.fixture
def gpus(monkeypatch):
    """Two GPUs of 1 GiB made of host memory, behind what stands for the CUDA module."""
    pools = {}

    def shared(number, pinned):
        if number > 1:
            raise ValueError(f"device is {number}, but must be below the 2 that there are")
        return pools.setdefault((number, pinned), memory.DevicePool("fake:1GiB")._core)

    module = SimpleNamespace(
        memory=SimpleNamespace(shared=shared),
        build_info=lambda: {"devices": ("one", "two")},
        __file__="_core_cuda.so",
    )
    for room in ("budget", "device", "adapters"):
        monkeypatch.setattr(f"mlestar.memory.{room}.cuda_module", lambda: module)
    monkeypatch.setattr(budget, "_shared", {})
    return module


def test_one_budget(gpus):
    memory.set_limit("gpu:1", "64MiB")
    pool = memory.pool_of("gpu:1")
    assert pool is memory.pool_of("gpu:1")
    assert pool.limit == 64 * 2**20
    with pytest.raises(memory.OutOfMemoryError):
        pool.allocate("65MiB")
    pool.free(pool.allocate("5MiB", tag="x"))
    memory.pool_of("pinned:0").allocate(100)
    table = memory.statistics()
    assert list(table) == ["cpu", "gpu:0", "pinned:0", "gpu:1"]
    assert table["gpu:1"]["tags"]["x"]["peak"] == 5 * 2**20
    assert table["gpu:0"]["limit"] is None
    memory.set_limit("gpu:1", None)
    assert pool.limit is None


def test_the_hosts_share():
    try:
        memory.set_limit("cpu", "100MiB")
        pool = memory.install()
        with pytest.raises(MemoryError):
            np.ones(20_000_000)
        assert pool.owns(np.ones(1_000_000))
        assert memory.statistics()["cpu"]["limit"] == 100 * 2**20
    finally:
        memory.uninstall()
        memory.set_limit("cpu", None)


def test_errors(gpus, monkeypatch):
    for wrong in ("gpu", "fake:1GiB", 5, "GPU:0"):
        with pytest.raises(ValueError, match="device is"):
            memory.set_limit(wrong, "1GiB")
    with pytest.raises(ValueError, match="below the 2"):
        memory.set_limit("gpu:2", "1GiB")
    with pytest.raises(ValueError, match="limit is 'much'"):
        memory.set_limit("gpu:0", "much")
    monkeypatch.setattr(device, "cuda_module", lambda: None)
    monkeypatch.setattr(budget, "_shared", {})
    with pytest.raises(RuntimeError, match="CUDA module"):
        memory.set_limit("gpu:0", "1GiB")


def test_without_a_gpu_the_table_is_the_hosts(monkeypatch):
    monkeypatch.setattr(budget, "cuda_module", lambda: None)
    assert list(memory.statistics()) == ["cpu"]
