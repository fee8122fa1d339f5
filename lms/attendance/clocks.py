"""From a boot's steady clock to wall time: one fixed offset a boot, so that durations are exact whatever is set. Pure.

Wall clocks get set in mid-class; steady clocks do not. Each boot's facts are therefore placed by their uptime, and one
of their wall times says where uptime 0 stood. When the wall clock jumped, its settings (epochs) contradict each other:
we believe the one that agrees best with our own clock when we were told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lms.attendance.facts import SECOND_US, Boot, Fact

STEP_US: Final = 2 * SECOND_US
"""Less is slewing: 500 ppm for an hour."""


@dataclass(frozen=True, slots=True)
class BootClock:
    """How the steady clock of one boot is read."""

    zero_us: int
    """The wall time of uptime 0, microseconds since 1970."""
    steps: int
    """How often the wall clock was seen to jump."""

    def wall_us(self, uptime_us: int) -> int:
        """Return the wall time of a moment of this boot."""
        return self.zero_us + uptime_us


def read_clocks(facts: Iterable[Fact]) -> Mapping[Boot, BootClock]:
    """Return the clock of each boot that told something itself; the same for every order of the facts."""
    told: dict[Boot, list[Fact]] = {}
    for fact in facts:
        if fact.inferred is None:  # the wall time of an inferred end is its predecessor's
            told.setdefault(fact.boot, []).append(fact)
    return {boot: _read_clock(sorted(of_boot, key=lambda fact: fact.seq)) for boot, of_boot in told.items()}


def _read_clock(facts: Sequence[Fact]) -> BootClock:
    zeros = [facts[0].at_us - facts[0].uptime_us]
    for fact in facts[1:]:
        if abs((zero := fact.at_us - fact.uptime_us) - zeros[-1]) > STEP_US:
            zeros.append(zero)
    received = [fact.received_us - fact.uptime_us for fact in facts if fact.received_us is not None]
    if not received:
        return BootClock(zeros[0], len(zeros) - 1)
    ours = min(received)  # of what was told soonest: everything else was on its way for longer
    return BootClock(min(zeros, key=lambda zero: abs(ours - zero)), len(zeros) - 1)
