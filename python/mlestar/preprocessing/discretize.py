"""Numbers as bins: edges of all rows, or of streams that merge."""

from __future__ import annotations

import warnings
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
import sklearn.preprocessing
from sklearn.utils import resample
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import check_is_fitted

from mlestar._calls import original
from mlestar._native import _core
from mlestar.preprocessing.base import put_into, writable
from mlestar.preprocessing.categories import same_elements
from mlestar.preprocessing.encode import sparse_ones
from mlestar.preprocessing.kept import QuantileKeeper

# Hyndman and Fan's parameters of the methods that interpolate, as numpy.quantile has them.
_INTERPOLATED = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "linear": (1.0, 1.0),
    "median_unbiased": (1.0 / 3.0, 1.0 / 3.0),
    "normal_unbiased": (3.0 / 8.0, 3.0 / 8.0),
}
_METHODS = {"inverted_cdf", "averaged_inverted_cdf", *_INTERPOLATED}
_LEAST_WIDTH = 1e-8

# What finds bins, beside the transformers: a transform does not change its object.
_coders: WeakKeyDictionary[Any, tuple[Any, tuple[Any, ...], Any]] = WeakKeyDictionary()


class KBinsDiscretizer(QuantileKeeper, sklearn.preprocessing.KBinsDiscretizer):  # type: ignore[misc]
    """Numbers as the bin that they lie in.

    Drop-in for `sklearn.preprocessing.KBinsDiscretizer`: the same parameters, attributes, errors
    and results.

    Parameters
    ----------
    n_bins : int or array-like of shape (n_features,), default=5
        Bins of each column.
    encode : {'onehot', 'onehot-dense', 'ordinal'}, default='onehot'
        Whether bins are columns of ones, sparse or dense, or numbers.
    strategy : {'uniform', 'quantile', 'kmeans'}, default='quantile'
        Bins of one width, of as many rows, or of the nearest centre.
    quantile_method : str, default='averaged_inverted_cdf'
        As `numpy.quantile` knows it.
    dtype : {numpy.float32, numpy.float64}, default=None
        Of the result; None is X's where that is one of them, else float64.
    subsample : int or None, default=200_000
        Rows that `fit` draws, with replacement, where there are more.
    random_state : int, RandomState or None, default=None
        Of the draw.
    quantiles : {'auto', 'exact', 'sketch'}, default='auto'
        How batches are kept for quantiles: as for `RobustScaler`.
    seed : int, default=0
        Of the sketch.

    Attributes
    ----------
    bin_edges_ : ndarray of shape (n_features,), of ndarray
        Of each column, ascending.
    n_bins_ : ndarray of shape (n_features,), of int
        Bins of each column: fewer than asked for where edges fall together.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), of str
        Only where the data had names of columns.

    See Also
    --------
    RobustScaler : which says what ``quantiles`` means.

    Notes
    -----
    Batches and merging need the strategy 'uniform' or 'quantile' and no weights, and take all rows
    and not a sample. Fitting by 'kmeans', by weights or by the method 'closest_observation' is
    scikit-learn's.

    Examples
    --------
    >>> from mlestar.preprocessing import KBinsDiscretizer
    >>> bins = KBinsDiscretizer(n_bins=3, encode="ordinal", strategy="uniform")
    >>> bins.partial_fit([[0.0], [1.0]]).partial_fit([[6.0]]).bin_edges_[0]
    array([0., 2., 4., 6.])
    >>> bins.transform([[-1.0], [2.0], [5.0]]).ravel().tolist()
    [0.0, 1.0, 2.0]
    """

    _fitted = ("bin_edges_", "n_bins_", "_least", "_most", "_type", "_sketch", "_rows")
    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012
        **sklearn.preprocessing.KBinsDiscretizer._parameter_constraints,
        **QuantileKeeper._keeping,
    }
    bin_edges_: Any
    n_bins_: Any
    _least: Any
    _most: Any
    _type: str

    def __init__(
        self,
        n_bins: Any = 5,
        *,
        encode: str = "onehot",
        strategy: str = "quantile",
        quantile_method: str = "averaged_inverted_cdf",
        dtype: Any = None,
        subsample: int | None = 200_000,
        random_state: Any = None,
        quantiles: str = "auto",
        seed: int = 0,
    ) -> None:
        super().__init__(
            n_bins,
            encode=encode,
            strategy=strategy,
            quantile_method=quantile_method,
            dtype=dtype,
            subsample=subsample,
            random_state=random_state,
        )
        self.quantiles = quantiles
        self.seed = seed

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the edges of all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored
        sample_weight : ndarray of shape (n_samples,), default=None
            Weights of rows, which scikit-learn deals with.

        Returns
        -------
        self
        """
        self._check_parameters()
        array = self._streamable(X, reset=True) if sample_weight is None else None
        extremes = None if array is None else _extremes(array)
        if array is None or extremes is None:
            self._declined()
            super().fit(X, y, sample_weight)
            for name in self._optional():
                self.__dict__.pop(name, None)
            return self
        if self.quantiles == "sketch" and self.strategy == "quantile":
            self._forget()
            return self._add(array, extremes)
        rows = array
        if self.subsample is not None and len(array) > self.subsample:
            rows = resample(
                array, replace=True, n_samples=self.subsample, random_state=self.random_state
            )
        self._answered()
        self._forget()
        self._least, self._most = extremes
        self._type = array.dtype.name
        if self.strategy == "quantile":
            self._keep(array)
        find = lambda f: _core.preprocessing.order_statistics(rows, f, np.nan)  # noqa: E731
        least, most = extremes if rows is array else _extremes(rows)
        self._set_edges(least, most, find, len(rows))
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
            If X is not finite or the strategy is 'kmeans', or nothing was kept of the rows before.
        """
        first = not hasattr(self, "bin_edges_")
        if first:
            self._check_parameters()
        else:
            self._require_kept("self")
        array = self._streamable(X, reset=first)
        extremes = None if array is None else _extremes(array)
        if array is None or extremes is None:
            self._declined()
            original("KBinsDiscretizer", "sklearn.preprocessing")(**self._theirs()).fit(X)
            raise ValueError(
                f"X is a {type(X).__name__}, strategy is {self.strategy!r} and quantile_method is "
                f"{self.quantile_method!r}: batches must be tables of numbers, and edges 'uniform' "
                "or 'quantile' by another method than 'closest_observation'"
            )
        return self._add(array, extremes)

    def _add(self, array: Any, extremes: tuple[Any, Any]) -> Self:
        first = "_least" not in vars(self)
        if self.strategy == "quantile":
            self._added_pairs(array, first)
        self._answered()
        if first:
            self._least, self._most, self._type = *extremes, array.dtype.name
        else:
            self._take(*extremes, array.dtype.name)
        self._set_kept_edges()
        return self

    def _take(self, least: Any, most: Any, kind: str) -> None:
        self._least = np.minimum(self._least, least)
        self._most = np.maximum(self._most, most)
        self._type = np.result_type(self._type, kind).name

    def _set_kept_edges(self) -> None:
        rows = 0
        if self.strategy == "quantile":
            rows = int(self._kept_pairs([0.5])[0][0])
        self._set_edges(self._least, self._most, self._kept_pairs, rows)

    def _kept_pairs(self, fractions: list[float]) -> Any:
        if "_rows" in vars(self):
            return _core.preprocessing.order_statistics(self._rows, fractions, np.nan)
        return self._sketch._core.pairs(fractions)

    def _fractions(self) -> list[float]:
        return [0.5]

    def _streamable(self, X: Any, reset: bool) -> Any:
        """X as floats where its edges are found here, else None."""
        if self.strategy == "kmeans" or (
            self.strategy == "quantile" and self.quantile_method not in _METHODS
        ):
            return None
        return self._plain_numbers(X, reset)

    def _set_edges(self, least: Any, most: Any, find: Any, rows: int) -> None:
        """Edges between extremes, quantiles by `find(fractions)` of so many rows."""
        n_bins = self._validate_n_bins(len(least))
        shares = {int(bins): np.linspace(0, 100, bins + 1) / 100 for bins in n_bins}
        edges = np.zeros(len(least), dtype=object)
        kind = np.dtype(self._type).type
        quantiles = {}
        if self.strategy == "quantile":
            quantiles = self._quantiles_of(shares, find, rows)
        for j, bins in enumerate(n_bins.tolist()):
            if least[j] == most[j]:
                warnings.warn(f"Feature {j} is constant and will be replaced with 0.", stacklevel=3)
                n_bins[j] = 1
                edges[j] = np.array([-np.inf, np.inf])
                continue
            if self.strategy == "uniform":
                edges[j] = np.linspace(kind(least[j]), kind(most[j]), bins + 1)
                continue
            found = quantiles[bins][:, j]
            edges[j] = found[np.ediff1d(found, to_begin=np.inf) > _LEAST_WIDTH]
            if len(edges[j]) - 1 != bins:
                warnings.warn(
                    "Bins whose width are too small (i.e., <= 1e-8) in feature "
                    f"{j} are removed. Consider decreasing the number of bins.",
                    stacklevel=3,
                )
                n_bins[j] = len(edges[j]) - 1
        self.bin_edges_, self.n_bins_ = edges, n_bins
        self._set_encoder()

    def _quantiles_of(self, shares: dict[int, Any], find: Any, rows: int) -> dict[int, Any]:
        """Quantiles of all columns for each number of bins, to the bit as NumPy has them."""
        places = {bins: _places(self.quantile_method, rows, some) for bins, some in shares.items()}
        ranks = sorted({int(r) for lower, upper, _ in places.values() for r in (*lower, *upper)})
        # Between two ranks, where the lower of a pair is the rank that is wanted.
        pairs = find([min((rank + 0.5) / max(rows - 1, 1), 1.0) for rank in ranks])
        values = dict(zip(ranks, pairs[1].astype(self._type), strict=True))
        quantiles = {}
        for bins, (lower, upper, part) in places.items():
            a, b = (np.array([values[int(r)] for r in some]) for some in (lower, upper))
            t = part[:, None]
            with np.errstate(invalid="ignore", over="ignore"):
                difference = b - a
                found = np.where(t >= 0.5, b - difference * (1 - t), a + difference * t)
            quantiles[bins] = np.asarray(found, dtype=np.float64)
        return quantiles

    def _set_encoder(self) -> None:
        """What gives names to columns of ones, and takes them back."""
        if "onehot" not in self.encode:
            return
        dtype = self.dtype if self.dtype is not None else np.dtype(self._type)
        self._encoder = original("OneHotEncoder", "sklearn.preprocessing")(
            categories=[np.arange(bins) for bins in self.n_bins_],
            sparse_output=self.encode == "onehot",
            dtype=dtype,
        )
        self._encoder.fit(np.zeros((1, len(self.n_bins_))))

    def _forget(self) -> None:
        for name in (*self._fitted, "_encoder"):
            self.__dict__.pop(name, None)

    def _require_kept(self, name: str) -> None:
        if "_least" not in vars(self):
            raise ValueError(
                f"{name} was fitted by scikit-learn, by 'kmeans', weights or another method: "
                "nothing can be added to it"
            )
        if self.strategy == "quantile":
            super()._require_kept(name)

    def _merge(self, other: Any) -> None:
        self._require_kept("self")
        other._require_kept("other")
        if self.strategy == "quantile":
            self._merged_pairs(other)
        self._take(other._least, other._most, other._type)
        self._set_kept_edges()

    # States ---------------------------------------------------------------------------------------

    def _optional(self) -> set[str]:
        return {"_sketch", "_rows", "_least", "_most", "_type"}

    def _state(self) -> dict[str, Any]:
        state = super()._state()
        if "bin_edges_" in state:
            state["bin_edges_"] = list(state["bin_edges_"])
            # Of edges that scikit-learn has found, the type of the columns of ones.
            state.setdefault("_type", np.dtype(self.dtype or np.float64).name)
        return state

    def _check_state(self, attributes: dict[str, Any]) -> None:
        edges = attributes.get("bin_edges_", [])
        sketch = {k: v for k, v in attributes.items() if k != "_sketch"}
        super()._check_state(sketch)
        if attributes and len(edges) != attributes["n_features_in_"]:
            raise ValueError(
                f"state has bin_edges_ of {len(edges)} columns, but n_features_in_ is "
                f"{attributes['n_features_in_']}"
            )
        for j, (some, bins) in enumerate(zip(edges, attributes.get("n_bins_", ()), strict=False)):
            if np.ndim(some) != 1 or len(some) != bins + 1 or np.any(np.diff(some) < 0):
                raise ValueError(
                    f"state has the edges {some!r} of {bins} bins in column {j}, but they must "
                    "ascend and be one more"
                )

    def _set_state(self, attributes: dict[str, Any]) -> None:
        self._forget()
        if attributes:
            edges = np.zeros(len(attributes["bin_edges_"]), dtype=object)
            edges[:] = [np.asarray(one) for one in attributes["bin_edges_"]]
            attributes = {**attributes, "bin_edges_": edges}
        super()._set_state(attributes)
        if attributes:
            self._set_encoder()

    # Transforming ---------------------------------------------------------------------------------

    def transform(self, X: Any, *, out: Any = None) -> Any:
        """Write the bin of each element.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        out : ndarray of shape (n_samples, n_features_out), default=None
            Where the result is written: contiguous (of ones, in C order), of the result's dtype,
            apart from X; not with ``encode='onehot'``. What it holds after an error is not defined.

        Returns
        -------
        {ndarray, CSR matrix} of shape (n_samples, n_features_out)
            float32 or float64; `out` where that was given.

        Raises
        ------
        ValueError
            If `out` cannot be written, or as scikit-learn's.
        """
        check_is_fitted(self)
        if out is not None and self.encode == "onehot":
            raise ValueError(
                "out is given, but encode is 'onehot', which is sparse: it must be None"
            )
        wanted = _get_output_config("transform", estimator=self)["dense"]
        made = None
        if self.encode != "onehot" or wanted == "default":
            made = self._binned(X, out)
        if made is not None:
            self._answered()
            return made
        self._declined()
        return put_into(out, super().transform(X))

    def _binned(self, X: Any, out: Any) -> Any:
        array = self._numbers(X, reset=False)
        if array is None:
            return None
        if self.dtype is not None and array.dtype != self.dtype:
            array = array.astype(self.dtype)
        held = _coders.get(self)
        edges = self.bin_edges_
        if held is None or held[0] is not edges or not same_elements(held[1], edges):
            made = _core.preprocessing.bin_coders([e[1:-1].tolist() for e in edges])
            held = _coders[self] = edges, tuple(edges), made
        coders = held[2]
        # A column whose edges all fall together has one edge and no bins, but all lies in one.
        bins_of = [max(len(e) - 1, 1) for e in edges]
        array = np.require(array, requirements="A")
        columns = [array[:, j] for j in range(array.shape[1])]
        if self.encode == "ordinal":
            values: list[Any] = [np.arange(b + 1, dtype=array.dtype) for b in bins_of]
            target = np.empty(array.shape, array.dtype)
            if out is not None:
                target = writable(out, array.shape, array.dtype, X)
            done = _core.preprocessing.encode_into(coders, columns, values, target)
            return None if done is None else target
        if bins_of != list(self.n_bins_):
            return None
        starts = np.cumsum([0, *self.n_bins_])
        width = int(starts[-1])
        places = [
            np.arange(start, start + bins + 1, dtype=np.int32)
            for start, bins in zip(starts, self.n_bins_, strict=False)
        ]
        for some in places:
            some[-1] = -1
        if self.encode == "onehot":
            codes = np.empty(array.shape, np.int32)
            done = _core.preprocessing.encode_into(coders, columns, places, codes)
            return None if done is None else sparse_ones(codes, width, array.dtype, full=True)
        shape = len(array), width
        target = np.empty(shape, array.dtype)
        if out is not None:
            target = writable(out, shape, array.dtype, X, c_order=True)
        one, zero = np.ones(1, array.dtype), np.zeros(1, array.dtype)
        done = _core.preprocessing.one_hot_into(coders, columns, places, one, zero, target)
        return None if done is None else target


def _extremes(array: Any) -> Any:
    """The least and the largest of each column; None where something is not finite."""
    moments = _core.preprocessing.moments_of(array, None)
    if moments is None or (moments[0] + moments[1] < len(array)).any():
        return None
    return _core.preprocessing.extremes_of(array)


def _places(method: str, rows: int, shares: Any) -> tuple[Any, Any, Any]:
    """Ranks below and above each quantile, and how far it lies between them."""
    if method in _INTERPOLATED:
        alpha, beta = _INTERPOLATED[method]
        if method == "linear":
            place = (rows - 1) * shares
        else:
            place = rows * shares + (alpha + shares * (1 - alpha - beta)) - 1
    else:
        place = rows * shares - 1
    lower = np.floor(place)
    part = place - lower
    if method == "averaged_inverted_cdf":
        part = np.where(part == 0, 0.5, 1.0)
    elif method == "inverted_cdf":
        part = np.where(part > 0, 1.0, 0.0)
    upper = np.clip(lower + 1, 0, rows - 1).astype(np.int64)
    return np.clip(lower, 0, rows - 1).astype(np.int64), upper, part
