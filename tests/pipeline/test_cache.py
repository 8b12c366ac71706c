import collections
import errno
import functools
import multiprocessing
import operator
import os
import random
import time

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from mlestar import CacheManager
from mlestar.exceptions import CacheWarning
from mlestar.pipeline import cache as cache_module
from mlestar.preprocessing import SimpleImputer


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


def made(source):
    names = {"__name__": "made"}
    exec(source, names)
    return names["f"]


def test_keys_tell_functions_apart(tmp_path):
    key = CacheManager(tmp_path).key

    def with_default(scale):
        def f(x, *, scale=scale):
            return x * scale

        return f

    pairs = [
        (functools.partial(pow, 2), functools.partial(pow, 3)),
        (functools.partial(pow, mod=2), functools.partial(pow, mod=3)),
        (with_default(2), with_default(3)),
        *(
            [made(f"def f(x): return sum({inner.format(n)} for v in x)") for n in (2, 3)]
            for inner in ("v * {}000", "v.real{}()", "(lambda: v * {}000)()")
        ),
        ([1].index, [2].index),
    ]
    for one, two in pairs:
        assert key(one) != key(two)
    assert key(functools.partial(pow, 2)) == key(functools.partial(pow, 2))
    assert key(with_default(2)) == key(with_default(2))


def test_keys_tell_tables_apart(tmp_path):
    pandas = pytest.importorskip("pandas")
    key = CacheManager(tmp_path).key
    frame, series, category = pandas.DataFrame, pandas.Series, pandas.Categorical
    tables = [
        frame({"a": [1.0, 2.0]}), frame({"a": [1.0, 2.0]}, index=[7, 8]), series([1.0, 2.0], name="a"),
        series([1.0, 2.0], index=[7, 8], name="a"), frame({1: [1.0, 2.0]}), frame({"1": [1.0, 2.0]}),
        frame({"a": series([1, "x"], dtype=object)}), frame({"a": series(["1", "x"], dtype=object)}),
        frame({"a": series([1, True], dtype=object)}), frame({"a": series([1, 1], dtype=object)}),
        frame({"a": series(["x", None], dtype=object)}), frame({"a": series(["x", np.nan], dtype=object)}),
        frame({"a": category(["x", "y"], ["x", "y"])}), frame({"a": category(["x", "y"], ["y", "x"])}),
        frame({"a": category(["x", "y"], ["x", "y", "z"])}),
        frame({"a": category(["x", "y"], ["x", "y"], ordered=True)}),
        category(["x"], ["x", "y"]), category(["x"], ["x"]),
        frame({"a": pandas.to_datetime(["2024-01-02"] * 2, utc=True)}),
        frame({"a": pandas.to_datetime(["2024-01-02", "2024-01-02 00:00:00.000000001"], utc=True, format="ISO8601")}),
    ]  # fmt: skip
    keys = [key({}, table) for table in tables]
    assert len(set(keys)) == len(keys)
    assert keys == [key({}, table.copy()) for table in tables]
    with pytest.raises(ValueError, match="column 'a' holds .* a cell is a list"):
        key({}, frame({"a": [[1], [2]]}))


def test_keys_of_objects_that_hold_more_than_they_show(tmp_path):
    key = CacheManager(tmp_path).key

    class Array:
        def __init__(self, values):
            self._hold = lambda: values

        def __array__(self, dtype=None, copy=None):
            return self._hold()

    class Slots:
        __slots__ = ("a",)

    class Pickled:
        def __reduce__(self):
            return (Pickled, ())

    class SlotsBelow(Slots):
        pass

    assert key(Array(np.zeros(3))) != key(Array(np.ones(3)))
    for value in (Slots(), SlotsBelow(), Pickled(), random.Random(1), operator.itemgetter(1)):
        with pytest.raises(ValueError, match="no content"):
            key(value)
    ours = [
        SimpleImputer(),
        SimpleImputer().set_output(transform="pandas"),
        SimpleImputer().fit(np.eye(2)),
    ]
    masked = [np.ma.masked_array([1, 2], mask) for mask in ([0, 0], [0, 1])]
    structured = [
        np.array([(1, 2)], dtype=names) for names in ("i4,i4", [("a", "i4"), ("f1", "i4")])
    ]
    keys = [key(value) for value in (*ours, *masked, *structured)]
    assert len(set(keys)) == len(keys)


def test_keys_of_tensors(tmp_path):
    torch = pytest.importorskip("torch")
    key = CacheManager(tmp_path).key
    assert key(torch.zeros(3)) != key(torch.ones(3))
    assert key(torch.zeros(3, requires_grad=True)) != key(torch.ones(3, requires_grad=True))


def test_what_would_come_back_as_another_is_refused(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    sparse = pytest.importorskip("scipy.sparse")
    cache = CacheManager(tmp_path)
    frames = [
        pandas.DataFrame({"a": [[1], [2]]}),
        pandas.DataFrame({"a": pandas.Series([1, 2], dtype=object)}),
    ]
    for value in (
        collections.namedtuple("Pair", "a b")(1, 2),
        collections.OrderedDict(a=1),
        *frames,
    ):
        assert not cache.put("k", value)
    for value in (
        sparse.csc_matrix(np.eye(3)),
        sparse.csc_array(np.eye(3)),
        sparse.csr_matrix(np.eye(3)),
    ):
        assert cache.put("k", value)
        got = cache.get("k")
        assert type(got) is type(value)
        np.testing.assert_array_equal(got.toarray(), np.eye(3))
    assert not cache.put("k", sparse.coo_array(np.eye(3)))
    frame = pandas.DataFrame(np.ones((2, 2)), index=pandas.MultiIndex.from_arrays([[1, 2], [3, 4]]))
    for value in (frame, frame.reset_index(drop=True)):
        assert cache.put("k", value)
        pandas.testing.assert_frame_equal(cache.get("k"), value)


def test_an_entry_that_cannot_be_read_just_now_stays(tmp_path, monkeypatch):
    cache = CacheManager(tmp_path)
    cache.put("k", np.arange(3))

    def busy(*arguments):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(cache_module, "read_content", busy)
        assert cache.get("k") is None
    assert cache.get("k").tolist() == [0, 1, 2]
    assert cache.statistics()["damaged"] == 0
    with pytest.raises(ValueError, match="key has 300 bytes"):
        cache.get("k" * 300)


@pytest.mark.parametrize("name", ["", "../k", "a/b", ".hidden"])
def test_bad_keys(tmp_path, name):
    with pytest.raises(ValueError, match="key is"):
        CacheManager(tmp_path).get(name)


def test_bad_limits():
    with pytest.raises(ValueError, match="max_bytes is -1"):
        CacheManager(max_bytes=-1)
