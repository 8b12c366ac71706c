"""Agreement of two clusterings of the same points."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mlestar._arrays import as_array
from mlestar._calls import answered, decline
from mlestar._native import _core
from mlestar.metrics._labels import encode
from mlestar.metrics._sets import is_real

_EPSILON = 2.220446049250313e-16
_MOST_POINTS = 90_000_000  # their square is exact as a double


class _Agreement(NamedTuple):
    """What scores of agreement are functions of."""

    points: int
    true_clusters: int
    predicted_clusters: int
    cell_squares: float  # sum of the squared counts of pairs of clusters
    true_squares: float
    predicted_squares: float
    information: float  # mutual, in nats
    true_entropy: float
    predicted_entropy: float


class Counted(NamedTuple):
    """The points of each pair of clusters that occurs, in place of the labels of the points."""

    true: Any
    predicted: Any
    counts: Any


def pair_confusion_matrix(labels_true: Any, labels_pred: Any) -> Any:
    """Pairs of points that both clusterings join or part (Hubert and Arabie 1985).

    Drop-in for `sklearn.metrics.pair_confusion_matrix`. Each pair counts twice, once in each order.

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n_samples,)
        Clusters: integers of any width, bool, whole floats or strings, read in place.

    Returns
    -------
    ndarray of shape (2, 2), int64
        Parted by both, joined by `labels_pred` only; joined by `labels_true` only, by both.

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, more than one axis.

    Examples
    --------
    >>> from mlestar.metrics import pair_confusion_matrix
    >>> pair_confusion_matrix([0, 0, 1, 2], [0, 0, 1, 1])
    array([[8, 2],
           [0, 2]])
    """
    pairs = _pairs(labels_true, labels_pred)
    if pairs is None:
        return decline("pair_confusion_matrix")(labels_true, labels_pred)
    answered("pair_confusion_matrix")
    return np.array(pairs, dtype=np.int64).reshape(2, 2)


def rand_score(labels_true: Any, labels_pred: Any) -> float:
    """Fraction of pairs of points on which two clusterings agree (Rand 1971).

    Drop-in for `sklearn.metrics.rand_score`; parameters and errors as in `pair_confusion_matrix`.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> from mlestar.metrics import rand_score
    >>> round(rand_score([0, 0, 1, 2], [0, 0, 1, 1]), 6)
    0.833333
    """
    pairs = _pairs(labels_true, labels_pred)
    if pairs is None:
        fallback: float = decline("rand_score")(labels_true, labels_pred)
        return fallback
    answered("rand_score")
    agreed, all_ = pairs[0] + pairs[3], sum(pairs)
    return 1.0 if all_ in (0, agreed) else agreed / all_


def adjusted_rand_score(labels_true: Any, labels_pred: Any) -> float:
    """The Rand index corrected for chance (Hubert and Arabie 1985).

    Drop-in for `sklearn.metrics.adjusted_rand_score`; parameters and errors as in
    `pair_confusion_matrix`.

    Returns
    -------
    float
        In [-0.5, 1]; near 0 for random clusters.

    Examples
    --------
    >>> from mlestar.metrics import adjusted_rand_score
    >>> round(adjusted_rand_score([0, 0, 1, 2], [0, 0, 1, 1]), 6)
    0.571429
    """
    pairs = _pairs(labels_true, labels_pred)
    if pairs is None:
        fallback: float = decline("adjusted_rand_score")(labels_true, labels_pred)
        return fallback
    answered("adjusted_rand_score")
    tn, fp, fn, tp = pairs
    if fn == 0 and fp == 0:
        return 1.0
    return 2.0 * (tp * tn - fn * fp) / ((tp + fn) * (fn + tn) + (tp + fp) * (fp + tn))


def fowlkes_mallows_score(labels_true: Any, labels_pred: Any) -> float:
    """Geometric mean of the precision and recall of joined pairs (Fowlkes and Mallows 1983).

    Drop-in for `sklearn.metrics.fowlkes_mallows_score`; parameters and errors as in
    `pair_confusion_matrix`.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> from mlestar.metrics import fowlkes_mallows_score
    >>> round(fowlkes_mallows_score([0, 0, 1, 2], [0, 0, 1, 1]), 6)
    0.707107
    """
    found = _agreement(labels_true, labels_pred)
    if found is None:
        fallback: float = decline("fowlkes_mallows_score")(labels_true, labels_pred)
        return fallback
    answered("fowlkes_mallows_score")
    n = found.points
    both, predicted, true = (
        squares - n for squares in (found.cell_squares, found.predicted_squares, found.true_squares)
    )
    return math.sqrt(both / predicted) * math.sqrt(both / true) if both != 0.0 else 0.0


def mutual_info_score(labels_true: Any, labels_pred: Any, *, contingency: Any = None) -> float:
    """Mutual information of two clusterings, in nats.

    Drop-in for `sklearn.metrics.mutual_info_score`.

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n_samples,)
        Clusters: integers of any width, bool, whole floats or strings, read in place.
    contingency : array-like or sparse matrix of shape (n_true, n_pred), default=None
        A table already counted, instead of the labels; left to scikit-learn.

    Returns
    -------
    float
        >= 0.

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, more than one axis.

    Examples
    --------
    >>> from mlestar.metrics import mutual_info_score
    >>> round(mutual_info_score([0, 0, 1, 2], [0, 0, 1, 1]), 6)
    0.693147
    """
    found = _agreement(labels_true, labels_pred) if contingency is None else None
    if found is None:
        fallback: float = decline("mutual_info_score")(
            labels_true, labels_pred, contingency=contingency
        )
        return fallback
    answered("mutual_info_score")
    return found.information


def normalized_mutual_info_score(
    labels_true: Any, labels_pred: Any, *, average_method: str = "arithmetic"
) -> float:
    """Mutual information over a mean of the two entropies.

    Drop-in for `sklearn.metrics.normalized_mutual_info_score`; labels and errors as in
    `mutual_info_score`.

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n_samples,)
        Clusters.
    average_method : {"min", "geometric", "arithmetic", "max"}, default="arithmetic"
        The mean of the entropies.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> from mlestar.metrics import normalized_mutual_info_score
    >>> round(normalized_mutual_info_score([0, 0, 1, 2], [0, 0, 1, 1]), 6)
    0.8
    """
    found = _agreement(labels_true, labels_pred) if _is_mean(average_method) else None
    if found is None:
        fallback: float = decline("normalized_mutual_info_score")(
            labels_true, labels_pred, average_method=average_method
        )
        return fallback
    answered("normalized_mutual_info_score")
    if found.true_clusters == found.predicted_clusters == 1:
        return 1.0
    if found.information == 0:
        return 0.0
    mean = _mean(found.true_entropy, found.predicted_entropy, average_method)
    return found.information / mean


def adjusted_mutual_info_score(
    labels_true: Any, labels_pred: Any, *, average_method: str = "arithmetic"
) -> float:
    """Mutual information corrected for chance (Vinh, Epps and Bailey 2010).

    Drop-in for `sklearn.metrics.adjusted_mutual_info_score`; parameters and errors as in
    `normalized_mutual_info_score`.

    Returns
    -------
    float
        At most 1; near 0 for random clusters.

    Examples
    --------
    >>> from mlestar.metrics import adjusted_mutual_info_score
    >>> round(adjusted_mutual_info_score([0, 0, 1, 2], [0, 0, 1, 1]), 6)
    0.571429
    """
    found = None
    if _is_mean(average_method):
        found = _core.metrics.chance_agreement(*_labels(labels_true, labels_pred))
    if found is None:
        fallback: float = decline("adjusted_mutual_info_score")(
            labels_true, labels_pred, average_method=average_method
        )
        return fallback
    answered("adjusted_mutual_info_score")
    true_clusters, predicted_clusters, information, true_entropy, predicted_entropy, chance = found
    if true_clusters == predicted_clusters == 1:
        return 1.0
    if true_clusters == 1 or predicted_clusters == 1:
        return 0.0
    range_ = _mean(true_entropy, predicted_entropy, average_method) - chance
    return _away_from_zero(information - chance) / _away_from_zero(range_)


def homogeneity_completeness_v_measure(
    labels_true: Any, labels_pred: Any, *, beta: float = 1.0
) -> tuple[float, float, float]:
    """Homogeneity, completeness and V-measure at once (Rosenberg and Hirschberg 2007).

    Drop-in for `sklearn.metrics.homogeneity_completeness_v_measure`; labels and errors as in
    `mutual_info_score`.

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n_samples,)
        Clusters.
    beta : float, default=1.0
        Weight of completeness against homogeneity in the V-measure, >= 0.

    Returns
    -------
    homogeneity : float
        1 if every predicted cluster lies in one true cluster.
    completeness : float
        1 if every true cluster lies in one predicted cluster.
    v_measure : float
        Their weighted harmonic mean.

    Examples
    --------
    >>> from mlestar.metrics import homogeneity_completeness_v_measure
    >>> [round(v, 6) for v in homogeneity_completeness_v_measure([0, 0, 1, 2], [0, 0, 1, 1])]
    [0.666667, 1.0, 0.8]
    """
    found = _v_measure(labels_true, labels_pred, beta)
    if found is None:
        fallback: tuple[float, float, float] = decline("homogeneity_completeness_v_measure")(
            labels_true, labels_pred, beta=beta
        )
        return fallback
    answered("homogeneity_completeness_v_measure")
    return found


def homogeneity_score(labels_true: Any, labels_pred: Any) -> float:
    """How far every predicted cluster lies in one true cluster.

    Drop-in for `sklearn.metrics.homogeneity_score`; see `homogeneity_completeness_v_measure`.

    Examples
    --------
    >>> from mlestar.metrics import homogeneity_score
    >>> round(homogeneity_score([0, 0, 1, 2], [0, 0, 1, 1]), 6)
    0.666667
    """
    found = _v_measure(labels_true, labels_pred, 1.0)
    if found is None:
        fallback: float = decline("homogeneity_score")(labels_true, labels_pred)
        return fallback
    answered("homogeneity_score")
    return found[0]


def completeness_score(labels_true: Any, labels_pred: Any) -> float:
    """How far every true cluster lies in one predicted cluster.

    Drop-in for `sklearn.metrics.completeness_score`; see `homogeneity_completeness_v_measure`.

    Examples
    --------
    >>> from mlestar.metrics import completeness_score
    >>> round(completeness_score([0, 0, 1, 2], [0, 0, 1, 1]), 6)
    1.0
    """
    found = _v_measure(labels_true, labels_pred, 1.0)
    if found is None:
        fallback: float = decline("completeness_score")(labels_true, labels_pred)
        return fallback
    answered("completeness_score")
    return found[1]


def v_measure_score(labels_true: Any, labels_pred: Any, *, beta: float = 1.0) -> float:
    """Weighted harmonic mean of homogeneity and completeness.

    Drop-in for `sklearn.metrics.v_measure_score`; see `homogeneity_completeness_v_measure`.

    Examples
    --------
    >>> from mlestar.metrics import v_measure_score
    >>> round(v_measure_score([0, 0, 1, 2], [0, 0, 1, 1]), 6)
    0.8
    """
    found = _v_measure(labels_true, labels_pred, beta)
    if found is None:
        fallback: float = decline("v_measure_score")(labels_true, labels_pred, beta=beta)
        return fallback
    answered("v_measure_score")
    return found[2]


def _labels(labels_true: Any, labels_pred: Any) -> tuple[Any, ...]:
    """Both as arrays the core reads; strings as codes. Counts where those are given."""
    if isinstance(labels_true, Counted):
        return labels_true
    t, p = as_array(labels_true), as_array(labels_pred)
    codes = encode(t, p) if p is not None else None
    return (t, p) if codes is None else (codes.y_true, codes.y_pred)


def _agreement(labels_true: Any, labels_pred: Any) -> _Agreement | None:
    found = _core.metrics.agreement(*_labels(labels_true, labels_pred))
    return None if found is None else _Agreement(*found)


def _pairs(labels_true: Any, labels_pred: Any) -> tuple[int, int, int, int] | None:
    """Ordered pairs: parted by both, joined by the predicted only, by the true only, by both."""
    found = _agreement(labels_true, labels_pred)
    if found is None:
        return None
    n = found.points
    if n > _MOST_POINTS:
        return _exact_pairs(n, labels_true) if isinstance(labels_true, Counted) else None
    both = int(found.cell_squares)
    predicted, true = int(found.predicted_squares) - both, int(found.true_squares) - both
    return n * n - predicted - true - both, predicted, true, both - n


def _exact_pairs(points: int, counted: Counted) -> tuple[int, int, int, int]:
    """As `_pairs`, in integers of any size."""
    cells: dict[Any, int] = {}
    true: dict[Any, int] = {}
    predicted: dict[Any, int] = {}
    for row, column, count in zip(*(array.tolist() for array in counted), strict=True):
        cells[row, column] = count
        true[row] = true.get(row, 0) + count
        predicted[column] = predicted.get(column, 0) + count
    both, of_true, of_predicted = (
        sum(count * count for count in counts.values()) for counts in (cells, true, predicted)
    )
    only_predicted, only_true = of_predicted - both, of_true - both
    return (
        points * points - only_predicted - only_true - both,
        only_predicted,
        only_true,
        both - points,
    )


def _v_measure(labels_true: Any, labels_pred: Any, beta: Any) -> tuple[float, float, float] | None:
    if not is_real(beta) or not 0 <= beta < math.inf:
        return None
    found = _agreement(labels_true, labels_pred)
    if found is None:
        return None
    homogeneity = found.information / found.true_entropy if found.true_entropy else 1.0
    completeness = found.information / found.predicted_entropy if found.predicted_entropy else 1.0
    if homogeneity + completeness == 0.0:
        return homogeneity, completeness, 0.0
    weight = float(beta)
    mean = (1 + weight) * homogeneity * completeness / (weight * homogeneity + completeness)
    return homogeneity, completeness, mean


def _is_mean(average_method: Any) -> bool:
    return average_method in ("min", "geometric", "arithmetic", "max")


def _mean(a: float, b: float, average_method: str) -> float:
    if average_method == "min":
        return min(a, b)
    if average_method == "max":
        return max(a, b)
    return math.sqrt(a * b) if average_method == "geometric" else (a + b) / 2


def _away_from_zero(value: float) -> float:
    return min(value, -_EPSILON) if value < 0 else max(value, _EPSILON)
