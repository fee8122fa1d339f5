"""What a token allows one person to do in one room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from signaling.identifiers import Identity, Role, RoomName, Source

ALL_SOURCES: Final = frozenset(Source)
NO_SOURCES: Final[frozenset[Source]] = frozenset()


@dataclass(frozen=True, slots=True)
class Grants:
    """Permissions in one room. The defaults are those of a token that does not mention them."""

    room: RoomName
    identity: Identity
    expires_at: float
    """Wall clock: seconds since 1970, UTC."""
    name: str | None = None
    """Display name; if set, the client cannot choose another."""
    publish: frozenset[Source] = NO_SOURCES
    subscribe: bool = True
    hidden: bool = False
    """Watches without being told to the others, e.g. a passive viewer of a stream; cannot publish, send or react."""
    role: Role = Role.STUDENT
    sees: frozenset[tuple[Role, Source]] | None = None
    """Of whom which tracks are sent, None for all; nothing without `subscribe`."""
    audience: Mapping[Source, frozenset[Role]] = field(default_factory=dict)
    """To whom alone a track of a source is sent; to everybody if the source is not there."""
    send: bool = True
    """May send messages, react, raise a hand and keep state of its own."""
    moderate: bool = False
    record: bool = False
    """May begin and end recordings of the room."""
    key_id: str = field(default="", compare=False)
    """The API key that signed the token."""
