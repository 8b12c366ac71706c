"""Patterns: exact in a memory, fitted to another table's space, and chosen by likeness."""

import numpy as np
import pytest

pytest.importorskip("optuna")

from mlestar.coordination import EmbeddedStore
from mlestar.pipeline import META_FEATURES, PipelineSpec
from mlestar.search import (
    Pattern,
    PatternMemory,
    Space,
    choose_starts,
    nearest_tables,
)
from mlestar.search.patterns import PATTERNS, fit_to_space

LINEAR = PipelineSpec("linear", "median", "ordinal", "standard", {"alpha": 1.0})
FOREST = PipelineSpec("extra_trees", "median", "ordinal", "none", {"n_estimators": 200})
BOOSTED = PipelineSpec("lightgbm", "none", "ordinal", "none", {"learning_rate": 0.1})
SLOW = PipelineSpec("lightgbm", "none", "ordinal", "none", {"learning_rate": 0.02})
SPACE = Space.of("binary", 500, has_categories=False, has_missing=False)


def features(**values):
    return {**dict.fromkeys(META_FEATURES, 0.0), **values}


def everywhere(value):
    return dict.fromkeys(META_FEATURES, value)


def pattern(table, results, *, task="binary", **values):
    return Pattern.of(table, table, task, "roc_auc", features(**values), results)


@pytest.fixture
def memory(tmp_path):
    store = EmbeddedStore(tmp_path / "patterns.db")
    yield PatternMemory(store)
    store.close()


def test_gains_are_logarithms_of_the_ratio_of_errors():
    specs = [PipelineSpec("linear", params={"alpha": float(i + 1)}) for i in range(5)]
    errors = [8.0, 4.0, 1.0, 1.4142, 90.0]
    found = pattern("a", list(zip(specs, errors, strict=True)))
    floor = 0.02 * 4.0
    expected = [1.0, 1.0 - 2.0 * np.log2((1.4142 + floor) / (1.0 + floor)), -1.0, -1.0, -1.0]
    assert [gain for _, gain in found.trials] == pytest.approx(expected, abs=1e-4)
    assert found.trials[0][0] == specs[2]
    again = [*zip(specs, errors, strict=True), (specs[4], 1.0)]
    assert {s.key: g for s, g in pattern("a", again).trials}[specs[4].key] == 1.0
    assert len(found.describe().splitlines()) == 6


@pytest.mark.parametrize(
    "errors", [[], [1.0, 2.0], [1.0] * 9, [0.0] * 9, [1.0, np.inf, np.nan, 2.0, -1.0]]
)
def test_runs_that_teach_nothing_leave_nothing(errors):
    assert pattern("a", [(LINEAR, error) for error in errors]) is None


def test_a_memory_keeps_patterns_once_and_by_kind_of_task(memory):
    results = [(LINEAR, 3.0), (FOREST, 2.0), (BOOSTED, 1.0)]
    first = pattern("a", results, log_rows=2.5, skewness=0.1)
    assert memory.keep(first)
    assert not memory.keep(first)
    assert memory.keep(pattern("b", results, task="multiclass"))
    assert memory.keep(pattern("c", results, task="regression"))
    assert memory.recall("binary")[0] == first
    assert [p.table for p in memory.recall("multiclass")] == ["a", "b"]
    assert [p.table for p in memory.recall("regression")] == ["c"]


def test_what_is_no_pattern_passes_by(memory):
    good = pattern("a", [(LINEAR, 3.0), (FOREST, 2.0), (BOOSTED, 1.0)])
    memory.keep(good)
    whole = good.to_dict()
    spoiled = [
        "text",
        None,
        {},
        {**whole, "version": 2},
        {**whole, "trials": []},
        {**whole, "trials": [{"pipeline": {"no": 1}, "gain": 1.0}]},
        {**whole, "trials": [{"pipeline": LINEAR.to_dict(), "gain": "much"}]},
        {**whole, "features": {}},
        {**whole, "features": {**whole["features"], "log_rows": "x"}},
    ]
    for number, value in enumerate(spoiled):
        memory.store.store(f"binary/{number}", value, namespace=PATTERNS)
        with pytest.raises(ValueError):
            Pattern.from_dict(value)
    assert memory.recall("binary") == [good]


@pytest.mark.parametrize(
    ("spec", "space", "expected"),
    [
        (LINEAR, {"families": ["mlp"]}, None),
        (LINEAR, {"has_categories": True}, ("median", "onehot", {"alpha": 1.0})),
        (BOOSTED, {"has_categories": True}, ("none", "ordinal", {"learning_rate": 0.1})),
        (BOOSTED, {"has_missing": True}, ("none", "ordinal", {"learning_rate": 0.1})),
        (
            PipelineSpec("lightgbm", "mean", "native", "none", {"num_leaves": 1000}),
            {},
            ("none", "ordinal", {"num_leaves": 96}),
        ),
        (
            PipelineSpec("random_forest", "median", "target", "none", {"n_estimators": 400}),
            {"rows": 50_000},
            ("median", "ordinal", {"n_estimators": 150}),
        ),
        (PipelineSpec("linear", params={"n_jobs": 64}), {}, None),
        (PipelineSpec("linear", params={"alpha": float("nan")}), {}, None),
        (PipelineSpec("linear", params={"alpha": "1; import os"}), {}, None),
        (PipelineSpec("linear", params={"alpha": True}), {}, None),
        (PipelineSpec("k_nearest_neighbors", params={"weights": "other"}), {}, None),
        (PipelineSpec("linear", impute="guess"), {}, None),
        (PipelineSpec("no such family"), {}, None),
    ],
)
def test_a_pipeline_in_another_space(spec, space, expected):
    options = {"has_categories": False, "has_missing": False, "rows": 500, **space}
    rows = options.pop("rows")
    found = fit_to_space(spec, Space.of("binary", rows, **options))
    assert (found and (found.impute, found.encode, found.params)) == expected


def test_the_nearest_tables_come_first_and_say_most():
    results = [(LINEAR, 1.0), (FOREST, 2.0), (BOOSTED, 3.0)]
    known = [pattern(f"t{i}", results, log_rows=i / 4, kurtosis=7.0) for i in range(9)]
    found = nearest_tables(features(log_rows=1.0, kurtosis=7.0), known, SPACE)
    assert [n.table for n in found][:5] == ["t4", "t3", "t5", "t2", "t6"]
    assert found[0].distance == 0.0
    assert found[0].weight == 1.0 > found[1].weight == found[2].weight > found[3].weight
    spread = np.std([1.0, *(i / 4 for i in range(9))])
    assert found[1].distance == pytest.approx(0.25 / spread / np.sqrt(len(META_FEATURES)))
    assert nearest_tables(features(), [], SPACE) == []


def test_several_runs_on_one_table_are_one_neighbour():
    first = pattern("t", [(LINEAR, 1.0), (FOREST, 2.0), (BOOSTED, 3.0)])
    second = pattern("t", [(LINEAR, 3.0), (FOREST, 2.0), (SLOW, 1.0)])
    (only,) = nearest_tables(features(), [first, second], SPACE)
    gains = {spec.key: gain for spec, gain in only.trials}
    assert gains[LINEAR.key] == gains[SLOW.key] == 1.0  # the better of the two runs counts
    assert len(gains) == 4


def test_starts_are_the_best_of_several_families():
    worse = [PipelineSpec("linear", params={"alpha": 2.0**i}) for i in range(4)]
    near = PipelineSpec("k_nearest_neighbors", params={"n_neighbors": 5})
    results = [(BOOSTED, 1.0), (SLOW, 1.01), (FOREST, 1.1), (near, 2.0)]
    results += zip(worse, range(3, 7), strict=True)
    starts = choose_starts(nearest_tables(features(), [pattern("t", results)], SPACE))
    found = [PipelineSpec.from_dict(start["pipeline"]) for start in starts]
    assert found[:2] == [BOOSTED, FOREST]  # not two of one family where another is nearly as good
    assert starts[0] == {
        "pipeline": BOOSTED.to_dict(),
        "table": "t",
        "name": "t",
        "gain": 1.0,
        "expected": 1.0,
    }
    assert all(start["gain"] > 0 for start in starts)
    assert choose_starts([]) == []


def test_near_tables_outvote_far_ones():
    near = [
        pattern(f"near{i}", [(LINEAR, 1.0), (FOREST, 2.0), (BOOSTED, 3.0)], **everywhere(i / 100))
        for i in range(3)
    ]
    far = [
        pattern(
            f"far{i}", [(LINEAR, 3.0), (FOREST, 2.0), (BOOSTED, 1.0)], **everywhere(3 + i / 100)
        )
        for i in range(9)
    ]
    for tables in (near + far, far + near):
        starts = choose_starts(nearest_tables(features(), tables, SPACE))
        assert starts[0]["pipeline"]["family"] == "linear"


def test_habit_outvotes_far_tables_and_not_the_table_itself():
    usual = [LINEAR, FOREST]
    results = [(BOOSTED, 1.0), (FOREST, 3.0), (LINEAR, 9.0)]
    table = pattern("t", results, **everywhere(3.0))
    far = nearest_tables(everywhere(2.0), [table], SPACE)
    assert [s["pipeline"] for s in choose_starts(far, usual)][:2] == [s.to_dict() for s in usual]
    assert choose_starts(far, usual)[0]["name"] == ""
    same = nearest_tables(everywhere(3.0), [table], SPACE)
    assert choose_starts(same, usual)[0]["pipeline"] == BOOSTED.to_dict()
    assert choose_starts([], usual) == []
