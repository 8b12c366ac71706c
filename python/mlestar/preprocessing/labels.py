"""Labels as numbers: of streams, and merged."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Self

import numpy as np
import sklearn.preprocessing
from scipy import sparse
from sklearn import get_config
from sklearn.utils import _align_api_if_sparse, column_or_1d
from sklearn.utils.validation import check_is_fitted

from mlestar._arrays import as_array
from mlestar._native import _core
from mlestar.preprocessing.base import StreamingTransformer, writable
from mlestar.preprocessing.categories import (
    is_readable,
    kind_of,
    lookup,
    merged_column,
    object_categories,
    object_codes,
)


class _Labels(StreamingTransformer):
    """A transformer of labels: what it has fitted is the distinct ones."""

    _fitted: tuple[str, ...] = ("classes_",)
    _of_tables = ()
    classes_: Any

    def partial_fit(self, y: Any) -> Self:
        """Add the labels of a batch.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels of the kind (numbers, strings) of those before.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If y holds what the core does not take, or labels of another kind.
        """
        if "classes_" not in vars(self):
            self.fit(y)  # type: ignore[attr-defined]
            return self
        found = self._found(y)
        if found is None:
            self._declined()
            self._fresh().fit(y)  # it words the error
            raise ValueError(
                f"y is a {type(y).__name__} that the core does not read: batches must hold labels "
                "that are all numbers or all strings"
            )
        self._answered()
        self._take(self._joined(found))
        return self

    def _fresh(self) -> Any:
        """scikit-learn's, of the same parameters."""
        theirs = next(one for one in type(self).__mro__ if one.__module__.startswith("sklearn"))
        return theirs(**self.get_params(deep=False))  # type: ignore[attr-defined]

    def _joined(self, classes: Any) -> Any:
        none = np.zeros(len(self.classes_), np.int64), np.zeros(len(classes), np.int64)
        return merged_column(self.classes_, none[0], classes, none[1])[0]

    def _merge(self, other: Any) -> None:
        self._take(self._joined(other.classes_))

    def _take(self, classes: Any) -> None:
        self.classes_ = classes

    def _found(self, y: Any) -> Any:
        """The distinct labels, ascending; None where scikit-learn is to deal with them."""
        column = self._column(y)
        return None if column is None else distinct(column)

    def _column(self, y: Any) -> Any:
        raise NotImplementedError

    def _check_state(self, attributes: dict[str, Any]) -> None:
        classes = attributes.get("classes_")
        if attributes and (not isinstance(classes, np.ndarray) or classes.ndim != 1):
            raise ValueError(f"state has classes_ {classes!r}, but must have an array of one axis")


class LabelEncoder(  # type: ignore[call-arg]
    _Labels,
    sklearn.preprocessing.LabelEncoder,  # type: ignore[misc]
    auto_wrap_output_keys=None,
):
    """Labels as their rank among the sorted ones.

    Drop-in for `sklearn.preprocessing.LabelEncoder`: the same attributes, errors and results.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The distinct labels, ascending.

    See Also
    --------
    OrdinalEncoder : the same of tables.

    Examples
    --------
    >>> from mlestar.preprocessing import LabelEncoder
    >>> encoder = LabelEncoder().partial_fit(["b", "a"]).partial_fit(["c", "a"])
    >>> encoder.transform(["c", "a", "b"]).tolist()
    [2, 0, 1]
    """

    def fit(self, y: Any) -> Self:
        """Find the distinct labels.

        Parameters
        ----------
        y : array-like of shape (n_samples,)

        Returns
        -------
        self
        """
        found = self._found(y)
        if found is None:
            self._declined()
            super().fit(y)
        else:
            self._answered()
            self.classes_ = found
        return self

    def fit_transform(self, y: Any) -> Any:
        """Find the distinct labels, and write the rank of each.

        Parameters
        ----------
        y : array-like of shape (n_samples,)

        Returns
        -------
        ndarray of shape (n_samples,), of int64
        """
        column = self._column(y)
        found = None if column is None else distinct(column)
        codes = None if found is None else codes_among(column, found)
        if codes is None:
            self._declined()
            return super().fit_transform(y)
        self._answered()
        self.classes_ = found
        return codes

    def transform(self, y: Any, *, out: Any = None) -> Any:
        """Write the rank of each label.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
        out : ndarray of shape (n_samples,), of int64, default=None
            Where the result is written: contiguous, apart from y.

        Returns
        -------
        ndarray of shape (n_samples,), of int64
            `out` where that was given.

        Raises
        ------
        ValueError
            If there is a label that was not there in fitting, or `out` cannot be written.
        """
        check_is_fitted(self)
        column = self._column(y, self.classes_.dtype)
        if out is not None:
            _check_flat(out, column)
        codes = None if column is None else codes_among(column, self.classes_, out)
        if codes is not None:
            self._answered()
            return codes
        self._declined()
        result = super().transform(y)
        if out is None:
            return result
        out[...] = result
        return out

    def _column(self, y: Any, dtype: Any = None) -> Any:
        if get_config()["array_api_dispatch"] and not isinstance(y, np.ndarray):
            return None
        column = column_or_1d(y, dtype=dtype, warn=True)
        return column if is_readable(column) and len(column) else None


class LabelBinarizer(  # type: ignore[call-arg]
    _Labels,
    sklearn.preprocessing.LabelBinarizer,  # type: ignore[misc]
    auto_wrap_output_keys=None,
):
    """A column for each label (one for two labels), `pos_label` where it is there.

    Drop-in for `sklearn.preprocessing.LabelBinarizer`: the same parameters, attributes, errors and
    results. Integers, bools and strings are computed in the core.

    Parameters
    ----------
    neg_label : int, default=0
        What is written where a label is not.
    pos_label : int, default=1
        What is written where it is.
    sparse_output : bool, default=False
        Whether the result is a CSR matrix.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The distinct labels, ascending.
    y_type_ : str
        What `sklearn.utils.multiclass.type_of_target` says of them.
    sparse_input_ : bool
        Whether the labels came as a sparse matrix.

    See Also
    --------
    OneHotEncoder : the same of tables.

    Examples
    --------
    >>> from mlestar.preprocessing import LabelBinarizer
    >>> LabelBinarizer().fit(["a", "b"]).merge(LabelBinarizer().fit(["c"])).transform(["c"])
    array([[0, 0, 1]])
    """

    _fitted = ("classes_", "y_type_", "sparse_input_")
    y_type_: str
    sparse_input_: bool

    def fit(self, y: Any) -> Self:
        """Find the distinct labels.

        Parameters
        ----------
        y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_classes)

        Returns
        -------
        self
        """
        self._check_parameters()
        found = self._found(y) if self._is_well() else None
        if found is None:
            self._declined()
            super().fit(y)
        else:
            self._answered()
            self._take(found)
        return self

    def fit_transform(self, y: Any) -> Any:
        """Find the distinct labels, and write where they are.

        Parameters
        ----------
        y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_classes)

        Returns
        -------
        {ndarray, CSR matrix} of shape (n_samples, n_classes)
        """
        return self.fit(y).transform(y)

    def _is_well(self) -> bool:
        """Whether the parameters are such that scikit-learn does not complain of them."""
        neg, pos = self.neg_label, self.pos_label
        if not (isinstance(neg, Integral) and isinstance(pos, Integral) and neg < pos):
            return False
        return not self.sparse_output or (pos != 0 and neg == 0)

    def _found(self, y: Any) -> Any:
        column = self._column(y)
        found = None if column is None else distinct(column)
        return None if found is None else np.asarray(list(found))

    def _take(self, classes: Any) -> None:
        self.classes_ = classes
        self.y_type_ = "binary" if len(classes) <= 2 else "multiclass"
        self.sparse_input_ = False

    def _joined(self, classes: Any) -> Any:
        if self.y_type_ not in ("binary", "multiclass"):
            raise ValueError(
                f"self was fitted to labels of type {self.y_type_}, but only those of one label a "
                "row can be added to"
            )
        return super()._joined(classes)

    def _merge(self, other: Any) -> None:
        if other.y_type_ not in ("binary", "multiclass"):
            raise ValueError(f"other was fitted to labels of type {other.y_type_}")
        super()._merge(other)

    def _column(self, y: Any) -> Any:
        if get_config()["array_api_dispatch"] and not isinstance(y, np.ndarray):
            return None
        y = as_array(y)
        if type(y) is not np.ndarray or y.dtype.kind not in "iubU" or y.ndim != 1 or not y.size:
            return None
        return y if is_readable(y) else None

    def transform(self, y: Any, *, out: Any = None) -> Any:
        """Write where labels are.

        Parameters
        ----------
        y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_classes)
        out : ndarray of shape (n_samples, n_classes), default=None
            Where the result is written: contiguous in C order, of the result's dtype, apart from y;
            only with ``sparse_output=False``.

        Returns
        -------
        {ndarray, CSR matrix} of shape (n_samples, n_classes)
            Of y's dtype where that is a signed integer, else int64; `out` where that was given.

        Raises
        ------
        ValueError
            If `out` cannot be written, or as scikit-learn's.
        """
        check_is_fitted(self)
        if out is not None and self.sparse_output:
            raise ValueError("out is given, but sparse_output is True: it must be None")
        column = self._column(y)
        made = None if column is None else self._made(y, column, out)
        if made is not None:
            self._answered()
            return made
        self._declined()
        result = super().transform(y)
        if out is None:
            return result
        writable(out, result.shape, result.dtype, y, c_order=True)
        out[...] = result
        return out

    def _made(self, y: Any, column: Any, out: Any) -> Any:
        count = len(self.classes_)
        looked_up = lookup(self.classes_, kind_of(column))
        if looked_up is None or self.y_type_ not in ("binary", "multiclass"):
            return None
        integral = column.dtype.kind in "iu" and self.classes_.dtype.kind in "iu"
        if integral and not np.can_cast(self.classes_.dtype, column.dtype):
            return None  # scikit-learn narrows the classes
        if self.sparse_output and count < 3:
            return None
        keeps = not isinstance(y, list) and column.dtype.kind == "i" and not self.sparse_output
        dtype = column.dtype if keeps else np.dtype(np.int64)
        # Parameters may have been set after the fit; and what y's type does not hold, it wraps.
        limits = np.iinfo(dtype)
        if not self._is_well() or self.neg_label < limits.min or self.pos_label > limits.max:
            return None
        coders = _core.preprocessing.ColumnCoders([looked_up])
        places = np.arange(count + 1, dtype=np.int32)
        places[count] = -1
        if self.sparse_output:
            target: Any = np.empty((len(column), 1), np.int32)
            unknown = _core.preprocessing.encode_into(coders, [column], [places], target)
            if unknown is None:
                return None
            indices, starts = _core.preprocessing.sparse_rows_of(target)
            data = np.full(len(indices), self.pos_label, dtype=int)
            shape = len(column), count
            return _align_api_if_sparse(sparse.csr_array((data, indices, starts), shape=shape))
        if count <= 2:
            places = np.array([-1, 0, -1] if count == 2 else [-1, -1], np.int32)
        shape = len(column), (1 if count <= 2 else count)
        if out is not None:
            writable(out, shape, dtype, y, c_order=True)
        target = np.empty(shape, dtype) if out is None else out
        one, other = np.array([self.pos_label]), np.array([self.neg_label])
        unknown = _core.preprocessing.one_hot_into(
            coders, [column], [places], one.astype(dtype), other.astype(dtype), target
        )
        # Of two labels, a third makes scikit-learn write two columns.
        return None if unknown is None or (count <= 2 and unknown.any()) else target


def distinct(column: Any) -> Any:
    """The distinct values of a column, ascending; None where scikit-learn is to find them."""
    if column.dtype.kind == "O":
        objects = object_categories(column)
        return None if objects is None else objects[0]
    found = _core.preprocessing.categories_of([np.require(column, requirements="A")])
    return None if found is None else column[found[0][0]]


def codes_among(column: Any, classes: Any, out: Any = None) -> Any:
    """Codes of a column's values, as int64; None where one is not among the classes."""
    kind = kind_of(column)
    looked_up = lookup(classes, kind)
    if kind == "O":
        column = object_codes(column, classes)
    if looked_up is None or column is None:
        return None
    coders = _core.preprocessing.ColumnCoders([looked_up])
    target = np.empty(len(column), np.int64) if out is None else out
    unknown = _core.preprocessing.encode_into(
        coders,
        [np.require(column, requirements="A")],
        [np.arange(len(classes) + 1)],
        target[:, None],
    )
    return target if unknown is not None and not unknown.any() else None


def _check_flat(out: Any, column: Any) -> None:
    if type(out) is not np.ndarray:
        raise ValueError(f"out is a {type(out).__name__}, but must be a NumPy array")
    if out.dtype != np.int64 or out.ndim != 1 or not out.flags.c_contiguous:
        raise ValueError(
            f"out has dtype {out.dtype} and shape {out.shape}, but must be a contiguous array of "
            "int64 and one axis"
        )
    if column is not None and out.shape != column.shape:
        raise ValueError(f"out has shape {out.shape}, but must have {column.shape}")
    if not (out.flags.writeable and out.flags.aligned):
        raise ValueError("out is read-only or unaligned, but must be an array that can be written")
    if column is not None and np.may_share_memory(out, column):
        raise ValueError("out overlaps y, but must be apart from it")
