"""Who listens to what in this process: connections by person, rooms as channels, and who is there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, assert_never
from uuid import UUID

from lms.clock import Clock
from lms.live.channel import Channel, Listener, ReadChanges
from lms.live.codes import CloseCode
from lms.live.connection import Connection
from lms.live.events import Event, UserAway, UserOffline, UserOnline, encode_event
from lms.live.notes import (
    AliveNote,
    AnyNote,
    CloseNote,
    DropNote,
    GoneNote,
    PresenceNote,
    RoomNote,
    SaidNote,
    UsersNote,
)
from lms.live.presence import Place, Presence, Status, Turn
from lms.live.settings import LiveSettings

logger = logging.getLogger(__name__)

_TOLD_AS: Final = {Status.ONLINE: UserOnline, Status.AWAY: UserAway, Status.OFFLINE: UserOffline}
OWN_NOTE_S: Final = 1.0
"""A note of this process's own may be quicker than the commit's end is noticed here, which knows the frame: wait."""
SILENT_AFTER_S: Final = 60.0
"""A process that was not heard of for so long is gone, and everybody with it."""


class Hub:
    """All connections of one process."""

    def __init__(
        self,
        source: str,
        clock: Clock,
        settings: LiveSettings,
        read: ReadChanges,
        dropped: Callable[[Listener, UUID, str], None],
    ) -> None:
        """`dropped` tells somebody that they hear no more of a room, and why."""
        self._source = source
        self._clock = clock
        self._settings = settings
        self._read = read
        self._channels: dict[Place, Channel] = {}
        self._by_user: dict[Place, set[Connection]] = {}
        self._heard: dict[str, float] = {}
        """Other processes, and when they were heard of last."""
        self.presence = Presence()
        self.count = 0
        """Connections that said who they are."""
        self._dropped = dropped

    def connections_of(self, org_id: UUID, user_id: UUID) -> Collection[Connection]:
        """Return the connections of somebody."""
        return self._by_user.get((org_id, user_id), ())

    def everybody(self) -> list[Connection]:
        """Return all connections."""
        return [each for connections in self._by_user.values() for each in connections]

    def enter(self, connection: Connection) -> None:
        """Have a connection hear what is told to its person."""
        self._by_user.setdefault((connection.org_id, connection.user_id), set()).add(connection)
        self.count += 1

    def leave(self, connection: Connection) -> None:
        """Have a connection hear nothing any more."""
        place = (connection.org_id, connection.user_id)
        connections = self._by_user.get(place, set())
        if connection not in connections:
            return
        connections.discard(connection)
        self.count -= 1
        if not connections:
            del self._by_user[place]
        for room_id in list(connection.rooms):
            self.drop(connection, room_id)

    async def join(self, connection: Connection, room_id: UUID, change: int, after: int | None) -> None:
        """Have a connection listen to a room that stands at `change`, and be told what it missed since `after`."""
        channel = self._channel(connection.org_id, room_id, change)
        connection.rooms.add(room_id)
        if channel.has(connection):
            return
        await channel.catch_up(connection, change if after is None else min(after, change))

    def drop(self, connection: Connection, room_id: UUID) -> bool:
        """Have a connection hear no more of a room; False if it did not."""
        connection.rooms.discard(room_id)
        place = (connection.org_id, room_id)
        channel = self._channels.get(place)
        if channel is None or not channel.has(connection):
            return False
        channel.remove(connection)
        if not channel.listeners:
            del self._channels[place]
            channel.stop()
        return True

    def take(self, note: AnyNote, frame: bytes | None = None) -> None:
        """Act on a note; `frame` is what it is about, where that is known here."""
        match note:
            case RoomNote():
                self._take_room(note, frame)
            case UsersNote():
                self.tell_users(note.org_id, note.user_ids, note.frame.encode())
            case SaidNote():
                channel = self._channels.get((note.org_id, note.room_id))
                if channel is not None:
                    channel.say(note.frame.encode(), note.but)
            case DropNote():
                for connection in list(self.connections_of(note.org_id, note.user_id)):
                    if self.drop(connection, note.room_id):
                        self._dropped(connection, note.room_id, note.reason)
            case CloseNote():
                for connection in list(self.connections_of(note.org_id, note.user_id)):
                    connection.close(CloseCode.EXPIRED, "log in again")
            case PresenceNote() | AliveNote() | GoneNote():
                self._take_presence(note)
            case _:
                assert_never(note)

    def hear(self, note: AnyNote) -> None:
        """Act on a note of any process: what came from this one was told at once, or is about to be."""
        if getattr(note, "source", None) != self._source:
            self.take(note)
        elif isinstance(note, RoomNote):
            asyncio.get_running_loop().call_later(OWN_NOTE_S, self.take, note)

    def look_everywhere(self) -> None:
        """Read every room: notes may have been lost."""
        for channel in self._channels.values():
            channel.look()

    def tell_users(self, org_id: UUID, user_ids: Iterable[UUID], frame: bytes) -> None:
        """Tell people something, on all their devices here."""
        for user_id in user_ids:
            for connection in self.connections_of(org_id, user_id):
                connection.send(frame)

    def tell_turn(self, turn: Turn | None) -> None:
        """Tell in their rooms that somebody came or went; each connection once, and not their own."""
        if turn is None:
            return
        made: Any = _TOLD_AS[turn.status]
        event: Event = made(user_id=turn.user_id, name=turn.name, at=self._clock.now())
        frame, told = encode_event(event), set[Listener]()
        for room_id in turn.room_ids:
            channel = self._channels.get((turn.org_id, room_id))
            if channel is not None:
                told.update(each for each in channel.listeners if each.user_id != turn.user_id)
        for listener in told:
            listener.send(frame)

    def forget_silent(self) -> None:
        """Take processes that were not heard of for gone."""
        now = self._clock.monotonic()
        for source in [source for source, at in self._heard.items() if now - at > SILENT_AFTER_S]:
            self._take_presence(GoneNote(source))

    async def close(self) -> None:
        """Close all connections, and wait until they are."""
        connections = self.everybody()
        for connection in connections:
            connection.close(CloseCode.SHUTTING_DOWN, "the server goes, or is started anew")
        await asyncio.gather(*(connection.finished.wait() for connection in connections))
        for channel in self._channels.values():
            channel.stop()

    def _take_room(self, note: RoomNote, frame: bytes | None) -> None:
        for user_id in note.between:
            for connection in self.connections_of(note.org_id, user_id):
                if note.room_id not in connection.rooms:  # it has just begun
                    connection.rooms.add(note.room_id)
                    begun = self._channel(note.org_id, note.room_id, note.change - 1)
                    begun.add(connection, max(begun.told, note.change - 1))
        channel = self._channels.get((note.org_id, note.room_id))
        if channel is not None:
            channel.take(note.change, frame)

    def _take_presence(self, note: PresenceNote | AliveNote | GoneNote) -> None:
        self._heard[note.source] = self._clock.monotonic()
        match note:
            case PresenceNote():
                status = Status.OFFLINE if note.status is None else Status(note.status)
                self.tell_turn(
                    self.presence.set(note.source, note.org_id, note.user_id, note.name, status, note.room_ids)
                )
            case AliveNote():
                pass
            case GoneNote():
                del self._heard[note.source]
                for turn in self.presence.drop_source(note.source):
                    self.tell_turn(turn)
            case _:
                assert_never(note)

    def _channel(self, org_id: UUID, room_id: UUID, told: int) -> Channel:
        place = (org_id, room_id)
        channel = self._channels.get(place)
        if channel is None:
            channel = Channel(org_id, room_id, told, self._read, self._settings.replayed_changes)
            self._channels[place] = channel
        return channel
