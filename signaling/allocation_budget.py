"""How much may be sent to one viewer, and whether more than now: estimate, limit, and patience after a fall."""

from __future__ import annotations

import math
from typing import Final

from media.bwe.allocator import CLIMB_MARGIN
from signaling.allocation_levels import level_of_estimate, most_bps
from signaling.levels import Level

ASSUMED_BPS: Final = 300_000
"""Taken for a client that will tell how much comes, until it does: as the estimator itself begins."""
ASSUMED_FOR_S: Final = 10.0
"""A client that has told nothing by then never will, and gets what it wants."""

NEWS: Final = 1.05
"""An estimate that grew by less changes nothing: it is looked at again within a second."""

HOLD_S: Final = 3.0
"""After a fall nothing climbs for so long: queues drain first."""
HOLD_MAX_S: Final = 24.0
RELAPSE_S: Final = 10.0
"""A fall so soon after a climb was a climb too far: the next one waits for twice as long, unless much has changed."""
MUCH: Final = 1.5
"""Times what was too much: an estimate of so much is of another network, and is not waited with."""

LEVEL_AFTER_S: Final = 5.0
"""Estimates begin low: until then they say nothing about the connection."""


class Budget:
    """Of one viewer; times in monotonic seconds."""

    def __init__(self) -> None:
        self.estimate_bps: int | None = None
        """As told last; None as long as nothing was told."""
        self.limit: Level | None = None
        """What the viewer wants to be sent at most."""
        self.level: Level | None = None
        """What the estimate is worth, None as long as that is not known."""
        self.wanted_bps = 0
        """The sum of all that there is to be sent, sound included."""
        self.used_bps = 0
        """What was allotted last, sound included."""
        self._allotted_estimate_bps = 0.0
        self._assumed_until: float | None = None
        self._estimated_at: float | None = None
        self._hold_s = HOLD_S
        self._fell_at = -math.inf
        self._fell_from_bps = 0
        self._climbed_at = -math.inf

    @property
    def short(self) -> bool:
        """Whether less was allotted than is wanted."""
        return self.used_bps < self.wanted_bps

    @property
    def probe_for_bps(self) -> int:
        """What the estimate must reach for everything to be sent."""
        return math.ceil(self.wanted_bps * CLIMB_MARGIN)

    def assume(self, *, now: float) -> None:
        """Take it that the client will tell how much comes."""
        if self._assumed_until is None:
            self._assumed_until = now + ASSUMED_FOR_S

    def carried_bps(self, *, now: float) -> float | None:
        """Return what the path carries, sound included; None if nothing is known of it."""
        if self.estimate_bps is not None:
            return self.estimate_bps
        return ASSUMED_BPS if self._assumed_until is not None and now < self._assumed_until else None

    def pictures_bps(self, sound_bps: int, *, now: float) -> float:
        """Return how much is left for pictures."""
        carried = self.carried_bps(now=now)
        return min(math.inf if carried is None else max(carried - sound_bps, 0.0), most_bps(self.limit))

    def estimate(self, bitrate_bps: int, *, now: float) -> bool:
        """Take an estimate; return whether it is worth to allot anew."""
        first = self.estimate_bps is None
        self.estimate_bps = bitrate_bps
        if self._estimated_at is None:
            self._estimated_at = now
        grew = self.short and bitrate_bps >= self._allotted_estimate_bps * NEWS and not self.is_held(now=now)
        return first or bitrate_bps < self.used_bps or grew

    def allotted(self, used_bps: int, wanted_bps: int, *, now: float) -> None:
        """Take note of what is sent now, and what could be, sound included."""
        self.used_bps, self.wanted_bps = used_bps, wanted_bps
        self._allotted_estimate_bps = self.estimate_bps or 0
        if self.estimate_bps is not None and self._estimated_at is not None:
            if now - self._estimated_at >= LEVEL_AFTER_S:
                self.level = level_of_estimate(self.estimate_bps, wanted_bps, before=self.level)
        else:
            self.level = None

    def is_held(self, *, now: float) -> bool:
        """Return whether nothing may climb yet."""
        hold_s = HOLD_S if (self.estimate_bps or 0) >= self._fell_from_bps * MUCH else self._hold_s
        return now < self._fell_at + hold_s

    def fell(self, *, now: float) -> None:
        """Take note that something had to be sent less of."""
        relapsed = now - self._climbed_at < RELAPSE_S
        self._hold_s = min(self._hold_s * 2, HOLD_MAX_S) if relapsed else HOLD_S
        self._fell_at, self._fell_from_bps = now, self.used_bps

    def climbed(self, *, now: float) -> None:
        """Take note that something is sent more of."""
        self._climbed_at = now
