"""scikit-learn's own installed tests, with our names in place of its own."""

import json
import os
import subprocess
import sys
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
}
EXPECTED = {
    # accuracy_score is only called there on multilabel indicators; "common" has the rest.
    "classification": [
        "confusion_matrix",
        "f1_score",
        "log_loss",
        "brier_score_loss",
        "matthews_corrcoef",
        "multilabel_confusion_matrix",
    ],
    "ranking": ["roc_auc_score", "average_precision_score"],
    "regression": ["mean_squared_error", "r2_score"],
    "common": ["accuracy_score", "roc_auc_score", "mean_absolute_error", "root_mean_squared_error"],
    "scorers": ["accuracy_score", "f1_score", "log_loss", "r2_score", "roc_auc_score"],
    "split": ["KFold", "StratifiedKFold", "train_test_split"],
}


@pytest.mark.skipif(
    not (Path(sklearn.__file__).parent / "metrics" / "tests").is_dir(),
    reason="this scikit-learn was installed without its tests",
)
@pytest.mark.parametrize("part", MODULES)
def test_scikit_learns_own_tests_pass(part, tmp_path):
    summary = tmp_path / "summary.json"
    command = [
        sys.executable, "-m", "pytest", "--pyargs", MODULES[part], "-p", "swap", "-q", "-x", "--tb=short",
        "-p", "no:cacheprovider", "-p", "no:randomly", "--rootdir", str(tmp_path), "-c", os.devnull,
        "-W", "ignore::pytest.PytestConfigWarning",
    ]  # fmt: skip
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
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
    counts = json.loads(summary.read_text())
    print(part, result.stdout.strip().splitlines()[-1], counts)
    for name in EXPECTED[part]:
        assert counts.get(name, {}).get("core", 0) > 0, f"{name} was never answered in the core"
    for name, counter in counts.items():
        core, declined = counter.get("core", 0), counter.get("declined", 0)
        assert core >= 0.9 * (core + declined), (name, counter)
