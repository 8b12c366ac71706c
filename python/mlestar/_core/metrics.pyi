from typing import Any

import numpy as np
from numpy.typing import NDArray

# Arrays that do not fit are no error: the answer is None, and the caller leaves the call to
# scikit-learn.

def encode_strings(
    a: object, b: object
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None, list[str]] | None: ...
def accuracy(y_true: object, y_pred: object, weight: object, normalize: bool) -> float | None: ...
def confusion_matrix(
    y_true: object, y_pred: object, weight: object
) -> tuple[NDArray[np.int64], NDArray[Any]] | None: ...
def precision_recall_fscore(
    y_true: object,
    y_pred: object,
    weight: object,
    beta: float,
    average: str,
    positive: int,
    labels: list[int] | None,
    zero_division: float,
) -> tuple[Any, Any, Any, Any, tuple[bool, bool, bool], int] | None: ...
def log_loss(
    y_true: object, probability: object, weight: object, labels: object, normalize: bool
) -> tuple[float, bool] | None: ...
def brier_score(
    y_true: object, probability: object, weight: object, labels: object, positive: int | None
) -> tuple[float, bool] | None: ...
def roc_auc(y_true: object, score: object, weight: object) -> float | None: ...
def average_precision(
    y_true: object, score: object, weight: object, positive: int
) -> float | None: ...
def mean_squared_error(
    y_true: object, y_pred: object, weight: object
) -> float | NDArray[np.float64] | None: ...
def mean_absolute_error(
    y_true: object, y_pred: object, weight: object
) -> float | NDArray[np.float64] | None: ...
def explained(y_true: object, y_pred: object, weight: object) -> tuple[Any, Any] | None: ...
def resample_ranking(
    metric: str,
    positive: NDArray[np.uint8],
    scores: NDArray[np.float64],
    weight: NDArray[np.float64] | None,
    units: NDArray[np.int32] | None,
    kind: str,
    sizes: list[int],
    resamples: int,
    seed: int,
) -> NDArray[np.float64]: ...
def placements(
    positive: NDArray[np.uint8], scores: NDArray[np.float64], weight: NDArray[np.float64] | None
) -> NDArray[np.float64]: ...
def resample_sums(
    columns: NDArray[np.float64], kind: str, sizes: list[int], resamples: int, seed: int
) -> NDArray[np.float64]: ...
def resample_cells(
    cell: NDArray[np.int32],
    count: int,
    weight: NDArray[np.float64] | None,
    unit: NDArray[np.int32] | None,
    kind: str,
    sizes: list[int],
    resamples: int,
    seed: int,
) -> NDArray[np.float64]: ...
def resample_counts(
    kind: str, sizes: list[int], first: int, resamples: int, seed: int
) -> NDArray[np.uint8]: ...
