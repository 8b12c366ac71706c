"""Encoders of categories: tables of 20 columns (at the large size, of 1 000 000 rows)."""

from typing import Any

import numpy as np
import sklearn.preprocessing as theirs

import mlestar.preprocessing as ours
from bench.row import Row, bench_rows


def identical(mine: Any, other: Any) -> None:
    """Results agree in type, dtype and every element."""
    assert type(mine) is type(other)
    if hasattr(other, "indptr"):
        for name in ("indptr", "indices", "data"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(other, name))
        return
    assert mine.dtype == other.dtype
    np.testing.assert_array_equal(mine, other)


def fitted(mine: Any, other: Any) -> None:
    """The same categories were found."""
    for one, two in zip(mine.categories_, other.categories_, strict=True):
        np.testing.assert_array_equal(one, two)


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    count = 1_000_000 if n >= 2_000_000 else max(50, n // 20)
    whole = rng.integers(0, 100, (count, 20))
    real = whole * 0.5
    few = rng.integers(0, 8, (count, 20))
    words = np.array([f"category {i}" for i in range(100)])[whole[:, :4]]
    objects = words.astype(object)
    narrow = few[: max(50, count // 10)]  # dense ones are eight times as wide
    labels = rng.integers(0, 50, n)

    def fit(name: str, what: str, data: Any, **options: Any) -> Row:
        return Row(
            f"{name} fit{what}",
            n,
            lambda: getattr(ours, name)(**options).fit(data),
            {"scikit-learn": lambda: getattr(theirs, name)(**options).fit(data)},
            data.nbytes,
            name,
            same=fitted,
        )

    def transform(name: str, what: str, data: Any, into: bool = False, **options: Any) -> Row:
        mine, other = (getattr(m, name)(**options).fit(data) for m in (ours, theirs))
        out = {"out": np.empty_like(other.transform(data))} if into else {}
        return Row(
            f"{name} transform{what}",
            n,
            lambda: mine.transform(data, **out),
            {"scikit-learn": lambda: other.transform(data)},
            data.nbytes * 2,
            name,
            same=identical,
        )

    return [
        fit("OrdinalEncoder", ", integers", whole),
        fit("OrdinalEncoder", ", strings", words),
        transform("OrdinalEncoder", ", integers", whole),
        transform("OrdinalEncoder", " into out, integers", whole, into=True),
        transform("OrdinalEncoder", ", floats", real),
        transform("OrdinalEncoder", ", strings", words),
        transform("OrdinalEncoder", ", strings as objects", objects),
        transform("OneHotEncoder", ", integers", few),
        transform("OneHotEncoder", ", rare ones together", whole, max_categories=20),
        transform("OneHotEncoder", ", dense", narrow, sparse_output=False),
        transform("OneHotEncoder", ", dense into out", narrow, into=True, sparse_output=False),
        transform("LabelEncoder", "", labels),
        transform("LabelBinarizer", "", labels),
    ]


test_rows = bench_rows(rows)
