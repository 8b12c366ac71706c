"""The table of ratios: python -m bench.report [--cuda] [--save FILE] [--compare OLD NEW].

A time is the least of runs interleaved with the peers', on the same data, after the answers were compared.
The fraction of bandwidth is the data's bytes, read once, over the time and over what this machine reads.
Memory is what a call holds at its peak beyond what was there before, ours and the yardstick's.
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
from bench.memory import extra_memory
from bench.row import LARGE, SMALL, Row
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
]
CUDA_MODULES = ["bench.cuda.bench_metrics_regression"]
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


def run(sizes: list[int], reads: float, layouts: bool, modules: list[str]) -> list[dict[str, Any]]:
    """Every row measured."""
    results = []
    for size in sizes:
        for module in modules:
            if size == SMALL and module.endswith("greedy"):
                continue
            rows = import_module(module).rows(size)
            seconds = _SECONDS[SMALL] if size <= SMALL else _SECONDS[LARGE]
            results += [_result(row, seconds, reads) for row in rows]
    if layouts:
        results += [_result(row, 0.4, reads) for row in layout_rows()]
    return results


def _result(row: Row, seconds: float, reads: float) -> dict[str, Any]:
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
        "bandwidth": row.nbytes / times["mlestar"] / reads if row.nbytes else None,
    }


def _pair(row: Row) -> list[tuple[str, Callable[[], Any]]]:
    return [("mlestar", row.ours), *list(row.peers.items())[:1]]


def markdown(results: list[dict[str, Any]]) -> str:
    """The results as tables."""
    parts = []
    for size in sorted({r["size"] for r in results}, reverse=True):
        lines = [
            f"n = {size:,}".replace(",", " "),
            "",
            "| call | mlestar | yardstick | ratio | other peers | bandwidth | memory | by |",
            "|---|---:|---:|---:|---|---:|---:|---|",
        ]
        for r in (r for r in results if r["size"] == size):
            mine = r["times"]["mlestar"]
            peers = [(k, v) for k, v in r["times"].items() if k != "mlestar"]
            first = f"{peers[0][0]} {_ms(peers[0][1])}" if peers else "–"
            ratio = f"{peers[0][1] / mine:.1f}x" if peers else "–"
            others = ", ".join(f"{k} {_ms(v)} ({v / mine:.1f}x)" for k, v in peers[1:]) or "–"
            part = "–" if r["bandwidth"] is None else f"{r['bandwidth']:.0%}"
            lines.append(
                f"| {r['name']} | {_ms(mine)} | {first} | {ratio} | {others} | {part} "
                f"| {_mebibytes(r.get('memory'))} | {r['core']} |"
            )
        ratios = [
            next(v for k, v in r["times"].items() if k != "mlestar") / r["times"]["mlestar"]
            for r in results
            if r["size"] == size and len(r["times"]) > 1
        ]
        if ratios:
            lines += ["", f"Geometric mean of the ratios: {np.exp(np.mean(np.log(ratios))):.1f}x"]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _mebibytes(memory: dict[str, int | None] | None) -> str:
    """Ours, and the yardstick's behind it."""
    known = [f"{value / 2**20:.0f}" for value in (memory or {}).values() if value is not None]
    return " / ".join(known) + " MiB" if known else "–"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} us" if seconds < 1e-4 else f"{seconds * 1e3:.3g} ms"


def compare(old: Path, new: Path) -> int:
    """Fail where a ratio to the yardstick has fallen by more than a fifth."""

    def ratios(path: Path) -> dict[tuple[str, int], float]:
        found = {}
        for r in json.loads(path.read_text())["results"]:
            peers = [v for k, v in r["times"].items() if k != "mlestar"]
            if peers:
                found[r["name"], r["size"]] = peers[0] / r["times"]["mlestar"]
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
    """Measure and print, or compare two saved runs."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__)
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the results as JSON")
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
    info = mlestar.build_info()
    cuda: Any = info["cuda"]
    if arguments.cuda and not (cuda and cuda["devices"]):
        parser.error("--cuda needs the CUDA module and a GPU: see mlestar doctor")
    reads = import_module(CUDA_MODULES[0]).reads() if arguments.cuda else bandwidth()
    where = (
        ", ".join(cuda["devices"])
        if arguments.cuda
        else f"{info['level']}, {info['threads']} threads"
    )
    print(
        f"mlestar {info['version']}, {where}, Python {platform.python_version()}; "
        f"reads {reads / 1e9:.0f} GB/s\n"
    )
    results = run(
        arguments.sizes or (CUDA_SIZES if arguments.cuda else [LARGE, SMALL]),
        reads,
        not (arguments.no_layouts or arguments.cuda),
        [m for m in (CUDA_MODULES if arguments.cuda else MODULES) if arguments.only in m],
    )
    print(markdown(results))
    if arguments.save:
        arguments.save.write_text(
            json.dumps({"info": {**info, "bandwidth": reads}, "results": results}, indent=1)
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
