"""What all our transformers share: reading users' tables, writing results, states and merging."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn import get_config
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import validate_data

from mlestar._arrays import as_array
from mlestar._calls import answered, declined

_STATE_VERSION = 1
_FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


class StreamingTransformer:
    """What every transformer of `mlestar.preprocessing` has beyond scikit-learn's.

    A mixin before the namesake of scikit-learn: it merges, keeps its state in plain arrays, and
    reads and writes tables for those that compute in the core.
    """

    # Fitted attributes, in the order in which a state holds them.
    _fitted: tuple[str, ...] = ()
    # What is known of tables' columns, first of all how many; nothing of labels.
    _of_tables: tuple[str, ...] = ("n_features_in_", "feature_names_in_")
    # `out` is no metadata that a pipeline could route.
    __metadata_request__transform = {"out": UNUSED}  # noqa: RUF012
    __metadata_request__inverse_transform = {"out": UNUSED}  # noqa: RUF012

    def merge(self, other: Any) -> Self:
        """Add what another transformer has seen, as if its rows had come after this one's.

        Parameters
        ----------
        other : transformer
            Of the same class and parameters; it does not change. One that has seen nothing adds
            nothing.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `other` is of another class, has other parameters or has seen other columns.
        """
        self._require_mergeable(other)
        if not _is_fitted(other):
            return self
        if not _is_fitted(self):
            self._set_state(other._state())
            return self
        self._merge(other)
        return self

    def state_dict(self) -> dict[str, Any]:
        """What has been fitted, as plain numbers, strings, lists and arrays.

        Returns
        -------
        dict
            ``version``, ``transformer`` (the class), ``parameters`` and ``attributes``: arrays are
            copies, arrays of objects are given as ``{"objects": [...]}``. Empty attributes where
            nothing has been fitted.
        """
        return {
            "version": _STATE_VERSION,
            "transformer": type(self).__name__,
            "parameters": self._plain_parameters(),
            "attributes": {name: _to_plain(value) for name, value in self._state().items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> Self:
        """Go on from what `state_dict` gave.

        Parameters
        ----------
        state : mapping
            Of a transformer of the same class and parameters.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If it is of another transformer, other parameters or another version, or damaged; the
            transformer stays as it was.
        """
        for key, wanted in (
            ("version", _STATE_VERSION),
            ("transformer", type(self).__name__),
            ("parameters", self._plain_parameters()),
        ):
            # By their words: NaN does not equal itself.
            if repr(state.get(key)) != repr(wanted):
                raise ValueError(f"state has {key} {state.get(key)!r}, but must have {wanted!r}")
        given = state.get("attributes")
        known = {*self._fitted, *self._of_tables}
        if not isinstance(given, Mapping) or not known.issuperset(given):
            raise ValueError(
                f"state has attributes {_names(given)}, but must have those of {sorted(known)} "
                "that state_dict() gave"
            )
        missing = {*self._fitted, *self._of_tables[:1]}.difference(given)
        if given and missing - self._optional():
            raise ValueError(f"state lacks the attributes {sorted(missing - self._optional())}")
        attributes = {name: _from_plain(value) for name, value in given.items()}
        self._check_state(attributes)
        self._set_state(attributes)
        return self

    # For those who implement one ------------------------------------------------------------------

    def _merge(self, other: Any) -> None:
        """Add what `other` has seen; both have seen something, of the same columns."""

    def _optional(self) -> set[str]:
        """Those of `_fitted` that need not be there."""
        return set()

    def _check_state(self, attributes: dict[str, Any]) -> None:
        """Raise where attributes do not fit each other: arrays of one number for each column."""
        columns = attributes.get("n_features_in_")
        for name, value in attributes.items():
            if isinstance(value, np.ndarray) and value.ndim and value.shape[-1] != columns:
                raise ValueError(
                    f"state has {name} for {value.shape[-1]} columns, but n_features_in_ is "
                    f"{columns}"
                )

    def _state(self) -> dict[str, Any]:
        names = (*self._fitted, *self._of_tables)
        held = vars(self)
        return {name: held[name] for name in names if name in held}

    def _set_state(self, attributes: dict[str, Any]) -> None:
        for name in (*self._fitted, *self._of_tables):
            vars(self).pop(name, None)
        for name, value in attributes.items():
            setattr(self, name, value.copy() if isinstance(value, np.ndarray) else value)

    def _plain_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = self.get_params(deep=False)  # type: ignore[attr-defined]
        return {name: _to_plain(value) for name, value in sorted(parameters.items())}

    def _require_mergeable(self, other: Any) -> None:
        if type(other) is not type(self):
            raise ValueError(
                f"other is a {type(other).__name__}, but must be a {type(self).__name__}"
            )
        mine, theirs = self._plain_parameters(), other._plain_parameters()
        if repr(mine) != repr(theirs):
            raise ValueError(f"other has the parameters {theirs}, but must have {mine}")
        if not (_is_fitted(self) and _is_fitted(other)):
            return
        for name in self._of_tables:
            one, two = getattr(self, name, None), getattr(other, name, None)
            if not np.array_equal(one, two):  # type: ignore[arg-type]
                raise ValueError(f"other has {name} {two!r}, but must have {one!r}")

    def _check_parameters(self) -> None:
        if not get_config()["skip_parameter_validation"]:
            self._validate_params()  # type: ignore[attr-defined]

    def _answered(self) -> None:
        answered(type(self).__name__)

    def _declined(self, why: str = "") -> None:
        declined(type(self).__name__, why)

    def _numbers(self, X: Any, reset: bool) -> Any:
        """X as an array of float64 or float32; None where scikit-learn is to deal with it.

        Columns are counted and named as scikit-learn does; whether all is finite is not looked at.
        """
        if type(X) is np.ndarray and X.dtype in _FLOATS and X.ndim == 2 and X.size:
            if not hasattr(self, "feature_names_in_"):
                if reset:
                    self.n_features_in_ = X.shape[1]
                    return X
                # Those that learn nothing may not have counted the columns.
                if getattr(self, "n_features_in_", X.shape[1]) == X.shape[1]:
                    return X
        elif not _is_host_table(X):
            return None
        return validate_data(self, X, reset=reset, dtype=_FLOATS, ensure_all_finite=False)

    def _plain_numbers(self, X: Any, reset: bool) -> Any:
        """As `_numbers`, of tables that are integers or floats from the beginning."""
        if isinstance(X, list | tuple):
            X = as_array(X)  # None where it is no numbers
        types = getattr(X, "dtypes", None)
        for one in [getattr(X, "dtype", None)] if types is None else types:
            if not isinstance(one, np.dtype) or one.kind not in "fiu" or one == np.float16:
                return None
        return self._numbers(X, reset)


def result_for(X: Any, array: Any, copy: bool, out: Any) -> Any:
    """The array that a transform writes; None where scikit-learn is to deal with it.

    Parameters
    ----------
    X : object
        What the user gave.
    array : ndarray
        X as it is read.
    copy : bool
        False to write to X itself where that is possible.
    out : ndarray or None
        What the user wants written.

    Returns
    -------
    ndarray or None

    Raises
    ------
    ValueError
        If `out` cannot be written.
    """
    if out is not None:
        check_out(out, array)
        return out
    by_columns = array.flags.f_contiguous and not array.flags.c_contiguous
    if not copy and array is X:
        flags = array.flags
        return array if flags.writeable and (flags.c_contiguous or by_columns) else None
    return np.empty(array.shape, array.dtype, order="F" if by_columns else "C")


def check_out(out: Any, array: Any) -> None:
    """Raise unless `out` can be written with what comes from `array`.

    Examples
    --------
    >>> import numpy as np
    >>> check_out(np.zeros((2, 3)), np.zeros((2, 2)))
    Traceback (most recent call last):
    ...
    ValueError: out has shape (2, 3), but must have (2, 2)
    """
    if type(out) is not np.ndarray:
        raise ValueError(f"out is a {type(out).__name__}, but must be a NumPy array")
    if out.shape != array.shape:
        raise ValueError(f"out has shape {out.shape}, but must have {array.shape}")
    if out.dtype != array.dtype:
        raise ValueError(f"out has dtype {out.dtype}, but must have {array.dtype}")
    if not (out.flags.c_contiguous or out.flags.f_contiguous):
        raise ValueError("out is a view with gaps, but must be contiguous, in C or Fortran order")
    if not (out.flags.writeable and out.flags.aligned):
        raise ValueError("out is read-only or unaligned, but must be an array that can be written")
    same = out.strides == array.strides and out.ctypes.data == array.ctypes.data
    if np.may_share_memory(out, array) and not same:
        raise ValueError("out overlaps X, but must be apart from it or X itself")


def result_dtype(dtype: Any) -> Any:
    """The dtype if it is one of numbers that the core writes, else None."""
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        return None
    fits = wanted.kind in "fiub" and wanted.itemsize <= 8 and wanted.isnative
    return wanted if fits else None


def writable(out: Any, shape: tuple[int, int], dtype: Any, X: Any, c_order: bool = False) -> Any:
    """`out`, if a result of that shape and dtype can be written to it beside X.

    Examples
    --------
    >>> import numpy as np
    >>> writable(np.zeros((2, 3)), (2, 2), np.dtype("f8"), None)
    Traceback (most recent call last):
    ...
    ValueError: out has shape (2, 3), but must have (2, 2)
    """
    if type(out) is not np.ndarray:
        raise ValueError(f"out is a {type(out).__name__}, but must be a NumPy array")
    if out.shape != shape:
        raise ValueError(f"out has shape {out.shape}, but must have {shape}")
    if out.dtype != dtype:
        raise ValueError(f"out has dtype {out.dtype}, but must have {dtype}")
    if c_order and not out.flags.c_contiguous:
        raise ValueError("out is not contiguous in C order, but must be")
    if not (out.flags.c_contiguous or out.flags.f_contiguous):
        raise ValueError("out is a view with gaps, but must be contiguous, in C or Fortran order")
    if not (out.flags.writeable and out.flags.aligned):
        raise ValueError("out is read-only or unaligned, but must be an array that can be written")
    if isinstance(X, np.ndarray) and np.may_share_memory(out, X):
        raise ValueError("out overlaps X, but must be apart from it")
    return out


def put_into(out: Any, result: Any) -> Any:
    """What scikit-learn computed, in `out` where there is one."""
    if out is None:
        return result
    if issparse(result):
        raise ValueError("out is given, but X is sparse: it must be None")
    values = np.asarray(result)
    check_out(out, values)
    out[...] = values
    return out


def _is_host_table(X: Any) -> bool:
    if issparse(X) or getattr(X, "dtype", None) == np.float16:
        return False
    # Other libraries' arrays stay theirs where scikit-learn was told to let them.
    return not (get_config()["array_api_dispatch"] and not isinstance(X, np.ndarray))


def _is_fitted(transformer: Any) -> bool:
    return (transformer._of_tables or transformer._fitted)[0] in vars(transformer)


def _names(value: Any) -> Any:
    return sorted(value) if isinstance(value, Mapping) else value


def _to_plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"objects": value.tolist()} if value.dtype.kind == "O" else value.copy()
    if isinstance(value, np.generic):
        return np.asarray(value)
    if isinstance(value, list | tuple):
        return [_to_plain(one) for one in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    return repr(value)  # of parameters that are no data: compared, never loaded


def _from_plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        values = value.get("objects")
        if not isinstance(values, list):
            raise ValueError(f"state has {value!r}, but must have a list of objects there")
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array
    if isinstance(value, np.ndarray):
        return value[()].copy()
    if isinstance(value, list):
        return [_from_plain(one) for one in value]
    return value


__all__ = [
    "StreamingTransformer",
    "check_out",
    "put_into",
    "result_dtype",
    "result_for",
    "writable",
]
