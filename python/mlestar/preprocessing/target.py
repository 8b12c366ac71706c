"""Categories as what the target is like in them: cross-fitted, of streams too."""

from __future__ import annotations

from numbers import Integral
from typing import Any, NamedTuple, Self

import numpy as np
import sklearn.preprocessing
from sklearn.utils._metadata_requests import _routing_enabled
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import _check_y, check_consistent_length, check_is_fitted

from mlestar._native import _core
from mlestar.preprocessing.base import put_into, writable
from mlestar.preprocessing.categories import (
    CategoryEncoder,
    Found,
    kind_of,
    lookup,
    merged_column,
    object_codes,
    places_among,
    unchanged_on_error,
)
from mlestar.preprocessing.labels import codes_among, distinct

_TYPES = ("binary", "multiclass", "continuous")
# Folds above which tables by fold would be larger than the rows.
_MOST_FOLDS = 64


class _Rows(NamedTuple):
    """Rows as numbers: codes of (columns, rows), and labels or the target."""

    codes: Any
    labels: Any
    y: Any


class _Seen(NamedTuple):
    """What is kept of rows: per column, rows by category and label, or (rows, mean, squares)."""

    found: Found
    kind: str
    classes: Any
    statistics: list[Any]


class TargetEncoder(CategoryEncoder, sklearn.preprocessing.TargetEncoder):  # type: ignore[misc]
    """Categories as the mean of the target in them, drawn to the mean of all rows.

    Drop-in for `sklearn.preprocessing.TargetEncoder`: the same parameters, attributes, errors,
    folds and results (within rounding).

    Parameters
    ----------
    categories : 'auto' or list of array-like, default='auto'
        The categories of each column; those that are given are scikit-learn's to fit.
    target_type : {'auto', 'continuous', 'binary', 'multiclass'}, default='auto'
        What the target is.
    smooth : 'auto' or float, default='auto'
        How many rows the mean of all counts for; 'auto' by the variances (empirical Bayes).
    cv : int, splitter or iterable, default=5
        The folds of `fit_transform`.
    shuffle, random_state
        Deprecated by scikit-learn, which answers where they are given.

    Attributes
    ----------
    categories_ : list of ndarray
        Of each column, ascending; missing values are last.
    encodings_ : list of ndarray
        What the categories of each column become; for several classes, of each column and class.
    target_type_ : str
    target_mean_ : float or ndarray of shape (n_classes,)
        Of all rows; what unknown categories become.
    classes_ : ndarray or None
        The labels.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), of str
        Only where the data had names of columns.

    See Also
    --------
    OrdinalEncoder : categories as ranks.

    Notes
    -----
    `fit_transform` encodes each row by the rows of the other folds, so that no row sees its own
    target; `fit` followed by `transform` does not. Micci-Barreca, "A preprocessing scheme for
    high-cardinality categorical attributes", SIGKDD Explorations 3, 2001.

    Examples
    --------
    >>> from mlestar.preprocessing import TargetEncoder
    >>> X, y = [["a"], ["b"], ["a"], ["b"]], [1.5, 2.0, 2.5, 8.0]
    >>> encoder = TargetEncoder(smooth=0).fit(X, y)
    >>> encoder.transform([["a"], ["b"], ["c"]]).ravel().tolist()
    [2.0, 5.0, 3.5]
    >>> encoder.partial_fit([["c"]], [4.5]).transform([["c"]]).item()
    4.5
    """

    _fitted = (
        "categories_",
        "_category_counts",
        "_rows_seen",
        "target_type_",
        "classes_",
        "target_mean_",
        "encodings_",
        "_statistics",
    )
    target_type_: str
    classes_: Any
    target_mean_: Any
    encodings_: list[Any]
    _statistics: list[Any]

    def fit(self, X: Any, y: Any) -> Self:  # type: ignore[override]  # the target is needed
        """Find the encodings of all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        self
        """
        self._check_parameters()
        looked = self._look(X, y, reset=True)
        if looked is None:
            self._declined()
            super().fit(X, y)
            self.__dict__.pop("_statistics", None)
            return self
        self._answered()
        self._take_seen(self._seen_in(*looked))
        self._set_mean(looked[0])
        return self

    def _seen_in(self, rows: _Rows, found: Found, kind: str, classes: Any) -> _Seen:
        counted = self._counted(rows, found, classes, None, 1)
        return _Seen(found, kind, classes, _whole(counted, classes))

    def _set_mean(self, rows: _Rows) -> None:
        if self.target_type_ == "continuous":
            self.target_mean_ = np.mean(rows.y)

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Add a batch of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Numbers or labels, as those of the batches before; not every label need be there.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the core does not take X or y, categories are given, or nothing was kept of the rows
            before; the encoder stays as it was.
        """
        with unchanged_on_error(self):
            self._add(X, y)
        return self

    def _add(self, X: Any, y: Any = None) -> None:
        first = not hasattr(self, "encodings_")
        if first:
            self._check_parameters()
        else:
            self._require_kept("self")
        before = None if first else self.target_type_
        looked = self._look(X, y, reset=first, batch=True, before=before)
        if looked is None:
            self._declined()
            self._fresh().fit(X, y)  # it words the error
            raise ValueError(
                "X, y or categories are what scikit-learn deals with: batches must be of columns "
                "of numbers or strings, of finite numbers or labels, and categories 'auto'"
            )
        self._answered()
        seen = self._seen_in(*looked)
        self._take_seen(seen if first else self._joined(self._kept(), seen))

    def _require_kept(self, name: str) -> None:
        if "_statistics" not in vars(self):
            raise ValueError(
                f"{name} was fitted by scikit-learn, to what the core does not read: nothing can "
                "be added to it"
            )

    def _kept(self) -> _Seen:
        return _Seen(self._held(), self.target_type_, self.classes_, self._statistics)

    def _merge(self, other: Any) -> None:
        self._require_kept("self")
        other._require_kept("other")
        with unchanged_on_error(self):
            self._take_seen(self._joined(self._kept(), other._kept()))

    def _joined(self, one: _Seen, other: _Seen) -> _Seen:
        """What was seen in the rows of both."""
        if (one.classes is None) != (other.classes is None):
            raise ValueError(
                f"the target is {other.kind}, but was {one.kind} before: it must be numbers in all "
                "batches or labels in all of them"
            )
        found = one.found.merged(other.found)
        kind, classes = one.kind, None
        if one.classes is not None:
            none = [np.zeros(len(seen.classes), np.int64) for seen in (one, other)]
            words = "the target has labels"
            classes, _ = merged_column(one.classes, none[0], other.classes, none[1], words)
            kind = self.target_type
            if kind == "auto":
                kind = "binary" if len(classes) <= 2 else "multiclass"
            if kind == "multiclass":
                classes = np.asarray(list(classes))  # as `_look` gives them
            elif len(classes) > 2:
                raise ValueError(
                    f"target_type is {self.target_type!r}, but there are {len(classes)} labels"
                )
        statistics = []
        for j, categories in enumerate(found.categories):
            spread = []
            for seen in (one, other):
                places = places_among(seen.found.categories[j], categories)
                width = 3 if classes is None else len(classes)
                whole = np.zeros((len(categories), width), seen.statistics[j].dtype)
                if classes is None:
                    whole[places] = seen.statistics[j]
                else:
                    labels = np.searchsorted(classes, seen.classes)
                    whole[np.ix_(places, labels)] = seen.statistics[j]
                spread.append(whole)
            statistics.append(_added(*spread) if classes is None else spread[0] + spread[1])
        return _Seen(found, kind, classes, statistics)

    def _take_seen(self, seen: _Seen) -> None:
        """Set what is fitted from what was seen."""
        self.categories_, self._category_counts = seen.found.categories, seen.found.counts
        self._rows_seen, self._statistics = seen.found.rows, seen.statistics
        self.target_type_, self.classes_ = seen.kind, seen.classes
        self._infrequent_enabled = False
        first = seen.statistics[0]
        if seen.classes is None:
            rows, means, squares = first.T
            mean = (rows * means).sum() / rows.sum()
            variance = (squares + rows * (means - mean) ** 2).sum() / rows.sum()
            self.target_mean_ = mean
            self.encodings_ = [
                _encoded(n, n * m, s, self.smooth, mean, variance)
                for n, m, s in (column.T for column in seen.statistics)
            ]
            return
        statistics = seen.statistics
        if seen.kind == "binary" and len(seen.classes) == 1:
            # The second label has not come yet.
            statistics = [np.pad(column, ((0, 0), (0, 1))) for column in statistics]
        shares = statistics[0].sum(axis=0) / seen.found.rows
        parts = _parts_of(seen.kind, len(seen.classes))
        self.target_mean_ = shares[1] if seen.kind == "binary" else shares
        self.encodings_ = [
            _of_labels(column.sum(axis=1), column[:, c], self.smooth, shares[c])
            for column in statistics
            for c in parts
        ]

    # Rows -----------------------------------------------------------------------------------------

    def _look(
        self, X: Any, y: Any, reset: bool, batch: bool = False, before: str | None = None
    ) -> tuple[_Rows, Found, str, Any] | None:
        """Rows as numbers, their categories, and the target's kind; None to decline."""
        # A batch need not show all labels, nor numbers with fractions: `before` is its kind.
        if not isinstance(self.categories, str):
            return None
        check_consistent_length(X, y)
        columns = self._columns(X, reset)
        found = None if columns is None else self._found_in(columns)
        if columns is None or found is None:
            return None
        kind = self.target_type
        classes = None
        if kind == "auto" and before == "continuous" and np.asarray(y).dtype.kind in "fiu":
            kind = before
        elif kind == "auto" and _are_labels(y):
            classes = distinct(y)
            kind = "binary" if classes is not None and len(classes) <= 2 else "multiclass"
        elif kind == "auto":
            kind = type_of_target(y, input_name="y")
        if kind not in _TYPES:
            return None
        codes = np.empty((len(columns), len(columns[0])), np.int32)
        looked_up = []
        for j, column in enumerate(columns):
            looked_up.append(lookup(found.categories[j], kind_of(column)))
            if kind_of(column) == "O":
                columns[j] = object_codes(column, found.categories[j])
            if looked_up[j] is None or columns[j] is None:
                return None
        coders = _core.preprocessing.ColumnCoders(looked_up)
        values = [np.arange(len(c) + 1, dtype=np.int32) for c in found.categories]
        if _core.preprocessing.encode_into(coders, columns, values, codes.T) is None:
            return None
        if kind == "continuous":
            target = _check_y(y, y_numeric=True, estimator=self)
            if target.dtype.kind not in "fiu" or target.dtype == np.float16:
                return None
            return _Rows(codes, None, target), found, kind, None
        given = np.asarray(y)
        if given.ndim != 1 or given.dtype.kind not in "iubfUO":
            return None
        # scikit-learn refuses numbers that are no labels, and would take each for one.
        looks = self.target_type == "multiclass" and given.dtype.kind in "fO"
        if looks and type_of_target(y, input_name="y") not in _TYPES[:2]:
            return None
        classes = distinct(given) if classes is None else classes
        # What scikit-learn makes of other numbers of labels is its own.
        if classes is None or not len(classes):
            return None
        few, two = len(classes) <= 2, kind == "binary"
        if (not batch and few != two) or (before is None and two and not few):
            return None
        labels = codes_among(given, classes)
        if labels is None:
            return None
        classes = classes if kind == "binary" else np.asarray(list(classes))
        return _Rows(codes, labels.astype(np.int32), None), found, kind, classes

    def _counted(self, rows: _Rows, found: Found, classes: Any, folds: Any, count: int) -> Any:
        """What the core counts of the target: by column, category and fold."""
        sizes = [len(c) for c in found.categories]
        if classes is not None:
            return _core.preprocessing.label_counts(
                rows.codes, sizes, folds, count, rows.labels, len(classes)
            )
        y = np.ascontiguousarray(rows.y, dtype=np.float64)
        return _core.preprocessing.moments_of_target(rows.codes, sizes, folds, count, y)

    # Transforming ---------------------------------------------------------------------------------

    def fit_transform(self, X: Any, y: Any, **params: Any) -> Any:
        """Find the encodings, and encode each row by the rows of the other folds.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        **params : dict
            Metadata of the splitter, which scikit-learn routes.

        Returns
        -------
        ndarray of shape (n_samples, n_features) or (n_samples, n_features * n_classes)
        """
        self._check_parameters()
        deprecated = self.shuffle == "deprecated" and self.random_state == "deprecated"
        looked = None
        if deprecated and not params and not _routing_enabled():
            looked = self._look(X, y, reset=True)
        one_label = looked is not None and looked[3] is not None and len(looked[3]) < 2
        folds = None if looked is None or one_label else self._folds_of(X, y, looked[2])
        if looked is None or folds is None:
            self._declined()
            result = super().fit_transform(X, y, **params)
            self.__dict__.pop("_statistics", None)
            return result
        rows, found, kind, classes = looked
        self._answered()
        of_rows, count = folds
        sizes = [len(c) for c in found.categories]
        if classes is None:
            # One column more, of one category: what the target is like in each fold.
            whole = np.zeros((1, rows.codes.shape[1]), np.int32)
            longer = _Rows(np.concatenate([rows.codes, whole]), None, rows.y)
            more = Found([*found.categories, np.zeros(1)], found.counts, found.rows)
            counted = self._counted(longer, more, None, of_rows, count)
            tables = self._tables_of_moments(counted)
            counted = counted[:-1]
        else:
            counted = self._counted(rows, found, classes, of_rows, count)
            tables = self._tables_of_labels(counted, _parts_of(kind, len(classes)))
        self._take_seen(_Seen(found, kind, classes, _whole(counted, classes)))
        self._set_mean(rows)
        out = np.empty((rows.codes.shape[1], len(tables)))
        _core.preprocessing.target_encodings_into(rows.codes, sizes, of_rows, count, tables, out)
        return out

    def _tables_of_moments(self, counted: Any) -> list[Any]:
        """What each category becomes in each fold, by the rows of the others."""
        _, n, first, second = (_others(one) if i else one for i, one in enumerate(counted[-1]))
        center = counted[-1][0][0]
        means = (center + first / n)[0]
        variances = ((second - first * first / n) / n)[0]
        tables = []
        for centers, *sums in counted[:-1]:
            rows, one, two = (_others(some) for some in sums)
            with np.errstate(divide="ignore", invalid="ignore"):
                squares = np.maximum(two - one * one / rows, 0.0)
            total = rows * centers[:, None] + one
            tables.append(_encoded(rows, total, squares, self.smooth, means, variances))
        return [np.ascontiguousarray(table) for table in tables]

    def _tables_of_labels(self, counted: Any, parts: Any) -> list[Any]:
        totals = _others(counted[0].sum(axis=0, keepdims=True))[0]  # of folds and classes
        rows = totals.sum(axis=1)
        tables = []
        for column in counted:
            others = _others(column)
            for c in parts:
                shares = totals[:, c] / rows
                table = _of_labels(others.sum(axis=2), others[:, :, c], self.smooth, shares)
                tables.append(np.ascontiguousarray(table))
        return tables

    def _folds_of(self, X: Any, y: Any, kind: str) -> tuple[Any, int] | None:
        """The fold of each row, and how many there are; None where they are too many."""
        from sklearn import model_selection as theirs

        from mlestar.model_selection import KFold, StratifiedKFold, check_cv

        if self.target_type == "auto" and isinstance(self.cv, Integral):
            # What check_cv makes of it, without looking at the target again.
            made = KFold if kind == "continuous" else StratifiedKFold
            cv = made(self.cv, shuffle=True)
        else:
            cv = check_cv(self.cv, y, classifier=kind != "continuous", shuffle=True)
        if not 1 < cv.get_n_splits(X, y) <= _MOST_FOLDS:
            return None
        apart = (
            theirs.GroupKFold,
            theirs.KFold,
            theirs.StratifiedKFold,
            theirs.StratifiedGroupKFold,
        )
        count = len(X) if not hasattr(X, "shape") else X.shape[0]
        if not isinstance(cv, apart):
            times = np.zeros(count)
            for _, test in cv.split(X, y):
                times[test] += 1
            if not np.all(times == 1):
                raise ValueError(
                    "Validation indices from `cv` must cover each sample index exactly once with "
                    "no overlap. Pass a splitter with non-overlapping validation folds as `cv` or "
                    "refer to the docs for other options."
                )
        folds = np.zeros(count, np.int32)
        number = 0
        for number, (_, test) in enumerate(cv.split(X, y)):
            folds[test] = number
        return folds, number + 1

    def transform(self, X: Any, *, out: Any = None) -> Any:
        """Write the encoding of each element, by all rows of the fit.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        out : ndarray of shape (n_samples, n_features_out), of float64, default=None
            Where the result is written: contiguous in C order, apart from X.

        Returns
        -------
        ndarray of shape (n_samples, n_features) or (n_samples, n_features * n_classes)
            `out` where that was given.

        Raises
        ------
        ValueError
            If `out` cannot be written, or as scikit-learn's.
        """
        check_is_fitted(self)
        coded = self._coded(X, self.target_type_, self._values)
        if coded is not None:
            plan, columns = coded
            dtype = np.dtype(np.float64)
            shape = len(columns[0]), len(self.encodings_)
            target = np.empty(shape)
            if out is not None:
                target = writable(out, shape, dtype, X, c_order=True)
            if self.target_type_ != "multiclass":
                done = _core.preprocessing.encode_into(plan.coders, columns, plan.values, target)
            else:
                codes = np.empty((len(columns), shape[0]), np.int32)
                sizes = [len(c) + 1 for c in self.categories_]
                places = [np.arange(size, dtype=np.int32) for size in sizes]
                done = _core.preprocessing.encode_into(plan.coders, columns, places, codes.T)
                if done is not None:
                    tables = [one[:, None] for one in plan.values]
                    _core.preprocessing.target_encodings_into(codes, sizes, None, 1, tables, target)
            if done is not None:
                self._answered()
                return target
        self._declined()
        return put_into(out, super().transform(X))

    def _values(self) -> list[Any]:
        """Encodings, and last what unknown categories become."""
        means = np.atleast_1d(self.target_mean_)
        return [
            np.append(one, means[k % len(means)]).astype(np.float64)
            for k, one in enumerate(self.encodings_)
        ]

    # States ---------------------------------------------------------------------------------------

    def _optional(self) -> set[str]:
        return {"_category_counts", "_rows_seen", "_statistics"}

    def _check_state(self, attributes: dict[str, Any]) -> None:
        super()._check_state(attributes)
        if not attributes:
            return
        columns, sizes = attributes["n_features_in_"], [len(c) for c in attributes["categories_"]]
        classes = attributes["classes_"]
        width = 3 if classes is None else len(classes)
        found = [np.shape(one) for one in attributes.get("_statistics", ())]
        if len(found) != columns or found != [(size, width) for size in sizes]:
            raise ValueError(
                f"state has statistics of the shapes {found}, but must have "
                f"{[(size, width) for size in sizes]}"
            )

    def _set_state(self, attributes: dict[str, Any]) -> None:
        super(CategoryEncoder, self)._set_state(attributes)
        if attributes:
            self._infrequent_enabled = False


def _are_labels(y: Any) -> bool:
    """Whether a target is what `type_of_target` takes for labels at sight."""
    return type(y) is np.ndarray and y.ndim == 1 and y.size > 0 and y.dtype.kind in "iubU"


def _parts_of(kind: str, classes: int) -> list[int]:
    """The labels whose shares are the encodings."""
    return [1] if kind == "binary" else list(range(classes))


def _others(of_folds: Any) -> Any:
    """For each fold (axis 1), the sum of the others, and not the whole sum less the fold's."""
    folds = range(of_folds.shape[1])
    return np.stack([np.delete(of_folds, f, axis=1).sum(axis=1) for f in folds], axis=1)


def _whole(counted: Any, classes: Any) -> list[Any]:
    """What is kept of all folds: counts of labels, or rows, mean and squares."""
    if classes is not None:
        return [column.sum(axis=1) for column in counted]
    kept = []
    for centers, *sums in counted:
        rows, one, two = (some.sum(axis=1) for some in sums)
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = np.where(rows > 0, one / rows, 0.0)
            squares = np.where(rows > 0, np.maximum(two - one * shift, 0.0), 0.0)
        kept.append(np.stack([rows.astype(np.float64), centers + shift, squares], axis=1))
    return kept


def _added(one: Any, other: Any) -> Any:
    """Rows, means and squares of both (Chan, Golub and LeVeque, 1983)."""
    rows = one[:, 0] + other[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(rows > 0, other[:, 0] / rows, 0.0)
    difference = other[:, 1] - one[:, 1]
    mean = one[:, 1] + difference * share
    squares = one[:, 2] + other[:, 2] + difference * difference * one[:, 0] * share
    return np.stack([rows, mean, squares], axis=1)


def _of_labels(rows: Any, hits: Any, smooth: Any, share: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = hits / rows
        squares = hits * (1 - mean) ** 2 + (rows - hits) * mean**2
    return _encoded(rows, hits, squares, smooth, share, share * (1 - share))


def _encoded(rows: Any, sums: Any, squares: Any, smooth: Any, mean: Any, variance: Any) -> Any:
    """Means drawn to the mean of all: equations 5 to 7 of Micci-Barreca."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if smooth == "auto":
            weight = variance * rows / (variance * rows + squares / rows)
            drawn = weight * (sums / rows) + (1 - weight) * mean
            return np.where(np.isnan(weight), mean, drawn)
        total = rows + smooth
        return np.where(total == 0, mean, (sums + smooth * mean) / total)
