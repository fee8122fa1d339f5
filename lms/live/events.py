"""What the server tells by WebSocket. Modules add their own, with the struct `Event` as base."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from webapi.shapes import Answer


class Event(Answer, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """A message to a client; its `type` is the tag of the struct."""


def encode_event(event: Event) -> bytes:
    """Return the text frame of an event."""
    return msgspec.json.encode(event)


class RoomEvent(Event, frozen=True, kw_only=True):
    """Something in a room became different; every one of them that a client gets of a room has the next `change`."""

    room_id: UUID
    change: int


class Welcome(Event, frozen=True, kw_only=True, tag="welcome"):
    """The first answer: who you are for the server."""

    user_id: UUID
    name: str
    at: datetime
    """The server's time."""
    expires_at: datetime
    """Send `auth` with a new token before; else the connection is closed (4403)."""
    connection: str
    """For reports of faults."""


class Ack(Event, frozen=True, kw_only=True, tag="ack"):
    """A request was done; for a message: it is kept, whatever happens from now on."""

    re: int
    result: Any = None


class Refusal(Event, frozen=True, kw_only=True, tag="error"):
    """A request was refused, and changed nothing."""

    re: int | None = None
    code: str
    message: str
    """For people, in the language of the connection."""
    details: Any = None


class Pong(Event, frozen=True, kw_only=True, tag="pong"):
    """Answers `ping`."""

    re: int | None = None
    at: datetime


class Gap(Event, frozen=True, kw_only=True, tag="gap"):
    """More was missed than is told again: ask for what changed after `after` by HTTP."""

    room_id: UUID
    after: int
    change: int
    """From here on you are told."""


class UserPresence(Event, frozen=True, kw_only=True):
    """Whether somebody is there, told in the rooms that they belong to."""

    user_id: UUID
    name: str
    at: datetime


class UserOnline(UserPresence, frozen=True, kw_only=True, tag="user:online"):
    """On at least one device."""


class UserAway(UserPresence, frozen=True, kw_only=True, tag="user:away"):
    """On all devices."""


class UserOffline(UserPresence, frozen=True, kw_only=True, tag="user:offline"):
    """On no device any more."""
