"""Agreement of clusterings (ten clusters), and how they separate their points."""

import numpy as np
import sklearn.metrics as theirs

import mlestar.metrics as ours
from bench.row import LARGE, Row, bench_rows

AGREEMENT = [
    "pair_confusion_matrix",
    "rand_score",
    "adjusted_rand_score",
    "fowlkes_mallows_score",
    "mutual_info_score",
    "normalized_mutual_info_score",
    "adjusted_mutual_info_score",
    "homogeneity_score",
    "completeness_score",
    "v_measure_score",
    "homogeneity_completeness_v_measure",
]


def rows(n: int) -> list[Row]:
    """Rows for `n` points; silhouettes are of n / 200, whose distances are n^2 / 40 000."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 10, n)
    predicted = np.where(rng.random(n) < 0.5, truth, rng.integers(0, 10, n))

    def row(name: str, what: str, nbytes: int, *data: np.ndarray, rtol: float = 1e-9) -> Row:
        return Row(
            f"{name}{what}",
            n,
            lambda: getattr(ours, name)(*data),
            {"scikit-learn": lambda: getattr(theirs, name)(*data)},
            nbytes,
            name,
            rtol,
        )

    # scikit-learn's expected information is exact to nine digits at most: logarithms of factorials.
    found = [
        row(
            name,
            "",
            2 * truth.nbytes,
            truth,
            predicted,
            rtol=1e-6 if name.startswith("adj") else 1e-9,
        )
        for name in AGREEMENT
    ]
    few, some = (n // 200, n // 10) if n == LARGE else (n, n)
    clusters = np.arange(n) % 3
    points = rng.normal(size=(some, 10)) + clusters[:some, None]
    near = points[:few]
    found += [
        row(name, f", {few} x 10", 0, near, clusters[:few], rtol=1e-6)
        for name in ("silhouette_samples", "silhouette_score")
    ]
    return found + [
        row(name, f", {some} x 10", points.nbytes, points, clusters[:some])
        for name in ("calinski_harabasz_score", "davies_bouldin_score")
    ]


test_rows = bench_rows(rows)
