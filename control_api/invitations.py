"""Who may enter a room as what: a role becomes a signed token, a token becomes a link to the class page."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from control_api.keys import ApiKey
from signaling.grants import ALL_SOURCES, NO_SOURCES, Grants
from signaling.identifiers import Identity, Source
from signaling.identifiers import Role as RoleInClass
from signaling.names import DISPLAY_NAME_CHARACTERS_MAX, IDENTITY_CHARACTERS_MAX, check_text, parse_room_name
from signaling.tokens import make_token


class Role(enum.Enum):
    """What somebody is in a class."""

    TEACHER = "teacher"
    STUDENT = "student"
    VIEWER = "viewer"


SOURCES: Final = {
    Role.TEACHER: ALL_SOURCES,
    Role.STUDENT: frozenset({Source.CAMERA, Source.MICROPHONE}),
    Role.VIEWER: NO_SOURCES,
}
"""What each role may publish; all may watch."""

_IN_CLASS: Final = {
    Role.TEACHER: RoleInClass.TEACHER,
    Role.STUDENT: RoleInClass.STUDENT,
    Role.VIEWER: RoleInClass.OBSERVER,
}


@dataclass(frozen=True, slots=True)
class Invitation:
    """One person's way into one room. Raises ValueError for a room, identity or name that no server would take."""

    room: str
    identity: str
    role: Role
    expires_at: float
    """Seconds since 1970, UTC."""
    name: str | None = None
    """Shown to the others; None lets the page ask for it."""

    def __post_init__(self) -> None:
        parse_room_name(self.room)
        check_text(self.identity, what="identity", characters_max=IDENTITY_CHARACTERS_MAX)
        if self.name is not None:
            check_text(self.name, what="name", characters_max=DISPLAY_NAME_CHARACTERS_MAX)

    def token(self, key: ApiKey) -> str:
        grants = Grants(
            room=parse_room_name(self.room),
            identity=Identity(self.identity),
            expires_at=self.expires_at,
            name=self.name,
            publish=SOURCES[self.role],
            role=_IN_CLASS[self.role],
            moderate=self.role is Role.TEACHER,
        )
        return make_token(grants, key_id=key.key_id, secret=key.secret)

    def link(self, key: ApiKey, server: str) -> str:
        """Return the link to the class page of `server` (its URL). The token stands in the fragment: no log sees it."""
        room = quote(parse_room_name(self.room), safe="")
        return f"{server.rstrip('/')}/class#room={room}&token={self.token(key)}"
