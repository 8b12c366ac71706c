"""The way to the CUDA module, with a module and arrays that only say that they are on a GPU."""

from types import SimpleNamespace

import numpy as np
import pytest

from mlestar import _devices
from mlestar.metrics import mean_squared_error, r2_score


class OnDevice:
    """What CuPy's arrays look like from outside."""

    def __init__(self, values, device=0, stream=7):
        self.values = np.asarray(values)
        self.dtype = self.values.dtype
        self.device = SimpleNamespace(id=device)
        self.__cuda_array_interface__ = {"stream": stream}

    def __len__(self):
        return len(self.values)

    def get(self):
        return self.values


@pytest.fixture
def calls(monkeypatch):
    """A CUDA module that notes what it is asked and answers with NumPy."""
    asked = []

    def mean_squared_error(y_true, y_pred, weight, stream):
        asked.append(("mean_squared_error", weight, stream))
        error = float(np.average((y_true.values - y_pred.values) ** 2))
        return error if np.isfinite(error) else None

    def explained(y_true, y_pred, weight, stream):
        asked.append(("explained", weight, stream))
        y = y_true.values
        return float(((y - y_pred.values) ** 2).sum()), float(((y - y.mean()) ** 2).sum())

    module = SimpleNamespace(
        metrics=SimpleNamespace(mean_squared_error=mean_squared_error, explained=explained),
        synchronize=lambda stream: asked.append(("synchronize", stream)),
        build_info=dict,
    )
    monkeypatch.setattr(_devices, "cuda_module", lambda: module)
    return asked


def test_the_device_follows_the_data(calls):
    truth, predicted = OnDevice([1.0, 2.0, 4.0]), OnDevice([1.0, 2.0, 1.0])
    assert mean_squared_error(truth, predicted) == 3.0
    assert r2_score(truth, predicted) == pytest.approx(r2_score(truth.values, predicted.values))
    assert calls == [("mean_squared_error", None, 7), ("explained", None, 7)]


def test_other_streams_are_waited_for(calls):
    mean_squared_error(OnDevice([1.0], stream=7), OnDevice([1.0], stream=8))
    assert {name for name, *_ in calls} == {"synchronize", "mean_squared_error"}


def test_all_in_one_place(calls):
    there = OnDevice([1.0, 2.0])
    with pytest.raises(ValueError, match="y_true is on cuda:0 and y_pred on the host"):
        mean_squared_error(there, np.ones(2))
    with pytest.raises(ValueError, match="y_true is on the host and sample_weight on cuda:0"):
        mean_squared_error(np.ones(2), np.ones(2), sample_weight=there)
    with pytest.raises(ValueError, match="y_true is on cuda:0 and y_pred on cuda:1"):
        mean_squared_error(there, OnDevice([1.0, 2.0], device=1))
    assert calls == []


def test_what_the_module_leaves_is_worded_by_scikit_learn(calls):
    with pytest.raises(ValueError, match="contains NaN"):
        mean_squared_error(OnDevice([1.0, np.nan]), OnDevice([1.0, 1.0]))


def test_without_the_module_scikit_learn_gets_the_array(monkeypatch):
    monkeypatch.setattr(_devices, "cuda_module", lambda: None)
    there = OnDevice([1.0, 2.0])
    assert _devices.to_host(there) is there
    with pytest.raises((TypeError, ValueError)):
        mean_squared_error(there, there)
