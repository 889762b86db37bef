"""Plots as SVG, in the colours of the page they stand in (`currentColor` and its variables)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 460, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 16, 44
_LETTER = 6.6  # pixels that a letter of a legend takes, about


@dataclass(frozen=True)
class Axis:
    """From data to a place on the paper. `logarithmic`: by powers of ten."""

    low: float
    high: float
    ticks: Sequence[float]
    label: str
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """0 to 1."""
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low) if self.high > self.low else 0.0


@dataclass(frozen=True)
class Line:
    """A named line. `colour`: a number, 0 to 7, of the page's series colours."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int = 0
    dashed: bool = False
    dots: bool = False


@dataclass(frozen=True)
class Band:
    """An area between two lines, given by places across with a lower and an upper end."""

    points: Sequence[tuple[float, float, float]]
    colour: int = 0


def lines(
    title: str,
    across: Axis,
    up: Axis,
    drawn: Sequence[Line],
    diagonal: bool = False,
    bands: Sequence[Band] = (),
) -> str:
    """A plot of lines over bands, its legend below."""
    body = [_frame(across, up)]
    for band in bands:
        around = [(x, high) for x, _, high in band.points] + [(x, low) for x, low, _ in reversed(band.points)]
        path = " ".join("{:.1f},{:.1f}".format(*_at(across, up, *point)) for point in around)
        body.append(f'<polygon class="a{band.colour}" points="{path}"/>')
    if diagonal:
        start, end = _at(across, up, across.low, up.low), _at(across, up, across.high, up.high)
        body.append(
            f'<line class="guide" x1="{start[0]:.1f}" y1="{start[1]:.1f}" '
            f'x2="{end[0]:.1f}" y2="{end[1]:.1f}"/>'
        )
    for line in drawn:
        places = [_at(across, up, *point) for point in line.points]
        dash = ' stroke-dasharray="5 4"' if line.dashed else ""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        body.append(f'<polyline class="s{line.colour}" fill="none"{dash} points="{path}"/>')
        if line.dots:
            body += [f'<circle class="f{line.colour}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in places]
    return _figure(title, body, [(line.name, line.colour) for line in drawn])


def histogram(
    title: str, label: str, edges: Sequence[float], drawn: Sequence[tuple[str, Sequence[int], int]]
) -> str:
    """Shares of each class by score, as steps; classes of different size compare."""
    if not edges:
        return ""
    shares = [(name, [c / max(sum(counts), 1) for c in counts], colour) for name, counts, colour in drawn]
    top = max((max(values, default=0) for _, values, _ in shares), default=0) or 1
    across = Axis(edges[0], edges[-1], _round_ticks(edges[0], edges[-1]), label)
    up = Axis(0, top, [0, top / 2, top], "%")
    body = [_frame(across, up, percent=True)]
    for _, values, colour in shares:
        steps: list[tuple[float, float]] = [(edges[0], 0.0)]
        for number, value in enumerate(values):
            steps += [(edges[number], value), (edges[number + 1], value)]
        steps.append((edges[-1], 0.0))
        path = " ".join("{:.1f},{:.1f}".format(*_at(across, up, *step)) for step in steps)
        body.append(f'<polygon class="a{colour}" points="{path}"/>')
        body.append(f'<polyline class="s{colour}" fill="none" points="{path}"/>')
    return _figure(title, body, [(name, colour) for name, _, colour in shares])


@dataclass(frozen=True)
class Bar:
    """A share with its bounds, each 0 to 1."""

    name: str
    value: float
    low: float
    high: float
    note: str = ""


def bars(title: str, drawn: Sequence[Bar], colour: int = 0, line_height: int = 22) -> str:
    """Horizontal bars with error bars, a line each, and a scale from 0 to 100 %."""
    left, width = 190, WIDTH + 160
    height = len(drawn) * line_height + 40
    span = width - left - 70
    body = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = left + tick * span
        body.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="6" y2="{height - 30}"/>')
        body.append(
            f'<text class="tick" text-anchor="middle" x="{x:.1f}" y="{height - 12}">{tick:.0%}</text>'
        )
    for number, bar in enumerate(drawn):
        y = 8 + number * line_height
        middle = y + line_height / 2 - 2
        name = bar.name if len(bar.name) <= 26 else bar.name[:25] + "…"
        body += [
            f'<text text-anchor="end" x="{left - 8}" y="{middle + 4:.1f}">{escape(name)}</text>',
            f'<rect class="f{colour}" x="{left}" y="{y}" height="{line_height - 7}" '
            f'width="{max(bar.value * span, 1):.1f}">'
            f"<title>{escape(bar.name)}: {bar.value:.1%}</title></rect>",
            f'<line class="error" x1="{left + bar.low * span:.1f}" x2="{left + bar.high * span:.1f}" '
            f'y1="{middle:.1f}" y2="{middle:.1f}"/>',
            f'<text class="tick" x="{left + span + 10}" y="{middle + 4:.1f}">{escape(bar.note)}</text>',
        ]
    return (
        f'<figure class="wide"><figcaption>{escape(title)}</figcaption>'
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {width} {height}">{"".join(body)}</svg>'
        "</figure>"
    )


def _at(across: Axis, up: Axis, x: float, y: float) -> tuple[float, float]:
    return (
        _LEFT + across.place(x) * (WIDTH - _LEFT - _RIGHT),
        HEIGHT - _BOTTOM - up.place(y) * (HEIGHT - _TOP - _BOTTOM),
    )


def _frame(across: Axis, up: Axis, *, percent: bool = False) -> str:
    parts = []
    for tick in across.ticks:
        x, y = _at(across, up, tick, up.low)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="tick" text-anchor="middle" x="{x:.1f}" y="{y + 16:.1f}">{_short(tick)}</text>'
        )
    for tick in up.ticks:
        x, y = _at(across, up, across.low, tick)
        text = f"{100 * tick:.0f} %" if percent else _short(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" text-anchor="end" x="{x - 6:.1f}" y="{y + 4:.1f}">{text}</text>')
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    parts.append(
        f'<text text-anchor="middle" x="{middle:.1f}" y="{HEIGHT - 8}">{escape(across.label)}</text>'
    )
    if not percent:
        turn = f"translate(14,{(HEIGHT - _BOTTOM + _TOP) / 2:.1f}) rotate(-90)"
        parts.append(f'<text text-anchor="middle" transform="{turn}">{escape(up.label)}</text>')
    return "".join(parts)


def _figure(title: str, body: Sequence[str], legend: Sequence[tuple[str, int]]) -> str:
    """A plot with its legend below, in as many lines as it needs."""
    keys, x, y = [], float(_LEFT), HEIGHT + 8
    for name, colour in legend:
        width = 24 + _LETTER * len(name)
        if x > _LEFT and x + width > WIDTH:
            x, y = float(_LEFT), y + 18
        keys.append(
            f'<rect class="f{colour}" x="{x:.1f}" y="{y - 3}" width="12" height="3"/>'
            f'<text class="tick" x="{x + 17:.1f}" y="{y + 2}">{escape(name)}</text>'
        )
        x += width
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {WIDTH} {y + 12}">'
        f"{''.join(body)}{''.join(keys)}</svg></figure>"
    )


def standalone(figure: str, style: str) -> str:
    """The plot of a figure as a file of its own, light or dark as whoever shows it asks for.

    Args:
        figure: what the functions above give.
        style: the page's CSS.
    """
    svg = figure[figure.index("<svg") : figure.index("</svg>")]
    opening, _, drawn = svg.partition(">")
    ground = '<rect width="100%" height="100%" style="fill: var(--ground)"/>'
    return f'{opening} xmlns="http://www.w3.org/2000/svg"><style>{style}</style>{ground}{drawn}</svg>\n'


def _short(value: float) -> str:
    return f"{value:g}" if value == 0 or abs(value) >= 0.001 else f"{value:.0e}"


def _round_ticks(low: float, high: float) -> list[float]:
    raw = max(high - low, 1e-9) / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
    first = math.ceil(low / step) * step
    return [round(first + step * number, 10) for number in range(int((high - first) / step) + 1)]
