import warnings

import numpy as np
import pytest
import sklearn.metrics as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import mlestar.metrics as ours
from metrics.test_classification import in_core
from reference import metrics as reference

NAMES = ["mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "r2_score"]

LAYOUTS = {
    "float64": lambda x: x,
    "float32": lambda x: x.astype(np.float32),
    "int32": lambda x: (x * 10).astype(np.int32),
    "uint8": lambda x: (np.abs(x) * 50).astype(np.uint8),
    "strided": lambda x: np.repeat(x, 2, axis=0)[::2],
    "reversed": lambda x: x[::-1],
    "fortran": np.asfortranarray,
    "unaligned": lambda x: (
        np.frombuffer(b"x" + x.tobytes(), dtype=np.uint8)[1:].view(np.float64).reshape(x.shape)
    ),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(2,), (9,), (1025,), (150_000,), (70, 1), (3000, 4)])
def test_every_layout(rng, name, layout, shape):
    truth = LAYOUTS[layout](rng.normal(size=shape) + 3)
    predicted = LAYOUTS[layout](rng.normal(size=shape) + 3)
    weights = rng.random(shape[0]) + 0.1
    call = (
        getattr(ours, name)
        if layout == "unaligned"
        else lambda *a, **k: in_core(getattr(ours, name), *a, **k)
    )
    single = layout == "float32"
    for options in ({}, {"sample_weight": weights}, {"multioutput": "raw_values"}):
        np.testing.assert_allclose(
            call(truth, predicted, **options),
            getattr(theirs, name)(truth, predicted, **options),
            rtol=2e-4 if single else 1e-10,
            atol=1e-6 if single else 1e-13,
        )


numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(numbers, numbers, st.sampled_from([0.5, 1.0, 2.0])), min_size=2, max_size=30)
)
def test_against_reference(table):
    truth, predicted, weights = (list(column) for column in zip(*table, strict=True))
    for power, name in ((2, "mean_squared_error"), (1, "mean_absolute_error")):
        assert getattr(ours, name)(truth, predicted, sample_weight=weights) == pytest.approx(
            reference.mean_error(truth, predicted, weights, power), rel=1e-12, abs=1e-12
        )
    if len(set(truth)) > 1:
        assert ours.r2_score(truth, predicted, sample_weight=weights) == pytest.approx(
            reference.r2(truth, predicted, weights), rel=1e-9, abs=1e-9
        )


def test_r2_keeps_its_digits_far_from_zero(rng):
    truth = 1e9 + rng.normal(size=5000)
    predicted = truth + rng.normal(size=5000) * 0.1
    expected = reference.r2(truth, predicted, np.ones(5000))
    assert ours.r2_score(truth, predicted) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("force_finite", [True, False])
@pytest.mark.parametrize("constant", [0.1, 3.0])
@pytest.mark.parametrize("perfect", [True, False])
def test_r2_of_a_constant(constant, perfect, force_finite):
    truth = np.full(3, constant)
    predicted = truth if perfect else truth + 1
    value = ours.r2_score(truth, predicted, force_finite=force_finite)
    expected = {
        (True, True): 1.0,
        (True, False): 0.0,
        (False, True): np.nan,
        (False, False): -np.inf,
    }[force_finite, perfect]
    np.testing.assert_equal(value, expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("multioutput", [[0.3, 0.7], "variance_weighted", None, "uniform_average"])
def test_multioutput(rng, name, multioutput):
    if name != "r2_score" and multioutput in ("variance_weighted", None):
        pytest.skip("only r2_score takes it")
    truth, predicted = rng.normal(size=(40, 2)), rng.normal(size=(40, 2))
    assert in_core(getattr(ours, name), truth, predicted, multioutput=multioutput) == pytest.approx(
        getattr(theirs, name)(truth, predicted, multioutput=multioutput), rel=1e-12
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("truth", "predicted", "options"),
    [
        ([], [], {}),
        ([1.0], [1.0], {}),
        ([1.0, 2.0], [1.0], {}),
        ([1.0, np.nan], [1.0, 2.0], {}),
        ([1.0, 2.0], [1.0, np.inf], {}),
        ([[1.0, 2.0]], [[1.0]], {}),
        ([1.0, 2.0], [1.0, 2.0], {"multioutput": "bogus"}),
        ([1.0, 2.0], [1.0, 2.0], {"multioutput": [0.5, 0.5]}),
        ([1.0, 2.0], [1.0, 2.5], {"sample_weight": [1.0, np.nan]}),
        ([1.0, 2.0], [1.0, 2.5], {"sample_weight": [1.0]}),
        (["a", "b"], ["a", "b"], {}),
    ],
)
def test_bad_input_gets_scikit_learns_answer(name, truth, predicted, options):
    results = []
    for module in (ours, theirs):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                value = repr(getattr(module, name)(truth, predicted, **options))
            except Exception as error:
                value = f"{type(error).__name__}: {error}"
        results.append((value, [str(w.message) for w in caught]))
    assert results[0] == results[1]
