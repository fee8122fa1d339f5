"""Tokens with which people join rooms."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, TypeAlias

from msgspec import Meta

from control_api.contract.shapes import Answer, IdentityText, NameText, Request, RoomText
from signaling.identifiers import Role, Source

TTL_S_DEFAULT: Final = 6 * 3600
"""The longest of school days: whoever's token ends is put out of the room."""

TTL_S_MAX: Final = 7 * 86_400
"""A token cannot be called back; who needs a longer one is a program, and signs its own."""

Sight: TypeAlias = Annotated[
    str,
    Meta(pattern="^(teacher|assistant|student|observer)(:(camera|microphone|screen|screen_audio))?$"),
]


Roles: TypeAlias = Annotated[tuple[Role, ...], Meta(max_length=8)]


class Audience(Request, frozen=True, kw_only=True):
    """To which roles alone somebody's tracks of a source are sent; left out, or null: to everybody."""

    camera: Roles | None = None
    microphone: Roles | None = None
    screen: Roles | None = None
    screen_audio: Roles | None = None


class CreateToken(Request, frozen=True, kw_only=True):
    """Who may join which room as what. A token never grants more than the API key behind it."""

    room: RoomText
    identity: IdentityText
    """Who it is; unique in the room, the same when the person comes back."""
    name: NameText | None = None
    """What the others see; left out, the person chooses."""
    role: Role = Role.STUDENT
    """Decides about what is left out below."""
    ttl_s: Annotated[int, Meta(ge=1, le=TTL_S_MAX)] = TTL_S_DEFAULT
    """From now to the end, in seconds; then the person is put out of the room."""
    publish: Annotated[tuple[Source, ...], Meta(max_length=16)] | None = None
    """What they may show and let be heard. Left out: teachers and assistants everything, others nothing."""
    subscribe: bool = True
    """Whether they see and hear others."""
    sees: Annotated[tuple[Sight, ...], Meta(max_length=32)] | None = None
    """Of whom alone they see what, as `role` or `role:source`; left out: of everybody everything."""
    audience: Audience = Audience()
    """To whom alone their tracks of a source are sent."""
    send: bool | None = None
    """Whether they may send messages, react and raise a hand. Left out: all but observers."""
    moderate: bool | None = None
    """Whether they may decide about others (scope `rooms:moderate`). Left out: teachers and assistants."""
    record: bool | None = None
    """Whether they may begin and end recordings. Left out: teachers."""
    hidden: bool = False
    """Whether the others do not see them, e.g. a recorder; then they publish and send nothing."""


class Token(Answer, frozen=True, kw_only=True):
    """A signed token."""

    token: str
    """For `Authorization: Bearer`, or the class page: `/class#room=ROOM&token=TOKEN`."""
    room: str
    identity: str
    expires_at: datetime
