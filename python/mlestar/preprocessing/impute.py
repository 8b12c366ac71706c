"""Missing values filled in: statistics of streams that merge, results written where wanted."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import Any, Self

import numpy as np
import sklearn.impute
from sklearn.utils.validation import check_is_fitted

from mlestar._arrays import as_array
from mlestar._native import _core
from mlestar.preprocessing.base import put_into, result_for
from mlestar.preprocessing.kept import QuantileKeeper
from mlestar.preprocessing.sketch import middle_of

_STRATEGIES = ("mean", "median", "most_frequent", "constant")


class SimpleImputer(QuantileKeeper, sklearn.impute.SimpleImputer):  # type: ignore[misc]
    """Missing values replaced by a statistic of their column.

    Drop-in for `sklearn.impute.SimpleImputer`: the same parameters, attributes, errors and results
    (means within rounding). Tables of floats are computed in the core, for every strategy but
    callables; anything else is left to scikit-learn.

    Parameters
    ----------
    missing_values : int, float, str, NaN, None or pandas.NA, default=NaN
        What is missing.
    strategy : {'mean', 'median', 'most_frequent', 'constant'} or callable, default='mean'
        The statistic; 'most_frequent' takes the smallest of several.
    fill_value : object, default=None
        What 'constant' fills in; None is 0 for numbers.
    copy : bool, default=True
        False to write to X itself where it is a contiguous float array.
    add_indicator : bool, default=False
        Whether columns that tell what was missing are added.
    keep_empty_features : bool, default=False
        Whether columns without values are filled with 0, not dropped.
    quantiles : {'auto', 'exact', 'sketch'}, default='auto'
        How batches are kept for the median: as for `RobustScaler`.
    seed : int, default=0
        Of the sketch.

    Attributes
    ----------
    statistics_ : ndarray of shape (n_features,)
        NaN for columns without values.
    indicator_ : MissingIndicator or None
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), of str
        Only where the data had names of columns.

    See Also
    --------
    RobustScaler : which says what ``quantiles`` means.

    Notes
    -----
    `partial_fit` and `merge` are for tables of floats and of one type, and for strategies that have
    a name. For 'most_frequent' every distinct value is kept with its count.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.preprocessing import SimpleImputer
    >>> imputer = SimpleImputer(strategy="median").partial_fit([[1.0], [np.nan], [2.0]])
    >>> imputer.merge(SimpleImputer(strategy="median").fit([[5.0]])).statistics_
    array([2.])
    >>> imputer.transform([[np.nan], [7.0]]).tolist()
    [[2.0], [7.0]]
    """

    _fitted = (
        "statistics_",
        "_type",
        "_rows_seen",
        "_moments",
        "_values",
        "_counts",
        "_sketch",
        "_rows",
    )
    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012
        **sklearn.impute.SimpleImputer._parameter_constraints,
        **QuantileKeeper._keeping,
    }
    statistics_: Any

    def __init__(
        self,
        *,
        missing_values: Any = np.nan,
        strategy: Any = "mean",
        fill_value: Any = None,
        copy: bool = True,
        add_indicator: bool = False,
        keep_empty_features: bool = False,
        quantiles: str = "auto",
        seed: int = 0,
    ) -> None:
        super().__init__(
            missing_values=missing_values,
            strategy=strategy,
            fill_value=fill_value,
            copy=copy,
            add_indicator=add_indicator,
            keep_empty_features=keep_empty_features,
        )
        self.quantiles = quantiles
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the statistic of all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        self
        """
        self._check_parameters()
        array = self._table(X, reset=True)
        if array is None or not self._add(array, first=True, fitting=True):
            self._declined()
            super().fit(X, y)
            for name in set(self._fitted) - {"statistics_"}:
                self.__dict__.pop(name, None)
        return self

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Add a batch of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Floats, of the type of the batches before.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X is no table of floats, or nothing was kept of the rows before.
        """
        first = not hasattr(self, "statistics_")
        if first:
            self._check_parameters()
        else:
            self._require_kept("self")
        array = self._table(X, reset=first)
        if array is not None and self._add(array, first, fitting=False):
            return self
        self._declined()
        sklearn.impute.SimpleImputer(**self._theirs()).fit(X)  # it words the error
        raise ValueError(
            f"X is a {type(X).__name__} that is no table of floats, or strategy is "
            f"{self.strategy!r}: partial_fit must have floats and a strategy of {_STRATEGIES}"
        )

    def _table(self, X: Any, reset: bool) -> Any:
        """X as floats; None where scikit-learn is to deal with it."""
        missing: Any = self.missing_values
        if isinstance(missing, bool) or not isinstance(missing, Real):
            return None
        if not isinstance(self.strategy, str) or self.strategy not in _STRATEGIES:
            return None
        if isinstance(X, list | tuple):
            X = as_array(X)  # None where it is no numbers
        # Of other types, these strategies keep the type.
        kinds = "f" if self.strategy in ("most_frequent", "constant") else "fiub"
        types = getattr(X, "dtypes", None)
        if types is None:
            types = [getattr(X, "dtype", None)]
        for one in types:
            if not isinstance(one, np.dtype) or one.kind not in kinds or one == np.float16:
                return None
        array = self._numbers(X, reset)
        if array is not None and self.strategy == "constant" and self.fill_value is not None:
            fits = np.can_cast(type(self.fill_value), array.dtype, casting="same_kind")
            return array if fits and isinstance(self.fill_value, Real) else None
        return array

    def _add(self, array: Any, first: bool, fitting: bool) -> bool:
        """Fit to the rows, or add them; False, and nothing changes, where the core declines."""
        rows = array
        if not np.isnan(self.missing_values):
            if not np.isfinite(array).all():
                return False
            rows = np.where(array == self.missing_values, array.dtype.type(np.nan), array)
        moments = _core.preprocessing.moments_of(rows, None)
        if moments is None:
            return False
        values = None
        pairs = None
        if self.strategy == "median":
            exactly = fitting and self.quantiles != "sketch"
            pairs = self._exact(rows) if exactly else self._added_pairs(rows, first)
            if exactly:
                self._keep_nothing()
                self._keep(rows)
        elif self.strategy == "most_frequent":
            values = _core.preprocessing.values_of(rows)
        self._answered()
        if not first:
            moments = _core.preprocessing.merge_moments(self._moments, moments)
            values = None if values is None else _merged_counts(self._held_values(), values)
        dtype = array.dtype if first else np.result_type(array.dtype, self._type)
        rows_seen = len(array) + (0 if first else self._rows_seen)
        self._set_statistics(moments, values, pairs, rows_seen, dtype)
        return True

    def _set_statistics(
        self, moments: Any, values: Any, pairs: Any, rows_seen: int, dtype: Any
    ) -> None:
        count = moments[0] + moments[1]
        empty = count == 0
        filler = 0.0 if self.keep_empty_features else np.nan
        if self.strategy == "constant":
            fill = 0 if self.fill_value is None else self.fill_value
            statistics = np.full(len(count), fill, dtype=object)
            if not self.keep_empty_features:
                statistics[empty] = np.nan
        else:
            if self.strategy == "mean":
                with np.errstate(invalid="ignore"):
                    found = (moments[2] + moments[3]) / count
            elif self.strategy == "median":
                found = middle_of(pairs).astype(dtype)
            else:
                found = np.array([v[c.argmax()] if len(v) else np.nan for v, c in values])
            statistics = np.where(empty, found.dtype.type(filler), found)
        self._moments, self._rows_seen = moments, rows_seen
        if values is not None:
            self._values, self._counts = ([one[i] for one in values] for i in (0, 1))
        self.statistics_ = statistics
        self._set_type(np.dtype(dtype).name)

    def _set_type(self, name: str) -> None:
        """What scikit-learn's methods know of the table."""
        self._type = name
        self._fit_dtype = self._fill_dtype = np.dtype(name)
        missing = self._moments[0] + self._moments[1] < self._rows_seen
        self._fit_indicator(missing[None, :])

    def _held_values(self) -> list[tuple[Any, Any]]:
        return list(zip(self._values, self._counts, strict=True))

    def _fractions(self) -> list[float]:
        return [0.5]

    def _forget(self) -> None:
        for name in (*self._fitted, "_fit_dtype", "_fill_dtype", "indicator_"):
            self.__dict__.pop(name, None)

    def _require_kept(self, name: str) -> None:
        if "_moments" not in vars(self):
            raise ValueError(
                f"{name} was fitted by scikit-learn, to what is no table of floats or by a "
                "callable: nothing can be added to it"
            )
        if self.strategy == "median":
            super()._require_kept(name)

    def _merge(self, other: Any) -> None:
        self._require_kept("self")
        other._require_kept("other")
        pairs = self._merged_pairs(other) if self.strategy == "median" else None
        values = None
        if self.strategy == "most_frequent":
            values = _merged_counts(self._held_values(), other._held_values())
        moments = _core.preprocessing.merge_moments(self._moments, other._moments)
        rows_seen = self._rows_seen + other._rows_seen
        dtype = np.result_type(self._type, other._type)
        self._set_statistics(moments, values, pairs, rows_seen, dtype)

    def _optional(self) -> set[str]:
        return {*self._fitted} - {"statistics_"}

    def _state(self) -> dict[str, Any]:
        state = super()._state()
        if "_moments" not in state and state:
            raise ValueError(
                "this imputer was fitted by scikit-learn, to what is no table of floats or by a "
                "callable: it has no state of plain arrays"
            )
        return state

    def _set_state(self, attributes: dict[str, Any]) -> None:
        self._forget()
        super()._set_state(attributes)
        if attributes:
            self._set_type(self._type)

    def transform(self, X: Any, *, out: Any = None) -> Any:
        """Fill in what is missing.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        out : ndarray of shape (n_samples, n_features_out), default=None
            Where the result is written, as for `StandardScaler.transform`.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features_out)
            Of X's type; `out` where that was given.

        Raises
        ------
        ValueError
            If `out` cannot be written, or as scikit-learn's.
        """
        check_is_fitted(self)
        array = self._table(X, reset=False) if "_type" in vars(self) else None
        filled = None if array is None else self._filled(X, array, out)
        if filled is not None:
            self._answered()
            return filled
        self._declined()
        return put_into(out, super().transform(X))

    def _filled(self, X: Any, array: Any, out: Any) -> Any:
        """What the core wrote; None where it declined."""
        values = self.statistics_.astype(np.float64)
        kept = ~np.isnan(values)
        rows = array
        if not kept.all():
            # scikit-learn says so after it has found that there is nothing that may not be there.
            if not _core.preprocessing.fill_into(
                array, [0.0] * len(values), float(self.missing_values), np.empty(array.shape)
            ):
                return None
            self._say_skipped(~kept)
            rows = array[:, kept]
        target = result_for(X, rows, self.copy, None if self.add_indicator else out)
        fill = self.statistics_[kept].astype(self._fill_dtype)
        missing = self._missing_of(array) if self.add_indicator else None
        if target is None or not _core.preprocessing.fill_into(
            rows, fill.tolist(), float(self.missing_values), target
        ):
            return None
        if missing is None:
            return target
        marked = self._transform_indicator(missing)
        return put_into(out, self._concatenate_indicator(target, marked))

    def _missing_of(self, array: Any) -> Any:
        return np.isnan(array) if np.isnan(self.missing_values) else array == self.missing_values

    def _say_skipped(self, skipped: Any) -> None:
        which = np.flatnonzero(skipped)
        if hasattr(self, "feature_names_in_"):
            which = self.feature_names_in_[which]
        warnings.warn(
            f"Skipping features without any observed values: {which}. At least one non-missing "
            f"value is needed for imputation with strategy='{self.strategy}'.",
            stacklevel=4,
        )


def _merged_counts(one: list[Any], other: list[Any]) -> list[tuple[Any, Any]]:
    """Distinct values and counts of both, column by column."""
    merged = []
    for (values, counts), (more, more_counts) in zip(one, other, strict=True):
        all_values, place = np.unique(np.concatenate([values, more]), return_inverse=True)
        sums = np.zeros(len(all_values), np.int64)
        np.add.at(sums, place, np.concatenate([counts, more_counts]))
        merged.append((all_values, sums))
    return merged
