"""A run's folds are one plan for everybody."""

import numpy as np
import pytest

import mlestar
from mlestar.agents.folds import plan_of
from mlestar.coordination.artifacts import ArtifactStore
from mlestar.exceptions import ConfigError


def test_all_who_ask_have_the_same_plan(tmp_path, rng):
    artifacts = ArtifactStore(tmp_path)
    X, y = rng.random((90, 3)), rng.random(90)
    names = {
        "X": artifacts.put_array(X),
        "y": artifacts.put_array(y),
        "folds_of_rows": artifacts.put_array(np.arange(90) % 3),
    }
    plan = plan_of(artifacts, names)
    assert plan_of(ArtifactStore(tmp_path), {**names, "more": 1}) is plan
    np.testing.assert_array_equal(plan.test(1)[0], X[1::3])
    np.testing.assert_array_equal(plan.train(1)[1], y[np.arange(90) % 3 != 1])


def test_folds_that_memory_cannot_hold_are_an_error_before_the_first_fit(tmp_path, rng):
    table, target = rng.random((40_000, 20)), rng.random(40_000)
    config = {"training_params": {"fits": 5, "memory_mb": 2}}
    with pytest.raises(ConfigError, match=r"memory_mb is 2, but must be more than 6: that much"):
        mlestar.run(table, target, config=config, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
