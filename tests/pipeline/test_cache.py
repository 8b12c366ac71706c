import errno
import multiprocessing
import os
import time

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from mlestar import CacheManager
from mlestar.exceptions import CacheWarning
from mlestar.pipeline import cache as cache_module


def must_not_run():
    raise AssertionError("computed, though it was kept")


def entries(folder):
    return sorted(folder.glob("*.cached"))


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
        np.array(["a", "bcd"]),
        np.array(["2020-01-01", "NaT"], dtype="datetime64[s]"),
        np.zeros((0, 4)),
        np.array(3.5),
        np.float32(2.5),
        (np.arange(3), {"a": np.ones(2), "b": [1, "x", None, 2.5, True]}),
    ],
    ids=lambda v: type(v).__name__,
)
@pytest.mark.parametrize("mapped", [True, False])
def test_values_come_back(tmp_path, value, mapped):
    cache = CacheManager(tmp_path, mapped=mapped)
    cache.get_or_compute("k", lambda: value)
    got = CacheManager(tmp_path, mapped=mapped).get_or_compute("k", must_not_run)

    def same(one, two):
        assert type(one) is type(two)
        if isinstance(one, np.ndarray | np.generic):
            assert one.dtype == two.dtype
            np.testing.assert_array_equal(one, two)
        elif isinstance(one, list | tuple):
            [same(a, b) for a, b in zip(one, two, strict=True)]
        elif isinstance(one, dict):
            [same(one[k], two[k]) for k in one]
        else:
            assert one == two

    same(value, got)
    if isinstance(got, np.ndarray) and got.size and got.ndim:
        assert got.flags.writeable is not mapped
        assert got.flags.f_contiguous == value.flags.f_contiguous


def test_tables_and_sparse_matrices_come_back(tmp_path):
    pandas = pytest.importorskip("pandas")
    pyarrow = pytest.importorskip("pyarrow")
    sparse = pytest.importorskip("scipy.sparse")
    frame = pandas.DataFrame(
        {"a": [1, 2], "b": ["x", None], "c": pandas.Categorical(["u", "v"])}, index=[5, 6]
    )
    cache = CacheManager(tmp_path)
    cache.put("frame", frame)
    pandas.testing.assert_frame_equal(cache.get("frame"), frame)
    cache.put("arrow", pyarrow.table({"a": [1, None]}))
    assert cache.get("arrow").to_pydict() == {"a": [1, None]}
    matrix = sparse.csr_array(np.eye(3))
    cache.put("sparse", matrix)
    assert (cache.get("sparse") != matrix).nnz == 0


def test_what_has_no_form_is_computed_each_time(tmp_path):
    cache = CacheManager(tmp_path)
    for value in (object(), np.array([object()]), {1: 2}, np.ma.masked_array([1])):
        assert cache.get_or_compute("k", lambda value=value: value) is value
    assert cache.statistics()["refused"] == 4
    assert not entries(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "bit", "header", "empty", "other"])
def test_damaged_entries_are_computed_anew(tmp_path, damage):
    CacheManager(tmp_path).put("k", np.arange(1000.0))
    (path,) = entries(tmp_path)
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[:-200]
    elif damage == "bit":
        data[-100] ^= 1
    elif damage == "header":
        data[50] ^= 1
    elif damage == "empty":
        data = bytearray()
    else:
        data = bytearray(b"x" * 5000)
    path.write_bytes(data)
    cache = CacheManager(tmp_path)
    np.testing.assert_array_equal(cache.get_or_compute("k", lambda: np.arange(3)), np.arange(3))
    assert cache.statistics()["damaged"] == 1
    np.testing.assert_array_equal(cache.get("k"), np.arange(3))


def test_damage_after_the_first_read_is_seen_too(tmp_path):
    cache = CacheManager(tmp_path)
    cache.put("k", np.arange(1000.0))
    assert cache.get("k")[5] == 5
    (path,) = entries(tmp_path)
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    assert cache.get("k") is None


def test_the_least_recently_used_go(tmp_path):
    cache = CacheManager(tmp_path, max_bytes=4000)
    for i in range(3):
        cache.put(f"k{i}", np.full(125, float(i)))
        time.sleep(0.01)
    assert cache.get("k0")[0] == 0
    time.sleep(0.01)
    cache.put("k3", np.full(125, 3.0))
    assert [name in cache for name in ("k0", "k1", "k2", "k3")] == [True, False, True, True]
    statistics = cache.statistics()
    assert statistics["evicted"] == 1
    assert statistics["bytes"] <= 4000
    assert not cache.put("large", np.zeros(1000))
    assert not CacheManager(tmp_path / "none", max_bytes=0).put("k", np.zeros(1))
    cache.clear()
    assert cache.statistics()["entries"] == 0


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    cache = CacheManager(tmp_path)
    cache.put("before", np.arange(3))

    def full(file, tree, buffers):
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cache_module, "write_content", full)
    with pytest.warns(CacheWarning, match="No space left"):
        assert cache.get_or_compute("k", lambda: np.arange(4)).tolist() == [0, 1, 2, 3]
    assert [path.name for path in entries(tmp_path)] == ["before.cached"]
    assert not list(tmp_path.glob("*.part"))
    assert cache.get("before").tolist() == [0, 1, 2]
    assert cache.statistics()["failed"] == 1


def test_parts_of_killed_writers_are_cleared(tmp_path):
    old, new = tmp_path / "old.part", tmp_path / "new.part"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (1, 1))
    CacheManager(tmp_path).put("k", np.arange(3))
    assert not old.exists()
    assert new.exists()


def hammer(folder, seed):
    rng = np.random.default_rng(seed)
    cache = CacheManager(folder, max_bytes=40_000)
    for _ in range(60):
        i = int(rng.integers(8))
        got = cache.get_or_compute(f"k{i}", lambda i=i: np.full(1000, float(i)))
        if not (got == i).all():
            raise SystemExit(1)
    raise SystemExit(0 if cache.statistics()["damaged"] == 0 else 2)


def test_many_processes_share_a_folder(tmp_path):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=hammer, args=(tmp_path, seed)) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    assert sum(path.stat().st_size for path in entries(tmp_path)) <= 40_000


def test_keys_tell_contents_apart(tmp_path):
    pandas = pytest.importorskip("pandas")
    key = CacheManager(tmp_path).key
    big = np.zeros(5000)
    other = big.copy()
    other[2500] = 1  # where repr() shows dots
    path = tmp_path / "file"
    path.write_bytes(b"one")
    first_file = key({}, path)
    path.write_bytes(b"two")
    scale = 2

    def scaled(x):
        return x * scale

    first_function = key(scaled)
    scale = 3
    keys = [
        key({"a": 1}), key({"a": 2}), key({"a": True}), key(["ab"]), key(["a", "b"]), key({}, np.arange(3)),
        key({}, np.arange(3.0)), key({}, np.arange(4).reshape(2, 2)), key({}, big), key({}, other),
        key(big), key(other), key({}, np.array(["a", 1], dtype=object)), key({}, np.array(["a", 2], dtype=object)),
        key({}, pandas.DataFrame({"a": ["x", None]})), key({}, pandas.DataFrame({"b": ["x", None]})),
        key({}, pandas.DataFrame({"a": ["x", "y"]})), key(StandardScaler()), key(StandardScaler(with_mean=False)),
        key(StandardScaler().fit(np.eye(2))), key(lambda x: x + 1), key(lambda x: x + 2), key(np.log), key(np.exp),
        first_file, key({}, path), first_function, key(scaled),
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)
    assert key({"a": 1, "b": 2}) == key({"b": 2, "a": 1})
    assert key({}, np.arange(6.0)) == key({}, np.repeat(np.arange(6.0), 2)[::2])
    with pytest.raises(ValueError, match="no content"):
        key(iter([]))


@pytest.mark.parametrize("name", ["", "../k", "a/b", ".hidden"])
def test_bad_keys(tmp_path, name):
    with pytest.raises(ValueError, match="key is"):
        CacheManager(tmp_path).get(name)


def test_bad_limits():
    with pytest.raises(ValueError, match="max_bytes is -1"):
        CacheManager(max_bytes=-1)
