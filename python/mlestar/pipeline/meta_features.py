"""What kind of table it is, in a few numbers: one pass over its rows, in batches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

META_FEATURES = (
    "log_rows",
    "log_columns",
    "log_rows_per_column",
    "categories",
    "log_cardinality",
    "missing",
    "columns_with_missing",
    "log_classes",
    "class_entropy",
    "rarest_class",
    "skewness",
    "kurtosis",
    "whole",
    "zeros",
    "correlation",
    "target_correlation",
    "best_target_correlation",
    "linear_fit",
    "target_skewness",
    "target_kurtosis",
)
"""Names of the meta-features, in order; see `MetaFeatures`."""

# Relations between columns are looked at for so many of them, evenly spread, and for so many
# classes: the cost of a row stays bounded.
_MOST_COLUMNS, _MOST_CLASSES = 32, 10
_BATCH = 4096
# Sums of fourth powers must not overflow: of values, and of values over the first batch's spread.
_MOST, _FARTHEST = 1e100, 1e50
_TASKS = ("binary", "multiclass", "regression")


class MetaFeatures:
    """Meta-features of a table, from its rows in one pass.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
    cardinalities : sequence of int
        Categories of each column; 0 for numbers (see `TableSchema.cardinalities`).
    classes : int, default=0
        Number of classes; 0 for regression.

    Raises
    ------
    ValueError
        For arguments that do not fit together.

    Notes
    -----
    The numbers, as Rivolli et al. (Knowledge-Based Systems 240, 2022) have them or nearly so: the
    decimal logarithms of rows, columns and rows per column; the share of columns that are
    categories, and the decimal logarithm of the mean number of these; the share of values, and of
    columns, that are missing; the binary logarithm of the number of classes, the entropy of their
    shares (1 if all are equal), the share of the rarest; the means over columns of numbers of
    log(1 + abs(skewness)) and log(1 + kurtosis); the share of values of numbers that are whole and
    that are 0; the mean absolute correlation of pairs of columns, and of columns with the target
    (with classes: the largest over the classes), and the largest of the latter; the share of the
    target's variance that a linear function of the columns explains (with classes: the mean over
    their indicators); and of a regression's target log(1 + abs(skewness)) and log(1 + kurtosis).

    Correlations and the linear fit go by at most 32 columns of numbers, evenly spread, and ten
    classes. In them a missing value counts as the mean of its column in the first batch. The same
    batches give the same bits; other batches agree but for rounding. Memory does not grow with
    rows.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.pipeline import MetaFeatures
    >>> x = np.arange(100.0)
    >>> found = MetaFeatures("regression", [0]).update(x[:, None], 3 * x + 1).compute()
    >>> found["log_rows"], round(found["linear_fit"], 6), round(found["target_correlation"], 6)
    (2.0, 1.0, 1.0)
    """

    def __init__(self, task: str, cardinalities: Sequence[int], classes: int = 0) -> None:
        if task not in _TASKS:
            raise ValueError(f"task is {task!r}, but must be one of {_TASKS}")
        if (classes < 2) != (task == "regression"):
            raise ValueError(
                f"classes is {classes}, but must be 0 for regression and at least 2 otherwise"
            )
        self._cardinalities = [int(count) for count in cardinalities]
        if not self._cardinalities or min(self._cardinalities) < 0:
            raise ValueError(
                f"cardinalities is {self._cardinalities}, but must hold a number of at least 0 for "
                "each column"
            )
        self._task, self._classes = task, classes
        self._numbers = [i for i, count in enumerate(self._cardinalities) if count == 0]
        step = max(1.0, len(self._numbers) / _MOST_COLUMNS)
        count = min(len(self._numbers), _MOST_COLUMNS)
        self._related = [int(k * step) for k in range(count)]  # places among the numbers
        self._rows = 0
        width = len(self._cardinalities)
        self._missing: Any = np.zeros(width, dtype=np.int64)
        self._present: Any = np.zeros(len(self._numbers), dtype=np.int64)
        self._whole = self._zeros = 0
        self._powers: Any = np.zeros((4, len(self._numbers)))
        self._counts: Any = np.zeros(max(classes, 1), dtype=np.int64)
        targets = min(classes, _MOST_CLASSES) if classes else 1
        size = len(self._related) + targets
        self._sums: Any = np.zeros(size)
        self._products: Any = np.zeros((size, size))
        self._target_powers: Any = np.zeros(4)
        self._center: Any = None
        self._scale: Any = None

    def update(self, X: Any, y: Any) -> MetaFeatures:
        """Take rows in.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            Numbers and category codes; NaN where a value is missing.
        y : array-like of shape (n_rows,)
            Class numbers 0, 1, ..., or values.

        Raises
        ------
        ValueError
            If the shapes do not fit, or `y` holds what is no class or not finite.
        """
        X = np.asarray(X, dtype=np.float64)
        y = np.asarray(y, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != len(self._cardinalities):
            raise ValueError(
                f"X has shape {X.shape}, but must have {len(self._cardinalities)} columns"
            )
        if y.shape != X.shape[:1]:
            raise ValueError(f"y has shape {y.shape}, but X has {len(X)} rows")
        if self._classes:
            if not np.isin(y, np.arange(self._classes)).all():
                raise ValueError(f"y must hold class numbers from 0 to {self._classes - 1}")
        elif not np.isfinite(y).all():
            raise ValueError("y must hold finite values")
        for start in range(0, len(X), _BATCH):
            self._take(X[start : start + _BATCH], y[start : start + _BATCH])
        return self

    def _take(self, X: Any, y: Any) -> None:
        gone = ~np.isfinite(X)
        self._missing += gone.sum(axis=0)
        self._rows += len(X)
        values, gone = np.clip(X[:, self._numbers], -_MOST, _MOST), gone[:, self._numbers]
        if self._center is None:
            self._begin(values, gone, y)
        filled = np.where(gone, self._center[:-1], values)
        self._present += len(X) - gone.sum(axis=0)
        self._whole += int((filled == np.floor(filled))[~gone].sum())
        self._zeros += int((values == 0.0).sum())
        centered = self._standardize(filled, slice(0, -1))
        power = centered.copy()
        for place in range(4):
            self._powers[place] += power.sum(axis=0)
            power *= centered
        if self._classes:
            self._counts += np.bincount(y.astype(np.int64), minlength=self._classes)
            shown = np.arange(min(self._classes, _MOST_CLASSES))
            target = (y[:, None] == shown).astype(np.float64)
        else:
            target = self._standardize(y[:, None], slice(-1, None))
            for place in range(4):
                self._target_powers[place] += (target[:, 0] ** (place + 1)).sum()
        joined = np.column_stack([centered[:, self._related], target])
        self._sums += joined.sum(axis=0)
        # Not by BLAS, whose sums depend on the number of its threads.
        self._products += np.einsum("ij,ik->jk", joined, joined)

    def _standardize(self, values: Any, part: slice) -> Any:
        scaled = (values - self._center[part]) / self._scale[part]
        return np.clip(scaled, -_FARTHEST, _FARTHEST)

    def _begin(self, values: Any, gone: Any, y: Any) -> None:
        """Centers and scales that keep sums of powers exact enough: the first batch's."""
        present = np.maximum(1, len(values) - gone.sum(axis=0))
        zeroed = np.where(gone, 0.0, values)
        center = zeroed.sum(axis=0) / present
        spread = np.sqrt((np.where(gone, 0.0, values - center) ** 2).sum(axis=0) / present)
        y = np.clip(y, -_MOST, _MOST)
        self._center = np.append(center, 0.0 if self._classes else y.mean())
        scale = np.append(spread, 1.0 if self._classes else y.std())
        # What varies no more than rounding does is constant.
        size = np.abs(self._center)
        self._scale = np.where(scale > 1e-12 * size, scale, np.where(size > 0, size, 1.0))

    def compute(self) -> dict[str, float]:
        """The meta-features by name, in the order of `META_FEATURES`; all finite.

        Raises
        ------
        ValueError
            If no row was taken in.
        """
        if not self._rows:
            raise ValueError("there are no rows yet; call update first")
        rows, width = self._rows, len(self._cardinalities)
        categories = [count for count in self._cardinalities if count]
        cells = max(1, int(self._present.sum()))
        skewness, kurtosis = self._shape(self._powers, self._present)
        related, target, fit = self._relations()
        shares = self._counts / rows
        found = {
            "log_rows": math.log10(rows),
            "log_columns": math.log10(width),
            "log_rows_per_column": math.log10(rows / width),
            "categories": len(categories) / width,
            "log_cardinality": math.log10(sum(categories) / len(categories)) if categories else 0.0,
            "missing": float(self._missing.sum()) / (rows * width),
            "columns_with_missing": float((self._missing > 0).mean()),
            "log_classes": math.log2(self._classes) if self._classes else 0.0,
            "class_entropy": _entropy(shares) if self._classes else 0.0,
            "rarest_class": float(shares.min()) if self._classes else 0.0,
            "skewness": _mean(skewness),
            "kurtosis": _mean(kurtosis),
            "whole": self._whole / cells,
            "zeros": self._zeros / cells,
            "correlation": _mean(related),
            "target_correlation": _mean(target),
            "best_target_correlation": float(target.max()) if target.size else 0.0,
            "linear_fit": fit,
            "target_skewness": 0.0,
            "target_kurtosis": 0.0,
        }
        if not self._classes:
            skewness, kurtosis = self._shape(self._target_powers[:, None], np.array([rows]))
            found |= {"target_skewness": _mean(skewness), "target_kurtosis": _mean(kurtosis)}
        return found

    def _shape(self, powers: Any, counts: Any) -> tuple[Any, Any]:
        """log(1 + abs(skewness)) and log(1 + kurtosis) of each column that varies."""
        # What is missing was filled with the center and adds nothing to the powers.
        m1, m2, m3, m4 = powers / np.maximum(counts, 1)
        variance = m2 - m1**2
        kept = variance > 1e-12
        m1, m2, m3, m4, variance = (part[kept] for part in (m1, m2, m3, m4, variance))
        third = m3 - 3.0 * m1 * m2 + 2.0 * m1**3
        fourth = m4 - 4.0 * m1 * m3 + 6.0 * m1**2 * m2 - 3.0 * m1**4
        skewness = np.abs(third) / variance**1.5
        kurtosis = np.maximum(fourth, 0.0) / variance**2
        return np.log1p(skewness), np.log1p(kurtosis)

    def _relations(self) -> tuple[Any, Any, float]:
        """Absolute correlations of pairs of columns, those with the target, and R^2."""
        mean = self._sums / self._rows
        covariance = self._products / self._rows - mean[:, None] * mean
        variance = np.diagonal(covariance).copy()
        spread = np.sqrt(np.where(variance > 1e-12, variance, np.inf))
        correlation = np.clip(covariance / spread[:, None] / spread, -1.0, 1.0)
        count = len(self._related)
        own = np.abs(correlation[:count, :count])
        pairs = own[np.triu_indices(count, 1)]
        target = np.abs(correlation[:count, count:]).max(axis=1, initial=0.0)
        shown = variance[count:] > 1e-12
        explained = 1.0 - _sweep(correlation, count)[count:][shown]
        return pairs, target, float(np.clip(_mean(explained), 0.0, 1.0))


def _sweep(correlation: Any, count: int) -> Any:
    """What the first columns of a correlation matrix leave of the variance of each: shape (n,).

    Gauss-Jordan elimination (the sweep operator; Goodnight, American Statistician 33, 1979), by
    additions and multiplications alone, so that no library's threads change its bits.
    """
    left = correlation.copy()
    for pivot in range(count):
        if left[pivot, pivot] < 1e-7:
            continue  # it follows from those before it
        row = left[pivot].copy()
        left -= np.outer(left[:, pivot] / row[pivot], row)
    return np.maximum(np.diagonal(left), 0.0)


def _entropy(shares: Any) -> float:
    there = shares[shares > 0]
    return float(-(there * np.log(there)).sum() / math.log(max(2, len(shares))))


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else 0.0
