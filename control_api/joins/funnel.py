"""The join funnel: how many got how far, and how long it took. Where the numbers fall, something is wrong."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from control_api.metrics.histogram import Histogram

BOUNDS_S: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 60.0)


class Stage(enum.Enum):
    """What a join passes, in this order; the value is the metric's label."""

    WEBSOCKET = "websocket"
    """A WebSocket was opened with a token that is good; WHIP and WHEP have none."""
    ASKED = "asked"
    """`join` came, or a WHIP or WHEP offer."""
    ANSWERED = "answered"
    """The participant is in the room, and has its answer."""
    ICE = "ice"
    """A path for media was found."""
    DTLS = "dtls"
    """The media path is encrypted, and the peer is the right one."""
    MEDIA = "media"
    """A first track came or went out. Who neither sends nor has anybody to see never gets here."""


class JoinFunnel:
    """Counts; never reset."""

    def __init__(self) -> None:
        self._reached = Counter[Stage](dict.fromkeys(Stage, 0))
        self._refused = Counter[str]()
        self._failed = Counter[str]()
        self._ended = Counter[str]()
        self._left = Counter[str]()
        self._times = {stage: Histogram(BOUNDS_S) for stage in Stage if stage not in {Stage.WEBSOCKET, Stage.ASKED}}

    def reached(self, stage: Stage, after_s: float | None = None) -> None:
        """Take note of a stage, and how long after the join began, where that is known."""
        self._reached[stage] += 1
        if after_s is not None and stage in self._times:
            self._times[stage].observe(after_s)

    def refused(self, code: str) -> None:
        """A join was refused with a code of the protocol."""
        self._refused[code] += 1

    def transport_ended(self, reason: str, *, connected: bool) -> None:
        """A transport ended, after DTLS was done or before."""
        (self._ended if connected else self._failed)[reason] += 1

    def left(self, reason: str) -> None:
        """A participant left."""
        self._left[reason] += 1

    def reading(self) -> dict[Any, float | Histogram]:
        """Return the present metrics."""
        return dict(self._read())

    def _read(self) -> Iterator[tuple[tuple[str, str], float | Histogram]]:
        for stage, count in self._reached.items():
            yield ("joins_total", stage.value), float(count)
        for stage, times in self._times.items():
            yield ("join_duration_seconds", stage.value), times
        for name, counts in (
            ("joins_refused_total", self._refused),
            ("transports_failed_total", self._failed),
            ("transports_ended_total", self._ended),
            ("participants_left_total", self._left),
        ):
            for reason, count in counts.items():
                yield (name, reason), float(count)
