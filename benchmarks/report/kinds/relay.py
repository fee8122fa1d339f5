"""Logs of `benchmarks relay`: what a bad link did to packets, over time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.relay.impairment import Fate
from benchmarks.relay.log import BadLog, ChangeLine, Header, PacketLine, read_log
from benchmarks.report.page import Axis, Place, Plot, Row, Section, Series, Source, Table

POINTS_MAX: Final = 240


@dataclass(slots=True)
class Way:
    """One direction: packets and drops by second, drops by their reason, waiting of those that passed."""

    schedule: str = ""
    packets: Counter[int] = field(default_factory=Counter)
    dropped: Counter[int] = field(default_factory=Counter)
    fates: Counter[Fate] = field(default_factory=Counter)
    delay_sum_s: float = 0.0

    def add(self, line: PacketLine) -> None:
        second = max(0, int(line.t))
        self.packets[second] += 1
        self.fates[line.fate] += 1
        if line.fate is not Fate.PASSED:
            self.dropped[second] += 1
        elif line.left:
            self.delay_sum_s += line.left[0] - line.t

    def loss_over_time(self) -> tuple[tuple[float, float], ...]:
        """Return (seconds, % dropped), in at most so many steps of equal length."""
        if not self.packets:
            return ()
        step = -(-(max(self.packets) + 1) // POINTS_MAX)
        points = []
        for begin in range(0, max(self.packets) + 1, step):
            packets = sum(self.packets[second] for second in range(begin, begin + step))
            dropped = sum(self.dropped[second] for second in range(begin, begin + step))
            if packets:
                points.append((begin + step / 2, dropped / packets * 100))
        return tuple(points)


class RelayRuns:
    def __init__(self) -> None:
        self.runs: list[tuple[Source, dict[str, Way]]] = []

    def claims(self, document: Any) -> bool:
        """Whether this is the first line of a log."""
        return isinstance(document, dict) and document.get("is") == "relay"

    def take(self, _document: Any, name: str, path: Path) -> Source:
        """Read the whole log; BadLog."""
        ways: dict[str, Way] = {}
        for line in read_log(path):
            if isinstance(line, Header):
                ways = {"up": Way(line.up), "down": Way(line.down)}
            elif isinstance(line, ChangeLine):
                continue
            elif line.way in ways:
                ways[line.way].add(line)
            else:
                raise BadLog(f"{line.way!r} is no way through a relay, expected up or down")
        source = Source(name, path, Place())
        self.runs.append((source, ways))
        return source

    def section(self) -> Section | None:
        if not self.runs:
            return None
        found = [(source, name, way) for source, ways in self.runs for name, way in ways.items() if way.packets]
        heads = ("way", "schedule", "packets", "dropped", "dropped %", "by reason", "mean delay ms")
        series = tuple(Series(f"{source.name}, {name}", way.loss_over_time()) for source, name, way in found)
        plot = Plot(
            "Loss over time",
            "Which part of the packets the relay dropped in each second, up to the server and down to clients.",
            Axis("seconds"),
            Axis("dropped, %"),
            series,
        )
        return Section(
            "The link",
            "What did the relay do to packets on their way?",
            (Table("Ways", heads, tuple(Row(source, _cells(name, way)) for source, name, way in found)),),
            (plot,) if series else (),
        )


def _cells(name: str, way: Way) -> tuple[str, ...]:
    packets, dropped, passed = way.packets.total(), way.dropped.total(), way.fates[Fate.PASSED]
    reasons = [f"{count:,} {fate.value}" for fate, count in way.fates.most_common() if fate is not Fate.PASSED]
    return (
        name,
        way.schedule or "clear",
        f"{packets:,}",
        f"{dropped:,}",
        f"{dropped / packets:.2%}",
        ", ".join(reasons) or "–",
        f"{way.delay_sum_s / passed * 1000:.1f}" if passed else "–",
    )
