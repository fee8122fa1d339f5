"""The entrance of a room: who comes in at once, who waits to be admitted, and who does not come in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from signaling.client_messages import Join
from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.identifiers import Door, Identity, ParticipantId
from signaling.server_messages import VisitorView

REMEMBERED_MAX: Final = 10_000
"""Identities that were in the room and may come back through a closed door; the oldest are forgotten first."""


@dataclass(eq=False, frozen=True, slots=True)
class Visitor:
    """Somebody who waits. Nothing of the media engine is made before the door opens."""

    id: ParticipantId
    request: Join
    grants: Grants
    name: str
    since: float
    """Monotonic seconds."""
    wallclock: datetime
    expires_at: float

    def view(self) -> VisitorView:
        return VisitorView(id=self.id, identity=self.grants.identity, name=self.name, role=self.grants.role)


class Entrance:
    """The door, and who waits before it in order."""

    def __init__(self, door: Door, *, waiting_max: int) -> None:
        self.door = door
        self.visitors: dict[ParticipantId, Visitor] = {}
        self.waiting_max = waiting_max
        self._remembered: dict[Identity, None] = {}
        self._held: set[Identity] = set()
        """Those who were sent back, and wait whatever the door says."""

    def must_wait(self, grants: Grants) -> bool:
        """Return whether somebody waits to be admitted; raises RequestError if the door is locked."""
        if grants.moderate:
            return False
        if grants.identity in self._held:
            return True
        if self.door is Door.OPEN or grants.identity in self._remembered:
            return False
        if self.door is Door.LOCKED:
            raise RequestError(ErrorCode.ROOM_LOCKED, "the room is locked")
        return True

    def wait(self, visitor: Visitor) -> None:
        """Have somebody wait; raises RequestError if too many do."""
        if len(self.visitors) >= self.waiting_max:
            raise RequestError(ErrorCode.ROOM_FULL, f"{self.waiting_max} people are waiting already")
        self.visitors[visitor.id] = visitor

    def waiting_as(self, identity: Identity) -> Visitor | None:
        """Return who waits under this identity."""
        return next((each for each in self.visitors.values() if each.grants.identity == identity), None)

    def remember(self, identity: Identity) -> None:
        """Somebody is in the room: they may come back."""
        self._held.discard(identity)
        self._remembered.pop(identity, None)
        self._remembered[identity] = None
        if len(self._remembered) > REMEMBERED_MAX:
            del self._remembered[next(iter(self._remembered))]

    def forget(self, identity: Identity, *, hold: bool) -> None:
        """Somebody was put out; with `hold` they wait when they come back."""
        self._remembered.pop(identity, None)
        if hold and len(self._held) < REMEMBERED_MAX:
            self._held.add(identity)
