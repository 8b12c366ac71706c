"""The same call, answered in the core: change the import, keep the rest."""

import time

import numpy as np
import sklearn.metrics

import mlestar.metrics

rng = np.random.default_rng(0)
truth = rng.integers(0, 2, 1_000_000)
scores = rng.random(1_000_000) + 0.2 * truth


def best_of(call, repeats=5):
    """Least time of a few calls, in milliseconds, and the answer."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        answer = call()
        times.append(time.perf_counter() - start)
    return answer, min(times) * 1e3


for name in ("roc_auc_score", "average_precision_score"):
    theirs, slow = best_of(lambda n=name: getattr(sklearn.metrics, n)(truth, scores), repeats=2)
    ours, fast = best_of(lambda n=name: getattr(mlestar.metrics, n)(truth, scores))
    assert abs(ours - theirs) < 1e-12
    print(f"{name}: {ours:.6f}  scikit-learn {slow:.0f} ms, mlestar {fast:.1f} ms")
