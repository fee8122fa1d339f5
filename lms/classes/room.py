"""From a live class to its room on the media server: settings, name, definition, and a token for who joins. Pure.

The name of a room carries the school: `SLUG.RUN`, `RUN` being the id of the run in 32 digits. So an API key for
`SLUG.*` serves one school, each run has a room of its own, and a token of an earlier run opens nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from msgspec import Meta

from control_api.contract import CreateToken, Door, Role, RoomDefinition, RoomLimits, Source
from lms.classes.rules import Seat
from webapi.shapes import Request

SEATS_DEFAULT: Final = 300
RUN_MAX: Final = timedelta(hours=12)
"""No class is longer; a run that nobody ended is ended then."""

OVERRUN: Final = timedelta(hours=2)
"""So long after its planned end somebody may stay in a class without joining again."""

TOKEN_MIN: Final = timedelta(hours=1)

Sources: TypeAlias = Annotated[tuple[Source, ...], Meta(max_length=4)]


class RoomSettings(Request, frozen=True, kw_only=True):
    """How the room of a live class is."""

    waiting_room: bool = False
    """Students wait until somebody who moderates admits them."""
    students_publish: Sources = (Source.CAMERA, Source.MICROPHONE)
    """What students may show and let be heard."""
    students_send: bool = True
    """Whether students may write, react and raise a hand."""
    assistants_record: bool = False
    """Whether assistants may record; teachers may."""
    participants_max: Annotated[int, Meta(ge=1, le=10_000)] = SEATS_DEFAULT
    """So many are in it at the same time."""


def room_name(slug: str, run_id: UUID) -> str:
    """Return the name of the room of a run."""
    return f"{slug}.{run_id.hex}"


def room_definition(
    settings: RoomSettings, *, locked: bool, class_id: UUID, run_id: UUID, seats: int | None = None
) -> RoomDefinition:
    """Return what the room of a run is to be; `seats` is how many the school may have in a class."""
    return RoomDefinition(
        door=door_of(settings, locked=locked),
        limits=RoomLimits(
            participants_max=settings.participants_max if seats is None else seats,
            empty_timeout_s=RUN_MAX.total_seconds(),  # a class whose teacher drops out alone keeps its door
            duration_max_s=RUN_MAX.total_seconds(),
        ),
        metadata={"class": str(class_id), "run": str(run_id)},
    )


def door_of(settings: RoomSettings, *, locked: bool) -> Door:
    """Return who comes in."""
    if locked:
        return Door.LOCKED
    return Door.WAITING if settings.waiting_room else Door.OPEN


def token_request(
    room: str,
    seat: Seat,
    settings: RoomSettings,
    *,
    identity: str,
    name: str,
    ends_at: datetime,
    now: datetime,
    may_record: bool = True,
) -> CreateToken:
    """Return what to ask the media server for, so that somebody can take a seat; `may_record` is of the school.

    The token lasts until some time after the planned end: whoever's token ends is put out of the room.
    """
    lasts = min(max(ends_at + OVERRUN - now, TOKEN_MIN), RUN_MAX)
    every = tuple(Source)
    match seat:
        case Seat.TEACHER:
            return CreateToken(
                room=room, identity=identity, name=name, role=Role.TEACHER, ttl_s=_seconds(lasts),
                publish=every, send=True, moderate=True, record=may_record,
            )  # fmt: skip
        case Seat.ASSISTANT:
            return CreateToken(
                room=room, identity=identity, name=name, role=Role.ASSISTANT, ttl_s=_seconds(lasts),
                publish=every, send=True, moderate=True, record=settings.assistants_record and may_record,
            )  # fmt: skip
        case Seat.STUDENT:
            return CreateToken(
                room=room, identity=identity, name=name, role=Role.STUDENT, ttl_s=_seconds(lasts),
                publish=settings.students_publish, send=settings.students_send, moderate=False, record=False,
            )  # fmt: skip
        case Seat.OBSERVER:
            return CreateToken(
                room=room, identity=identity, name=name, role=Role.OBSERVER, ttl_s=_seconds(lasts),
                publish=(), send=False, moderate=False, record=False,
            )  # fmt: skip


def identity_of(user_id: UUID, device: str | None = None) -> str:
    """Return who somebody is on the media server: the id of the person, and after a slash a further device.

    An identity is in a room once; a phone beside the laptop says `device`, and then both stay.
    """
    return str(user_id) if device is None else f"{user_id}/{device}"


def user_of(identity: str) -> UUID | None:
    """Return which person an identity in an event means; None if it was not made here."""
    try:
        return UUID(identity.partition("/")[0])
    except ValueError:
        return None


def _seconds(time: timedelta) -> int:
    return int(time.total_seconds())
