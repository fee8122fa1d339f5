"""How the modules have something told: within a transaction and once it is committed, or in passing.

await live.tell_room(transaction, CommunityMessage(room_id=..., change=..., message=...))
await live.tell_users(transaction, [user_id], NotificationNew(...))
live.say_in_room(org_id, CommunityTyping(room_id=..., ...), room_id, but=user_id)
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from lms.clock import Clock
from lms.database.database import Database
from lms.database.transaction import Transaction
from lms.live.bus import Bus
from lms.live.channel import Listener
from lms.live.connection import Connection
from lms.live.events import Event, RoomEvent, encode_event
from lms.live.hub import Hub
from lms.live.last_seen import LastSeen
from lms.live.notes import (
    FRAME_BYTES_MAX,
    ROOMS_PER_NOTE,
    AliveNote,
    AnyNote,
    CloseNote,
    DropNote,
    GoneNote,
    PresenceNote,
    RoomNote,
    SaidNote,
    users_notes,
)
from lms.live.ports import Rooms
from lms.live.presence import Place, Presence, Status
from lms.live.settings import LiveSettings
from lms.live.speech import Speech

logger = logging.getLogger(__name__)

ALIVE_EVERY_S: Final = 20.0
"""A process says that it lives; three silences and it is gone (`hub.SILENT_AFTER_S`)."""
WRITTEN_EVERY_S: Final = 5.0
_RANK: Final = {Status.ONLINE: 0, Status.AWAY: 1}


class Live:
    """What is told at once, of one process; runs from `start` to `close`."""

    def __init__(self, database: Database, bus: Bus, clock: Clock, settings: LiveSettings, rooms: Rooms) -> None:
        self.settings = settings
        self.speech = Speech()
        self.rooms = rooms
        self._bus = bus
        self._source = secrets.token_hex(6)
        self.hub = Hub(self._source, clock, settings, rooms.read_changes, self._tell_dropped)
        self._last_seen = LastSeen(database, clock)
        self._own_rooms: dict[Place, frozenset[UUID]] = {}
        self._leaving: dict[Place, asyncio.TimerHandle] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def presence(self) -> Presence:
        """Who is there, in all processes."""
        return self.hub.presence

    async def tell_room(self, transaction: Transaction, event: RoomEvent, between: tuple[UUID, ...] = ()) -> None:
        """Have all who listen to a room told, once it is committed; `between`: the two people of a direct room."""
        note = RoomNote(self._source, transaction.org_id, event.room_id, event.change, between)
        await self._bus.tell(transaction, note)
        frame = encode_event(event)
        transaction.after_commit.append(lambda: self.hub.take(note, frame))

    async def tell_users(self, transaction: Transaction, user_ids: Sequence[UUID], event: Event) -> None:
        """Have people told, on all their devices, once it is committed; who is away is not told later."""
        frame = _short(event)
        for note in users_notes(self._source, transaction.org_id, user_ids, frame):
            await self._bus.tell(transaction, note)
        org_id = transaction.org_id
        transaction.after_commit.append(lambda: self.hub.tell_users(org_id, user_ids, frame.encode()))

    async def drop(self, transaction: Transaction, room_id: UUID, user_id: UUID, reason: str) -> None:
        """Have somebody hear no more of a room, once it is committed."""
        note = DropNote(transaction.org_id, room_id, user_id, reason)
        await self._bus.tell(transaction, note)
        transaction.after_commit.append(lambda: self.hub.take(note))

    async def close_connections(self, transaction: Transaction, user_id: UUID) -> None:
        """End somebody's connections once it is committed: their logins ended."""
        note = CloseNote(transaction.org_id, user_id)
        await self._bus.tell(transaction, note)
        transaction.after_commit.append(lambda: self.hub.take(note))

    def say_in_room(self, org_id: UUID, event: Event, room_id: UUID, but: UUID) -> None:
        """Tell all who listen to a room what is passing; not the one who does it."""
        note = SaidNote(self._source, org_id, room_id, _short(event), but)
        self._bus.say(note)
        self.hub.take(note)

    def arrive(self, connection: Connection, room_ids: Iterable[UUID]) -> None:
        """Have a connection hear what is told to its person, and this told in the person's rooms."""
        place = (connection.org_id, connection.user_id)
        self.hub.enter(connection)
        self._own_rooms[place] = frozenset(room_ids)
        timer = self._leaving.pop(place, None)
        if timer is not None:
            timer.cancel()
        self.refresh(connection)

    def refresh(self, connection: Connection) -> None:
        """Have it told how a connection's person is there now."""
        self._set(connection.org_id, connection.user_id, connection.name)

    def depart(self, connection: Connection) -> None:
        """Have a connection hear nothing any more; if it was the person's last, they are gone after a while."""
        self.hub.leave(connection)
        place = (connection.org_id, connection.user_id)
        if self.hub.connections_of(*place):
            self.refresh(connection)
        elif place in self._own_rooms and place not in self._leaving:
            loop = asyncio.get_running_loop()
            delay_s = self.settings.offline_after_s
            self._leaving[place] = loop.call_later(delay_s, self._gone, place, connection.name)

    async def start(self) -> None:
        """Begin."""
        await self._bus.start(self._hear, self.hub.look_everywhere)
        self._bus.say(AliveNote(self._source, new=True))
        self._tasks = [
            asyncio.create_task(self._live_on(), name="live: presence"),
            asyncio.create_task(self._write_on(), name="live: last seen"),
        ]

    async def close(self) -> None:
        """Close all connections, and stop."""
        await self.hub.close()
        for place, timer in list(self._leaving.items()):
            timer.cancel()
            self._last_seen.note(*place)
        self._leaving.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._last_seen.write()
        self._bus.say(GoneNote(self._source))
        await self._bus.close()

    def _tell_dropped(self, listener: Listener, room_id: UUID, reason: str) -> None:
        listener.send(encode_event(self.rooms.dropped(room_id, reason)))

    def _gone(self, place: Place, name: str) -> None:
        del self._leaving[place]
        self._set(*place, name)
        self._own_rooms.pop(place, None)
        self._last_seen.note(*place)

    def _set(self, org_id: UUID, user_id: UUID, name: str) -> None:
        """Take note of how somebody is at this process, and tell the others if that is new."""
        connections = self.hub.connections_of(org_id, user_id)
        status = min((each.status for each in connections), key=_RANK.__getitem__, default=Status.OFFLINE)
        room_ids = self._own_rooms.get((org_id, user_id), frozenset())
        room_ids |= frozenset(room_id for each in connections for room_id in each.rooms)
        self.hub.tell_turn(self.presence.set(self._source, org_id, user_id, name, status, room_ids))
        self._announce(org_id, user_id, name, status, room_ids)

    def _announce(self, org_id: UUID, user_id: UUID, name: str, status: Status, room_ids: Iterable[UUID]) -> None:
        told = None if status is Status.OFFLINE else status.value
        some = tuple(room_ids)[:ROOMS_PER_NOTE]
        self._bus.say(PresenceNote(self._source, org_id, user_id, name, told, some))

    def _hear(self, note: AnyNote) -> None:
        if isinstance(note, AliveNote) and note.new and note.source != self._source:
            for connection in {(each.org_id, each.user_id): each for each in self.hub.everybody()}.values():
                self.refresh(connection)
        self.hub.hear(note)

    async def _live_on(self) -> None:
        while True:
            await asyncio.sleep(ALIVE_EVERY_S)
            self._bus.say(AliveNote(self._source))
            self.hub.forget_silent()

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(WRITTEN_EVERY_S)
            await self._last_seen.write()


def _short(event: Event) -> str:
    frame = encode_event(event)
    assert len(frame) <= FRAME_BYTES_MAX, f"{type(event).__name__} has {len(frame)} bytes"
    return frame.decode()
