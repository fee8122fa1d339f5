"""Where a client's tokens come from: one that somebody made, or an API key with which it makes its own."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Final, TypeAlias

from signaling.grants import ALL_SOURCES, NO_SOURCES, Grants
from signaling.identifiers import Identity, Role, Source
from signaling.names import parse_room_name
from signaling.tokens import make_token

TOKEN_LIFETIME_S: Final = 12 * 3600.0
"""Who is in a room when the token runs out is put out: longer than any class."""

TokenSource: TypeAlias = Callable[[], Awaitable[str]]
"""Asked before every connection: whoever can get fresh tokens never meets an expired one."""


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Makes tokens for one room and identity with an API key of the server (`keys.json`). Raises ValueError."""

    key_id: str
    secret: bytes
    room: str
    identity: str
    name: str | None = None
    role: Role = Role.ASSISTANT
    publish: Collection[Source] = ALL_SOURCES
    subscribe: bool = True
    moderate: bool | None = None
    """None: by the role."""
    record: bool | None = None
    """None: by the role."""
    hidden: bool = False
    lifetime_s: float = TOKEN_LIFETIME_S

    async def __call__(self) -> str:
        """Return a new token."""
        moderate = self.role in (Role.TEACHER, Role.ASSISTANT) if self.moderate is None else self.moderate
        record = self.role is Role.TEACHER if self.record is None else self.record
        grants = Grants(
            room=parse_room_name(self.room),
            identity=Identity(self.identity),
            expires_at=time.time() + self.lifetime_s,
            name=self.name,
            publish=NO_SOURCES if self.hidden else frozenset(self.publish),
            subscribe=self.subscribe,
            hidden=self.hidden,
            role=self.role,
            send=not self.hidden,
            moderate=moderate and not self.hidden,
            record=record and not self.hidden,
        )
        return make_token(grants, key_id=self.key_id, secret=self.secret)
