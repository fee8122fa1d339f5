"""One direction of the relay: numbers its packets, asks the model, counts, and tells the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.relay.impairment import UNMAPPED, Fate, Impairment, Verdict
from benchmarks.relay.packet import Kind, Sight, digest, look_at
from benchmarks.relay.schedule import BadSchedule, Schedule, parse_schedule

UP: Final = "up"
"""From clients to the server."""
DOWN: Final = "down"


@dataclass(frozen=True, slots=True)
class Entry:
    """One packet, and what became of it: enough to decide again, and to be found at the far end."""

    at_s: float
    """Seconds since the relay's first packet."""
    direction: str
    number: int
    size_bytes: int
    kind: Kind
    digest: str
    ssrc: int | None
    sequence_number: int | None
    verdict: Verdict

    @property
    def is_dropped(self) -> bool:
        return self.verdict.fate is not Fate.PASSED


@dataclass(frozen=True, slots=True)
class Change:
    """From here on another schedule holds."""

    at_s: float
    direction: str
    schedule: str


Log = Callable[[Entry | Change], None]


class Direction:
    """All packets of one way, of all clients: they share the link."""

    def __init__(self, name: str, schedule: Schedule, seed: int, log: Log | None) -> None:
        if name == DOWN and schedule.rebinds_s:
            raise BadSchedule("`rebind` belongs into the schedule of the way up: it changes the clients' addresses")
        self.name = name
        self.counts: Counter[Fate] = Counter()
        self.kinds_dropped: Counter[Kind] = Counter()
        self.duplicated = 0
        self.corrupted = 0
        self._impairment = Impairment(schedule, seed, name)
        self._log = log
        self._number = 0

    @property
    def schedule(self) -> Schedule:
        return self._impairment.schedule

    @property
    def lost(self) -> int:
        """How many packets were dropped, for whatever reason."""
        return sum(count for fate, count in self.counts.items() if fate is not Fate.PASSED)

    @property
    def passed(self) -> int:
        return self.counts[Fate.PASSED]

    def change(self, schedule: Schedule | str, *, now: float) -> Schedule:
        """Follow another schedule from now on; return it. BadSchedule if the text is none."""
        if isinstance(schedule, str):
            schedule = parse_schedule(schedule)
        if self.name == DOWN and schedule.rebinds_s:
            raise BadSchedule("`rebind` belongs into the schedule of the way up: it changes the clients' addresses")
        self._impairment.change(schedule, now=now)
        if self._log is not None:
            self._log(Change(now, self.name, schedule.text))
        return schedule

    def take(self, datagram: bytes, *, now: float) -> Verdict:
        """Return what is to be done with the next packet."""
        sight = look_at(datagram)
        verdict = self._impairment.decide(self._number, len(datagram), sight.kind, now=now)
        self._write_down(datagram, sight, verdict, now)
        return verdict

    def take_unmapped(self, datagram: bytes, *, now: float) -> None:
        """Count a packet to a NAT mapping that is no more."""
        self._write_down(datagram, look_at(datagram), UNMAPPED, now)

    def _write_down(self, datagram: bytes, sight: Sight, verdict: Verdict, now: float) -> None:
        self.counts[verdict.fate] += 1
        self.duplicated += len(verdict.leaves_s) > 1
        self.corrupted += verdict.flipped_bit is not None
        if verdict.fate is not Fate.PASSED:
            self.kinds_dropped[sight.kind] += 1
        if self._log is not None:
            name = digest(datagram)
            self._log(Entry(now, self.name, self._number, len(datagram), sight.kind, name, *sight[1:], verdict))
        self._number += 1
