"""What a report is made of, before it is HTML or Markdown: sections of tables and plots, and where figures are from."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.machine import CALM_CORES

UNKNOWN: Final = "unknown"
NOWHERE: Final = "–"
"""In place of a letter: the file does not say where it was measured."""


@dataclass(frozen=True, slots=True)
class Place:
    """The computer and the code behind a figure: figures of different places are not compared."""

    processor: str = UNKNOWN
    cores: int | None = None
    kernel: str = UNKNOWN
    python: str = UNKNOWN
    commit: str = UNKNOWN


@dataclass(frozen=True, slots=True)
class Source:
    """One run: its file and where it ran."""

    name: str
    """The file's name without its ending, unique in a report."""
    path: Path
    place: Place
    disturbance_cores: float | None = None
    """What others used meanwhile; None: not known."""
    ended_early: str | None = None
    """Why the run has not come to its end."""

    @property
    def disturbed(self) -> bool:
        return self.disturbance_cores is not None and self.disturbance_cores > CALM_CORES


@dataclass(frozen=True, slots=True)
class Row:
    """Cells under a table's heads; the renderer adds the source's name and place before them."""

    source: Source
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers as text, rounded for people."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]


class Scale(enum.Enum):
    """How an axis spreads its values."""

    LINEAR = "linear"
    LOG = "log"
    NINES = "nines"
    """Of fractions: 90 %, 99 % and 99.9 % at even distances, so that the tail of a distribution can be seen."""


@dataclass(frozen=True, slots=True)
class Axis:
    label: str
    scale: Scale = Scale.LINEAR


@dataclass(frozen=True, slots=True)
class Series:
    """A line; `points` are (x, y), x never falling."""

    name: str
    points: tuple[tuple[float, float], ...]
    disturbed: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture of lines. The description says in words what is in it, for who does not see it."""

    title: str
    description: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """All runs of one kind."""

    title: str
    question: str
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not in the report."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    made_at: str
    """UTC, for people."""
    sections: tuple[Section, ...]
    sources: tuple[Source, ...]
    skipped: tuple[Skipped, ...] = ()

    @property
    def places(self) -> dict[Place, str]:
        """Return a letter for each place, in the order of the sources: A, B ... Z, A1 ...; a dash for one not known."""
        found = dict.fromkeys(source.place for source in self.sources)
        known = [place for place in found if place != Place()]
        letters = {place: chr(ord("A") + number % 26) + str(number // 26 or "") for number, place in enumerate(known)}
        return letters | {place: NOWHERE for place in found if place == Place()}
