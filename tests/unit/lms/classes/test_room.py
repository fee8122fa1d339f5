"""Rooms of classes on the media server, and what a token asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from control_api.contract import Door, Role, Source
from lms.classes.room import (
    OVERRUN,
    RUN_MAX,
    TOKEN_MIN,
    RoomSettings,
    door_of,
    identity_of,
    room_definition,
    room_name,
    token_request,
    user_of,
)
from lms.classes.rules import Seat

RUN = UUID("0198c0de-0000-7000-8000-000000000001")
PERSON = UUID("0198c0de-0000-7000-8000-000000000002")
NOW = datetime(2026, 11, 21, 7, tzinfo=UTC)


def test_the_name_of_a_room_carries_the_school() -> None:
    assert room_name("school-a", RUN) == "school-a.0198c0de000070008000000000000001"


@pytest.mark.parametrize(
    ("waiting", "locked", "door"),
    [
        (False, False, Door.OPEN),
        (True, False, Door.WAITING),
        (False, True, Door.LOCKED),
        (True, True, Door.LOCKED),
    ],
)
def test_doors(waiting: bool, locked: bool, door: Door) -> None:
    settings = RoomSettings(waiting_room=waiting)
    assert door_of(settings, locked=locked) is door
    assert room_definition(settings, locked=locked, class_id=PERSON, run_id=RUN).door is door


@pytest.mark.parametrize(
    ("seat", "role", "publish", "send", "moderate", "record"),
    [
        (Seat.TEACHER, Role.TEACHER, tuple(Source), True, True, True),
        (Seat.ASSISTANT, Role.ASSISTANT, tuple(Source), True, True, False),
        (Seat.STUDENT, Role.STUDENT, (Source.MICROPHONE,), False, False, False),
        (Seat.OBSERVER, Role.OBSERVER, (), False, False, False),
    ],
)
def test_what_a_seat_grants(
    seat: Seat, role: Role, publish: tuple[Source, ...], send: bool, moderate: bool, record: bool
) -> None:
    settings = RoomSettings(students_publish=(Source.MICROPHONE,), students_send=False)
    ends_at = NOW + timedelta(hours=1)
    asked = token_request("r", seat, settings, identity="i", name="ليلى", ends_at=ends_at, now=NOW)
    assert (asked.role, asked.publish, asked.send, asked.moderate, asked.record) == (
        role,
        publish,
        send,
        moderate,
        record,
    )
    assert asked.ttl_s == (timedelta(hours=1) + OVERRUN).total_seconds()
    assert not asked.hidden


@pytest.mark.parametrize(
    ("ends_in", "lasts"),
    [(timedelta(days=-3), TOKEN_MIN), (timedelta(hours=4), timedelta(hours=4) + OVERRUN), (timedelta(days=9), RUN_MAX)],
)
def test_how_long_a_token_lasts(ends_in: timedelta, lasts: timedelta) -> None:
    asked = token_request("r", Seat.STUDENT, RoomSettings(), identity="i", name="n", ends_at=NOW + ends_in, now=NOW)
    assert asked.ttl_s == lasts.total_seconds()


def test_a_device_is_part_of_the_identity_and_not_of_the_person() -> None:
    assert user_of(identity_of(PERSON)) == PERSON
    assert user_of(identity_of(PERSON, "phone")) == PERSON
    assert identity_of(PERSON, "phone") != identity_of(PERSON)
    assert user_of("teacher-17") is None
