"""The thread pool from Python: same bits, forked children, busy machines, Ctrl-C."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import mlestar

ALL = """
import numpy as np, warnings, mlestar.metrics as m, mlestar.model_selection as s
from mlestar.ensemble import greedy_weights
warnings.simplefilter("ignore")
rng = np.random.default_rng(1)
n = 300_007
y = rng.integers(0, 2, n); scores = rng.random(n); w = rng.random(n); x = rng.normal(size=n)
k = rng.integers(0, 7, n); j = rng.integers(0, 7, n); table = rng.dirichlet(np.ones(7), n)
out = []
for options in ({}, {"sample_weight": w}):
    out += [f(y, scores, **options) for f in (m.roc_auc_score, m.average_precision_score, m.log_loss,
        m.brier_score_loss)]
    out += [f(x, scores, **options) for f in (m.mean_squared_error, m.mean_absolute_error, m.r2_score)]
    out += [m.roc_auc_score(y, scores.astype(np.float32), **options), m.roc_auc_score(y, x * 4, **options)]
    out += [m.accuracy_score(k, j, **options), m.log_loss(k, table, **options),
        m.log_loss(k, np.asfortranarray(table), **options), m.brier_score_loss(k, table, **options)]
    out += m.confusion_matrix(k, j, **options).ravel().tolist()
    out += m.f1_score(k, j, average=None, **options).tolist()
for metric in ("roc_auc", "log_loss", "rmse"):
    r = greedy_weights([scores, (scores + w) / 2, w], y, metric=metric, n_iterations=4)
    out += [*r.order, *r.trajectory]
    r = greedy_weights([scores, (scores + w) / 2, w], y, metric=metric, n_iterations=4, sample_weight=x**2)
    out += [*r.order, *r.trajectory]
for train, test in s.StratifiedKFold(3, shuffle=True, random_state=0).split(k, k):
    out += [int(train.sum()), int((test * np.arange(len(test))).sum())]
print([float(v).hex() for v in out])
"""


def test_same_bits_for_every_thread_count_and_level(run_python):
    answers = {
        (level, threads): run_python(
            ALL, env={"MLESTAR_SIMD": level, "MLESTAR_NUM_THREADS": threads}
        )
        for level in mlestar.build_info()["levels"]
        for threads in ("1", "2", "5")
    }
    assert len(set(answers.values())) == 1, {key: hash(value) for key, value in answers.items()}


def test_a_forked_child_has_threads_of_its_own(run_python):
    code = """
    import os, numpy as np, mlestar
    from mlestar.metrics import mean_squared_error
    mlestar.set_num_threads(4)
    x = np.arange(3_000_000.0)
    expected = mean_squared_error(x, x + 1)
    for _ in range(20):
        child = os.fork()
        if child == 0:
            os._exit(0 if mean_squared_error(x, x + 1) == expected else 1)
        assert os.waitpid(child, 0)[1] == 0
    print(mean_squared_error(x, x + 1) == expected)
    """
    assert run_python(textwrap.dedent(code), timeout=60).strip() == "True"


def test_many_python_threads_at_once(run_python):
    code = """
    import threading, numpy as np, mlestar
    from mlestar.metrics import roc_auc_score
    mlestar.set_num_threads(3)
    rng = np.random.default_rng(0)
    y, s = rng.integers(0, 2, 400_000), rng.random(400_000)
    expected, wrong = roc_auc_score(y, s), []
    def work():
        for _ in range(5):
            if roc_auc_score(y, s) != expected:
                wrong.append(1)
    threads = [threading.Thread(target=work) for _ in range(6)]
    [t.start() for t in threads]; [t.join() for t in threads]
    print(len(wrong))
    """
    assert run_python(textwrap.dedent(code), timeout=120).strip() == "0"


def test_a_busy_machine_costs_only_the_help(run_python):
    """With every core taken by others, a call takes at most a small multiple of its time alone."""
    code = """
    import time, numpy as np
    from mlestar.metrics import mean_squared_error
    x = np.arange(4_000_000.0); y = x + 1
    times = []
    for _ in range(60):
        start = time.perf_counter(); mean_squared_error(x, y); times.append(time.perf_counter() - start)
    print(sorted(times)[len(times) // 2])
    """
    idle = float(run_python(textwrap.dedent(code)))
    burners = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        busy = float(run_python(textwrap.dedent(code)))
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    # Half of each core is left; a pool that waited for its workers would take scheduler slices (10x).
    assert busy < 8 * idle + 0.005, (idle, busy)


def test_ctrl_c_stops_a_long_call():
    code = """
    import numpy as np, mlestar, sys
    from mlestar.ensemble import greedy_weights
    import sklearn.utils  # an interrupt in the middle of an import is Python's matter, not the pool's
    rng = np.random.default_rng(0)
    n = 400_000
    models = [rng.random(n) for _ in range(60)]
    y = rng.integers(0, 2, n)
    print("ready", flush=True)
    try:
        greedy_weights(models, y, metric="roc_auc", n_iterations=1000)
    except KeyboardInterrupt:
        print("stopped", flush=True)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            assert process.stdout.readline().strip() == "ready"
            time.sleep(1.0)
            sent = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline().strip() == "stopped"
            assert time.monotonic() - sent < 1.5
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()


@pytest.mark.parametrize("count", [1, 2, 7])
def test_the_count_can_change_at_any_time(count):
    from mlestar.metrics import mean_squared_error

    x = np.arange(500_000.0)
    before = mlestar.get_num_threads()
    try:
        mlestar.set_num_threads(count)
        assert mean_squared_error(x, x + 2) == 4.0
    finally:
        mlestar.set_num_threads(before)
