"""How far to go beyond what a client estimates by itself (REMB): it learns of no more than comes, and nobody probes it.

A receiver's own estimate stays below some 1.5 times what it is sent, which is less than the next step up mostly costs.
So what is taken for carried grows as long as the client does not object: its estimate must not fall, and must follow
what is sent to it.
"""

from __future__ import annotations

import math
from typing import Final

GROWTH: Final = 1.25
"""A second: from a camera's lowest encoding to its next in five."""

REACH_MAX: Final = 4.0
"""Times what is told or sent: the encodings of a simulcast are a factor of three to four apart."""

OBJECTION: Final = 0.93
"""Part of the last estimate: less is a queue that the receiver saw. On its way up it falls by nothing."""

STALL_S: Final = 4.0
"""An estimate below what is sent that does not rise for so long is the path's limit: libwebrtc's grows 8 % a second."""

PAUSE_S: Final = 5.0
"""After an objection what is told counts, and nothing more."""


class Reach:
    """Of one client; times in monotonic seconds."""

    def __init__(self, told_bps: int, *, now: float) -> None:
        self._told_bps = told_bps
        self._rose_at = now
        self._from_bps = float(told_bps)
        self._since = now

    def hear(self, told_bps: int, *, now: float) -> None:
        """Take what the client estimates."""
        if told_bps > self._told_bps:
            self._rose_at = now
        objects = told_bps < self._told_bps * OBJECTION
        self._told_bps = told_bps
        if objects:
            self._begin_anew(now)

    def bitrate_bps(self, *, used_bps: int, now: float) -> float:
        """Return what may be taken for carried, if so much is sent now."""
        if used_bps <= self._told_bps:
            self._rose_at = now
        elif now - self._rose_at > STALL_S and self._since <= now:
            self._begin_anew(now)
        grown_bps = self._from_bps * math.pow(GROWTH, max(now - self._since, 0.0))
        return max(float(self._told_bps), min(grown_bps, max(self._told_bps, used_bps) * REACH_MAX))

    def _begin_anew(self, now: float) -> None:
        self._from_bps, self._since, self._rose_at = self._told_bps, now + PAUSE_S, now
