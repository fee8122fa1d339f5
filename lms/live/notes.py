"""What processes tell each other: notes small enough for one notification of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

NOTE_BYTES_MAX: Final = 7900  # PostgreSQL takes less than 8000
USERS_PER_NOTE: Final = 80
ROOMS_PER_NOTE: Final = 150
FRAME_BYTES_MAX: Final = 4000
"""Of what is told to people or said in a room by way of a note."""


class Note(Struct, frozen=True, tag_field="n"):
    """From one process to all."""


class RoomNote(Note, frozen=True, tag="room"):
    """A room has changed so often; who listens reads what it was."""

    source: str
    org_id: UUID
    room_id: UUID
    change: int
    between: tuple[UUID, ...] = ()
    """Of two people: who they are; they hear of it without having asked."""


class UsersNote(Note, frozen=True, tag="users"):
    """People are to be told something."""

    source: str
    org_id: UUID
    user_ids: tuple[UUID, ...]
    frame: str


class SaidNote(Note, frozen=True, tag="said"):
    """Something passing is said in a room."""

    source: str
    org_id: UUID
    room_id: UUID
    frame: str
    but: UUID | None = None
    """Who says it."""


class DropNote(Note, frozen=True, tag="drop"):
    """Somebody is to hear no more of a room."""

    org_id: UUID
    room_id: UUID
    user_id: UUID
    reason: str


class CloseNote(Note, frozen=True, tag="close"):
    """Connections of somebody are to end: their account was closed, or logged out."""

    org_id: UUID
    user_id: UUID


class PresenceNote(Note, frozen=True, tag="presence"):
    """Somebody is at a process, in some way, or not any more."""

    source: str
    org_id: UUID
    user_id: UUID
    name: str
    status: str | None
    room_ids: tuple[UUID, ...] = ()


class AliveNote(Note, frozen=True, tag="alive"):
    """A process lives; `new` ones want to be told who is there."""

    source: str
    new: bool = False


class GoneNote(Note, frozen=True, tag="gone"):
    """A process ends."""

    source: str


AnyNote = RoomNote | UsersNote | SaidNote | DropNote | CloseNote | PresenceNote | AliveNote | GoneNote

_DECODER: Final = msgspec.json.Decoder(AnyNote)


def encode_note(note: Note) -> str:
    """Return a note as a notification carries it."""
    text = msgspec.json.encode(note)
    assert len(text) <= NOTE_BYTES_MAX, f"{type(note).__name__} has {len(text)} bytes"
    return text.decode()


def decode_note(text: str) -> AnyNote | None:
    """Return a note; None for one of another version of the service."""
    try:
        note: AnyNote = _DECODER.decode(text)
    except msgspec.MsgspecError:
        return None
    return note


def users_notes(source: str, org_id: UUID, user_ids: Sequence[UUID], frame: str) -> Iterator[UsersNote]:
    """Yield notes that tell people something, so many at a time."""
    for begin in range(0, len(user_ids), USERS_PER_NOTE):
        yield UsersNote(source, org_id, tuple(user_ids[begin : begin + USERS_PER_NOTE]), frame)
