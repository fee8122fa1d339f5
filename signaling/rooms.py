"""The rooms of this server by name: made on the first join, gone when the last participant is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from signaling.bans import Bans
from signaling.codes import CloseCode
from signaling.identifiers import RoomName
from signaling.limits import RoomSettings
from signaling.ports import MediaEngine, Recorder
from signaling.room import Room


class Rooms:
    """Holds only rooms that somebody is in, between a join and the call of `drop` that follows a leave."""

    def __init__(
        self,
        engine: MediaEngine,
        *,
        new_id: Callable[[], str],
        wake: Callable[[Room], None],
        settings: Callable[[RoomName], RoomSettings],
        recorder: Recorder | None = None,
    ) -> None:
        """`settings` says how a room of that name is to be made, or raises RequestError if it must not be."""
        self._settings = settings
        self._bans = Bans()
        self._engine = engine
        self._recorder = recorder
        self._new_id = new_id
        self._wake = wake
        self._rooms: dict[RoomName, Room] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[Room]:
        return iter(list(self._rooms.values()))

    @property
    def participants(self) -> int:
        """How many there are in all rooms."""
        return sum(room.size for room in self._rooms.values())

    def find(self, name: RoomName) -> Room | None:
        """Return the room of that name, None if nobody is in it."""
        room = self._rooms.get(name)
        return None if room is None or room.over else room

    def get_or_make(self, name: RoomName) -> Room:
        """Return the room of that name; raises RequestError if it must not be made."""
        room = self._rooms.get(name)
        if room is None or room.over:
            settings = self._settings(name)  # it may refuse, so that nothing must have been made before
            room = Room(
                name,
                self._engine.create_router(),
                new_id=self._new_id,
                wake=self._wake,
                settings=settings,
                bans=self._bans,
                recorder=self._recorder,
            )
            self._rooms[name] = room
        return room

    def drop(self, room: Room) -> None:
        """Free a room that nobody is in any more, or that is over; safe to call again."""
        if self._rooms.get(room.name) is room:
            del self._rooms[room.name]
            room.end(CloseCode.NORMAL, "the room is empty")

    def end_all(self, code: CloseCode, reason: str) -> None:
        """Close every connection of every room."""
        for room in self._rooms.values():
            room.end(code, reason)
        self._rooms.clear()
