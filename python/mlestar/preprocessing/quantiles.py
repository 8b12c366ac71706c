"""Scaling by quantiles: exact, or of a stream by a sketch."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import sklearn.preprocessing
from scipy import stats
from sklearn.preprocessing._data import _handle_zeros_in_scale
from sklearn.utils.validation import check_is_fitted

from mlestar._calls import answered, declined, original
from mlestar.preprocessing.base import put_into
from mlestar.preprocessing.kept import QuantileKeeper
from mlestar.preprocessing.scale import ElementwiseScaler, centred_and_scaled
from mlestar.preprocessing.sketch import interpolated, middle_of


class RobustScaler(QuantileKeeper, ElementwiseScaler, sklearn.preprocessing.RobustScaler):  # type: ignore[misc]
    """Columns with their median taken off, divided by the range between two quantiles.

    Drop-in for `sklearn.preprocessing.RobustScaler`: the same parameters, attributes, errors and
    results, bit for bit; quantiles are found by counting instead of sorting. With batches and
    merging, by a sketch or with all rows kept.

    Parameters
    ----------
    with_centering : bool, default=True
        Whether the median is taken off.
    with_scaling : bool, default=True
        Whether columns are divided by the range.
    quantile_range : tuple of two float, default=(25.0, 75.0)
        Percentiles that the range lies between.
    copy : bool, default=True
        False to scale in place where X is a contiguous float array.
    unit_variance : bool, default=False
        Whether the range is divided by that of a normal distribution of variance 1.
    quantiles : {'auto', 'exact', 'sketch'}, default='auto'
        'sketch': of a `QuantileSketch`, whose rank is off by less than a thousandth of the rows
        with a probability above 99%. 'exact': also for batches; a copy of all rows is kept.
        'auto': `fit` is exact, and keeps a sketch where that is exact too (up to 8 191 rows); of
        more rows it keeps nothing, so that nothing can be added or merged after it. `partial_fit`
        goes by a sketch.
    seed : int, default=0
        Of the sketch.

    Attributes
    ----------
    center_, scale_ : ndarray of shape (n_features,) or None
        What is taken off and divided by.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), of str
        Only where the data had names of columns.

    See Also
    --------
    QuantileSketch : quantiles of a stream.

    Notes
    -----
    NaN is a missing value: passed over in fitting, kept in transforming. Sparse matrices are left
    to scikit-learn.

    Examples
    --------
    >>> from mlestar.preprocessing import RobustScaler
    >>> scaler = RobustScaler().fit([[1.0], [2.0], [3.0], [4.0], [100.0]])
    >>> scaler.center_, scaler.scale_
    (array([3.]), array([2.]))
    >>> stream = RobustScaler(quantiles="sketch").fit([[1.0], [2.0], [3.0]])
    >>> stream.merge(RobustScaler(quantiles="sketch").fit([[4.0], [100.0]])).center_
    array([3.])
    """

    center_: Any
    scale_: Any
    _fitted = ("center_", "scale_", "_sketch", "_rows")
    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012
        **sklearn.preprocessing.RobustScaler._parameter_constraints,
        **QuantileKeeper._keeping,
    }

    def __init__(
        self,
        *,
        with_centering: bool = True,
        with_scaling: bool = True,
        quantile_range: tuple[float, float] = (25.0, 75.0),
        copy: bool = True,
        unit_variance: bool = False,
        quantiles: str = "auto",
        seed: int = 0,
    ) -> None:
        super().__init__(
            with_centering=with_centering,
            with_scaling=with_scaling,
            quantile_range=quantile_range,
            copy=copy,
            unit_variance=unit_variance,
        )
        self.quantiles = quantiles
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the median and the quantiles of all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            float64 and float32 are read in place, whatever their strides.
        y : ignored

        Returns
        -------
        self
        """
        self._check_parameters()
        if self.quantiles == "sketch":
            return self._add(X, first=True)
        array = self._numbers(X, reset=True) if self._valid_range() else None
        pairs = None if array is None else self._exact(array)
        if array is None or pairs is None:
            self._declined()
            super().fit(X, y)
            self._keep_nothing()
            return self
        self._answered()
        self._keep_nothing()
        self._keep(array)
        self._set_quantiles(pairs, array.dtype)
        return self

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
            If it was fitted by `fit` with ``quantiles='auto'``, to more rows than are kept.
        """
        first = not hasattr(self, "center_")
        if first:
            self._check_parameters()
        else:
            self._require_kept("self")
        return self._add(X, first)

    def _add(self, X: Any, first: bool) -> Self:
        array = self._numbers(X, reset=first) if self._valid_range() else None
        if array is None:
            self._declined()
            sklearn.preprocessing.RobustScaler(**self._theirs()).fit(X)  # it words the error
            raise ValueError("X is sparse, but batches and sketches need dense arrays")
        pairs = self._added_pairs(array, first)
        if pairs is None:
            self._declined()
            sklearn.preprocessing.RobustScaler(**self._theirs()).fit(X)
            raise ValueError("X holds infinity, but must hold finite numbers or NaN")
        self._answered()
        dtype = array.dtype
        if not first and self.center_ is not None:
            dtype = np.result_type(dtype, self.center_)
        self._set_quantiles(pairs, dtype)
        return self

    def _fractions(self) -> list[float]:
        low, high = self.quantile_range
        return [0.5, low / 100, high / 100]

    def _valid_range(self) -> bool:
        low, high = self.quantile_range
        return bool(0 <= low <= high <= 100)

    def _set_quantiles(self, pairs: Any, dtype: Any) -> None:
        values = interpolated(pairs, np.asarray(self._fractions()), dtype)
        self.center_ = middle_of(pairs).astype(dtype) if self.with_centering else None
        self.scale_ = None
        if self.with_scaling:
            low, high = self.quantile_range
            self.scale_ = _handle_zeros_in_scale(values[2] - values[1], copy=False)
            if self.unit_variance:
                adjust = stats.norm.ppf(high / 100.0) - stats.norm.ppf(low / 100.0)
                self.scale_ = self.scale_ / adjust

    def _merge(self, other: Any) -> None:
        dtype = np.dtype(np.float64)
        if self.center_ is not None and other.center_ is not None:
            dtype = np.result_type(self.center_, other.center_)
        self._set_quantiles(self._merged_pairs(other), dtype)

    def _parameters_of(self, inverse: bool) -> tuple[str, Any, Any] | None:
        center = self.center_ if self.with_centering else None
        scale = self.scale_ if self.with_scaling else None
        return centred_and_scaled(center, scale, inverse)

    def transform(self, X: Any, *, out: Any = None) -> Any:
        """Take off the median and divide by the range.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        out : ndarray of shape (n_samples, n_features), default=None
            Where the result is written: contiguous, of the result's dtype, apart from X or X
            itself. What it holds after an error is not defined.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features)
            float32 for float32, else float64; `out` where that was given.

        Raises
        ------
        ValueError
            If `out` cannot be written, or as scikit-learn's.
        """
        return self._apply(X, out, inverse=False)

    def inverse_transform(self, X: Any, *, out: Any = None) -> Any:
        """Multiply by the range and add the median.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        out : ndarray of shape (n_samples, n_features), default=None
            As for `transform`.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features)
        """
        return self._apply(X, out, inverse=True)

    def _apply(self, X: Any, out: Any, inverse: bool) -> Any:
        check_is_fitted(self)
        maps = self._parameters_of(inverse)
        if maps is not None:
            done = self._scaled(X, self.copy, out, maps, inverse=inverse)
            if done is not None:
                return done
        theirs = super().inverse_transform if inverse else super().transform
        return put_into(out, theirs(X))


def robust_scale(
    X: Any,
    *,
    axis: int = 0,
    with_centering: bool = True,
    with_scaling: bool = True,
    quantile_range: tuple[float, float] = (25.0, 75.0),
    copy: bool = True,
    unit_variance: bool = False,
    quantiles: str = "auto",
    seed: int = 0,
) -> Any:
    """Take medians off and divide by the range between two quantiles, in one call.

    Drop-in for `sklearn.preprocessing.robust_scale`.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    axis : {0, 1}, default=0
        0 scales columns, 1 rows.
    with_centering, with_scaling, quantile_range, copy, unit_variance, quantiles, seed
        As for `RobustScaler`.

    Returns
    -------
    ndarray or sparse matrix of shape (n_samples, n_features)

    Raises
    ------
    ValueError
        As scikit-learn's.

    See Also
    --------
    RobustScaler : which keeps what it has found.

    Examples
    --------
    >>> from mlestar.preprocessing import robust_scale
    >>> robust_scale([[1.0], [2.0], [3.0], [4.0], [100.0]]).ravel().tolist()
    [-1.0, -0.5, 0.0, 0.5, 48.5]
    """
    options: dict[str, Any] = {
        "with_centering": with_centering,
        "with_scaling": with_scaling,
        "quantile_range": quantile_range,
        "copy": copy,
        "unit_variance": unit_variance,
    }
    array = np.asarray(X) if isinstance(X, list) else X
    plain = isinstance(array, np.ndarray) and array.ndim == 2 and array.dtype.kind in "fiub"
    if not plain or axis not in (0, 1):
        declined("robust_scale")
        return original("robust_scale", "sklearn.preprocessing")(X, axis=axis, **options)
    answered("robust_scale")
    scaler = RobustScaler(**options, quantiles=quantiles, seed=seed)
    return scaler.fit_transform(array) if axis == 0 else scaler.fit_transform(array.T).T
