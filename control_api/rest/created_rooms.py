"""Rooms that were created by the API: they exist before anybody joins, and their settings count when somebody does.

A record lives from the creation until the room was empty for as long as its settings say, or is ended. Its room in
signalling is made by the first join and may be gone again; `began` and `ended` tell. Monotonic seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from msgspec import UNSET

from control_api.contract.rooms import BitrateLimits, RoomLimits
from control_api.rest.problems import Problem, ProblemError
from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.identifiers import RoomName
from signaling.limits import RoomSettings

ROOMS_MAX: Final = 10_000
"""Records, and as many names that are closed: a bound on memory; rooms with people in them are not refused."""

EMPTY_TIMEOUT_S: Final = 300.0
"""Of rooms of which nothing else is said: links are mailed and clicked before somebody joins."""


@dataclass(frozen=True, slots=True)
class CreatedRoom:
    """What was said of a room."""

    name: RoomName
    settings: RoomSettings
    created_at: datetime | None
    """None: somebody joined before anything was said."""
    since: float
    """When it was created, or changed last."""
    metadata: dict[str, Any] = field(default_factory=dict)
    begun: bool = False

    def lapsed(self, now: float) -> bool:
        """Whether nobody came for too long."""
        return not self.begun and now >= self.since + self.settings.empty_timeout_s


class CreatedRooms:
    """The records of one server."""

    def __init__(self, default: RoomSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """`default` is how rooms are of which nothing is said."""
        self.default = default
        self.default_created = replace(default, empty_timeout_s=max(default.empty_timeout_s, EMPTY_TIMEOUT_S))
        """How rooms are that were created with nothing said of their limits."""
        self.now = clock
        """Monotonic seconds."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when something is said or forgotten."""
        self._records: dict[RoomName, CreatedRoom] = {}
        self._closed_until: dict[RoomName, float] = {}

    def find(self, name: RoomName) -> CreatedRoom | None:
        """Return what was said of a room, None if nothing was, or it has lapsed."""
        record = self._records.get(name)
        if record is not None and record.lapsed(self.now()):
            del self._records[name]
            return None
        return record

    def names(self) -> list[RoomName]:
        """Return the names of all records."""
        self._sweep()
        return list(self._records)

    def records(self) -> list[CreatedRoom]:
        """Return all records."""
        self._sweep()
        return list(self._records.values())

    def closed(self) -> dict[RoomName, float]:
        """Return the names that are closed, and until when."""
        self._sweep()
        return dict(self._closed_until)

    def put(self, record: CreatedRoom) -> None:
        """Keep a record, in the place of an earlier one; opens a closed name. Raises ProblemError (`too_many`)."""
        if record.name not in self._records and len(self._records) >= ROOMS_MAX:
            self._sweep()
            if len(self._records) >= ROOMS_MAX:
                raise ProblemError(Problem.TOO_MANY, f"{ROOMS_MAX} rooms are created already.")
        self._records[record.name] = record
        self._closed_until.pop(record.name, None)
        self.on_change()

    def close(self, name: RoomName, *, seconds: float) -> None:
        """Forget a room; for so long nobody makes it by joining."""
        self._records.pop(name, None)
        self.on_change()
        if seconds > 0:
            self._sweep()
            self._closed_until[name] = self.now() + seconds
            if len(self._closed_until) > ROOMS_MAX:
                del self._closed_until[min(self._closed_until, key=self._closed_until.__getitem__)]

    def settings_of(self, name: RoomName) -> RoomSettings:
        """Return how a room is to be made; raises RequestError if it is closed."""
        if self._closed_until.get(name, 0.0) > self.now():
            raise RequestError(ErrorCode.ROOM_LOCKED, "the class is over")
        record = self.find(name)
        return self.default if record is None else record.settings

    def began(self, name: RoomName) -> None:
        """Somebody came in; from now on the room itself says when it is over."""
        if (record := self.find(name)) is not None:
            self._records[name] = replace(record, begun=True)

    def ended(self, name: RoomName) -> None:
        """The room is gone."""
        if (record := self._records.get(name)) is not None and record.begun:
            del self._records[name]
            self.on_change()

    def _sweep(self) -> None:
        now = self.now()
        self._records = {name: each for name, each in self._records.items() if not each.lapsed(now)}
        self._closed_until = {name: until for name, until in self._closed_until.items() if until > now}


def with_limits(settings: RoomSettings, limits: RoomLimits) -> RoomSettings:
    """Return settings with what is said of limits; raises ProblemError for what signalling would not take."""
    try:
        bitrates = replace(settings.bitrates, **_said(limits.bitrates))
        return replace(settings, **{**_said(limits), "bitrates": bitrates})
    except ValueError as error:
        raise ProblemError(Problem.BAD_FIELD, f"{error}.", field="limits") from None


def _said(limits: RoomLimits | BitrateLimits) -> dict[str, Any]:
    """Return the fields about which something is said."""
    values = {name: getattr(limits, name) for name in limits.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET}
