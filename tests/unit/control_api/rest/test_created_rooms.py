"""Created rooms exist until they were empty for long enough; closed names stay closed for as long as was said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from control_api.contract import BitrateLimits, RoomLimits
from control_api.rest import created_rooms
from control_api.rest.created_rooms import EMPTY_TIMEOUT_S, CreatedRoom, CreatedRooms, with_limits
from control_api.rest.problems import ProblemError
from signaling.errors import RequestError
from signaling.identifiers import Door, RoomName
from signaling.limits import RoomSettings

NAME = RoomName("algebra")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rooms(clock: Clock) -> CreatedRooms:
    return CreatedRooms(RoomSettings(), clock)


def record(rooms: CreatedRooms, name: str = NAME, **settings: float) -> CreatedRoom:
    made = replace(rooms.default_created, door=Door.WAITING, **settings)  # type: ignore[arg-type]
    return CreatedRoom(RoomName(name), made, None, rooms.now())


def test_room_that_nobody_joins_lapses(rooms: CreatedRooms, clock: Clock) -> None:
    rooms.put(record(rooms))
    clock.now += EMPTY_TIMEOUT_S - 1
    assert rooms.settings_of(NAME).door is Door.WAITING
    clock.now += 1
    assert rooms.find(NAME) is None
    assert rooms.settings_of(NAME) == rooms.default


def test_room_that_began_ends_when_it_is_told(rooms: CreatedRooms, clock: Clock) -> None:
    rooms.put(record(rooms))
    rooms.began(NAME)
    clock.now += 10 * EMPTY_TIMEOUT_S
    assert rooms.names() == [NAME]
    rooms.ended(NAME)
    assert rooms.find(NAME) is None


def test_room_that_was_created_again_does_not_end_with_the_one_before(rooms: CreatedRooms) -> None:
    rooms.put(record(rooms))
    rooms.began(NAME)
    rooms.put(record(rooms))
    rooms.ended(NAME)
    assert rooms.find(NAME) is not None


def test_closed_name_opens_by_time_or_by_creation(rooms: CreatedRooms, clock: Clock) -> None:
    rooms.put(record(rooms))
    rooms.close(NAME, seconds=60)
    with pytest.raises(RequestError, match="over"):
        rooms.settings_of(NAME)
    clock.now += 60
    assert rooms.settings_of(NAME) == rooms.default
    rooms.close(NAME, seconds=60)
    rooms.put(record(rooms))
    assert rooms.settings_of(NAME).door is Door.WAITING


def test_full_table_refuses_new_rooms_and_forgets_lapsed_ones(
    rooms: CreatedRooms, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(created_rooms, "ROOMS_MAX", 2)
    rooms.put(record(rooms, "a"))
    rooms.put(record(rooms, "b"))
    with pytest.raises(ProblemError) as refused:
        rooms.put(record(rooms, "c"))
    assert refused.value.problem.code == "too_many"
    rooms.put(record(rooms, "b"))
    clock.now += EMPTY_TIMEOUT_S
    rooms.put(record(rooms, "c"))
    assert rooms.names() == ["c"]


def test_closed_names_are_bounded(rooms: CreatedRooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(created_rooms, "ROOMS_MAX", 2)
    for name, seconds in (("a", 30), ("b", 10), ("c", 20)):
        rooms.close(RoomName(name), seconds=seconds)
    assert rooms.settings_of(RoomName("b")) == rooms.default
    for name in ("a", "c"):
        with pytest.raises(RequestError):
            rooms.settings_of(RoomName(name))


def test_limits_replace_what_they_name_alone() -> None:
    before = RoomSettings(participants_max=9)
    after = with_limits(
        before, RoomLimits(waiting_max=3, duration_max_s=None, bitrates=BitrateLimits(camera_bps=9_000))
    )
    assert (after.participants_max, after.waiting_max, after.duration_max_s) == (9, 3, None)
    assert after.bitrates == replace(before.bitrates, camera_bps=9_000)
    assert with_limits(before, RoomLimits()) == before
