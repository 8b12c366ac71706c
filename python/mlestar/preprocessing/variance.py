"""Columns chosen by their variance, of streams too."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import sklearn.feature_selection
from sklearn.utils.validation import check_is_fitted

from mlestar._native import _core
from mlestar.preprocessing.base import StreamingTransformer, put_into


class VarianceThreshold(
    StreamingTransformer,
    sklearn.feature_selection.VarianceThreshold,  # type: ignore[misc]
):
    """Columns whose variance is above a threshold.

    Drop-in for `sklearn.feature_selection.VarianceThreshold`: the same parameters, attributes,
    errors and results (variances within rounding).

    Parameters
    ----------
    threshold : float, default=0
        Columns of this variance or less are dropped.

    Attributes
    ----------
    variances_ : ndarray of shape (n_features,)
        Variances; where the threshold is 0 and nothing is missing, the range where that is smaller.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), of str
        Only where the data had names of columns.

    See Also
    --------
    StandardScaler : whose moments these are.

    Notes
    -----
    NaN is a missing value and passed over. `fit` raises where no column is left; `partial_fit` and
    `merge` do not, since what follows may vary. Sparse matrices are left to scikit-learn.

    Examples
    --------
    >>> from mlestar.preprocessing import VarianceThreshold
    >>> chosen = VarianceThreshold().partial_fit([[1.0, 2.0]]).partial_fit([[1.0, 3.0]])
    >>> chosen.transform([[1.0, 5.0]]).tolist()
    [[5.0]]
    """

    _fitted = ("variances_", "_moments", "_least", "_most", "_rows_seen")

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the variances of all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        self
        """
        self._check_parameters()
        found = self._found(X, reset=True)
        if found is not None:
            self._answered()
            self._set_found(found)
            variances = self.variances_
            if (np.isfinite(variances) & (variances > self.threshold)).any():
                return self
        else:
            self._declined()
        super().fit(X, y)  # it words the errors
        for name in set(self._fitted) - {"variances_"}:
            self.__dict__.pop(name, None)
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
            If X is sparse or holds infinity, or nothing was kept of sparse rows before.
        """
        first = not hasattr(self, "variances_")
        if first:
            self._check_parameters()
        else:
            self._require_kept("self")
        found = self._found(X, reset=first)
        if found is None:
            self._declined()
            sklearn.feature_selection.VarianceThreshold(self.threshold).fit(X)  # it words the error
            raise ValueError(f"X is a {type(X).__name__}, but batches must be dense arrays")
        self._answered()
        self._set_found(found if first else _merged(self._kept(), found))
        return self

    def _found(self, X: Any, reset: bool) -> Any:
        array = self._numbers(X, reset)
        moments = None if array is None else _core.preprocessing.moments_of(array, None)
        extremes = None if moments is None else _core.preprocessing.extremes_of(array)
        if moments is None or extremes is None:
            return None
        return moments, *extremes, len(array)

    def _kept(self) -> Any:
        return self._moments, self._least, self._most, self._rows_seen

    def _set_found(self, found: Any) -> None:
        self._moments, self._least, self._most, self._rows_seen = found
        count = self._moments[0] + self._moments[1]
        with np.errstate(invalid="ignore"):
            self.variances_ = (self._moments[4] + self._moments[5]) / count
        if self.threshold == 0:
            # The range of a constant column is zero whatever its variance was rounded to.
            whole = count == self._rows_seen
            spread = np.full(len(count), np.nan)
            np.subtract(self._most, self._least, out=spread, where=whole)
            self.variances_ = np.fmin(self.variances_, spread)

    def _require_kept(self, name: str) -> None:
        if "_moments" not in vars(self):
            raise ValueError(
                f"{name} was fitted by scikit-learn, to sparse rows: nothing can be added to it"
            )

    def _merge(self, other: Any) -> None:
        self._require_kept("self")
        other._require_kept("other")
        self._set_found(_merged(self._kept(), other._kept()))

    def _optional(self) -> set[str]:
        return {*self._fitted} - {"variances_"}

    def transform(self, X: Any, *, out: Any = None) -> Any:
        """Take the columns that vary.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        out : ndarray of shape (n_samples, n_features_out), default=None
            Where the result is written: contiguous, of X's dtype, apart from X.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features_out)
            Of X's dtype; `out` where that was given.
        """
        check_is_fitted(self)
        return put_into(out, super().transform(X))


def _merged(one: Any, other: Any) -> Any:
    """What was found in all rows."""
    return (
        _core.preprocessing.merge_moments(one[0], other[0]),
        np.minimum(one[1], other[1]),
        np.maximum(one[2], other[2]),
        one[3] + other[3],
    )
