"""Transforms that learn nothing: of each row, or of each element."""

from __future__ import annotations

from typing import Any, Self

import sklearn.preprocessing

from mlestar._native import _core
from mlestar.preprocessing.base import StreamingTransformer, put_into, result_for


class _Stateless(StreamingTransformer):
    """A transform that learns nothing but the number and the names of columns."""

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the columns; there is nothing to learn.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        self
        """
        if hasattr(self, "n_features_in_"):
            self._numbers(X, reset=False)
            return self
        return self.fit(X, y)  # type: ignore[attr-defined, no-any-return]

    def _made(self, X: Any, copy: bool | None, out: Any, write: Any) -> Any:
        """What `write(array, result)` wrote; None where it declined, which is counted."""
        # Integers stay integers.
        floats = getattr(getattr(X, "dtype", None), "kind", "f") == "f"
        array = self._numbers(X, reset=False) if floats else None
        if array is not None:
            copies = self.copy if copy is None else copy  # type: ignore[attr-defined]
            target = result_for(X, array, copies, out)
            if target is not None and write(array, target):
                self._answered()
                return target
        self._declined()
        return None


class Normalizer(_Stateless, sklearn.preprocessing.Normalizer):  # type: ignore[misc]
    """Rows divided by their norm.

    Drop-in for `sklearn.preprocessing.Normalizer`: the same parameters, errors and results (within
    rounding of the norm).

    Parameters
    ----------
    norm : {'l1', 'l2', 'max'}, default='l2'
        The norm; 'max' is the largest magnitude. Rows whose norm is zero stay as they are.
    copy : bool, default=True
        False to scale in place where X is a contiguous float array.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), of str
        Only where the data had names of columns.

    Notes
    -----
    Norms are summed in float64, also those of float32. Sparse matrices and integers are left to
    scikit-learn.

    Examples
    --------
    >>> from mlestar.preprocessing import Normalizer
    >>> Normalizer().fit_transform([[3.0, 4.0], [0.0, 0.0]]).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """

    def transform(self, X: Any, copy: bool | None = None, *, out: Any = None) -> Any:
        """Divide rows by their norm.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        copy : bool, default=None
            Instead of the parameter of that name.
        out : ndarray of shape (n_samples, n_features), default=None
            As for `StandardScaler.transform`.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features)
        """
        done = self._made(
            X,
            copy,
            out,
            lambda array, target: _core.preprocessing.normalize_into(array, self.norm, target),
        )
        return put_into(out, super().transform(X, copy=copy)) if done is None else done


class Binarizer(_Stateless, sklearn.preprocessing.Binarizer):  # type: ignore[misc]
    """1 above a threshold, 0 elsewhere.

    Drop-in for `sklearn.preprocessing.Binarizer`: the same parameters, errors and results.

    Parameters
    ----------
    threshold : float, default=0.0
        What is larger becomes 1.
    copy : bool, default=True
        False to write to X itself where it is a contiguous float array.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), of str
        Only where the data had names of columns.

    Notes
    -----
    Sparse matrices and integers are left to scikit-learn.

    Examples
    --------
    >>> from mlestar.preprocessing import Binarizer
    >>> Binarizer(threshold=0.5).fit_transform([[0.2, 0.7]]).tolist()
    [[0.0, 1.0]]
    """

    def transform(self, X: Any, copy: bool | None = None, *, out: Any = None) -> Any:
        """Compare with the threshold.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        copy : bool, default=None
            Instead of the parameter of that name.
        out : ndarray of shape (n_samples, n_features), default=None
            As for `StandardScaler.transform`.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features)
        """
        done = self._made(
            X,
            copy,
            out,
            lambda array, target: _core.preprocessing.binarize_into(array, self.threshold, target),
        )
        return put_into(out, super().transform(X, copy=copy)) if done is None else done
