"""What is asked and answered in chat."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from lms.api.paging import PAGE_ITEMS_MAX, PageQuery
from lms.chat.rules import RoomKind
from lms.chat.tables import MessageKind
from webapi.shapes import Answer, Request

BODY_CHARACTERS_MAX: Final = 4000
CLIENT_ID_CHARACTERS_MAX: Final = 64
COUNT_MAX: Final = 1 << 53

BodyText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=BODY_CHARACTERS_MAX, pattern=r"\S")]
ClientId: TypeAlias = Annotated[
    str,
    Meta(
        min_length=8,
        max_length=CLIENT_ID_CHARACTERS_MAX,
        pattern=r"^[!-~]+$",
        examples=["0199c1e2-7d6c-7a51-b3a0-1f2e3d4c5b6a"],
    ),
]
Emoji: TypeAlias = Annotated[str, Meta(pattern=r"^[^\s\x00-\x7F]{1,16}$", examples=["👍"])]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]


class RoomPath(Request, frozen=True, kw_only=True):
    room_id: UUID


class MessagePath(RoomPath, frozen=True, kw_only=True):
    message_id: UUID


class ReactionPath(MessagePath, frozen=True, kw_only=True):
    emoji: Emoji


class OpenRoom(Request, frozen=True, kw_only=True):
    """Which room."""

    kind: RoomKind
    of: UUID | None = None
    """The run (or live class), course or group; the other person of a `direct` room. Not for `staff`."""


class ChangeRoom(Request, frozen=True, kw_only=True):
    """What is to be different; what is left out stays."""

    locked: bool | UnsetType = UNSET
    """Only those who keep order write."""
    retention_days: Annotated[int, Meta(ge=1, le=3650)] | UnsetType | None = UNSET
    """Messages go after so many days; null: as the organization keeps chat."""


class Reaction(Answer, frozen=True, kw_only=True):
    """One emoji under a message."""

    emoji: str
    count: int
    user_ids: tuple[UUID, ...]
    """Who; the first hundred."""


class Message(Answer, frozen=True, kw_only=True):
    """A message; the same for everybody who reads it."""

    id: UUID
    room_id: UUID
    seq: int
    """Its place in the room: 1, 2, 3 ... without holes."""
    change: int
    """The room's count of changes when this message last became different."""
    kind: MessageKind
    sender_id: UUID | None
    """Null: the service."""
    sender_name: str | None
    body: str
    """Empty once it is deleted."""
    reply_to: UUID | None
    client_id: str | None
    client_at: datetime | None
    """When the sender's device says it was written; of what was sent offline."""
    created_at: datetime
    edits: int
    """How often its text was changed."""
    edited_at: datetime | None
    deleted_at: datetime | None
    deleted_by: UUID | None
    pinned_at: datetime | None
    pinned_by: UUID | None
    reactions: tuple[Reaction, ...]


class Room(Answer, frozen=True, kw_only=True):
    """A room, as somebody finds it."""

    id: UUID
    kind: RoomKind
    of: UUID | None
    """The run, course or group."""
    course_id: UUID | None
    title: str
    """Of the class, course or group; the other person's name. Empty: the staff's."""
    other_id: UUID | None
    """Of two people: the other."""
    other_read_seq: int | None
    """Of two people: how far the other has read."""
    locked: bool
    over: bool
    """Nobody writes any more."""
    retention_days: int | None
    last_seq: int
    change: int
    cleared_seq: int
    """What is up to here is gone."""
    active_at: datetime
    """When something was said last; before that, when it was made."""
    last_message: Message | None
    last_read_seq: int
    unread: int
    """Messages of others after what you have read."""
    standing: str
    """What you may do: `read`, `write` or `moderate`."""
    muted_until: datetime | None
    banned: bool


class RoomQuery(PageQuery, frozen=True, kw_only=True):
    """Which rooms."""

    kind: RoomKind | None = None


class MessageQuery(Request, frozen=True, kw_only=True):
    """Which messages: the latest; those after or before a place; or what changed since."""

    after: Count | None = None
    """Messages with a higher `seq`, in order."""
    before: Count | None = None
    """The last messages with a lower `seq`, in order."""
    changed_after: Count | None = None
    """Messages with a higher `change`, in the order of their changes: for who was away."""
    limit: Annotated[int, Meta(ge=1, le=PAGE_ITEMS_MAX)] = 50


class SendMessage(Request, frozen=True, kw_only=True):
    """A message to be sent."""

    body: BodyText
    client_id: ClientId
    """Chosen by you, e.g. a UUID: sent again with the same one, the message is there once."""
    reply_to: UUID | None = None
    """A message of the same room."""
    client_at: Moment | None = None
    """When it was written, if that was offline; shown, and never used for the order."""


class EditMessage(Request, frozen=True, kw_only=True):
    """A message's new text."""

    body: BodyText
    edits: Count | None = None
    """`edits` of the message that you changed: if it is another by now, you are refused and told the message."""


class MarkRead(Request, frozen=True, kw_only=True):
    """How far you have read."""

    seq: Count


class ReadMark(Answer, frozen=True, kw_only=True):
    """How far you have read: it never goes back."""

    room_id: UUID
    seq: int
    unread: int


class Sent(Answer, frozen=True, kw_only=True):
    """What became of a message."""

    message: Message
    duplicate: bool
    """Whether it was there already, from an earlier attempt."""
