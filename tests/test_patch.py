"""scikit-learn's names rebound to ours, and given back."""

import functools
import io
import logging
import os
import subprocess
import sys
import textwrap
import threading
import types

import numpy as np
import pytest
import sklearn.metrics
import sklearn.model_selection
from sklearn.metrics import f1_score as imported_before

import mlestar
from mlestar import _calls, _patch
from mlestar.metrics import accuracy_score as asked_for_ours
from mlestar.testing import core_calls


@pytest.fixture(autouse=True)
def _unpatched():
    yield
    mlestar.unpatch_sklearn()
    assert _calls.warnings_enabled()
    assert _calls._observer is None


def snapshot():
    """What every global of every module is bound to, and what the scorers call."""
    found = {
        (name, key): value
        for name, module in list(sys.modules.items())
        if isinstance(module, types.ModuleType) and name.partition(".")[0] != "mlestar"
        for key, value in list(vars(module).items())
        if callable(value)
    }
    scorers = sklearn.metrics._scorer._SCORERS
    return found | {("scorer", key): s._score_func for key, s in scorers.items()}


def test_the_table_is_every_name_that_both_have():
    rows = _patch.table()
    assert rows["sklearn.metrics.f1_score"] is mlestar.metrics.f1_score
    assert rows["sklearn.metrics.get_scorer"] is mlestar.metrics.get_scorer
    assert rows["sklearn.model_selection.KFold"] is mlestar.model_selection.KFold
    assert "sklearn.metrics.RocCurveDisplay" not in rows
    assert all(hasattr(sys.modules[d.rpartition(".")[0]], d.rpartition(".")[2]) for d in rows)
    assert len(rows) >= 30


def test_everything_is_rebound_and_given_back():
    import sklearn.ensemble  # noqa: F401  a module that imports names of the table

    before = snapshot()
    originals = {d: before[tuple(d.rsplit(".", 1))] for d in _patch.table()}
    mlestar.patch_sklearn()
    during = snapshot()
    for dotted, mine in _patch.table().items():
        package, name = dotted.rsplit(".", 1)
        assert during[package, name] is mine
        assert during[originals[dotted].__module__, name] is mine
        assert not any(value is originals[dotted] for value in during.values()), dotted
    assert during["sklearn.ensemble._forest", "r2_score"] is mlestar.metrics.r2_score
    assert during["sklearn.model_selection._split", "KFold"] is mlestar.model_selection.KFold
    assert during["scorer", "roc_auc_ovo"] is mlestar.metrics.roc_auc_score
    assert during[__name__, "imported_before"] is mlestar.metrics.f1_score
    assert imported_before is mlestar.metrics.f1_score
    mlestar.unpatch_sklearn()
    after = snapshot()
    assert before.keys() == after.keys()
    assert [key for key in before if before[key] is not after[key]] == []
    assert asked_for_ours is mlestar.metrics.accuracy_score


def test_only_the_names_asked_for():
    with mlestar.patch_sklearn(["f1_score", "sklearn.metrics.r2_score"]) as patch:
        assert patch.names == ["sklearn.metrics.f1_score", "sklearn.metrics.r2_score"]
        assert repr(patch) == "<patch of 2 names of scikit-learn>"
        assert sklearn.metrics.f1_score is mlestar.metrics.f1_score
        assert sklearn.metrics.accuracy_score is not mlestar.metrics.accuracy_score
        scorers = sklearn.metrics._scorer._SCORERS
        assert scorers["f1_macro"]._score_func is mlestar.metrics.f1_score
        assert scorers["accuracy"]._score_func is not mlestar.metrics.accuracy_score
    with pytest.raises(ValueError, match="'f1_scor', which .* did you mean 'f1_score'"):
        mlestar.patch_sklearn(["f1_scor"])
    with pytest.raises(ValueError, match="there are"):
        mlestar.patch_sklearn("zzz")
    with pytest.raises(ValueError, match="zzz"):
        mlestar.unpatch_sklearn("zzz")
    with pytest.raises(ValueError, match="holds 3,"):
        mlestar.patch_sklearn([3])


def test_nesting_and_repetition():
    original = sklearn.metrics.f1_score
    ours = mlestar.metrics.f1_score
    with mlestar.patch_sklearn("f1_score") as outer:
        with mlestar.patch_sklearn():
            assert sklearn.metrics.f1_score is ours
        assert sklearn.metrics.f1_score is ours
        assert sklearn.metrics.r2_score is not mlestar.metrics.r2_score
    assert sklearn.metrics.f1_score is original
    with outer, outer:  # again, twice
        assert sklearn.metrics.f1_score is ours
    assert sklearn.metrics.f1_score is original
    mlestar.patch_sklearn()
    mlestar.patch_sklearn()
    with mlestar.patch_sklearn():
        pass
    assert sklearn.metrics.f1_score is ours
    mlestar.unpatch_sklearn("f1_score")
    assert sklearn.metrics.f1_score is original
    assert sklearn.metrics.r2_score is mlestar.metrics.r2_score
    mlestar.unpatch_sklearn()
    assert sklearn.metrics.r2_score is not mlestar.metrics.r2_score
    mlestar.unpatch_sklearn()
    with mlestar.patch_sklearn():
        mlestar.unpatch_sklearn()
        assert sklearn.metrics.f1_score is original
    assert sklearn.metrics.f1_score is original
    with pytest.raises(ZeroDivisionError), mlestar.patch_sklearn():
        raise ZeroDivisionError
    assert sklearn.metrics.f1_score is original


def test_what_was_bound_anew_is_left_alone(monkeypatch):
    module = types.ModuleType("somebodys")
    module.f1_score = module.score = sklearn.metrics.f1_score
    monkeypatch.setitem(sys.modules, "somebodys", module)
    with mlestar.patch_sklearn():
        assert module.f1_score is module.score is mlestar.metrics.f1_score
        module.f1_score = len
    assert module.f1_score is len
    assert module.score is sklearn.metrics.f1_score


def test_modules_imported_while_patched(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "late_theirs.py").write_text(
        "from sklearn.metrics import f1_score, r2_score as r2\n"
    )
    (tmp_path / "late_ours.py").write_text(
        "from mlestar.metrics import f1_score\nfrom sklearn.metrics import r2_score\n"
    )
    with mlestar.patch_sklearn():
        import late_ours
        import late_theirs

        assert late_theirs.f1_score is late_ours.f1_score is mlestar.metrics.f1_score
        assert late_theirs.r2 is mlestar.metrics.r2_score
    assert late_theirs.f1_score is sklearn.metrics.f1_score
    assert late_theirs.r2 is late_ours.r2_score is sklearn.metrics.r2_score
    assert late_ours.f1_score is mlestar.metrics.f1_score
    del sys.modules["late_ours"], sys.modules["late_theirs"]


def test_order_of_import_does_not_matter(run_python):
    first = "import mlestar; mlestar.patch_sklearn()"
    second = "from sklearn.metrics import f1_score; from sklearn.model_selection import KFold"
    third = "import sklearn.ensemble, sklearn.linear_model"
    for lines in ([first, second, third], [second, first, third], [second, third, first]):
        code = "\n".join([*lines, "print(f1_score.__module__, KFold.__module__)",
                          "print(sklearn.ensemble._forest.accuracy_score.__module__)",
                          "mlestar.unpatch_sklearn()",
                          "print(f1_score.__module__, sklearn.ensemble._forest.accuracy_score.__module__)"])  # fmt: skip
        assert run_python(code).split() == [
            "mlestar.metrics", "mlestar.model_selection", "mlestar.metrics",
            "sklearn.metrics._classification", "sklearn.metrics._classification",
        ]  # fmt: skip


def test_nothing_is_loaded_before_it_is_called(run_python):
    code = "import sys, mlestar; mlestar.patch_sklearn; print('sklearn' in sys.modules)"
    assert run_python(code).strip() == "False"


BAD = [
    ("f1_score", ([0, 1, 2], [0, 1]), {}),
    ("f1_score", ([0, 1, 2], [0, 1, 1]), {}),
    ("f1_score", ([0, 1], [0, 1]), {"average": "nonsense"}),
    ("precision_score", ([0.5, 1.5], [0, 1]), {}),
    ("accuracy_score", ([], []), {}),
    ("accuracy_score", (None, [0, 1]), {}),
    ("roc_auc_score", ([0, 1, 1], [0.1, np.nan, 0.3]), {}),
    ("roc_auc_score", ([0, 1, 2], [0.1, 0.2, 0.3]), {}),
    ("mean_squared_error", ([1.0, np.inf], [1.0, 2.0]), {}),
    ("mean_squared_error", ([1.0, 2.0], [1.0, 2.0]), {"multioutput": "nonsense"}),
    ("confusion_matrix", ([0, 1], [0, 1]), {"labels": [7]}),
    ("log_loss", ([0, 1], [[0.2, 0.3, 0.5]] * 2), {}),
    ("matthews_corrcoef", ([[0, 1]], [[0, 1]]), {}),
    ("train_test_split", (), {}),
    ("train_test_split", ([1, 2],), {"test_size": 7}),
    ("make_scorer", (3,), {}),
    ("get_scorer", ("nonsense",), {}),
    ("check_scoring", (3,), {}),
]


@pytest.mark.parametrize(("name", "arguments", "options"), BAD)
def test_errors_are_scikit_learns_own(name, arguments, options):
    room = sklearn.model_selection if name == "train_test_split" else sklearn.metrics
    with pytest.raises((ValueError, TypeError)) as expected:
        getattr(room, name)(*arguments, **options)
    with mlestar.patch_sklearn():
        assert getattr(room, name).__module__.startswith("mlestar")
        with pytest.raises(type(expected.value)) as found:
            getattr(room, name)(*arguments, **options)
    assert str(found.value) == str(expected.value)


GOOD = [
    ("f1_score", ([[0, 1], [1, 1]], [[0, 1], [1, 0]]), {"average": "macro"}),
    ("accuracy_score", ([[0, 1], [1, 1]], [[0, 1], [1, 0]]), {}),
    ("roc_auc_score", ([0, 1, 2, 2], np.eye(3)[[0, 1, 2, 1]]), {"multi_class": "ovo"}),
    ("roc_auc_score", ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), {"max_fpr": 0.5}),
    ("classification_report", ([0, 1, 2, 1], [0, 1, 1, 1]), {"zero_division": 0}),
    ("roc_curve", ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), {}),
    ("precision_recall_curve", ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), {}),
    ("v_measure_score", ([0, 0, 1], [1, 1, 0]), {}),
    ("balanced_accuracy_score", ([0, 1, 1], [0, 1, 0]), {}),
]


@pytest.mark.parametrize(("name", "arguments", "options"), GOOD)
def test_what_calls_patched_functions_keeps_working(name, arguments, options):
    function = getattr(sklearn.metrics, name)
    expected = function(*arguments, **options)
    with mlestar.patch_sklearn():
        # Through the patched name, and scikit-learn's original with patched globals.
        for found in (getattr(sklearn.metrics, name), function):
            same(found(*arguments, **options), expected)


def same(found, expected):
    if isinstance(expected, tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other)
    elif isinstance(expected, str):
        assert found == expected
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_displays():
    pytest.importorskip("matplotlib").use("agg")
    with mlestar.patch_sklearn():
        display = sklearn.metrics.ConfusionMatrixDisplay.from_predictions([0, 1, 1], [0, 1, 0])
    assert display.confusion_matrix.tolist() == [[1, 0], [1, 1]]


def test_cross_validation_is_answered_here():
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import GridSearchCV, cross_validate
    from sklearn.naive_bayes import GaussianNB

    X, y = load_breast_cancer(return_X_y=True)
    scoring = ["roc_auc", "neg_log_loss", "f1"]
    expected = cross_validate(GaussianNB(), X, y, scoring=scoring)
    with mlestar.patch_sklearn():
        before = core_calls()
        found = cross_validate(GaussianNB(), X, y, scoring=scoring)
        after = core_calls()
        for name in ("roc_auc_score", "log_loss", "f1_score"):
            assert after[name]["core"] == before.get(name, {"core": 0})["core"] + 5
        assert after["StratifiedKFold"]["core"] > before.get("StratifiedKFold", {"core": 0})["core"]
        grid = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}, scoring="roc_auc")
        grid = grid.set_params(n_jobs=2).fit(X, y)
    for name in scoring:
        np.testing.assert_allclose(found[f"test_{name}"], expected[f"test_{name}"], rtol=1e-12)
    assert grid.best_score_ > 0.9


def test_metric_warnings_are_off_while_patched():
    assert _calls.warnings_enabled()
    with mlestar.patch_sklearn("f1_score"):
        assert not _calls.warnings_enabled()
        with mlestar.patch_sklearn("r2_score"):
            pass
        assert not _calls.warnings_enabled()
    assert _calls.warnings_enabled()
    with _calls.internal_calls():
        assert not _calls.warnings_enabled()
        seen = []
        other = threading.Thread(target=lambda: seen.append(_calls.warnings_enabled()))
        other.start()
        other.join()
        assert seen == [True]
    assert _calls.warnings_enabled()


def test_worker_processes_are_silent_too_and_run_ours(run_python):
    code = textwrap.dedent("""
        import mlestar, os, joblib, sklearn.metrics
        from mlestar._calls import warnings_enabled
        with mlestar.patch_sklearn():
            jobs = [joblib.delayed(warnings_enabled)(), joblib.delayed(sklearn.metrics.r2_score)([1, 2], [1, 2])]
            print(*joblib.Parallel(n_jobs=2)(jobs))
        print(warnings_enabled(), "MLESTAR_PATCHED" in os.environ)
    """)
    assert run_python(code).split() == ["False", "1.0", "True", "False"]


def test_threads():
    """Blocks of several threads: patched inside every one of them, and not after the last."""
    original = sklearn.metrics.f1_score
    errors, start = [], threading.Barrier(4)

    def work():
        start.wait()
        for _ in range(5):
            with mlestar.patch_sklearn(["f1_score", "accuracy_score"]):
                if sklearn.metrics.f1_score is not mlestar.metrics.f1_score:
                    errors.append("not patched")
                if sklearn.metrics.f1_score([0, 1, 1], [0, 1, 1]) != 1.0:
                    errors.append("wrong")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sklearn.metrics.f1_score is original


def test_lazy_modules_stay_unloaded(monkeypatch, tmp_path):
    import importlib.util

    (tmp_path / "lazy_one.py").write_text("1 / 0")
    spec = importlib.util.spec_from_file_location("lazy_one", tmp_path / "lazy_one.py")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "lazy_one", module)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "none_at_all", None)
    monkeypatch.setitem(sys.modules, "no_module", object())
    with mlestar.patch_sklearn():
        assert sklearn.metrics.f1_score is mlestar.metrics.f1_score


def log_of(call):
    """What is logged while a call runs in a verbose patch."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("mlestar.patch")
    logger.addHandler(handler)
    try:
        with mlestar.patch_sklearn(verbose=True):
            call()
    finally:
        logger.removeHandler(handler)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: m.f1_score([0, 1], [0, 1]), "f1_score: answered by mlestar"),
        (lambda m: m.mean_squared_error([1, np.nan], [1, 2]), "y_true holds NaN or infinity"),
        (lambda m: m.accuracy_score([1, 2], [1]), "lengths differ: y_true 2, y_pred 1"),
        (lambda m: m.accuracy_score(np.array([0, 1], "O"), [0, 1]), "y_true holds objects"),
        (
            lambda m: m.accuracy_score([0, 1], [0, 1], sample_weight=np.ones(2, "f2")),
            "sample_weight is of dtype float16",
        ),
        (
            lambda m: m.f1_score([[1, 2]], [[1, 0]], average="micro"),
            "a multilabel-indicator target",
        ),
        (
            lambda m: m.silhouette_score([[0.0], [1.0], [9.0]], [0, 0, 1], metric="l1"),
            "metric='l1'",
        ),
        (lambda m: m.accuracy_score(Sparse(), Sparse()), "y_true is a sparse matrix"),
        (lambda m: m.accuracy_score(Ma([0, 1]), [0, 1]), "y_true is a MaskedArray"),
    ],
)
def test_verbose_says_who_answered_and_why(call, words):
    def quietly():
        try:
            call(sklearn.metrics)
        except (TypeError, ValueError):
            pass

    lines = log_of(quietly)
    assert len(lines) == 1, lines
    assert lines[0].startswith("sklearn.metrics.")
    assert words in lines[0]


def Sparse():  # noqa: N802
    from scipy.sparse import csr_matrix

    return csr_matrix([[0, 1], [1, 1]])


Ma = functools.partial(np.ma.masked_array, mask=False)


def test_verbose_reaches_standard_error_and_ends(run_python):
    code = textwrap.dedent("""
        import mlestar, logging, contextlib, sys
        from sklearn.metrics import r2_score
        from sklearn.model_selection import KFold
        with contextlib.redirect_stderr(sys.stdout):
            with mlestar.patch_sklearn(verbose=True):
                r2_score([1, 2, 3], [1, 2, 3])
                list(KFold(2).split([1, 2, 3]))
            r2_score([1, 2, 3], [1, 2, 3])
            mlestar.metrics.r2_score([1, 2, 3], [1, 2, 3])
        print(logging.getLogger("mlestar.patch").handlers)
    """)
    assert run_python(code).splitlines() == [
        "INFO:mlestar.patch: sklearn.metrics.r2_score: answered by mlestar",
        "INFO:mlestar.patch: sklearn.model_selection.KFold: answered by mlestar",
        "[]",
    ]


def run_cli(*arguments, cwd=None, module=False):
    return subprocess.run(
        [sys.executable, "-m", "mlestar", "patch", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )


SCRIPT = """
import atexit, pickle, sys
from helper import asked
from sklearn.metrics import f1_score

class Own:
    pass

atexit.register(lambda: print("exit", __name__, sys.modules["__main__"].Own is Own))

if __name__ == "__main__":
    print(sys.argv, __file__, asked(), f1_score.__module__, type(pickle.loads(pickle.dumps(Own()))))
    if "--fail" in sys.argv:
        raise RuntimeError("on purpose")
    if "--missing" in sys.argv:
        open("/no/such/file")
    sys.exit(int(sys.argv[-1]))
"""


@pytest.fixture
def program(tmp_path):
    (tmp_path / "helper.py").write_text(
        "from sklearn.metrics import accuracy_score\ndef asked(): return accuracy_score.__module__\n"
    )
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "__main__.py").write_text("import sys; print(__name__, sys.argv)")
    return tmp_path / "script.py"


def test_the_command_runs_a_script_as_python_does(program, tmp_path):
    done = run_cli(program, "--data", "-m", "3", cwd="/")
    plain = subprocess.run(
        [sys.executable, str(program), "--data", "-m", "3"], capture_output=True, text=True, cwd="/"
    )
    assert done.returncode == plain.returncode == 3
    assert done.stderr == plain.stderr == ""
    assert done.stdout == plain.stdout.replace("sklearn.metrics._classification", "mlestar.metrics")
    assert "exit __main__ True" in done.stdout


def test_the_command_shows_errors_as_python_does(program):
    for flag in ("--fail", "--missing"):
        done = run_cli(program, flag)
        plain = subprocess.run([sys.executable, str(program), flag], capture_output=True, text=True)
        assert done.returncode == plain.returncode == 1
        assert done.stderr == plain.stderr
    program.write_text("if True:\n")
    done = run_cli(program)
    plain = subprocess.run([sys.executable, str(program)], capture_output=True, text=True)
    assert done.returncode == plain.returncode == 1
    assert done.stderr.splitlines()[-1] == plain.stderr.splitlines()[-1]
    done = run_cli(program.with_name("absent.py"))
    assert done.returncode == 2
    assert "can't open file" in done.stderr


def test_the_command_runs_modules_and_folders(program):
    done = run_cli("-m", "script", "5", cwd=program.parent)
    assert done.returncode == 5, done.stderr
    assert "mlestar.metrics mlestar.metrics" in done.stdout
    done = run_cli("-m", "no_such_module_at_all")
    assert done.returncode == 1
    assert "No module named no_such_module_at_all" in done.stderr
    folder = program.parent / "folder"
    done = run_cli(folder, "a")
    assert done.stdout.strip() == f"__main__ {[str(folder), 'a']}"


def test_the_commands_own_options(program):
    done = run_cli("--verbose", "--names", "accuracy_score", program, "0")
    assert "mlestar.metrics sklearn.metrics._classification" in done.stdout
    done = run_cli("--names=f1_score", program, "0")
    assert "sklearn.metrics._classification mlestar.metrics" in done.stdout
    done = run_cli("--names", "nonsense", program)
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert run_cli("--help").returncode == 0
    assert run_cli().returncode == 2


def test_modules_that_cffi_made_have_no_namespace(run_python):
    for needed in ("mcp", "cryptography"):
        pytest.importorskip(needed)
    code = (
        "import sys, mcp, cryptography.hazmat.bindings.openssl.binding, mlestar\n"
        "assert '_openssl.lib' in sys.modules\n"
        "mlestar.patch_sklearn(); mlestar.unpatch_sklearn(); print('well')"
    )
    assert run_python(code).strip() == "well"
