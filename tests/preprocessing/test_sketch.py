import pickle

import numpy as np
import pytest

import mlestar
from mlestar.preprocessing import QuantileSketch

SHARES = np.array([0.0, 0.01, 0.1, 0.25, 0.5, 0.77, 0.99, 1.0])


def errors(column, found):
    """How far from its share the rank of each quantile is."""
    column = np.sort(column[~np.isnan(column)])
    below = np.searchsorted(column, found, "left") / len(column)
    through = np.searchsorted(column, found, "right") / len(column)
    return np.maximum(0, np.maximum(below - SHARES, SHARES - through))


@pytest.mark.parametrize("n", [1, 2, 100, 8_191])
def test_few_rows_are_exact(rng, n):
    X = rng.normal(size=(n, 3))
    X[rng.random(X.shape) < 0.1] = np.nan
    X[0] = 1.0
    sketch = QuantileSketch().update(X[: n // 2 + 1])
    if n > 1:
        sketch.merge(QuantileSketch(3).update(X[n // 2 + 1 :]) if n > 2 else QuantileSketch())
        X = X if n > 2 else X[:2]
    np.testing.assert_array_equal(sketch.quantiles(SHARES), np.nanquantile(X, SHARES, axis=0))
    np.testing.assert_array_equal(sketch.n_samples, (~np.isnan(X)).sum(axis=0))


@pytest.mark.parametrize("kind", ["normal", "sorted", "few values", "heavy tail", "saw"])
def test_the_rank_error_is_below_a_thousandth(rng, kind):
    n, columns = 120_000, 6
    X = rng.normal(size=(n, columns))
    if kind == "sorted":
        X = np.sort(X, axis=0)
    elif kind == "few values":
        X = np.round(X * 3)
    elif kind == "heavy tail":
        X = np.exp(20 * X)
    elif kind == "saw":
        X = (np.arange(n)[:, None] * [1, 3, 5, 7, 11, 13]) % 8_192 + 0.0
    # 99 of 100 quantiles: at most two of 6 x 8 may lie outside.
    whole = QuantileSketch().update(X)
    batched = QuantileSketch(1)
    parts = []
    for batch in np.array_split(X, 13):
        batched.update(batch)
        parts.append(QuantileSketch(len(parts)).update(batch))
    merged = parts.pop()
    while parts:
        merged.merge(parts.pop(0))
    for sketch in (whole, batched, merged):
        found = sketch.quantiles(SHARES)
        assert sketch.n_samples.tolist() == [n] * columns
        off = np.array([errors(X[:, j], found[:, j]) for j in range(columns)])
        assert (off > 1e-3).sum() <= 2, off.max()
        assert off.max() < 2e-3


def test_threads_states_and_pickles_give_the_same_bits(rng):
    X = rng.normal(size=(40_000, 11)).astype("f")
    before = mlestar.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 5):
            mlestar.set_num_threads(threads)
            results.append(QuantileSketch(5).update(X).update(X[:100]))
    finally:
        mlestar.set_num_threads(before)
    loaded = QuantileSketch(5).load_state_dict(results[0].state_dict())
    results += [loaded, pickle.loads(pickle.dumps(results[0]))]
    late = rng.normal(size=(9_000, 11))
    for sketch in results:
        sketch.update(np.asfortranarray(late))
        np.testing.assert_array_equal(sketch.quantiles(SHARES), results[0].quantiles(SHARES))
    assert repr(loaded) == "QuantileSketch(seed=5)"
    assert (
        QuantileSketch(6).update(X).quantiles(0.5) != QuantileSketch().update(X).quantiles(0.5)
    ).any()


def test_merging_with_itself_and_with_nothing(rng):
    X = rng.normal(size=(20_000, 2))
    sketch = QuantileSketch().update(X)
    assert sketch.merge(QuantileSketch()) is sketch
    sketch.merge(sketch)
    assert sketch.n_samples.tolist() == [40_000] * 2
    np.testing.assert_allclose(
        sketch.quantiles([0.25, 0.75]), np.quantile(X, [0.25, 0.75], axis=0), atol=0.01
    )
    empty = QuantileSketch().merge(sketch)
    np.testing.assert_array_equal(empty.quantiles(SHARES), sketch.quantiles(SHARES))


def test_columns_without_values():
    sketch = QuantileSketch().update([[np.nan, 1.0], [np.nan, 3.0]])
    np.testing.assert_array_equal(sketch.quantiles(0.5), [np.nan, 2.0])
    assert QuantileSketch().update([3, 1, 2]).quantiles(0.5).tolist() == [2.0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: QuantileSketch(-1), "seed is -1"),
        (lambda s: QuantileSketch(True), "seed is True"),
        (lambda s: s.update([[np.inf, 1.0]]), "X holds infinity"),
        (lambda s: s.update([[1.0]]), "X has 1 columns"),
        (lambda s: s.update([]), "X has shape"),
        (lambda s: s.update([["a", "b"]]), "X has shape"),
        (lambda s: s.merge(3), "other is a int"),
        (lambda s: s.merge(QuantileSketch().update([1.0])), "other has 1 columns"),
        (lambda s: s.quantiles(1.5), "q is 1.5"),
        (lambda s: s.quantiles([np.nan]), "q is"),
        (lambda s: QuantileSketch().quantiles(0.5), "nothing has been seen"),
        (lambda s: s.load_state_dict({}), "state has version None"),
        (lambda s: s.load_state_dict({"version": 1, "seed": 0}), "state lacks 'integers'"),
        (
            lambda s: s.load_state_dict({**s.state_dict(), "reals": np.zeros(3)}),
            "state is damaged",
        ),
    ],
)
def test_bad_input_is_named(call, words):
    sketch = QuantileSketch().update([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(ValueError, match=words):
        call(sketch)
    assert sketch.quantiles(0.5).tolist() == [2.0, 3.0]
