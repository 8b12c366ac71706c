"""Columns mapped to a uniform or normal distribution, by their quantiles."""

from __future__ import annotations

import warnings
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
import sklearn.preprocessing
from scipy import stats
from sklearn.utils import check_random_state, resample
from sklearn.utils.validation import check_is_fitted

from mlestar._calls import answered, declined, original
from mlestar._native import _core
from mlestar.preprocessing.base import check_out, put_into, result_for
from mlestar.preprocessing.kept import QuantileKeeper
from mlestar.preprocessing.sketch import interpolated

_NEAR = 1e-7
# Whether quantiles ascend is looked at once for each.
_knots: WeakKeyDictionary[Any, tuple[Any, Any]] = WeakKeyDictionary()


class QuantileTransformer(QuantileKeeper, sklearn.preprocessing.QuantileTransformer):  # type: ignore[misc]
    """Columns mapped to a uniform or normal distribution, by their quantiles.

    Drop-in for `sklearn.preprocessing.QuantileTransformer`: the same parameters, attributes, errors
    and results (normal ones within rounding).

    Parameters
    ----------
    n_quantiles : int, default=1000
        Quantiles that are kept of each column.
    output_distribution : {'uniform', 'normal'}, default='uniform'
        What columns become.
    ignore_implicit_zeros : bool, default=False
        Of sparse matrices, which are left to scikit-learn.
    subsample : int or None, default=10_000
        Rows that `fit` draws where there are more.
    random_state : int, RandomState or None, default=None
        Of the draw.
    copy : bool, default=True
        False to write to X itself where it is a contiguous float array.
    quantiles : {'auto', 'exact', 'sketch'}, default='auto'
        How batches are kept: as for `RobustScaler`.
    seed : int, default=0
        Of the sketch.

    Attributes
    ----------
    n_quantiles_ : int
        The quantiles that there are: at most one for each row.
    quantiles_ : ndarray of shape (n_quantiles_, n_features)
    references_ : ndarray of shape (n_quantiles_,)
        The shares that they are of.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), of str
        Only where the data had names of columns.

    See Also
    --------
    RobustScaler : which says what ``quantiles`` means.

    Notes
    -----
    NaN is a missing value: passed over in fitting, kept in transforming. Batches and merging take
    all rows and not a sample. Sparse matrices and `inverse_transform` are scikit-learn's.

    Examples
    --------
    >>> from mlestar.preprocessing import QuantileTransformer
    >>> ranks = QuantileTransformer(n_quantiles=3).partial_fit([[1.0], [2.0]]).partial_fit([[9.0]])
    >>> ranks.transform([[1.0], [2.0], [5.5], [20.0]]).ravel().tolist()
    [0.0, 0.5, 0.75, 1.0]
    """

    _fitted = (
        "quantiles_",
        "references_",
        "n_quantiles_",
        "_type",
        "_rows_seen",
        "_sketch",
        "_rows",
    )
    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012
        **sklearn.preprocessing.QuantileTransformer._parameter_constraints,
        **QuantileKeeper._keeping,
    }
    quantiles_: Any
    references_: Any
    n_quantiles_: int
    _type: str
    _rows_seen: int

    def __init__(
        self,
        *,
        n_quantiles: int = 1000,
        output_distribution: str = "uniform",
        ignore_implicit_zeros: bool = False,
        subsample: int | None = 10_000,
        random_state: Any = None,
        copy: bool = True,
        quantiles: str = "auto",
        seed: int = 0,
    ) -> None:
        super().__init__(
            n_quantiles=n_quantiles,
            output_distribution=output_distribution,
            ignore_implicit_zeros=ignore_implicit_zeros,
            subsample=subsample,
            random_state=random_state,
            copy=copy,
        )
        self.quantiles = quantiles
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the quantiles of all rows, or of a sample of them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        self
        """
        self._check_parameters()
        array = None
        if not self.ignore_implicit_zeros and self._sample_holds():
            array = self._numbers(X, reset=True)
        if array is None or _core.preprocessing.extremes_of(array) is None:
            self._declined()
            super().fit(X, y)
            for name in self._optional():
                self.__dict__.pop(name, None)
            return self
        count = len(array)
        if self.quantiles == "sketch":
            self._forget()
            self._added_pairs(array, first=True)
            pairs = self._pairs_of(count)
        else:
            rows = array
            if self.n_quantiles > count:
                warnings.warn(
                    f"n_quantiles ({self.n_quantiles}) is greater than the total number of samples "
                    f"({count}). n_quantiles is set to n_samples.",
                    stacklevel=2,
                )
            generator = check_random_state(self.random_state)
            if self.subsample is not None and self.subsample < count:
                rows = resample(
                    array, replace=False, n_samples=self.subsample, random_state=generator
                )
            pairs = _core.preprocessing.order_statistics(rows, self._shares(count).tolist(), np.nan)
            self._forget()
            self._keep(array)
        self._answered()
        self._set_quantiles(pairs, count, array.dtype.name)
        return self

    def _sample_holds(self) -> bool:
        return self.subsample is None or self.n_quantiles <= self.subsample

    def _forget(self) -> None:
        for name in self._fitted:
            self.__dict__.pop(name, None)

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Add a batch of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X is sparse or holds infinity, or nothing was kept of the rows before.
        """
        first = not hasattr(self, "quantiles_")
        if first:
            self._check_parameters()
        else:
            self._require_kept("self")
        array = self._numbers(X, reset=first)
        if array is None or self._added_pairs(array, first) is None:
            self._declined()
            theirs = original("QuantileTransformer", "sklearn.preprocessing")
            theirs(**{**self._theirs(), "n_quantiles": 1}).fit(X)  # it words the error
            raise ValueError(f"X is a {type(X).__name__}, but batches must be dense arrays")
        self._answered()
        kind = array.dtype.name if first else np.result_type(array.dtype, self._type).name
        count = len(array) + (0 if first else self._rows_seen)
        self._set_quantiles(self._pairs_of(count), count, kind)
        return self

    def _fractions(self) -> list[float]:
        return [0.5]

    def _pairs_of(self, count: int) -> Any:
        shares = self._shares(count).tolist()
        if "_rows" in vars(self):
            return _core.preprocessing.order_statistics(self._rows, shares, np.nan)
        return self._sketch._core.pairs(shares)

    def _shares(self, count: int) -> Any:
        """As scikit-learn gives them to NumPy: in per cent, and back."""
        return self._references(count) * 100 / 100

    def _references(self, count: int) -> Any:
        return np.linspace(0, 1, max(1, min(self.n_quantiles, count)), endpoint=True)

    def _set_quantiles(self, pairs: Any, count: int, kind: str) -> None:
        self.references_ = self._references(count)
        self.n_quantiles_ = len(self.references_)
        self._rows_seen, self._type = count, kind
        self.quantiles_ = interpolated(pairs, self._shares(count), np.dtype(kind))

    def _merge(self, other: Any) -> None:
        self._merged_pairs(other)
        count = self._rows_seen + other._rows_seen
        kind = np.result_type(self._type, other._type).name
        self._set_quantiles(self._pairs_of(count), count, kind)

    def _optional(self) -> set[str]:
        return {"_sketch", "_rows", "_type", "_rows_seen"}

    def _check_state(self, attributes: dict[str, Any]) -> None:
        if not attributes:
            return
        found = attributes["quantiles_"]
        wanted = (len(attributes["references_"]), attributes["n_features_in_"])
        if np.shape(found) != wanted or attributes["n_quantiles_"] != wanted[0]:
            raise ValueError(
                f"state has quantiles_ of shape {np.shape(found)} and n_quantiles_ "
                f"{attributes['n_quantiles_']}, but must have {wanted} and {wanted[0]}"
            )

    def transform(self, X: Any, *, out: Any = None) -> Any:
        """Map columns to the distribution.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        out : ndarray of shape (n_samples, n_features), default=None
            As for `StandardScaler.transform`.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features)
            float32 for float32, else float64; `out` where that was given.

        Raises
        ------
        ValueError
            If `out` cannot be written, or as scikit-learn's.
        """
        check_is_fitted(self)
        array = self._numbers(X, reset=False)
        knots = None if array is None else self._ascending()
        target = None if knots is None else result_for(X, array, self.copy, out)
        if knots is not None and target is not None:
            normal = None
            if self.output_distribution == "normal":
                ends = _NEAR - np.spacing(1), 1 - (_NEAR - np.spacing(1))
                normal = tuple(stats.norm.ppf(ends).tolist())
            shares = self.references_.tolist()
            if _core.preprocessing.quantile_map_into(array, knots, shares, normal, target):
                self._answered()
                return target
        self._declined()
        return put_into(out, super().transform(X))

    def _ascending(self) -> Any:
        """Quantiles of one column after the other; None where rounding has let some descend."""
        held = _knots.get(self)
        if held is None or held[0] is not self.quantiles_:
            knots: Any = np.ascontiguousarray(np.asarray(self.quantiles_, dtype=np.float64).T)
            good = np.isfinite(knots).all() and (np.diff(knots, axis=1) >= 0).all()
            held = _knots[self] = self.quantiles_, knots if good else None
        return held[1]

    def inverse_transform(self, X: Any, *, out: Any = None) -> Any:
        """Map back to the columns' own distributions, by scikit-learn's code.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        out : ndarray of shape (n_samples, n_features), default=None
            As for `transform`.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features)
        """
        if out is not None and isinstance(X, np.ndarray) and X.dtype.kind == "f":
            check_out(out, X)
        self._declined()
        return put_into(out, super().inverse_transform(X))


def quantile_transform(
    X: Any,
    *,
    axis: int = 0,
    n_quantiles: int = 1000,
    output_distribution: str = "uniform",
    ignore_implicit_zeros: bool = False,
    subsample: int | None = 100_000,
    random_state: Any = None,
    copy: bool = True,
    quantiles: str = "auto",
    seed: int = 0,
) -> Any:
    """Map columns to a uniform or normal distribution, in one call.

    Drop-in for `sklearn.preprocessing.quantile_transform`.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    axis : {0, 1}, default=0
        0 maps columns, 1 rows.
    n_quantiles, output_distribution, ignore_implicit_zeros, subsample, random_state, copy
        As for `QuantileTransformer`.
    quantiles, seed
        As for `QuantileTransformer`.

    Returns
    -------
    ndarray or sparse matrix of shape (n_samples, n_features)

    Raises
    ------
    ValueError
        As scikit-learn's.

    See Also
    --------
    QuantileTransformer : which keeps what it has found.

    Examples
    --------
    >>> from mlestar.preprocessing import quantile_transform
    >>> quantile_transform([[1.0], [9.0], [2.0]], n_quantiles=3).ravel().tolist()
    [0.0, 1.0, 0.5]
    """
    options: dict[str, Any] = {
        "n_quantiles": n_quantiles,
        "output_distribution": output_distribution,
        "ignore_implicit_zeros": ignore_implicit_zeros,
        "subsample": subsample,
        "random_state": random_state,
        "copy": copy,
    }
    array = np.asarray(X) if isinstance(X, list) else X
    plain = isinstance(array, np.ndarray) and array.ndim == 2 and array.dtype.kind in "fiub"
    if not plain or axis not in (0, 1):
        declined("quantile_transform")
        theirs = original("quantile_transform", "sklearn.preprocessing")
        return theirs(X, axis=axis, **options)
    answered("quantile_transform")
    mapper = QuantileTransformer(**options, quantiles=quantiles, seed=seed)
    return mapper.fit_transform(array) if axis == 0 else mapper.fit_transform(array.T).T
