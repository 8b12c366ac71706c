"""The pools of a real GPU and what shares them. Skips, by name, where there is none."""

import numpy as np
import pytest

import mlestar
from mlestar import memory

MIB = 2**20


def _devices():
    cuda = mlestar.build_info()["cuda"]
    return cuda["devices"] if cuda else ()


pytestmark = pytest.mark.skipif(not _devices(), reason="no CUDA module or no GPU")


@pytest.mark.parametrize("device", ["gpu:0", "pinned:0"])
def test_blocks_are_used_again(device):
    pool = memory.DevicePool(device, "256MiB")
    block = pool.allocate("10MiB")
    pool.free(block)
    assert pool.allocate("10MiB") == block
    pool.free(block)
    with pytest.raises(memory.OutOfMemoryError, match="limit"):
        pool.allocate("300MiB")
    with pytest.raises(ValueError, match="freed before"):
        pool.free(block)
    assert pool.trim() > 0
    assert pool.statistics()["held"] == 0


def test_more_than_the_card_has():
    pool = memory.DevicePool("gpu:0")
    with pytest.raises(memory.OutOfMemoryError, match="the system has no more"):
        pool.allocate("1TiB")
    pool.free(pool.allocate("64MiB"))  # the error is gone
    pool.trim()


def test_streams_do_not_disturb_each_other():
    torch = pytest.importorskip("torch")
    cupy = pytest.importorskip("cupy")
    streams = [torch.cuda.Stream() for _ in range(3)]
    pool = memory.DevicePool("gpu:0", "64MiB")
    rng = np.random.default_rng(0)
    wrong = cupy.zeros(1, cupy.int64)
    for step in range(2_000):
        stream = streams[int(rng.integers(3))].cuda_stream
        size = int(rng.integers(1, 20 * MIB))
        with cupy.cuda.ExternalStream(stream):
            address = pool.allocate(size, stream)
            view = cupy.ndarray(
                size,
                cupy.uint8,
                cupy.cuda.MemoryPointer(cupy.cuda.UnownedMemory(address, size, None), 0),
            )
            view.fill(step % 256)
            wrong += (view[::997] != step % 256).sum()
            pool.free(address, stream)
    cupy.cuda.Device().synchronize()
    assert int(wrong) == 0


def test_cupy_shares_the_pool():
    cupy = pytest.importorskip("cupy")
    pool = memory.pool_of("gpu:0")
    before = pool.statistics()["in_use"]
    with cupy.cuda.using_allocator(memory.cupy_allocator()):
        array = cupy.arange(1_000_000)
    assert pool.statistics()["in_use"] == before + array.nbytes
    assert int(array.sum()) == 499_999_500_000
    del array
    assert pool.statistics()["in_use"] == before


def test_torch_shares_the_pool():
    torch = pytest.importorskip("torch")
    pool = memory.pool_of("gpu:0")
    before = pool.statistics()["in_use"]
    with memory.torch_pool() as kept:
        tensor = torch.arange(10_000_000, device="cuda")
    assert pool.statistics()["in_use"] > before
    assert int(tensor.sum()) == 49_999_995_000_000
    del tensor, kept


def test_numba_shares_the_pool(run_python):
    pytest.importorskip("numba.cuda")
    code = (
        "import numpy as np\nfrom mlestar import memory\nmemory.connect('numba')\n"
        "from numba import cuda\narray = cuda.to_device(np.arange(1000))\n"
        "print(memory.statistics()['gpu:0']['in_use'], int(array.copy_to_host().sum()))"
    )
    assert run_python(code).split() == ["8000", "499500"]


def test_the_process_wide_form(run_python):
    pytest.importorskip("torch")
    code = (
        "from mlestar import memory\nmemory.connect('torch')\nimport torch\n"
        "memory.set_limit('gpu:0', '1GiB')\nx = torch.ones(1000, device='cuda')\n"
        "print(memory.statistics()['gpu:0']['in_use'] >= 4000, int(x.sum()))"
    )
    assert run_python(code).split() == ["True", "1000"]
