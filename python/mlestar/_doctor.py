"""What is here, what is missing, and how to get it."""

from __future__ import annotations

import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from mlestar._native import _core, build_info
from mlestar.memory._sizes import readable


def report() -> str:
    """The doctor's findings as lines of text.

    Examples
    --------
    >>> from mlestar._doctor import report
    >>> report().splitlines()[0].startswith("mlestar ")
    True
    """
    info = build_info()
    levels = ", ".join(str(level) for level in info["levels"])  # type: ignore[attr-defined]
    lines = [
        f"mlestar {info['version']}, Python {platform.python_version()}, {platform.platform()}",
        f"core: {info['compiler']}, levels {levels} (in use: {info['level']}), "
        f"{info['threads']} threads",
        f"memory: {_memory()}",
        f"CUDA module: {_cuda(info['cuda'])}",
        f"GPU: {_gpu()}",
        "",
    ]
    for extra, packages in _extras().items():
        missing = [name for name in packages if _version(name) is None]
        state = "complete" if not missing else f"missing {', '.join(missing)}"
        lines.append(f"{extra or 'base'}: {state}")
        lines += [f"  {name} {_version(name)}" for name in packages if name not in missing]
        if missing and extra:
            lines.append(f"  get it with: pip install 'mlestar[{extra}]'")
    return "\n".join(lines)


def _cuda(info: Any) -> str:
    if info is None:
        return (
            "not built (pip install --config-settings=cmake.define.MLESTAR_CUDA=ON . "
            "in the source tree, with nvcc)"
        )
    built = f"for architectures {info['architectures']}, runtime {info['runtime'] / 1000:g}"
    if info["devices"]:
        return f"{built}, on {', '.join(info['devices'])}"
    return f"{built}, unused ({info['why_no_device']})"


def _memory() -> str:
    """What this process may have, by the machine and its cgroups, and what pools get from it."""
    total, available = _core.memory.room()
    if not total:
        return "unknown"
    pages = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    try:
        chosen = pages.read_text(encoding="ascii").partition("[")[2].partition("]")[0]
    except OSError:
        chosen = "never"
    return f"{readable(total)}, {readable(available)} available; huge pages: {chosen}"


def _gpu() -> str:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "none (nvidia-smi is not installed)"
    try:
        answer = subprocess.run(
            [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"none that answers ({error})"
    return answer.stdout.strip().replace("\n", "; ") or "none"


def _extras() -> dict[str, list[str]]:
    """Packages that each extra asks for, from the installed metadata; "" is the base."""
    found: dict[str, list[str]] = {"": [], "run": [], "torch": []}
    try:
        declared = requires("mlestar") or []
    except PackageNotFoundError:
        declared = ["numpy", "scikit-learn"]  # a source tree that is not installed
    for line in declared:
        requirement, _, marker = line.partition(";")
        name = requirement
        for separator in "<>=!~[ (":
            name = name.split(separator)[0]
        extra = marker.split("extra ==")[1].strip(" \"'") if "extra ==" in marker else ""
        if extra in found and name != "mlestar":
            found[extra].append(name)
    return found


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
