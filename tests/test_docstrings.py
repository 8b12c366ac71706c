"""Every example in a docstring runs, and every public name of the rooms has one."""

import doctest
import importlib
import inspect
import os
import pkgutil

import pytest

import mlestar

LEFT_OUT = {"mlestar._core", "mlestar.__main__", "mlestar.agents.__main__"}


def modules():
    found = [module.name for module in pkgutil.walk_packages(mlestar.__path__, "mlestar.")]
    found = [n for n in found if n not in LEFT_OUT and not n.startswith("mlestar._core")]
    return ["mlestar", *found]


@pytest.mark.parametrize("name", modules())
def test_examples_run(name, tmp_path, monkeypatch):
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        pytest.skip(str(error))
    monkeypatch.chdir(tmp_path)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL
    result = doctest.testmod(module, optionflags=flags)
    assert result.failed == 0


@pytest.mark.parametrize(
    "room", ["metrics", "model_selection", "preprocessing", "ensemble", "memory"]
)
def test_public_names_have_numpydoc_with_an_example(room):
    module = importlib.import_module(f"mlestar.{room}")
    for name in module.__all__:
        value = getattr(module, name)
        text = inspect.getdoc(value)
        assert text, name
        if inspect.isfunction(value) and value.__module__.startswith("mlestar"):
            assert "Examples\n--------" in text, name


def test_examples_folder_runs(tmp_path, monkeypatch):
    folder = os.path.join(os.path.dirname(__file__), "..", "python", "examples")
    scripts = sorted(f for f in os.listdir(folder) if f.endswith(".py"))
    assert scripts
    monkeypatch.chdir(tmp_path)
    import subprocess
    import sys

    for script in scripts:
        path = os.path.abspath(os.path.join(folder, script))
        done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stderr
