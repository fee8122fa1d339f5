"""How much of each encoding comes from its publisher, smoothed: what a viewer who is sent it has to carry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from media.rtp.parameters import MediaKind
from signaling.identifiers import TrackId

LOOK_S: Final = 1.0
"""Between two looks: shorter, and a key frame counts as a bitrate; longer, and a scene change is missed."""

RISE: Final = 0.5
"""Part of a difference that one look takes over upwards: a scene change must be believed before it fills queues."""
FALL: Final = 0.2
"""And downwards: what was just needed may be needed again."""

FLOWS_S: Final = 2.5
"""An encoding of which nothing came for so long does not flow: two looks, and a little."""

ABSENT_AFTER_S: Final = 3.0
"""Who was asked for an encoding for so long and does not send it has no bandwidth, or no wish, for it."""

LOOKS_TO_TRUST: Final = 3
"""Encoders begin slowly: until then no less is believed than what is usual."""

MOVED_BY: Final = 0.1
"""A change of cost that viewers need not know."""

COST_BPS_MIN: Final = 10_000
"""A picture that stands still will move."""


class Measured(Protocol):
    """What is looked at of a track."""

    @property
    def id(self) -> TrackId: ...
    @property
    def kind(self) -> MediaKind: ...
    @property
    def received_bytes(self) -> Sequence[int]:
        """Of what viewers can be sent: encodings, or the sizes of a layered stream, each with all that it needs."""

    @property
    def asked(self) -> Sequence[bool]:
        """Of each encoding whether its publisher is asked to send it."""


class EncodingRate:
    """One encoding's; times in monotonic seconds, rates in bit/s."""

    def __init__(self, received_bytes: int, *, now: float) -> None:
        self.rate_bps: float | None = None
        """As last known; None if nothing ever came."""
        self._bytes = received_bytes
        self._at = now
        self._looks = 0
        self._flowed_at: float | None = None
        self._asked_at: float | None = now

    @property
    def trusted(self) -> bool:
        """Whether it was seen for long enough."""
        return self._looks >= LOOKS_TO_TRUST

    def flows(self, now: float) -> bool:
        """Return whether packets come."""
        return self._flowed_at is not None and now - self._flowed_at <= FLOWS_S

    def is_withheld(self, now: float) -> bool:
        """Return whether its publisher is asked for it, long since, and does not send it."""
        return self._asked_at is not None and now - self._asked_at >= ABSENT_AFTER_S and not self.flows(now)

    def look(self, received_bytes: int, *, asked: bool, now: float) -> None:
        """Take the number of bytes that came since the start."""
        elapsed_s, gained = now - self._at, received_bytes - self._bytes
        self._asked_at = None if not asked else now if self._asked_at is None else self._asked_at
        if elapsed_s <= 0:
            return
        self._bytes, self._at = received_bytes, now
        if gained <= 0:
            return  # what it was is remembered for when it comes again
        rate_bps = gained * 8 / elapsed_s
        if self.rate_bps is None:
            self.rate_bps = rate_bps
        else:
            self.rate_bps += (rate_bps - self.rate_bps) * (RISE if rate_bps > self.rate_bps else FALL)
        self._looks = self._looks + 1 if self.flows(now) else 1
        self._flowed_at = now


class TrackRates:
    """All encodings of one track, lowest first."""

    def __init__(self, received_bytes: Sequence[int], *, now: float) -> None:
        self._encodings = [EncodingRate(each, now=now) for each in received_bytes]
        self._now = now
        self._told: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self._encodings)

    def look(self, received_bytes: Sequence[int], asked: Sequence[bool], *, now: float) -> None:
        """Take the numbers of bytes that came since the start."""
        self._now = now
        for encoding, each, is_asked in zip(self._encodings, received_bytes, asked, strict=False):
            encoding.look(each, asked=is_asked, now=now)

    def costs(self, usual: Sequence[int]) -> tuple[int, ...]:
        """Return what sending each encoding costs in bit/s; `usual` is what is taken for those that never came.

        For one that is withheld the engine sends the best one below that flows, else the next above: so it costs that.
        """
        flowing = [encoding.flows(self._now) for encoding in self._encodings]
        costs = [self._cost(index, usual[index]) for index in range(len(self._encodings))]
        for index, encoding in enumerate(self._encodings):
            if encoding.is_withheld(self._now) and any(flowing):
                costs[index] = costs[_stand_in(index, flowing)]
        return tuple(costs)

    def has_moved(self, costs: tuple[int, ...]) -> bool:
        """Return whether costs are others than when this was last true."""
        if len(costs) == len(self._told) and all(
            abs(now - then) <= then * MOVED_BY for now, then in zip(costs, self._told, strict=True)
        ):
            return False
        self._told = costs
        return True

    def _cost(self, index: int, usual_bps: int) -> int:
        encoding = self._encodings[index]
        if encoding.rate_bps is None:
            return max(usual_bps, COST_BPS_MIN)
        known_bps = encoding.rate_bps if encoding.trusted else max(encoding.rate_bps, usual_bps)
        return max(round(known_bps), COST_BPS_MIN)


class Rates:
    """Of all tracks of a room."""

    def __init__(self) -> None:
        self._tracks: dict[TrackId, TrackRates] = {}

    def look(self, tracks: Iterable[Measured], *, now: float) -> None:
        """Look at the tracks that there are, and forget the others."""
        before, self._tracks = self._tracks, {}
        for track in tracks:
            received = tuple(track.received_bytes)
            rates = before.get(track.id)
            if rates is None or len(rates) != len(received):
                rates = TrackRates(received, now=now)
            asked = track.asked
            if len(asked) != len(received):  # the sizes of a layered stream are asked for as one
                asked = [any(asked)] * len(received)
            rates.look(received, asked, now=now)
            self._tracks[track.id] = rates

    def costs(self, track: TrackId, usual: Sequence[int]) -> tuple[int, ...]:
        """Return what each encoding costs in bit/s, what is usual as long as the track was not looked at."""
        rates = self._tracks.get(track)
        return tuple(usual) if rates is None or len(rates) != len(usual) else rates.costs(usual)

    def has_moved(self, track: TrackId, costs: tuple[int, ...]) -> bool:
        """Return whether a track costs something else than when this was last true."""
        rates = self._tracks.get(track)
        return rates is not None and rates.has_moved(costs)


def _stand_in(index: int, flowing: Sequence[bool]) -> int:
    """Return which encoding the engine sends in the place of one that does not flow; one must."""
    below = [other for other in range(index) if flowing[other]]
    return below[-1] if below else next(other for other in range(index + 1, len(flowing)) if flowing[other])
