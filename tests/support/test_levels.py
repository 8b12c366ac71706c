"""No level's code leaks into another: what the object files say."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def kernel_objects():
    root = Path(__file__).resolve().parents[2]
    # Release builds only: sanitizers add symbols of their own.
    found = [
        path
        for path in sorted(root.glob("build/**/kernels/*.avx*.cpp.o"))
        if not {"asan", "asan-python", "tsan", "dev"} & set(path.parts)
    ]
    if not found or shutil.which("nm") is None:
        pytest.skip("no object files of a build in this tree")
    return found


def test_kernels_define_nothing_but_their_table(kernel_objects):
    for path in kernel_objects:
        symbols = subprocess.run(
            ["nm", "-C", path], capture_output=True, text=True, check=True
        ).stdout
        for line in symbols.splitlines():
            kind, name = re.match(r"^[0-9a-f ]{16} (\S) (.*)$", line).groups()
            # Weak symbols (V, W, u) could be taken by the linker for the baseline's of the same name.
            assert kind not in "VvWwu", (path.name, line)
            if kind in "TDRB":
                assert name.endswith("_table"), (path.name, line)
