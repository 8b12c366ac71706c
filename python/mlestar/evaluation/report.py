"""The report of a run: one HTML file that opens offline."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mlestar._lazy import require
from mlestar.evaluation.style import ACCENT, CSS, MUTED, STRONG

_SHOWN = 40


@dataclass(frozen=True)
class ReportContent:
    """What a report says, as plain data.

    Attributes
    ----------
    title, task, metric : str
    greater_is_better : bool
    classes : sequence
    leaderboard : sequence of dict
        Rows of `Run.leaderboard`.
    analyses : sequence of dict
        Rows of `Run.ablation`.
    weights : sequence of (str, float)
    ensemble : dict or None
        ``score``, ``ci_low`` and ``ci_high``.
    choice : dict
        How the ensemble was chosen: ``method``, ``reason``, ``metric`` and ``alternatives``, each
        with ``method``, ``error``, ``gain``, ``interval`` and ``models``. May be empty.
    patterns : dict
        ``file``, ``known`` (how many patterns there were), ``neighbors`` (rows of ``name``,
        ``distance`` and ``weight``), ``starts`` (rows of ``pipeline``, ``name``, ``gain`` and
        ``score``) and ``kept``. May be empty.
    y, answer : ndarray or None
        Truth and out-of-fold answer of the ensemble.
    findings : sequence of dict
    settings, config : dict
    elapsed : float or None
    """

    title: str
    task: str
    metric: str
    greater_is_better: bool
    classes: Sequence[Any]
    leaderboard: Sequence[dict[str, Any]]
    analyses: Sequence[dict[str, Any]] = ()
    weights: Sequence[tuple[str, float]] = ()
    ensemble: dict[str, Any] | None = None
    choice: dict[str, Any] = field(default_factory=dict)
    patterns: dict[str, Any] = field(default_factory=dict)
    y: Any = None
    answer: Any = None
    findings: Sequence[dict[str, Any]] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    elapsed: float | None = None


class ReportGenerator:
    """Writes reports.

    Every string that comes from data is escaped; nothing is fetched when the file is opened.

    Examples
    --------
    >>> from mlestar import ReportGenerator
    >>> from mlestar.evaluation.report import ReportContent
    >>> content = ReportContent("<b>", "binary", "roc_auc", True, [0, 1], [])
    >>> page = ReportGenerator().generate(content)
    >>> "<b>" in page, "&lt;b&gt;" in page
    (False, True)
    """

    def write(self, content: ReportContent, path: str | Path) -> Path:
        """Write the report to a file, which appears whole or not at all."""
        path = Path(path)
        temporary = path.with_suffix(".part")
        temporary.write_text(self.generate(content), encoding="utf-8")
        temporary.replace(path)
        return path

    def generate(self, content: ReportContent) -> str:
        """The report as one HTML page."""
        sections = [
            _summary(content),
            _section("Search", _search_curve(content)),
            _section("Analysis", _ablation(content)),
            _section("Predictions out of fold", _predictions(content)),
            _section("Ensemble", _choice(content) + _weights(content)),
            _section("Patterns", _patterns(content)),
            _section("Leaderboard", _leaderboard(content)),
            _section("The data", _findings(content)),
            _section("Configuration", _settings(content)),
        ]
        title = html.escape(content.title)
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{title}</title><style>{CSS}</style></head><body><main>"
            f"<h1>{title}</h1>{''.join(sections)}</main></body></html>\n"
        )


def warm_up() -> None:
    """Load what drawing needs, so that the first report of a process is not late."""
    figure = _figure(1, 1)
    figure.subplots().plot([0, 1], [0, 1])
    _image(figure, "")


def _section(heading: str, body: str) -> str:
    return f"<section><h2>{heading}</h2>{body}</section>" if body else ""


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:.5g}"


def _interval(row: dict[str, Any]) -> str:
    if row["ci_low"] is None or not np.isfinite(row["ci_low"]):
        return "–"
    return f"{row['ci_low']:.5g} to {row['ci_high']:.5g}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    head = "".join(f"<th>{html.escape(h)}</th>" for h in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _summary(content: ReportContent) -> str:
    done = [row for row in content.leaderboard if row["status"] == "done"]
    if not done:
        return "<p>No pipeline could be scored.</p>"
    cards = []
    if content.ensemble is not None:
        cards.append(("ensemble", _number(content.ensemble["score"]), _interval(content.ensemble)))
    cards.append(
        (f"best single: {done[0]['family']}", _number(done[0]["score"]), _interval(done[0]))
    )
    failed = len(content.leaderboard) - len(done)
    trials = f"{failed} failed" if failed else "none failed"
    cards.append(("trials", str(len(content.leaderboard)), trials))
    if content.elapsed is not None:
        cards.append(("time", f"{content.elapsed:.0f} s", "from the start of the run"))
    parts = "".join(
        f'<div class="card"><span>{html.escape(name)}</span><strong>{html.escape(value)}</strong>'
        f"<small>{html.escape(note)}</small></div>"
        for name, value, note in cards
    )
    direction = "greater" if content.greater_is_better else "smaller"
    return (
        f"<p>Metric: <b>{html.escape(content.metric)}</b> ({direction} is better), with confidence "
        f'intervals that allow for overlapping folds.</p><div class="cards">{parts}</div>'
    )


def _figure(width: float, height: float) -> Any:
    return require("matplotlib.figure", "run").Figure(figsize=(width, height), layout="constrained")


def _image(figure: Any, alt: str) -> str:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=MUTED, labelsize=9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="{html.escape(alt, quote=True)}" src="data:image/png;base64,{data}">'


def _label(text: Any, longest: int = 32) -> str:
    """Text for a figure: short, and with no dollar sign left to matplotlib's formulas."""
    words = str(text)
    words = words if len(words) <= longest else words[: longest - 1] + "…"
    return words.replace("\\", "\\\\").replace("$", r"\$")


def _search_curve(content: ReportContent) -> str:
    rows = sorted(
        (row for row in content.leaderboard if row["status"] == "done"), key=lambda r: r["trial"]
    )
    if not rows:
        return ""
    figure = _figure(8.4, 3.0)
    axes = figure.subplots()
    scores = np.array([row["score"] for row in rows])
    best = (
        np.maximum.accumulate(scores)
        if content.greater_is_better
        else np.minimum.accumulate(scores)
    )
    numbers = [row["trial"] for row in rows]
    marks = {"search": "o", "ablation": "x", "refine": "^"}
    for purpose, mark in marks.items():
        chosen = [i for i, row in enumerate(rows) if row.get("purpose", "search") == purpose]
        if chosen:
            axes.scatter(
                [numbers[i] for i in chosen],
                scores[chosen],
                s=18,
                marker=mark,
                color=MUTED,
                label=purpose,
            )
    axes.step(numbers, best, where="post", color=ACCENT, lw=2, label="best so far")
    # A hopeless trial must not flatten the curve that matters.
    low, high = np.quantile(scores, [0.1, 0.9])
    reach = max(high - low, abs(float(best[-1])) * 1e-3, 1e-12)
    ends = (min(low, best.min()) - reach / 2, max(high, best.max()) + reach / 2)
    axes.set_ylim(*ends)
    axes.set_xlabel("trial")
    axes.set_ylabel(_label(content.metric))
    axes.legend(frameon=False, fontsize=9)
    hidden = int(((scores < ends[0]) | (scores > ends[1])).sum())
    note = f"<p class='note'>{hidden} trials lie outside the picture.</p>" if hidden else ""
    return _image(figure, "score of each trial and the best so far") + note


def _ablation(content: ReportContent) -> str:
    rounds = [a for a in content.analyses if a["blocks"]]
    if not rounds:
        return "<p>The budget ended before the best pipeline could be taken apart.</p>"
    last = rounds[-1]
    blocks = last["blocks"][::-1]
    figure = _figure(8.4, 0.7 + 0.45 * len(blocks))
    axes = figure.subplots()
    places = np.arange(len(blocks))
    values = np.array([b["difference"] for b in blocks])
    reach = np.array(
        [[v - b["ci_low"], b["ci_high"] - v] for v, b in zip(values, blocks, strict=True)]
    ).T
    colors = [STRONG if b["block"] == last["focus"] else ACCENT for b in blocks]
    axes.barh(places, values, color=colors, height=0.55)
    axes.errorbar(values, places, xerr=np.abs(reach), fmt="none", ecolor=MUTED, capsize=3, lw=1)
    axes.set_yticks(places, [_label(b["block"]) for b in blocks])
    axes.axvline(0, color=MUTED, lw=0.8)
    axes.set_xlabel(f"{_label(content.metric)} lost without the block (paired, same folds)")
    text = (
        f"<p>Round {last['round'] + 1}, base trial {last['base']}: the block that matters most is "
        f"<b>{html.escape(str(last['focus']))}</b>; the search went on to refine it.</p>"
    )
    rows = [
        [
            a["round"] + 1,
            a["base"],
            b["block"],
            _number(b["difference"]),
            _interval(b),
            _number(b["p_value"]),
        ]
        for a in rounds
        for b in a["blocks"]
    ]
    return (
        text
        + _image(figure, "what each block of the best pipeline is worth")
        + _table(["round", "base", "block", "difference", "interval", "p"], rows)
    )


def _patterns(content: ReportContent) -> str:
    """What the run started from, and what it left for others."""
    found = content.patterns
    if not found:
        return ""
    text = f"<p>Patterns of {found['known']} earlier runs in {html.escape(found['file'])}. "
    text += f"{html.escape(found['kept'])}</p>"
    if not found["neighbors"]:
        return text + "<p>None was of a table of this kind: the run started as usual.</p>"
    neighbors = [
        [n["name"], _number(n["distance"]), _number(n["weight"])] for n in found["neighbors"]
    ]
    starts = [
        [
            "–" if s["trial"] is None else s["trial"],
            s["pipeline"],
            s["name"],
            _number(s["gain"]),
            _number(s["score"]),
        ]
        for s in found["starts"]
    ]
    return (
        text
        + _table(["most similar table", "distance", "weight"], neighbors)
        + _table(["trial", "started with", "from", "gain there", "score here"], starts)
    )


def _predictions(content: ReportContent) -> str:
    if content.answer is None:
        return ""
    if content.task == "regression":
        return _residuals(content)
    return _curves(content) + _calibration(content)


def _curves(content: ReportContent) -> str:
    from sklearn.metrics import precision_recall_curve, roc_curve

    y, answer = np.asarray(content.y), np.asarray(content.answer)
    shown = [1] if content.task == "binary" else list(range(min(answer.shape[1], 8)))
    figure = _figure(8.4, 3.6)
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], color=MUTED, lw=0.8, ls=":")
    for k in shown:
        truth = y == k
        if truth.all() or not truth.any():
            continue
        fpr, tpr, _ = roc_curve(truth, answer[:, k])
        precision, recall, _ = precision_recall_curve(truth, answer[:, k])
        name = _label(content.classes[k], 16)
        color = ACCENT if content.task == "binary" else None
        left.plot(*_thinned(fpr, tpr), color=color, lw=1.6, label=name)
        right.plot(*_thinned(recall, precision), color=color, lw=1.6, label=name)
    left.set(xlabel="false positive rate", ylabel="true positive rate", title="ROC")
    right.set(xlabel="recall", ylabel="precision", title="Precision and recall", ylim=(0, 1.02))
    left.legend(frameon=False, fontsize=8)
    return _image(figure, "ROC and precision-recall curves of the ensemble, out of fold")


def _thinned(x: Any, y: Any, points: int = 400) -> tuple[Any, Any]:
    step = max(1, len(x) // points)
    keep = np.unique(np.append(np.arange(0, len(x), step), len(x) - 1))
    return x[keep], y[keep]


def _calibration(content: ReportContent) -> str:
    answer, y = np.asarray(content.answer), np.asarray(content.y)
    if content.task == "binary":
        given, hit, what = answer[:, 1], y == 1, f"probability of {_label(content.classes[1], 16)}"
    else:
        given, hit = answer.max(axis=1), answer.argmax(axis=1) == y
        what = "probability of the predicted class"
    edges = np.unique(np.quantile(given, np.linspace(0, 1, 11)))
    if len(edges) < 3:
        return ""
    place = np.clip(np.searchsorted(edges, given, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(place, minlength=len(edges) - 1)
    kept = counts > 0
    mean = np.bincount(place, given, minlength=len(edges) - 1)[kept] / counts[kept]
    rate = np.bincount(place, hit, minlength=len(edges) - 1)[kept] / counts[kept]
    reach = 1.96 * np.sqrt(rate * (1 - rate) / counts[kept])
    figure = _figure(8.4, 3.2)
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], color=MUTED, lw=0.8, ls=":")
    left.errorbar(mean, rate, yerr=reach, color=ACCENT, marker="o", ms=4, lw=1.4, capsize=2)
    left.set(xlabel=what, ylabel="share that is right", title="Calibration (tenths of the rows)")
    right.hist(given, bins=30, color=ACCENT)
    right.set(xlabel=what, ylabel="rows", title="Distribution")
    return _image(figure, "calibration of the ensemble, out of fold")


def _residuals(content: ReportContent) -> str:
    answer, y = np.asarray(content.answer), np.asarray(content.y)
    keep = np.arange(len(y))
    if len(keep) > 5000:
        keep = np.random.default_rng(0).choice(len(y), 5000, replace=False)
    figure = _figure(8.4, 3.4)
    left, right = figure.subplots(1, 2)
    ends = [float(min(y.min(), answer.min())), float(max(y.max(), answer.max()))]
    left.plot(ends, ends, color=MUTED, lw=0.8, ls=":")
    left.scatter(answer[keep], y[keep], s=6, alpha=0.35, color=ACCENT, linewidths=0)
    left.set(xlabel="predicted", ylabel="true", title="Predicted and true")
    right.hist(y - answer, bins=50, color=ACCENT)
    right.set(xlabel="true minus predicted", ylabel="rows", title="Residuals")
    return _image(figure, "predictions against truth, and residuals, out of fold")


def _weights(content: ReportContent) -> str:
    if not content.weights:
        return ""
    rows = list(content.weights)[:12][::-1]
    figure = _figure(8.4, 0.7 + 0.32 * len(rows))
    axes = figure.subplots()
    axes.barh(
        [_label(name, 44) for name, _ in rows], [w for _, w in rows], color=ACCENT, height=0.6
    )
    axes.set_xlabel("weight")
    more = len(content.weights) - len(rows)
    note = f"<p class='note'>and {more} lighter members</p>" if more > 0 else ""
    return _image(figure, "weights of the ensemble's members") + note


def _choice(content: ReportContent) -> str:
    """The ways to combine that were compared, and which was taken."""
    alternatives = content.choice.get("alternatives")
    reason = content.choice.get("reason")
    words = f"<p>{html.escape(str(reason))}.</p>" if reason else ""
    if not alternatives:
        return words
    rows = [
        [
            one["method"] + (" (chosen)" if one["method"] == content.choice["method"] else ""),
            _number(one["error"]),
            _number(one["gain"]),
            f"{_number(one['interval'][0])} to {_number(one['interval'][1])}",
            one["models"],
        ]
        for one in alternatives
    ]
    headings = [
        "combined by",
        f"held-out error ({content.choice.get('metric', content.metric)})",
        "gain over the best single",
        "interval",
        "models",
    ]
    note = "<p class='note'>Weights learnt from the other folds; errors are better when small.</p>"
    return words + _table(headings, rows) + note


def _leaderboard(content: ReportContent) -> str:
    if not content.leaderboard:
        return ""
    rows = []
    for row in content.leaderboard[:_SHOWN]:
        spec = dict(row["params"])
        params = spec.pop("params", {})
        spec.pop("family", None)
        chosen = ", ".join(
            [*map(str, spec.values()), *(f"{k}={_short(v)}" for k, v in params.items())]
        )
        rows.append(
            [
                row["rank"] if row["rank"] is not None else "failed",
                row["trial"],
                row["family"],
                _number(row["score"]),
                _interval(row) if row["status"] == "done" else row["error"][:200],
                f"{row['fit_seconds']:.1f}",
                chosen,
            ]
        )
    more = len(content.leaderboard) - len(rows)
    note = f"<p class='note'>{more} more in the journal.</p>" if more > 0 else ""
    headings = ["rank", "trial", "family", content.metric, "interval", "fit s", "pipeline"]
    return _table(headings, rows) + note


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _findings(content: ReportContent) -> str:
    if not content.findings:
        return "<p>Nothing suspicious was found.</p>"
    rows = [[f["severity"], f["column"] or "(table)", f["message"]] for f in content.findings]
    return _table(["", "column", "what was found"], rows)


def _settings(content: ReportContent) -> str:
    rows = [[key, "–" if value is None else value] for key, value in content.settings.items()]
    config = html.escape(json.dumps(content.config, indent=2))
    return (
        _table(["", ""], rows)
        + f"<details><summary>all of it</summary><pre>{config}</pre></details>"
    )
