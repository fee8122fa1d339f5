"""What the kinds of files have in common: claim a document, check its shape, keep it, make a section of all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from benchmarks.report.page import UNKNOWN, Place, Section, Source


class Machine(msgspec.Struct, frozen=True):
    """As `benchmarks.machine` writes it; older files lack the commit."""

    processor: str = UNKNOWN
    cores: int | None = None
    kernel: str = UNKNOWN
    python: str = UNKNOWN
    commit: str = UNKNOWN


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What every file may say beside its figures."""

    machine: Machine = Machine()
    commit: str | None = None
    disturbance_cores: float | None = None
    ended_early: str | None = None


class Runs(Protocol):
    """All files of one kind."""

    def claims(self, document: Any) -> bool:
        """Whether a document is of this kind; it may be broken nevertheless."""

    def take(self, document: Any, name: str, path: Path, /) -> Source:
        """Remember a document and return its source; msgspec.ValidationError says what is wrong with it."""

    def section(self) -> Section | None:
        """Return what is to be said of all that was taken, None of nothing."""


FiguresT = TypeVar("FiguresT", bound=Measured)


class JsonRuns(Generic[FiguresT]):
    """Files with one JSON object each."""

    def __init__(self, shape: type[FiguresT]) -> None:
        self._shape = shape
        self.runs: list[tuple[Source, FiguresT]] = []

    def take(self, document: Any, name: str, path: Path) -> Source:
        figures = msgspec.convert(document, self._shape)
        source = source_of(figures, name, path)
        self.runs.append((source, figures))
        return source


def source_of(figures: Measured, name: str, path: Path) -> Source:
    """Return where figures are from."""
    machine = figures.machine
    place = Place(machine.processor, machine.cores, machine.kernel, machine.python, figures.commit or machine.commit)
    return Source(name, path, place, figures.disturbance_cores, figures.ended_early)


def ordered_points(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Return points from left to right."""
    return tuple(sorted(points))
