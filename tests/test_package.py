"""The package as it is installed: import, build information, errors that help, typing."""

import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mlestar


def test_build_info():
    info = mlestar.build_info()
    assert set(info) == {"version", "compiler", "flags", "levels", "level", "threads", "cuda"}
    assert info["level"] in info["levels"]
    assert info["threads"] == mlestar.get_num_threads()
    assert mlestar.__version__ == info["version"]
    if info["cuda"] is not None:
        assert set(info["cuda"]) == {
            "architectures",
            "runtime",
            "driver",
            "devices",
            "why_no_device",
        }
        assert bool(info["cuda"]["devices"]) != bool(info["cuda"]["why_no_device"])


def test_import_time_beyond_numpy(run_python):
    code = (
        "import time, numpy; a = time.perf_counter(); import mlestar; "
        "print(time.perf_counter() - a)"
    )
    assert min(float(run_python(code)) for _ in range(5)) < 0.150


def test_a_core_that_does_not_load_says_how_to_build_it(run_python):
    code = (
        "import sys; sys.modules['mlestar._core'] = None\n"
        "try:\n    import mlestar\nexcept ImportError as error:\n    print(error)"
    )
    words = run_python(code)
    assert "compiled core could not be loaded" in words
    assert "pip install" in words


@pytest.mark.parametrize("level", {"bogus", "avx2", "avx512"} - set(mlestar.build_info()["levels"]))
def test_a_level_that_cannot_be_had_is_an_error(run_python, level):
    result = run_python("import mlestar", env={"MLESTAR_SIMD": level}, check=False)
    assert result.returncode == 1
    assert f"MLESTAR_SIMD is '{level}'" in result.stderr


@pytest.mark.parametrize("level", mlestar.build_info()["levels"])
def test_a_level_can_be_forced(run_python, level):
    assert (
        run_python(
            "import mlestar; print(mlestar.build_info()['level'])", env={"MLESTAR_SIMD": level}
        ).strip()
        == level
    )


def test_every_name_is_there():
    for name in mlestar.__all__:
        assert getattr(mlestar, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        mlestar.nonsense  # noqa: B018


def test_functions_pickle_under_their_public_name():
    from mlestar.metrics import roc_auc_score

    assert roc_auc_score.__module__ == "mlestar.metrics"
    assert pickle.loads(pickle.dumps(roc_auc_score)) is roc_auc_score


def test_typed_marker_and_stubs_are_shipped():
    folder = Path(mlestar.__file__).parent
    assert (folder / "py.typed").is_file()
    assert (folder / "_core" / "__init__.pyi").is_file()


def test_threads_can_be_set(run_python):
    assert (
        run_python(
            "import mlestar; print(mlestar.get_num_threads())", env={"MLESTAR_NUM_THREADS": "3"}
        ).strip()
        == "3"
    )
    assert (
        run_python(
            "import mlestar; print(mlestar.get_num_threads())", env={"OMP_NUM_THREADS": "5"}
        ).strip()
        == "5"
    )
    for count in (0, -1, 5000):
        with pytest.raises(ValueError, match=re.escape(f"threads is {count}")):
            mlestar.set_num_threads(count)


def test_threadpoolctl_knows_the_pool():
    from threadpoolctl import threadpool_info, threadpool_limits

    def ours():
        return [row["num_threads"] for row in threadpool_info() if row["internal_api"] == "mlestar"]

    before = mlestar.get_num_threads()
    assert ours() == [before]
    with threadpool_limits(1):
        assert mlestar.get_num_threads() == 1
    assert mlestar.get_num_threads() == before


def test_run_as_a_module():
    result = subprocess.run(
        [sys.executable, "-m", "mlestar", "--version"], capture_output=True, text=True, timeout=60
    )
    assert result.stdout.strip() == f"mlestar {mlestar.__version__}"
