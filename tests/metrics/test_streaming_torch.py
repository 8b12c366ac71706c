"""Streaming metrics in a PyTorch loop: tensors in place, processes together, no import of torch."""

import pickle
import timeit

import numpy as np
import pytest
import sklearn.metrics as sk

from mlestar.metrics import streaming
from mlestar.metrics._streaming_arrays import to_array

torch = pytest.importorskip("torch")


def test_tensors_of_every_type(rng):
    truth = rng.integers(0, 2, 500)
    scores = rng.random(500).round(2)
    t = torch.from_numpy(truth)
    for kind in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
        s = torch.from_numpy(scores).to(kind)
        wide = s.double().numpy()
        for labels in (t, t.bool(), t.to(torch.int8), t.to(torch.uint8), t.to(kind)):
            area, error = streaming.ROCAUC(), streaming.MeanSquaredError()
            area.update(labels, s.clone().requires_grad_())
            error.update(labels, s)
            assert area.compute() == sk.roc_auc_score(truth, wide)
            np.testing.assert_allclose(error.compute(), ((truth - wide) ** 2).mean(), rtol=1e-13)
        table = streaming.Accuracy()
        table.update(t.to(torch.int32), (s > 0.5).to(kind))
        assert table.compute() == np.mean(truth == (wide > 0.5))


def test_halves_are_widened_without_a_loss():
    bits = torch.arange(65536, dtype=torch.int32).to(torch.int16)
    for kind in (torch.float16, torch.bfloat16):
        values = bits.view(kind)
        values = values[torch.isfinite(values)]
        metric = streaming.MeanSquaredError(multioutput="raw_values", exact=True)
        metric.update(values[None, :].abs().sqrt(), torch.zeros(1, len(values), dtype=kind))
        expected = values.abs().sqrt().double().numpy() ** 2
        np.testing.assert_array_equal(metric.compute(), expected)


def test_strides_views_and_numpy_together(rng):
    rows = torch.from_numpy(rng.random((400, 6)))
    truth = torch.from_numpy(rng.integers(0, 2, 800))
    metric = streaming.BrierScore()
    metric.update(truth[::2], rows[:, 2])
    metric.update(truth[1::2].numpy(), rows.t()[3], torch.ones(400, dtype=torch.float16))
    expected = np.concatenate(
        [(rows[:, 2] - truth[::2]).numpy(), (rows[:, 3] - truth[1::2]).numpy()]
    )
    np.testing.assert_allclose(metric.compute(), (expected**2).mean(), rtol=1e-13)
    probabilities = torch.softmax(
        torch.from_numpy(rng.normal(size=(100, 4))), dim=1
    ).requires_grad_()
    loss = streaming.LogLoss()
    loss.update(truth[:100], probabilities)
    np.testing.assert_allclose(
        loss.compute(),
        sk.log_loss(truth[:100].numpy(), probabilities.detach().numpy(), labels=range(4)),
    )


def test_tensors_are_read_in_place(rng):
    """An update of many rows allocates next to nothing."""
    import tracemalloc

    truth, scores = (
        torch.zeros(2_000_000, dtype=torch.float64),
        torch.ones(2_000_000, dtype=torch.float64),
    )
    metric = streaming.MeanSquaredError()
    tracemalloc.start()
    metric.update(truth, scores.requires_grad_())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000
    assert metric.compute() == 1.0


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (torch.zeros(3, dtype=torch.complex64), "y_true is a Tensor"),
        (torch.zeros(2, 3, 4), "y_true has 3 axes"),
        (torch.tensor(1.0), "y_true has 0 axes"),
        (torch.zeros(0), "y_true has no rows"),
        (torch.zeros(3).to_sparse(), "y_true is a Tensor"),
        (torch.zeros(3, device="meta"), "y_true"),
    ],
)
def test_tensors_that_cannot_be_read(tensor, words):
    with pytest.raises(ValueError, match=words):
        streaming.MeanSquaredError().update(tensor, torch.zeros(3))


def test_the_way_of_older_versions(rng):
    x = torch.from_numpy(rng.random(5)).requires_grad_()
    assert np.shares_memory(to_array(x, "x"), x.detach().numpy())
    half = x.to(torch.bfloat16)
    np.testing.assert_array_equal(to_array(half, "x"), half.detach().float().numpy())


def test_torch_is_not_imported(run_python):
    code = (
        "import sys, pickle, numpy as np\n"
        "from mlestar.metrics.streaming import *\n"
        "m = ROCAUC(); m.update(np.array([0, 1]), np.array([0.1, 0.2])); m.sync().compute()\n"
        "pickle.loads(pickle.dumps(m))\n"
        "heavy = {'torch', 'sklearn', 'scipy', 'pandas', 'numba'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert run_python(code).strip() == "[]"


PROCESS = """
import os, pickle, sys
import numpy as np
import torch.distributed as dist
from mlestar.metrics import streaming

rank, world, store, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
dist.init_process_group("gloo", init_method="file://" + store, rank=rank, world_size=world)
rng = np.random.default_rng(3)
truth, scores = rng.integers(0, 2, 6_000), rng.random(6_000)
mine = slice(0, 2_000) if rank == 0 else slice(2_000, None)
metrics = {
    "auc": streaming.ROCAUC(memory_limit=1 << 18),
    "binned": streaming.BinnedROCAUC(n_bins=100),
    "f1": streaming.F1Score(),
    "r2": streaming.R2Score(),
    "exact": streaming.MeanSquaredError(exact=True),
    "loss": streaming.LogLoss(),
}
group = streaming.MetricCollection({"accuracy": streaming.Accuracy(), "f1": streaming.F1Score()})
hard = (scores > 0.5).astype(int)
for name, metric in metrics.items():
    metric.update(truth[mine], hard[mine] if name == "f1" else scores[mine])
group.update(truth[mine], hard[mine])
results = {}
for _ in range(2):  # syncing twice counts nothing twice
    results = {name: metric.sync().compute() for name, metric in metrics.items()}
results["group"] = group.sync().compute()
results["n"] = metrics["auc"].n_samples, metrics["auc"].sync().n_samples
pickle.dump(results, open(out + str(rank), "wb"))
dist.destroy_process_group()
"""


@pytest.mark.skipif(not torch.distributed.is_available(), reason="no torch.distributed")
def test_two_processes_give_what_one_gives(tmp_path, rng):
    import subprocess
    import sys

    script = tmp_path / "process.py"
    script.write_text(PROCESS)
    arguments = [sys.executable, str(script)]
    ranks = [
        subprocess.Popen(
            [*arguments, str(rank), "2", str(tmp_path / "store"), str(tmp_path / "out")]
        )
        for rank in range(2)
    ]
    try:
        assert [p.wait(timeout=300) for p in ranks] == [0, 0]
    finally:
        for p in ranks:
            p.kill()
    one, two = (pickle.loads((tmp_path / f"out{rank}").read_bytes()) for rank in range(2))
    rng = np.random.default_rng(3)
    truth, scores = rng.integers(0, 2, 6_000), rng.random(6_000)
    hard = (scores > 0.5).astype(int)
    assert one.pop("n") == (2_000, 6_000)
    assert two.pop("n") == (4_000, 6_000)
    assert one == two
    assert one["auc"] == sk.roc_auc_score(truth, scores)
    assert one["f1"] == sk.f1_score(truth, hard)
    assert one["group"] == {"accuracy": np.mean(truth == hard), "f1": one["f1"]}
    np.testing.assert_allclose(one["r2"], sk.r2_score(truth, scores), rtol=1e-12)
    exact = streaming.MeanSquaredError(exact=True)
    exact.update(truth, scores)
    assert one["exact"] == exact.compute()
    np.testing.assert_allclose(one["loss"], sk.log_loss(truth, scores), rtol=1e-12)
    binned = streaming.BinnedROCAUC(n_bins=100)
    binned.update(truth, scores)
    assert one["binned"] == binned.compute()


@pytest.mark.parametrize(
    "make",
    [
        streaming.Accuracy,
        streaming.MeanSquaredError,
        streaming.LogLoss,
        streaming.ROCAUC,
        streaming.BinnedROCAUC,
    ],
)
def test_an_update_costs_little(rng, make):
    """2 us for NumPy and 4 for PyTorch, as designed; allowed here twice that, for busy machines."""
    truth, scores = rng.integers(0, 2, 16), rng.random(16)
    if make is streaming.Accuracy:
        scores = truth
    for convert, most in ((np.asarray, 2e-6), (torch.from_numpy, 4e-6)):
        a, b = convert(truth), convert(scores)
        metric = make()
        best = (
            min(timeit.repeat(lambda m=metric, a=a, b=b: m.update(a, b), number=200, repeat=30))
            / 200
        )
        assert best < 2 * most
