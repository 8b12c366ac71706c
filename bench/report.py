"""The table of ratios: python -m bench.report [--save FILE] [--show FILE] [--summary] [--compare OLD NEW].

A time is the least of runs interleaved with the peers', on the same data, after the answers were compared.
The fraction of bandwidth is the data's bytes, read once, over the time and over what this machine reads from
memory: more than all of it where the data stay in a cache between the runs. Memory is what a call holds at its
peak beyond what was there before, ours and the yardstick's.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import mlestar
from bench.layouts import layout_rows
from bench.peak import extra_memory
from bench.row import LARGE, SMALL, Row
from bench.tables import markdown, ratio_of, summary
from mlestar.testing import core_calls

MODULES = [
    "bench.metrics.bench_classification",
    "bench.metrics.bench_confusion",
    "bench.metrics.bench_scoring_rules",
    "bench.metrics.bench_ranking",
    "bench.metrics.bench_curves",
    "bench.metrics.bench_multilabel",
    "bench.metrics.bench_retrieval",
    "bench.metrics.bench_regression",
    "bench.metrics.bench_clustering",
    "bench.metrics.bench_scorers",
    "bench.metrics.bench_resampling",
    "bench.metrics.bench_streaming",
    "bench.metrics.bench_user",
    "bench.model_selection.bench_splitters",
    "bench.model_selection.bench_groups",
    "bench.model_selection.bench_shuffles",
    "bench.model_selection.bench_exhaustive",
    "bench.model_selection.bench_gather",
    "bench.model_selection.bench_validation",
    "bench.model_selection.bench_stratification",
    "bench.model_selection.bench_temporal",
    "bench.preprocessing.bench_scale",
    "bench.preprocessing.bench_quantiles",
    "bench.preprocessing.bench_sketch",
    "bench.preprocessing.bench_impute",
    "bench.preprocessing.bench_encode",
    "bench.preprocessing.bench_discretize",
    "bench.preprocessing.bench_quantile_map",
    "bench.preprocessing.bench_target",
    "bench.ensemble.bench_greedy",
    "bench.ensemble.bench_convex",
    "bench.ensemble.bench_blending",
    "bench.memory.bench_pool",
    "bench.memory.bench_device",
    "bench.pipeline.bench_cache",
    "bench.pipeline.bench_stream",
    "bench.pipeline.bench_validation",
]
CUDA_MODULES = ["bench.cuda.bench_metrics_regression", "bench.cuda.bench_memory_device"]
CUDA_SIZES = [100_000_000, SMALL]
_SECONDS = {SMALL: 0.15, LARGE: 1.5}
_TOLERATED = 0.8  # a row may lose a fifth of its ratio to noise before the gate fails


def bandwidth() -> float:
    """Bytes a second that this machine reads, all threads together: a sum of squares, 256 MB."""
    data = np.full(16_000_000, 1.0)
    # Written to: pages of zeros that nobody has touched are one page, and no memory to read.
    other = np.full(16_000_000, 0.5)
    best = min(_timed(lambda: mlestar.metrics.mean_squared_error(data, other)) for _ in range(25))
    return (data.nbytes + other.nbytes) / best


def _timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(row: Row, seconds: float) -> dict[str, float]:
    """Least time of each call, ours first in every round."""
    calls = {"mlestar": row.ours, **row.peers}
    best = dict.fromkeys(calls, float("inf"))
    loops = {name: max(1, int(2e-4 / max(_timed(call), 1e-9))) for name, call in calls.items()}
    end = time.perf_counter() + seconds
    rounds = 0
    while rounds < 3 or time.perf_counter() < end:
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(loops[name]):
                call()
            best[name] = min(best[name], (time.perf_counter() - start) / loops[name])
        rounds += 1
        if rounds >= 200:
            break
    return {k: v if k == "mlestar" else v * row.peer_scale for k, v in best.items()}


def answered_in_core(row: Row) -> str:
    """Who answers the row's call."""
    if not row.counted:
        return "core"
    before = core_calls().get(row.counted, {"core": 0})["core"]
    row.ours()
    return "core" if core_calls()[row.counted]["core"] > before else "fallback"


def run(sizes: list[int], layouts: bool, modules: list[str]) -> list[dict[str, Any]]:
    """Every row measured."""
    results = []
    for size in sizes:
        for module in modules:
            if size == SMALL and module.endswith(("greedy", "convex")):
                continue
            rows = import_module(module).rows(size)
            seconds = _SECONDS[SMALL] if size <= SMALL else _SECONDS[LARGE]
            results += [_result(row, seconds, module) for row in rows]
    if layouts:
        results += [_result(row, 0.4, "bench.layouts") for row in layout_rows()]
    return results


def _result(row: Row, seconds: float, module: str) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        row.check()
        times = measure(row, seconds)
        core = answered_in_core(row)
        memory = None
        if row.size >= LARGE:
            memory = {name: extra_memory(call) for name, call in _pair(row)}
    print(f"{row.name} ({row.size})", file=sys.stderr, flush=True)
    return {
        "name": row.name,
        "size": row.size,
        "times": times,
        "core": core,
        "memory": memory,
        "nbytes": row.nbytes,
        "part": module.removeprefix("bench.").replace("bench_", "").replace(".", "/"),
    }


def _pair(row: Row) -> list[tuple[str, Callable[[], Any]]]:
    return [("mlestar", row.ours), *list(row.peers.items())[:1]]


def compare(old: Path, new: Path) -> int:
    """Fail where a ratio to the yardstick has fallen by more than a fifth."""

    def ratios(path: Path) -> dict[tuple[str, int], float]:
        found = {}
        for r in json.loads(path.read_text())["results"]:
            ratio = ratio_of(r)
            if ratio is not None:
                found[r["name"], r["size"]] = ratio
        return found

    before, after = ratios(old), ratios(new)
    worse = [
        f"{name}, n = {size}: {before[name, size]:.1f}x before, {value:.1f}x now"
        for (name, size), value in after.items()
        if (name, size) in before and value < _TOLERATED * before[name, size]
    ]
    missing = [f"{name}, n = {size}: gone" for name, size in before.keys() - after.keys()]
    for line in worse + missing:
        print(line)
    print(f"{len(after)} rows, {len(worse)} slower, {len(missing)} gone")
    return 1 if worse or missing else 0


def main() -> int:
    """Measure and print, show what was saved, or compare two saved runs."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__)
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--show", type=Path, metavar="FILE", help="print what was saved")
    parser.add_argument("--summary", action="store_true", help="one line a part, and some rows")
    parser.add_argument("--sizes", type=int, nargs="+", metavar="N")
    parser.add_argument("--cuda", action="store_true", help="the rows that need a GPU, only those")
    parser.add_argument(
        "--no-layouts", action="store_true", help="leave the dtype and layout table out"
    )
    parser.add_argument(
        "--only", default="", metavar="PART", help="modules whose name has this part"
    )
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("OLD", "NEW"))
    arguments = parser.parse_args()
    if arguments.compare:
        return compare(*arguments.compare)
    saved = json.loads(arguments.show.read_text()) if arguments.show else _measured(arguments)
    print((summary if arguments.summary else markdown)(saved))
    if arguments.save:
        arguments.save.write_text(json.dumps(saved, indent=1))
    return 0


def _measured(arguments: argparse.Namespace) -> dict[str, Any]:
    info = mlestar.build_info()
    cuda: Any = info["cuda"]
    if arguments.cuda and not (cuda and cuda["devices"]):
        raise SystemExit("--cuda needs the CUDA module and a GPU: see mlestar doctor")
    reading = import_module(CUDA_MODULES[0]).reads if arguments.cuda else bandwidth
    before = reading()
    results = run(
        arguments.sizes or (CUDA_SIZES if arguments.cuda else [LARGE, SMALL]),
        not (arguments.no_layouts or arguments.cuda),
        [m for m in (CUDA_MODULES if arguments.cuda else MODULES) if arguments.only in m],
    )
    where = cuda["devices"] if arguments.cuda else [info["level"], f"{info['threads']} threads"]
    machine = [f"mlestar {info['version']}", *where, f"Python {platform.python_version()}"]
    # A neighbour may have had the memory for a moment: the better of two.
    reads = max(before, reading())
    return {"info": info, "machine": machine, "reads": reads, "results": results}


if __name__ == "__main__":
    raise SystemExit(main())
