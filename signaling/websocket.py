"""`GET /v1/rooms/{room}/ws`: the shell that carries messages between WebSockets and rooms. It decides nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal

from aiohttp import web

from signaling.client_messages import AnyClientMessage, Join, Resume
from signaling.codes import CloseCode, ErrorCode, LeftReason
from signaling.config import SignalingConfig
from signaling.connection import Connection
from signaling.courier import Courier
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.identifiers import ParticipantId, RoomName
from signaling.join_pace import JoinPace
from signaling.keys import KeyStore
from signaling.limits import RoomSettings
from signaling.ports import MediaEngine, Recorder, RoomObserver
from signaling.protocol import (
    FRAME_BYTES_TAKEN_MAX,
    SUBPROTOCOL,
    decode_client_message,
    encode_message,
    peek_request_id,
)
from signaling.room import Room
from signaling.server_messages import Draining, Error
from signaling.stay import Outlet, Stay
from signaling.tokens import LEEWAY_S
from signaling.upgrade import admit, check_upgrade, refuse

__all__ = ["ROUTE", "Outlet", "SignalingServer", "Stay"]

ROUTE: Final = "/v1/rooms/{room}/ws"

_log = logging.getLogger(__name__)


class SignalingServer:
    """All rooms of one media server, and the WebSockets into them."""

    def __init__(
        self,
        engine: MediaEngine,
        keys: KeyStore,
        config: SignalingConfig | None = None,
        *,
        observer: RoomObserver | None = None,
        room_settings: Callable[[RoomName], RoomSettings] | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        """`observer` is told of everything that happens in rooms; `room_settings` says how a room is to be made.

        Without a `recorder` nothing can be recorded.
        """
        self._keys = keys
        self._config = config or SignalingConfig()
        settings = room_settings or (lambda _name: self._config.room)
        self._courier = Courier(engine, settings=settings, observer=observer, recorder=recorder)
        self._joined = self._courier.outlets
        self._connections: set[Connection] = set()
        self._closing = asyncio.Event()
        self._join_pace = JoinPace(self._config.join_rates)
        self._draining: Draining | None = None
        self._drain_timer: asyncio.TimerHandle | None = None

    @property
    def rooms(self) -> int:
        """How many rooms there are; mostly with somebody in them."""
        return len(self._courier.rooms)

    @property
    def participants(self) -> int:
        """How many have joined and not left."""
        return self._courier.rooms.participants

    @property
    def connections(self) -> int:
        """How many WebSockets are open, joined or not."""
        return len(self._connections)

    def add_routes(self, app: web.Application) -> None:
        """Mount the WebSocket on an application."""
        app.router.add_get(ROUTE, self._serve)

    def admit(self, request: web.BaseRequest, room: str) -> Grants:
        """Return what the token of a request grants in this room; raises RequestError."""
        if self._closing.is_set():
            raise RequestError(ErrorCode.SHUTTING_DOWN, "the server is shutting down")
        return admit(request, room, self._keys, wallclock=time.time())

    def check_entry(self, grants: Grants) -> None:
        """Raise RequestError if somebody with these grants need not try to come in now; counts the tries."""
        self._check_open(grants.room)
        self._join_pace.check(grants, now=_now())

    def find_room(self, name: RoomName) -> Room | None:
        """Return the room of that name, None if nobody is in it."""
        return self._courier.rooms.find(name)

    def live_rooms(self) -> list[Room]:
        """Return the rooms that somebody is in, or was a short while ago."""
        return [room for room in self._courier.rooms if not room.over]

    def enter(self, outlet: Outlet, join: Join, grants: Grants, *, connected: bool = False) -> Stay:
        """Let a participant into its room, made if need be; raises RequestError. `leave` must follow.

        What the room has to say to the participant goes to `outlet`, from the next turn of the event loop on. If that
        is a connection (`connected`), it may be `waiting`, and `joined` later; else who would have to wait is refused
        (`not_admitted`), and the media path alone is a sign of life.
        """
        self._check_open(grants.room)
        room = self._courier.rooms.get_or_make(grants.room)
        try:
            participant = room.join(
                join,
                grants,
                wallclock=datetime.now(UTC).replace(microsecond=0),
                expires_at=_expires_at(grants),
                now=_now(),
                connected=connected,
            )
        except BaseException:
            self._courier.drop_if_empty(room)
            raise
        self._joined[participant] = outlet
        self._tell_draining(room, participant)
        return Stay(room, participant, outlet)

    def resume(self, outlet: Outlet, request: Resume, grants: Grants) -> Stay:
        """Let a participant come back whose connection broke, or is broken unnoticed; raises RequestError."""
        room = self._courier.rooms.find(grants.room)
        if room is None:
            raise RequestError(ErrorCode.CANNOT_RESUME, "the room is gone: join")
        self._courier.carry(room)  # what was said so far is for the earlier connection; what was missed is said again
        participant = room.resume(request, grants, expires_at=_expires_at(grants))
        self._tell_draining(room, participant)
        earlier, self._joined[participant] = self._joined.get(participant), outlet
        if earlier is not None:
            earlier.close(CloseCode.RESUMED, "the participant goes on in another connection")
        return Stay(room, participant, outlet)

    def say(self, stay: Stay, message: AnyClientMessage) -> None:
        """Hand a message of a participant to its room; the answer comes to the outlet."""
        stay.room.receive(stay.participant, message, now=_now())

    def leave(self, stay: Stay, reason: LeftReason) -> None:
        """Take note that a participant is gone for good; nothing happens if it goes on by another way."""
        if self._joined.get(stay.participant) is stay.outlet:
            del self._joined[stay.participant]
            stay.room.disconnect(stay.participant, reason)

    def suspend(self, stay: Stay, reason: LeftReason, *, silent_s: float | None = None) -> None:
        """Take note that the way to a participant broke, who may come back by `resume`.

        `silent_s`: for how long nothing had come, if that is why it was given up.
        """
        if self._joined.get(stay.participant) is stay.outlet:
            del self._joined[stay.participant]
            stay.room.suspend(stay.participant, reason, now=_now(), silent_s=silent_s)

    @property
    def draining(self) -> bool:
        """Whether `drain` was called: no new rooms."""
        return self._draining is not None

    def drain(self, ends_at: datetime | None) -> None:
        """Make no more rooms (`draining`), and tell all clients; who is in a room may go on, and others may join it.

        At `ends_at` (aware; None: never) the rooms that are left end with close code 4010. Called again, the later
        word holds. There is no way back: a server that drains is about to go.
        """
        if ends_at is not None and ends_at.tzinfo is None:
            raise ValueError(f"ends_at is {ends_at.isoformat()}, expected a time with its zone")
        self._draining = Draining(ends_at=None if ends_at is None else ends_at.astimezone(UTC).replace(microsecond=0))
        self._courier.keeps_empty_rooms = False
        self._courier.drop_all_empty()
        for room in self._courier.rooms:
            room.tell_everybody(self._draining)
        self._stop_drain_timer()
        if ends_at is not None:
            delay_s = max(0.0, ends_at.timestamp() - time.time())
            self._drain_timer = asyncio.get_running_loop().call_later(delay_s, self._end_drain)

    async def empty(self) -> None:
        """Return when there is no room (any more)."""
        await self._courier.no_rooms()

    async def close(self) -> None:
        """Refuse newcomers, end all rooms (close code 4010) and wait until every connection is closed."""
        self._closing.set()
        self._stop_drain_timer()
        self._courier.end_all(CloseCode.SHUTTING_DOWN, "the server is shutting down")
        await asyncio.sleep(0)  # lets the rooms' outputs reach the queues
        connections = list(self._connections)
        for connection in connections:
            connection.close(CloseCode.SHUTTING_DOWN, "the server is shutting down")
        await asyncio.gather(*(connection.finished.wait() for connection in connections))

    def _check_open(self, room: RoomName) -> None:
        """Raise RequestError if nobody is let in at present, or not into a room that is not there yet."""
        if self._closing.is_set():
            raise RequestError(ErrorCode.SHUTTING_DOWN, "the server is shutting down")
        if self._draining is not None and self._courier.rooms.find(room) is None:
            raise RequestError(ErrorCode.DRAINING, "the server is about to go and makes no new rooms")

    def _tell_draining(self, room: Room, newcomer: ParticipantId) -> None:
        if self._draining is not None:  # after what the room says to a newcomer, which is carried at the next turn
            asyncio.get_running_loop().call_soon(room.tell, newcomer, self._draining)

    def _end_drain(self) -> None:
        self._drain_timer = None
        self._courier.end_all(CloseCode.SHUTTING_DOWN, "the server is shutting down")

    def _stop_drain_timer(self) -> None:
        if self._drain_timer is not None:
            self._drain_timer.cancel()
            self._drain_timer = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            grants = self.admit(request, request.match_info["room"])
            check_upgrade(request)
            self.check_entry(grants)
        except RequestError as error:
            return refuse(error)
        websocket: web.WebSocketResponse[Literal[False]] = web.WebSocketResponse(
            heartbeat=self._config.heartbeat_s,
            timeout=self._config.close_timeout_s,
            autoping=False,  # a connection wants to see pongs: they are signs of life
            protocols=(SUBPROTOCOL,),
            compress=False,  # costs more memory a client than it saves traffic
            max_msg_size=FRAME_BYTES_TAKEN_MAX,
            decode_text=False,
        )
        if not websocket.can_prepare(request).ok:
            return refuse(RequestError(ErrorCode.UPGRADE_REQUIRED, "this address speaks WebSocket (RFC 6455)"))
        stream = await websocket.prepare(request)
        transport = request.transport
        if transport is None:
            return websocket
        connection = Connection(websocket, stream, transport, self._config)
        self._connections.add(connection)
        if self._closing.is_set():  # `close` ran while the upgrade was answered
            connection.close(CloseCode.SHUTTING_DOWN, "the server is shutting down")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(connection.write())
                await self._converse(connection, grants)
        finally:
            self._connections.discard(connection)
            connection.finished.set()
        return websocket

    async def _converse(self, connection: Connection, grants: Grants) -> None:
        """Read until the end. Whatever happens, the participant leaves the room and the writer ends."""
        try:
            stay = await self._enter(connection, grants)
            if stay is not None:
                await self._converse_in(stay, connection)
        except Exception:  # noqa: BLE001 - a bug ends the one connection that met it, never the server
            _log.exception("connection failed")
            connection.close(CloseCode.INTERNAL, "internal error")
        finally:
            connection.close(CloseCode.NORMAL, "")

    async def _enter(self, connection: Connection, grants: Grants) -> Stay | None:
        """Wait for `join`, or a `resume` that succeeds; None if the connection ended or was not worth more."""
        frame = b""
        try:
            async with asyncio.timeout(self._config.join_timeout_s):
                while (message := await connection.read()) is not None:
                    frame = message
                    request = decode_client_message(frame)
                    if isinstance(request, Join):
                        return self.enter(connection, request, grants, connected=True)
                    if not isinstance(request, Resume):
                        raise RequestError(ErrorCode.NOT_JOINED, "the first message must be join or resume")
                    try:
                        return self.resume(connection, request, grants)
                    except RequestError as error:
                        connection.send(_error_frame(error, frame))
        except TimeoutError:
            reason = f"no join within {self._config.join_timeout_s:g} s"
            connection.send(encode_message(Error(code=ErrorCode.JOIN_TIMEOUT, message=reason)))
            connection.close(CloseCode.JOIN_TIMEOUT, reason)
        except RequestError as error:
            connection.send(_error_frame(error, frame))
            connection.close(CloseCode.BAD_JOIN, error.message)
        return None

    async def _converse_in(self, stay: Stay, connection: Connection) -> None:
        """Pass on what a participant says, until the connection ends, from either side."""
        try:
            while await self._pass_on(connection, stay):
                pass
            if connection.worth_resuming:
                self.suspend(stay, _left_reason(connection), silent_s=connection.silent_s)
        finally:
            self.leave(stay, _left_reason(connection))

    async def _pass_on(self, connection: Connection, stay: Stay) -> bool:
        """Hand one message to the room; False at the end of the connection."""
        frame: bytes | None = None
        try:
            frame = await connection.read()
            if frame is None:
                return False
            if self._joined.get(stay.participant) is connection:  # else it goes on in another connection
                self.say(stay, decode_client_message(frame))
        except RequestError as error:
            stay.room.refuse(stay.participant, error, re=peek_request_id(frame or b""))
        return True


def _now() -> float:
    return asyncio.get_running_loop().time()


def _expires_at(grants: Grants) -> float:
    """Return when a token runs out, in monotonic seconds."""
    return _now() + grants.expires_at + LEEWAY_S - time.time()


def _left_reason(connection: Connection) -> LeftReason:
    if connection.ended_by_client:
        return LeftReason.LEFT
    return LeftReason.TIMEOUT if connection.lost_by_silence else LeftReason.DISCONNECTED


def _error_frame(error: RequestError, frame: bytes) -> bytes:
    return encode_message(Error(re=peek_request_id(frame), code=error.code, message=error.message))
