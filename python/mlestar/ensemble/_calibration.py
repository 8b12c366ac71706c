"""Calibration of combined probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_EDGE = 1e-12


def make_calibrator(method: str | None, blend: Any, codes: NDArray[Any], weight: Any) -> Any:
    """A callable from probabilities to calibrated ones, learnt from these; None for None.

    Parameters
    ----------
    method : {"isotonic", "temperature"} or None
    blend : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Of class 1, or of each class.
    codes : ndarray of shape (n_samples,)
        Classes as numbers.
    weight : ndarray of shape (n_samples,) or None

    Raises
    ------
    ValueError
        For another method.
    """
    if method is None:
        return None
    if method == "isotonic":
        return Isotonic(blend, codes, weight)
    if method == "temperature":
        return Temperature(blend, codes, weight)
    raise ValueError(f"calibration is {method!r}, but must be 'isotonic', 'temperature' or None")


class Isotonic:
    """A monotone function of each class's probability; of several, divided by their sum."""

    def __init__(self, blend: NDArray[np.float64], codes: NDArray[Any], weight: Any) -> None:
        from sklearn.isotonic import IsotonicRegression

        columns = [blend] if blend.ndim == 1 else list(blend.T)
        labels = [1] if blend.ndim == 1 else range(len(columns))
        self._steps = [
            IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(
                column, (codes == label).astype(float), sample_weight=weight
            )
            for column, label in zip(columns, labels, strict=True)
        ]

    def __call__(self, blend: NDArray[np.float64]) -> NDArray[np.float64]:
        if blend.ndim == 1:
            return np.asarray(self._steps[0].predict(blend))
        found = np.stack(
            [step.predict(column) for step, column in zip(self._steps, blend.T, strict=True)],
            axis=1,
        )
        total = found.sum(axis=1, keepdims=True)
        # Where every class is taken for impossible, nothing is known.
        return np.where(total > 0, found / np.where(total > 0, total, 1.0), 1.0 / found.shape[1])


class Temperature:
    """One number by which logarithms of probabilities are divided (Guo et al., ICML 2017)."""

    def __init__(self, blend: NDArray[np.float64], codes: NDArray[Any], weight: Any) -> None:
        from scipy.optimize import minimize_scalar

        logs = _logs(blend)

        def loss(log_temperature: float) -> float:
            scaled = logs / np.exp(log_temperature)
            scaled = scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)
            return -float(np.average(scaled[np.arange(len(codes)), codes], weights=weight))

        found = minimize_scalar(loss, bounds=(-4, 4), method="bounded", options={"xatol": 1e-6})
        self.temperature = float(np.exp(found.x))

    def __call__(self, blend: NDArray[np.float64]) -> NDArray[np.float64]:
        scaled = _logs(blend) / self.temperature
        scaled = np.exp(scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True))
        return np.asarray(scaled[:, 1] if blend.ndim == 1 else scaled)


def _logs(blend: NDArray[np.float64]) -> NDArray[np.float64]:
    table = np.stack([1.0 - blend, blend], axis=1) if blend.ndim == 1 else blend
    return np.asarray(np.log(np.clip(table, _EDGE, 1.0)))
