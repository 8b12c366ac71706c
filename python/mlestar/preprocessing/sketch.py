"""Quantiles of a stream: batches, merging, a stated error of the rank."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any, Self

import numpy as np

from mlestar._native import _core

_STATE_VERSION = 1


class QuantileSketch:
    """Quantiles of the columns of a stream, in a few hundred kilobytes a column.

    Parameters
    ----------
    seed : int, default=0
        Of the draws that decide which values are kept: the same rows in the same batches and merges
        give the same bits, whatever the number of threads.

    Notes
    -----
    The rank of what `quantiles` gives is off by less than a thousandth of the rows, with a
    probability above 99% for each quantile; up to 8 191 rows it is exact. A KLL sketch (Karnin,
    Lang and Liberty, "Optimal quantile approximation in streams", 2016) whose levels all hold 4 096
    values.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.preprocessing import QuantileSketch
    >>> rows = np.arange(10_001.0).reshape(-1, 1)
    >>> sketch = QuantileSketch().update(rows[:4_000])
    >>> other = QuantileSketch().update(rows[4_000:])
    >>> bool(abs(sketch.merge(other).quantiles(0.5)[0] - 5_000) < 10)
    True
    >>> sketch.n_samples
    array([10001])
    """

    def __init__(self, seed: int = 0) -> None:
        given: Any = seed
        whole = isinstance(given, Integral) and not isinstance(given, bool)
        if not (whole and 0 <= given < 2**63):
            raise ValueError(f"seed is {seed!r}, but must be an integer between 0 and 2**63 - 1")
        self.seed = int(seed)
        self._core: Any = _core.preprocessing.QuantileSketch(self.seed)

    def update(self, X: Any) -> Self:
        """Add rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples,)
            Numbers; one axis is a single column. NaN is missing and passed over.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X holds infinity, is empty, or has another number of columns than what came before;
            nothing changes.
        """
        array = np.asarray(X)
        if array.ndim not in (1, 2) or array.dtype.kind not in "biuf" or not array.size:
            raise ValueError(
                f"X has shape {array.shape} and dtype {array.dtype}, but must be a table of "
                "numbers with at least one row"
            )
        if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
            array = array.astype(np.float64)
        width = 1 if array.ndim == 1 else array.shape[1]
        held = self._core.columns()
        if held not in (0, width):
            raise ValueError(f"X has {width} columns, but must have {held}, as what came before")
        if not self._core.update(np.require(array, requirements="A"), np.nan):
            raise ValueError("X holds infinity, but must hold finite numbers or NaN")
        return self

    def merge(self, other: QuantileSketch) -> Self:
        """Add what another sketch has seen.

        Parameters
        ----------
        other : QuantileSketch
            Of the same columns; it does not change.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If it is none, or of another number of columns.
        """
        if not isinstance(other, QuantileSketch):
            raise ValueError(f"other is a {type(other).__name__}, but must be a QuantileSketch")
        self._core.merge(other._core)
        return self

    @property
    def n_samples(self) -> Any:
        """Values that are not missing, of each column."""
        return self._core.pairs([])[0]

    def quantiles(self, q: Any) -> Any:
        """Values below which a share of each column lies.

        Parameters
        ----------
        q : float or array-like of shape (n_quantiles,)
            Shares, between 0 and 1.

        Returns
        -------
        ndarray of shape (n_features,) or (n_quantiles, n_features), float64
            Interpolated as `numpy.quantile` does; NaN for columns without values.

        Raises
        ------
        ValueError
            If a share lies outside, or nothing has been seen.
        """
        shares = np.atleast_1d(np.asarray(q, dtype=np.float64))
        if shares.ndim != 1 or not ((shares >= 0) & (shares <= 1)).all():
            raise ValueError(f"q is {q!r}, but must hold numbers between 0 and 1")
        if not self._core.columns():
            raise ValueError("nothing has been seen: call update first")
        found = interpolated(self._core.pairs(shares.tolist()), shares)
        return found[0] if np.ndim(q) == 0 else found

    def state_dict(self) -> dict[str, Any]:
        """What has been seen, as plain arrays.

        Returns
        -------
        dict
            ``version``, ``seed``, ``integers`` and ``reals``.
        """
        integers, reals = self._core.state()
        return {
            "version": _STATE_VERSION,
            "seed": self.seed,
            "integers": integers,
            "reals": reals,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> Self:
        """Go on from what `state_dict` gave.

        Parameters
        ----------
        state : mapping

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If it is of another version or seed, or damaged; nothing changes.
        """
        for key, wanted in (("version", _STATE_VERSION), ("seed", self.seed)):
            if state.get(key) != wanted:
                raise ValueError(f"state has {key} {state.get(key)!r}, but must have {wanted!r}")
        try:
            integers, reals = (np.asarray(state[key]) for key in ("integers", "reals"))
        except KeyError as error:
            raise ValueError(f"state lacks {error}, but must be what state_dict() gave") from None
        if integers.dtype != np.int64 or reals.dtype != np.float64 or integers[:1] != self.seed:
            raise ValueError("state is damaged, but must be what state_dict() gave")
        self._core = _core.preprocessing.QuantileSketch.from_state(integers, reals)
        return self

    def __getstate__(self) -> dict[str, Any]:
        return self.state_dict()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["seed"])  # type: ignore[misc]
        self.load_state_dict(state)

    def __repr__(self) -> str:
        return f"QuantileSketch(seed={self.seed})"


def interpolated(pairs: tuple[Any, Any, Any], shares: Any, dtype: Any = np.float64) -> Any:
    """Quantiles from pairs of order statistics, to the bit as `numpy.quantile` has them.

    Parameters
    ----------
    pairs : tuple
        Counts, and the values of shape (n_quantiles, n_features) below and above.
    shares : ndarray of shape (n_quantiles,)
    dtype : dtype, default=float64
        Of the values that the pairs are of; NumPy takes their difference in it.

    Returns
    -------
    ndarray of shape (n_quantiles, n_features)

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones((1, 1))
    >>> interpolated((np.array([3]), one, 3 * one), np.array([0.25])).tolist()
    [[2.0]]
    """
    counts = pairs[0]
    lower, upper = (values.astype(dtype) for values in pairs[1:])
    places = shares[:, None] * (counts - 1)[None, :]
    part = places - np.floor(places)
    difference = upper - lower
    with np.errstate(invalid="ignore", over="ignore"):
        below, above = lower + difference * part, upper - difference * (1 - part)
    return np.where(part >= 0.5, above, below)


def middle_of(pairs: tuple[Any, Any, Any]) -> Any:
    """Medians from pairs of order statistics whose first share is a half.

    Parameters
    ----------
    pairs : tuple
        Counts, and the values of shape (n_quantiles, n_features) below and above.

    Returns
    -------
    ndarray of shape (n_features,)
        The mean of the two in the middle where there are two, as `numpy.median` has it.

    Examples
    --------
    >>> import numpy as np
    >>> middle_of((np.array([4]), np.ones((1, 1)), 3 * np.ones((1, 1)))).tolist()
    [2.0]
    """
    counts, lower, upper = pairs
    return np.where(counts % 2 == 1, lower[0], (lower[0] + upper[0]) / 2)
