"""Who asks: an API key with what it may be used for. How keys are shown, `control_api.authorize` knows."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from control_api.contract.scopes import Scope
from control_api.rest.problems import Problem, ProblemError
from signaling.room_pattern import EVERY_ROOM, RoomPattern


@dataclass(frozen=True, slots=True)
class Caller:
    """The API key behind a request."""

    key_id: str
    scopes: frozenset[Scope]
    secret: bytes = field(repr=False)
    """Signs tokens."""
    rooms: RoomPattern = EVERY_ROOM
    """Those that it may see and touch; what is about no room in particular is for keys that open every room."""

    def check(self, scope: Scope) -> None:
        """Raise ProblemError unless the key may be used for this."""
        if scope not in self.scopes:
            raise ProblemError(Problem.MISSING_SCOPE, f"API key {self.key_id!r} has no scope {scope.value}")

    def check_room(self, room: str) -> None:
        """Raise ProblemError unless the key opens the room of this name, in Unicode form NFC as rooms are named."""
        if not self.rooms.allows(unicodedata.normalize("NFC", room)):
            message = f"API key {self.key_id!r} opens the rooms {self.rooms.text} alone"
            raise ProblemError(Problem.ROOM_NOT_ALLOWED, message)

    def check_every_room(self) -> None:
        """Raise ProblemError unless the key opens every room."""
        if not self.rooms.is_everything:
            message = f"This is about all rooms; API key {self.key_id!r} opens {self.rooms.text} alone"
            raise ProblemError(Problem.ROOM_NOT_ALLOWED, message)


class Authority(Protocol):
    """Knows the keys."""

    def identify(self, request: web.Request) -> Caller:
        """Return who asks; raises ProblemError (`no_key`, `bad_key`, `rate_limited`)."""
