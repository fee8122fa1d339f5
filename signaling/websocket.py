"""`GET /v1/rooms/{room}/ws`: the shell that carries messages between WebSockets and rooms. It decides nothing."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, Protocol, assert_never

from aiohttp import web

from signaling.client_messages import Join
from signaling.codes import CloseCode, ErrorCode, LeftReason
from signaling.config import SignalingConfig
from signaling.connection import Connection
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.identifiers import ParticipantId, RoomName
from signaling.keys import KeyStore
from signaling.outbox import Close, Tell
from signaling.ports import MediaEngine, RoomObserver
from signaling.protocol import (
    FRAME_BYTES_TAKEN_MAX,
    SUBPROTOCOL,
    decode_client_message,
    encode_message,
    peek_request_id,
)
from signaling.room import Room
from signaling.rooms import Rooms
from signaling.server_messages import Error
from signaling.tokens import LEEWAY_S
from signaling.upgrade import admit, check_upgrade, refuse

ROUTE: Final = "/v1/rooms/{room}/ws"
_ID_BYTES: Final = 9  # 72 random bits: not to be guessed, 12 characters of base64

_log = logging.getLogger(__name__)


class Outlet(Protocol):
    """Where the messages for one participant go: a WebSocket, or what translates another protocol. Never waits."""

    def send(self, frame: bytes) -> None:
        """Take one message as it is encoded for the wire."""

    def close(self, code: CloseCode, reason: str) -> None:
        """Learn that the participant is no longer in the room; `SignalingServer.leave` is to be called."""


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody is in a room; `SignalingServer.leave` ends it."""

    room: Room
    participant: ParticipantId
    expiry: asyncio.TimerHandle


class SignalingServer:
    """All rooms of one media server, and the WebSockets into them."""

    def __init__(
        self,
        engine: MediaEngine,
        keys: KeyStore,
        config: SignalingConfig | None = None,
        *,
        observer: RoomObserver | None = None,
    ) -> None:
        """`observer` is told of everything that happens in rooms."""
        self._keys = keys
        self._observer = observer
        self._config = config or SignalingConfig()
        self._rooms = Rooms(engine, new_id=_new_id, wake=self._wake)
        self._connections: set[Connection] = set()
        self._joined: dict[ParticipantId, Outlet] = {}
        self._closing = asyncio.Event()

    @property
    def rooms(self) -> int:
        """How many rooms have somebody in them."""
        return len(self._rooms)

    @property
    def participants(self) -> int:
        """How many have joined and not left."""
        return self._rooms.participants

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

    def find_room(self, name: RoomName) -> Room | None:
        """Return the room of that name, None if nobody is in it."""
        return self._rooms.find(name)

    def enter(self, outlet: Outlet, join: Join, grants: Grants) -> Stay:
        """Let a participant into its room, made if need be; raises RequestError. `leave` must follow.

        What the room has to say to the participant goes to `outlet`, from the next turn of the event loop on.
        """
        if self._closing.is_set():
            raise RequestError(ErrorCode.SHUTTING_DOWN, "the server is shutting down")
        loop = asyncio.get_running_loop()
        expires_at = loop.time() + grants.expires_at + LEEWAY_S - time.time()
        room = self._rooms.get_or_make(grants.room)
        try:
            wallclock = datetime.now(UTC).replace(microsecond=0)
            participant = room.join(join, grants, wallclock=wallclock, expires_at=expires_at)
        except BaseException:
            self._rooms.drop_if_empty(room)
            raise
        self._joined[participant] = outlet
        _log.info("participant joined", extra={"room": room.name, "participant": participant})
        return Stay(room, participant, loop.call_at(expires_at, self._expire, room, expires_at))

    def leave(self, stay: Stay, reason: LeftReason) -> None:
        """Take note that the way to a participant is gone."""
        stay.expiry.cancel()
        del self._joined[stay.participant]
        stay.room.disconnect(stay.participant, reason)
        fields = {"room": stay.room.name, "participant": stay.participant, "reason": reason.value}
        _log.info("participant left", extra=fields)

    async def close(self) -> None:
        """Refuse newcomers, end all rooms (close code 4010) and wait until every connection is closed."""
        self._closing.set()
        self._rooms.end_all(CloseCode.SHUTTING_DOWN, "the server is shutting down")
        await asyncio.sleep(0)  # lets the rooms' outputs reach the queues
        connections = list(self._connections)
        for connection in connections:
            connection.close(CloseCode.SHUTTING_DOWN, "the server is shutting down")
        await asyncio.gather(*(connection.finished.wait() for connection in connections))

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            grants = self.admit(request, request.match_info["room"])
            check_upgrade(request)
        except RequestError as error:
            return refuse(error)
        websocket: web.WebSocketResponse[Literal[False]] = web.WebSocketResponse(
            heartbeat=self._config.heartbeat_s,
            timeout=self._config.close_timeout_s,
            protocols=(SUBPROTOCOL,),
            compress=False,  # costs more memory a client than it saves traffic
            max_msg_size=FRAME_BYTES_TAKEN_MAX,
            decode_text=False,
        )
        if not websocket.can_prepare(request).ok:
            return refuse(RequestError(ErrorCode.UPGRADE_REQUIRED, "this address speaks WebSocket (RFC 6455)"))
        await websocket.prepare(request)
        transport = request.transport
        if transport is None:
            return websocket
        connection = Connection(websocket, transport, self._config)
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
        """Wait for `join`; None if the connection ended or was not worth more."""
        frame = b""
        try:
            async with asyncio.timeout(self._config.join_timeout_s):
                message = await connection.read()
            if message is None:
                return None
            frame = message
            join = decode_client_message(frame)
            if not isinstance(join, Join):
                raise RequestError(ErrorCode.NOT_JOINED, "the first message must be join")
            return self.enter(connection, join, grants)
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
            while await self._pass_on(connection, stay.room, stay.participant):
                pass
        finally:
            self.leave(stay, _left_reason(connection))

    async def _pass_on(self, connection: Connection, room: Room, participant: ParticipantId) -> bool:
        """Hand one message to the room; False at the end of the connection."""
        frame: bytes | None = None
        try:
            frame = await connection.read()
            if frame is None:
                return False
            room.receive(participant, decode_client_message(frame))
        except RequestError as error:
            room.refuse(participant, error, re=peek_request_id(frame or b""))
        return True

    def _expire(self, room: Room, expires_at: float) -> None:
        # A timer may be early by the clock's resolution; the room must not think so.
        room.handle_timeout(now=max(expires_at, asyncio.get_running_loop().time()))

    def _wake(self, room: Room) -> None:
        asyncio.get_running_loop().call_soon(self._drain, room)

    def _drain(self, room: Room) -> None:
        """Carry what a room has to say to the connections: the only place where that happens."""
        for output in room.take_output():
            match output:
                case Tell():
                    frame = encode_message(output.message)
                    for participant in output.to:
                        if (connection := self._joined.get(participant)) is not None:
                            connection.send(frame)
                case Close():
                    if (connection := self._joined.get(output.to)) is not None:
                        connection.close(output.code, output.reason)
                case _:
                    assert_never(output)
        self._rooms.drop_if_empty(room)


def _new_id() -> str:
    return secrets.token_urlsafe(_ID_BYTES)


def _left_reason(connection: Connection) -> LeftReason:
    if connection.ended_by_client:
        return LeftReason.LEFT
    return LeftReason.TIMEOUT if connection.lost_by_silence else LeftReason.DISCONNECTED


def _error_frame(error: RequestError, frame: bytes) -> bytes:
    return encode_message(Error(re=peek_request_id(frame), code=error.code, message=error.message))
