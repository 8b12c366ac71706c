"""MSE, RMSE, MAE, R2."""

import numpy as np
import sklearn.metrics as theirs

import mlestar.metrics as ours
from bench.row import Row, bench_rows


def rows(n: int) -> list[Row]:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=n)
    predicted = truth + rng.normal(size=n)

    def row(name: str, plain: object = None) -> Row:
        peers = {"scikit-learn": lambda: getattr(theirs, name)(truth, predicted)}
        if plain is not None:
            peers["NumPy"] = plain
        return Row(
            name, n, lambda: getattr(ours, name)(truth, predicted), peers, 2 * truth.nbytes, name
        )

    return [
        row("mean_squared_error", lambda: ((truth - predicted) ** 2).mean()),
        row("root_mean_squared_error"),
        row("mean_absolute_error", lambda: np.abs(truth - predicted).mean()),
        row("r2_score"),
    ]


test_rows = bench_rows(rows)
