"""What the stages of a pipeline took: as text, as data, as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from mlestar.pipeline.stream import bytes_of

_WIDTH, _HEIGHT, _GAP = 190, 84, 36


@dataclass
class Stage:
    """One stage: how often it ran, on how much, for how long.

    Attributes
    ----------
    name : str
    calls, rows, bytes_in, bytes_out : int
        Of its transforms.
    seconds, fit_seconds : float
        Of its transforms, and of its fits.
    """

    name: str
    calls: int = 0
    rows: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    fit_seconds: float = 0.0

    def add(self, data: Any, result: Any, seconds: float) -> None:
        """One more run."""
        some = result if data is None else data
        self.calls += 1
        self.rows += _rows(some)
        self.bytes_in += 0 if data is None else _bytes(data)
        self.bytes_out += 0 if result is None else _bytes(result)
        self.seconds += seconds


def _rows(data: Any) -> int:
    shape = getattr(data, "shape", None)
    return int(shape[0]) if shape else len(data)


def _bytes(data: Any) -> int:
    if hasattr(data, "memory_usage"):  # not deep: texts would be walked through for each chunk
        return int(data.memory_usage(index=False).sum())
    return bytes_of(data)


class Explanation:
    """The stages of a pipeline in their order.

    Attributes
    ----------
    rows : list of dict
        One for each stage: ``name``, ``calls``, ``rows``, ``bytes_in``, ``bytes_out``, ``seconds``,
        ``fit_seconds``.

    Examples
    --------
    >>> from mlestar import DataPipeline
    >>> from mlestar.preprocessing import StandardScaler
    >>> pipeline = DataPipeline([StandardScaler()])
    >>> _ = pipeline.fit_transform([[0.0], [2.0]])
    >>> print(str(pipeline.explain()).split(" ")[0])
    read
    >>> pipeline.explain().svg()[:4]
    '<svg'
    """

    def __init__(self, stages: list[Stage]) -> None:
        self.rows = [dict(vars(stage)) for stage in stages]

    def __str__(self) -> str:
        names = [row["name"] for row in self.rows]
        width = max(map(len, names))
        lines = [" -> ".join(names), ""]
        lines.append(f"{'stage':<{width}}  calls        rows     read  written    seconds  fitting")
        for row in self.rows:
            counts = f"{row['calls']:>5}  {row['rows']:>10}"
            sizes = f"{_size(row['bytes_in']):>7}  {_size(row['bytes_out']):>7}"
            times = f"{row['seconds']:>9.4f}  {row['fit_seconds']:>7.4f}"
            lines.append(f"{row['name']:<{width}}  {counts}  {sizes}  {times}")
        return "\n".join(lines)

    __repr__ = __str__

    def svg(self) -> str:
        """The graph as a picture; the wider the bar at a stage's foot, the more of the time."""
        total = sum(row["seconds"] + row["fit_seconds"] for row in self.rows) or 1.0
        step = _WIDTH + _GAP
        parts = []
        for place, row in enumerate(self.rows):
            left = 8 + place * step
            share = (row["seconds"] + row["fit_seconds"]) / total
            words = (
                (20, "bold", row["name"]),
                (40, "normal", f"{row['rows']} rows, {_size(row['bytes_out'])} out"),
                (58, "normal", f"{row['seconds']:.3f} s, fitting {row['fit_seconds']:.3f} s"),
            )
            parts.append(
                f'<rect x="{left}" y="8" width="{_WIDTH}" height="{_HEIGHT}" rx="6" '
                'fill="#f6f8fa" stroke="#57606a"/>'
            )
            parts += [
                f'<text x="{left + 10}" y="{8 + y}" font-weight="{weight}">{escape(text)}</text>'
                for y, weight, text in words
            ]
            parts.append(
                f'<rect x="{left + 10}" y="{_HEIGHT - 8}" width="{share * (_WIDTH - 20):.1f}" '
                'height="6" fill="#0969da"/>'
            )
            if place:
                middle = 8 + _HEIGHT // 2
                parts.append(
                    f'<path d="M{left - _GAP} {middle} H{left - 8} m-6 -5 l8 5 -8 5" fill="none" '
                    'stroke="#57606a"/>'
                )
        width = 16 + len(self.rows) * step - _GAP
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT + 16}" '
            f'width="{width}" height="{_HEIGHT + 16}" font-family="sans-serif" font-size="12">'
            f"{''.join(parts)}</svg>"
        )

    def _repr_html_(self) -> str:
        return self.svg()


def _size(count: int) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"
