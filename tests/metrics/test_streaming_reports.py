"""Streaming reports, clusterings, rankings of rows and skill scores: what the contract does not ask."""

import warnings

import numpy as np
import pytest
import sklearn.metrics as sk

import mlestar.metrics as ours
from mlestar.metrics import streaming
from mlestar.metrics._streaming_clustering import FUNCTIONS
from mlestar.metrics.clustering import Counted

warned = pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")


def in_batches(metric, *arrays, size=37):
    for at in range(0, len(arrays[0]), size):
        metric.update(*(x[at : at + size] for x in arrays))
    return metric


@warned
@pytest.mark.parametrize("weights", [None, "whole", "fractions"])
@pytest.mark.parametrize("strings", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"output_dict": True},
        {"digits": 4, "zero_division": 1.0},
        {"labels": [3, 1]},
        {"labels": [0, 1, 2, 3, 9], "output_dict": True, "zero_division": np.nan},
        {"target_names": ["a", "bb", "ccc", "dddd"]},
    ],
)
def test_reports_are_scikit_learns_to_the_character(rng, options, strings, weights):
    y, p = rng.integers(0, 4, 300), rng.integers(0, 3, 300)
    w = {
        None: None,
        "whole": rng.integers(1, 5, 300),
        "fractions": rng.integers(1, 9, 300) / 4,
    }[weights]
    if strings:
        words = np.array([f"c{k}" for k in range(10)])
        y, p = words[y], words[p]
        if "labels" in options:
            options = {**options, "labels": [f"c{k}" for k in options["labels"]]}
    metric = streaming.ClassificationReport(**options)
    got = in_batches(metric, *((y, p) if w is None else (y, p, w))).compute()
    expected = sk.classification_report(y, p, sample_weight=w, **options)
    if options.get("output_dict"):
        assert list(got) == list(expected)
        for name, row in expected.items():
            np.testing.assert_allclose(
                list(got[name].values()) if isinstance(row, dict) else got[name],
                list(row.values()) if isinstance(row, dict) else row,
                rtol=1e-12,
            )
    else:
        assert got == expected


def test_reports_warn_and_refuse_as_scikit_learn():
    metric = streaming.ClassificationReport()
    metric.update([0, 1, 2], [0, 0, 0])
    with pytest.warns(sk._classification.UndefinedMetricWarning, match="Precision is ill-defined"):
        metric.compute()
    for options, words in (
        ({"labels": [7]}, "labels"),
        ({"labels": [0, 1], "target_names": ["a"]}, ""),  # which is a warning
        ({"target_names": ["a"]}, "does not match size of target_names"),
        ({"zero_division": 3}, "zero_division"),
    ):
        wrong = streaming.ClassificationReport(**options)
        wrong.update([0, 1], [0, 1])
        outcomes = []
        for report in (
            wrong.compute,
            lambda o=options: sk.classification_report([0, 1], [0, 1], **o),
        ):
            with warnings.catch_warnings(record=True):
                warnings.simplefilter("always")
                try:
                    outcomes.append((report(), None))
                except ValueError as error:
                    assert words in str(error)
                    outcomes.append((None, str(error)))
        assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("clusters", [1, 3, 400])
def test_clustering_scores_have_the_bits_of_the_batch_function(rng, name, clusters):
    y = rng.integers(0, clusters, 2_000)
    p = np.where(rng.random(2_000) < 0.5, y, rng.integers(0, clusters, 2_000)) - 7
    got = in_batches(streaming.ClusteringScore(name), y, p).compute()
    np.testing.assert_array_equal(got, getattr(ours, name)(y, p))
    np.testing.assert_allclose(got, getattr(sk, name)(y, p), rtol=1e-9, atol=1e-13)
    words = np.array([f"w{k}" for k in range(-7, clusters)])
    got = in_batches(streaming.ClusteringScore(name), words[y], words[p + 7]).compute()
    np.testing.assert_allclose(got, getattr(ours, name)(y, p), rtol=1e-12)


def test_clusterings_of_more_points_than_doubles_square():
    """Pairs are counted in integers; they are those of Python."""
    metric = streaming.ClusteringScore("pair_confusion_matrix")
    metric.update([0, 0, 1, 1, 1], [0, 1, 1, 1, 0])
    for _ in range(28):
        metric.merge(metric)
    scale = 2**28
    n = 5 * scale
    cells, true, predicted = [1, 1, 1, 2], [2, 3], [2, 3]
    both, t, p = (sum((k * scale) ** 2 for k in sizes) for sizes in (cells, true, predicted))
    expected = [[n * n - t - p + both, p - both], [t - both, both - n]]
    assert metric.n_samples == n
    assert metric.compute().tolist() == expected
    score = streaming.ClusteringScore("mutual_info_score")
    score.merge(_as(metric, score))
    one = sk.mutual_info_score([0, 0, 1, 1, 1], [0, 1, 1, 1, 0])
    assert score.compute() == pytest.approx(one, rel=1e-12)
    assert ours.rand_score(Counted(*np.array([[0, 1], [0, 1], [5, 5]])), None) == 1.0


def _as(metric, other):
    copy = other.clone()
    copy._core.merge(metric._core)
    return copy


def test_clusterings_have_no_weights():
    with pytest.raises(ValueError, match="function is 'rmse', but must be one of adjusted_mutual"):
        streaming.ClusteringScore("rmse")
    both = streaming.MetricCollection(
        {"accuracy": streaming.Accuracy(), "rand": streaming.ClusteringScore("rand_score")}
    )
    both.update([0, 1], [0, 1])
    assert both.compute() == {"accuracy": 1.0, "rand": 1.0}
    both.update([0, 1], [0, 1], [1.0, 2.0])
    with pytest.raises(ValueError, match="sample_weight was given, but rand_score has none"):
        both.compute()


@pytest.mark.parametrize("name", ["LogLoss", "BrierScore", "D2LogLoss", "D2Brier", "HingeLoss"])
def test_string_labels(rng, name):
    words = np.array(["ant", "bee", "cat"])
    y, p = rng.integers(0, 3, 200), rng.dirichlet(np.ones(3), 200)
    metric = getattr(streaming, name)
    got = in_batches(metric(labels=words), words[y], p).compute()
    assert got == in_batches(metric(), y, p).compute()
    with pytest.raises(ValueError, match="y_true holds 'dog' in row 0"):
        metric(labels=words).update(["dog"], p[:1])


def test_top_k_of_string_labels_and_of_labels_far_apart(rng):
    y, s = rng.integers(0, 4, 200), rng.random((200, 4))
    for labels in (np.array(["a", "b", "c", "d"]), np.array([-5, 0, 3, 2**40])):
        metric = streaming.TopKAccuracy(k=2, labels=labels)
        got = in_batches(metric, labels[y], s).compute()
        assert got == sk.top_k_accuracy_score(labels[y], s, k=2)


@pytest.mark.parametrize(
    ("make", "y", "p", "words"),
    [
        (streaming.CoverageError, [[0, 2]], [[0.1, 0.2]], "y_true holds 2 in row 0.*0 or 1"),
        (streaming.CoverageError, [[0, 1]], [[0.1, np.nan]], "y_pred holds nan in row 0.*finite"),
        (streaming.CoverageError, [[0, 1, 1]], [[0.1, 0.2]], "y_true has 3 columns.*2 as y_pred"),
        (streaming.CoverageError, [0, 1], [0.1, 0.2], "y_pred has one column"),
        (streaming.NDCG, [[1, -1]], [[0.1, 0.2]], "y_true holds -1 in row 0"),
        (streaming.DCG, [[1, np.inf]], [[0.1, 0.2]], "y_true holds inf in row 0.*finite"),
        (streaming.TopKAccuracy, [3], [[0.1, 0.2, 0.3]], "y_true holds 3 in row 0.*labels 0, 1, 2"),
        (streaming.TopKAccuracy, [[0, 1]], [[0.1, 0.2]], "y_true has 2 columns, but must have 1"),
        (streaming.HingeLoss, [-1, 1], [0.1, 0.2], "y_true holds -1 in row 0.*labels="),
        (streaming.HingeLoss, [0, 1], [[0.1, 0.2], [0.1, 0.2]], "y_pred has 2 columns"),
        (streaming.HingeLoss, [0, 1], [0.1, np.inf], "y_pred holds inf in row 1.*finite"),
        (lambda: streaming.MeanTweedieDeviance(power=1.5), [-1.0], [1.0], "y_true.*at least 0"),
        (lambda: streaming.MeanTweedieDeviance(power=2.5), [0.0], [1.0], "y_true.*above 0"),
        (lambda: streaming.MeanTweedieDeviance(power=-1), [-1.0], [0.0], "y_pred.*above 0"),
    ],
)
def test_what_cannot_be_used_is_named(make, y, p, words):
    metric = make()
    with pytest.raises(ValueError, match=words):
        metric.update(y, p)
    assert metric.n_samples == 0


def test_parameters_that_cannot_be():
    for make, words in (
        (lambda: streaming.TopKAccuracy(k=0), "k is 0, but must be a whole number of at least 1"),
        (lambda: streaming.DCG(k=1.5), "k is 1.5"),
        (lambda: streaming.DCG(log_base=1), "log_base is 1, but must be positive, finite and not"),
        (lambda: streaming.DCG(log_base="2"), "log_base is '2', but must be a number"),
        (lambda: streaming.MeanTweedieDeviance(power=0.5), "power is 0.5, but must be at most 0"),
        (lambda: streaming.MeanTweedieDeviance(power=np.nan), "power is nan"),
    ):
        with pytest.raises(ValueError, match=words):
            make()


@pytest.mark.parametrize("power", [-3, -0.5, 0, 1, 1.2, 1.5, 1.9, 2, 2.5, 3, 5.5])
def test_every_power_that_scikit_learn_allows(rng, power):
    y, p = np.exp(rng.normal(size=(2, 500)))
    if power < 2 and power > 0:
        y[::7] = 0.0
    got = in_batches(streaming.MeanTweedieDeviance(power=power), y, p).compute()
    assert got == pytest.approx(sk.mean_tweedie_deviance(y, p, power=power), rel=1e-12)
    assert got == pytest.approx(ours.mean_tweedie_deviance(y, p, power=power), rel=1e-13)


def test_explained_fractions_at_their_edges():
    for metric in (streaming.D2LogLoss(), streaming.D2Brier(exact=True)):
        metric.update([1], [0.5])
        with pytest.warns(sk._classification.UndefinedMetricWarning, match="less than two samples"):
            assert np.isnan(metric.compute())
        metric.update([1], [0.5])
        with pytest.raises(ValueError, match="y_true holds one class over all batches"):
            metric.compute()
        metric.update([0, 0], [0.5, 0.5])
        assert metric.compute() == 0.0  # the shares predicted


ARRAYS = [
    (streaming.MeanTweedieDeviance, "real"),
    (streaming.HingeLoss, "binary"),
    (streaming.D2LogLoss, "binary"),
    (streaming.TopKAccuracy, "many"),
    (streaming.NDCG, "rows"),
    (streaming.CoverageError, "rows"),
    (lambda: streaming.ClusteringScore("rand_score"), "labels"),
    (streaming.ClassificationReport, "labels"),
]


@warned
@pytest.mark.parametrize(("make", "kind"), ARRAYS)
@pytest.mark.parametrize("width", ["float16", "bfloat16", "float32", "grad"])
def test_tensors_in_a_loop(make, kind, width, rng):
    torch = pytest.importorskip("torch")
    n = 60
    truth, predicted = {
        "real": (rng.random(n), rng.random(n)),
        "binary": (rng.integers(0, 2, n), rng.random(n)),
        "many": (rng.integers(0, 5, n), rng.random((n, 5))),
        "rows": (rng.integers(0, 2, (n, 5)), rng.random((n, 5))),
        "labels": (rng.integers(0, 3, n), rng.integers(0, 3, n).astype(float)),
    }[kind]
    dtype = getattr(torch, "float32" if width == "grad" else width)
    tensor = torch.tensor(predicted).to(dtype)
    alone, looped = make(), make()
    alone.update(truth, tensor.float().numpy())
    if width == "grad":
        tensor.requires_grad_()
    in_batches(looped, torch.tensor(truth), tensor, size=13)
    a, b = looped.compute(), alone.compute()
    assert a == b if isinstance(a, str) else a == pytest.approx(b, rel=1e-14)


@pytest.mark.parametrize("where", ["cuda:0", None])
def test_arrays_on_a_gpu_are_refused_by_every_metric(where):
    """Naming the argument, the device and what to do."""

    class Tensor:
        is_cuda, device = True, where

    for name in streaming.__all__:
        if name in ("Metric", "MetricCollection", "Bounded", "UserMetric"):
            continue
        options = {"FBetaScore": {"beta": 1.0}}.get(name, {})
        needed = {
            "LabelMetric": ["accuracy_score"],
            "ClusteringScore": ["rand_score"],
            "MultilabelMetric": ["hamming_loss"],
            "MulticlassROCAUC": [[0, 1]],
            "MulticlassAveragePrecision": [[0, 1]],
        }
        metric = getattr(streaming, name)(*needed.get(name, []), **options)
        truth, predicted = [1, 0], [1.0, 0.0]
        if name.startswith("Multi"):
            predicted = [[1.0, 0.0], [0.0, 1.0]]
        if name.startswith("Multilabel"):
            truth = [[1, 0], [0, 1]]
        for arguments, argument in (
            ((Tensor(), predicted), "y_true"),
            ((truth, Tensor()), "y_pred"),
            ((truth, predicted, Tensor()), "sample_weight"),
        ):
            words = rf"{argument} is in the memory of a GPU.*pass {argument}\.cpu\(\)"
            if argument == "sample_weight" and name == "ClusteringScore":
                words = "sample_weight is given"
            with pytest.raises(ValueError, match=words):
                metric.update(*arguments)
        assert metric.n_samples == 0
