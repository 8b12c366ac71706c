"""Scores of clusterings, against scikit-learn, their definitions, and exact arithmetic."""

from fractions import Fraction
from math import comb, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlestar.metrics as ours
from metrics.compare import same

PAIRS = ["pair_confusion_matrix", "rand_score", "adjusted_rand_score", "fowlkes_mallows_score"]
INFORMATION = [
    "mutual_info_score",
    "normalized_mutual_info_score",
    "homogeneity_completeness_v_measure",
    "homogeneity_score",
    "completeness_score",
    "v_measure_score",
]
LABELS = {
    "int64": lambda x: x,
    "int8": lambda x: (x % 100).astype(np.int8),
    "far apart": lambda x: x * 10**9 - 7,
    "float": lambda x: x.astype(float),
    "strings": lambda x: np.array([f"c{v}" for v in x]),
    "strided": lambda x: np.repeat(x, 3)[::3],
}


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("clusters", [1, 2, 7, 90, 700])
@pytest.mark.parametrize("n", [1, 2, 30, 1_000])
def test_agreement_equals_scikit_learns(rng, n, clusters, labels):
    compare(rng, n, clusters, labels)


@pytest.mark.parametrize("labels", ["int64", "strings"])
@pytest.mark.parametrize("clusters", [7, 700])
def test_agreement_of_many_points(rng, clusters, labels):
    compare(rng, 60_000, clusters, labels)


def compare(rng, n, clusters, labels):
    """Every score of one kind of labels."""
    t = rng.integers(0, clusters, n)
    p = np.where(rng.random(n) < 0.5, t, rng.integers(0, max(1, clusters // 2), n))
    t, p = LABELS[labels](t), LABELS[labels](p)
    for name in PAIRS + INFORMATION:
        same(name, t, p, atol=1e-13)
    # scikit-learn's expected information takes logarithms of factorials, whose error grows with n.
    same("adjusted_mutual_info_score", t, p, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("mean", ["min", "max", "geometric", "arithmetic"])
def test_means_of_entropies(rng, mean):
    t, p = rng.integers(0, 5, 200), rng.integers(0, 4, 200)
    same("normalized_mutual_info_score", t, p, average_method=mean)
    same("adjusted_mutual_info_score", t, p, average_method=mean, rtol=1e-9)
    same("v_measure_score", t, p, beta=0.3)


def expected_information(rows, columns):
    """By the hypergeometric distribution in exact fractions."""
    n = sum(rows)
    total = 0.0
    for a in rows:
        for b in columns:
            for k in range(max(1, a + b - n), min(a, b) + 1):
                chance = Fraction(comb(b, k) * comb(n - b, a - k), comb(n, a))
                total += float(chance) * k / n * log(n * k / (a * b))
    return total


@given(
    st.lists(st.integers(0, 4), min_size=4, max_size=60).filter(lambda x: len(set(x)) > 1),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_chance_is_what_its_definition_says(true, random):
    predicted = true[:]
    random.shuffle(predicted)
    table = ours.adjusted_mutual_info_score(true, predicted)
    sizes = sorted(true.count(k) for k in set(true))
    information = ours.mutual_info_score(true, predicted)
    entropy = ours.mutual_info_score(true, true)
    chance = expected_information(sizes, sizes)
    if abs(entropy - chance) > 1e-9 and abs(information - chance) > 1e-9:
        assert table == pytest.approx((information - chance) / (entropy - chance), rel=1e-9)


def test_chance_is_the_average_of_shuffled_labels(rng):
    """Against the average of the information of shuffled labels, which needs no formula."""
    t = rng.integers(0, 3, 20_000)
    shuffled = [ours.mutual_info_score(t, rng.permutation(t)) for _ in range(400)]
    scores = [ours.adjusted_mutual_info_score(t, rng.permutation(t)) for _ in range(400)]
    assert np.mean(shuffled) == pytest.approx(4 / (2 * 20_000), rel=0.2)  # (r-1)(c-1) / 2n
    assert abs(np.mean(scores)) < 4 * np.std(scores) / 20


POINTS = {
    "float64": lambda X: X,
    "Fortran": np.asfortranarray,
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "int64": lambda X: (X * 10).astype(np.int64),
}


@pytest.mark.parametrize("points", POINTS)
@pytest.mark.parametrize(
    ("n", "features", "clusters"), [(10, 1, 2), (50, 3, 5), (301, 20, 4), (900, 7, 30)]
)
def test_separation_equals_scikit_learns(rng, points, n, features, clusters):
    X = POINTS[points](rng.normal(size=(n, features)))
    y = rng.integers(0, clusters, n)
    y[:clusters] = np.arange(clusters)
    for metric in ("euclidean", "manhattan"):
        # scikit-learn's Euclidean distances lose digits where points are close.
        same("silhouette_samples", X, y, metric=metric, rtol=1e-8, atol=1e-9)
        same("silhouette_score", X, y, metric=metric, rtol=1e-8)
    for name in ("calinski_harabasz_score", "davies_bouldin_score"):
        same(name, X, y, rtol=1e-9)
    same("calinski_harabasz_score", X.astype(np.float32), y, rtol=1e-4)
    same(
        "silhouette_score",
        X,
        np.array([f"c{v}" for v in y]),
        sample_size=n - 2,
        random_state=3,
        rtol=1e-8,
    )


def test_silhouettes_equal_their_definition(rng):
    X, y = rng.normal(size=(40, 2)), rng.integers(0, 3, 40)
    distance = np.sqrt(((X[:, None] - X[None]) ** 2).sum(axis=2))
    expected = []
    for i in range(40):
        own = (y == y[i]) & (np.arange(40) != i)
        within = distance[i][own].mean()
        nearest = min(distance[i][y == k].mean() for k in set(y.tolist()) - {y[i]})
        expected.append((nearest - within) / max(nearest, within))
    np.testing.assert_allclose(ours.silhouette_samples(X, y), expected, rtol=1e-12)
    np.testing.assert_allclose(
        same("silhouette_samples", distance, y, metric="precomputed"), expected, rtol=1e-12
    )


def test_clusters_of_one_point_and_of_equal_points():
    X = np.array([[0.0], [0.0], [1.0], [5.0]])
    same("silhouette_samples", X, np.array([0, 0, 1, 2]))
    same("silhouette_samples", X[[0, 0, 0, 0, 2, 2]], np.array([0, 0, 1, 1, 2, 2]))
    same("davies_bouldin_score", np.zeros((4, 2)), np.array([0, 0, 1, 1]))
    same("calinski_harabasz_score", X[[0, 1, 3, 3]], np.array([0, 0, 1, 1]))


@pytest.mark.parametrize(
    "name", ["silhouette_score", "calinski_harabasz_score", "davies_bouldin_score"]
)
def test_bad_input_is_worded_by_scikit_learn(name):
    score = getattr(ours, name)
    with pytest.raises(ValueError, match="Number of labels is 1"):
        score(np.zeros((3, 1)), [0, 0, 0])
    with pytest.raises(ValueError, match="Number of labels is 3"):
        score(np.zeros((3, 1)), [0, 1, 2])
    with pytest.raises(ValueError, match="NaN"):
        score([[0.0], [np.nan], [1.0]], [0, 0, 1])
    with pytest.raises(ValueError, match="inconsistent"):
        score(np.zeros((3, 1)), [0, 1])
