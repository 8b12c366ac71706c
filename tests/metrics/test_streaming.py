"""Every streaming metric keeps the contract; what is its own is below and in the files beside."""

import inspect

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import mlestar.metrics as ours
from metrics import test_streaming_columns
from mlestar.metrics import streaming
from mlestar.metrics.streaming import MetricCollection
from mlestar.testing import StreamingMetricContract


class Labels(StreamingMetricContract):
    batching_rtol = 0.0
    rtol = 1e-12
    metric, options, function = None, {}, None

    def make(self):
        return self.metric(**self.options)

    def batch(self, rng, n):
        truth = rng.integers(0, 5, n)
        truth[: min(n, 5)] = np.arange(5)[:n]
        return truth, np.where(rng.random(n) < 0.6, truth, rng.integers(0, 5, n))

    def reference(self, y_true, y_pred, sample_weight):
        options = {k: v for k, v in self.options.items() if k != "exact"}
        return self.function(y_true, y_pred, sample_weight=sample_weight, **options)


def labels_suite(name, function, **options):
    return type(
        f"Test{name}",
        (Labels,),
        {
            "metric": getattr(streaming, name),
            "options": options,
            "function": staticmethod(function),
            **({"weighted_batching_rtol": 0.0} if options.get("exact") else {}),
        },
    )


TestAccuracy = labels_suite("Accuracy", sk.accuracy_score)
TestBalancedAccuracy = labels_suite("BalancedAccuracy", sk.balanced_accuracy_score, adjusted=True)
TestConfusionMatrix = labels_suite("ConfusionMatrix", sk.confusion_matrix)
TestConfusionExact = labels_suite("ConfusionMatrix", sk.confusion_matrix, exact=True)
TestPrecision = labels_suite("Precision", sk.precision_score, average="macro")
TestRecall = labels_suite("Recall", sk.recall_score, average="weighted")
TestF1Score = labels_suite("F1Score", sk.f1_score, average=None)
TestFBetaScore = labels_suite("FBetaScore", sk.fbeta_score, beta=0.5, average="micro")
TestJaccardIndex = labels_suite("JaccardIndex", sk.jaccard_score, average="macro")
TestMatthewsCorrCoef = labels_suite("MatthewsCorrCoef", sk.matthews_corrcoef)
TestCohenKappa = labels_suite("CohenKappa", sk.cohen_kappa_score, weights="linear")
TestZeroOneLoss = labels_suite("ZeroOneLoss", sk.zero_one_loss)


class TestClassificationReport(Labels):
    metric, options, function = (
        streaming.ClassificationReport,
        {"output_dict": True},
        staticmethod(sk.classification_report),
    )

    def value(self, report):
        assert list(report)[-3:] == ["accuracy", "macro avg", "weighted avg"]
        return [
            x
            for row in report.values()
            for x in (row.values() if row is not report["accuracy"] else [row])
        ]


class Regression(StreamingMetricContract):
    metric, options, function, low = None, {}, None, None

    def make(self):
        return self.metric(**self.options)

    def batch(self, rng, n):
        shape = (n, 3) if self.options.get("multioutput") else n
        truth = rng.normal(size=shape) * 3 + 10
        return truth, truth + rng.normal(size=shape)

    def reference(self, y_true, y_pred, sample_weight):
        options = {k: v for k, v in self.options.items() if k != "exact"}
        if self.function is sk.max_error:
            return self.function(y_true, y_pred)
        return self.function(y_true, y_pred, sample_weight=sample_weight, **options)


def regression_suite(name, function, **options):
    exact = options.get("exact") or name == "MaxError"
    return type(
        f"Test{name}",
        (Regression,),
        {
            "metric": getattr(streaming, name),
            "options": options,
            "function": staticmethod(function),
            **({"batching_rtol": 0.0, "weighted_batching_rtol": 0.0} if exact else {}),
        },
    )


TestMSE = regression_suite("MeanSquaredError", sk.mean_squared_error)
TestMSEExact = regression_suite("MeanSquaredError", sk.mean_squared_error, exact=True)
TestMSEOutputs = regression_suite(
    "MeanSquaredError", sk.mean_squared_error, multioutput="raw_values"
)
TestRMSE = regression_suite("RootMeanSquaredError", sk.root_mean_squared_error)
TestMAE = regression_suite("MeanAbsoluteError", sk.mean_absolute_error)
TestMAPE = regression_suite("MeanAbsolutePercentageError", sk.mean_absolute_percentage_error)
TestMSLE = regression_suite("MeanSquaredLogError", sk.mean_squared_log_error)
TestRMSLE = regression_suite("RootMeanSquaredLogError", sk.root_mean_squared_log_error)
TestPinball = regression_suite("MeanPinballLoss", sk.mean_pinball_loss, alpha=0.2)
TestPoisson = regression_suite("MeanPoissonDeviance", sk.mean_poisson_deviance)
TestGamma = regression_suite("MeanGammaDeviance", sk.mean_gamma_deviance)
TestTweedie = regression_suite("MeanTweedieDeviance", sk.mean_tweedie_deviance, power=1.5)
TestTweedieInverse = regression_suite(
    "MeanTweedieDeviance", sk.mean_tweedie_deviance, power=3, exact=True
)
TestTweedieExtreme = regression_suite("MeanTweedieDeviance", sk.mean_tweedie_deviance, power=-0.7)
TestMaxError = regression_suite("MaxError", sk.max_error)
TestR2 = regression_suite("R2Score", sk.r2_score)
TestR2Exact = regression_suite("R2Score", sk.r2_score, exact=True)
TestR2Outputs = regression_suite("R2Score", sk.r2_score, multioutput="variance_weighted")
TestExplained = regression_suite("ExplainedVariance", sk.explained_variance_score)
TestExplainedExact = regression_suite(
    "ExplainedVariance", sk.explained_variance_score, exact=True, multioutput=[0.5, 1.0, 2.0]
)
for _suite in (
    TestMSLE,
    TestRMSLE,
    TestPoisson,
    TestGamma,
    TestTweedie,
    TestTweedieInverse,
    TestTweedieExtreme,
):
    _suite.batch = lambda self, rng, n: tuple(np.exp(rng.normal(size=(2, n))))


class TestLogLossBinary(StreamingMetricContract):
    columns, exact, metric, function = 1, False, streaming.LogLoss, staticmethod(sk.log_loss)

    def make(self):
        return self.metric(exact=self.exact)

    def batch(self, rng, n):
        k = max(2, self.columns)
        truth = rng.integers(0, k, n)
        truth[: min(n, k)] = np.arange(k)[:n]
        rows = rng.dirichlet(np.ones(k), n)
        return truth, rows[:, 1] if self.columns == 1 else rows

    def reference(self, y_true, y_pred, sample_weight):
        return self.function(y_true, y_pred, sample_weight=sample_weight)


class TestLogLossMany(TestLogLossBinary):
    columns, exact = 7, True
    batching_rtol = weighted_batching_rtol = 0.0


class TestBrierBinary(TestLogLossBinary):
    metric, function = streaming.BrierScore, staticmethod(sk.brier_score_loss)


class TestBrierMany(TestLogLossMany):
    metric, function = streaming.BrierScore, staticmethod(sk.brier_score_loss)


class TestHingeBinary(TestLogLossBinary):
    metric, function = streaming.HingeLoss, staticmethod(sk.hinge_loss)

    def batch(self, rng, n):
        truth, rows = super().batch(rng, n)
        return truth, rows * 5 - 2


class TestHingeMany(TestHingeBinary):
    columns, exact = 7, True
    batching_rtol = weighted_batching_rtol = 0.0


class TestD2LogLoss(TestLogLossBinary):
    metric, function = streaming.D2LogLoss, staticmethod(sk.d2_log_loss_score)
    batching_rtol = weighted_batching_rtol = 1e-14  # of a difference from one


class TestD2LogLossMany(TestD2LogLoss):
    columns, exact = 7, True
    batching_rtol = weighted_batching_rtol = 0.0


class TestD2Brier(TestD2LogLoss):
    metric, function = streaming.D2Brier, staticmethod(sk.d2_brier_score)


class TestD2BrierMany(TestD2LogLossMany):
    metric, function = streaming.D2Brier, staticmethod(sk.d2_brier_score)


class Rows(StreamingMetricContract):
    metric, function, options = None, None, {}

    def make(self):
        return self.metric(**self.options)

    def batch(self, rng, n):
        truth = rng.integers(0, 2, (n, 6))
        truth[:, 0] |= truth.sum(axis=1) == 0
        return truth, np.round(rng.random((n, 6)), 1)

    def reference(self, y_true, y_pred, sample_weight):
        options = {k: v for k, v in self.options.items() if k != "exact"}
        return self.function(y_true, y_pred, sample_weight=sample_weight, **options)


class TestCoverageError(Rows):
    metric, function = streaming.CoverageError, staticmethod(sk.coverage_error)


class TestLabelRankingAveragePrecision(Rows):
    metric = streaming.LabelRankingAveragePrecision
    function = staticmethod(sk.label_ranking_average_precision_score)
    options = {"exact": True}  # noqa: RUF012
    batching_rtol = weighted_batching_rtol = 0.0


class TestLabelRankingLoss(Rows):
    metric, function = streaming.LabelRankingLoss, staticmethod(sk.label_ranking_loss)


class TestDCG(Rows):
    metric, function = streaming.DCG, staticmethod(sk.dcg_score)
    options = {"k": 4, "log_base": 3}  # noqa: RUF012

    def batch(self, rng, n):
        return rng.integers(0, 9, (n, 6)), np.round(rng.random((n, 6)), 1)


class TestNDCG(TestDCG):
    metric, function = streaming.NDCG, staticmethod(sk.ndcg_score)
    options = {"k": 3, "exact": True}  # noqa: RUF012
    batching_rtol = weighted_batching_rtol = 0.0


class TestTopKAccuracy(Rows):
    metric, function = streaming.TopKAccuracy, staticmethod(sk.top_k_accuracy_score)
    options = {"k": 2}  # noqa: RUF012

    def batch(self, rng, n):
        truth = rng.integers(0, 6, n)
        truth[: min(n, 6)] = np.arange(6)[:n]
        return truth, np.round(rng.random((n, 6)), 1)


class TestTopKCount(TestTopKAccuracy):
    options = {"k": 3, "normalize": False, "exact": True, "labels": list(range(6))}  # noqa: RUF012
    batching_rtol = weighted_batching_rtol = 0.0


class TestClusteringScore(StreamingMetricContract):
    metric, weights, batching_rtol = streaming.ClusteringScore, False, 0.0

    def make(self):
        return streaming.ClusteringScore("v_measure_score", beta=0.5)

    def batch(self, rng, n):
        truth = rng.integers(-3, 90, n)
        return truth, np.where(rng.random(n) < 0.6, truth // 2, rng.integers(0, 40, n))

    def reference(self, y_true, y_pred, sample_weight):
        return sk.v_measure_score(y_true, y_pred, beta=0.5)


class Ranking(StreamingMetricContract):
    metric, function, options = None, None, {}
    rtol = 1e-12
    weighted_batching_rtol = 1e-13

    def make(self):
        return self.metric(**self.options)

    def batch(self, rng, n):
        truth = rng.integers(0, 2, n)
        return truth, np.round(truth + rng.normal(size=n), 2)

    def reference(self, y_true, y_pred, sample_weight):
        return self.function(y_true, y_pred, sample_weight=sample_weight)


class TestROCAUC(Ranking):
    metric, function = streaming.ROCAUC, staticmethod(sk.roc_auc_score)
    batching_rtol = 0.0


class TestROCAUCSpilled(TestROCAUC):
    options = {"memory_limit": 1 << 18}  # noqa: RUF012


class TestAveragePrecision(Ranking):
    metric, function = streaming.AveragePrecision, staticmethod(sk.average_precision_score)
    batching_rtol = 1e-14


class TestAveragePrecisionSpilled(TestAveragePrecision):
    options = {"memory_limit": 1 << 18}  # noqa: RUF012


class TestBinnedROCAUC(Ranking):
    metric, function = streaming.BinnedROCAUC, staticmethod(sk.roc_auc_score)
    batching_rtol = 0.0

    def reference(self, y_true, y_pred, sample_weight):
        return [self.function(y_true, y_pred, sample_weight=sample_weight)] * 3


class TestBinnedAveragePrecision(TestBinnedROCAUC):
    metric, function = streaming.BinnedAveragePrecision, staticmethod(sk.average_precision_score)


class TestBinnedROCAUCFew(TestBinnedROCAUC):
    options = {"n_bins": 20}  # noqa: RUF012
    rtol = 0.2


class TestBinnedAveragePrecisionFew(TestBinnedAveragePrecision):
    options = {"n_bins": 20}  # noqa: RUF012
    rtol = 0.5


def test_every_class_is_under_the_contract():
    suites = {
        value.metric
        for value in [*globals().values(), *vars(test_streaming_columns).values()]
        if isinstance(value, type)
        and issubclass(value, StreamingMetricContract)
        and value.__name__.startswith("Test")
    }
    classes = {
        getattr(streaming, name)
        for name in streaming.__all__
        # UserMetric, which needs Numba, is under it in test_user.py.
        if name not in ("Metric", "MetricCollection", "Bounded", "LabelMetric", "UserMetric")
    }
    assert classes == suites


def test_bits_of_the_batch_function(rng):
    truth = rng.integers(0, 2, 20_000)
    for scores in (
        rng.normal(size=20_000),
        rng.normal(size=20_000).astype(np.float32),
        rng.integers(0, 50, 20_000),
    ):
        for limit in (None, 1 << 18):
            metric = streaming.ROCAUC(memory_limit=limit)
            for at in range(0, 20_000, 777):
                metric.update(truth[at : at + 777], scores[at : at + 777])
            assert metric.compute() == ours.roc_auc_score(truth, scores)


class TestCollection:
    def make(self):
        return MetricCollection(
            {
                "accuracy": streaming.Accuracy(),
                "f1": streaming.F1Score(average="macro"),
                "matrix": streaming.ConfusionMatrix(),
                "mse": streaming.MeanSquaredError(),
                "rmse": streaming.RootMeanSquaredError(),
                "r2": streaming.R2Score(),
            }
        )

    def test_each_is_as_it_would_be_alone(self, rng):
        truth, predicted = rng.integers(0, 3, (2, 500))
        weight = rng.random(500)
        together, alone = self.make(), dict(self.make())
        for at in range(0, 500, 100):
            rows = truth[at : at + 100], predicted[at : at + 100], weight[at : at + 100]
            together.update(*rows)
        for name, metric in alone.items():
            metric = metric.clone()
            for at in range(0, 500, 100):
                metric.update(truth[at : at + 100], predicted[at : at + 100], weight[at : at + 100])
            np.testing.assert_array_equal(together.compute()[name], metric.compute())
        assert len(together) == 6
        assert together["mse"].n_samples == 500

    def test_tables_and_sums_are_shared(self):
        metrics = self.make()
        assert metrics["accuracy"]._core is metrics["matrix"]._core
        assert metrics["mse"]._core is metrics["rmse"]._core
        assert metrics["mse"]._core is not metrics["r2"]._core

    def test_an_error_of_one_changes_none(self):
        metrics = self.make()
        metrics.update([1, 2], [1, 1])
        before = metrics.state_dict()
        with pytest.raises(ValueError, match="y_pred holds nan in row 1"):
            metrics.update([1.0, 2.0], [1.0, np.nan])
        with pytest.raises(ValueError, match=r"y_true holds 1\.5 in row 0"):
            metrics.update([1.5, 2.0], [1.0, 2.0])
        assert str(metrics.state_dict()) == str(before)

    def test_merge_state_pickle_reset(self, rng):
        import pickle

        truth, predicted = rng.integers(0, 3, (2, 500))
        whole, one, two = self.make(), self.make(), self.make()
        whole.update(truth, predicted)
        one.update(truth[:200], predicted[:200])
        two.update(truth[200:], predicted[200:])
        assert one.merge(two) is one
        copy = pickle.loads(pickle.dumps(one))
        loaded = self.make()
        loaded.load_state_dict(one.state_dict())
        for other in (copy, loaded):
            assert str(other.compute()) == str(one.compute())
            assert other["accuracy"]._core is other["f1"]._core
        np.testing.assert_array_equal(one.compute()["matrix"], whole.compute()["matrix"])
        assert repr(copy) == repr(one)
        one.reset()
        with pytest.raises(ValueError, match="has seen no rows"):
            one.compute()
        with pytest.raises(ValueError, match="other holds"):
            one.merge(MetricCollection({"a": streaming.Accuracy()}))

    def test_declared_strings(self):
        names = {"labels": ["cat", "dog"]}
        metrics = MetricCollection(
            {"loss": streaming.LogLoss(**names), "brier": streaming.BrierScore(**names)}
        )
        metrics.update(["cat", "dog"], [0.25, 0.75])
        assert metrics.compute()["brier"] == 0.0625
        np.testing.assert_allclose(metrics.compute()["loss"], -np.log(0.75))

    @pytest.mark.parametrize("bad", [{}, [], {"a": 1}, {1: streaming.Accuracy()}])
    def test_bad_members(self, bad):
        with pytest.raises(ValueError, match="metrics"):
            MetricCollection(bad)


def test_every_class_has_an_example():
    for name in streaming.__all__:
        assert "Examples\n--------" in inspect.getdoc(getattr(streaming, name)), name
    assert ours.streaming is streaming


def test_arrays_on_a_gpu_are_an_error():
    class OnDevice:
        is_cuda, device = True, "cuda:0"

    with pytest.raises(ValueError, match=r"y_pred is in the memory of a GPU \(cuda:0\)"):
        streaming.Accuracy().update([1], OnDevice())


KINDS = [
    streaming.Accuracy,
    streaming.MeanSquaredError,
    streaming.R2Score,
    streaming.LogLoss,
    streaming.ROCAUC,
    streaming.BinnedROCAUC,
]
shapes = npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)
dtypes = st.one_of(
    npst.boolean_dtypes(),
    npst.integer_dtypes(endianness="?"),
    npst.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    npst.complex_number_dtypes(),
    npst.unicode_string_dtypes(max_len=3),
    npst.byte_string_dtypes(max_len=3),
    npst.datetime64_dtypes(),
)
arrays = npst.arrays(dtypes, shapes)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(KINDS),
    arrays,
    arrays,
    st.one_of(st.none(), arrays),
    st.sampled_from([1, -1, 2]),
)
def test_no_array_does_harm(make, y_true, y_pred, weight, step):
    metric = make()
    metric.update([0, 1], [0, 1])
    before = str(metric.state_dict())
    strided = [x[::step] if getattr(x, "ndim", 0) else x for x in (y_true, y_pred, weight)]
    try:
        metric.update(*strided)
    except ValueError:
        assert str(metric.state_dict()) == before
    else:
        assert metric.n_samples == 2 + len(strided[0])
