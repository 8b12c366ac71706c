"""Results that are legal but likely not what was meant are said; never where scikit-learn is patched."""

import warnings

import numpy as np
import pytest

import mlestar
import mlestar.metrics as ours
from mlestar.exceptions import MetricWarning

HARD = [
    (ours.roc_auc_score, ([0, 1] * 8, [0, 1, 1, 0] * 4), {}),
    (ours.average_precision_score, ([0, 1] * 8, np.array([0.0, 1.0, 1.0, 0.0] * 4)), {}),
    (ours.roc_auc_score, ([-1, 1] * 8, [-1, 1, 1, -1] * 4), {}),
]
UNSEEN = [
    (function, ([0, 0, 1, 1], [0, 2, 1, 3]), options)
    for function, options in (
        (ours.f1_score, {"average": "macro"}),
        (ours.fbeta_score, {"average": "macro", "beta": 2}),
        (ours.precision_score, {"average": "macro"}),
        (ours.jaccard_score, {"average": "macro"}),
    )
]
ZERO = [(ours.mean_absolute_percentage_error, ([0.0, 1.0], [1e-3, 1.0]), {})]
CASES = [
    *((*case, "predicted labels only") for case in HARD),
    *((*case, "2 classes that y_true does not") for case in UNSEEN),
    *((*case, "holds zeros") for case in ZERO),
]


@pytest.mark.parametrize(
    ("function", "arguments", "options", "words"), CASES, ids=lambda v: getattr(v, "__name__", "")
)
def test_traps_are_said_where_they_are_stepped_on(function, arguments, options, words):
    with pytest.warns(MetricWarning, match=words) as caught:
        function(*arguments, **options)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", MetricWarning)
        with mlestar.patch_sklearn():
            function(*arguments, **options)


def test_nothing_is_said_without_cause(rng):
    y = rng.integers(0, 2, 200)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours.roc_auc_score(y, rng.random(200))
        ours.roc_auc_score(y, rng.integers(0, 3, 200))
        ours.roc_auc_score(y, np.append(rng.integers(0, 2, 199), 0.5))
        ours.f1_score(y, 1 - y, average="macro")
        ours.f1_score(y, y + 1, average="micro")
        ours.f1_score(y, y + 1, average="macro", labels=[0, 1])
        ours.mean_absolute_percentage_error([0.0, 1.0], [0.0, 1.1])
        ours.mean_absolute_percentage_error([1e-9, 1.0], [1.0, 1.1])


def test_nothing_is_said_of_calls_that_mlestar_makes():
    with warnings.catch_warnings():
        warnings.simplefilter("error", MetricWarning)
        found = mlestar.MetricsCalculator(["f1_macro"]).compute([0, 0, 1, 1], [0, 2, 1, 3])
    assert found["f1_macro"] < 0.5
