"""A report as one HTML page: nothing is loaded, no script runs, light and dark, and every picture has its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from benchmarks.report.page import NOWHERE, Page, Place, Plot, Row, Scale, Section, Table
from benchmarks.report.scales import label_of
from benchmarks.report.svg import STYLE, draw

POINTS_SHOWN_MAX: Final = 240

PAGE_STYLE: Final = """\
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --line: #d0d7de; --warn: #8a4600;
  --warn-paper: #fff4e5; --head: #f6f8fa }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a5adb8; --paper: #16181c; --line: #3a4048;
  --warn: #ffb870; --warn-paper: #33230f; --head: #20242a } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 24px 20px 64px; max-width: 1120px; font: 15px/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper) }
h1 { font-size: 26px; margin: 0 0 4px } h2 { font-size: 20px; margin: 44px 0 2px; padding-top: 14px;
  border-top: 1px solid var(--line) } h3 { font-size: 15px; margin: 22px 0 6px }
p { margin: 4px 0 } .soft { color: var(--soft) }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 18px }
a { color: inherit }
.scroll { overflow-x: auto } .scroll:focus-visible { outline: 2px solid currentColor }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; min-width: 40% }
th, td { padding: 4px 10px; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top;
  white-space: nowrap }
th { background: var(--head); font-weight: 600 }
thead th { white-space: normal; vertical-align: bottom }
.text { text-align: left } td.long { white-space: normal; min-width: 16em }
.warn { color: var(--warn); background: var(--warn-paper) }
p.warn { padding: 8px 12px; border-left: 4px solid; margin: 12px 0 }
figure { margin: 18px 0 6px; max-width: 760px } figure svg { max-width: 100%; height: auto; display: block }
details { margin: 2px 0 18px } summary { cursor: pointer; color: var(--soft) }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 500px), 1fr)); gap: 4px 28px }
@media print { details { display: none } figure { break-inside: avoid } }
"""


def render(page: Page) -> str:
    """Return the page."""
    places = page.places
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(page.title)}</title>\n<style>\n{PAGE_STYLE}{STYLE}</style>\n</head>\n<body>\n<header>",
        f'<h1>{escape(page.title)}</h1>\n<p class="soft">Made {escape(page.made_at)}</p>',
        _contents(page),
        "</header>\n<main>",
        _where(page),
    ]
    for number, section in enumerate(page.sections):
        parts.append(_section(section, number, places))
    parts.append(_skipped(page))
    return "\n".join([*(part for part in parts if part), "</main>\n</body>\n</html>\n"])


def _contents(page: Page) -> str:
    links = [f'<li><a href="#s{number}">{escape(one.title)}</a></li>' for number, one in enumerate(page.sections)]
    return f'<nav aria-label="Sections"><ul>{"".join(links)}</ul></nav>' if len(links) > 1 else ""


def _where(page: Page) -> str:
    rows = [
        f'<tr><th scope="row" class="text">{letter}</th>'
        + "".join(f'<td class="text">{escape(text)}</td>' for text in facts_of(place))
        + "</tr>"
        for place, letter in page.places.items()
        if letter != NOWHERE
    ]
    heads = "".join(f'<th scope="col" class="text">{head}</th>' for head in ("", *PLACE_HEADS))
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    parts = ["<h2>Measured on</h2>", _scroll("Measured on", table)] if rows else []
    disturbed = ", ".join(
        f"<strong>{escape(source.name)}</strong> ({source.disturbance_cores:.1f} cores)"
        for source in page.sources
        if source.disturbed
    )
    if disturbed:
        parts.append(f'<p class="warn">{DISTURBED} {disturbed}.</p>')
    parts += [
        f'<p class="warn"><strong>{escape(source.name)}</strong> ended early: {escape(source.ended_early)}</p>'
        for source in page.sources
        if source.ended_early is not None
    ]
    return "\n".join(parts)


DISTURBED: Final = "Measure these again before you believe them: other programs used the computer meanwhile."
PLACE_HEADS: Final = ("processor", "cores", "kernel", "Python", "commit")


def facts_of(place: Place) -> tuple[str, ...]:
    cores = "unknown" if place.cores is None else str(place.cores)
    return (place.processor, cores, place.kernel, place.python, place.commit)


def _section(section: Section, number: int, places: Mapping[Place, str]) -> str:
    parts = [f'<h2 id="s{number}">{escape(section.title)}</h2>\n<p class="soft">{escape(section.question)}</p>']
    parts += [_table(table, places) for table in section.tables]
    if section.plots:
        figures = [_figure(plot, f"p{number}-{at}") for at, plot in enumerate(section.plots)]
        parts.append(f'<div class="plots">{"".join(figures)}</div>')
    return "\n".join(parts)


def _table(table: Table, places: Mapping[Place, str]) -> str:
    left = [_is_text(table.rows, column) for column in range(len(table.heads))]
    heads = '<th scope="col" class="text">run</th><th scope="col" class="text">on</th>'
    for head, text in zip(table.heads, left, strict=True):
        heads += f'<th scope="col"{_class("text" if text else "")}>{escape(head)}</th>'
    body = []
    for row in table.rows:
        source = row.source
        mark = ' <span class="warn">disturbed</span>' if source.disturbed else ""
        cells = (
            f'<th scope="row" class="text">{escape(source.name)}</th><td class="text">{places[source.place]}{mark}</td>'
        )
        for cell, text in zip(row.cells, left, strict=True):
            bad = "warn " if cell in VERDICTS_BAD else ""
            kind = f"{bad}text{' long' if len(cell) > LONG_CHARS else ''}" if text else ""
            cells += f"<td{_class(kind)}>{escape(cell)}</td>"
        body.append(f"<tr>{cells}</tr>")
    inner = f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    return f"<h3>{escape(table.caption)}</h3>\n{_scroll(table.caption, inner)}"


VERDICTS_BAD: Final = {"MISSED", "FAILED", "GROWS"}
LONG_CHARS: Final = 40


def _is_text(rows: tuple[Row, ...], column: int) -> bool:
    """Whether a column is words: numbers stand under each other by their ends."""
    return any(cell[:1].isalpha() or cell[:1] in "/({" for row in rows for cell in [row.cells[column]] if cell)


def _scroll(label: str, inner: str) -> str:
    """Wide tables scroll by themselves, by keyboard too."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">{inner}</div>'


def _class(names: str) -> str:
    return f' class="{names}"' if names else ""


def _figure(plot: Plot, name: str) -> str:
    return f"<div><figure>{draw(plot, name)}</figure>{_numbers(plot)}</div>"


def _numbers(plot: Plot) -> str:
    """Return what is drawn, as numbers to unfold."""
    rows = []
    for series in plot.series:
        for x, y in series.points[:POINTS_SHOWN_MAX]:
            across = f"{x:.4%}" if plot.x.scale is Scale.NINES else label_of(round(x, 3))
            rows.append(
                f'<tr><td class="text">{escape(series.name)}</td><td>{across}</td><td>{label_of(round(y, 4))}</td></tr>'
            )
    heads = f'<th scope="col" class="text">line</th><th scope="col">{escape(plot.x.label)}</th>'
    heads += f'<th scope="col">{escape(plot.y.label)}</th>'
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f"<details><summary>The numbers</summary>{_scroll(plot.title, table)}</details>"


def _skipped(page: Page) -> str:
    if not page.skipped:
        return ""
    items = "".join(f"<li><code>{escape(str(one.path))}</code>: {escape(one.reason)}</li>" for one in page.skipped)
    return f"<h2>Not in this report</h2>\n<ul>{items}</ul>"
