"""Random draws that are NumPy's: from the caller's own bit generator, or from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from mlestar._native import _core


def plain_random_state(random_state: Any) -> bool:
    """Whether scikit-learn takes this for a `random_state`; where not, it words the error."""
    if isinstance(random_state, int | np.integer):
        return 0 <= random_state < 2**32
    return (
        random_state is None
        or random_state is np.random
        or isinstance(random_state, np.random.RandomState)
    )


def draws(random_state: Any) -> Any:
    """What to draw from through a whole call: a `RandomState`, or the core's own for a seed.

    A `RandomState` of a seed takes a quarter of a millisecond to make, and nobody sees it.
    """
    if isinstance(random_state, int | np.integer):
        return _core.model_selection.Seeded(int(random_state))
    return check_random_state(random_state)


@contextmanager
def drawing(state: Any) -> Iterator[Any]:
    """What the core draws from, locked for the caller: of a `RandomState`, the C interface."""
    if not isinstance(state, np.random.RandomState):
        yield state
        return
    bit_generator = state._bit_generator
    with bit_generator.lock:
        yield bit_generator.capsule
