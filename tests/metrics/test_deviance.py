"""Further errors of regression: logarithmic, relative, selected and distributional ones."""

import numpy as np
import pytest
import sklearn.metrics as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import mlestar.metrics as ours
from metrics.compare import same

WEIGHTS = {
    "none": lambda rng, n: None,
    "fractions": lambda rng, n: np.where(np.arange(n) % 3 == 2, 0.0, rng.random(n) + 0.01),
    "whole": lambda rng, n: rng.integers(0, 3, n) + (np.arange(n) < 2),
}
LAYOUTS = {
    "float64": lambda x: x,
    "strided": lambda x: np.repeat(x, 2, axis=0)[::2],
    "Fortran": lambda x: np.asfortranarray(np.stack([x, x], axis=1))[:, 1],
}
BY_OUTPUT = [
    "mean_squared_log_error",
    "root_mean_squared_log_error",
    "mean_absolute_percentage_error",
    "median_absolute_error",
    "explained_variance_score",
    "mean_pinball_loss",
    "d2_pinball_score",
    "d2_absolute_error_score",
]


def data(rng, n):
    y = rng.gamma(1, 2, n) + 0.01
    return y, y * np.exp(rng.normal(size=n) * 0.3)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [2, 3, 10, 1_025, 40_001])
def test_errors_equal_scikit_learns(rng, n, layout, weights):
    y, p = (LAYOUTS[layout](x) for x in data(rng, n))
    w = WEIGHTS[weights](rng, n)
    several_y, several_p = np.stack([y, p, y + p], axis=1), np.stack([p, y, y], axis=1)
    for name in BY_OUTPUT:
        same(name, y, p, sample_weight=w, rtol=1e-11)
        for multioutput in ("raw_values", "uniform_average", [0.2, 0.3, 0.5]):
            options = {"sample_weight": w, "multioutput": multioutput}
            same(name, several_y, several_p, rtol=1e-11, **options)
    same(
        "explained_variance_score",
        several_y,
        several_p,
        multioutput="variance_weighted",
        rtol=1e-11,
    )
    for alpha in (0, 0.1, 0.77, 1):
        same("mean_pinball_loss", y, p, sample_weight=w, alpha=alpha)
        same("d2_pinball_score", y, p, sample_weight=w, alpha=alpha, rtol=1e-11, atol=1e-12)
    same("max_error", y, p)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("power", [-2, -0.5, 0, 1, 1.3, 1.5, 1.9, 2, 2.5, 3])
@pytest.mark.parametrize("n", [2, 10, 30_000])
def test_deviances_equal_scikit_learns(rng, n, power, weights):
    y, p = data(rng, n)
    w = WEIGHTS[weights](rng, n)
    if power < 0:
        y = y - 1.0
    elif 1 <= power < 2:
        y = np.floor(y)
        y[:2] = [0.0, 3.0]
    same("mean_tweedie_deviance", y, p, sample_weight=w, power=power, rtol=1e-11)
    same("d2_tweedie_score", y, p, sample_weight=w, power=power, rtol=1e-10, atol=1e-12)
    if power == 1:
        same("mean_poisson_deviance", y, p, sample_weight=w)
    if power == 2:
        same("mean_gamma_deviance", y, p, sample_weight=w)


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint8])
def test_other_dtypes(rng, dtype):
    y, p = (np.ceil(x * 3).astype(dtype) for x in data(rng, 500))
    single = dtype == np.float32
    for name in [*BY_OUTPUT, "max_error", "mean_poisson_deviance", "mean_gamma_deviance"]:
        # Differences of unsigned integers wrap in some of scikit-learn's; ours never do.
        wraps = dtype == np.uint8 and name in ("max_error", "median_absolute_error")
        wide = np.int64 if wraps else dtype
        expected = getattr(theirs, name)(y.astype(wide), p.astype(wide))
        assert getattr(ours, name)(y, p) == pytest.approx(expected, rel=1e-5 if single else 1e-11)


values = st.lists(st.integers(-20, 20), min_size=1, max_size=60)


@given(values, st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_the_median_is_the_middle_of_the_sorted_errors(errors, seed):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.array(errors, dtype=float))
    middle = sorted(abs(e) for e in errors)
    n = len(middle)
    expected = (middle[(n - 1) // 2] + middle[n // 2]) / 2
    assert ours.median_absolute_error(y, np.zeros(n)) == expected
    # Whole weights are repeated rows.
    w = rng.integers(0, 4, n)
    if w.sum():
        repeated = np.repeat(np.abs(y), w)
        assert ours.median_absolute_error(y, np.zeros(n), sample_weight=w) == np.median(repeated)


@pytest.mark.parametrize(
    "kind", ["sorted", "reversed", "constant", "two values", "one outlier", "heavy tail", "saw"]
)
def test_selection_meets_hard_orders(rng, kind):
    n = 200_003
    x = rng.random(n)
    x = {
        "sorted": np.sort(x),
        "reversed": np.sort(x)[::-1],
        "constant": np.full(n, 0.25),
        "two values": (x > 0.5).astype(float),
        "one outlier": np.where(np.arange(n) == 7, 1e300, 0.0),
        "heavy tail": np.exp(40 * x**8),
        "saw": (np.arange(n) % 4096).astype(float),
    }[kind]
    zero = np.zeros(n)
    assert ours.median_absolute_error(x, zero) == np.median(x)
    for alpha in (0.001, 0.5, 0.999):
        same("d2_pinball_score", x + 1, x[::-1] + 1, alpha=alpha, rtol=1e-9, atol=1e-9)


def test_a_constant_error_is_explained():
    y = np.array([1.0, 2.0, 4.0]) + 1e9
    assert ours.explained_variance_score(y, y + 5) == 1.0
    assert (
        ours.explained_variance_score(np.ones(3), np.array([1.0, 2.0, 3.0]), force_finite=False)
        == -np.inf
    )
    same("explained_variance_score", np.ones(3), np.ones(3))


@pytest.mark.parametrize(
    ("name", "y", "p", "options", "words"),
    [
        ("mean_squared_log_error", [-2.0, 1.0], [1.0, 1.0], {}, "Logarithmic Error cannot be used"),
        (
            "mean_poisson_deviance",
            [1.0, -1.0],
            [1.0, 1.0],
            {},
            "non-negative y and strictly positive",
        ),
        ("mean_gamma_deviance", [0.0, 1.0], [1.0, 1.0], {}, "strictly positive y and y_pred"),
        (
            "mean_tweedie_deviance",
            [1.0, 1.0],
            [0.0, 1.0],
            {"power": -1},
            "strictly positive y_pred",
        ),
        ("mean_tweedie_deviance", [1.0, 1.0], [1.0, 1.0], {"power": 0.5}, "power"),
        ("mean_pinball_loss", [1.0, 1.0], [1.0, 1.0], {"alpha": 2}, "alpha"),
        ("max_error", [[1.0, 2.0]], [[1.0, 2.0]], {}, "Multioutput not supported"),
        ("max_error", [1.0, np.nan], [1.0, 2.0], {}, "NaN"),
        ("max_error", [1.0] * 3000 + [np.inf] + [1.0] * 3000, [1.0] * 6001, {}, "infinity"),
        ("median_absolute_error", [1.0, np.inf], [1.0, 2.0], {}, "infinity"),
        ("median_absolute_error", [1.0, 2.0], [1.0], {}, "inconsistent"),
    ],
)
def test_bad_input_is_worded_by_scikit_learn(name, y, p, options, words):
    with pytest.raises(ValueError, match=words):
        getattr(ours, name)(y, p, **options)


@pytest.mark.parametrize("name", ["d2_pinball_score", "d2_absolute_error_score", "r2_score"])
def test_one_sample_is_undefined(name):
    with pytest.warns(UserWarning, match="less than two samples"):
        assert np.isnan(getattr(ours, name)([1.0], [2.0]))


def test_weights_of_outputs_are_looked_at():
    y, p = [[1.0, 2.0], [3.0, 4.0]], [[2.0, 2.0], [2.0, 2.0]]
    for name in ("mean_squared_error", "r2_score", "explained_variance_score", "d2_pinball_score"):
        with pytest.raises(ValueError, match="NaN"):
            getattr(ours, name)(y, p, multioutput=[np.nan, 1.0])
    for name in ("r2_score", "d2_pinball_score"):
        with pytest.raises(ValueError, match="equally many custom weights"):
            getattr(ours, name)([[1, 2, 3]], [[1, 2, 4]], multioutput=[0.3, 0.7])
    single = np.ones(4, dtype=np.float32)
    assert (
        ours.r2_score(np.array([True, False, True, True]), single, multioutput="raw_values").dtype
        == np.float32
    )
    with pytest.raises(ValueError, match="beta"):
        ours.v_measure_score([0, 1, 1], [0, 1, 0], beta=np.inf)


@pytest.mark.parametrize("power", [-1, 0, 1, 1.3, 1.5, 2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_mean_as_prediction_explains_nothing(rng, power, weighted):
    """Both deviances are the same sum, whatever way their powers are taken."""
    y, _ = data(rng, 70_001)
    w = rng.random(len(y)) if weighted else None
    mean = np.full(len(y), np.average(y, weights=w))
    assert abs(ours.d2_tweedie_score(y, mean, sample_weight=w, power=power)) < 1e-14


def test_zeros_and_powers_of_every_kind():
    y, p = np.array([0.0, 0.0, 3.0, 1e-300, 1e300]), np.array([1.0, 1e-300, 2.0, 1.0, 1.0])
    for power in (1.5, 1.25):
        same("mean_tweedie_deviance", y[:4], p[:4], power=power)
        same("mean_tweedie_deviance", y[2:], p[2:], power=power)


def test_quotients_beyond_the_normal_numbers():
    """A block with such takes its logarithms the careful way, and the blocks beside it do not."""
    y, p = np.full(5000, 2.0), np.full(5000, 3.0)
    for i, (a, b) in enumerate([(1e-310, 1.0), (1e-300, 1e10), (1e300, 1e-5), (1.0, 1e-306)]):
        y[1500 + i], p[1500 + i] = a, b
        same("mean_poisson_deviance", y[: 1500 + i + 1], p[: 1500 + i + 1])
    y[1500] = 1e-301
    same("mean_gamma_deviance", y[:1501], p[:1501])
    y[7], p[7] = 0.0, 1e-300
    same("mean_poisson_deviance", y[:1502], p[:1502])


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:divide:RuntimeWarning")
@pytest.mark.parametrize(
    ("name", "a", "b"),
    [("mean_gamma_deviance", 1e-310, 1.0), ("mean_poisson_deviance", 1.0, 1e-310)],
)
def test_quotients_that_are_no_numbers_give_infinity(name, a, b):
    y, p = np.array([a, 2.0]), np.array([b, 3.0])
    assert getattr(theirs, name)(y, p) == getattr(ours, name)(y, p) == np.inf


def test_logarithms_of_one_plus_anything(rng):
    values = [0.0, 1e-300, 1e-17, 1e-10, 1e-3, 0.49, 0.51, 1.0, 99.0, 1e9, 1e80, 1e289, 1e300]
    values += [-1e-17, -1e-9, -0.4, -0.6, -1 + 1e-9, -1 + 2**-53]
    for a in values:
        for b in values:
            y, p = np.array([a, 0.5, b]), np.array([b, 0.25, a])
            same("root_mean_squared_log_error", y, p)
    close = rng.random(3000) * 1e-8  # nothing is lost where both are small
    same("mean_squared_log_error", close, close[::-1].copy(), atol=0.0)


@pytest.mark.parametrize("power", [2.0, 2.5, 3.0])
def test_zeros_are_no_values_from_power_two_on(power):
    words = "strictly positive"
    with pytest.raises(ValueError, match=words):
        ours.mean_tweedie_deviance([0.0, 1.0, 2.0], [1.0, 1.0, 1.0], power=power)
    with pytest.raises(ValueError, match=words):
        ours.d2_tweedie_score([0.0, 1.0, 2.0], [1.0, 1.0, 1.0], power=power)


def test_percentage_of_zero_is_that_of_the_least_number():
    same("mean_absolute_percentage_error", np.array([0.0, 2.0, -4.0]), np.array([1e-8, 1.0, -3.0]))
