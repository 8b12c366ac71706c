"""Errors of predictions that lie on a GPU: the host's answers. Skips, by name, where there is none."""

import numpy as np
import pytest

import mlestar
import mlestar.metrics as ours
from mlestar.testing import core_calls

NAMES = ["mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "r2_score"]


def _devices():
    cuda = mlestar.build_info()["cuda"]
    return cuda["devices"] if cuda else ()


pytestmark = pytest.mark.skipif(not _devices(), reason="no CUDA module or no GPU")


def _libraries():
    torch = pytest.importorskip("torch")
    found = {"torch": lambda x: torch.from_numpy(np.ascontiguousarray(x)).cuda()}
    try:
        import cupy

        found["cupy"] = cupy.asarray
    except ImportError:
        pass
    return found


@pytest.fixture(params=["torch", "cupy"])
def to_device(request):
    libraries = _libraries()
    if request.param not in libraries:
        pytest.skip(f"{request.param} is not installed")
    return libraries[request.param]


def in_cuda(function, *args, **kwargs):
    before = core_calls().get(function.__name__, {"core": 0, "declined": 0})
    result = function(*args, **kwargs)
    after = core_calls()[function.__name__]
    assert after["core"] == before["core"] + 1
    assert after["declined"] == before["declined"]
    return result


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(2,), (2049,), (3_000_001,), (5000, 3)])
def test_equals_the_host(rng, to_device, name, dtype, shape):
    truth = (rng.normal(size=shape) * 20 + 100).astype(dtype)
    predicted = (rng.normal(size=shape) * 20 + 100).astype(dtype)
    weights = rng.random(shape[0]) + 0.1
    function = getattr(ours, name)
    for options in ({}, {"sample_weight": weights}, {"multioutput": "raw_values"}):
        expected = function(truth, predicted, **options)
        there = {key: to_device(v) if key == "sample_weight" else v for key, v in options.items()}
        answer = in_cuda(function, to_device(truth), to_device(predicted), **there)
        rtol = 1e-6 if dtype == "float32" and "multioutput" in options else 1e-12
        np.testing.assert_allclose(answer, expected, rtol=rtol)


@pytest.mark.parametrize("name", NAMES)
def test_strides_and_column_order(rng, to_device, name):
    truth, predicted = rng.normal(size=(2, 4001, 3))
    function = getattr(ours, name)
    for view in (lambda x: x[::2], lambda x: x[:, 1], lambda x: x[::3, 2]):
        answer = in_cuda(function, view(to_device(truth)), view(to_device(predicted)))
        assert answer == pytest.approx(function(view(truth), view(predicted)), rel=1e-12)
    transposed = in_cuda(function, to_device(truth.T.copy()).T, to_device(predicted.T.copy()).T)
    assert transposed == pytest.approx(function(truth, predicted), rel=1e-12)


def test_same_bits_every_time(rng, to_device):
    truth, predicted = (to_device(x) for x in rng.normal(size=(2, 5_000_001)))
    assert len({ours.r2_score(truth, predicted) for _ in range(20)}) == 1


def test_waits_for_the_stream():
    torch = pytest.importorskip("torch")
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        big = torch.ones(8192, 8192, device="cuda")
        for _ in range(20):  # work that is still running when the metric is asked for
            big = big @ big * (1.0 / 8192)
        truth = big.flatten()
        assert ours.mean_squared_error(truth, torch.zeros_like(truth)) == pytest.approx(1.0)


def test_requires_grad_is_read_detached(to_device, rng):
    torch = pytest.importorskip("torch")
    truth = torch.zeros(10, device="cuda")
    predicted = torch.ones(10, device="cuda", requires_grad=True)
    assert ours.mean_squared_error(truth, predicted) == 1.0


def test_errors_are_scikit_learns(to_device):
    truth = to_device(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="contains NaN"):
        ours.mean_squared_error(truth, truth)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ours.r2_score(to_device(np.ones(3)), to_device(np.ones(4)))


def test_one_place(to_device):
    with pytest.raises(ValueError, match=r"y_true is on cuda:0 and y_pred on the host"):
        ours.mean_absolute_error(to_device(np.ones(3)), np.ones(3))
    with pytest.raises(ValueError, match=r"y_true is on the host and sample_weight on cuda:0"):
        ours.mean_absolute_error(np.ones(3), np.ones(3), sample_weight=to_device(np.ones(3)))


def test_memory_is_given_back(to_device, rng):
    torch = pytest.importorskip("torch")
    truth = to_device(rng.normal(size=1_000_000))
    ours.r2_score(truth, truth)
    torch.cuda.synchronize()
    free = torch.cuda.mem_get_info()[0]
    for _ in range(200):
        ours.r2_score(truth, truth)
    torch.cuda.synchronize()
    assert torch.cuda.mem_get_info()[0] >= free - 64 * 2**20
