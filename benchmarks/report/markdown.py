"""A report as Markdown, with its pictures as SVG files beside it: pages that show Markdown take no SVG inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from benchmarks.report.html import DISTURBED, PLACE_HEADS, facts_of
from benchmarks.report.page import NOWHERE, Page, Place, Section, Table
from benchmarks.report.svg import draw

_SPECIAL: Final = str.maketrans({character: f"\\{character}" for character in "\\`*_[]<>|#"})


def render(page: Page, folder: str) -> tuple[str, dict[str, str]]:
    """Return the page, and the pictures that it expects in `folder` beside it, by their file names."""
    pictures: dict[str, str] = {}
    lines = [f"# {_text(page.title)}", "", f"Made {_text(page.made_at)}", "", "## Measured on", ""]
    facts = [(letter, *facts_of(place)) for place, letter in page.places.items() if letter != NOWHERE]
    lines += _grid(("", *PLACE_HEADS), facts)
    disturbed = [
        f"**{_text(source.name)}** ({source.disturbance_cores:.1f} cores)"
        for source in page.sources
        if source.disturbed
    ]
    if disturbed:
        lines += [f"{DISTURBED} {', '.join(disturbed)}.", ""]
    for source in page.sources:
        if source.ended_early is not None:
            lines += [f"**{_text(source.name)}** ended early: {_text(source.ended_early)}", ""]
    for number, section in enumerate(page.sections):
        lines += _section(section, number, page.places, folder, pictures)
    if page.skipped:
        lines += ["## Not in this report", ""]
        lines += [*(f"* {_text(str(one.path))}: {_text(one.reason)}" for one in page.skipped), ""]
    return "\n".join(lines), pictures


def write(page: Page, path: Path) -> None:
    """Write the page and its pictures. OSError."""
    folder = path.parent / f"{path.stem}-plots"
    text, pictures = render(page, folder.name)
    path.write_text(text, encoding="utf-8")
    if pictures:
        folder.mkdir(exist_ok=True)
    for name, picture in pictures.items():
        (folder / name).write_text(picture, encoding="utf-8")


def _section(
    section: Section, number: int, places: Mapping[Place, str], folder: str, pictures: dict[str, str]
) -> list[str]:
    lines = [f"## {_text(section.title)}", "", _text(section.question), ""]
    for table in section.tables:
        lines += [f"### {_text(table.caption)}", "", *_grid(("run", "on", *table.heads), _rows(table, places))]
    for at, plot in enumerate(section.plots):
        name = f"{number + 1}-{at + 1}.svg"
        pictures[name] = draw(plot, f"p{number}-{at}", alone=True)
        lines += [f"![{_text(plot.title)}: {_text(plot.description)}]({quote(folder)}/{name})", ""]
    return lines


def _rows(table: Table, places: Mapping[Place, str]) -> list[tuple[str, ...]]:
    rows = []
    for row in table.rows:
        disturbed = ", disturbed" if row.source.disturbed else ""
        rows.append((row.source.name, places[row.source.place] + disturbed, *row.cells))
    return rows


def _grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    dashes = "| " + " | ".join(lines[1]) + " |"
    return [_line(lines[0]), dashes, *(_line(row) for row in lines[2:]), ""]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_text(cell) for cell in cells) + " |"


def _text(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return " ".join(text.split()).translate(_SPECIAL)
