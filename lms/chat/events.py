"""What chat tells by WebSocket: `community:...` of rooms of many, `private:...` of two people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from lms.chat.messages import Message
from lms.live.events import Event, RoomEvent


class CommunityMessage(RoomEvent, frozen=True, kw_only=True, tag="community:message"):
    """A new message."""

    message: Message


class PrivateMessage(RoomEvent, frozen=True, kw_only=True, tag="private:message"):
    """A new message."""

    message: Message


class CommunityChanged(RoomEvent, frozen=True, kw_only=True, tag="community:changed"):
    """A message is different: edited, deleted, pinned, reacted to. As it is now."""

    message: Message


class PrivateChanged(RoomEvent, frozen=True, kw_only=True, tag="private:changed"):
    """A message is different: edited, deleted, pinned, reacted to. As it is now."""

    message: Message


class CommunityReaction(RoomEvent, frozen=True, kw_only=True, tag="community:reaction"):
    """Somebody reacted, or took it back; who was away gets `community:changed` instead."""

    message_id: UUID
    user_id: UUID
    emoji: str
    on: bool
    count: int


class PrivateReaction(RoomEvent, frozen=True, kw_only=True, tag="private:reaction"):
    """Somebody reacted, or took it back; who was away gets `private:changed` instead."""

    message_id: UUID
    user_id: UUID
    emoji: str
    on: bool
    count: int


class CommunityRoom(RoomEvent, frozen=True, kw_only=True, tag="community:room"):
    """The room itself: what is in it up to `cleared_seq` is gone; whether it is locked."""

    locked: bool
    cleared_seq: int
    retention_days: int | None


class PrivateRoom(RoomEvent, frozen=True, kw_only=True, tag="private:room"):
    """The room itself: what is in it up to `cleared_seq` is gone."""

    locked: bool
    cleared_seq: int
    retention_days: int | None


class CommunityTyping(Event, frozen=True, kw_only=True, tag="community:typing"):
    """Somebody writes; it holds for six seconds."""

    room_id: UUID
    user_id: UUID
    name: str


class PrivateTyping(Event, frozen=True, kw_only=True, tag="private:typing"):
    """The other writes; it holds for six seconds."""

    room_id: UUID
    user_id: UUID
    name: str


class CommunityRead(Event, frozen=True, kw_only=True, tag="community:read"):
    """You have read so far, on another device."""

    room_id: UUID
    user_id: UUID
    seq: int
    unread: int


class PrivateRead(Event, frozen=True, kw_only=True, tag="private:read"):
    """One of the two has read so far."""

    room_id: UUID
    user_id: UUID
    seq: int


class CommunityJoined(Event, frozen=True, kw_only=True, tag="community:joined"):
    """You hear of everything in the room from now on; what you missed follows."""

    room_id: UUID
    change: int
    last_seq: int
    present: tuple[UUID, ...]
    """Who of the room is online or away."""


class CommunityLeft(Event, frozen=True, kw_only=True, tag="community:left"):
    """You hear nothing more of the room."""

    room_id: UUID
    reason: str
    """`left`, `banned`, or `removed`: it is no room of yours any more."""


def room_event(row: Any, *, change: int) -> RoomEvent:
    """Return the event of a room that is itself different; `row` is the room after that."""
    event = PrivateRoom if row.direct_low is not None else CommunityRoom
    return event(
        room_id=row.id,
        change=change,
        locked=row.locked,
        cleared_seq=row.cleared_seq,
        retention_days=row.retention_days,
    )


def message_event(message: Message, *, is_direct: bool) -> RoomEvent:
    """Return the event of a message as it is now: `...:message` if nothing happened to it since it was sent."""
    untouched = message.edits == 0 and message.deleted_at is None and message.pinned_at is None
    if untouched and not message.reactions:
        event: Any = PrivateMessage if is_direct else CommunityMessage
    else:
        event = PrivateChanged if is_direct else CommunityChanged
    told: RoomEvent = event(room_id=message.room_id, change=message.change, message=message)
    return told
