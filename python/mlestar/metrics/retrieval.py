"""How well scores order the items that are true of each sample."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from mlestar._arrays import as_array, as_flat
from mlestar._calls import answered, decline
from mlestar._native import _core
from mlestar.metrics._columns import codes_of
from mlestar.metrics._sets import is_real, is_whole


def coverage_error(y_true: Any, y_score: Any, *, sample_weight: Any = None) -> float:
    """Mean over the samples of how far down the scores the last true label is.

    Drop-in for `sklearn.metrics.coverage_error` (Tsoumakas, Katakis and Vlahavas 2010).

    Parameters
    ----------
    y_true : array-like of shape (n_samples, n_labels)
        Indicators, 0 and 1.
    y_score : array-like of shape (n_samples, n_labels)
        Scores, finite; only their order in a row counts.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.

    Returns
    -------
    float
        At best the mean number of true labels.

    Raises
    ------
    ValueError
        As scikit-learn: shapes that differ, labels that are no indicators, NaN or infinity.

    Examples
    --------
    >>> from mlestar.metrics import coverage_error
    >>> coverage_error([[1, 0, 0], [0, 1, 1]], [[1, 0, 0], [0, 1, 1]])
    1.5
    """
    result = _over_rows(_core.metrics.coverage_error, y_true, y_score, sample_weight)
    if result is None:
        fallback: float = decline("coverage_error")(y_true, y_score, sample_weight=sample_weight)
        return fallback
    answered("coverage_error")
    return result


def label_ranking_average_precision_score(
    y_true: Any, y_score: Any, *, sample_weight: Any = None
) -> float:
    """Mean over the samples and their true labels of the precision down to each.

    Drop-in for `sklearn.metrics.label_ranking_average_precision_score` (Tsoumakas, Katakis and
    Vlahavas 2010); parameters and errors as in `coverage_error`.

    Returns
    -------
    float
        In (0, 1].

    Notes
    -----
    As in scikit-learn, weights in a pandas Series are looked up by its index, which no other
    function does: row i has the weight labelled i.

    Examples
    --------
    >>> from mlestar.metrics import label_ranking_average_precision_score
    >>> scores = [[0.75, 0.5, 1], [1, 0.2, 0.1]]
    >>> round(label_ranking_average_precision_score([[1, 0, 0], [0, 0, 1]], scores), 6)
    0.416667
    """
    function = _core.metrics.label_ranking_average_precision
    result = None
    if not _has_labels(sample_weight):
        result = _over_rows(function, y_true, y_score, sample_weight)
    if result is None:
        fallback: float = decline("label_ranking_average_precision_score")(
            y_true, y_score, sample_weight=sample_weight
        )
        return fallback
    answered("label_ranking_average_precision_score")
    return result


def label_ranking_loss(y_true: Any, y_score: Any, *, sample_weight: Any = None) -> float:
    """Mean over the samples of the fraction of pairs of a true and another label in wrong order.

    Drop-in for `sklearn.metrics.label_ranking_loss` (Tsoumakas, Katakis and Vlahavas 2010);
    parameters and errors as in `coverage_error`.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> from mlestar.metrics import label_ranking_loss
    >>> label_ranking_loss([[1, 0, 0], [0, 0, 1]], [[0.75, 0.5, 1], [1, 0.2, 0.1]])
    0.75
    """
    result = _over_rows(_core.metrics.label_ranking_loss, y_true, y_score, sample_weight)
    if result is None:
        fallback: float = decline("label_ranking_loss")(
            y_true, y_score, sample_weight=sample_weight
        )
        return fallback
    answered("label_ranking_loss")
    return result


def dcg_score(
    y_true: Any,
    y_score: Any,
    *,
    k: int | None = None,
    log_base: float = 2,
    sample_weight: Any = None,
    ignore_ties: bool = False,
) -> float:
    """Discounted cumulative gain: true gains summed down the scores, each over the log of its rank.

    Drop-in for `sklearn.metrics.dcg_score` (Jarvelin and Kekalainen 2002; ties averaged as McSherry
    and Najork 2008).

    Parameters
    ----------
    y_true : array-like of shape (n_samples, n_items)
        Gains, finite.
    y_score : array-like of shape (n_samples, n_items)
        Scores, finite; only their order in a row counts.
    k : int, default=None
        Only the k highest scores count.
    log_base : float, default=2
        Base of the logarithm, positive.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    ignore_ties : bool, default=False
        Take equal scores in any order instead of averaging their gains.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As scikit-learn: shapes that differ, one column, NaN or infinity.

    Examples
    --------
    >>> from mlestar.metrics import dcg_score
    >>> round(dcg_score([[10, 0, 0, 1, 5]], [[0.1, 0.2, 0.3, 4, 70]]), 6)
    9.499458
    """
    result = _gain(y_true, y_score, k, log_base, sample_weight, ignore_ties, False)
    if result is None:
        fallback: float = decline("dcg_score")(
            y_true,
            y_score,
            k=k,
            log_base=log_base,
            sample_weight=sample_weight,
            ignore_ties=ignore_ties,
        )
        return fallback
    answered("dcg_score")
    return result


def ndcg_score(
    y_true: Any,
    y_score: Any,
    *,
    k: int | None = None,
    sample_weight: Any = None,
    ignore_ties: bool = False,
) -> float:
    """Discounted cumulative gain over that of the best order.

    Drop-in for `sklearn.metrics.ndcg_score`; parameters and errors as in `dcg_score`, and
    ValueError for negative gains.

    Returns
    -------
    float
        In [0, 1]; 0 for a sample without gains.

    Examples
    --------
    >>> from mlestar.metrics import ndcg_score
    >>> round(ndcg_score([[10, 0, 0, 1, 5]], [[0.1, 0.2, 0.3, 4, 70]]), 6)
    0.695694
    """
    result = _gain(y_true, y_score, k, 2, sample_weight, ignore_ties, True)
    if result is None:
        fallback: float = decline("ndcg_score")(
            y_true, y_score, k=k, sample_weight=sample_weight, ignore_ties=ignore_ties
        )
        return fallback
    answered("ndcg_score")
    return result


def top_k_accuracy_score(
    y_true: Any,
    y_score: Any,
    *,
    k: int = 2,
    normalize: bool = True,
    sample_weight: Any = None,
    labels: Any = None,
) -> float:
    """Fraction of samples whose true class is among the k highest scores.

    Drop-in for `sklearn.metrics.top_k_accuracy_score`.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels: integers of any width, bool, whole floats or strings.
    y_score : array-like of shape (n_samples,) or (n_samples, n_classes)
        Scores of the greater of two labels, or one column a class.
    k : int, default=2
        At least 1.
    normalize : bool, default=True
        False returns the number (or weight) of such samples.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    labels : array-like of shape (n_classes,), default=None
        The classes of the columns, ascending; by default those of `y_true`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, columns that do not match the classes.

    Warns
    -----
    UndefinedMetricWarning
        Where `k` is at least the number of classes, so that every sample counts.

    Examples
    --------
    >>> from mlestar.metrics import top_k_accuracy_score
    >>> scores = [[0.5, 0.2, 0.2], [0.3, 0.4, 0.2], [0.2, 0.4, 0.3], [0.7, 0.2, 0.1]]
    >>> top_k_accuracy_score([0, 1, 2, 2], scores, k=2)
    0.75
    """
    result = _top_k(y_true, y_score, k, normalize, sample_weight, labels)
    if result is None:
        fallback: float = decline("top_k_accuracy_score")(
            y_true,
            y_score,
            k=k,
            normalize=normalize,
            sample_weight=sample_weight,
            labels=labels,
        )
        return fallback
    answered("top_k_accuracy_score")
    return result


def _has_labels(sample_weight: Any) -> bool:
    """Whether it is a Series whose labels are not the places of its values."""
    if not hasattr(sample_weight, "iloc"):
        return False
    return not np.array_equal(np.asarray(sample_weight.index), np.arange(len(sample_weight)))


def _over_rows(function: Any, y_true: Any, y_score: Any, sample_weight: Any) -> float | None:
    t, s = as_array(y_true), as_array(y_score)
    w = None if sample_weight is None else as_array(sample_weight)
    if t is None or s is None or t.ndim != 2 or (sample_weight is not None and w is None):
        return None
    result: float | None = function(t, s, w)
    return result


def _gain(
    y_true: Any,
    y_score: Any,
    k: Any,
    log_base: Any,
    sample_weight: Any,
    ignore_ties: Any,
    normalized: bool,
) -> float | None:
    t, s = as_array(y_true), as_array(y_score)
    w = None if sample_weight is None else as_array(sample_weight)
    if t is None or s is None or t.ndim != 2 or (sample_weight is not None and w is None):
        return None
    if t.dtype.kind not in "biuf" or not isinstance(ignore_ties, bool):
        return None
    if not (k is None or (is_whole(k) and k > 0)):
        return None
    if not is_real(log_base) or not log_base > 0 or log_base == 1:
        return None
    discount = 1 / (np.log(np.arange(t.shape[1]) + 2) / np.log(log_base))
    if k is not None:
        discount[k:] = 0
    return _core.metrics.discounted_gain(t, s, w, discount, ignore_ties, normalized)


def _top_k(
    y_true: Any, y_score: Any, k: Any, normalize: Any, sample_weight: Any, labels: Any
) -> float | None:
    t, s = as_flat(y_true), as_flat(y_score)
    w = None if sample_weight is None else as_array(sample_weight)
    if t is None or s is None or t.ndim != 1 or (sample_weight is not None and w is None):
        return None
    if not is_whole(k) or not 1 <= k < 2**63 or len(t) != len(s):
        return None
    if not isinstance(normalize, bool) or (codes := codes_of(t, labels)) is None:
        return None
    classes = len(codes[1])
    if s.ndim == 2 and s.shape[1] > 2 and s.shape[1] == classes:
        result = _core.metrics.top_k_accuracy(codes[0], s, w, int(k), normalize)
    elif s.ndim == 1 and classes == 2:
        # Two classes: a threshold where one is asked for, everything where both are.
        predicted = codes[0]
        if not np.isfinite(s).all():
            return None
        if k == 1:
            predicted = s > (0.5 if s.min() >= 0 and s.max() <= 1 else 0)
        result = _core.metrics.accuracy(codes[0], predicted, w, normalize)
    else:
        return None
    if result is not None and k >= classes:
        from sklearn.exceptions import UndefinedMetricWarning

        warnings.warn(
            f"'k' ({k}) greater than or equal to 'n_classes' ({classes}) will result in a perfect "
            "score and is therefore meaningless.",
            UndefinedMetricWarning,
            stacklevel=3,
        )
    return result
