"""Streaming metrics of several labels or classes at once keep the contract."""

import numpy as np
import pytest
import sklearn.metrics as sk
from sklearn.exceptions import UndefinedMetricWarning

from mlestar.metrics import streaming
from mlestar.testing import StreamingMetricContract


class Indicators(StreamingMetricContract):
    function, options = "f1_score", {"average": "macro"}
    metric, batching_rtol = streaming.MultilabelMetric, 0.0

    def make(self):
        return streaming.MultilabelMetric(self.function, **self.options)

    def batch(self, rng, n):
        truth = rng.random((n, 5)) < 0.4
        return truth.astype(int), (truth ^ (rng.random((n, 5)) < 0.3)).astype(int)

    def reference(self, y_true, y_pred, sample_weight):
        options = {k: v for k, v in self.options.items() if k != "exact"}
        return getattr(sk, self.function)(y_true, y_pred, sample_weight=sample_weight, **options)

    def value(self, result):
        if isinstance(result, tuple):  # the support is None where there is an average
            return np.array([x for x in result if x is not None], float)
        return super().value(result)


def indicators_suite(function, **options):
    exact = {"weighted_batching_rtol": 0.0} if options.get("exact") else {}
    body = {"function": function, "options": options, **exact}
    return type("TestMultilabelMetric", (Indicators,), body)


TestMultilabelF1 = indicators_suite("f1_score", average="macro")
TestMultilabelExact = indicators_suite("f1_score", average="micro", exact=True)
TestMultilabelSamples = indicators_suite("jaccard_score", average="samples", zero_division=1)
TestMultilabelSome = indicators_suite(
    "fbeta_score", beta=2, average="samples", labels=[3, 1], zero_division=0, exact=True
)
TestMultilabelSupport = indicators_suite("precision_recall_fscore_support", average="weighted")
TestMultilabelPrecision = indicators_suite("precision_score", average=None, labels=[4, 0])
TestMultilabelRecall = indicators_suite("recall_score", average=None)
TestMultilabelMatrix = indicators_suite("multilabel_confusion_matrix")
TestMultilabelMatrixSome = indicators_suite("multilabel_confusion_matrix", labels=[2, 0])
TestMultilabelHamming = indicators_suite("hamming_loss")
TestMultilabelAccuracy = indicators_suite("accuracy_score")
TestMultilabelZeroOne = indicators_suite("zero_one_loss", normalize=False)


class Columns(StreamingMetricContract):
    metric, function, options = None, None, {}
    batching_rtol, weighted_batching_rtol = 0.0, 1e-13

    def make(self):
        return self.metric(**self.options)

    def batch(self, rng, n):
        truth = rng.random((n, 4)) < [0.5, 0.3, 0.6, 0.4]
        truth[: min(n, 2)] = [[True] * 4, [False] * 4][: min(n, 2)]
        return truth.astype(int), np.round(truth + rng.normal(size=(n, 4)), 2)

    def reference(self, y_true, y_pred, sample_weight):
        options = {"average": self.options.get("average", "macro")}
        return self.function(y_true, y_pred, sample_weight=sample_weight, **options)


class TestMultilabelROCAUC(Columns):
    metric, function = streaming.MultilabelROCAUC, staticmethod(sk.roc_auc_score)


class TestMultilabelROCAUCSpilled(TestMultilabelROCAUC):
    options = {"average": "weighted", "memory_limit": 1 << 18}  # noqa: RUF012


class TestMultilabelROCAUCMicro(TestMultilabelROCAUC):
    options = {"average": "micro"}  # noqa: RUF012


class TestMultilabelAveragePrecision(Columns):
    metric = streaming.MultilabelAveragePrecision
    function = staticmethod(sk.average_precision_score)
    options = {"average": None}  # noqa: RUF012
    batching_rtol = 1e-14


class Classes(Columns):
    labels = (2, 5, 7)

    def make(self):
        return self.metric(list(self.labels), **self.options)

    def batch(self, rng, n):
        place = rng.integers(0, 3, n)
        place[: min(n, 3)] = np.arange(3)[:n]
        return np.array(self.labels)[place], rng.dirichlet(np.ones(3), n)


class TestMulticlassROCAUC(Classes):
    metric, options = streaming.MulticlassROCAUC, {"average": "weighted"}

    def reference(self, y_true, y_pred, sample_weight):
        return sk.roc_auc_score(
            y_true,
            y_pred,
            sample_weight=sample_weight,
            average=self.options.get("average", "macro"),
            multi_class=self.options.get("multi_class", "ovr"),
        )


class TestMulticlassROCAUCStrings(TestMulticlassROCAUC):
    labels, options = ("a", "bb", "c"), {"average": None}


class TestMulticlassROCAUCPairs(TestMulticlassROCAUC):
    options, weights = {"multi_class": "ovo"}, False


class TestMulticlassROCAUCPairsWeighted(TestMulticlassROCAUCPairs):
    options = {"multi_class": "ovo", "average": "weighted"}  # noqa: RUF012


class TestMulticlassAveragePrecision(Classes):
    metric, options = streaming.MulticlassAveragePrecision, {"average": "weighted"}
    function = staticmethod(sk.average_precision_score)
    batching_rtol = 1e-14


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_pairs_are_of_the_classes_that_occur(rng, average):
    labels, place = [2, 5, 7, 9], rng.integers(0, 3, 200)
    scores = rng.dirichlet(np.ones(4), 200)
    metric = streaming.MulticlassROCAUC(labels, multi_class="ovo", average=average)
    for rows in (slice(90), slice(90, None)):
        metric.update(np.array(labels)[place[rows]], scores[rows])
    expected = sk.roc_auc_score(
        np.array(labels)[place], scores, labels=labels, multi_class="ovo", average=average
    )
    np.testing.assert_allclose(metric.compute(), expected, rtol=1e-12)
    alone = streaming.MulticlassROCAUC(labels, multi_class="ovo", average=average)
    alone.update([2, 2], scores[:2])
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(alone.compute())
