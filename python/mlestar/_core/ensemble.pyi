from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

class GreedySelection:
    def __init__(
        self,
        metric: str,
        predictions: list[object],
        y: object,
        weight: object,
        most_kept: int = 1073741824,
    ) -> None: ...
    def candidate_errors(self) -> NDArray[np.float64]: ...
    def add(self, model: int) -> None: ...

class LabelSelection:
    def __init__(self, predictions: list[object], y: object, weight: object) -> None: ...
    def candidate_tables(self) -> NDArray[np.float64]: ...
    def add(self, model: int) -> None: ...

class CallbackSelection:
    def __init__(
        self,
        metric: object,
        sign: float,
        predictions: NDArray[np.float64],
        y: NDArray[np.float64],
        weight: NDArray[np.float64] | None,
    ) -> None: ...
    def candidate_errors(self) -> tuple[NDArray[np.float64], int | None]: ...
    def mean_with(self, model: int) -> NDArray[np.float64]: ...
    def add(self, model: int) -> None: ...

def minimize_convex(
    loss: str
    | Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64], NDArray[np.float64]]],
    layout: str,
    parameter: float,
    predictions: list[object],
    y: object,
    weight: object,
    probabilities: bool,
    l1: float,
    l2: float,
    sum_to_one: bool,
    non_negative: bool,
    tolerance: float,
    max_iterations: int,
    cache: int,
) -> tuple[NDArray[np.float64], float, float, int, bool]: ...
def weighted_sum(predictions: list[object], weights: list[float]) -> NDArray[np.float64]: ...
