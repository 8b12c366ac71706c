"""What was measured, as tables: every row, or a line for each part and some rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.row import LARGE, SMALL

# Rows that stand for their part in the summary, at the large size.
SHOWN = [
    "accuracy_score",
    "f1_score macro, 10 classes",
    "classification_report",
    "log_loss, binary",
    "brier_score_loss",
    "roc_auc_score",
    "average_precision_score",
    "roc_curve",
    "mean_squared_error",
    "r2_score",
    "median_absolute_error",
    "adjusted_rand_score",
    "streaming ROCAUC",
    "KFold, 5 splits",
    "StratifiedKFold, 5 splits",
    "GroupKFold",
    "StratifiedShuffleSplit, 5 splits",
    "train_test_split, stratified, 20 columns",
    "a fold of n/2 rows of 50 columns, C order, shuffled",
    "StandardScaler fit",
    "StandardScaler transform into out",
    "SimpleImputer fit, median",
]


def markdown(saved: dict[str, Any]) -> str:
    """Every row, a table for each size."""
    results = saved["results"]
    parts = [machine(saved)]
    for size in sorted({r["size"] for r in results}, reverse=True):
        here = [r for r in results if r["size"] == size]
        ratios = [ratio for r in here if (ratio := ratio_of(r)) is not None]
        lines = [f"n = {size:,}".replace(",", " "), "", *_rows(here, saved["reads"])]
        if ratios:
            lines += ["", f"Geometric mean of the ratios: {_mean(ratios):.1f}x"]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def summary(saved: dict[str, Any]) -> str:
    """A line for each part, and the rows that stand for them."""
    lines = [
        machine(saved),
        "",
        "| part | rows | n = 2 000 000 | least | n = 1 000 | least |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for part in dict.fromkeys(r["part"] for r in saved["results"]):
        cells = []
        for size in (LARGE, SMALL):
            ratios = [
                ratio
                for r in saved["results"]
                if r["part"] == part
                and (r["size"] > SMALL) == (size > SMALL)
                and (ratio := ratio_of(r)) is not None
            ]
            cells += [f"{_mean(ratios):.1f}x | {min(ratios):.1f}x" if ratios else "– | –"]
        count = len({r["name"] for r in saved["results"] if r["part"] == part})
        lines.append(f"| {part} | {count} | {cells[0]} | {cells[1]} |")
    shown = [r for name in SHOWN for r in saved["results"] if r["name"] == name]
    lines += ["", *_rows([r for r in shown if r["size"] == LARGE], saved["reads"])]
    return "\n".join(lines)


def machine(saved: dict[str, Any]) -> str:
    """What it was measured on."""
    return f"{', '.join(saved['machine'])}; reads {saved['reads'] / 1e9:.0f} GB/s"


def _rows(results: list[dict[str, Any]], reads: float) -> list[str]:
    lines = [
        "| call | mlestar | yardstick | ratio | other peers | bandwidth | memory | by |",
        "|---|---:|---:|---:|---|---:|---:|---|",
    ]
    for r in results:
        mine = r["times"]["mlestar"]
        peers = [(k, v) for k, v in r["times"].items() if k != "mlestar"]
        first = f"{peers[0][0]} {_ms(peers[0][1])}" if peers else "–"
        ratio = ratio_of(r)
        others = ", ".join(f"{k} {_ms(v)} ({v / mine:.1f}x)" for k, v in peers[1:]) or "–"
        part = f"{r['nbytes'] / mine / reads:.0%}" if r["nbytes"] else "–"
        lines.append(
            f"| {r['name']} | {_ms(mine)} | {first} | {'–' if ratio is None else f'{ratio:.1f}x'} "
            f"| {others} | {part} | {_mebibytes(r.get('memory'))} | {r['core']} |"
        )
    return lines


def ratio_of(result: dict[str, Any]) -> float | None:
    """To the yardstick, which is the first peer; None where there is none."""
    times = [v for k, v in result["times"].items() if k != "mlestar"]
    return times[0] / result["times"]["mlestar"] if times else None


def _mean(ratios: list[float]) -> float:
    return float(np.exp(np.mean(np.log(ratios))))


def _mebibytes(memory: dict[str, int | None] | None) -> str:
    """Ours, and the yardstick's behind it."""
    known = [f"{value / 2**20:.0f}" for value in (memory or {}).values() if value is not None]
    return " / ".join(known) + " MiB" if known else "–"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} us" if seconds < 1e-4 else f"{seconds * 1e3:.3g} ms"
