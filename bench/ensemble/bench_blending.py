"""The weighted sum of 20 models' predictions."""

import numpy as np

from bench.row import Row, bench_rows
from mlestar.ensemble import weighted_sum

_MODELS = 20


def rows(n: int) -> list[Row]:
    n = min(n, 1_000_000)
    rng = np.random.default_rng(0)
    models = [rng.random(n) for _ in range(_MODELS)]
    single = [model.astype(np.float32) for model in models]
    weights = rng.random(_MODELS)
    return [
        Row(
            f"weighted_sum, 20 models{label}",
            n,
            lambda p=predictions: weighted_sum(p, weights),
            {
                "NumPy average": lambda p=predictions: (
                    np.average(np.asarray(p), axis=0, weights=weights) * weights.sum()
                ),
                "NumPy loop": lambda p=predictions: sum(
                    w * one for w, one in zip(weights, p, strict=True)
                ),
            },
            nbytes=predictions[0].nbytes * _MODELS,
            rtol=1e-5,
        )
        for label, predictions in (("", models), (", float32", single))
    ]


test_rows = bench_rows(rows)
