"""The tree is held to the design: rooms, directions, mirror names, sizes, nothing heavy at import."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "python" / "mlestar"
CORE = ROOT / "cpp" / "core"

# Lower rooms know nothing of higher ones.
LAYERS = [
    {
        "_core",
        "_core_cuda",
        "_devices",
        "_files",
        "_jit",
        "_native",
        "_lazy",
        "_arrays",
        "_calls",
        "_threads",
        "exceptions",
    },
    {
        "metrics",
        "model_selection",
        "preprocessing",
        "impute",
        "feature_selection",
        "ensemble",
        "memory",
    },
    {"execution"},
    {"models", "pipeline", "evaluation", "config"},
    {"coordination"},
    {"search"},
    {"agents"},
    {"engine"},
    {"testing", "mcp", "_doctor", "_patch", "_program", "_report"},
    {"cli"},
    {"__main__"},
]
LAYER = {name: i for i, names in enumerate(LAYERS) for name in names}
# What a run loads only once it is needed may reach across where it is a function of the package itself.
ANYWHERE = {"mlestar"}


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path):
    relative = path.relative_to(PACKAGE)
    return relative.parts[0].removesuffix(".py")


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (
                f"{node.module}.{alias.name}" if node.module == "mlestar" else node.module
                for alias in node.names
            )


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    room = room_of(path)
    if room == "__init__":
        return
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] != "mlestar" or len(parts) < 2 or parts[1].startswith("__"):
            continue
        target = parts[1]
        if target in LAYER:
            assert LAYER[target] <= LAYER[room], f"{path} imports {name}"


def test_every_room_has_a_layer():
    rooms = {room_of(path) for path in modules()} - {"__init__"}
    assert rooms <= set(LAYER), rooms - set(LAYER)


def capabilities():
    return [
        path.relative_to(CORE).with_suffix("")
        for path in sorted(CORE.rglob("*.hpp"))
        if path.parent.name != "support" and not path.name.endswith(".kernels.hpp")
    ]


@pytest.mark.parametrize("capability", capabilities(), ids=str)
def test_one_name_in_every_room(capability):
    room, name = capability.parts
    assert (CORE / room / f"{name}.cpp").is_file()
    if (CORE / room / f"{name.split('_')[0]}.hpp").is_file() and "_" in name:
        return  # a part of the capability before the underscore
    assert (ROOT / "cpp" / "bindings" / f"{room}_{name}.cpp").is_file()
    if name == "labels":  # what metrics of labels share: no public name of its own
        return
    assert (PACKAGE / room / f"{name}.py").is_file()
    assert (ROOT / "tests" / room / f"test_{name}.py").is_file()
    assert (ROOT / "bench" / room / f"bench_{name}.py").is_file()
    assert (PACKAGE / "_core" / f"{room}.pyi").is_file()


def cuda_capabilities():
    return sorted(
        path.stem for path in (ROOT / "cpp" / "cuda").glob("*.cu") if path.stem != "devices"
    )


@pytest.mark.parametrize("stem", cuda_capabilities())
def test_cuda_has_the_cores_names(stem):
    room, name = stem.split("_", 1)
    assert (CORE / room / f"{name}.hpp").is_file()
    assert (ROOT / "cpp" / "cuda" / f"{stem}.hpp").is_file()
    assert (ROOT / "cpp" / "bindings" / f"cuda_{stem}.cpp").is_file()
    assert (PACKAGE / "_core_cuda" / f"{room}.pyi").is_file()
    assert (ROOT / "tests" / "cuda" / f"test_{stem}.py").is_file()


def test_core_knows_neither_python_nor_cuda():
    for path in CORE.rglob("*.[hc]pp"):
        text = path.read_text()
        assert not re.search(r"#include\s*[<\"](Python\.h|pybind11|numpy|cuda)", text), path


def test_support_knows_no_machine_learning():
    words = re.compile(
        r"\b(label|score|fold|metric|loss|class_?rows|predict\w*|model)\b", re.IGNORECASE
    )
    for path in (CORE / "support").iterdir():
        found = [word for word in words.findall(path.read_text()) if word]
        assert not found, (path, found)


def test_kernels_use_no_std_containers():
    for path in CORE.rglob("*.kernels.hpp"):
        text = path.read_text()
        assert "std::vector" not in text, path
        assert not re.search(r"#include <(vector|string|algorithm|map|memory|functional)>", text), (
            path
        )


def test_bindings_have_no_loops():
    for path in (ROOT / "cpp" / "bindings").iterdir():
        assert not re.search(r"^\s*(for|while) ?\(", path.read_text(), re.MULTILINE), path


def test_file_sizes():
    for path in [
        *CORE.rglob("*.[hc]pp"),
        *(ROOT / "cpp" / "bindings").iterdir(),
        *(ROOT / "cpp" / "cuda").iterdir(),
    ]:
        assert len(path.read_text().splitlines()) <= 400, path
    for path in [*modules(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")]:
        assert len(path.read_text().splitlines()) <= 600, path


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("__init__.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_packages_re_export_sorted(path):
    tree = ast.parse(path.read_text())
    exported = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
    )
    assert exported == sorted(exported)
    if path.parent != PACKAGE:
        defined = [n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        assert defined in ([], ["__getattr__"], ["__getattr__", "__dir__"])


def test_no_public_function_bears_its_modules_name():
    for path in modules():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                assert (
                    node.name != path.stem
                    or path.stem.startswith("_")
                    or room_of(path) in ("engine", "search")
                ), path


def test_import_loads_nothing_heavy(run_python):
    heavy = [
        "sklearn",
        "scipy",
        "torch",
        "pandas",
        "numba",
        "cupy",
        "matplotlib",
        "optuna",
        "lightgbm",
        "joblib",
    ]
    code = f"import sys, mlestar, mlestar.metrics; print([m for m in {heavy} if m in sys.modules])"
    assert run_python(code).strip() == "[]"


def test_nothing_of_this_machine_is_in_the_tree():
    pattern = re.compile("/" + "(root|home|work|farm)/")
    for folder in ("cpp", "python", "tests", "bench"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in (
                ".py",
                ".cpp",
                ".hpp",
                ".txt",
                ".md",
                ".toml",
                ".pyi",
            ):
                assert not pattern.search(path.read_text()), path
