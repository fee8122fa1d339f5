"""What a connection carries, in five levels that people understand; and what who asks for less is sent at most."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from signaling.levels import Level

CLIMB_BY: Final = 1.15
"""Of a level's bitrate, for that level to be reached from below; it is lost below the bitrate itself."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What a level stands for; as a limit, the most that is sent."""

    bitrate_bps: int
    """Of pictures; sound comes first, and is not counted."""
    height: int
    """In pixels; 0: no pictures. Screens are sent as large as they are: of text that is not legible nobody has any."""
    frame_rate: float
    speaker_only: bool = False
    """Of cameras, that of who speaks, or spoke last, and no others."""


SERVINGS: Final = {
    Level.EXCELLENT: Serving(2_500_000, 1080, 30.0),
    Level.GOOD: Serving(1_000_000, 720, 24.0),
    Level.POOR: Serving(500_000, 480, 15.0),
    Level.MINIMAL: Serving(160_000, 360, 15.0, speaker_only=True),
    Level.AUDIO: Serving(24_000, 0, 0.0),
}


def level_of_estimate(estimate_bps: float, wanted_bps: float, *, before: Level | None) -> Level:
    """Return the level that an estimate is worth.

    `wanted_bps` is what there is to be sent: more than that is never measured, so who gets all of it is as well off as
    can be. `before` is the level at present, which lasts at its edge.
    """
    if estimate_bps >= wanted_bps * (1.0 if before is Level.EXCELLENT else CLIMB_BY):
        return Level.EXCELLENT
    for level, serving in SERVINGS.items():
        climbs = before is not None and level.rank < before.rank
        if estimate_bps >= serving.bitrate_bps * (CLIMB_BY if climbs else 1.0):
            return level
    return Level.AUDIO


def most_bps(limit: Level | None) -> float:
    """Return the most that may be sent of pictures in bit/s."""
    if limit is None:
        return math.inf
    serving = SERVINGS[limit]
    return serving.bitrate_bps if serving.height else 0.0
