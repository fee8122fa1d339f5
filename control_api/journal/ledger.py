"""What is open at a point of the journal: rooms that run and people who are in them. Pure.

A journal that ends without a word (kill -9, a power cut) left its rooms and people open. `close_dead` gives the events
that end them, at the last sign of life of the process that knew them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from control_api.journal.events import (
    INFERRED,
    Event,
    Inferred,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantResumed,
    ParticipantSuspended,
    RoomEnded,
    RoomStarted,
)


class Moment(msgspec.Struct, frozen=True):
    """A moment on both clocks."""

    at: datetime
    uptime_s: float

    def before(self, duration_s: float) -> Moment:
        """Return the moment so many seconds earlier, the process's begin at the earliest."""
        back_s = min(duration_s, self.uptime_s)
        return Moment(self.at - timedelta(seconds=back_s), self.uptime_s - back_s)


class Presence(msgspec.Struct, kw_only=True):
    """Somebody who is in a room."""

    boot_id: str
    room: str
    participant: str
    identity: str
    seen_last: Moment | None = None
    """When a suspended participant was last there, or when its server was; None while it is there."""


class OpenRoom(msgspec.Struct, kw_only=True):
    """A room that runs."""

    boot_id: str
    room: str
    seen_last: Moment | None = None


class Ledger(msgspec.Struct):
    """All that is open; it stands in the head of each segment, so that recovery reads one segment only."""

    rooms: dict[str, OpenRoom] = {}
    presences: dict[str, Presence] = {}

    def apply(self, event: Event, boot_id: str, moment: Moment) -> None:
        """Take note of an event. One that does not fit (an end without a beginning) changes nothing."""
        match event:
            case RoomStarted(room=room):
                self.rooms[room] = OpenRoom(boot_id=boot_id, room=room)
            case RoomEnded(room=room):
                self.rooms.pop(room, None)
            case ParticipantJoined(room=room, participant=participant, identity=identity):
                self.presences[participant] = Presence(
                    boot_id=boot_id, room=room, participant=participant, identity=identity
                )
            case ParticipantLeft(participant=participant):
                self.presences.pop(participant, None)
            case ParticipantSuspended(participant=participant, silent_s=silent_s) if participant in self.presences:
                self.presences[participant].seen_last = moment.before(silent_s or 0.0)
            case ParticipantResumed(participant=participant) if participant in self.presences:
                self.presences[participant].seen_last = None
            case _:
                pass

    def mark_dead(self, last_alive: Moment) -> None:
        """Take note that whoever wrote this ledger was last alive then."""
        for presence in self.presences.values():
            presence.seen_last = presence.seen_last or last_alive
        for room in self.rooms.values():
            room.seen_last = room.seen_last or last_alive

    def close_dead(self) -> Iterator[tuple[datetime, Event]]:
        """Yield the end of everything that is open, people before rooms, with the time of each. Marks nothing itself.

        Call it after `mark_dead`, and `apply` what it yields.
        """
        for presence in list(self.presences.values()):
            if (last := presence.seen_last) is not None:
                yield (
                    last.at,
                    ParticipantLeft(
                        room=presence.room,
                        participant=presence.participant,
                        identity=presence.identity,
                        reason=INFERRED,
                        inferred=Inferred(boot_id=presence.boot_id, uptime_s=last.uptime_s),
                    ),
                )
        for room in list(self.rooms.values()):
            if (last := room.seen_last) is not None:
                inferred = Inferred(boot_id=room.boot_id, uptime_s=last.uptime_s)
                yield last.at, RoomEnded(room=room.room, reason=INFERRED, inferred=inferred)
