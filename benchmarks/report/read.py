"""Finds the files of a run and has each taken by the kind that claims it; what nobody takes is named with a reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks.relay.log import BadLog
from benchmarks.report.collector import Runs
from benchmarks.report.kinds import all_kinds
from benchmarks.report.page import Section, Skipped, Source

SUFFIXES: Final = {".json", ".jsonl"}
JSON_BYTES_MAX: Final = 64 << 20
"""The largest files, of long recordings with every lost frame, have a few megabytes. Logs of the relay are not bounded:
they are read line by line.
"""
FIRST_LINE_BYTES_MAX: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Collected:
    """All that a report is made of."""

    sections: tuple[Section, ...]
    sources: tuple[Source, ...]
    skipped: tuple[Skipped, ...]


def collect(paths: Sequence[Path]) -> Collected:
    """Read files, and the JSON files of folders with their folders. OSError if a path does not exist."""
    kinds, sources, skipped = all_kinds(), [], []
    names: set[str] = set()
    for path in find_files(paths):
        try:
            sources.append(_take(kinds, path, _name(path, names)))
        except (msgspec.MsgspecError, BadLog, OSError, ValueError) as error:
            skipped.append(Skipped(path, _reason(error, path)))
    sections = tuple(section for kind in kinds if (section := kind.section()) is not None)
    return Collected(sections, tuple(sources), tuple(skipped))


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Return files that are named, and those of folders, by name, each once. OSError for what is not there."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = (file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
            found |= dict.fromkeys(sorted(inside, key=_order))
        elif path.exists():
            found[path] = None
        else:
            raise FileNotFoundError(f"{path} does not exist")
    return list(found)


def _order(path: Path) -> list[tuple[int, str]]:
    """Sort numbers within names as numbers: load-50 before load-100."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", str(path))]


def _take(kinds: Sequence[Runs], path: Path, name: str) -> Source:
    document = _read(path)
    for kind in kinds:
        if kind.claims(document):
            return kind.take(document, name, path)
    raise ValueError("no benchmark writes such a file")


def _read(path: Path) -> Any:
    """Return a file's JSON; of JSON lines the first."""
    with path.open("rb") as file:
        first = file.readline(FIRST_LINE_BYTES_MAX)
    try:
        document = msgspec.json.decode(first)
    except msgspec.DecodeError:
        document = None
    if isinstance(document, dict) and document.get("is") == "relay":
        return document
    if path.stat().st_size > JSON_BYTES_MAX:
        raise ValueError(f"has {path.stat().st_size} bytes, expected at most {JSON_BYTES_MAX}")
    return msgspec.json.decode(path.read_bytes())


def _name(path: Path, taken: set[str]) -> str:
    """Return the file's name without its ending, with its folder's before it if another has that name."""
    name = path.stem if path.stem not in taken else f"{path.parent.name}/{path.stem}"
    number = 2
    while name in taken:
        name = f"{path.stem} ({number})"
        number += 1
    taken.add(name)
    return name


def _reason(error: Exception, path: Path) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error).removeprefix(
        f"{path}, "
    ).removeprefix(f"{path} ")
    prefix = "is no JSON: " if isinstance(error, msgspec.DecodeError) and not _valid(error) else ""
    return f"{prefix}{text}"


def _valid(error: msgspec.DecodeError) -> bool:
    """Whether it was JSON, of another shape than expected."""
    return isinstance(error, msgspec.ValidationError)
