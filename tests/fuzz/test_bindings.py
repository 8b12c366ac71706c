"""The fuzzer in a process of its own, so that a crash is a failure that names its seed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def fuzz(tmp_path, *options):
    progress = tmp_path / "progress"
    command = [sys.executable, str(HERE / "fuzz_bindings.py"), "--progress", str(progress)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=300)
    where = progress.read_bytes().rstrip(b"\0 ").decode()
    assert done.returncode == 0, f"{where}: {done.returncode}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.mark.parametrize("seed", [1, 2])
def test_no_call_crashes_or_reads_astray(seed, tmp_path):
    words = fuzz(tmp_path, "--seed", str(seed), "--calls", "4000", "--show")
    calls, functions = re.search(r"(\d+) calls of (\d+) functions", words).groups()
    assert int(calls) == 4000
    assert int(functions) >= 25
    # Most functions get past their first check.
    assert words.count("'answered'") > 0.5 * int(functions), words


def test_every_function_of_the_module_is_called(monkeypatch):
    monkeypatch.syspath_prepend(HERE)
    import fuzz_bindings

    from mlestar import _core

    names = {target.name for target in fuzz_bindings.targets()}
    for room in (
        _core.metrics,
        _core.model_selection,
        _core.preprocessing,
        _core.ensemble,
        _core.memory,
    ):
        for name, value in vars(room).items():
            if callable(value) and not isinstance(value, type):
                assert f"{room.__name__.removeprefix('mlestar._core.')}.{name}" in names
    assert {"ensemble.GreedySelection.__init__", "model_selection.Folds.split"} <= names
    assert fuzz_bindings.split("a: int, b: list[int, str], c: x = (1, 2)") == [
        "a: int",
        " b: list[int, str]",
        " c: x = (1, 2)",
    ]


def test_guarded_memory_is_guarded(tmp_path):
    """A read one element past the end of an input ends the process: the fuzzer can fail."""
    code = (
        f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
        "import ctypes, numpy as np\nfrom inputs import Inputs\n"
        "inputs = Inputs(np.random.default_rng(0))\n"
        "answers = iter([False, True])\ninputs.chance = lambda share: next(answers)\n"
        "data = inputs.buffer(800)\nassert data.sum() == 0\n"
        "ctypes.string_at(data.ctypes.data, 800)\nprint('inside', flush=True)\n"
        "ctypes.string_at(data.ctypes.data, 801)\nprint('outside')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "inside\n", done.stderr
    assert done.returncode < 0


def test_methods_of_none_are_type_errors(tmp_path):
    """Bound as a pointer to member, a method without named arguments takes None for an object."""
    code = (
        f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
        "import fuzz_bindings\n"
        "for target in fuzz_bindings.targets():\n"
        "    if target.parameters and target.parameters[0][0] == 'self':\n"
        "        print(target.name, flush=True)\n"
        "        try:\n"
        "            target.function(None, *[None] * (len(target.parameters) - 1))\n"
        "        except TypeError:\n"
        "            pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    last = done.stdout.strip().rpartition("\n")[2]
    assert done.returncode == 0, f"{last}: {done.stderr}; bind it with bindings/method.hpp"
