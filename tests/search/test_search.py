import pytest

for needed in ("optuna", "lightgbm"):
    pytest.importorskip(needed)

from mlestar.models import FAMILIES  # noqa: E402
from mlestar.pipeline import PipelineSpec, make_pipeline  # noqa: E402
from mlestar.search import BLOCKS, Space, ablate, propose, step_of  # noqa: E402
from mlestar.search.bandit import choose_sampler  # noqa: E402
from mlestar.search.sampler import Result, choices_of  # noqa: E402

SPACE = Space.of("binary", 1000, has_categories=True, has_missing=True)


def draws(results, seed, sampler):
    """Ten trials in a row; each sees one result more."""
    return [propose(SPACE, k, seed, results[: k + 3], sampler=sampler) for k in range(10)]


@pytest.mark.parametrize("sampler", ["tpe", "swarm"])
def test_the_same_seed_trial_and_results_give_the_same_pipeline(sampler):
    results = [
        Result(choices_of(spec, SPACE), float(i)) for i, spec in enumerate(SPACE.portfolio())
    ]
    first = draws(results, 3, sampler)
    assert first == draws(results, 3, sampler)
    assert first != draws(results, 4, sampler)
    assert len({str(p.spec) for p in first}) == 10
    assert {p.sampler for p in first} == {sampler}


@pytest.mark.parametrize("sampler", ["tpe", "swarm"])
def test_every_proposal_can_be_built(sampler):
    for k in range(60):
        base = SPACE.portfolio()[k % len(SPACE.portfolio())]
        block = (None, *BLOCKS)[k % 6]
        proposal = propose(SPACE, k, 0, [], base=base, block=block, sampler=sampler)
        make_pipeline(proposal.spec, "binary", [0, 5, 0])
        assert PipelineSpec.from_dict(proposal.spec.to_dict()) == proposal.spec


@pytest.mark.parametrize("block", ["impute", "encode", "scale", "params"])
def test_refining_a_block_keeps_the_others(block):
    base = PipelineSpec("lightgbm", "median", "onehot", "none", {"n_estimators": 77})
    for k in range(20):
        spec = propose(SPACE, k, 0, [], base=base, block=block).spec.to_dict()
        for name, value in base.to_dict().items():
            if name != block:
                assert spec[name] == value


def test_nothing_is_tried_twice_while_there_is_something_else():
    base = PipelineSpec("linear", "mean", "onehot", "standard", {"alpha": 0.5})
    tried = set()
    while (
        found := propose(SPACE, len(tried), 0, [], base=base, block="scale", tried=tried)
    ) is not None:
        assert found.spec.key not in tried
        tried.add(found.spec.key)
    assert len(tried) == 2  # standard and quantile: the block is exhausted, and says so


def test_ablation_changes_one_block_or_says_that_there_is_nothing_to_take():
    base = PipelineSpec("mlp", "median", "onehot", "quantile", {"width": 32})
    for block in BLOCKS:
        plain = ablate(base, block, SPACE)
        assert plain != base
        make_pipeline(plain, "binary", [0, 5])
    assert ablate(PipelineSpec("linear", "mean", "ordinal", "none"), "impute", SPACE) is None
    assert ablate(PipelineSpec("linear", "mean", "ordinal", "none"), "scale", SPACE) is None
    # A choice that is the family's default is nothing to take away.
    assert ablate(PipelineSpec("linear", params={"alpha": 1.0}), "params", SPACE) is None
    assert ablate(PipelineSpec("linear", params={"alpha": 0.5}), "params", SPACE) is not None
    numeric = Space.of("binary", 1000, has_categories=False, has_missing=False)
    assert ablate(base, "impute", numeric) is None
    assert ablate(base, "encode", numeric) is None


def test_the_schedule_leaves_a_window_before_it_refines():
    for window in (0, 1, 3):
        steps = [step_of(k, 5, window, None) for k in range(60)]
        for k, step in enumerate(steps):
            if step.purpose == "refine":
                ablations = [
                    j
                    for j, s in enumerate(steps)
                    if s.purpose == "ablation" and s.round == step.round
                ]
                assert max(ablations) < k - window
    assert [step_of(k, 12, 2, 6).purpose for k in range(6)] == ["search"] * 3 + ["ablation"] * 3


def test_families_are_checked():
    with pytest.raises(ValueError, match="'svm'"):
        Space.of("binary", 10, has_categories=False, has_missing=False, families=["svm"])
    with pytest.raises(ValueError, match="families is empty"):
        Space.of("binary", 10, has_categories=False, has_missing=False, families=[])
    large = Space.of("binary", 10**6, has_categories=False, has_missing=False)
    assert set(FAMILIES) - set(large.families) == {"k_nearest_neighbors"}
    for family in FAMILIES:
        only = Space.of("binary", 10, has_categories=True, has_missing=True, families=[family])
        assert {spec.family for spec in only.portfolio()} == {family}
        make_pipeline(only.plain(family), "binary", [0, 3])


def test_the_swarm_learns_the_best_family():
    results = []
    for k in range(60):
        found = propose(SPACE, k, 1, results, sampler="swarm")
        right = found.spec.family == "extra_trees"
        results.append(Result(found.choices, 0.0 if right else 1.0))
    late = [result.error for result in results[30:]]
    assert late.count(0.0) > 15


def test_the_bandit_asks_the_better_one_and_forgets_nobody():
    outcomes = [("tpe", k % 4 == 0) for k in range(40)] + [("swarm", k % 4 > 0) for k in range(40)]
    asked = [choose_sampler(["tpe", "swarm"], outcomes, 0, k) for k in range(400)]
    assert asked == [choose_sampler(["tpe", "swarm"], outcomes, 0, k) for k in range(400)]
    assert asked.count("swarm") > 390
    nobody = [choose_sampler(["tpe", "swarm"], [], 0, k) for k in range(400)]
    assert 150 < nobody.count("swarm") < 250
    assert {choose_sampler(["tpe"], outcomes, 0, k) for k in range(20)} == {"tpe"}
