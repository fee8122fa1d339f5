"""Created rooms in a file of the data folder: after a restart a class has its door, limits and metadata again.

Without it, people who come back after a crash would find an open door where a waiting room was. Written a moment after
a change, many changes at once; what was said in the last moment before a crash is lost.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from control_api.rest.created_rooms import CreatedRoom, CreatedRooms
from media.errors import LocalError
from signaling.identifiers import RoomName
from signaling.limits import RoomSettings

logger = logging.getLogger(__name__)

ROOMS_FILE: Final = "rooms.json"
GATHER_S: Final = 0.1  # from a change to the disk: a program that creates a hundred rooms makes one file
RETRY_S: Final = 5.0  # after a failure of the disk
_FILE_MODE: Final = 0o600


class RoomsFileError(LocalError):
    """A file that says nothing usable; the message says what to do."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A created room. Fields of settings that a later version adds are as they are by default."""

    name: str
    settings: RoomSettings
    created_at: datetime | None
    metadata: dict[str, Any]


class _Content(msgspec.Struct, frozen=True, kw_only=True):
    """The file."""

    rooms: tuple[_Kept, ...] = ()
    closed: dict[str, float] = {}
    """Names that nobody opens by joining, until when (seconds since 1970, UTC)."""


class RoomsFile:
    """Keeps the file up with the rooms from `open` to `close`."""

    def __init__(self, path: Path, rooms: CreatedRooms, wallclock: Callable[[], float]) -> None:
        self._path = path
        self._rooms = rooms
        self._wallclock = wallclock
        self._changed = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rooms-file")
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def open(cls, folder: Path, rooms: CreatedRooms, wallclock: Callable[[], float] = time.time) -> Self:
        """Give the rooms of the file to `rooms`, as if created now, and follow them; raises RoomsFileError."""
        file = cls(folder / ROOMS_FILE, rooms, wallclock)
        file._load()
        rooms.on_change = file._changed.set
        file._task = asyncio.create_task(file._follow(), name="rooms file")
        return file

    async def close(self) -> None:
        """Write what is new and follow no more: rooms that end with the server are there again after it.

        Safe to call again.
        """
        self._rooms.on_change = lambda: None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
            if self._changed.is_set():
                await self._save()
        self._thread.shutdown()

    def _load(self) -> None:
        try:
            content = msgspec.json.decode(self._path.read_bytes(), type=_Content)
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise RoomsFileError(f"{self._path} cannot be read ({error}); remove it to begin without rooms") from None
        now = self._rooms.now()
        for name, until in content.closed.items():
            self._rooms.close(RoomName(name), seconds=until - self._wallclock())
        for kept in content.rooms:
            self._rooms.put(CreatedRoom(RoomName(kept.name), kept.settings, kept.created_at, now, kept.metadata))

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(GATHER_S)
            if not await self._save():
                await asyncio.sleep(RETRY_S)

    async def _save(self) -> bool:
        """Write all; return whether the disk took it."""
        self._changed.clear()
        ahead = self._wallclock() - self._rooms.now()
        records = self._rooms.records()
        closed: dict[str, float] = {name: until + ahead for name, until in self._rooms.closed().items()}
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._write, records, closed)
        except OSError as error:
            because = {"file": str(self._path), "because": str(error)}
            logger.warning("created rooms could not be written and may be lost", extra=because)
            self._changed.set()
            return False
        except asyncio.CancelledError:
            self._changed.set()
            raise
        return True

    def _write(self, records: list[CreatedRoom], closed: dict[str, float]) -> None:
        """Replace the file, whole or not at all."""
        kept = tuple(
            _Kept(name=each.name, settings=each.settings, created_at=each.created_at, metadata=each.metadata)
            for each in records
        )
        content = msgspec.json.encode(_Content(rooms=kept, closed=closed))
        partial = self._path.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)
