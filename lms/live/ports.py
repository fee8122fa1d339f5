"""What the WebSocket asks of rooms, whoever keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from lms.api.caller import Caller
from lms.live.channel import Changes
from lms.live.events import Event


@dataclass(frozen=True, slots=True)
class OwnRoom:
    """A room that somebody belongs to."""

    id: UUID
    change: int
    is_direct: bool
    """Of two people: they listen to it without having asked."""


class Rooms(Protocol):
    """Rooms with messages, members and counts of changes."""

    async def read_changes(self, org_id: UUID, room_id: UUID, after: int, limit: int) -> Changes:
        """Return what changed in a room after some count, at most so much."""
        ...

    async def own(self, caller: Caller) -> Sequence[OwnRoom]:
        """Return the rooms that somebody belongs to."""
        ...

    async def lost(self, caller: Caller, room_ids: Sequence[UUID]) -> Sequence[UUID]:
        """Return which of these rooms somebody may not read any more."""
        ...

    def dropped(self, room_id: UUID, reason: str) -> Event:
        """Return how somebody is told that they hear no more of a room."""
        ...
