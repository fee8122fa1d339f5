"""The relay's log on disk, and deciding again from it: one JSON object a line.

The first line says seed and schedules; each further one is a packet (`n` number, `fate`, when its copies `left`, the
bit that was `flip`ped, `ssrc` and `seq` where it showed them) or a change of schedule. Times are seconds since the
first packet, written so that they read back bit for bit: `replay` gives the model the same packets and compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

import msgspec

from benchmarks.relay.direction import DOWN, UP, Change, Entry
from benchmarks.relay.impairment import Fate, Impairment, Verdict
from benchmarks.relay.packet import Kind
from benchmarks.relay.schedule import parse_schedule

FORMAT: Final = 1
BUFFER_BYTES: Final = 1 << 16


class BadLog(ValueError):
    """The file is no log of a relay: the message says in which line."""


class Header(msgspec.Struct, frozen=True, tag="relay", tag_field="is"):
    format: int
    seed: int
    up: str
    down: str


class PacketLine(msgspec.Struct, frozen=True, tag="packet", tag_field="is", omit_defaults=True):
    t: float
    way: str
    n: int
    size: int
    kind: Kind
    hash: str
    fate: Fate
    left: tuple[float, ...] = ()
    ssrc: int | None = None
    seq: int | None = None
    flip: int | None = None

    @property
    def verdict(self) -> Verdict:
        return Verdict(self.fate, self.left, self.flip)


class ChangeLine(msgspec.Struct, frozen=True, tag="change", tag_field="is"):
    t: float
    way: str
    schedule: str


Line = Header | PacketLine | ChangeLine
_DECODER: Final = msgspec.json.Decoder(Line)
_ENCODER: Final = msgspec.json.Encoder()


class LogWriter:
    """Appends what it is called with; closes with the `with` block."""

    def __init__(self, path: Path, *, seed: int, up: str, down: str) -> None:
        """OSError if the file cannot be written."""
        self._file: TextIO = path.open("w", encoding="utf-8", buffering=BUFFER_BYTES)
        self._write(Header(FORMAT, seed, up, down))

    def __call__(self, event: Entry | Change) -> None:
        if isinstance(event, Change):
            self._write(ChangeLine(event.at_s, event.direction, event.schedule))
            return
        self._write(
            PacketLine(
                event.at_s,
                event.direction,
                event.number,
                event.size_bytes,
                event.kind,
                event.digest,
                event.verdict.fate,
                event.verdict.leaves_s,
                event.ssrc,
                event.sequence_number,
                event.verdict.flipped_bit,
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _write(self, line: Line) -> None:
        self._file.write(_ENCODER.encode(line).decode() + "\n")


def read_log(path: Path) -> Iterator[Line]:
    """Yield the lines of a log. BadLog, OSError."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, text in enumerate(file, 1):
            try:
                line = _DECODER.decode(text)
            except msgspec.DecodeError as error:
                raise BadLog(f"{path}, line {number}: {error}") from None
            if (number == 1) != isinstance(line, Header):
                raise BadLog(f"{path}, line {number}: expected seed and schedules in the first line, and only there")
            if isinstance(line, Header) and line.format != FORMAT:
                raise BadLog(f"{path} has format {line.format}, expected {FORMAT}")
            yield line


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of deciding again."""

    packets: int
    dropped: int
    different: tuple[PacketLine, ...]
    """Packets on which the model decided otherwise: none, unless model or log changed since."""


def replay(path: Path) -> Replay:
    """Give the packets of a log to a fresh model and compare. BadLog, OSError."""
    models: dict[str, Impairment] = {}
    packets = dropped = 0
    different: list[PacketLine] = []
    for line in read_log(path):
        if isinstance(line, Header):
            schedules = {UP: line.up, DOWN: line.down}
            models = {way: Impairment(parse_schedule(text), line.seed, way) for way, text in schedules.items()}
            continue
        model = models.get(line.way)
        if model is None:
            raise BadLog(f"{path}: {line.way!r} is no way through a relay, expected up or down")
        if isinstance(line, ChangeLine):
            model.change(parse_schedule(line.schedule), now=line.t)
            continue
        packets += 1
        dropped += line.fate is not Fate.PASSED
        if line.fate is not Fate.UNMAPPED and model.decide(line.n, line.size, line.kind, now=line.t) != line.verdict:
            different.append(line)
    if not models:
        raise BadLog(f"{path} is empty")
    return Replay(packets, dropped, tuple(different))
