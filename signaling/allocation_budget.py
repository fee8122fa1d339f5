"""How much may be sent to one viewer, and whether more than now: estimate, limit, and patience after a fall."""

from __future__ import annotations

import math
from typing import Final

from media.bwe.allocator import CLIMB_MARGIN
from signaling.allocation_levels import level_of_estimate, most_bps
from signaling.allocation_reach import Reach
from signaling.levels import Level

ASSUMED_BPS: Final = 300_000
"""Taken for a client that will tell how much comes, until it does: as the estimator itself begins."""
ASSUMED_FOR_S: Final = 10.0
"""A client that has told nothing by then never will, and gets what it wants."""

NEWS: Final = 1.05
"""An estimate that grew by less changes nothing: it is looked at again within a second."""

PATIENCE_S: Final = 2.0
DIP: Final = 0.8
"""An estimate of no less than this part of what is sent is not obeyed for so long. At every hiccup an estimator falls
to 0.85 of what arrives; if all arrives that is sent, the path is not full, and a probe finds it so 1.5 s later."""

HOLD_S: Final = 3.0
"""After a fall nothing climbs for so long: queues drain first."""
BACK_OFF: Final = 0.85
"""Part of what was too much that may be climbed to then: most of it was good."""
GROWTH: Final = 0.05
"""Part of it, a second, by which that grows: what was too much may be enough again."""
SLOWNESS_MAX: Final = 16
RELAPSE_S: Final = 10.0
"""A fall so soon after a climb was a climb too far: from now on it grows half as fast."""
CALM_S: Final = 60.0
"""Without a fall, and it grows as fast as at first."""
MUCH: Final = 1.5
"""Times what was too much: an estimate of so much is of another network, and what was is forgotten."""

TRIAL_S: Final = 4.0
"""For so long the least picture is sent although it seems too much, if there is no other: of a path on which nothing
flows nobody learns that it is wide again."""
TRIAL_PAUSE_S: Final = 4.0
"""Until the first trial; each that fails doubles the time until the next."""
TRIAL_PAUSE_MAX_S: Final = 32.0

LEVEL_AFTER_S: Final = 5.0
"""Estimates begin low: until then they say nothing about the connection."""

PLAUSIBLE: Final = 2.0
"""Times the estimate: so much a probe may well find, later too."""


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
        self._reach: Reach | None = None
        """Beyond what is told, of a client that estimates by itself."""
        self._allotted_estimate_bps = 0.0
        self._assumed_until: float | None = None
        self._estimated_at: float | None = None
        self._below_since: float | None = None
        self._fell_at = -math.inf
        self._fell_from_bps = 0
        self._slowness = 1
        self._climbed_at = -math.inf
        self._trial_at: float | None = None
        """When the next trial begins, or the present one began; None while pictures are sent."""
        self._trial_pause_s = TRIAL_PAUSE_S

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

    def reach(self, *, now: float) -> None:
        """Go beyond the estimate, which is a client's own, as long as it does not object; called again and again."""
        if self.estimate_bps is None:
            return
        if self._reach is None:
            self._reach = Reach(self.estimate_bps, now=now)
        self._take(round(self._reach.bitrate_bps(used_bps=self.used_bps, now=now)), now=now)

    def carried_bps(self, *, now: float) -> float | None:
        """Return what the path carries, sound included; None if nothing is known of it."""
        if self.estimate_bps is not None:
            return self.estimate_bps
        return ASSUMED_BPS if self._assumed_until is not None and now < self._assumed_until else None

    def pictures_bps(self, sound_bps: int, *, now: float) -> float:
        """Return how much is left for pictures."""
        carried = self.carried_bps(now=now)
        if carried is None:
            return most_bps(self.limit)
        if self._dips(now=now):
            carried = self.used_bps
        carried = min(carried, max(self._ceiling_bps(now=now), self.used_bps))
        return min(max(carried - sound_bps, 0.0), most_bps(self.limit))

    def estimate(self, bitrate_bps: int, *, now: float) -> bool:
        """Take an estimate; return whether it is worth to allot anew."""
        first = self.estimate_bps is None
        if self._reach is not None:
            self._reach.hear(bitrate_bps, now=now)
            bitrate_bps = round(self._reach.bitrate_bps(used_bps=self.used_bps, now=now))
        if self._estimated_at is None:
            self._estimated_at = now
        self._take(bitrate_bps, now=now)
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

    def is_tried(self, *, now: float) -> bool:
        """Return whether the least picture is to be sent, whatever the estimate."""
        return self._trial_at is not None and self._trial_at <= now < self._trial_at + TRIAL_S

    def starves(self, starves: bool, *, now: float) -> None:
        """Take note whether there is too little for any picture."""
        if not starves:
            if self._trial_at is not None and not self.is_tried(now=now):
                self._trial_at, self._trial_pause_s = None, TRIAL_PAUSE_S
        elif self._trial_at is None:
            self._trial_at = now + self._trial_pause_s
        elif now >= self._trial_at + TRIAL_S:
            self._trial_pause_s = min(self._trial_pause_s * 2, TRIAL_PAUSE_MAX_S)
            self._trial_at = now + self._trial_pause_s

    def may_carry(self, bitrate_bps: float, *, now: float) -> bool:
        """Return whether the path may be found to carry so much within a second, sound included."""
        if self.is_held(now=now) or bitrate_bps > self._ceiling_bps(now=now):
            return False
        carried = self.carried_bps(now=now)
        is_new = self._estimated_at is None or now - self._estimated_at < LEVEL_AFTER_S
        return carried is None or is_new or bitrate_bps <= carried * PLAUSIBLE

    def is_held(self, *, now: float) -> bool:
        """Return whether nothing may climb yet."""
        return now < self._fell_at + HOLD_S

    def fell(self, *, now: float) -> None:
        """Take note that something had to be sent less of."""
        if now - self._climbed_at < RELAPSE_S:
            self._slowness = min(self._slowness * 2, SLOWNESS_MAX)
        elif now - self._fell_at > CALM_S:
            self._slowness = 1
        self._fell_at, self._fell_from_bps = now, self.used_bps

    def climbed(self, *, now: float) -> None:
        """Take note that something is sent more of."""
        self._climbed_at = now

    def _take(self, bitrate_bps: int, *, now: float) -> None:
        self.estimate_bps = bitrate_bps
        if bitrate_bps >= self.used_bps:
            self._below_since = None
        elif self._below_since is None:
            self._below_since = now

    def _dips(self, *, now: float) -> bool:
        """Return whether the estimate is short of what is sent, but not by much, nor for long."""
        if self.estimate_bps is None or self._below_since is None:
            return False
        return self.estimate_bps >= self.used_bps * DIP and now - self._below_since < PATIENCE_S

    def _ceiling_bps(self, *, now: float) -> float:
        """Return how much may be climbed to after a fall, sound included."""
        if self._reach is None and (self.estimate_bps or 0) >= self._fell_from_bps * MUCH:
            return math.inf
        grown = GROWTH / self._slowness * max(now - self._fell_at - HOLD_S, 0.0)
        return self._fell_from_bps * (BACK_OFF + grown) * CLIMB_MARGIN
