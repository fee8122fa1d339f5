"""Who is in a room, what each may do there, and what can be decided about them."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated, TypeAlias

from msgspec import Meta

from control_api.contract.shapes import PAGE_ITEMS_DEFAULT, Answer, PageSize, ReasonText, Request, RoomText
from control_api.contract.tracks import Track
from signaling.identifiers import Role, Source

Sources: TypeAlias = Annotated[tuple[Source, ...], Meta(max_length=16)]


class Presence(enum.Enum):
    """How somebody is there."""

    PRESENT = "present"
    """In the room, and connected."""
    SUSPENDED = "suspended"
    """The connection broke; the server waits for them to come back."""
    WAITING = "waiting"
    """Before the door, to be admitted."""


class Permissions(Answer, frozen=True, kw_only=True):
    """What somebody may do in the room now."""

    publish: tuple[Source, ...]
    """What they may show and let be heard."""
    subscribe: bool
    """Whether they see and hear others."""
    send: bool
    """Whether they may send messages, react and raise a hand."""
    moderate: bool
    """Whether they may decide about others and the room."""
    record: bool
    """Whether they may begin and end recordings."""


class Participant(Answer, frozen=True, kw_only=True):
    """One stay of one person in a room."""

    id: str
    """Of this stay; whoever joins again gets another."""
    identity: str
    """Who it is, as the token said."""
    name: str
    """What the others see."""
    role: Role
    presence: Presence
    hidden: bool
    """Whether the others in the room do not see them."""
    joined_at: datetime
    """When they came in, or began to wait."""
    permissions: Permissions
    tracks: tuple[Track, ...]


class ParticipantList(Answer, frozen=True, kw_only=True):
    """A piece of the list of participants: who waits first, then in the order in which they came in."""

    participants: tuple[Participant, ...]
    next: str | None
    """Give it back as `after` for what follows; null at the end."""


class ParticipantQuery(Request, frozen=True, kw_only=True):
    """Which participants."""

    limit: PageSize = PAGE_ITEMS_DEFAULT
    """At most so many."""
    after: Annotated[str, Meta(pattern="^[0-9]{1,12}$")] | None = None
    """`next` of the page before; without it the list begins."""
    presence: Presence | None = None
    """Only those who are there in this way."""
    identity: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    """Only this person."""


class RemoveQuery(Request, frozen=True, kw_only=True):
    """How somebody is put out."""

    reason: ReasonText = ""
    """Told to them."""
    ban: bool = False
    """Whether they may not come back until their token has ended."""


class Mute(Request, frozen=True, kw_only=True):
    """Mute tracks; their owner may go on with them."""

    source: Source | None = None
    """Tracks of this source alone; left out, or null, all of them."""


class ChangePermissions(Request, frozen=True, kw_only=True):
    """What somebody may do from now on; what is left out, or null, stays."""

    publish: Sources | None = None
    """Tracks of sources that are not named end."""
    subscribe: bool | None = None
    send: bool | None = None
    moderate: bool | None = None
    record: bool | None = None


class Move(Request, frozen=True, kw_only=True):
    """Where somebody is to go on, with the same role and permissions."""

    room: RoomText
    """The other room; it need not exist yet."""
    url: Annotated[str, Meta(min_length=1, max_length=2048, pattern="^wss?://")] | None = None
    """WebSocket address of the room on another server; left out, it is on this one."""


class Admit(Request, frozen=True, kw_only=True):
    """Whom to let in."""

    participant: Annotated[str, Meta(min_length=1, max_length=64)] = "all"
    """Somebody who waits, or `all`."""


class Admitted(Answer, frozen=True, kw_only=True):
    """Who was let in."""

    participants: tuple[str, ...]
