"""Rows with times, in every form that users have them, and splits compared."""

from datetime import datetime, timedelta

import numpy as np
from hypothesis import strategies as st

DAY = np.timedelta64(1, "D")


@st.composite
def intervals(draw, least=2, most=30):
    """Times with ties and labels of any length, in any order."""
    n = draw(st.integers(least, most))
    t0 = draw(st.lists(st.integers(-5, draw(st.sampled_from([3, 60]))), min_size=n, max_size=n))
    length = draw(st.sampled_from([0, 3, 20]))
    return t0, [t + draw(st.integers(0, length)) for t in t0]


FORMS = {
    "integers": lambda t: np.array(t),
    "narrow": lambda t: np.array(t, np.int8),
    "floats": lambda t: np.array(t) / 4,
    "list": list,
    "datetime64": lambda t: np.datetime64("2020-01-01") + np.array(t) * DAY,
    "strided": lambda t: np.repeat(np.array(t), 3)[::3],
    "datetimes": lambda t: [datetime(2020, 1, 1) + timedelta(days=int(d)) for d in t],
    "elapsed": lambda t: np.array(t) * DAY,
}
LENGTHS = {"floats": lambda h: h / 4, "datetime64": lambda h: h * DAY, "elapsed": lambda h: h * DAY}
LENGTHS["datetimes"] = lambda h: timedelta(days=h)


def same(found, expected):
    found = [tuple(rows.tolist() for rows in split) for split in found]
    assert found == [tuple(list(rows) for rows in split) for split in expected]


def expected_or_none(splits):
    """The splits up to the first without a row to train on, and whether there is one."""
    whole = []
    for split in splits:
        if not split[0]:
            return whole, True
        whole.append(split)
    return whole, False


def compare(found, splits):
    whole, ends = expected_or_none(splits)
    got = []
    try:
        got.extend(found)
        assert not ends
    except ValueError as error:
        assert ends, error
        assert "no row to train on" in str(error)
    same(got, whole)
