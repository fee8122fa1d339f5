"""How much a room takes: of people, of time, of what they say and keep. Each limit with its reason."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from signaling.bitrates import BitrateLimits
from signaling.identifiers import Door
from signaling.pace import Rate

RESUME_WINDOW_MAX_S: Final = 300.0
"""The engine keeps a transport without signs of life for 330 s (`IceConfig.silence_max_s`), whoever still waits."""


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """What is decided for a room when it is made."""

    participants_max: int = 500
    """Beyond a lecture hall the roster alone is a burden; passive viewers have WHEP."""
    publishers_max: int = 100
    """Participants with a track at the same time."""
    waiting_max: int = 200
    """Who may wait to be admitted at the same time."""
    resume_window_s: float = 60.0
    """How long a participant whose connection broke is waited for: a lift, a change of networks. 0: not at all."""
    bitrates: BitrateLimits = field(default_factory=BitrateLimits)
    """Of one track of each source; `bitrates.EXCESS_FACTOR` says when the server acts."""
    media_timeout_s: float = 60.0
    """How long a connected participant may go without signs of life on the media path, once it was told of it."""
    empty_timeout_s: float = 30.0
    """How long a room without anybody is kept, with its state and its door: a teacher alone may reload the page."""
    duration_max_s: float | None = 24 * 3600.0
    """From the first join to the end; None: no end. A day, so that what was forgotten does not run for ever."""
    door: Door = Door.OPEN
    """Who comes in when the room is new: `open`, `waiting` (a moderator admits), `locked`."""

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and not least <= value < math.inf:
                raise ValueError(f"{name} is {value:g}, expected {least:g} or more")
        if self.resume_window_s > RESUME_WINDOW_MAX_S:
            raise ValueError(f"resume_window_s is {self.resume_window_s:g}, expected at most {RESUME_WINDOW_MAX_S:g}")


_LEAST: Final = {
    "participants_max": 1,
    "publishers_max": 0,
    "waiting_max": 0,
    "resume_window_s": 0.0,
    "media_timeout_s": 0.0,
    "empty_timeout_s": 0.0,
    "duration_max_s": 0.0,
}
"""Below it a limit makes no sense."""


@dataclass(frozen=True, slots=True)
class StateLimits:
    """Of what is kept under keys."""

    keys_max: int
    bytes_max: int
    """Keys and values together, as JSON."""


OWN_STATE_LIMITS: Final = StateLimits(keys_max=32, bytes_max=8 * 1024)
"""Of one participant: everybody is told all of it on joining."""

ROOM_STATE_LIMITS: Final = StateLimits(keys_max=256, bytes_max=64 * 1024)

STATE_VALUE_BYTES_MAX: Final = 4 * 1024
MESSAGE_BYTES_MAX: Final = 16 * 1024
"""A long answer in chat; files go elsewhere."""

JSON_DEPTH_MAX: Final = 16
"""Of values that are passed on: some clients parse recursively."""

SENDS: Final = Rate(per_s=20, burst=60)
"""Messages and changes of state of one participant: typing is 1 a second, a pen on a whiteboard 10 to 20."""

REACTIONS: Final = Rate(per_s=2, burst=10)
"""Of one participant: as fast as one taps."""

ROOM_REACTIONS: Final = Rate(per_s=50, burst=100)
"""Of all together: each costs a frame for everybody, and nobody can see more."""

HANDS: Final = Rate(per_s=1, burst=10)
