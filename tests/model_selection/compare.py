"""The same splits, warnings, errors and draws from a splitter of ours and from its namesake."""

import warnings

import numpy as np
import sklearn.model_selection as theirs

import mlestar.model_selection as ours
from mlestar.testing import core_calls

STATES = {
    "none": lambda: None,
    "int": lambda: 7,
    "instance": lambda: np.random.RandomState(3),
    "PCG64": lambda: np.random.RandomState(np.random.PCG64(11)),
}


def outcome(module, name, state, arguments, options, data):
    """Splits or the error's text, the warnings' texts, and a draw from the state afterwards."""
    np.random.seed(5)
    random_state = STATES[state]()
    if random_state is not None:
        options = {**options, "random_state": random_state}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            splitter = getattr(module, name)(*arguments, **options)
            found = [tuple(np.asarray(part) for part in pair) for pair in splitter.split(*data)]
        except (ValueError, TypeError, IndexError) as error:
            found = f"{type(error).__name__}: {error}"
    after = (
        random_state.randint(2**31)
        if isinstance(random_state, np.random.RandomState)
        else np.random.randint(2**31)
    )
    return found, sorted({str(w.message) for w in caught}), after


def same(name, *data, arguments=(), state="none", core=True, **options):
    """Fails unless both agree and, for a call that returns, the core has answered."""
    expected = outcome(theirs, name, state, arguments, options, data)
    before = core_calls().get(name, {"core": 0})["core"]
    mine = outcome(ours, name, state, arguments, options, data)
    assert mine[1:] == expected[1:]
    if isinstance(expected[0], str):
        assert mine[0] == expected[0]
        return
    assert not isinstance(mine[0], str), mine[0]
    assert len(mine[0]) == len(expected[0])
    for a, b in zip(mine[0], expected[0], strict=True):
        for x, y in zip(a, b, strict=True):
            assert x.dtype == y.dtype
            np.testing.assert_array_equal(x, y)
    if core:
        assert core_calls()[name]["core"] > before, f"{name} was not answered in the core"
