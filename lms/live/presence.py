"""Who is there, over all devices and processes, and in which rooms that matters. Pure.

A source is a process. Somebody is online if any source says so, away if none does but one says away.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from uuid import UUID

Place: TypeAlias = tuple[UUID, UUID]
"""Organization, and a person or a room of it."""


class Status(enum.Enum):
    """How somebody is there."""

    ONLINE = "online"
    AWAY = "away"
    OFFLINE = "offline"


_RANK: Final = {Status.OFFLINE: 0, Status.AWAY: 1, Status.ONLINE: 2}


@dataclass(slots=True)
class _Person:
    name: str = ""
    by_source: dict[str, Status] = field(default_factory=dict)
    rooms: dict[str, frozenset[UUID]] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        return max(self.by_source.values(), key=_RANK.__getitem__, default=Status.OFFLINE)

    @property
    def all_rooms(self) -> frozenset[UUID]:
        return frozenset().union(*self.rooms.values())


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody came, went, or is there in another way."""

    org_id: UUID
    user_id: UUID
    name: str
    status: Status
    room_ids: frozenset[UUID]
    """Where it is to be told."""


class Presence:
    """Everybody who is there."""

    def __init__(self) -> None:
        self._people: dict[Place, _Person] = {}
        self._in_rooms: dict[Place, dict[UUID, int]] = {}
        """Who is in which room, from how many sources."""

    def set(
        self, source: str, org_id: UUID, user_id: UUID, name: str, status: Status, room_ids: Iterable[UUID]
    ) -> Turn | None:
        """Note how a source knows somebody; return the turn, if all sources together say something else now."""
        person = self._people.setdefault((org_id, user_id), _Person())
        before, rooms_before = person.status, person.all_rooms
        rooms = frozenset(room_ids) if status is not Status.OFFLINE else frozenset()
        self._count_rooms(org_id, user_id, person.rooms.get(source, frozenset()), -1)
        self._count_rooms(org_id, user_id, rooms, 1)
        person.name = name or person.name
        if status is Status.OFFLINE:
            person.by_source.pop(source, None)
            person.rooms.pop(source, None)
        else:
            person.by_source[source] = status
            person.rooms[source] = rooms
        after = person.status
        if after is Status.OFFLINE:
            del self._people[org_id, user_id]
        if after is before:
            return None
        return Turn(org_id, user_id, person.name, after, rooms_before | rooms)

    def drop_source(self, source: str) -> list[Turn]:
        """Forget what a source said; return the turns."""
        known = [(place, each.name) for place, each in self._people.items() if source in each.by_source]
        turns = (self.set(source, *place, name, Status.OFFLINE, ()) for place, name in known)
        return [turn for turn in turns if turn is not None]

    def status_of(self, org_id: UUID, user_id: UUID) -> Status:
        """Return how somebody is there."""
        person = self._people.get((org_id, user_id))
        return Status.OFFLINE if person is None else person.status

    def present_in(self, org_id: UUID, room_id: UUID) -> list[UUID]:
        """Return who of a room is there, in the order in which they came."""
        return list(self._in_rooms.get((org_id, room_id), ()))

    def _count_rooms(self, org_id: UUID, user_id: UUID, room_ids: Iterable[UUID], by: int) -> None:
        for room_id in room_ids:
            people = self._in_rooms.setdefault((org_id, room_id), {})
            left = people.get(user_id, 0) + by
            if left > 0:
                people[user_id] = left
            else:
                people.pop(user_id, None)
            if not people:
                del self._in_rooms[org_id, room_id]
