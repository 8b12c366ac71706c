"""Categories as numbers: ordinal codes and one-hot columns, of streams too."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import sklearn.preprocessing
from scipy import sparse
from sklearn.utils import _align_api_if_sparse
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import check_is_fitted

from mlestar._native import _core
from mlestar.preprocessing.base import put_into, result_dtype, writable
from mlestar.preprocessing.categories import CategoryEncoder, Plan

_INT32_MOST = 2**31 - 1


class OrdinalEncoder(CategoryEncoder, sklearn.preprocessing.OrdinalEncoder):  # type: ignore[misc]
    """Categories as their rank among the sorted ones of their column.

    Drop-in for `sklearn.preprocessing.OrdinalEncoder`: the same parameters, attributes, errors and
    results.

    Parameters
    ----------
    categories : 'auto' or list of array-like, default='auto'
        The categories of each column, or those that are found in fitting.
    dtype : number type, default=numpy.float64
        Of the result.
    handle_unknown : {'error', 'use_encoded_value'}, default='error'
        What is done with categories that were not there in fitting.
    unknown_value : int or NaN, default=None
        What they become, by 'use_encoded_value'.
    encoded_missing_value : int or NaN, default=NaN
        What missing values become.
    min_frequency : int or float, default=None
        Categories that are there less often, or in less than this share of the rows, are one.
    max_categories : int, default=None
        How many categories a column has at most; the rarest are one.

    Attributes
    ----------
    categories_ : list of ndarray
        Of each column, ascending; missing values are last.
    infrequent_categories_ : list of ndarray or None
        Only where `min_frequency` or `max_categories` are given.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), of str
        Only where the data had names of columns.

    See Also
    --------
    OneHotEncoder : a column for each category.

    Notes
    -----
    Numbers are looked up in a table where they are integers that lie close together, else in a
    hash; strings of fixed width are hashed where they lie, other strings by Python. Given
    categories are checked by scikit-learn.

    Examples
    --------
    >>> from mlestar.preprocessing import OrdinalEncoder
    >>> encoder = OrdinalEncoder().partial_fit([["b", 30]]).partial_fit([["a", 20], ["b", 20]])
    >>> encoder.transform([["b", 20], ["a", 30]]).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    _missing_indices: dict[int, int]
    _default_to_infrequent_mappings: list[Any]

    def transform(self, X: Any, *, out: Any = None) -> Any:
        """Write the code of each element.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        out : ndarray of shape (n_samples, n_features), default=None
            Where the result is written: contiguous, of `dtype`, apart from X. What it holds after
            an error is not defined.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Of `dtype`; `out` where that was given.

        Raises
        ------
        ValueError
            If there are unknown categories that may not be, `out` cannot be written, or as
            scikit-learn's.
        """
        check_is_fitted(self, "categories_")
        dtype = result_dtype(self.dtype)
        coded = None if dtype is None else self._coded(X, self._words(), self._values)
        if coded is not None:
            plan, columns = coded
            shape = len(columns[0]), len(columns)
            target = np.empty(shape, dtype) if out is None else writable(out, shape, dtype, X)
            unknown = _core.preprocessing.encode_into(plan.coders, columns, plan.values, target)
            accepts = self.handle_unknown == "use_encoded_value"
            if unknown is not None and (accepts or not unknown.any()):
                self._answered()
                return target
        self._declined()
        return put_into(out, super().transform(X))

    def _words(self) -> str:
        return repr(
            (self.dtype, self.handle_unknown, self.unknown_value, self.encoded_missing_value)
        )

    def _values(self) -> list[Any]:
        """What each code becomes, column by column."""
        dtype = np.dtype(self.dtype)
        values = []
        for j, categories in enumerate(self.categories_):
            codes = np.arange(len(categories) + 1)
            mapping = self._default_to_infrequent_mappings[j] if self._infrequent_enabled else None
            if mapping is not None:
                codes[: len(mapping)] = mapping  # what is missing is not in it, and last
            codes[-1] = 0
            made = codes.astype(dtype)
            if j in self._missing_indices:
                made[self._missing_indices[j]] = self.encoded_missing_value
            if self.handle_unknown == "use_encoded_value":
                made[-1] = self.unknown_value
            values.append(made)
        return values


class OneHotEncoder(CategoryEncoder, sklearn.preprocessing.OneHotEncoder):  # type: ignore[misc]
    """A column for each category, 1 where it is there.

    Drop-in for `sklearn.preprocessing.OneHotEncoder`: the same parameters, attributes, errors and
    results.

    Parameters
    ----------
    categories : 'auto' or list of array-like, default='auto'
        The categories of each column, or those that are found in fitting.
    drop : {'first', 'if_binary'} or array-like of shape (n_features,), default=None
        The categories that get no column.
    sparse_output : bool, default=True
        Whether the result is a CSR matrix.
    dtype : number type, default=numpy.float64
        Of the result.
    handle_unknown : {'error', 'ignore', 'infrequent_if_exist', 'warn'}, default='error'
        What is done with categories that were not there in fitting.
    min_frequency : int or float, default=None
        Categories that are there less often, or in less than this share of the rows, are one.
    max_categories : int, default=None
        How many categories a column has at most; the rarest are one.
    feature_name_combiner : 'concat' or callable, default='concat'
        The name of the column of a category.

    Attributes
    ----------
    categories_ : list of ndarray
        Of each column, ascending; missing values are last.
    drop_idx_ : ndarray of shape (n_features,) or None
        Places in `categories_` of those that get no column.
    infrequent_categories_ : list of ndarray or None
        Only where `min_frequency` or `max_categories` are given.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), of str
        Only where the data had names of columns.

    See Also
    --------
    OrdinalEncoder : one column of codes.

    Examples
    --------
    >>> from mlestar.preprocessing import OneHotEncoder
    >>> encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    >>> encoder.fit([["a"], ["b"]]).transform([["b"], ["c"]]).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    >>> encoder.merge(OneHotEncoder(sparse_output=False, handle_unknown="ignore").fit([["c"]]))
    OneHotEncoder(handle_unknown='ignore', sparse_output=False)
    >>> encoder.transform([["c"]]).tolist()
    [[0.0, 0.0, 1.0]]
    """

    _default_to_infrequent_mappings: list[Any]
    _infrequent_indices: list[Any]
    _drop_idx_after_grouping: Any
    _n_features_outs: list[int]

    def transform(self, X: Any, *, out: Any = None) -> Any:
        """Write ones where categories are there.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        out : ndarray of shape (n_samples, n_features_out), default=None
            Where the result is written: contiguous in C order, of `dtype`, apart from X; only with
            ``sparse_output=False``. What it holds after an error is not defined.

        Returns
        -------
        CSR matrix or ndarray of shape (n_samples, n_features_out)
            Of `dtype`; `out` where that was given.

        Raises
        ------
        ValueError
            If there are unknown categories that may not be, `out` cannot be written, or as
            scikit-learn's.
        """
        check_is_fitted(self)
        if out is not None and self.sparse_output:
            raise ValueError("out is given, but sparse_output is True: it must be None")
        dtype = result_dtype(self.dtype)
        wanted = _get_output_config("transform", estimator=self)["dense"]
        if dtype is not None and not (self.sparse_output and wanted != "default"):
            coded = self._coded(X, self._words(), self._places)
            made = None if coded is None else self._made(*coded, X, dtype, out)
            if made is not None:
                self._answered()
                return made
        self._declined()
        return put_into(out, super().transform(X))

    def _made(self, plan: Plan, columns: list[Any], X: Any, dtype: Any, out: Any) -> Any:
        """The result; None where the core declines or there is what may not be."""
        width = sum(self._n_features_outs)
        rows = len(columns[0])
        if self.sparse_output:
            target = np.empty((rows, len(columns)), np.int32)
            unknown = _core.preprocessing.encode_into(plan.coders, columns, plan.values, target)
        else:
            target = np.empty((rows, width), dtype)
            if out is not None:
                target = writable(out, (rows, width), dtype, X, c_order=True)
            one, zero = np.ones(1, dtype), np.zeros(1, dtype)
            if width == 0:
                return None
            unknown = _core.preprocessing.one_hot_into(
                plan.coders, columns, plan.values, one, zero, target
            )
        if unknown is None or (self.handle_unknown == "error" and unknown.any()):
            return None
        self._warn_of(unknown)
        if not self.sparse_output:
            return target
        dropped = any((places[:-1] < 0).any() for places in plan.values)
        left_out = any(plan.values[j][-1] < 0 for j in np.flatnonzero(unknown))
        return sparse_ones(target, width, dtype, full=not (dropped or left_out))

    def _warn_of(self, unknown: Any) -> None:
        """As scikit-learn warns of unknown categories."""
        warned = self.handle_unknown == "warn" or (
            self.drop is not None and self.handle_unknown in ("ignore", "infrequent_if_exist")
        )
        if not warned or not unknown.any():
            return
        become = "the infrequent category" if self.handle_unknown != "ignore" else "all zeros"
        warnings.warn(
            f"Found unknown categories in columns {np.flatnonzero(unknown).tolist()} during "
            f"transform. These unknown categories will be encoded as {become}"
            + ("." if self.handle_unknown != "ignore" else ""),
            UserWarning,
            stacklevel=4,
        )

    def _words(self) -> str:
        return repr((self.handle_unknown, self._n_features_outs))

    def _places(self) -> list[Any]:
        """The column of each code, or -1, for each column that is encoded."""
        starts = np.cumsum([0, *self._n_features_outs])
        values = []
        for j, categories in enumerate(self.categories_):
            count = len(categories)
            places = np.arange(count + 1)
            infrequent = self._infrequent_indices[j] if self._infrequent_enabled else None
            known = np.ones(count + 1, bool)
            known[count] = False
            if infrequent is not None:
                mapping = self._default_to_infrequent_mappings[j]
                places[:count] = mapping
                places[count] = mapping[infrequent[0]]
                known[count] = self.handle_unknown in ("infrequent_if_exist", "warn")
            dropped = None
            if self._drop_idx_after_grouping is not None:
                dropped = self._drop_idx_after_grouping[j]
            if dropped is not None:
                known &= places != dropped
                places[places > dropped] -= 1
            places += starts[j]
            places[~known] = -1
            if places.max() >= starts[j + 1]:  # SciPy does not look, and writes where they say
                raise ValueError(
                    f"categories_ has {count} categories in column {j}, more than were fitted: fit "
                    "again"
                )
            values.append(places.astype(np.int32))
        return values


def sparse_ones(places: Any, width: int, dtype: Any, full: bool) -> Any:
    """A CSR matrix with ones at places of rows, -1 being none; None where they are too many.

    Parameters
    ----------
    places : ndarray of shape (n_samples, n_places), of int32
    width : int
        Columns of the matrix.
    dtype : dtype
    full : bool
        Whether no place is -1.

    Returns
    -------
    CSR matrix of shape (n_samples, width), or None
    """
    if places.size > _INT32_MOST:
        return None
    if full:
        indices = places.ravel()
        starts = np.arange(0, places.size + 1, places.shape[1], dtype=np.int32)
    else:
        indices, starts = _core.preprocessing.sparse_rows_of(places)
    data = np.ones(len(indices), dtype)
    matrix = sparse.csr_array((data, indices, starts), shape=(len(places), width))
    return _align_api_if_sparse(matrix)
