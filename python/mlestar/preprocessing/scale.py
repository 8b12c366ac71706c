"""Scalers: one pass over the data, batches that merge, results written where they are wanted."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
import sklearn.preprocessing
from sklearn.preprocessing._data import _handle_zeros_in_scale, _is_constant_feature
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from mlestar._native import _core
from mlestar.preprocessing.base import StreamingTransformer, put_into, result_for


class ElementwiseScaler(StreamingTransformer):
    """A transform that is the same few operations on every element of a column."""

    def _scaled(
        self,
        X: Any,
        copy: bool,
        out: Any,
        maps: tuple[str, Any, Any],
        clip: tuple[float, float] | None = None,
        inverse: bool = False,
    ) -> Any:
        """What the core computed; None where it declined, which is counted."""
        name, first, second = maps
        array = self._numbers(X, reset=False) if not inverse else self._values(X)
        if array is not None and array.shape[1] == np.size(first):
            target = result_for(X, array, copy, out)
            if target is not None and _core.preprocessing.scale_into(
                array, name, first, second, clip, target
            ):
                self._answered()
                return target
        self._declined()
        return None

    def _values(self, X: Any) -> Any:
        # An inverse neither counts nor names columns.
        if type(X) is np.ndarray and X.ndim == 2 and X.size and X.dtype in (np.float64, np.float32):
            return X
        return None


def centred_and_scaled(center: Any, scale: Any, inverse: bool) -> tuple[str, Any, Any] | None:
    """What the core does to take a center off and divide by a scale; None for neither."""
    if center is None and scale is None:
        return None
    if not inverse:
        if center is None:
            return "divide", scale, None
        return ("subtract", center, None) if scale is None else ("subtract_divide", center, scale)
    if center is None:
        return "multiply", scale, None
    return "multiply_add", np.ones_like(center) if scale is None else scale, center


class StandardScaler(ElementwiseScaler, sklearn.preprocessing.StandardScaler):  # type: ignore[misc]
    """Columns with their mean taken off, divided by their standard deviation.

    Drop-in for `sklearn.preprocessing.StandardScaler`: the same parameters, attributes, errors and
    results. Fitting reads the data once, from memory of any layout; moments are kept in twice the
    precision of a double, so that batches and merged parts give what all rows at once give.

    Parameters
    ----------
    copy : bool, default=True
        False to scale in place where X is a contiguous float array.
    with_mean : bool, default=True
        Whether the mean is taken off.
    with_std : bool, default=True
        Whether columns are divided by their standard deviation (of the population; 1 for columns
        that are constant).

    Attributes
    ----------
    scale_, mean_, var_ : ndarray of shape (n_features,), float64, or None
        What is divided by, the mean and the variance of each column.
    n_samples_seen_ : float or ndarray of shape (n_features,)
        Rows (or the sum of their weights) that are not missing; an array where columns differ.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), of str
        Only where the data had names of columns.

    See Also
    --------
    MinMaxScaler : scale to a range.

    Notes
    -----
    NaN is a missing value: passed over in fitting, kept in transforming. A batch whose column is
    missing altogether adds nothing to that column, where scikit-learn's variance becomes NaN.
    Sparse matrices are left to scikit-learn. Batches are merged by the formula of Chan, Golub and
    LeVeque, "Algorithms for computing the sample variance", The American Statistician 37, 1983.
    Every number of threads gives the same bits.

    Examples
    --------
    >>> from mlestar.preprocessing import StandardScaler
    >>> scaler = StandardScaler().partial_fit([[0.0], [2.0]]).partial_fit([[4.0]])
    >>> scaler.mean_, scaler.n_samples_seen_
    (array([2.]), np.float64(3.0))
    >>> other = StandardScaler().fit([[6.0]])
    >>> scaler.merge(other).mean_
    array([3.])
    >>> scaler.transform([[3.0], [5.0]]).round(3).tolist()
    [[0.0], [0.894]]
    """

    _fitted = ("_moments", "scale_", "mean_", "var_", "n_samples_seen_")
    mean_: Any
    var_: Any
    scale_: Any

    def _reset(self) -> None:
        super()._reset()
        self.__dict__.pop("_moments", None)

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Add a batch of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            float64 and float32 are read in place, whatever their strides.
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of rows.

        Returns
        -------
        self
        """
        first = not hasattr(self, "n_samples_seen_")
        moments = None
        if not vars(self).get("_skl_callbacks"):
            if first:
                self._check_parameters()
            array = self._numbers(X, reset=first)
            if array is not None:
                moments = self._moments_of(array, sample_weight)
        if moments is None:
            self._declined()
            super().partial_fit(X, y, sample_weight)
            self.__dict__.pop("_moments", None)
            return self
        self._answered()
        held = None if first else self._held_moments()
        merged = moments if held is None else _core.preprocessing.merge_moments(held, moments)
        self._set_moments(merged)
        return self

    def _moments_of(self, array: Any, sample_weight: Any) -> Any:
        weight = None
        if sample_weight is not None and (self.with_mean or self.with_std):
            weight = _check_sample_weight(sample_weight, array, dtype=array.dtype)
        return _core.preprocessing.moments_of(array, weight)

    def _held_moments(self) -> Any:
        """The moments of what has been seen; None where nothing has."""
        held = vars(self).get("_moments")
        if held is None and hasattr(self, "n_samples_seen_"):
            # Fitted by scikit-learn (sparse batches): from its rounded results.
            seen = np.broadcast_to(np.asarray(self.n_samples_seen_, float), self.n_features_in_)
            mean = np.zeros_like(seen) if self.mean_ is None else self.mean_
            var = np.zeros_like(seen) if self.var_ is None else self.var_
            zero = np.zeros_like(seen)
            held = np.array([seen, zero, seen * mean, zero, seen * var, zero])
        return held

    def _set_moments(self, moments: Any) -> None:
        self._moments = moments
        count = moments[0] + moments[1]
        neither = not self.with_mean and not self.with_std
        seen = count.astype(np.int64) if neither else count
        self.n_samples_seen_ = seen[0] if seen.max() == seen.min() else seen
        with np.errstate(invalid="ignore", divide="ignore"):
            self.mean_ = None if neither else (moments[2] + moments[3]) / count
            self.var_ = (moments[4] + moments[5]) / count if self.with_std else None
        self.scale_ = None
        if self.with_std:
            constant = _is_constant_feature(self.var_, self.mean_, self.n_samples_seen_)
            self.scale_ = _handle_zeros_in_scale(
                np.sqrt(self.var_), copy=False, constant_mask=constant
            )

    def _merge(self, other: Any) -> None:
        merged = _core.preprocessing.merge_moments(self._held_moments(), other._held_moments())
        self._set_moments(merged)

    def _optional(self) -> set[str]:
        return {"_moments"}

    def _parameters_of(self, dtype: Any, inverse: bool) -> tuple[str, Any, Any] | None:
        mean = self.mean_.astype(dtype) if self.with_mean else None
        scale = self.scale_.astype(dtype) if self.with_std else None
        return centred_and_scaled(mean, scale, inverse)

    def transform(self, X: Any, copy: bool | None = None, *, out: Any = None) -> Any:
        """Take off the mean and divide by the scale.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        copy : bool, default=None
            Instead of the parameter of that name.
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
        return self._apply(X, copy, out, inverse=False)

    def inverse_transform(self, X: Any, copy: bool | None = None, *, out: Any = None) -> Any:
        """Multiply by the scale and add the mean.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        copy : bool, default=None
            Instead of the parameter of that name.
        out : ndarray of shape (n_samples, n_features), default=None
            As for `transform`.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features)
        """
        return self._apply(X, copy, out, inverse=True)

    def _apply(self, X: Any, copy: bool | None, out: Any, inverse: bool) -> Any:
        check_is_fitted(self)
        copies = self.copy if copy is None else copy
        single = getattr(X, "dtype", None) == np.float32
        maps = self._parameters_of(np.float32 if single else np.float64, inverse)
        if maps is not None:
            done = self._scaled(X, copies, out, maps, inverse=inverse)
            if done is not None:
                return done
        theirs = super().inverse_transform if inverse else super().transform
        return put_into(out, theirs(X, copy=copy))


class MinMaxScaler(ElementwiseScaler, sklearn.preprocessing.MinMaxScaler):  # type: ignore[misc]
    """Columns moved and stretched to a range.

    Drop-in for `sklearn.preprocessing.MinMaxScaler`: the same parameters, attributes, errors and
    results, bit for bit.

    Parameters
    ----------
    feature_range : tuple of two float, default=(0, 1)
        The range, the lower end first.
    copy : bool, default=True
        False to scale in place where X is a contiguous float array.
    clip : bool, default=False
        Whether what lies outside the range is put at its nearer end.

    Attributes
    ----------
    min_, scale_ : ndarray of shape (n_features,)
        The result is ``X * scale_ + min_``.
    data_min_, data_max_, data_range_ : ndarray of shape (n_features,)
    n_samples_seen_ : int
        Rows.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), of str
        Only where the data had names of columns.

    Notes
    -----
    NaN is a missing value, as in `StandardScaler`; a batch whose column is missing altogether adds
    nothing to that column, where scikit-learn's extremes become NaN. Any batching and any order of
    merging gives the same bits.

    Examples
    --------
    >>> from mlestar.preprocessing import MinMaxScaler
    >>> scaler = MinMaxScaler().partial_fit([[1.0], [3.0]]).partial_fit([[5.0]])
    >>> scaler.transform([[2.0], [5.0]]).tolist()
    [[0.25], [1.0]]
    """

    _fitted = ("scale_", "min_", "n_samples_seen_", "data_min_", "data_max_", "data_range_")

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Add a batch of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        self
        """
        first = not hasattr(self, "n_samples_seen_")
        if first:
            self._check_parameters()
        low, high = self.feature_range
        array = self._numbers(X, reset=first) if low < high else None
        found = None if array is None else _core.preprocessing.extremes_of(array)
        if array is None or found is None:
            self._declined()
            super().partial_fit(X, y)
            return self
        self._answered()
        least, most = _as_seen(found, array.dtype)
        seen = array.shape[0]
        if not first:
            least, most = np.fmin(self.data_min_, least), np.fmax(self.data_max_, most)
            seen += self.n_samples_seen_
        self._set_extremes(least, most, seen, array.dtype)
        return self

    def _set_extremes(self, least: Any, most: Any, seen: int, dtype: Any) -> None:
        low, high = (np.asarray(end, dtype=dtype) for end in self.feature_range)
        self.n_samples_seen_ = seen
        self.data_min_, self.data_max_, self.data_range_ = least, most, most - least
        self.scale_ = (high - low) / _handle_zeros_in_scale(self.data_range_, copy=True)
        self.min_ = low - least * self.scale_

    def _merge(self, other: Any) -> None:
        self._set_extremes(
            np.fmin(self.data_min_, other.data_min_),
            np.fmax(self.data_max_, other.data_max_),
            self.n_samples_seen_ + other.n_samples_seen_,
            np.result_type(self.data_min_, other.data_min_),
        )

    def transform(self, X: Any, *, out: Any = None) -> Any:
        """Scale to the range.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        out : ndarray of shape (n_samples, n_features), default=None
            Where the result is written: contiguous, of the result's dtype, apart from X or X
            itself. What it holds after an error is not defined.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            float32 for float32, else float64; `out` where that was given.

        Raises
        ------
        ValueError
            If `out` cannot be written, or as scikit-learn's.
        """
        check_is_fitted(self)
        clip = tuple(map(float, self.feature_range)) if self.clip else None
        maps = ("multiply_add", self.scale_, self.min_)
        done = self._scaled(X, self.copy, out, maps, clip)  # type: ignore[arg-type]
        return put_into(out, super().transform(X)) if done is None else done

    def inverse_transform(self, X: Any, *, out: Any = None) -> Any:
        """Undo the scaling.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        out : ndarray of shape (n_samples, n_features), default=None
            As for `transform`.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        maps = ("subtract_divide", self.min_, self.scale_)
        done = self._scaled(X, self.copy, out, maps, inverse=True)
        return put_into(out, super().inverse_transform(X)) if done is None else done


class MaxAbsScaler(ElementwiseScaler, sklearn.preprocessing.MaxAbsScaler):  # type: ignore[misc]
    """Columns divided by their largest magnitude.

    Drop-in for `sklearn.preprocessing.MaxAbsScaler`: the same parameters, attributes, errors and
    results, bit for bit.

    Parameters
    ----------
    copy : bool, default=True
        False to scale in place where X is a contiguous float array.
    clip : bool, default=False
        Whether what lies outside [-1, 1] is put at its nearer end.

    Attributes
    ----------
    scale_, max_abs_ : ndarray of shape (n_features,)
    n_samples_seen_ : int
        Rows.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), of str
        Only where the data had names of columns.

    Notes
    -----
    Missing values, merging and sparse matrices as in `StandardScaler`; any batching gives the same
    bits.

    Examples
    --------
    >>> from mlestar.preprocessing import MaxAbsScaler
    >>> MaxAbsScaler().fit([[1.0], [-4.0]]).transform([[2.0]]).tolist()
    [[0.5]]
    """

    _fitted = ("scale_", "n_samples_seen_", "max_abs_")

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Add a batch of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        self
        """
        first = not hasattr(self, "n_samples_seen_")
        if first:
            self._check_parameters()
        array = self._numbers(X, reset=first)
        found = None if array is None else _core.preprocessing.extremes_of(array)
        if array is None or found is None:
            self._declined()
            super().partial_fit(X, y)
            return self
        self._answered()
        least, most = _as_seen(found, array.dtype)
        largest, seen = np.maximum(np.abs(least), np.abs(most)), array.shape[0]
        if not first:
            largest = np.fmax(self.max_abs_, largest)
            seen += self.n_samples_seen_
        self._set_largest(largest, seen)
        return self

    def _set_largest(self, largest: Any, seen: int) -> None:
        self.max_abs_, self.n_samples_seen_ = largest, seen
        self.scale_ = _handle_zeros_in_scale(largest, copy=True)

    def _merge(self, other: Any) -> None:
        self._set_largest(
            np.fmax(self.max_abs_, other.max_abs_), self.n_samples_seen_ + other.n_samples_seen_
        )

    def transform(self, X: Any, *, out: Any = None) -> Any:
        """Divide by the largest magnitude.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        out : ndarray of shape (n_samples, n_features), default=None
            As for `MinMaxScaler.transform`.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        clip = (-1.0, 1.0) if self.clip else None
        done = self._scaled(X, self.copy, out, ("divide", self.scale_, None), clip)
        return put_into(out, super().transform(X)) if done is None else done

    def inverse_transform(self, X: Any, *, out: Any = None) -> Any:
        """Multiply by the largest magnitude.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        out : ndarray of shape (n_samples, n_features), default=None
            As for `transform`.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        done = self._scaled(X, self.copy, out, ("multiply", self.scale_, None), inverse=True)
        return put_into(out, super().inverse_transform(X)) if done is None else done


def _as_seen(extremes: tuple[Any, Any], dtype: Any) -> tuple[Any, Any]:
    """Extremes in the data's type, which holds them exactly; NaN where all is missing."""
    least, most = (values.astype(dtype) for values in extremes)
    missing = least > most
    if missing.any():
        warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=3)
        least[missing] = most[missing] = np.nan
    return least, most
