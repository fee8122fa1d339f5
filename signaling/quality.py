"""How good somebody's connection is, from loss, round trip and jitter of both directions: numbers in, levels out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from signaling.levels import Level
from signaling.ports import PathCounters


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that a level allows of each; the worst of the three decides."""

    loss: float
    """Part of the packets of a direction, before repair, 0 to 1."""
    round_trip_s: float
    jitter_s: float


BOUNDS: Final = {
    Level.EXCELLENT: Bounds(loss=0.02, round_trip_s=0.2, jitter_s=0.03),  # nobody notices
    Level.GOOD: Bounds(loss=0.05, round_trip_s=0.4, jitter_s=0.06),  # repaired in time; people begin to talk at once
    Level.POOR: Bounds(loss=0.12, round_trip_s=0.8, jitter_s=0.12),  # repair takes longer than buffers wait
    Level.MINIMAL: Bounds(loss=0.25, round_trip_s=1.5, jitter_s=0.25),  # pictures freeze; beyond, sound suffers, too
}

BETTER_BY: Final = 0.8
"""To rise, all must be below this part of the bounds: at the edge of two levels nothing flickers."""

LOOKS_TO_FALL: Final = 2
LOOKS_TO_RISE: Final = 3
"""In a row: bad news may be a burst, good news a pause. A look is every 2 s (`watch.LOOK_S`)."""

PACKETS_MIN: Final = 20
"""Between two looks, for their loss to mean something: less than a second of one voice."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one look at a path says; 0 is also what is not known."""

    loss: float
    """The larger one of both directions."""
    round_trip_s: float
    jitter_s: float


def report(before: PathCounters, after: PathCounters) -> Report:
    """Return what happened between two looks at the counters of a path."""
    lost = max(0, after.lost - before.lost)
    expected = max(0, after.received - before.received) + lost
    loss_in = lost / expected if expected >= PACKETS_MIN else 0.0
    return Report(
        loss=max(loss_in, after.loss_out),
        round_trip_s=after.round_trip_s,
        jitter_s=max(after.jitter_in_s, after.jitter_out_s),
    )


def level_of(seen: Report, *, part: float = 1.0) -> Level:
    """Return the level of a report; `part` of the bounds is what counts."""
    for level, bounds in BOUNDS.items():
        if (
            seen.loss <= bounds.loss * part
            and seen.round_trip_s <= bounds.round_trip_s * part
            and seen.jitter_s <= bounds.jitter_s * part
        ):
            return level
    return Level.AUDIO


class Gauge:
    """The level of one connection: falls and rises only if several looks agree; a lost one is lost at once."""

    def __init__(self) -> None:
        self.level: Level | None = None
        """None as long as nothing is known."""
        self.ceiling: Level | None = None
        """No better than this, as whoever estimates the bandwidth may say."""
        self._looks = 0
        self._towards: Level | None = None

    def take(self, seen: Report | None, *, silent: bool) -> Level | None:
        """Take a look (None: nothing flows that could be measured) and return the level."""
        if silent:
            self._set(Level.LOST)
        elif seen is not None:
            self._weigh(seen)
        elif self.level is Level.LOST:
            self._set(None)
        return self.level

    def _weigh(self, seen: Report) -> None:
        now = self._cap(level_of(seen))
        if self.level in (None, Level.LOST):
            self._set(now)
            return
        assert self.level is not None
        if now.rank > self.level.rank:
            self._lean(now, worse=True)
        elif (better := self._cap(level_of(seen, part=BETTER_BY))).rank < self.level.rank:
            self._lean(better, worse=False)
        else:
            self._looks, self._towards = 0, None

    def _lean(self, level: Level, *, worse: bool) -> None:
        """Count looks that agree on the direction; the level nearest to the present one among them is taken."""
        assert self.level is not None
        same = self._towards is not None and (self._towards.rank > self.level.rank) == worse
        if same and self._towards is not None:
            nearest = min if worse else max
            level = nearest(level, self._towards, key=lambda each: each.rank)
        self._looks = self._looks + 1 if same else 1
        self._towards = level
        if self._looks >= (LOOKS_TO_FALL if worse else LOOKS_TO_RISE):
            self._set(level)

    def _cap(self, level: Level) -> Level:
        return level if self.ceiling is None else max(level, self.ceiling, key=lambda each: each.rank)

    def _set(self, level: Level | None) -> None:
        self.level = level
        self._looks, self._towards = 0, None
