"""A plot as SVG: lines told apart by colour, dashes and marks, in light and dark, with its words for screen readers."""

from __future__ import annotations

from html import escape
from typing import Final

from benchmarks.report.page import Plot, Scale, Series
from benchmarks.report.scales import Ruler, ruler

WIDTH: Final = 560
"""Two stand beside each other on a page, their letters as large as those around them."""
PLOT_HEIGHT: Final = 240
LEFT, RIGHT, TOP, BOTTOM = 72, 20, 34, 62
LEGEND_LINE: Final = 20
LEGEND_COLUMN_CHARS: Final = 26
"""Names longer than that have a line of the legend for themselves."""
MARKS_MAX: Final = 24
"""A line with more points is drawn without a mark at each."""

SERIES_MAX: Final = 12
_COLOURS: Final = 6
_DASHES: Final = ("", "7 4", "2 3", "9 3 2 3")

STYLE: Final = """\
.plot { color: #1b1f24; background: transparent; font: 13px system-ui, sans-serif }
.plot text { fill: currentColor }
.plot .title { font-weight: 600; font-size: 15px }
.plot .grid { stroke: currentColor; stroke-opacity: .14; shape-rendering: crispEdges }
.plot .axis { stroke: currentColor; stroke-opacity: .6; shape-rendering: crispEdges }
.plot .line { fill: none; stroke-width: 2; stroke-linejoin: round }
.plot .faint { opacity: .55 }
.plot .c0 { stroke: #0b62a8; color: #0b62a8 } .plot .c1 { stroke: #b34a00; color: #b34a00 }
.plot .c2 { stroke: #00734f; color: #00734f } .plot .c3 { stroke: #9c2f78; color: #9c2f78 }
.plot .c4 { stroke: #6b5900; color: #6b5900 } .plot .c5 { stroke: #4b4b9e; color: #4b4b9e }
.plot .mark { fill: currentColor; stroke: none }
@media (prefers-color-scheme: dark) {
  .plot { color: #e8eaed }
  .plot .c0 { stroke: #6cb6ff; color: #6cb6ff } .plot .c1 { stroke: #ff9a52; color: #ff9a52 }
  .plot .c2 { stroke: #4fd1a5; color: #4fd1a5 } .plot .c3 { stroke: #f08fcb; color: #f08fcb }
  .plot .c4 { stroke: #e3c94a; color: #e3c94a } .plot .c5 { stroke: #b0b0ff; color: #b0b0ff }
}
"""


def draw(plot: Plot, name: str, *, alone: bool = False) -> str:
    """Return the picture; `name` is unique on its page. `alone`: a file of its own, with style and background."""
    series = [line for line in plot.series if line.points][:SERIES_MAX]
    across = ruler(plot.x.scale, [x for line in series for x, _ in line.points])
    up = ruler(plot.y.scale, [y for line in series for _, y in line.points])
    legend, legend_height = _legend(series, TOP + PLOT_HEIGHT + BOTTOM)
    height = TOP + PLOT_HEIGHT + BOTTOM + legend_height
    size = f'xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 {WIDTH} {height}"'
    size += f' width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg {size} role="img" aria-labelledby="{name}-title {name}-text">',
        f'<title id="{name}-title">{escape(plot.title)}</title>',
        f'<desc id="{name}-text">{escape(plot.description)}</desc>',
    ]
    if alone:
        paper = ".paper { fill: #fff } @media (prefers-color-scheme: dark) { .paper { fill: #16181c } }"
        parts.append(f'<style>{STYLE}{paper}</style><rect class="paper" width="{WIDTH}" height="{height}"/>')
    parts.append(f'<text class="title" x="{LEFT}" y="18">{escape(plot.title)}</text>')
    parts += _axes(plot, across, up)
    for number, line in enumerate(series):
        parts += _line(line, number, across, up)
    return "\n".join([*parts, *legend, "</svg>"]) + "\n"


def _axes(plot: Plot, across: Ruler, up: Ruler) -> list[str]:
    right, bottom = WIDTH - RIGHT, TOP + PLOT_HEIGHT
    parts = []
    for value, label in up.ticks():
        y = _y(up, value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>')
    for value, label in across.ticks():
        x = _x(across, value)
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{bottom}"/>')
        parts.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{escape(label)}</text>')
    middle = TOP + PLOT_HEIGHT / 2
    return [
        *parts,
        f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{bottom}H{right}"/>',
        f'<text x="{(LEFT + right) / 2}" y="{bottom + 38}" text-anchor="middle">{escape(plot.x.label)}</text>',
        f'<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle">{escape(plot.y.label)}</text>',
    ]


def _line(line: Series, number: int, across: Ruler, up: Ruler) -> list[str]:
    places = [(_x(across, x), _y(up, y)) for x, y in line.points if up.scale is not Scale.LOG or y > 0]
    if not places:
        return []
    path = "M" + "L".join(f"{x} {y}" for x, y in places)
    faint = " faint" if line.disturbed else ""
    parts = [
        f'<g class="c{number % _COLOURS}{faint}">',
        f'<path class="line" stroke-dasharray="{_dash(number)}" d="{path}"/>',
    ]
    if len(places) <= MARKS_MAX:
        parts += [_mark(number, x, y) for x, y in places]
    return [*parts, "</g>"]


def _legend(series: list[Series], top: float) -> tuple[list[str], int]:
    """Return the names of lines below the plot, in two columns where they are short, and the height that they take."""
    columns = 2 if all(len(_name(line)) <= LEGEND_COLUMN_CHARS for line in series) else 1
    width = (WIDTH - LEFT - RIGHT) / columns
    parts = []
    for number, line in enumerate(series):
        x, y = LEFT + width * (number % columns), top + LEGEND_LINE * (number // columns)
        parts += [
            f'<g class="c{number % _COLOURS}">',
            f'<path class="line" stroke-dasharray="{_dash(number)}" d="M{x:.0f} {y:.0f}h34"/>',
            _mark(number, x + 17, y),
            "</g>",
            f'<text x="{x + 44:.0f}" y="{y + 4:.0f}">{escape(_name(line))}</text>',
        ]
    return parts, LEGEND_LINE * -(-len(series) // columns)


def _name(line: Series) -> str:
    return f"{line.name} (disturbed)" if line.disturbed else line.name


def _mark(number: int, x: float, y: float) -> str:
    shape = number % 4
    if shape == 0:
        return f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    if shape == 1:
        return f'<rect class="mark" x="{x - 3.2:.1f}" y="{y - 3.2:.1f}" width="6.4" height="6.4"/>'
    if shape == 2:
        return f'<path class="mark" d="M{x:.1f} {y - 4.4:.1f}l4.2 7.4h-8.4z"/>'
    return f'<path class="mark" d="M{x:.1f} {y - 4.6:.1f}l4.6 4.6l-4.6 4.6l-4.6 -4.6z"/>'


def _dash(number: int) -> str:
    return _DASHES[(number // _COLOURS + number) % len(_DASHES)]


def _x(across: Ruler, value: float) -> float:
    return round(LEFT + across.place(value) * (WIDTH - LEFT - RIGHT), 1)


def _y(up: Ruler, value: float) -> float:
    return round(TOP + (1 - up.place(value)) * PLOT_HEIGHT, 1)
