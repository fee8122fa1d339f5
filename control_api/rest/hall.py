"""The rooms of a server, created and live, as endpoints see them: found by name, or refused in words of this API."""

from __future__ import annotations

from typing import Final

from control_api.contract.rooms import Room as RoomTold
from control_api.rest.authority import Caller
from control_api.rest.created_rooms import CreatedRoom, CreatedRooms
from control_api.rest.problems import Problem, ProblemError
from control_api.rest.views import tell_room
from signaling.identifiers import RoomName
from signaling.names import parse_room_name
from signaling.room import Room
from signaling.websocket import SignalingServer

NAME_EXPECTED: Final = "letters, digits, _ . - of any script, not beginning with a dot"


class Hall:
    """What rooms there are, from both sides."""

    def __init__(self, signaling: SignalingServer, created: CreatedRooms) -> None:
        self.signaling = signaling
        self.created = created

    def parse_name(self, text: str, caller: Caller, *, field: str = "room") -> RoomName:
        """Return a room's name; raises ProblemError if it is none, or none for this caller."""
        name = parse_name(text, field=field)
        caller.check_room(name)
        return name

    def look(self, name: RoomName) -> RoomTold:
        """Return the room of that name; raises ProblemError (`no_such_room`)."""
        room, record = self.signaling.find_room(name), self.created.find(name)
        if room is None and record is None:
            raise ProblemError(Problem.NO_SUCH_ROOM, f"There is no room {name!r} now.")
        return tell_room(name, room, record, self.created.default)

    def record(self, name: RoomName) -> CreatedRoom | None:
        """Return what was said of a room, None if nothing was."""
        return self.created.find(name)

    def find(self, text: str, caller: Caller) -> tuple[RoomName, Room | None]:
        """Return the room of a path and its name, None in its place if nobody has joined yet; raises ProblemError."""
        name = self.parse_name(text, caller)
        room = self.signaling.find_room(name)
        if room is None and self.created.find(name) is None:
            raise ProblemError(Problem.NO_SUCH_ROOM, f"There is no room {name!r} now.")
        return name, room

    def names(self, caller: Caller) -> list[RoomName]:
        """Return the names of all rooms that the caller may know of, sorted."""
        names = {*self.created.names(), *(room.name for room in self.signaling.live_rooms())}
        return sorted(name for name in names if caller.rooms.allows(name))


def parse_name(text: str, *, field: str) -> RoomName:
    """Return a room's name; raises ProblemError if it is none."""
    try:
        return parse_room_name(text)
    except ValueError as error:
        message = f"{error}."
        raise ProblemError(Problem.BAD_FIELD, message, field=field, value=text, expected=NAME_EXPECTED) from None
