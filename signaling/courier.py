"""Carries what rooms have to say to those who are in them, and calls rooms when they want to be called."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, assert_never

from signaling.codes import CloseCode
from signaling.identifiers import ParticipantId, RoomName
from signaling.limits import RoomSettings
from signaling.outbox import Close, Tell
from signaling.ports import MediaEngine, Recorder, RoomObserver
from signaling.protocol import encode_message
from signaling.record import Note, NoteKind, report
from signaling.room import Room
from signaling.rooms import Rooms
from signaling.rounds import CROWD_MIN, Rounds
from signaling.stay import Outlet

_ID_BYTES: Final = 9  # 72 random bits: not to be guessed, 12 characters of base64

_log = logging.getLogger(__name__)


class Courier:
    """The rooms of a server, with their timers and the outlets of who is in them."""

    def __init__(
        self,
        engine: MediaEngine,
        *,
        settings: Callable[[RoomName], RoomSettings],
        observer: RoomObserver | None,
        recorder: Recorder | None,
    ) -> None:
        self.rooms = Rooms(engine, new_id=_new_id, wake=self._wake, settings=settings, recorder=recorder)
        self.outlets: dict[ParticipantId, Outlet] = {}
        """Who is connected."""
        self.keeps_empty_rooms = True
        """False: a room without anybody is dropped at once, whatever its settings say."""
        self._observer = observer
        self._timers: dict[Room, tuple[float, asyncio.TimerHandle]] = {}
        self._empty_timers: dict[Room, asyncio.TimerHandle] = {}
        self._rounds: dict[Room, Rounds] = {}
        """Of rooms that told a crowd something."""
        self._round_timers: dict[Room, asyncio.TimerHandle] = {}
        self._dropped = asyncio.Event()

    def carry(self, room: Room) -> None:
        """Carry what a room has to say to the outlets: the only place where that happens."""
        for output in room.take_output():
            match output:
                case Note():
                    self._report(room, output)
                case Tell():
                    self._tell(room, output)
                case Close():
                    if (outlet := self.outlets.get(output.to)) is not None:
                        outlet.close(output.code, output.reason)
                case _:
                    assert_never(output)
        self._go_round(room)
        self._set_timer(room)
        self.drop_if_empty(room)

    def drop_if_empty(self, room: Room) -> None:
        """Drop a room without anybody, at once or when it was so for a while."""
        if not room.over and not room.empty:
            self._keep(room)
        elif room.over or not room.begun or not self.keeps_empty_rooms or room.settings.empty_timeout_s == 0:
            self._drop(room)
        elif room not in self._empty_timers:
            timer = asyncio.get_running_loop().call_later(
                room.settings.empty_timeout_s, self._drop_if_still_empty, room
            )
            self._empty_timers[room] = timer

    def drop_all_empty(self) -> None:
        """Drop the rooms that are kept for those who may come back."""
        for room in list(self._empty_timers):
            self._drop_if_still_empty(room)

    def end_all(self, code: CloseCode, reason: str) -> None:
        """Close every connection of every room."""
        for room in list(self._empty_timers):
            self._keep(room)
        self.rooms.end_all(code, reason)
        self._dropped.set()

    async def no_rooms(self) -> None:
        """Return when there is no room."""
        while len(self.rooms):
            self._dropped.clear()
            await self._dropped.wait()

    def _tell(self, room: Room, tell: Tell) -> None:
        frame = encode_message(tell.message)
        outlets = self.outlets
        if len(tell.to) < CROWD_MIN:
            for participant in tell.to:
                if (outlet := outlets.get(participant)) is not None:
                    outlet.send(frame)
            return
        if (rounds := self._rounds.get(room)) is None:
            rounds = self._rounds[room] = Rounds()
        rounds.add(tell.to)
        for participant in tell.to:
            if (outlet := outlets.get(participant)) is not None:
                outlet.hold(frame)

    def _go_round(self, room: Room) -> None:
        """Let go what a crowd was told, or have that done when it is time."""
        rounds = self._rounds.get(room)
        if rounds is None or (at := rounds.next_round()) is None:
            return
        loop = asyncio.get_running_loop()
        if at <= loop.time() or room.over:
            self._let_go(rounds)
        elif room not in self._round_timers:
            self._round_timers[room] = loop.call_at(at, self._round_is_due, room, rounds)

    def _round_is_due(self, room: Room, rounds: Rounds) -> None:
        del self._round_timers[room]
        self._let_go(rounds)

    def _let_go(self, rounds: Rounds) -> None:
        for participant in rounds.take(now=asyncio.get_running_loop().time()):
            if (outlet := self.outlets.get(participant)) is not None:
                outlet.flush()

    def _forget_rounds(self, room: Room) -> None:
        self._rounds.pop(room, None)
        if (timer := self._round_timers.pop(room, None)) is not None:
            timer.cancel()

    def _keep(self, room: Room) -> None:
        if (timer := self._empty_timers.pop(room, None)) is not None:
            timer.cancel()

    def _drop(self, room: Room) -> None:
        self._keep(room)
        self._forget_rounds(room)
        self.rooms.drop(room)
        self._dropped.set()

    def _drop_if_still_empty(self, room: Room) -> None:
        if room.empty:
            self._drop(room)
        else:
            self._keep(room)

    def _wake(self, room: Room) -> None:
        asyncio.get_running_loop().call_soon(self.carry, room)

    def _set_timer(self, room: Room) -> None:
        """Have the room called when it next wants to be."""
        at, timer = self._timers.get(room, (None, None))
        wanted = room.next_timeout()
        if wanted == at:
            return
        if timer is not None:
            timer.cancel()
            del self._timers[room]
        if wanted is not None:
            timer = asyncio.get_running_loop().call_at(wanted, self._expire, room, wanted)
            self._timers[room] = wanted, timer

    def _expire(self, room: Room, at: float) -> None:
        del self._timers[room]
        # A timer may be early by the clock's resolution; the room must not think so.
        room.handle_timeout(now=max(at, asyncio.get_running_loop().time()))
        self.carry(room)

    def _report(self, room: Room, note: Note) -> None:
        fields = {"room": room.name, "note": note.kind.name.lower()}
        if note.who is not None:
            fields["participant"] = note.who.participant
        if note.kind is NoteKind.LEFT:
            fields["reason"] = note.reason.value
        _log.info("room changed", extra=fields)
        if self._observer is not None:
            try:
                report(note, room.name, self._observer, wallclock=datetime.now(UTC))
            except Exception:  # noqa: BLE001 - a class goes on without its record
                _log.exception("observer failed")


def _new_id() -> str:
    return secrets.token_urlsafe(_ID_BYTES)
