"""The device's pool, on a device made of host memory; tests/cpp has the streams that take time."""

import sys
import threading

import pytest

from mlestar import _devices
from mlestar.memory import DevicePool, HostPool, OutOfMemoryError

MIB = 2**20


def test_blocks_are_used_again():
    pool = DevicePool("fake:1GiB")
    block = pool.allocate("10MiB", tag="weights")
    assert block % 256 == 0
    assert pool._core.size_of(block) == 10 * MIB
    assert pool.blocks()[0][:3] == (block, 10 * MIB, "weights")
    pool.free(block)
    assert pool.allocate(10 * MIB, stream=7) == block
    pool.free(block, stream=7)
    now = pool.statistics()
    assert (now["hits"], now["misses"], now["blocks"]) == (1, 1, 0)
    assert pool.trim() == now["cached"] == now["held"]
    pool.reset_peaks()
    assert pool.statistics()["peak"] == 0


def test_one_shape_of_statistics():
    assert DevicePool("fake:1GiB").statistics().keys() == HostPool().statistics().keys()


def test_wrong_frees_are_errors():
    pool = DevicePool("fake:1GiB")
    block = pool.allocate(100)
    pool.free(block)
    for wrong in (block, 0, block + 256):
        with pytest.raises(ValueError, match="freed before"):
            pool.free(wrong)


def test_a_full_device_says_who_holds_it():
    pool = DevicePool("fake:128MiB")
    model = pool.allocate("100MiB", tag="model")
    with pytest.raises(OutOfMemoryError, match="100.0 MiB 'model'") as caught:
        pool.allocate("64MiB")
    assert caught.value.requested == 64 * MIB
    assert caught.value.holders[0][:3] == (model, 100 * MIB, "model")
    assert pool.statistics()["failures"] == 1


def test_somebody_is_asked_before_it_fails():
    pool = DevicePool("fake:128MiB")
    spilled = [pool.allocate("60MiB"), pool.allocate("60MiB")]
    asked = []

    def spill(nbytes):
        asked.append(nbytes)
        pool.free(spilled.pop())
        return bool(spilled)

    pool.on_exhausted(spill)
    block = pool.allocate("50MiB")
    assert asked == [50 * MIB]
    pool.free(block)
    pool.on_exhausted(None)
    with pytest.raises(OutOfMemoryError):
        pool.allocate("100MiB")
    assert len(asked) == 1


def test_a_callback_that_fails_is_no(monkeypatch):
    said = []
    monkeypatch.setattr(sys, "unraisablehook", lambda row: said.append(row.exc_value))
    pool = DevicePool("fake:128MiB")

    def broken(nbytes):
        raise KeyError(nbytes)

    pool.on_exhausted(broken)
    with pytest.raises(OutOfMemoryError):
        pool.allocate("200MiB")
    assert [type(error) for error in said] == [KeyError]


def test_limits():
    pool = DevicePool("fake:1GiB", "64MiB", keep="64MiB")
    assert (pool.limit, pool.keep) == (64 * MIB, 64 * MIB)
    with pytest.raises(OutOfMemoryError, match="the limit is reached"):
        pool.allocate("65MiB")
    pool.limit = None
    pool.free(pool.allocate("65MiB"))
    assert pool.statistics()["cached"] == 0  # one segment of more than may be kept
    pool.limit = "1MiB"
    assert pool.limit == MIB
    pool.keep = 0
    assert "limit 1.0 MiB" in repr(pool)


def test_threads():
    pool = DevicePool("fake:1GiB")

    def work(stream):
        for size in range(1, 200):
            pool.free(pool.allocate(size * 10_000, stream), stream)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now = pool.statistics()
    assert (now["in_use"], now["frees"]) == (0, 4 * 199)


@pytest.mark.parametrize(
    "device", ["cpu", "gpu", "gpu:", "gpu:-1", "gpu:x", "tpu:0", 3, None, "fake:"]
)
def test_devices_are_checked(device):
    with pytest.raises(ValueError, match="device is"):
        DevicePool(device)


def test_arguments_are_checked(monkeypatch):
    with pytest.raises(ValueError, match="limit is 0"):
        DevicePool("fake:1GiB", 0)
    pool = DevicePool("fake:1GiB")
    with pytest.raises(ValueError, match="nbytes is -1"):
        pool.allocate(-1)
    with pytest.raises(ValueError, match="callback is 5"):
        pool.on_exhausted(5)
    with pytest.raises(ValueError, match="must be a GPU"):
        DevicePool.shared("fake:1GiB")
    monkeypatch.setattr("mlestar.memory.device.cuda_module", lambda: None)
    with pytest.raises(RuntimeError, match="CUDA module"):
        DevicePool("gpu:0")


def test_a_device_that_is_not_there():
    module = _devices.cuda_module()
    if module is None:
        pytest.skip("no CUDA module")
    count = len(module.build_info()["devices"])
    with pytest.raises(ValueError, match=f"device is {count}"):
        DevicePool(f"gpu:{count}")
