"""What encoders of categories share: finding categories, streams of them, columns as codes."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Self
from weakref import WeakKeyDictionary

import numpy as np
from sklearn.utils._encode import _unique
from sklearn.utils._missing import is_scalar_nan
from sklearn.utils.validation import validate_data

from mlestar._native import _core
from mlestar.preprocessing.base import StreamingTransformer

_NUMBERS = "fiub"
# Sizes of numbers that the core reads (floats) and writes.
_WIDTHS = (1, 2, 4, 8)


@dataclass
class Found:
    """The categories of some rows: each column's values, ascending, and how often each is there."""

    categories: list[Any]
    counts: list[Any]
    rows: int

    def as_rows(self, X: Any) -> Any:
        """Rows that hold the same values as X, in an array as X is; else X itself."""
        if type(X) is not np.ndarray:
            return X
        most = max(len(values) for values in self.categories)
        columns = [
            values[np.minimum(np.arange(most), len(values) - 1)] for values in self.categories
        ]
        return np.stack(columns, axis=1)

    def merged(self, other: Found) -> Found:
        """Those of both."""
        pairs = [
            merged_column(*both)
            for both in zip(
                self.categories, self.counts, other.categories, other.counts, strict=True
            )
        ]
        return Found([p[0] for p in pairs], [p[1] for p in pairs], self.rows + other.rows)


class Plan(NamedTuple):
    """What a transform goes by: what finds codes, and what is written for each."""

    categories: Any
    elements: tuple[Any, ...]
    kinds: str
    parameters: str
    coders: Any
    values: Any


# Beside the transformers, not in them: a transform does not change its object.
_plans: WeakKeyDictionary[Any, Plan] = WeakKeyDictionary()


@contextmanager
def unchanged_on_error(transformer: Any) -> Iterator[None]:
    """Leave a transformer as it was where something raises.

    Half of it new, the other half old, it would write places that are not there.
    """
    before = dict(vars(transformer))
    try:
        yield
    except BaseException:
        vars(transformer).clear()
        vars(transformer).update(before)
        raise


class CategoryEncoder(StreamingTransformer):
    """An encoder of categories; a mixin before scikit-learn's."""

    _fitted: tuple[str, ...] = ("categories_", "_category_counts", "_rows_seen")
    categories: Any
    handle_unknown: str
    categories_: list[Any]
    _infrequent_enabled: bool
    _category_counts: list[Any]
    _rows_seen: int

    # Fitting --------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the categories of all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        self
        """
        with unchanged_on_error(self):
            super().fit(X, y)  # type: ignore[misc]
        return self

    def _fit(
        self,
        X: Any,
        handle_unknown: str = "error",
        ensure_all_finite: Any = True,
        return_counts: bool = False,
        return_and_ignore_missing_for_infrequent: bool = False,
    ) -> dict[str, Any]:
        """Find categories, as scikit-learn's encoders ask for it; X may be what was found."""
        self._check_infrequent_enabled()  # type: ignore[attr-defined]
        found = X if isinstance(X, Found) else self._find(X, reset=True)
        given = not isinstance(self.categories, str) and found is not X
        # Given categories are checked by scikit-learn, against what was found and not all rows.
        looked_at = X if found is None else found.as_rows(X)
        if found is None or given:
            for name in ("_category_counts", "_rows_seen"):
                self.__dict__.pop(name, None)
            if looked_at is X:
                self._declined()
            result: dict[str, Any] = super()._fit(  # type: ignore[misc]
                looked_at,
                handle_unknown,
                ensure_all_finite,
                return_counts,
                return_and_ignore_missing_for_infrequent,
            )
            if found is None:
                return result
            found = self._of_given(found, handle_unknown)
        self._answered()
        self.categories_ = found.categories
        self._category_counts, self._rows_seen = found.counts, found.rows
        output: dict[str, Any] = {"n_samples": found.rows}
        if return_counts:
            output["category_counts"] = found.counts
        missing = {}
        if return_and_ignore_missing_for_infrequent:
            missing = {
                j: len(values) - 1
                for j, values in enumerate(found.categories)
                if len(values) and is_scalar_nan(values[-1])
            }
            output["missing_indices"] = missing
        if self._infrequent_enabled:
            self._fit_infrequent_category_mapping(  # type: ignore[attr-defined]
                found.rows, found.counts, missing
            )
        return output

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Add a batch of rows: its categories, and how often they are there.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Columns of the kinds (numbers, strings) of the batches before.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X holds what the core does not take (infinity, objects that cannot be sorted), or
            nothing was kept of the rows before; the encoder stays as it was.
        """
        with unchanged_on_error(self):
            self._add(X)
        return self

    def _add(self, X: Any) -> None:
        first = not hasattr(self, "categories_")
        if first:
            self._check_parameters()
        else:
            self._require_kept("self")
        found = self._find(X, reset=first)
        if found is None:
            self._declined()
            self._fresh().fit(X)  # it words the error
            raise ValueError(
                f"X is a {type(X).__name__} with a column that is neither numbers nor objects that "
                "can be sorted: batches must hold nothing else"
            )
        if not isinstance(self.categories, str):
            if first:
                self.fit(X)
                return
            found = self._of_given(found, self.handle_unknown)
        self._take(found if first else self._held().merged(found))

    def _of_given(self, found: Found, handle_unknown: str) -> Found:
        """The counts of the categories that were given; others must be allowed."""
        counts = []
        for j, (values, count) in enumerate(zip(found.categories, found.counts, strict=True)):
            known = _dictionary(self.categories_[j])
            sums = np.zeros(len(self.categories_[j]), np.int64)
            unknown = []
            for value, times in zip(values.tolist(), count.tolist(), strict=True):
                place = known.get(np.nan if is_scalar_nan(value) else value)
                if place is None:
                    unknown.append(value)
                else:
                    sums[place] += times
            if unknown and handle_unknown == "error":
                raise ValueError(f"Found unknown categories {unknown} in column {j} during fit")
            counts.append(sums)
        return Found(self.categories_, counts, found.rows)

    def _take(self, found: Found) -> None:
        """Fit to what was found."""
        self.fit(found)

    def _fresh(self) -> Any:
        """scikit-learn's, of the same parameters."""
        theirs = next(one for one in type(self).__mro__ if one.__module__.startswith("sklearn"))
        return theirs(**self.get_params(deep=False))  # type: ignore[attr-defined]

    def _held(self) -> Found:
        return Found(self.categories_, self._category_counts, self._rows_seen)

    def _require_kept(self, name: str) -> None:
        if "_category_counts" not in vars(self):
            raise ValueError(
                f"{name} was fitted by scikit-learn, to objects that the core does not read: "
                "nothing can be added to it"
            )

    def _merge(self, other: Any) -> None:
        self._require_kept("self")
        other._require_kept("other")
        with unchanged_on_error(self):
            self._take(self._held().merged(other._held()))

    def _find(self, X: Any, reset: bool) -> Found | None:
        """The categories of these rows; None where scikit-learn is to deal with them."""
        columns = self._columns(X, reset)
        return None if columns is None else self._found_in(columns)

    def _found_in(self, columns: list[Any]) -> Found | None:
        plain = [c for c in columns if c.dtype.kind != "O"]
        places = _core.preprocessing.categories_of(plain) if plain else []
        if places is None:
            return None
        categories, counts = [], []
        following = iter(places)
        for column in columns:
            if column.dtype.kind == "O":
                pair = object_categories(column)
                if pair is None:
                    return None
                values, count = pair
            else:
                rows, count = next(following)
                values = column[rows]
            categories.append(values)
            counts.append(count)
        return Found(categories, counts, len(columns[0]))

    def _columns(self, X: Any, reset: bool) -> list[Any] | None:
        """X's columns, each numbers, strings or objects; None where scikit-learn reads them."""
        if type(X) is np.ndarray and X.ndim == 2 and X.size and X.dtype.kind in "fiubU":
            validate_data(self, X=X, reset=reset, skip_check_array=True)
            columns = [X[:, j] for j in range(X.shape[1])]
        else:
            columns, _, _ = self._check_X(X, ensure_all_finite="allow-nan")  # type: ignore[attr-defined]
            validate_data(self, X=X, reset=reset, skip_check_array=True)
        if not all(is_readable(column) for column in columns):
            return None
        return [np.require(column, requirements="A") for column in columns]

    # Transforming ---------------------------------------------------------------------------------

    def _coded(self, X: Any, parameters: str, values: Any) -> tuple[Plan, list[Any]] | None:
        """A plan and the columns that it takes; None where scikit-learn is to transform them."""
        columns = self._columns(X, reset=False)
        if columns is None:
            return None
        kinds = "".join(kind_of(column) for column in columns)
        plan = _plans.get(self)
        if (
            plan is None
            or plan.categories is not self.categories_
            or not same_elements(plan.elements, self.categories_)
            or plan.kinds != kinds
            or plan.parameters != parameters
        ):
            looked_up = [lookup(c, k) for c, k in zip(self.categories_, kinds, strict=True)]
            if any(one is None for one in looked_up):
                return None
            coders = _core.preprocessing.ColumnCoders(looked_up)
            elements = tuple(self.categories_)
            plan = Plan(self.categories_, elements, kinds, parameters, coders, values())
            _plans[self] = plan
        if "O" in kinds:
            for j, kind in enumerate(kinds):
                if kind == "O":
                    codes = object_codes(columns[j], self.categories_[j])
                    if codes is None:
                        return None
                    columns[j] = codes
        return plan, columns

    # States ---------------------------------------------------------------------------------------

    def _optional(self) -> set[str]:
        return {"_category_counts", "_rows_seen"}

    def _state(self) -> dict[str, Any]:
        state = super()._state()
        if state:
            self._require_kept("this encoder")
        return state

    def _check_state(self, attributes: dict[str, Any]) -> None:
        if not attributes:
            return
        columns = attributes["n_features_in_"]
        categories = attributes["categories_"]
        counts = attributes.get("_category_counts", ())
        if len(categories) != columns or len(counts) != columns:
            raise ValueError(
                f"state has categories of {len(categories)} columns and counts of {len(counts)}, "
                f"but n_features_in_ is {columns}"
            )
        for j, (values, count) in enumerate(zip(categories, counts, strict=True)):
            if np.shape(values) != np.shape(count):
                raise ValueError(
                    f"state has {np.shape(values)} categories and {np.shape(count)} counts in "
                    f"column {j}, but must have as many"
                )

    def _set_state(self, attributes: dict[str, Any]) -> None:
        with unchanged_on_error(self):
            super()._set_state(attributes)
            if attributes:
                self._take(self._held())


def is_readable(column: Any) -> bool:
    """Whether a column is an array of numbers, strings or objects that the core reads."""
    if type(column) is not np.ndarray or column.ndim != 1:
        return False
    dtype = column.dtype
    if not dtype.isnative:
        return False
    if dtype.kind == "f":
        return dtype.itemsize in (4, 8)
    return dtype.kind in "iubO" or (dtype.kind == "U" and dtype.itemsize > 0)


def kind_of(column: Any) -> str:
    """How a column's codes are found: of numbers, bools, strings or objects."""
    kind: str = column.dtype.kind
    return "n" if kind in "fiu" else kind


def same_elements(some: tuple[Any, ...], others: Any) -> bool:
    """Whether a list still holds the very objects that it held."""
    return len(some) == len(others) and all(map(operator.is_, some, others))


def lookup(categories: Any, kind: str) -> Any:
    """Categories as a coder takes them for columns of a kind; None where it cannot."""
    dtype = categories.dtype
    if kind == "O":
        return np.arange(len(categories))  # of codes that a dictionary gives
    # The core reads no swapped bytes, and no table of nothing.
    if not dtype.isnative or not len(categories):
        return None
    if kind in "nb":
        if (dtype.kind == "b") != (kind == "b"):
            return None
        if dtype.kind not in _NUMBERS or dtype.itemsize not in _WIDTHS or dtype == np.float16:
            return None
        if dtype == np.uint64 and categories.max() >= 2**63:
            return None
        return categories
    if dtype.kind == "U":
        return categories if dtype.itemsize else None
    if dtype.kind != "O":
        return None
    # A string array pads with zeros: a string that ends in one would lose it.
    if not all(isinstance(v, str) and not v.endswith("\0") for v in categories):
        return None
    return categories.astype("U")


def _dictionary(categories: Any) -> dict[Any, int]:
    return {np.nan if is_scalar_nan(v) else v: k for k, v in enumerate(categories.tolist())}


def object_codes(column: Any, categories: Any) -> Any:
    """Codes of objects, the number of categories for what is unknown; None without them."""
    known = _dictionary(categories)
    if len(known) != len(categories):  # NaN twice, by two objects
        return None
    return _core.preprocessing.object_codes(column, known, np.nan, False)


def object_categories(column: Any) -> tuple[Any, Any] | None:
    """The distinct objects, ascending, and their counts; None where they cannot be sorted."""
    known: dict[Any, int] = {}
    codes = _core.preprocessing.object_codes(column, known, np.nan, True)
    if codes is None:
        return None
    values = np.empty(len(known), dtype=object)
    values[:] = list(known)
    if any(is_scalar_nan(v) and v is not np.nan for v in known):
        return None
    try:
        ordered = _unique(values)
    except TypeError:
        return None
    counts = np.bincount(codes, minlength=len(known))
    return ordered, counts[[known[v] for v in ordered.tolist()]]


def places_among(values: Any, categories: Any) -> list[int]:
    """Where the values are among categories that hold them all."""
    known = _dictionary(categories)
    return [known[np.nan if is_scalar_nan(v) else v] for v in values.tolist()]


def merged_column(
    one: Any, counts: Any, other: Any, more: Any, what: str = "a column has categories"
) -> tuple[Any, Any]:
    """Two columns' categories as one; `what` are the first words of an error."""
    if len(one) == len(other) and _dictionary(one) == _dictionary(other):
        return one, counts + more  # also in an order that was given
    if (one.dtype.kind in _NUMBERS) != (other.dtype.kind in _NUMBERS):
        raise ValueError(
            f"{what} of {one.dtype} and of {other.dtype}, but must have numbers in all batches or "
            "strings in all of them"
        )
    # By words of their own and not by np.concatenate's, which makes strings of mixed objects.
    if "O" in (one.dtype.kind, other.dtype.kind):
        values = np.concatenate([one.astype(object), other.astype(object)])
        ordered = _unique(values)
        known = _dictionary(ordered)
        place = np.array([known[np.nan if is_scalar_nan(v) else v] for v in values.tolist()])
    else:
        both = np.concatenate(_exactly_one_type(one, other, what))
        ordered, place = np.unique(both, return_inverse=True)
    sums = np.zeros(len(ordered), np.int64)
    np.add.at(sums, place, np.concatenate([counts, more]))
    return ordered, sums


def _exactly_one_type(one: Any, other: Any, what: str) -> tuple[Any, Any]:
    """Both so that NumPy joins them without rounding: it makes floats of int64 and uint64."""
    if np.result_type(one, other).kind != "f":
        return one, other
    if "f" not in (one.dtype.kind, other.dtype.kind):
        wide = one if one.dtype == np.uint64 else other
        if len(wide) and wide.max() >= 2**63:
            raise ValueError(
                f"{what} of {one.dtype} and of {other.dtype}, and {wide.max()} among them, which "
                "is beyond int64: batches must be of one type"
            )
        return one.astype(np.int64), other.astype(np.int64)
    for integers in (one, other):
        if integers.dtype.kind == "f" or integers.dtype.itemsize < 8:
            continue
        for value in integers[(integers > 2**53) | (integers < -(2**53))].tolist():
            if int(float(value)) != value:
                raise ValueError(
                    f"{what} of {one.dtype} and of {other.dtype}, and {value} among them, which "
                    "no float64 is: batches must be of one type"
                )
    return one, other


__all__ = [
    "CategoryEncoder",
    "Found",
    "Plan",
    "is_readable",
    "kind_of",
    "lookup",
    "merged_column",
    "object_categories",
    "object_codes",
    "places_among",
    "same_elements",
    "unchanged_on_error",
]
