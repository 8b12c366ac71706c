"""What a resample draws: rows or groups of rows, within strata or not, and from which seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Codes = NDArray[np.int64]


def seed_of(random_state: Any) -> int:
    """64 bits of what scikit-learn takes for a `random_state`, or of a NumPy Generator.

    None draws from NumPy's global state, as scikit-learn does; an int gives the same in every call.
    """
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(0, 2**64, dtype=np.uint64))
    if random_state is None or random_state is np.random:
        state: Any = np.random.mtrand._rand
    elif isinstance(random_state, np.random.RandomState):
        state = random_state
    elif isinstance(random_state, int | np.integer) and not isinstance(random_state, bool):
        if not 0 <= random_state < 2**32:
            raise ValueError(
                f"random_state is {random_state}, but must lie between 0 and 2**32 - 1"
            )
        state = np.random.RandomState(int(random_state))
    else:
        raise ValueError(
            f"random_state is {random_state!r}, but must be None, an int, a "
            "numpy.random.RandomState or a numpy.random.Generator"
        )
    high, low = state.randint(0, 2**32, size=2, dtype=np.uint64).tolist()
    return int(high) << 32 | int(low)


@dataclass(frozen=True)
class Design:
    """Units that are drawn together, and the strata they are drawn within.

    Units are numbered by stratum. `unit_of_row` is None where every row is a unit of the one
    stratum; `by_label` where the strata are the labels and every row is a unit; `grouped` where a
    unit may hold several rows.
    """

    sizes: list[int]
    seed: int
    unit_of_row: NDArray[np.int32] | None = None
    by_label: bool = False
    grouped: bool = False

    @property
    def units(self) -> int:
        return sum(self.sizes)

    @property
    def stratum_of_unit(self) -> _Codes:
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def stratum_of_row(self) -> _Codes | None:
        if self.unit_of_row is None:
            return None
        strata: _Codes = self.stratum_of_unit[self.unit_of_row]
        return strata

    def sum_by_unit(self, values: Any) -> Any:
        """Values of rows, shape (..., n_rows), added up by unit, in the order of the units."""
        if self.unit_of_row is None:
            return values
        if not self.grouped:
            result = np.empty_like(values)
            result[..., self.unit_of_row] = values
            return result
        flat = values.reshape(-1, values.shape[-1])
        sums = [np.bincount(self.unit_of_row, row, self.units) for row in flat]
        return np.stack(sums).reshape(*values.shape[:-1], self.units)


def _codes(name: str, values: Any, rows: int) -> tuple[Any, _Codes]:
    values = np.asarray(values)
    if values.shape != (rows,):
        raise ValueError(f"{name} has shape {values.shape}, but must have shape ({rows},)")
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise ValueError(f"{name} holds NaN, but every row must have a value")
    distinct, codes = np.unique(values, return_inverse=True)
    return distinct, codes


def design_of(y_true: Any, stratify: Any, groups: Any, random_state: Any) -> Design:
    """The design of a bootstrap.

    Raises
    ------
    ValueError
        For strata or groups of another length or with NaN, strata of real targets, a group in two
        strata, and what is no random state.
    """
    y = np.asarray(y_true)
    rows = len(y)
    seed = seed_of(random_state)
    if stratify is None or stratify is False:
        strata: Any = None
    elif stratify is True:
        if y.ndim != 1 or (y.dtype.kind == "f" and not (y == np.floor(y)).all()):
            raise ValueError(
                "stratify is True, but y_true does not hold class labels; it must be None or an "
                "array of the stratum of each row"
            )
        strata = _codes("y_true", y, rows)[1]
    else:
        strata = _codes("stratify", stratify, rows)[1]
    if groups is None:
        if strata is None:
            return Design([rows], seed)
        unit = np.empty(rows, dtype=np.int32)
        unit[np.argsort(strata, kind="stable")] = np.arange(rows, dtype=np.int32)
        return Design(np.bincount(strata).tolist(), seed, unit, by_label=stratify is True)
    names, group = _codes("groups", groups, rows)
    stratum_of_group = np.zeros(len(names), dtype=np.int64)
    if strata is not None:
        stratum_of_group[group] = strata
        torn = np.flatnonzero(stratum_of_group[group] != strata)
        if torn.size:
            raise ValueError(
                f"groups holds {names[group[torn[0]]].item()!r} in more than one stratum, but a "
                "group is drawn as a whole and must lie in one"
            )
    number = np.empty(len(names), dtype=np.int32)
    number[np.argsort(stratum_of_group, kind="stable")] = np.arange(len(names), dtype=np.int32)
    return Design(np.bincount(stratum_of_group).tolist(), seed, number[group], grouped=True)
