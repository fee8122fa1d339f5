"""One room as one process tells it: every change in order, to each listener once, whoever was away first.

A note says only that the room has changed so often. What is next in order and known here is told at once; everything
else is read from the database, which has it in order.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from lms.live.events import Gap, encode_event

logger = logging.getLogger(__name__)

READ_AT_ONCE: Final = 100
RETRY_S: Final = 0.5  # while the database is away


class Listener(Protocol):
    """A connection."""

    org_id: UUID
    user_id: UUID

    def send(self, frame: bytes) -> None:
        """Queue a frame; never waits."""
        ...

    async def has_space(self) -> None:
        """Wait until much can be queued again, or nothing is sent any more."""
        ...


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed in a room after some count."""

    frames: Sequence[tuple[int, bytes]]
    """Counts and frames, in order."""
    upto: int
    """The count that is reached with them."""
    change: int
    """The count of the room itself; higher, if there is more."""


ReadChanges = Callable[[UUID, UUID, int, int], Awaitable[Changes]]
"""Takes organization, room, the count after which, and how many at most."""


class Channel:
    """Made when somebody first listens to a room; `told` is the count up to which all who listen were told."""

    def __init__(self, org_id: UUID, room_id: UUID, told: int, read: ReadChanges, replayed_max: int) -> None:
        self.org_id = org_id
        self.room_id = room_id
        self.told = told
        self._wanted = told
        self._to_look = False
        self._read = read
        self._replayed_max = replayed_max
        self._marks: dict[Listener, int] = {}
        self._catching_up: set[Listener] = set()
        self._reading: asyncio.Task[None] | None = None

    @property
    def listeners(self) -> list[Listener]:
        """Everybody who listens, or is about to."""
        return [*self._marks, *self._catching_up]

    def has(self, listener: Listener) -> bool:
        """Return whether somebody listens, or is about to."""
        return listener in self._marks or listener in self._catching_up

    def take(self, change: int, frame: bytes | None) -> None:
        """Take note that the room has changed so often, and of what that change was, if it is known."""
        if change <= self.told:
            return
        if frame is not None and change == self.told + 1 and self._reading is None:
            self._tell(change, frame)
            self.told = self._wanted = change
            return
        self._wanted = max(self._wanted, change)
        self._start_reading()

    def look(self) -> None:
        """Read what there is: notes may have been lost."""
        self._to_look = True
        self._start_reading()

    def say(self, frame: bytes, but: UUID | None = None) -> None:
        """Pass on what is passing, to all but one person."""
        for listener in self.listeners:
            if listener.user_id != but:
                listener.send(frame)

    def add(self, listener: Listener, mark: int) -> None:
        """Have somebody listen who was told everything up to a count that is not below ours."""
        assert mark >= self.told, "who is behind must catch up"
        self._marks[listener] = mark

    async def catch_up(self, listener: Listener, after: int) -> None:
        """Tell somebody what they missed, and have them listen. What is too much is left out, with a `gap`."""
        self._catching_up.add(listener)
        left = self._replayed_max
        try:
            while listener in self._catching_up:
                await listener.has_space()
                at_once = max(1, min(READ_AT_ONCE, left))
                changes = await self._read(self.org_id, self.room_id, after, at_once)
                if listener not in self._catching_up:
                    return
                if changes.frames and left <= 0:
                    now_at = max(changes.change, self.told)
                    listener.send(encode_event(Gap(room_id=self.room_id, after=after, change=now_at)))
                    self._marks[listener] = now_at
                    return
                for _, frame in changes.frames:
                    listener.send(frame)
                left -= len(changes.frames)
                after = changes.upto
                if after >= max(changes.change, self.told):
                    self._marks[listener] = after
                    return
        finally:
            self._catching_up.discard(listener)

    def remove(self, listener: Listener) -> None:
        """Have somebody listen no more."""
        self._marks.pop(listener, None)
        self._catching_up.discard(listener)

    def stop(self) -> None:
        """Stop reading: nobody listens any more."""
        if self._reading is not None:
            self._reading.cancel()

    def _tell(self, change: int, frame: bytes) -> None:
        for listener, mark in list(self._marks.items()):
            if mark < change:
                self._marks[listener] = change
                listener.send(frame)

    def _start_reading(self) -> None:
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_on(), name=f"channel {self.room_id}")

    async def _read_on(self) -> None:
        """Read and tell until nothing is wanted that is not told."""
        try:
            while self._to_look or self.told < self._wanted:
                self._to_look, wanted = False, self._wanted
                try:
                    changes = await self._read(self.org_id, self.room_id, self.told, READ_AT_ONCE)
                except Exception:
                    logger.warning("a room could not be read", extra={"room": str(self.room_id)}, exc_info=True)
                    self._to_look = True
                    await asyncio.sleep(RETRY_S)
                    continue
                for change, frame in changes.frames:
                    self._tell(change, frame)
                self._to_look |= changes.upto < changes.change
                if changes.upto <= self.told < wanted:
                    await asyncio.sleep(RETRY_S)  # what was noted is not there yet: a copy of the database, perhaps
                self.told = max(self.told, changes.upto)
        finally:
            self._reading = None
