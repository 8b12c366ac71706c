import numpy as np
from numpy.typing import NDArray

def mean_squared_error(
    y_true: object, y_pred: object, weight: object, stream: int
) -> float | NDArray[np.float64] | None: ...
def mean_absolute_error(
    y_true: object, y_pred: object, weight: object, stream: int
) -> float | NDArray[np.float64] | None: ...
def explained(
    y_true: object, y_pred: object, weight: object, stream: int
) -> tuple[float, float] | tuple[NDArray[np.float64], NDArray[np.float64]] | None: ...
