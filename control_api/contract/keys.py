"""API keys as programs see and make them. A secret is told once, when it is made."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from control_api.contract.scopes import Scope
from control_api.contract.shapes import LINE, ROOM_PATTERN, Answer, Request

ScopeTuple = Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=32)]
RoomsText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=129,
        examples=["school-a.*"],
        extra_json_schema={"pattern": rf"^(\*|{ROOM_PATTERN}\*?)$"},
    ),
]


class CreateKey(Request, frozen=True, kw_only=True):
    """What the new key is to be for."""

    name: Annotated[str, Meta(min_length=1, max_length=128, examples=["LMS of school A"], extra_json_schema=LINE)]
    """Which program has it; for people."""
    scopes: ScopeTuple
    """None that the key which asks does not have."""
    rooms: RoomsText | None = None
    """The rooms that it opens: a name, the beginning of names and `*`, or `*`. Left out: those of the asking key."""
    lifetime_s: Annotated[int, Meta(ge=60, le=10 * 366 * 86_400)] | None = None
    """Left out: until it is revoked."""


class RotateKey(Request, frozen=True, kw_only=True):
    """How the present secret ends."""

    overlap_s: Annotated[int, Meta(ge=0, le=90 * 86_400)] = 86_400
    """For so long both secrets count, so that programs can be told. At least as long as tokens live that it signed."""


class Key(Answer, frozen=True, kw_only=True):
    """An API key without its secret."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    rooms: str
    state: Literal["usable", "expired", "revoked"]
    created_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    earlier_secret_until: datetime | None
    """After a rotation: until when the secret before counts too."""


class KeyWithSecret(Answer, frozen=True, kw_only=True):
    """A key that was made or rotated. Nobody is told the secret again."""

    key: Key
    secret: str
    """Text, used as it stands: the password of HTTP Basic, and what signs tokens (HS256)."""


class KeyList(Answer, frozen=True, kw_only=True):
    """Keys, the oldest first; those that ended are still there."""

    keys: tuple[Key, ...]
