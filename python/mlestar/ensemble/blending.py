"""The weighted sum of predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlestar._native import _core
from mlestar.ensemble._predictions import Predictions


def weighted_sum(predictions: Any, weights: Any) -> NDArray[np.float64]:
    """Blend the predictions of several models, in one pass over them.

    Parameters
    ----------
    predictions : sequence or mapping of array-like, or array of shape (n_models, ...)
        One a model, all of shape (n_samples,) or (n_samples, n_classes), of any numeric dtype and
        layout, read in place. A mapping's keys name the models in errors.
    weights : array-like of shape (n_models,)
        Finite. Models of weight zero are not read.

    Returns
    -------
    blend : ndarray of shape (n_samples,) or (n_samples, n_classes)
        float64; summed in the order of the models.

    Raises
    ------
    ValueError
        If shapes differ, or there is not one finite weight a model.

    Examples
    --------
    >>> import numpy as np
    >>> from mlestar.ensemble import weighted_sum
    >>> weighted_sum([np.array([1.0, 2.0]), np.array([3.0, 6.0])], [0.5, 0.5]).tolist()
    [2.0, 4.0]
    """
    models = Predictions(predictions)
    try:
        shares = np.asarray(weights, np.float64)
    except (TypeError, ValueError):
        shares = np.empty((0, 0))
    if shares.ndim != 1:
        raise ValueError(
            f"weights is {weights!r:.80}, but must be numbers of one axis, one a model"
        )
    with models.naming():
        blend = _core.ensemble.weighted_sum(models.arrays, shares.tolist())
    return blend[:, 0] if models.arrays[0].ndim == 1 else blend
