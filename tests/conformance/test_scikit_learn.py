"""scikit-learn's own installed tests, with our names in place of its own."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import sklearn

HERE = Path(__file__).resolve().parent
MODULES = {
    "classification": "sklearn.metrics.tests.test_classification",
    "ranking": "sklearn.metrics.tests.test_ranking",
    "regression": "sklearn.metrics.tests.test_regression",
    "supervised": "sklearn.metrics.cluster.tests.test_supervised",
    "unsupervised": "sklearn.metrics.cluster.tests.test_unsupervised",
    "clusters": "sklearn.metrics.cluster.tests.test_common",
    "common": "sklearn.metrics.tests.test_common",
    "scorers": "sklearn.metrics.tests.test_score_objects",
    "split": "sklearn.model_selection.tests.test_split",
    "validation": "sklearn.model_selection.tests.test_validation",
    "scalers": "sklearn.preprocessing.tests.test_data",
    "scalers of missing values": "sklearn.preprocessing.tests.test_common",
    "encoders": "sklearn.preprocessing.tests.test_encoders",
    "labels": "sklearn.preprocessing.tests.test_label",
    "bins": "sklearn.preprocessing.tests.test_discretization",
    "targets": "sklearn.preprocessing.tests.test_target_encoder",
    "imputer": "sklearn.impute.tests.test_impute",
    "variances": "sklearn.feature_selection.tests.test_variance_threshold",
}
# What of a part is not run: the iterative imputer is scikit-learn's, and its tests are most of the time.
LEFT_OUT = {"imputer": "iterative"}
SPLITTERS = {
    "GroupKFold", "GroupShuffleSplit", "KFold", "LeaveOneGroupOut", "LeaveOneOut", "LeavePGroupsOut", "LeavePOut",
    "PredefinedSplit", "ShuffleSplit", "StratifiedGroupKFold", "StratifiedKFold", "StratifiedShuffleSplit",
    "train_test_split",
}  # fmt: skip

needs_tests = pytest.mark.skipif(
    not (Path(sklearn.__file__).parent / "metrics" / "tests").is_dir(),
    reason="this scikit-learn was installed without its tests",
)


@cache
def run(part, folder):
    """The tests of a part, once: pytest's result, and who answered, by name."""
    summary = Path(folder) / f"{part}.json"
    command = [
        sys.executable, "-m", "pytest", "--pyargs", MODULES[part], "-p", "swap", "-q", "-x", "--tb=short",
        "-p", "no:cacheprovider", "-p", "no:randomly", "--rootdir", folder, "-c", os.devnull,
        "-W", "ignore::pytest.PytestConfigWarning",
    ]  # fmt: skip
    if part in LEFT_OUT:
        command += ["-k", f"not {LEFT_OUT[part]}"]
    result = subprocess.run(
        command,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
            "MLESTAR_CONFORMANCE": str(summary),
        },
        capture_output=True,
        text=True,
        timeout=900,
        cwd=folder,
    )
    return result, json.loads(summary.read_text()) if summary.is_file() else {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where all parts run, so that a part runs once."""
    return str(tmp_path_factory.mktemp("conformance"))


@needs_tests
@pytest.mark.parametrize("part", MODULES)
def test_scikit_learns_own_tests_pass(part, folder):
    result, counts = run(part, folder)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
    print(part, result.stdout.strip().splitlines()[-1], counts)
    assert counts, "no call was counted"
    for name, counter in counts.items():
        core, declined = counter.get("core", 0), counter.get("declined", 0)
        assert core >= 0.9 * (core + declined), (name, counter)


@needs_tests
def test_at_least_62_scoring_functions_answer_in_the_core(folder):
    """Of all parts together: the scoring functions and the splitters."""
    answered = set()
    for part in MODULES:
        _, counts = run(part, folder)
        answered |= {name for name, counter in counts.items() if counter.get("core", 0)}
    own = own_names()
    print(
        f"{len(answered & own)} of {len(own)} own names answered:",
        sorted(own - answered),
        "not called",
    )
    assert answered >= SPLITTERS
    # scikit-learn's tests call the others with lists, or not at all.
    assert len((answered & own) - SPLITTERS) >= 62


def own_names():
    """Scoring functions that scikit-learn has too and the core computes, and the splitters."""
    import sklearn.metrics as theirs

    import mlestar.metrics as ours

    others = {"check_scoring", "get_scorer", "get_scorer_names", "make_scorer"}
    own = {
        name
        for name in theirs.__all__
        if getattr(vars(ours).get(name), "__module__", "") == "mlestar.metrics"
    }
    return own - others | SPLITTERS
