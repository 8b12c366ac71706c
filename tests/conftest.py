"""What all tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlestar._calls import internal_calls

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))


@pytest.fixture
def rng():
    """A generator of the same numbers in every run."""
    return np.random.default_rng(20240917)


@pytest.fixture
def scikit_learns_warnings_only():
    """No MetricWarning, as where scikit-learn is patched: for tests that compare warnings."""
    with internal_calls():
        yield


@pytest.fixture
def run_python():
    """Run a snippet in a fresh interpreter; returns its standard output."""

    def run(code, *, env=None, timeout=120, check=True):
        result = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check:
            assert result.returncode == 0, result.stderr
        return result.stdout if check else result

    return run
