"""Metrics of a user: in a module of their own, as pickles need them."""

import numpy as np

from mlestar.metrics import metric


@metric(greater_is_better=False)
def cost(y_true, y_pred, sample_weight=None):
    """What an error costs: three times as much upwards."""
    total, weight = 0.0, 0.0
    for i in range(len(y_true)):
        w = 1.0 if sample_weight is None else sample_weight[i]
        error = y_pred[i] - y_true[i]
        total += w * (3 * error if error > 0 else -error)
        weight += w
    return total / weight


@metric(greater_is_better=False)
def mean_absolute(y_true, y_pred, sample_weight):
    return np.sum(np.abs(y_true - y_pred) * sample_weight) / np.sum(sample_weight)


@metric(greater_is_better=False, name="RMSE")
def root_mean_square(y_true, y_pred, sample_weight=None):
    if sample_weight is None:
        return np.sqrt(np.mean((y_true - y_pred) ** 2))
    return np.sqrt(np.sum(sample_weight * (y_true - y_pred) ** 2) / np.sum(sample_weight))


@metric
def share_within(y_true, y_pred):
    return np.mean(np.abs(y_true - y_pred) < 1)


@metric
def no_sevens(y_true, y_pred):
    for value in y_true:
        if value == 7:
            raise LookupError("a seven")
    return np.mean(y_true * y_pred)


@metric
def no_large_answers(y_true, y_pred, sample_weight=None):
    if y_pred.max() > 50:
        raise ArithmeticError(f"too large: {y_pred.max()}")
    return y_pred.mean()


@metric
def ratio(y_true, y_pred):
    return y_true.sum() / y_pred.sum()


@metric
def first_of_all(y_true, y_pred):
    return y_true[0] + y_pred[len(y_true)]


@metric
def hits(y_true, y_pred):
    count = 0
    for i in range(len(y_true)):
        count += y_true[i] == y_pred[i]
    return count


@metric
def any_hit(y_true, y_pred):
    return bool((y_true == y_pred).any())
