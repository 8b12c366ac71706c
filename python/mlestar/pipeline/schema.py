"""The columns of a table, and rows of it as numbers: what a model needs to know of its input."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from mlestar._lazy import require
from mlestar.exceptions import DataError
from mlestar.pipeline.columns import category_rules, number_rules
from mlestar.pipeline.tables import column_kind

_NUMBERS, _CATEGORIES, _DATES = "number", "category", "date"
KINDS = (_NUMBERS, _CATEGORIES, _DATES)
_DATE_PARTS = ("year", "month", "day", "day_of_week", "hour")


@dataclass(frozen=True)
class Column:
    """One column: its name, what it holds, and what a `DataValidator` holds its values to.

    Attributes
    ----------
    name : str
    kind : {"number", "category", "date"}
    categories : tuple of str
        Which there were, sorted.
    minimum, maximum : float or None
        Bounds of numbers, themselves allowed; None bounds nothing.
    nullable : bool
        Whether values may be missing.
    unique : bool
        Whether no value may occur twice.
    closed : bool
        Whether there may be no categories but these.
    """

    name: str
    kind: str
    categories: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = True
    unique: bool = False
    closed: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}, but must be one of {KINDS}")
        low, high = self.minimum, self.maximum
        if low is not None and high is not None and not low <= high:
            raise ValueError(f"minimum is {low}, but must be at most maximum, {high}")


@dataclass(frozen=True)
class TableSchema:
    """Columns learned from one table, that turn others like it into a matrix.

    Attributes
    ----------
    columns : tuple of Column
        In the order of the table.

    Notes
    -----
    Numbers and booleans become float64, dates their parts and the days since 1970, categories their
    rank among the sorted categories; missing and unseen values become NaN.

    Examples
    --------
    >>> import pandas as pd
    >>> from mlestar.pipeline import TableSchema
    >>> table = pd.DataFrame({"size": [1, 2], "colour": ["red", "blue"]})
    >>> schema = TableSchema.learn(table)
    >>> schema.matrix(pd.DataFrame({"colour": ["red", "green"], "size": [3, None]}))
    array([[ 3.,  1.],
           [nan, nan]])
    """

    columns: tuple[Column, ...]

    @classmethod
    def learn(cls, table: Any) -> TableSchema:
        """The schema of a DataFrame: its columns, and what other tables of the kind will keep to.

        Bounds lie as far outside of the values as the tails are long; categories are closed where
        hardly one of them occurs only once; a column may have no missing or repeated values where
        none are among at least 100 rows (repeated ones: where it numbers or names the rows).
        """
        pandas = require("pandas", "run")
        types = pandas.api.types
        columns = []
        for name in table.columns:
            values = table[name]
            if column_kind(values) == "objects":
                raise DataError(f"column {str(name)!r} holds lists or objects, not values")
            if types.is_bool_dtype(values.dtype) or types.is_numeric_dtype(values.dtype):
                columns.append(Column(str(name), _NUMBERS, **number_rules(values)))
            elif types.is_datetime64_any_dtype(values.dtype):
                columns.append(Column(str(name), _DATES, nullable=bool(values.isna().any())))
            else:
                texts = {str(v) for v in pandas.unique(values.dropna())}
                rules = category_rules(values)
                columns.append(Column(str(name), _CATEGORIES, tuple(sorted(texts)), **rules))
        return cls(tuple(columns))

    @property
    def feature_names(self) -> list[str]:
        """A name for each column of the matrix."""
        names = []
        for column in self.columns:
            if column.kind == _DATES:
                names += [f"{column.name}.{part}" for part in (*_DATE_PARTS, "days")]
            else:
                names.append(column.name)
        return names

    @property
    def cardinalities(self) -> list[int]:
        """Categories of each column of the matrix; 0 where it holds numbers."""
        counts: list[int] = []
        for column in self.columns:
            if column.kind == _DATES:
                counts += [0] * (len(_DATE_PARTS) + 1)
            else:
                counts.append(max(1, len(column.categories)) if column.kind == _CATEGORIES else 0)
        return counts

    def matrix(self, table: Any) -> Any:
        """Rows of a DataFrame as a float64 matrix of shape (n_rows, n_features).

        Raises
        ------
        DataError
            If a column is missing, or holds text where numbers were learned.
        """
        pandas = require("pandas", "run")
        by_name = {str(name): name for name in table.columns}
        missing = [c.name for c in self.columns if c.name not in by_name]
        if missing:
            raise DataError(f"the table lacks columns {missing}; it has {sorted(by_name)}")
        parts = []
        for column in self.columns:
            values = table[by_name[column.name]]
            if column.kind == _NUMBERS:
                try:
                    numbers = pandas.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)
                except (TypeError, ValueError) as error:
                    raise DataError(
                        f"column {column.name!r} must hold numbers, as it did: {error}"
                    ) from error
                parts.append(np.where(np.isinf(numbers), np.nan, numbers))
            elif column.kind == _DATES:
                dates = pandas.to_datetime(values, errors="coerce")
                if getattr(dates.dt, "tz", None) is not None:
                    dates = dates.dt.tz_convert("UTC").dt.tz_localize(None)
                parts.extend(
                    getattr(dates.dt, part).to_numpy(dtype=np.float64, na_value=np.nan)
                    for part in _DATE_PARTS
                )
                days = (dates - pandas.Timestamp(1970, 1, 1)) / pandas.Timedelta(days=1)
                parts.append(days.to_numpy(dtype=np.float64))
            else:
                rank = {text: float(i) for i, text in enumerate(column.categories)}
                distinct = {v: rank.get(str(v), np.nan) for v in pandas.unique(values.dropna())}
                parts.append(values.map(distinct).to_numpy(dtype=np.float64, na_value=np.nan))
        if not parts:
            raise DataError("the table has no column to learn from")
        return np.column_stack(parts)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"columns": [asdict(column) for column in self.columns]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TableSchema:
        """What `to_dict` gave."""
        return cls(
            tuple(Column(**{**c, "categories": tuple(c["categories"])}) for c in values["columns"])
        )


class TableEncoder:
    """A `TableSchema` as a step of a pipeline: tables go in, float64 matrices come out.

    Attributes
    ----------
    schema_ : TableSchema
        What was learned.

    Examples
    --------
    >>> import pandas as pd
    >>> from mlestar import DataPipeline, StreamProcessor
    >>> from mlestar.pipeline import TableEncoder
    >>> table = pd.DataFrame({"size": [1, 2, 3], "colour": ["red", "blue", None]})
    >>> pipeline = DataPipeline([TableEncoder()], streaming=StreamProcessor(2))
    >>> pipeline = pipeline.fit_stream(table)
    >>> pipeline.transform(table)
    array([[ 1.,  1.],
           [ 2.,  0.],
           [ 3., nan]])
    """

    schema_: TableSchema
    _empty: frozenset[str] | set[str] = frozenset()  # columns of which no value has been seen

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """There are none."""
        return {}

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the columns of a DataFrame."""
        self._empty = frozenset()
        self.schema_ = TableSchema.learn(X)
        return self

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Add the rows of a DataFrame: categories join those that were known.

        Ranges and other rules are not learned in parts.

        Raises
        ------
        DataError
            If the columns are others than before, or a column holds something else; nothing
            changes.
        """
        before = self.schema_.columns if hasattr(self, "schema_") else ()
        known = {column.name: column for column in before}
        names = [str(name) for name in X.columns]
        if known and names != list(known):
            raise DataError(f"the columns are {names}, but were {list(known)}")
        columns = []
        empty: set[str] = set()
        for place, new in enumerate(TableSchema.learn(X).columns):
            old = known.get(new.name)
            if not X.iloc[:, place].notna().any():  # shows nothing of what it holds
                empty.add(new.name)
                columns.append(old or Column(new.name, new.kind))
                continue
            if old is None or new.name in self._empty:
                columns.append(Column(new.name, new.kind, new.categories))
                continue
            if old.kind != new.kind:
                raise DataError(f"column {new.name!r} holds {new.kind}, but held {old.kind} before")
            both = tuple(sorted({*old.categories, *new.categories}))
            columns.append(Column(new.name, new.kind, both))
        self._empty = empty & self._empty if before else empty
        self.schema_ = TableSchema(tuple(columns))
        return self

    def transform(self, X: Any) -> Any:
        """Rows as a float64 matrix: see `TableSchema`."""
        return self.schema_.matrix(X)

    def state_dict(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        return {**self.schema_.to_dict(), "empty": sorted(self._empty)}

    def load_state_dict(self, state: dict[str, Any]) -> Self:
        """What `state_dict` gave."""
        self.schema_ = TableSchema.from_dict(state)
        self._empty = frozenset(state.get("empty", ()))
        return self
