"""Created rooms outlive the process."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from control_api.rest import rooms_file
from control_api.rest.created_rooms import CreatedRoom, CreatedRooms
from control_api.rest.rooms_file import ROOMS_FILE, RoomsFile, RoomsFileError
from signaling.bitrates import BitrateLimits
from signaling.errors import RequestError
from signaling.identifiers import Door, RoomName
from signaling.limits import RoomSettings

NAME = RoomName("صف-الجبر_7")
WHEN = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms_file, "GATHER_S", 0.001)
    monkeypatch.setattr(rooms_file, "RETRY_S", 0.001)


def some(rooms: CreatedRooms) -> CreatedRoom:
    settings = replace(
        rooms.default_created, door=Door.WAITING, duration_max_s=None, bitrates=BitrateLimits(camera_bps=900_000)
    )
    return CreatedRoom(NAME, settings, WHEN, rooms.now(), {"course": [1, None]}, begun=True)


async def settle(path: Path, wanted: bytes) -> None:
    async with asyncio.timeout(10):
        while wanted not in content(path):
            await asyncio.sleep(0.005)


def content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


async def test_rooms_are_there_again(tmp_path: Path) -> None:
    rooms = CreatedRooms(RoomSettings())
    file = RoomsFile.open(tmp_path, rooms, lambda: 1000.0)
    rooms.put(some(rooms))
    rooms.close(RoomName("over"), seconds=60)
    rooms.close(RoomName("soon over"), seconds=5)
    await settle(tmp_path / ROOMS_FILE, b"soon over")
    rooms.put(replace(some(rooms), name=RoomName("late")))
    await file.close()
    rooms.ended(NAME)  # the server ends; its rooms do not
    assert (tmp_path / ROOMS_FILE).stat().st_mode & 0o077 == 0

    again = CreatedRooms(RoomSettings())
    file = RoomsFile.open(tmp_path, again, lambda: 1010.0)
    found = again.find(NAME)
    assert found == replace(some(rooms), since=found.since if found else 0.0, begun=False)
    assert again.find(RoomName("late")) is not None
    with pytest.raises(RequestError):
        again.settings_of(RoomName("over"))
    assert again.settings_of(RoomName("soon over")) == again.default
    again.close(NAME, seconds=0)
    again.close(RoomName("late"), seconds=0)
    await file.close()

    last = CreatedRooms(RoomSettings())
    await RoomsFile.open(tmp_path, last).close()
    assert last.names() == []


async def test_disk_that_fails_is_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    rooms = CreatedRooms(RoomSettings())
    file = RoomsFile.open(folder, rooms)
    partial = (folder / ROOMS_FILE).with_suffix(".partial")
    partial.mkdir()  # nothing can be written there
    rooms.put(some(rooms))
    await asyncio.sleep(0.05)
    assert not (folder / ROOMS_FILE).exists()
    partial.rmdir()
    await settle(folder / ROOMS_FILE, b"course")
    partial.mkdir()
    rooms.put(some(rooms))
    await file.close()
    await file.close()


@pytest.mark.parametrize("wrong", [b"", b"{", b"[]", b'{"rooms": [{"name": 1}]}', b'{"rooms": "\xff"}'])
async def test_file_that_says_nothing_is_refused_with_a_remedy(tmp_path: Path, wrong: bytes) -> None:
    (tmp_path / ROOMS_FILE).write_bytes(wrong)
    with pytest.raises(RoomsFileError, match="remove it"):
        RoomsFile.open(tmp_path, CreatedRooms(RoomSettings()))
