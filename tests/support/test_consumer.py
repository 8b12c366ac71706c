"""The installed core, linked by a program outside the tree."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_an_outside_program_builds_and_runs(tmp_path):
    cmake = shutil.which("cmake")
    version = (
        subprocess.run([cmake, "--version"], capture_output=True, text=True).stdout if cmake else ""
    )
    if not cmake or tuple(map(int, version.split()[2].split(".")[:2])) < (3, 28):
        pytest.skip("needs cmake 3.28 or later")

    def run(*command):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(
        cmake,
        "-S",
        ROOT,
        "-B",
        tmp_path / "core",
        "-DMLESTAR_PYTHON=OFF",
        "-DCMAKE_BUILD_TYPE=Release",
    )
    run(cmake, "--build", tmp_path / "core", "-j2")
    run(
        cmake,
        "--install",
        tmp_path / "core",
        "--prefix",
        tmp_path / "prefix",
        "--component",
        "development",
    )
    run(
        cmake,
        "-S",
        ROOT / "tests/cpp/consumer",
        "-B",
        tmp_path / "consumer",
        f"-DCMAKE_PREFIX_PATH={tmp_path / 'prefix'}",
    )
    run(cmake, "--build", tmp_path / "consumer")
    assert run(tmp_path / "consumer" / "consumer").strip() == "0.75"
