"""Facts about presence: what the media server's feed says, reduced to what attendance hangs on. Pure.

A fact is what was told, never changed; everything else here is derived from the set of them, so that facts that come
twice, late or in another order make no difference.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from control_api.contract import (
    EventsLost,
    FeedEvent,
    Inferred,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantResumed,
    ParticipantSuspended,
    RoomEnded,
    RoomStarted,
)

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SECOND_US: Final = 1_000_000


class FactKind(enum.Enum):
    """What happened."""

    ROOM_STARTED = "room_started"
    ROOM_ENDED = "room_ended"
    JOINED = "joined"
    LEFT = "left"
    SUSPENDED = "suspended"
    RESUMED = "resumed"


class Boot(NamedTuple):
    """One run of one media server's process: the reach of its `seq` and of its steady clock."""

    node: str
    boot_id: str


@dataclass(frozen=True, slots=True)
class Inference:
    """Where the steady clock of a process stood that died without a word, when it was last known to live."""

    boot_id: str
    uptime_us: int


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. (boot, seq) names it for ever."""

    boot: Boot
    seq: int
    kind: FactKind
    room: str
    at_us: int
    """The media server's wall clock, microseconds since 1970 UTC; it may have been set meanwhile."""
    uptime_us: int
    """Its steady clock, microseconds since the boot; measures within one boot, in which `seq` orders.

    Of who was given up for silence, both times are those of the last sign of life.
    """
    participant: str = ""
    """One stay of one person, a connection; empty for rooms."""
    identity: str = ""
    """Who it is, as the token said."""
    reason: str = ""
    """Why somebody left, in the media server's words."""
    name: str = ""
    """What others saw, for guests; nobody is recognised by it."""
    hidden: bool = False
    """The others did not see this participant: an observer or a recorder, who attends nothing."""
    inferred: Inference | None = None
    """There for ends that nobody saw, told by the next boot."""
    received_us: int | None = None
    """Our own wall clock when we were first told; it tells which of two settings of the other clock was right."""

    @property
    def key(self) -> tuple[str, str, int]:
        """What is unique for ever."""
        return (self.boot.node, self.boot.boot_id, self.seq)


def fact_of(told: FeedEvent, *, received_us: int | None = None) -> Fact | None:
    """Return the fact that an event of the feed is, None for one that says nothing of presence."""
    if told.boot_id is None or told.seq is None or told.uptime_s is None:
        return None  # stands for events of a damaged file
    boot, seq = Boot(told.node, told.boot_id), told.seq
    at_us, uptime_us = microseconds(told.at), round(told.uptime_s * SECOND_US)
    if isinstance(told.event, ParticipantSuspended | ParticipantLeft):
        # The last sign of life counts, not when it was missed. Both clocks go back, so that they agree as before.
        silent_us = min(round(max(told.event.silent_s or 0.0, 0.0) * SECOND_US), uptime_us)
        at_us, uptime_us = at_us - silent_us, uptime_us - silent_us
    match told.event:
        case RoomStarted(room=room):
            return Fact(boot, seq, FactKind.ROOM_STARTED, room, at_us, uptime_us, received_us=received_us)
        case RoomEnded(room=room, reason=reason, inferred=inferred):
            return Fact(
                boot, seq, FactKind.ROOM_ENDED, room, at_us, uptime_us,
                reason=reason or "", inferred=_inference(inferred), received_us=received_us,
            )  # fmt: skip
        case ParticipantJoined(room=room, participant=participant, identity=identity, name=name, hidden=hidden):
            return Fact(
                boot, seq, FactKind.JOINED, room, at_us, uptime_us, participant, identity,
                name=name or "", hidden=hidden, received_us=received_us,
            )  # fmt: skip
        case ParticipantLeft(room=room, participant=participant, identity=identity, reason=reason, inferred=inferred):
            return Fact(
                boot, seq, FactKind.LEFT, room, at_us, uptime_us, participant, identity,
                reason=reason, inferred=_inference(inferred), received_us=received_us,
            )  # fmt: skip
        case ParticipantSuspended(room=room, participant=participant, identity=identity):
            kind = FactKind.SUSPENDED
            return Fact(boot, seq, kind, room, at_us, uptime_us, participant, identity, received_us=received_us)
        case ParticipantResumed(room=room, participant=participant, identity=identity):
            kind = FactKind.RESUMED
            return Fact(boot, seq, kind, room, at_us, uptime_us, participant, identity, received_us=received_us)
        case _:
            return None  # tracks, recordings, and what later versions tell


def lost_events(told: FeedEvent) -> int:
    """Return how many events will never come, as this event says."""
    return told.event.count if isinstance(told.event, EventsLost) else 0


def microseconds(moment: datetime) -> int:
    """Return microseconds since 1970, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment_of(at_us: int) -> datetime:
    """Return the UTC moment of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=at_us)


def _inference(inferred: Inferred | None) -> Inference | None:
    return None if inferred is None else Inference(inferred.boot_id, round(inferred.uptime_s * SECOND_US))
