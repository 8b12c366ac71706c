"""How well a clustering separates its points."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlestar._arrays import as_array
from mlestar._calls import answered, decline
from mlestar._native import _core
from mlestar.metrics._labels import encode
from mlestar.metrics._sets import is_whole


def silhouette_samples(X: Any, labels: Any, *, metric: Any = "euclidean", **kwds: Any) -> Any:
    """Silhouette of every point: how much nearer its own cluster is than the next (Rousseeuw 1987).

    Drop-in for `sklearn.metrics.silhouette_samples`. Distances are summed as they are computed, so
    memory does not grow with the square of the points.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Points; or, for metric "precomputed", distances of shape (n_samples, n_samples).
    labels : array-like of shape (n_samples,)
        Clusters, at least two and fewer than points.
    metric : str or callable, default="euclidean"
        "euclidean", "manhattan" and "precomputed" are answered in the core.
    **kwds
        Parameters of other metrics.

    Returns
    -------
    ndarray of shape (n_samples,)
        In [-1, 1]; 0 for a point that is its own cluster.

    Raises
    ------
    ValueError
        As scikit-learn: lengths that differ, NaN or infinity, too few or too many clusters.

    Examples
    --------
    >>> from mlestar.metrics import silhouette_samples
    >>> silhouette_samples([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]).round(3).tolist()
    [0.895, 0.882, 0.882, 0.895]
    """
    values = _silhouettes(X, labels, metric, kwds)
    if values is None:
        return decline("silhouette_samples")(X, labels, metric=metric, **kwds)
    answered("silhouette_samples")
    return values


def silhouette_score(
    X: Any,
    labels: Any,
    *,
    metric: Any = "euclidean",
    sample_size: int | None = None,
    random_state: Any = None,
    **kwds: Any,
) -> float:
    """Mean silhouette of all points, or of a random sample of them.

    Drop-in for `sklearn.metrics.silhouette_score`.

    Parameters
    ----------
    X, labels, metric, **kwds
        As in `silhouette_samples`.
    sample_size : int, default=None
        Points to draw, the same as scikit-learn's; None takes all.
    random_state : int, RandomState instance or None, default=None
        Draws the sample.

    Returns
    -------
    float
        In [-1, 1].

    Examples
    --------
    >>> from mlestar.metrics import silhouette_score
    >>> round(silhouette_score([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]), 6)
    0.888545
    """
    values = None
    if sample_size is None:
        values = _silhouettes(X, labels, metric, kwds)
    elif is_whole(sample_size) and sample_size > 0:
        points, clusters = as_array(X), as_array(labels)
        if _is_table(points, clusters) and not kwds:
            from sklearn.utils import check_random_state

            # Drawn once, whoever answers.
            random_state = check_random_state(random_state)
            state = random_state.get_state()
            chosen = random_state.permutation(len(points))[:sample_size]
            square = isinstance(metric, str) and metric == "precomputed"
            drawn = points[np.ix_(chosen, chosen)] if square else points[chosen]
            values = _silhouettes(drawn, clusters[chosen], metric, kwds)
            if values is None:
                random_state.set_state(state)
    if values is None:
        fallback: float = decline("silhouette_score")(
            X, labels, metric=metric, sample_size=sample_size, random_state=random_state, **kwds
        )
        return fallback
    answered("silhouette_score")
    return float(np.mean(values))


def calinski_harabasz_score(X: Any, labels: Any) -> float:
    """Spread between clusters over spread within, each by its degrees of freedom.

    Drop-in for `sklearn.metrics.calinski_harabasz_score` (Calinski and Harabasz 1974); parameters
    and errors as in `silhouette_samples`.

    Returns
    -------
    float
        >= 0; greater is better.

    Examples
    --------
    >>> from mlestar.metrics import calinski_harabasz_score
    >>> calinski_harabasz_score([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1])
    162.0
    """
    found = _spread(X, labels)
    if found is None:
        fallback: float = decline("calinski_harabasz_score")(X, labels)
        return fallback
    answered("calinski_harabasz_score")
    centres, squares, _, sizes = found
    points, clusters = sizes.sum(), len(sizes)
    mean = sizes @ centres / points
    between = float(sizes @ ((centres - mean) ** 2).sum(axis=1))
    within = float(squares.sum())
    if within == 0.0:
        return 1.0
    return float(between * (points - clusters) / (within * (clusters - 1.0)))


def davies_bouldin_score(X: Any, labels: Any) -> float:
    """Mean over the clusters of the overlap with the most similar other (Davies and Bouldin 1979).

    Drop-in for `sklearn.metrics.davies_bouldin_score`; parameters and errors as in
    `silhouette_samples`.

    Returns
    -------
    float
        >= 0; smaller is better.

    Examples
    --------
    >>> from mlestar.metrics import davies_bouldin_score
    >>> round(davies_bouldin_score([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]), 6)
    0.111111
    """
    found = _spread(X, labels)
    if found is None or len(found[3]) > 4096:  # a square matrix of centres
        fallback: float = decline("davies_bouldin_score")(X, labels)
        return fallback
    answered("davies_bouldin_score")
    centres, _, within, _ = found
    apart = np.sqrt(np.stack([((centres - centre) ** 2).sum(axis=1) for centre in centres]))
    if np.allclose(within, 0) or np.allclose(apart, 0):
        return 0.0
    apart[apart == 0] = np.inf
    return float(np.mean(np.max((within[:, None] + within) / apart, axis=1)))


def _is_table(points: Any, clusters: Any) -> bool:
    """Whether both are arrays of as many rows, and the points numbers."""
    return (
        points is not None
        and clusters is not None
        and points.ndim == 2
        and points.dtype.kind in "biuf"
        and clusters.shape == (len(points),)
    )


def _codes(clusters: Any) -> Any:
    strings = encode(clusters)
    return clusters if strings is None else strings.y_true


def _silhouettes(X: Any, labels: Any, metric: Any, kwds: dict[str, Any]) -> Any | None:
    points, clusters = as_array(X), as_array(labels)
    if kwds or not isinstance(metric, str) or not _is_table(points, clusters):
        return None
    if points.dtype == np.float32:
        return None  # scikit-learn's sums have single precision, and so has its answer
    if metric == "precomputed":
        diagonal = points.diagonal()
        exact = points.dtype.kind == "f"
        limit = np.finfo(points.dtype).eps * 100 if exact else 0
        if points.shape[0] != points.shape[1] or (np.abs(diagonal) > limit).any():
            return None
    elif metric not in ("euclidean", "manhattan"):
        return None
    return _core.metrics.silhouettes(points, _codes(clusters), metric)


def _spread(X: Any, labels: Any) -> tuple[Any, Any, Any, Any] | None:
    points, clusters = as_array(X), as_array(labels)
    if not _is_table(points, clusters):
        return None
    return _core.metrics.cluster_spread(points, _codes(clusters))
