"""A user's metric gives what its Python function gives, on every path, and raises what it raises."""

import inspect
import pickle
import threading
import traceback
import warnings

import numpy as np
import pytest

import mlestar
from mlestar import _core
from mlestar.ensemble import greedy_weights
from mlestar.evaluation import paired_bootstrap_test, permutation_test
from mlestar.exceptions import MetricWarning
from mlestar.metrics import CompiledMetric, bootstrap, make_scorer, metric
from mlestar.metrics.streaming import UserMetric

pytest.importorskip("numba")
from reference import user_metrics as user


def rows(n=257, seed=3):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n)
    return y, y + rng.normal(size=n), y + 2 * rng.normal(size=n), rng.integers(1, 9, n) / 4


def in_python(function):
    """The Python function, as resampling takes any."""

    def call(y_true, y_pred, sample_weight=None):
        if not function.takes_weights:
            return function.__wrapped__(y_true, y_pred)
        if sample_weight is None and function is user.mean_absolute:
            sample_weight = np.ones(len(y_true))
        return function.__wrapped__(y_true, y_pred, sample_weight)

    return call


WEIGHTED = [user.cost, user.mean_absolute, user.root_mean_square]
PLAIN = [user.share_within, user.hits, user.any_hit]


@pytest.mark.parametrize("n", [1, 2, 3, 64, 1001])
@pytest.mark.parametrize("function", [*WEIGHTED, *PLAIN], ids=repr)
def test_call(function, n):
    y, p, _, w = rows(n)
    p[::3] = y[::3]
    for weight in [None, w] if function.takes_weights else [None]:
        got = function(y, p) if weight is None else function(y, p, weight)
        assert type(got) is float
        assert got == pytest.approx(float(in_python(function)(y, p, weight)), rel=1e-13)


def test_it_is_still_the_function():
    assert user.cost.__name__ == "cost"
    assert user.cost.__doc__.startswith("What an error costs")
    assert user.cost.__module__ == user.__name__
    assert str(inspect.signature(user.cost)) == "(y_true, y_pred, sample_weight=None)"
    assert user.cost.greater_is_better is False
    assert user.share_within.greater_is_better is True
    assert user.root_mean_square.name == "RMSE"
    assert isinstance(user.cost, CompiledMetric)
    assert repr(user.cost) == f"metric({user.__name__}.cost)"
    assert pickle.loads(pickle.dumps(user.cost)) is user.cost


def test_a_metric_that_is_in_no_module_does_not_pickle():
    local = metric(lambda y_true, y_pred: 1.0)
    assert local([1.0], [1.0]) == 1.0
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(local)


@pytest.mark.parametrize(
    "dtype", ["i1", "u2", "i4", "i8", "u8", "?", "f2", "f4", "f8", ">f8", ">i4"]
)
def test_dtypes_and_layouts(dtype):
    rng = np.random.default_rng(0)
    y, p = (rng.integers(0, 2, (2, 40)) if dtype == "?" else rng.integers(0, 99, (2, 40))).astype(
        dtype
    )
    want = user.cost(y.astype(float), p.astype(float))
    assert user.cost(y, p) == want
    assert user.cost(y.tolist(), p.tolist()) == want
    assert user.cost(np.repeat(y, 2)[::2], p[::-1][::-1]) == want
    assert user.cost(y[:, None], p) == want
    unaligned = np.frombuffer(b"\0" + y.astype("f8").tobytes(), dtype=np.uint8)[1:].view("f8")
    assert user.cost(unaligned, p) == want


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1, 2], [1]), "y_pred has 1 rows, but y_true has 2"),
        (([], []), "y_true has no rows"),
        ((["a"], [1]), "y_true holds strings"),
        ((None, [1]), "y_true is a NoneType"),
        (([1], [1j]), "y_pred is a list"),
        (([1.0], np.ones((1, 2))), r"y_pred has shape \(1, 2\)"),
        (([2**53 + 1], [1]), r"y_true holds integers beyond 2\*\*53"),
        (([1], [1], [-1.0]), "sample_weight holds -1.0 in row 0"),
        (([1], [1], [np.inf]), "sample_weight holds inf in row 0"),
        (([1], [1], [1, 2]), "sample_weight has 2 rows"),
    ],
    ids=str,
)
def test_bad_rows(arguments, words):
    with pytest.raises(ValueError, match=words):
        user.cost(*arguments)


def test_weights_that_a_function_does_not_take():
    with pytest.raises(ValueError, match="sample_weight is given, but metric 'share_within'"):
        user.share_within([1], [1], [1])
    y, p, _, w = rows()
    with pytest.raises(ValueError, match="sample_weight is given"):
        bootstrap(user.share_within, y, p, sample_weight=w)
    with pytest.raises(ValueError, match="sample_weight is given"):
        UserMetric(user.share_within).update(y, p, w)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda y_true: 1.0, "but must take"),
        (lambda y_true, y_pred, alpha: 1.0, "but must take"),
        (lambda y_true, y_pred, *rest: 1.0, "but must take"),
        (lambda y_true, y_pred, sample_weight=2: 1.0, "has 2 for the default of sample_weight"),
        (np.mean, "must be given a Python function"),
        ("cost", "must be given a Python function"),
    ],
    ids=["one", "alpha", "rest", "default", "numpy", "name"],
)
def test_functions_of_other_arguments(function, words):
    with pytest.raises(TypeError, match=words):
        metric(function)


def test_bad_options():
    with pytest.raises(TypeError, match="greater_is_better is 1"):
        metric(greater_is_better=1)
    with pytest.raises(TypeError, match="name is 3"):
        metric(name=3)
    y, p, _, _ = rows()
    with pytest.raises(ValueError, match=r"takes no options, but is given \['average'\]"):
        bootstrap(user.cost, y, p, average="macro")


def opens(y_true, y_pred):
    return open("x")


def writes(y_true, y_pred):
    y_true[0] = 3.0
    return 1.0


def gives_rows(y_true, y_pred):
    return y_true


def of_strings(y_true, y_pred):
    return np.percentile(y_true, "a")


def missing(y_true, y_pred):
    return np.no_such_function(y_true)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (opens, "'opens' cannot be compiled by Numba: Untyped global name 'open'.* \\(line "),
        (writes, "Cannot modify readonly array"),
        (gives_rows, "returns .*array.*, but must return a real number"),
        (of_strings, "it has no percentile"),
        (missing, "AttributeError: module 'numpy' has no attribute 'no_such_function'"),
    ],
)
def test_what_numba_cannot_compile(function, words):
    with pytest.raises(TypeError, match=words) as caught:
        metric(function)(np.ones(3), np.ones(3))
    assert "\n" not in str(caught.value)


def test_without_numba(run_python):
    code = """
import sys
sys.modules["numba"] = None
from mlestar.metrics import metric
@metric
def mine(y_true, y_pred):
    return 1.0
try:
    mine([1], [1])
except ImportError as error:
    print(error)
"""
    assert "pip install 'mlestar[numba]'" in run_python(code)


def test_numba_is_loaded_at_the_first_call(run_python):
    code = """
import sys
from mlestar.metrics import metric, streaming
mine = metric(lambda y_true, y_pred: 1.0)
streaming.UserMetric(mine).update([1], [1])
print("numba" in sys.modules, mine([1], [1]), "numba" in sys.modules)
"""
    assert run_python(code).split() == ["False", "1.0", "True"]


# --- What the function raises -------------------------------------------------------------------


def test_its_own_exception():
    with pytest.raises(ArithmeticError, match=r"^too large: 60\.0$") as caught:
        user.no_large_answers([1.0, 2.0], [3.0, 60.0])
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert last.name == "no_large_answers"
    assert "raise ArithmeticError" in last.line
    assert user.no_large_answers([1.0, 2.0], [3.0, 5.0]) == 4.0  # it goes on


def test_indices_are_checked():
    with pytest.raises(IndexError):
        user.first_of_all([1.0, 2.0], [3.0, 4.0])


def test_where_python_does_not_raise():
    with (
        pytest.warns(RuntimeWarning),
        pytest.raises(RuntimeError, match="'ratio' raised where it was compiled, but gives"),
    ):
        user.ratio([1.0], [0.0])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_first_failing_resample(threads):
    y, p, q, _ = rows(400)
    y[17] = 7
    big = p.copy()
    big[17] = 0.0
    before = mlestar.get_num_threads()
    mlestar.set_num_threads(threads)
    try:
        with pytest.raises(LookupError, match="a seven"):
            bootstrap(user.no_sevens, y, p, random_state=0)
        y[17] = 0
        big[17], other = 30.0, q.copy()
        doubled = metric(too_often)
        with pytest.raises(ValueError, match="row 17 twice") as caught:
            bootstrap(doubled, y, big, random_state=0)
        notes = caught.value.__notes__
        with pytest.raises(ValueError, match="row 17 twice") as caught:
            bootstrap(lambda a, b: doubled(a, b), y, big, random_state=0)
        assert caught.value.__notes__ == notes  # the same resample as one after the other
        other[16:18], big[16] = [-1.0, -30.0], 1.0
        with pytest.raises(ValueError, match="answers trade") as caught:
            permutation_test(metric(traded), y, big, other, random_state=0)
        assert "on permutation" in caught.value.__notes__[0]
        with pytest.raises(ValueError, match="is missing") as caught:
            bootstrap(metric(needs_seventeen), np.arange(400.0), p, method="BCa", random_state=0)
        assert caught.value.__notes__ == ["(raised by the metric without unit 17)"]
    finally:
        mlestar.set_num_threads(before)


def too_often(y_true, y_pred):
    if np.sum(y_pred == 30.0) > 1:
        raise ValueError("row 17 twice")
    return y_pred.mean()


def traded(y_true, y_pred):
    if y_pred[16] * y_pred[17] < 0:
        raise ValueError("answers trade")
    return y_pred.mean()


def needs_seventeen(y_true, y_pred):
    if len(y_true) == 399 and not np.any(y_true == 17):
        raise ValueError("17 is missing")
    return y_pred.mean()


# --- Resampling ---------------------------------------------------------------------------------

DESIGNS = {
    "plain": lambda rng, n: {},
    "strata": lambda rng, n: {"stratify": rng.integers(0, 3, n)},
    "groups": lambda rng, n: {"groups": rng.integers(0, 40, n)},
    "groups in strata": lambda rng, n: (lambda g: {"groups": g, "stratify": g % 3})(
        rng.integers(0, 40, n)
    ),
}


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("method", ["percentile", "BCa"])
def test_bootstrap_is_the_loop(design, weighted, method):
    y, p, _, w = rows()
    options = DESIGNS[design](np.random.default_rng(1), len(y))
    for function in [user.cost, user.root_mean_square, user.mean_absolute]:
        results = [
            bootstrap(
                f,
                y,
                p,
                n_resamples=40,
                method=method,
                sample_weight=w if weighted else None,
                random_state=0,
                **options,
            )
            for f in (function, in_python(function))
        ]
        mine, loop = results
        assert mine.estimate == pytest.approx(loop.estimate, rel=1e-13)
        np.testing.assert_allclose(
            mine.bootstrap_distribution, loop.bootstrap_distribution, rtol=1e-12
        )
        np.testing.assert_allclose(mine.confidence_interval, loop.confidence_interval, rtol=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_paired_tests_are_the_loop(weighted):
    y, p, q, w = rows()
    w = w if weighted else None
    groups = np.random.default_rng(2).integers(0, 50, len(y))
    for options in ({}, {"groups": groups}):
        for test in (paired_bootstrap_test, permutation_test):
            mine, loop = (
                test(f, y, p, q, n_resamples=60, sample_weight=w, random_state=1, **options)
                for f in (user.cost, in_python(user.cost))
            )
            assert mine.p_value == loop.p_value
            assert mine.difference == pytest.approx(loop.difference, rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 5, 700])
def test_small_samples_and_resamples(n):
    y, p, _, _ = rows(n)
    p[0] += 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MetricWarning)
        for resamples in (1, 7, 8, 9, 33):
            mine, loop = (
                bootstrap(f, y, p, n_resamples=resamples, random_state=0).bootstrap_distribution
                for f in (user.cost, in_python(user.cost))
            )
            np.testing.assert_allclose(mine, loop, rtol=1e-12)


def test_any_number_of_threads():
    y, p, q, w = rows(3000)
    before = mlestar.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 5):
            mlestar.set_num_threads(threads)
            found.append(
                (
                    bootstrap(
                        user.cost, y, p, sample_weight=w, n_resamples=203, random_state=0
                    ).bootstrap_distribution.tobytes(),
                    permutation_test(user.cost, y, p, q, n_resamples=203, random_state=0).p_value,
                )
            )
    finally:
        mlestar.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def test_several_python_threads_at_once():
    y, p, _, _ = rows(2000)
    fresh = metric(lambda y_true, y_pred: np.sort(np.abs(y_true - y_pred))[len(y_true) // 2])
    want = bootstrap(in_python(fresh), y, p, n_resamples=50, random_state=0).bootstrap_distribution
    found = []

    def run():
        found.append(bootstrap(fresh, y, p, n_resamples=50, random_state=0).bootstrap_distribution)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for one in found:
        np.testing.assert_array_equal(one, want)


@pytest.mark.filterwarnings("ignore")
def test_a_function_that_takes_the_gil_does_not_hang(run_python):
    code = """
import numba, numpy as np
from mlestar.metrics import metric, bootstrap
@metric
def talks(y_true, y_pred):
    with numba.objmode(value="float64"):
        value = float(len(y_true))
    return value
print(bootstrap(talks, np.arange(3.0), np.arange(3.0), n_resamples=9).bootstrap_distribution.sum())
print(bootstrap(talks, np.arange(3e3), np.arange(3e3), n_resamples=99).bootstrap_distribution.sum())
"""
    assert run_python(code, timeout=60).split() == ["27.0", "297000.0"]


def test_nan_says_undefined():
    y, p, _, _ = rows(50)
    y[:] = 1
    y[0] = 0
    of_zeros = metric(lambda y_true, y_pred: np.nan if y_true.min() == 1 else y_pred.mean())
    with pytest.warns(MetricWarning, match="undefined on"):
        assert np.isnan(bootstrap(of_zeros, y, p, random_state=0).bootstrap_distribution).any()


def test_scorer():
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import cross_val_score

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 3)), rng.normal(size=200)
    w = rng.random(200)
    scorer = make_scorer(user.cost)  # a loss: it says so itself
    assert make_scorer(user.share_within)._sign == 1
    model = LinearRegression().fit(x, y)
    assert scorer(model, x, y) == -user.cost(y, model.predict(x))
    assert scorer(model, x, y, sample_weight=w) == -user.cost(y, model.predict(x), w)
    assert "cost" in repr(scorer)
    assert pickle.loads(pickle.dumps(scorer))(model, x, y) == scorer(model, x, y)
    assert (cross_val_score(model, x, y, scoring=scorer) < 0).all()


# --- Ensembles ----------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("tie_break", ["autogluon", "first"])
def test_greedy_weights_are_those_of_the_built_in(weighted, tie_break):
    rng = np.random.default_rng(0)
    y = rng.normal(size=500)
    models = [y + rng.normal(size=500) * s for s in np.linspace(0.5, 2, 7)]
    w = rng.random(500) if weighted else None
    mine, built_in = (
        greedy_weights(models, y, metric=m, sample_weight=w, tie_break=tie_break)
        for m in (user.root_mean_square, "rmse")
    )
    assert mine.order == built_in.order
    np.testing.assert_allclose(mine.trajectory, built_in.trajectory, rtol=1e-10)


def test_greedy_weights_of_a_score():
    y = np.array([0.0, 1.0, 2.0, 3.0])
    result = greedy_weights([y + 3, y + 0.5], y, metric=user.share_within)
    assert result.order == [1]
    assert result.score == -1.0
    assert greedy_weights([y.astype(int), y + 1], y.astype(int), metric=user.cost).order == [0]


def test_greedy_weights_bad_input():
    y = np.arange(4.0)
    for arguments, words in (
        (([y, y[:-1]], y), r"predictions\[1\] has 3 rows, but y has 4"),
        (([y, y * np.nan], y), r"predictions\[1\] holds NaN or infinity"),
        (([y, np.ones((4, 2))], y), r"predictions\[1\] has shape \(4, 2\)"),
        (([], y), "predictions is empty"),
        (([y], np.array(["a"] * 4)), "y is array"),
    ):
        with pytest.raises(ValueError, match=words):
            greedy_weights(*arguments, metric=user.cost)
    with pytest.raises(ArithmeticError, match="too large: 60") as caught:
        greedy_weights([y, y + 57], y, metric=user.no_large_answers)
    assert caught.value.__notes__ == ["(raised by the metric on a mean with predictions[1])"]
    with pytest.raises(ValueError, match=r"is NaN of a mean with predictions\[0\]"):
        greedy_weights([y], y, metric=metric(lambda y_true, y_pred: np.nan))


def test_the_core_takes_no_other_capsule():
    y = np.ones(3)
    capsule = np.random.PCG64().capsule
    with pytest.raises(ValueError, match="metric must be a capsule named"):
        _core.metrics.call_callback(capsule, y, y, None)
    with pytest.raises(TypeError):
        _core.metrics.call_callback(12345, y, y, None)
    good = user.cost._callback(False)
    for call in (
        lambda: _core.metrics.call_callback(good, y, y[:2], None),
        lambda: _core.metrics.resample_callback(
            good, y, y[None, :2], None, None, "swap", [3], 1, 0
        ),
        lambda: _core.metrics.resample_callback(good, y, y[None], None, None, "swap", [3], 1, 0),
        lambda: _core.metrics.resample_callback(
            good, y, y[None], None, None, "bootstrap", [2], 1, 0
        ),
        lambda: _core.metrics.resample_callback(
            good, y, y[None], None, np.array([0, 1, 9], np.int32), "bootstrap", [3], 1, 0
        ),
        lambda: _core.metrics.leave_out_callback(good, y, y[None], None, None, 4),
        lambda: _core.ensemble.CallbackSelection(good, 1.0, y[None, :2], y, None),
        lambda: _core.ensemble.CallbackSelection(good, 1.0, y[None], y, None).add(1),
    ):
        with pytest.raises(ValueError):
            call()
