"""A cheap picture of a function of which some values are known."""

from __future__ import annotations

import functools
import threading
from typing import Any

import numpy as np

# Two at a time could each give back the other's limit.
_limiting = threading.Lock()


@functools.cache
def _controller() -> Any:
    """Of the threads of linear algebra: on a busy machine, a system of a hundred unknowns takes one
    thread half a millisecond and two threads thirty."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


class CubicSurface:
    """Interpolation by cubic radial functions with a linear part (Powell, 1992).

    Parameters
    ----------
    points : ndarray of shape (n, d), float64
    values : ndarray of shape (n,), float64
        Finite.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.search.surrogate import CubicSurface
    >>> x = np.linspace(0, 1, 6)[:, None]
    >>> surface = CubicSurface(x, 3 * x[:, 0] + 1)
    >>> float(surface(np.array([[0.3]]))[0].round(6))
    1.9
    """

    def __init__(self, points: Any, values: Any) -> None:
        n, d = points.shape
        self._points = points
        system = np.zeros((n + d + 1, n + d + 1))
        system[:n, :n] = _cubes(points, points)
        # A trace of smoothing: points that are the same are not a singular system.
        system[range(n), range(n)] = 1e-8
        system[:n, n] = system[n, :n] = 1.0
        system[:n, n + 1 :] = points
        system[n + 1 :, :n] = points.T
        system[range(n, n + d + 1), range(n, n + d + 1)] = -1e-8
        right = np.zeros(n + d + 1)
        right[:n] = values
        with _limiting, _controller().limit(limits=1, user_api="blas"):
            solution = np.linalg.solve(system, right)
        self._weights, self._constant, self._slope = solution[:n], solution[n], solution[n + 1 :]

    def __call__(self, points: Any) -> Any:
        """Values at points of shape (m, d); shape (m,)."""
        return _cubes(points, self._points) @ self._weights + self._constant + points @ self._slope


def _cubes(first: Any, second: Any) -> Any:
    squares = squared_distances(first, second)
    return squares * np.sqrt(squares)


def squared_distances(first: Any, second: Any) -> Any:
    """Squared distances of points of shapes (n, d) and (m, d); shape (n, m)."""
    products = first @ second.T
    a, b = np.einsum("ij,ij->i", first, first), np.einsum("ij,ij->i", second, second)
    return np.maximum(a[:, None] + b[None, :] - 2.0 * products, 0.0)
