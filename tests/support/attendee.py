"""A student's device in a real room, and what can be known of when it was there: between which moments.

Nobody outside the server knows the very moment at which somebody came: it lies between the last moment before the
client asked and the first after it was answered; so does the one at which somebody went. The shortest stay that these
allow is `surely`, the longest `at_most`, and their difference is what this way of measuring costs, not the server.
All by the wall clock of this computer, which is the server's, too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass

from signaling.client import Room
from signaling.client.credentials import TokenSource
from signaling.client.events import Joined, Resumed, RoomState, StateChanged
from signaling.client.media import MediaFactory
from tests.unit.lms.attendance.lesson import union_length

LASTS = math.inf


@dataclass
class Stay:
    """One stay: each end lies between two moments."""

    asked: float
    """Nothing had been asked of the server yet."""
    answered: float
    """The client knew that it was in."""
    away: float = LASTS
    """The client had not begun to go, or the server to die."""
    gone: float = LASTS
    """The server had let it go, or was dead."""


class Attendee:
    """One device, through all its connections."""

    def __init__(self, server: str, room: str, token: str | TokenSource, media: MediaFactory | None = None) -> None:
        self._token = token
        self._asking = time.time()
        self._dies = False
        self.stays: list[Stay] = []
        self.room = Room(server, room, self._ask, media=media)
        self.room.on(Joined, self._joined)
        self.room.on(Resumed, self._resumed)
        self.room.on(StateChanged, self._changed)

    @property
    def is_there(self) -> bool:
        """Whether the client is in, as far as it knows."""
        return bool(self.stays) and self.stays[-1].away == LASTS

    async def come(self) -> None:
        """Join, and return when we are in."""
        await self.room.connect()

    async def go(self) -> None:
        """Leave, and return when the server has let go."""
        self._end()
        await self.room.leave()
        self._let_go()

    def break_off(self) -> None:
        """Cut the WebSocket, as bad networks do; the client comes back by itself."""
        self._end()
        self.room.simulate("signal-lost")

    def server_dies(self) -> None:
        """Take note that the server is about to be killed: the end of the connection will be its death."""
        self._end()
        self._dies = True

    async def _ask(self) -> str:
        self._asking = time.time()  # the client asks for a token before each connection
        return self._token if isinstance(self._token, str) else await self._token()

    def _joined(self, _event: Joined) -> None:
        self._let_go()
        self._begin()

    def _resumed(self, _event: Resumed) -> None:
        self._let_go()  # when the server noticed the break, if it did, nobody knows
        self._begin()

    def _changed(self, event: StateChanged) -> None:
        if event.state is RoomState.RECONNECTING:
            self._end()
            if self._dies:
                self._let_go()
                self._dies = False

    def _end(self) -> None:
        if self.is_there:
            self.stays[-1].away = time.time()

    def _begin(self) -> None:
        self.stays.append(Stay(self._asking, time.time()))

    def _let_go(self) -> None:
        if self.stays and self.stays[-1].gone == LASTS:
            self.stays[-1].gone = time.time()


def surely(devices: Iterable[Attendee]) -> float:
    """Return for how many seconds somebody was there with one of these devices at least."""
    return union_length((stay.answered, stay.away) for each in devices for stay in each.stays)


def at_most(devices: Iterable[Attendee]) -> float:
    """Return for how many seconds somebody can have been there."""
    return union_length((stay.asked, stay.gone) for each in devices for stay in each.stays)


def one_by_one(devices: Iterable[Attendee]) -> str:
    """Return what is known of each stay, for the message of a failure."""
    return "; ".join(
        f"came {stay.asked:.3f} to {stay.answered:.3f}, went {stay.away:.3f} to {stay.gone:.3f}"
        for each in devices
        for stay in each.stays
    )
