"""How much a publisher may send: a limit for each source, shares of it for encodings, and who goes beyond for long."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from signaling.identifiers import Source

EXCESS_FACTOR: Final = 1.5
"""Beyond the limit: encoders overshoot at scene changes, and resends and probes of bandwidth count, too."""

REMINDER_AFTER_S: Final = 8.0
"""Of excess, to the reminder: longer than a browser's estimator takes to come down to a limit that it was told."""

MUTE_AFTER_S: Final = 20.0
"""Of excess, to the end of the server's patience."""

WINDOW_S: Final = 4.0
"""Over which bitrates are taken: a key frame of a large screen is a second of the limit."""

_STEP: Final = 4
"""Each encoding of a simulcast has four times the pixels of the one below, and gets as much more."""


@dataclass(frozen=True, slots=True)
class BitrateLimits:
    """What one track of a source may send, all its encodings together, in bit/s."""

    microphone_bps: int = 256_000
    """Opus for music in stereo needs 128,000; twice that with redundancy."""
    camera_bps: int = 5_000_000
    """1080p at 30 frames in three encodings needs 3.5 million."""
    screen_bps: int = 8_000_000
    """Text at 1080p, and films that are shown."""
    screen_audio_bps: int = 320_000
    """The sound of a film."""

    def __post_init__(self) -> None:
        for source in Source:
            if (limit_bps := self.of(source)) <= 0:
                raise ValueError(f"bitrate of {source.value} is {limit_bps} bit/s, expected more than 0")

    def of(self, source: Source) -> int:
        """Return the limit of a source in bit/s."""
        match source:
            case Source.MICROPHONE:
                return self.microphone_bps
            case Source.CAMERA:
                return self.camera_bps
            case Source.SCREEN:
                return self.screen_bps
            case Source.SCREEN_AUDIO:
                return self.screen_audio_bps


def share(limit_bps: int, encodings: int) -> tuple[int, ...]:
    """Return what each encoding may send in bit/s, lowest first: all together the limit."""
    weights = [_STEP**index for index in range(encodings)]
    shares = [limit_bps * weight // sum(weights) for weight in weights]
    shares[-1] += limit_bps - sum(shares)
    return tuple(shares)


class Excess(enum.Enum):
    """What is to be done about a publisher."""

    NONE = enum.auto()
    REMIND = enum.auto()
    MUTE = enum.auto()


class ExcessMeter:
    """Watches one track. Looks at irregular times are fine; what counts is how long the excess lasts."""

    def __init__(self) -> None:
        self._looks: list[tuple[float, Sequence[int]]] = []
        self._since: float | None = None
        self._reminded = False

    def look(self, received_bytes: Sequence[int], limits_bps: Sequence[int], *, now: float) -> Excess:
        """Return what is to be done after a look at the bytes that came for each encoding since the start."""
        self._looks.append((now, received_bytes))
        while len(self._looks) > 2 and self._looks[1][0] <= now - WINDOW_S:
            del self._looks[0]
        if not self._exceeds(limits_bps):
            self._since, self._reminded = None, False
            return Excess.NONE
        if self._since is None:
            self._since = now
        if now - self._since >= MUTE_AFTER_S:
            self._since, self._reminded = None, False
            self._looks.clear()
            return Excess.MUTE
        if now - self._since >= REMINDER_AFTER_S and not self._reminded:
            self._reminded = True
            return Excess.REMIND
        return Excess.NONE

    def _exceeds(self, limits_bps: Sequence[int]) -> bool:
        (first_at, first), (last_at, last) = self._looks[0], self._looks[-1]
        elapsed_s = last_at - first_at
        if elapsed_s <= 0 or len(first) != len(last):
            return False
        return any(
            (after - before) * 8 > limit_bps * EXCESS_FACTOR * elapsed_s
            for before, after, limit_bps in zip(first, last, limits_bps, strict=False)
        )
