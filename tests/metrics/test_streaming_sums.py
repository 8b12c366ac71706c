"""Sums that lose nothing, tables of any labels, probabilities: against slow and obvious references."""

import itertools
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

import mlestar
from mlestar.metrics import streaming
from mlestar.metrics._streaming_labels import FUNCTIONS
from mlestar.metrics.streaming import (
    Accuracy,
    BrierScore,
    ConfusionMatrix,
    ExplainedVariance,
    LabelMetric,
    LogLoss,
    MaxError,
    MeanAbsoluteError,
    MeanSquaredError,
    R2Score,
)
from reference import metrics as reference

finite = st.floats(-1e150, 1e150, allow_nan=False, allow_infinity=False)
extreme = st.one_of(
    finite,
    st.sampled_from([5e-324, -5e-324, 1e-310, 2.0**-1022, 0.0, -0.0, 1e16, 1.0, -1e16, 1e154]),
)
cut_lists = st.lists(st.integers(0, 40), max_size=6)


def in_batches(metric, arrays, cuts):
    n = len(arrays[0])
    ends = sorted({0, n, *(c for c in cuts if c < n)})
    for a, b in itertools.pairwise(ends):
        metric.update(*(x[a:b] for x in arrays))
    return metric


@settings(max_examples=300, deadline=None)
@given(st.lists(extreme, min_size=1, max_size=40), cut_lists, st.randoms())
def test_exact_sums_are_those_of_fsum(values, cuts, random):
    """The mean of |y - 0| with exact sums is the exact sum over n, rounded once."""
    y = np.array(values)
    metric = in_batches(MeanAbsoluteError(exact=True), (y, np.zeros(len(y))), cuts)
    exact = sum(Fraction(abs(v)) for v in values) / len(values)
    assert metric.compute() == float(exact)
    random.shuffle(values)
    other = MeanAbsoluteError(exact=True)
    other.update(np.array(values), np.zeros(len(y)))
    assert other.compute() == metric.compute()
    states = [m.state_dict()["integers"] for m in (metric, other)]
    np.testing.assert_array_equal(*states)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-5, 5)),
        min_size=1,
        max_size=40,
    ),
    cut_lists,
)
def test_exact_weighted_squares_are_those_of_fsum(rows, cuts):
    y, p, w = (np.array(c) for c in zip(*rows, strict=True))
    metric = in_batches(MeanSquaredError(exact=True), (y, p, w), cuts)
    total = math.fsum(w)
    if sum(Fraction(x) for x in w.tolist()) == 0:
        with pytest.raises(ValueError, match="sums to 0"):
            metric.compute()
        return
    losses = ((y - p) ** 2 * w).tolist()
    assert metric._core.sums(0)[0] == math.fsum(losses)
    assert metric._core.weight == total
    exact = sum(Fraction(x) for x in losses) / sum(Fraction(x) for x in w.tolist())
    assert metric.compute() == float(exact)


def ulps(a, b):
    return abs(a - b) / np.spacing(abs(b))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("far", [0.0, 1e3, 1e9])
@pytest.mark.parametrize("kind", ["normal", "constant", "heavy"])
def test_moments_within_four_ulp_of_the_exact_value(rng, kind, far, weighted):
    n = 20_000
    p = {
        "normal": rng.normal(size=n),
        "constant": np.full(n, 0.1),
        "heavy": np.exp(rng.normal(size=n) * 8),
    }[kind]
    y = far + rng.normal(size=n)
    p = y + p
    w = rng.random(n) if weighted else np.ones(n)
    losses = (y - p) ** 2 * w
    weight = sum(map(Fraction, w.tolist()))
    mse = float(sum(map(Fraction, losses.tolist())) / weight)
    first = sum(Fraction(a) * Fraction(b) for a, b in zip(w.tolist(), y.tolist(), strict=True))
    second = sum(
        Fraction(a) * Fraction(b) ** 2 for a, b in zip(w.tolist(), y.tolist(), strict=True)
    )
    spread = float(second - first**2 / weight)
    for size in (1, 7, 1024, 5_000, n):
        if size == 1 and weighted:
            continue
        error, score = MeanSquaredError(), R2Score()
        merged = R2Score()
        for at in range(0, n, size):
            rows = (y[at : at + size], p[at : at + size], w[at : at + size] if weighted else None)
            error.update(*rows)
            score.update(*rows)
            if size >= 1024:
                part = R2Score()
                part.update(*rows)
                merged = part.merge(merged)  # the later rows' origin wins
        assert ulps(error.compute(), mse) <= 1
        assert ulps(score._core.target_spread()[0], spread) <= 1
        if size >= 1024:
            assert ulps(merged._core.target_spread()[0], spread) <= 1


def test_exact_r2_and_explained_variance_are_rounded_once(rng):
    y = 1e8 + rng.normal(size=300)
    p = y + rng.normal(size=300) + 1e6
    w = rng.integers(1, 5, 300) / 4
    for weight in (None, w):
        metric, explained = R2Score(exact=True), ExplainedVariance(exact=True)
        for at in (0, 100, 200):
            part = (
                y[at : at + 100],
                p[at : at + 100],
                None if weight is None else weight[at : at + 100],
            )
            metric.update(*part)
            explained.update(*part)
        f = [Fraction(x) for x in y.tolist()]
        d = [Fraction(x) for x in (y - p).tolist()]
        v = [Fraction(1)] * 300 if weight is None else [Fraction(x) for x in w.tolist()]
        losses = ((y - p) ** 2 * (1 if weight is None else w)).tolist()
        total_weight = sum(v)

        def spread(values, v=v, total_weight=total_weight):
            mean = sum(a * b for a, b in zip(v, values, strict=True)) / total_weight
            return sum(a * (b - mean) ** 2 for a, b in zip(v, values, strict=True))

        assert metric.compute() == float(1 - sum(map(Fraction, losses)) / spread(f))
        assert explained.compute() == float(1 - spread(d) / spread(f))


def test_constant_targets_and_too_few_rows():
    for exact in (False, True):
        for p, expected in (([1.0, 1.0], 1.0), ([1.0, 2.0], 0.0)):
            metric = R2Score(exact=exact)
            metric.update([1.0, 1.0], p)
            assert metric.compute() == expected == sk.r2_score([1.0, 1.0], p)
            plain = R2Score(exact=exact, force_finite=False)
            plain.update([1.0, 1.0], p)
            with np.errstate(all="ignore"):
                np.testing.assert_equal(
                    plain.compute(), sk.r2_score([1.0, 1.0], p, force_finite=False)
                )
    one = R2Score()
    one.update([1.0], [2.0])
    with pytest.warns(UserWarning, match="less than two samples"):
        assert math.isnan(one.compute())


labels = st.one_of(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=40),
    st.lists(
        st.tuples(st.integers(-(2**62), 2**62), st.sampled_from([5, 2**62, -7])),
        min_size=1,
        max_size=40,
    ),
    st.lists(
        st.tuples(st.sampled_from(["a", "bb", "", "é"]), st.sampled_from(["a", "c"])),
        min_size=1,
        max_size=40,
    ),
)


@settings(max_examples=200, deadline=None)
@given(labels, cut_lists, st.booleans())
def test_tables_of_any_labels(rows, cuts, weighted):
    truth, predicted = (list(c) for c in zip(*rows, strict=True))
    weights = [1.0 + i % 3 / 4 for i in range(len(rows))]
    arrays = [np.array(truth), np.array(predicted)] + ([np.array(weights)] if weighted else [])
    metric = in_batches(ConfusionMatrix(), arrays, cuts)
    found, matrix = reference.confusion(truth, predicted, weights if weighted else [1] * len(rows))
    got, *_ = metric.table()
    assert got.tolist() == found
    if len(found) > 1:
        np.testing.assert_array_equal(metric.compute(), matrix)
    again = pickle.loads(pickle.dumps(metric))
    for name in ("integers", "reals"):
        np.testing.assert_array_equal(again.state_dict()[name], metric.state_dict()[name])


@pytest.mark.parametrize(
    "dtype", [np.int8, np.uint8, np.int32, np.uint64, np.float32, np.float16, bool, ">i4"]
)
def test_labels_of_any_dtype(rng, dtype):
    truth, predicted = rng.integers(0, 2, (2, 9_000)).astype(dtype)
    metric = ConfusionMatrix()
    metric.update(truth, predicted)
    metric.update(truth[::-3], predicted[::-3])
    expected = sk.confusion_matrix(truth, predicted) + sk.confusion_matrix(
        truth[::-3], predicted[::-3]
    )
    np.testing.assert_array_equal(metric.compute(), expected)
    assert metric.compute().dtype == np.int64


@pytest.mark.parametrize("classes", [3, 64, 65, 511, 513, 5_000])
def test_many_classes(rng, classes):
    truth, predicted = rng.integers(0, classes, (2, 30_000))
    metric, parts = Accuracy(), ConfusionMatrix()
    for at in range(0, 30_000, 10_000):
        metric.update(truth[at : at + 10_000], predicted[at : at + 10_000])
        parts.update(truth[at : at + 10_000], predicted[at : at + 10_000])
    assert metric.compute() == np.mean(truth == predicted)
    if classes < 1_000:
        np.testing.assert_array_equal(parts.compute(), sk.confusion_matrix(truth, predicted))
    names, row, column, count = metric.table()
    dense = np.zeros((classes, classes), int)
    np.add.at(dense, (truth, predicted), 1)
    np.testing.assert_array_equal(dense[names[row], names[column]], count)
    assert count.sum() == 30_000
    assert pickle.loads(pickle.dumps(metric)).compute() == metric.compute()


def test_integer_weights_give_integer_tables(rng):
    truth, predicted = rng.integers(0, 3, (2, 100))
    metric = ConfusionMatrix()
    metric.update(truth, predicted)
    metric.update(truth, predicted, np.full(100, 2))
    np.testing.assert_array_equal(metric.compute(), 3 * sk.confusion_matrix(truth, predicted))
    assert metric.compute().dtype == np.int64
    metric.update(truth, predicted, np.full(100, 0.5))
    np.testing.assert_array_equal(metric.compute(), 3.5 * sk.confusion_matrix(truth, predicted))


@pytest.mark.parametrize("name", [f for f in FUNCTIONS if f != "fbeta_score"])
def test_any_function_of_labels(rng, name):
    truth, predicted = rng.integers(0, 2, (2, 400))
    metric = LabelMetric(name)
    metric.update(truth[:100], predicted[:100])
    metric.update(truth[100:], predicted[100:])
    expected = getattr(sk, name)(truth, predicted)
    got = metric.compute()
    if isinstance(expected, str):
        assert got == expected
        return
    np.testing.assert_allclose(np.asarray(got, float), np.asarray(expected, float), rtol=1e-12)
    if isinstance(got, np.ndarray):
        assert got.dtype == expected.dtype


@pytest.mark.parametrize(
    ("make", "rows", "words"),
    [
        (
            Accuracy,
            ([0.5, 1], [0, 1]),
            r"y_true holds 0\.5 in row 0, but every label must be a whole number",
        ),
        (Accuracy, ([0, 1], [0, np.inf]), "y_pred holds inf in row 1"),
        (Accuracy, (["a"], [1]), "y_true holds strings and y_pred numbers"),
        (Accuracy, ([[0, 1]], [[0, 1]]), "y_true has 2 columns, but must have one"),
        (Accuracy, ([None], [1]), "y_true is a list"),
        (Accuracy, (np.zeros((1, 1, 1)), [1]), "y_true has 3 axes"),
        (Accuracy, (1, 1), "y_true is a int"),
        (
            MeanSquaredError,
            ([1.0, np.nan], [1.0, 2.0]),
            "y_true holds nan in row 1, but every value must be finite",
        ),
        (MeanSquaredError, ([1.0, 1e300], [1.0, 2.0]), "no finite number"),
        (MeanSquaredError, (["a"], ["b"]), "y_true holds strings, but must hold numbers"),
        (MeanSquaredError, ([[1.0, 2.0]], [[1.0]]), "y_pred has 1 columns, but must have 2"),
        (
            streaming.MeanGammaDeviance,
            ([1.0, 0.0], [1.0, 2.0]),
            "y_true holds 0 in row 1, but every value must be above 0",
        ),
        (streaming.MeanPoissonDeviance, ([0.0, 1.0], [1.0, -2.5]), r"y_pred holds -2\.5 in row 1"),
        (
            streaming.MeanSquaredLogError,
            ([0.0, -1.0], [1.0, 2.0]),
            "y_true holds -1 in row 1, but every value must be above -1",
        ),
        (
            LogLoss,
            ([0, 1], [0.5, 1.5]),
            r"y_pred holds 1\.5 in row 1, but every value must be in \[0, 1\]",
        ),
        (LogLoss, ([0, 1], [0.5, np.nan]), "y_pred holds nan in row 1"),
        (
            LogLoss,
            ([0, 2], [0.5, 0.5]),
            "y_true holds 2 in row 1, but every value must be one of the labels 0, 1",
        ),
        (LogLoss, ([0, 0.5], [0.5, 0.5]), r"y_true holds 0\.5 in row 1"),
        (
            lambda: LogLoss(labels=[0, 1, 2]),
            ([0, 1], [[0.5, 0.5]] * 2),
            "y_pred has 2 columns, but must have one for each of the 3 labels",
        ),
        (streaming.ROCAUC, ([0, 1], [0.5, np.inf]), "y_pred holds inf in row 1"),
        (
            streaming.ROCAUC,
            ([0, 2], [0.5, 0.5]),
            "y_true holds 2 in row 1, but every label must be 1 \\(positive\\) or 0",
        ),
        (streaming.ROCAUC, ([0, 1, -1], [0.5] * 3), "y_true holds -1 in row 2"),
        (
            streaming.BinnedROCAUC,
            ([0, 1], [0.5, 0.5], [1.0, -1.0]),
            "sample_weight holds -1 in row 1",
        ),
        (streaming.ROCAUC, (["a", "b"], [0.5, 0.5]), "y_true holds strings"),
        (streaming.ROCAUC, ([0, 1], [2**60, 2**60 + 1]), "beyond 2.53"),
    ],
)
def test_errors_name_the_argument_and_change_nothing(make, rows, words):
    metric = make()
    before = pickle.dumps(metric)
    with pytest.raises(ValueError, match=words):
        metric.update(*rows)
    assert pickle.dumps(metric) == before


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LabelMetric("roc_auc_score"), "function is 'roc_auc_score'"),
        (lambda: MeanSquaredError(multioutput="median"), "multioutput is 'median'"),
        (lambda: streaming.MeanPinballLoss(alpha=2), "alpha is 2"),
        (lambda: LogLoss(labels=[1]), "labels is"),
        (lambda: LogLoss(labels=[1, 1]), "each label once"),
        (lambda: BrierScore(scale_by_half=3), "scale_by_half is 3"),
        (lambda: streaming.BinnedROCAUC(n_bins=1), "n_bins is 1"),
        (lambda: streaming.BinnedROCAUC(n_bins=1.5), r"n_bins is 1\.5"),
        (lambda: streaming.ROCAUC(memory_limit=10), "memory_limit is 10"),
        (lambda: streaming.ROCAUC(pos_label="a"), "pos_label is 'a'"),
    ],
)
def test_parameters_are_checked(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_batches_of_other_shapes_are_refused():
    metric = MeanSquaredError()
    metric.update(np.zeros((3, 2)), np.ones((3, 2)))
    with pytest.raises(
        ValueError, match="y_true has 1 columns, but must have 2 as in the batches before"
    ):
        metric.update([1.0], [2.0])
    other = MeanSquaredError()
    other.update([1.0], [2.0])
    with pytest.raises(ValueError, match="other has 1 outputs, but must have 2"):
        metric.merge(other)
    with pytest.raises(ValueError, match="other has the parameters"):
        metric.merge(MeanSquaredError(exact=True))
    table = Accuracy()
    table.update([1], [2])
    with pytest.raises(
        ValueError, match="y_true holds strings, but must hold numbers as in the rows before"
    ):
        table.update(["a"], ["b"])


def test_declared_labels(rng):
    names = np.array(["cat", "dog", "owl"])
    codes = rng.integers(0, 3, 200)
    rows = rng.dirichlet(np.ones(3), 200)
    expected = sk.log_loss(codes, rows)
    for truth, labels_ in (
        (names[codes], ["owl", "cat", "dog"]),
        (codes * 1000 - 5, [-5, 995, 1995]),
    ):
        metric = LogLoss(labels=labels_)
        for at in range(0, 200, 10):
            metric.update(truth[at : at + 10], rows[at : at + 10])
        np.testing.assert_allclose(metric.compute(), expected, rtol=1e-13)
        assert pickle.loads(pickle.dumps(metric)).compute() == metric.compute()
    with pytest.raises(ValueError, match="y_true holds 'fox' in row 1"):
        LogLoss(labels=["cat", "dog"]).update(["cat", "fox"], [0.5, 0.5])


def test_rows_that_do_not_sum_to_one_are_warned_of():
    metric = BrierScore()
    metric.update([0, 1], [[0.5, 0.4], [0.2, 0.9]])
    with pytest.warns(UserWarning, match="do not sum to one"):
        metric.compute()


def test_float32_probabilities_are_clipped_as_their_type(rng):
    p = np.array([0.0, 1.0, 0.5], dtype=np.float32)
    metric = LogLoss()
    metric.update([1, 1, 0], p)
    np.testing.assert_allclose(metric.compute(), sk.log_loss([1, 1, 0], p), rtol=1e-6)


def test_max_error_ignores_weights_but_checks_them():
    metric = MaxError()
    metric.update([1.0, 2.0], [1.0, 4.0], [1.0, 0.0])
    assert metric.compute() == 2.0


def test_every_level_gives_the_same_bits(run_python):
    code = (
        "import numpy as np, hashlib, mlestar.metrics.streaming as s\n"
        "rng = np.random.default_rng(0)\n"
        "y, p, w = np.exp(rng.normal(size=(3, 5_003)))\n"
        "kinds = [s.MeanSquaredError, s.MeanSquaredLogError, s.MeanPoissonDeviance, s.R2Score,\n"
        "         s.MeanGammaDeviance, s.ExplainedVariance, s.MeanPinballLoss]\n"
        "for make in kinds:\n"
        "    for weight in (None, w):\n"
        "        m = make()\n"
        "        for at in range(0, 5_003, 1_111):\n"
        "            m.update(y[at:at + 1111], p[at:at + 1111], None if weight is None else w[at:at + 1111])\n"
        "        print(hashlib.sha256(m.state_dict()['reals'].tobytes()).hexdigest())\n"
        "m = s.LogLoss()\n"
        "m.update((y > 1).astype(int), p / p.max(), w)\n"
        "print(m.compute().hex())\n"
    )
    outputs = {
        run_python(code, env={"MLESTAR_SIMD": level}) for level in mlestar.build_info()["levels"]
    }
    assert len(outputs) == 1
