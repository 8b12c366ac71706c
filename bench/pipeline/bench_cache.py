"""The cache: keys of data, and results found again, against joblib's."""

import atexit
import shutil
import tempfile
from pathlib import Path

import joblib
import numpy as np

from bench.row import Row, bench_rows
from mlestar import CacheManager


def rows(n: int) -> list[Row]:
    X = np.random.default_rng(0).normal(size=n)
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    cache = CacheManager(folder / "ours")
    key = cache.key({"power": 2}, X)
    expected = cache.get_or_compute(key, lambda: X * X)
    memory = joblib.Memory(folder / "joblib", mmap_mode="r", verbose=0)

    @memory.cache
    def squared(values: np.ndarray) -> np.ndarray:
        return values * values

    squared(X)

    def found() -> np.ndarray:
        return cache.get_or_compute(cache.key({"power": 2}, X), lambda: X * X)

    def same_keys(one: str, two: str) -> None:
        other = X.copy()
        other[n // 2] += 1
        assert cache.key({"power": 2}, other) != one == cache.key({"power": 2}, X.copy())

    def same(one: np.ndarray, two: np.ndarray) -> None:
        np.testing.assert_array_equal(one, expected)
        np.testing.assert_array_equal(two, expected)

    return [
        Row(
            "CacheManager key of an array",
            n,
            lambda: cache.key({"power": 2}, X),
            {"joblib.hash": lambda: joblib.hash(({"power": 2}, X))},
            X.nbytes,
            same=same_keys,
        ),
        Row(
            "CacheManager result found again",
            n,
            found,
            {"joblib.Memory": lambda: squared(X)},
            X.nbytes,
            same=same,
        ),
    ]


test_rows = bench_rows(rows)
