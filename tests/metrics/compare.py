"""One call to ours and to scikit-learn's: the same values, warnings and kind of result, from the core."""

import warnings

import numpy as np
import sklearn.metrics as theirs

import mlestar.metrics as ours
from mlestar._calls import internal_calls
from mlestar.testing import core_calls


def same(name, *arguments, rtol=1e-12, atol=1e-14, **options):
    """Fails unless both agree and the core has answered; returns our result."""
    with warnings.catch_warnings(record=True) as their_warnings:
        warnings.simplefilter("always")
        expected = getattr(theirs, name)(*arguments, **options)
    before = core_calls().get(name, {"core": 0})["core"]
    with warnings.catch_warnings(record=True) as our_warnings:
        warnings.simplefilter("always")
        with internal_calls():  # a MetricWarning has no peer
            result = getattr(ours, name)(*arguments, **options)
    assert core_calls()[name]["core"] == before + 1, f"{name} was not answered in the core"
    # scikit-learn repeats a warning for each class; once is enough.
    assert {str(w.message) for w in our_warnings} == {str(w.message) for w in their_warnings}
    assert {w.category for w in our_warnings} == {w.category for w in their_warnings}
    _agree(expected, result, rtol, atol)
    return result


def _agree(expected, result, rtol, atol):
    if isinstance(expected, str):
        assert result == expected
    elif isinstance(expected, dict):
        assert list(result) == list(expected)
        for key, value in expected.items():
            _agree(value, result[key], rtol, atol)
    elif isinstance(expected, tuple):
        assert len(result) == len(expected)
        for a, b in zip(expected, result, strict=True):
            _agree(a, b, rtol, atol)
    elif expected is None:
        assert result is None
    else:
        assert isinstance(result, np.ndarray) == isinstance(expected, np.ndarray)
        assert np.asarray(result).dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(result, expected, rtol=rtol, atol=atol)
