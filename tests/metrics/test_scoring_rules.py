import warnings

import numpy as np
import pytest
import sklearn.metrics as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import mlestar.metrics as ours
from metrics.compare import same
from metrics.test_classification import in_core
from reference import metrics as reference

EPS = np.finfo(np.float64).eps


@pytest.mark.parametrize(
    "labels", [(0, 1), (-1, 1), (1, 2), (False, True), ("ham", "spam"), (-5, 2**41)]
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [2, 9, 1025, 150_000])
def test_binary(rng, labels, dtype, n):
    codes = rng.integers(0, 2, n)
    codes[:2] = [0, 1]
    truth = np.array(labels)[codes]
    given = rng.random(n).astype(dtype)
    given[0] = 0.0
    given[-1] = 1.0
    weights = rng.random(n) + 0.1
    tolerance = 1e-12 if dtype == np.float64 else 2e-6
    for options in ({}, {"sample_weight": weights}, {"normalize": False}):
        np.testing.assert_allclose(
            in_core(ours.log_loss, truth, given, **options),
            theirs.log_loss(truth, given, **options),
            rtol=tolerance,
        )
    for options in ({}, {"sample_weight": weights}, {"scale_by_half": False}):
        positive = {"pos_label": labels[1]} if isinstance(labels[0], str) else {}
        np.testing.assert_allclose(
            in_core(ours.brier_score_loss, truth, given, **options, **positive),
            theirs.brier_score_loss(truth, given, **options, **positive),
            rtol=tolerance,
        )


LAYOUTS = {
    "C": lambda p: p,
    "F": np.asfortranarray,
    "float32": lambda p: p.astype(np.float32),
    "float32 F": lambda p: np.asfortranarray(p.astype(np.float32)),
    "rows skipped": lambda p: np.repeat(p, 2, axis=0)[::2],
    "columns skipped": lambda p: np.repeat(p, 2, axis=1)[:, ::2],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("classes", [2, 3, 10, 1500])
@pytest.mark.parametrize("n", [1600, 70_000])
def test_multiclass(rng, layout, classes, n):
    if classes == 1500 and n > 2000:
        n = 3000
    codes = rng.integers(0, classes, n)
    codes[:classes] = np.arange(classes)
    truth = codes * 3 - 4
    table = LAYOUTS[layout](rng.dirichlet(np.ones(classes), n))
    weights = rng.random(n) + 0.1
    tolerance = 2e-5 if "float32" in layout else 1e-11
    for name in ("log_loss", "brier_score_loss"):
        for options in ({}, {"sample_weight": weights}):
            np.testing.assert_allclose(
                in_core(getattr(ours, name), truth, table, **options),
                getattr(theirs, name)(truth, table, **options),
                rtol=tolerance,
            )


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.floats(0, 1), st.sampled_from([0.5, 1.0])),
        min_size=2,
        max_size=30,
    )
)
def test_against_reference(table):
    codes, given_, weights = (list(column) for column in zip(*table, strict=True))
    if len(set(codes)) < 2:
        return
    rows = [(1 - p, p) for p in given_]
    assert ours.log_loss(codes, given_, sample_weight=weights) == pytest.approx(
        reference.log_loss(codes, rows, weights, EPS), rel=1e-12, abs=1e-14
    )
    assert ours.brier_score_loss(codes, given_, sample_weight=weights) == pytest.approx(
        reference.mean_error(codes, given_, weights, 2), rel=1e-12, abs=1e-14
    )


def test_labels_argument(rng):
    truth = np.array([0, 2, 2, 0])
    table = rng.dirichlet(np.ones(3), 4)
    assert in_core(ours.log_loss, truth, table, labels=[0, 1, 2]) == pytest.approx(
        theirs.log_loss(truth, table, labels=[0, 1, 2]), rel=1e-13
    )
    assert in_core(ours.log_loss, [1, 1], [0.5, 0.25], labels=[0, 1]) == pytest.approx(
        theirs.log_loss([1, 1], [0.5, 0.25], labels=[0, 1]), rel=1e-13
    )
    strings = ["a", "c", "c"]
    assert in_core(ours.log_loss, strings, table[:3], labels=["a", "b", "c"]) == pytest.approx(
        theirs.log_loss(strings, table[:3], labels=["a", "b", "c"]), rel=1e-13
    )


@pytest.mark.parametrize("name", ["log_loss", "brier_score_loss"])
@pytest.mark.parametrize(
    ("truth", "given", "options"),
    [
        ([], [], {}),
        ([0, 1], [0.5], {}),
        ([0, 1], [0.5, 1.1], {}),
        ([0, 1], [-0.1, 0.5], {}),
        ([0, 1], [np.nan, 0.5], {}),
        ([0, 0], [0.5, 0.5], {}),
        ([0, 1, 2], [0.1, 0.2, 0.3], {}),
        ([0, 1], [[0.5, 0.6], [0.2, 0.8]], {}),
        ([0, 1], [[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]], {}),
        ([0, 1], [[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]], {"labels": [2, 1, 0]}),
        ([0, 3], [[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]], {"labels": [0, 1, 2]}),
        (["a", "b"], [0.1, 0.2], {}),
        ([0, 1], [0.1, 0.2], {"sample_weight": [1.0]}),
        ([0, 1], [0.1, 0.2], {"sample_weight": [0.0, 0.0]}),
        ([0, 1], [1, 0], {}),
        ([True, False], [0.25, 0.5], {}),
        ([0, 0], [0.25, 0.5], {}),
        ([-1, -1], [0.25, 0.5], {}),
        ([4, 4], [0.25, 0.5], {}),
    ],
)
def test_the_edges_are_scikit_learns(name, truth, given, options):
    results = []
    for module in (ours, theirs):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                value = getattr(module, name)(truth, given, **options)
            except Exception as error:
                value = f"{type(error).__name__}: {error}"
        results.append((value, [str(w.message) for w in caught]))
    (mine, my_words), (other, their_words) = results
    assert mine == (
        other if isinstance(other, str) else pytest.approx(other, rel=1e-13, nan_ok=True)
    )
    assert my_words == their_words


def test_old_name_of_the_probabilities():
    for module in (ours, theirs):
        with pytest.warns(FutureWarning, match="y_pred"):
            assert module.log_loss([0, 1], y_pred=[0.25, 0.75]) == pytest.approx(0.287682, abs=1e-6)


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize(("n", "classes"), [(3, 3), (40, 4), (3_000, 11)])
def test_hinge_and_skill_equal_scikit_learns(rng, n, classes, weights):
    y = np.concatenate([np.arange(classes), rng.integers(0, classes, n - classes)])
    s = rng.random((n, classes))
    p, w = s / s.sum(axis=1, keepdims=True), rng.random(n) + 0.1 if weights else None
    words = np.array([f"c{k:02d}" for k in range(classes)])
    same("hinge_loss", y, s * 4, sample_weight=w)
    same("hinge_loss", words[y], np.asfortranarray(s * 4), sample_weight=w)
    same("hinge_loss", y % 2, s * 4, labels=np.arange(classes), sample_weight=w)
    same("hinge_loss", y % 2, s[:, 0] * 4 - 2, sample_weight=w)
    for name in ("d2_log_loss_score", "d2_brier_score"):
        same(name, y, p, sample_weight=w, atol=1e-12)
        same(name, y % 2, s[:, :1], sample_weight=w, atol=1e-12)
        same(name, y % 2, s[:, 0], sample_weight=w, atol=1e-12)
    same("d2_log_loss_score", words[y % 2], s[:, 0], sample_weight=w, atol=1e-12)
    same("d2_brier_score", words[y % 2], s[:, 0], sample_weight=w, pos_label=words[1], atol=1e-12)


@pytest.mark.parametrize(
    "name", ["log_loss", "brier_score_loss", "d2_log_loss_score", "d2_brier_score"]
)
def test_several_labels_at_once(rng, name):
    y, p, w = (rng.random((60, 5)) < 0.4).astype(int), rng.random((60, 5)), rng.random(60)
    same(name, y, p, atol=1e-12)
    same(name, y, p / p.sum(axis=1, keepdims=True), sample_weight=w, atol=1e-12)


@pytest.mark.parametrize("name", ["d2_log_loss_score", "d2_brier_score"])
def test_predicting_the_frequencies_explains_nothing(name):
    assert getattr(ours, name)([0, 0, 1, 1, 1], [0.6] * 5) == 0.0
    with pytest.warns(UserWarning, match="less than two samples"):
        assert np.isnan(getattr(ours, name)([1], [0.4]))


def test_hinge_is_a_mean_of_margins():
    assert ours.hinge_loss([0, 1, 1], [-3.0, 0.5, -1.0]) == pytest.approx((0 + 0.5 + 2) / 3)
    assert ours.hinge_loss([0, 1, 2], np.eye(3) * 2) == 0.0
    with pytest.raises(ValueError, match="NaN"):
        ours.hinge_loss([0, 1], [np.nan, 1.0])
    with pytest.raises(ValueError, match="include all labels"):
        ours.hinge_loss([0, 1, 2], np.eye(4)[:3])


@pytest.mark.parametrize("columns", [3, 4, 6])
@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_rows_that_do_not_sum_to_one_are_warned_of(rng, columns, factor):
    y = np.arange(30) % columns
    p = rng.dirichlet(np.ones(columns), 30)
    p[17] = np.minimum(p[17] * factor, 1.0)
    for name in ("log_loss", "brier_score_loss"):
        with pytest.warns(UserWarning, match="do not sum to one"):
            getattr(ours, name)(y, p)
        same(name, y, p)


def test_single_precision_rows_of_several_labels_sum_to_one_within_their_precision(rng):
    truth = np.eye(4, dtype=int)[rng.integers(0, 4, 50)]
    p = rng.dirichlet(np.ones(4), 50).astype(np.float32)
    p *= np.float32(1 + 1e-5)
    p = np.minimum(p, np.float32(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours.log_loss(truth, p)
        ours.brier_score_loss(truth, p)


def test_decision_values_that_are_not_finite(rng):
    y, d = np.arange(12) % 3, rng.normal(size=(12, 3))
    d[4, 0] = -np.inf  # neither the true label's nor the greatest of the others
    with pytest.raises(ValueError, match="infinity"):
        ours.hinge_loss(y, d)


def test_labels_that_lack_one_of_the_classes(rng):
    y, p = np.arange(20) % 4, rng.dirichlet(np.ones(4), 20)
    for name in ("log_loss", "d2_log_loss_score"):
        with pytest.raises(ValueError, match="labels"):
            getattr(ours, name)(y, p, labels=[0, 1, 2])
