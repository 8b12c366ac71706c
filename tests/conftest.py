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


# MLESTAR_TEST_POOL=4096 runs every test with all arrays of so many bytes and more in a pool.
POOL = os.environ.get("MLESTAR_TEST_POOL")


@pytest.fixture(scope="session")
def _session_pool():
    from mlestar.memory import HostPool

    # Small blocks on small pages, or each array of a few bytes would take a huge one.
    return HostPool(threshold=POOL, keep="256MiB", huge_pages=False) if POOL else None


@pytest.fixture(autouse=True)
def _under_the_pool(_session_pool):
    if _session_pool is None:
        yield
        return
    from mlestar.memory import use

    with use(_session_pool):
        yield


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
