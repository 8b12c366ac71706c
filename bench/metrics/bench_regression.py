"""Errors of regression."""

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

    positive, near = np.exp(truth), np.exp(0.7 * predicted)

    def further(name: str, **options: object) -> Row:
        words = [name, *(f"{key} {value}" for key, value in options.items())]
        return Row(
            ", ".join(words),
            n,
            lambda: getattr(ours, name)(positive, near, **options),
            {"scikit-learn": lambda: getattr(theirs, name)(positive, near, **options)},
            2 * truth.nbytes,
            name,
        )

    return [
        row("mean_squared_error", lambda: ((truth - predicted) ** 2).mean()),
        row("root_mean_squared_error"),
        row("mean_absolute_error", lambda: np.abs(truth - predicted).mean()),
        row("r2_score"),
        *(
            further(name)
            for name in (
                "mean_squared_log_error",
                "root_mean_squared_log_error",
                "mean_absolute_percentage_error",
                "median_absolute_error",
                "max_error",
                "explained_variance_score",
                "mean_pinball_loss",
                "mean_poisson_deviance",
                "mean_gamma_deviance",
                "d2_absolute_error_score",
                "d2_pinball_score",
            )
        ),
        further("mean_tweedie_deviance", power=1.5),
        further("mean_tweedie_deviance", power=1.3),
        further("d2_tweedie_score", power=1.5),
        further("d2_tweedie_score", power=1.3),
    ]


test_rows = bench_rows(rows)
