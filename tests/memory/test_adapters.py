"""Adapters, with libraries and a CUDA module that only look real; tests/cuda has the real ones."""

import contextlib
import gc
import sys
from types import ModuleType, SimpleNamespace

import pytest

from mlestar import memory
from mlestar.memory import adapters, budget


@pytest.fixture
def pool(monkeypatch):
    """The pool of gpu:0, made of host memory."""
    fake = memory.DevicePool("fake:1GiB")
    module = SimpleNamespace(
        memory=SimpleNamespace(shared=lambda number, pinned: fake._core),
        build_info=lambda: {"devices": ("one",)},
        __file__="core.so",
    )
    for room in ("budget", "device", "adapters"):
        monkeypatch.setattr(f"mlestar.memory.{room}.cuda_module", lambda: module)
    monkeypatch.setattr(budget, "_shared", {})
    monkeypatch.setattr(adapters, "_kept", {})
    return fake


@pytest.fixture
def fake_module(monkeypatch):
    """Puts a module of that name and content where imports find it."""

    def put(name, **content):
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return put


class FunctionAllocator:
    """As CuPy's: two functions, and memory that is freed with its pointer."""

    def __init__(self, allocate, free):
        self.functions = allocate, free

    def malloc(self, size):
        allocate, free = self.functions
        address = allocate(size, 0)
        pointer = SimpleNamespace(ptr=address)
        return SimpleNamespace(pointer=pointer, free=lambda: free(address, 0))


def test_cupy(pool, fake_module):
    installed = []
    cuda = SimpleNamespace(
        get_current_stream=lambda: SimpleNamespace(ptr=5),
        PythonFunctionAllocator=FunctionAllocator,
        set_allocator=installed.append,
    )
    fake_module("cupy", cuda=cuda)
    memory.connect("cupy")
    memory.set_limit("gpu:0", "64MiB")
    block = installed[0](1000)
    assert pool.statistics()["tags"]["cupy"]["in_use"] == 1000
    with pytest.raises(memory.OutOfMemoryError):
        installed[0](10**9)
    block.free()
    assert pool.statistics()["in_use"] == 0
    adapters._kept["cupy"].functions[1](0, 0)  # of an array without elements


def test_torch(pool, fake_module):
    made, current, used = [], [], []

    class Pluggable:
        def __init__(self, *arguments):
            made.append(arguments)

        def allocator(self):
            return "allocator"

    @contextlib.contextmanager
    def use_mem_pool(mem_pool, device):
        used.append((mem_pool, device))
        yield

    module = fake_module(
        "torch.cuda.memory",
        CUDAPluggableAllocator=Pluggable,
        change_current_allocator=current.append,
    )
    cuda = fake_module(
        "torch.cuda", memory=module, MemPool=lambda a: ("pool", a), use_mem_pool=use_mem_pool
    )
    fake_module("torch", cuda=cuda)
    memory.connect("torch")
    assert isinstance(current[0], Pluggable)
    with memory.torch_pool(device=0) as mem_pool:
        assert mem_pool == ("pool", "allocator")
    assert used == [(("pool", "allocator"), 0)]
    assert made == [("core.so", "mlestar_device_allocate", "mlestar_device_free")]


def test_numba(pool, monkeypatch):
    cuda = pytest.importorskip("numba.cuda")
    chosen = []
    monkeypatch.setattr(cuda, "set_memory_manager", chosen.append)
    memory.connect("numba")
    manager = chosen[0](context=SimpleNamespace(device=SimpleNamespace(id=0)))
    assert manager.interface_version == 1
    block = manager.memalloc(5000)
    assert block.device_pointer.value in [row.address for row in pool.blocks()]
    assert block.size == 5000
    with pytest.raises(NotImplementedError):
        manager.get_memory_info()
    memory.set_limit("gpu:0", "64MiB")
    assert manager.get_memory_info().total == 64 * 2**20
    del block
    gc.collect()
    assert pool.statistics()["in_use"] == 0


def test_what_is_missing_is_said(pool, monkeypatch):
    for library, extra in (("torch", "torch"), ("cupy", "cuda"), ("numba", "numba")):
        with monkeypatch.context() as patch:
            for name in [m for m in sys.modules if m.split(".")[0] == library]:
                patch.delitem(sys.modules, name)
            patch.setattr(sys, "meta_path", [Missing(library), *sys.meta_path])
            with pytest.raises(ImportError, match=rf"mlestar\[{extra}\]"):
                memory.connect(library)
    with pytest.raises(ValueError, match="library is 'jax'"):
        memory.connect("jax")


class Missing:
    """A library that is not installed."""

    def __init__(self, name):
        self.name = name

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == self.name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_torch_needs_cuda(pool, fake_module, monkeypatch):
    class Pluggable:
        def __init__(self, *arguments):
            raise AttributeError("module 'torch._C' has no attribute '_cuda_customAllocator'")

    module = fake_module(
        "torch.cuda.memory", CUDAPluggableAllocator=Pluggable, change_current_allocator=print
    )
    fake_module("torch", cuda=fake_module("torch.cuda", memory=module))
    with pytest.raises(RuntimeError, match="a PyTorch with CUDA"):
        memory.connect("torch")
    monkeypatch.setattr(adapters, "cuda_module", lambda: None)
    with pytest.raises(RuntimeError, match="CUDA module"):
        memory.connect("torch")
