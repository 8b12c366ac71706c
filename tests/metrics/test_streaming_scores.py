"""Rankings of batches: to the bit, on disk, and in bounded memory with bounds that hold."""

import gc
import itertools
import math
import os
import pickle
import resource
import sys
import threading

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

import mlestar.metrics as ours
from mlestar.metrics.streaming import (
    ROCAUC,
    AveragePrecision,
    BinnedAveragePrecision,
    BinnedROCAUC,
)
from reference import metrics as reference

LIMIT = 1 << 18
scores = st.one_of(
    st.sampled_from([0.0, -0.0, 1e-300, -1e-300, 5e-324, 0.5, 1.0, -1.0]),
    st.floats(-1e6, 1e6, allow_nan=False),
    st.floats(0, 1),
)
table = st.lists(
    st.tuples(st.integers(0, 1), scores, st.sampled_from([0.5, 1.0, 3.0])), min_size=2, max_size=60
)
cut_lists = st.lists(st.integers(0, 60), max_size=5)


def columns(rows):
    truth, values, weights = (list(c) for c in zip(*rows, strict=True))
    return np.array(truth), np.array(values), np.array(weights)


def parts_of(arrays, cuts, make):
    n = len(arrays[0])
    ends = sorted({0, n, *(c for c in cuts if c < n)})
    parts = []
    for a, b in itertools.pairwise(ends):
        parts.append(make())
        parts[-1].update(*(x[a:b] for x in arrays))
    return parts


def tree(parts, random):
    while len(parts) > 1:
        one = parts.pop(random.randrange(len(parts)))
        parts[random.randrange(len(parts))].merge(one)
    return parts[0]


@settings(max_examples=200, deadline=None)
@given(table, cut_lists, st.randoms(), st.integers(2, 40))
def test_bounds_hold_and_depend_on_the_rows_alone(rows, cuts, random, n_bins):
    truth, values, weights = columns(rows)
    if truth.min() == truth.max():
        return
    for make, exact in (
        (BinnedROCAUC, reference.roc_auc(truth.tolist(), values.tolist())),
        (BinnedAveragePrecision, sk.average_precision_score(truth, values)),
    ):
        one = make(n_bins=n_bins)
        one.update(truth, values)
        found = one.compute()
        assert found.low - 1e-15 <= exact <= found.high + 1e-15
        assert found.low <= found.value <= found.high
        if len(set(values.tolist())) <= n_bins:
            assert found.high - found.low == 0
        merged = tree(parts_of((truth, values), cuts, lambda m=make: m(n_bins=n_bins)), random)
        assert merged.compute() == found
        order = list(range(len(truth)))
        random.shuffle(order)
        shuffled = make(n_bins=n_bins)
        shuffled.update(truth[order], values[order])
        for key in ("integers", "reals"):
            np.testing.assert_array_equal(shuffled.state_dict()[key], one.state_dict()[key])
    weighted = BinnedROCAUC(n_bins=n_bins)
    weighted.update(truth, values, weights)
    found = weighted.compute()
    exact = reference.roc_auc_weighted(truth.tolist(), values.tolist(), weights.tolist())
    assert found.low - 1e-14 <= exact <= found.high + 1e-14
    weighted = BinnedAveragePrecision(n_bins=n_bins)
    weighted.update(truth, values, weights)
    found = weighted.compute()
    exact = sk.average_precision_score(truth, values, sample_weight=weights)
    assert found.low - 1e-14 <= exact <= found.high + 1e-14


@settings(max_examples=100, deadline=None)
@given(table, cut_lists, st.randoms())
def test_the_exact_form_has_the_bits_of_the_reference(rows, cuts, random):
    truth, values, _ = columns(rows)
    if truth.min() == truth.max():
        return
    merged = tree(parts_of((truth, values), cuts, ROCAUC), random)
    assert merged.compute() == reference.roc_auc(truth.tolist(), values.tolist())


@pytest.mark.parametrize("kind", ["uniform", "normal", "skewed", "float32", "ties"])
def test_bounds_are_narrow(rng, kind):
    n = 200_000
    truth = rng.integers(0, 2, n)
    values = {
        "uniform": rng.random(n) * 0.7 + 0.3 * truth,
        "normal": rng.normal(size=n) + truth,
        "skewed": np.exp(4 * (rng.normal(size=n) + truth)),
        "float32": (rng.normal(size=n) + truth).astype(np.float32),
        "ties": rng.integers(0, 1000, n) + 300 * truth,
    }[kind]
    for make, name in (
        (BinnedROCAUC, "roc_auc_score"),
        (BinnedAveragePrecision, "average_precision_score"),
    ):
        metric = make()
        for at in range(0, n, 50_000):
            metric.update(truth[at : at + 50_000], values[at : at + 50_000])
        found = metric.compute()
        assert found.low <= getattr(ours, name)(truth, values) <= found.high
        assert found.high - found.low < (1e-12 if kind == "ties" else 3e-4)
        assert metric._core.bins <= 65_536


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_spilled_rows_give_the_same(rng, dtype, weighted):
    n = 150_000
    truth = rng.integers(0, 2, n)
    values = np.round(rng.normal(size=n) + truth, 3).astype(dtype)
    weights = rng.random(n) if weighted else None
    area, precision = ROCAUC(memory_limit=LIMIT), AveragePrecision(memory_limit=LIMIT)
    at = 0
    while at < n:
        last = at + int(rng.integers(1, 30_000))
        rows = truth[at:last], values[at:last], None if weights is None else weights[at:last]
        for metric in (area, precision):
            metric.update(*rows)
            assert metric.bytes_in_memory <= LIMIT
        at = last
    assert area.n_runs > (0 if weighted else 5)  # more than 32 become one
    assert area.n_samples == n
    for metric, name in ((area, "roc_auc_score"), (precision, "average_precision_score")):
        whole = getattr(ours, name)(truth, values, sample_weight=weights)
        if weighted or name != "roc_auc_score":
            np.testing.assert_allclose(metric.compute(), whole, rtol=1e-12)
        else:
            assert metric.compute() == whole
    copy = pickle.loads(pickle.dumps(area))
    assert copy.n_samples == n
    np.testing.assert_allclose(copy.compute(), area.compute(), rtol=0 if not weighted else 1e-14)
    merged = area.clone().merge(area).merge(area)
    assert merged.n_samples == 2 * n
    np.testing.assert_allclose(merged.compute(), area.compute(), rtol=0 if not weighted else 1e-14)


def test_many_runs_become_one(rng):
    metric = ROCAUC(memory_limit=LIMIT)
    n = 500_000
    truth, values = rng.integers(0, 2, n), rng.random(n)
    for at in range(0, n, 9_000):
        metric.update(truth[at : at + 9_000], values[at : at + 9_000])
    assert metric.n_runs <= 33
    assert metric.compute() == ours.roc_auc_score(truth, values)


def open_files(folder):
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if target.startswith(str(folder)):
            found.append(target)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_nothing_is_left_on_disk(rng, tmp_path):
    metric = ROCAUC(memory_limit=LIMIT, spill_dir=tmp_path)
    metric.update(rng.integers(0, 2, 100_000), rng.random(100_000))
    assert metric.n_runs > 0
    assert len(open_files(tmp_path)) == metric.n_runs
    assert os.listdir(tmp_path) == []
    kept = metric.clone().merge(metric)
    metric.reset()
    assert len(open_files(tmp_path)) == kept.n_runs
    kept.compute()
    del kept
    gc.collect()
    assert open_files(tmp_path) == []


def test_a_killed_process_leaves_nothing(run_python, tmp_path):
    code = (
        "import os, signal, numpy as np\n"
        "from mlestar.metrics.streaming import ROCAUC\n"
        f"m = ROCAUC(memory_limit={LIMIT}, spill_dir={str(tmp_path)!r})\n"
        "m.update(np.arange(100_000) % 2, np.random.rand(100_000))\n"
        "assert m.n_runs > 0\n"
        "print('spilled', flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    result = run_python(code, check=False)
    assert result.stdout.strip() == "spilled"
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_an_os_error(rng, tmp_path):
    metric = ROCAUC(memory_limit=LIMIT, spill_dir=tmp_path / "missing")
    metric.update([0, 1, 0], [0.1, 0.9, 0.2])
    with pytest.raises(OSError, match="missing") as caught:
        metric.update(rng.integers(0, 2, 100_000), rng.random(100_000))
    assert caught.value.errno == 2
    assert metric.n_samples == 3
    assert metric.compute() == 1.0


@pytest.mark.skipif(sys.platform != "linux", reason="limits file sizes")
def test_a_full_disk_changes_nothing(rng, tmp_path):
    import signal

    metric = ROCAUC(memory_limit=LIMIT, spill_dir=tmp_path)
    truth, values = rng.integers(0, 2, 9_000), rng.random(9_000)
    metric.update(truth, values)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
        with pytest.raises(OSError, match="cannot write a temporary file"):
            metric.update(truth, values)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert metric.n_samples == 9_000
    metric.update(truth, values)
    assert metric.compute() == ours.roc_auc_score(truth, values)


def test_a_forked_child_reads_its_parents_runs(rng):
    metric = ROCAUC(memory_limit=LIMIT)
    truth, values = rng.integers(0, 2, 50_000), rng.random(50_000)
    metric.update(truth, values)
    expected = metric.compute()
    child = os.fork()
    if child == 0:
        try:
            same = all(metric.compute() == expected for _ in range(3))
        except BaseException:
            same = False
        os._exit(0 if same else 1)
    for _ in range(3):
        assert metric.compute() == expected
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_labels_and_what_is_undefined():
    metric = ROCAUC(pos_label=2)
    metric.update([2, 2], [0.5, 0.7])
    with pytest.warns(UserWarning, match="Only one class"):
        assert math.isnan(metric.compute())
    metric.update([7], [0.6])
    assert metric.compute() == 0.5
    with pytest.raises(
        ValueError, match=r"y_true holds 0 in row 0, but every label must be 2 \(positive\) or 7"
    ):
        metric.update([0], [0.1])
    other = ROCAUC(pos_label=2)
    other.update([5], [0.1])
    with pytest.raises(ValueError, match="other has met the negative label 5, but it must be 7"):
        metric.merge(other)
    signs = BinnedROCAUC()
    signs.update([-1, 1, True], [0.1, 0.2, 0.3])
    assert signs.compute() == (1.0, 1.0, 1.0)
    for make in (AveragePrecision, BinnedAveragePrecision):
        precision = make()
        precision.update([0, 0], [0.1, 0.2])
        with pytest.warns(UserWarning, match="No positive class"):
            assert np.all(np.asarray(precision.compute()) == 0.0)
    nothing = BinnedROCAUC()
    nothing.update([0, 0], [0.1, 0.2])
    with pytest.warns(UserWarning, match="Only one class"):
        assert math.isnan(nothing.compute().low)


def test_single_and_double_precision_together(rng):
    truth = rng.integers(0, 2, 3_000)
    single = rng.random(1_000).astype(np.float32)
    double = rng.random(2_000)
    expected = ours.roc_auc_score(truth, np.concatenate([single.astype(float), double]))
    for parts in ([single, double], [double, single]):
        metric = ROCAUC()
        labels = truth if parts[0] is single else np.concatenate([truth[1_000:], truth[:1_000]])
        at = 0
        for part in parts:
            metric.update(labels[at : at + len(part)], part)
            at += len(part)
        assert metric.compute() == expected


def test_rows_take_as_little_as_is_said(rng):
    truth = rng.integers(0, 2, 1_000_000)
    for dtype, most in ((np.float32, 5), (np.float64, 9)):
        metric = ROCAUC()
        metric.update(truth, rng.random(1_000_000).astype(dtype))
        assert metric.bytes_in_memory <= 1_000_000 * most
        merged = metric.clone().merge(metric)
        assert merged.bytes_in_memory <= 1_000_000 * most
        assert merged.compute() == metric.compute()


@pytest.mark.parametrize("make", [ROCAUC, BinnedROCAUC])
def test_threads_that_update_one_metric(rng, make):
    metric = make()
    truth, values = rng.integers(0, 2, 400_000), np.round(rng.random(400_000), 4)

    def work(i):
        for at in range(i * 100_000, (i + 1) * 100_000, 50_000 if i % 2 else 100_000):
            step = 50_000 if i % 2 else 100_000
            metric.update(truth[at : at + step], values[at : at + step])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert metric.n_samples == 400_000
    assert np.ravel(metric.compute())[0] == ours.roc_auc_score(truth, values)
