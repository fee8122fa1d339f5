"""`GET /api/v1/ws`: from a browser's or program's WebSocket to what modules do. It decides nothing about them.

The first message is `auth`, with an access token, unless a cookie of ours or the header `Authorization` came with the
request: so no secret stands in a URL. Pages of other origins are refused before the upgrade.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from aiohttp import hdrs, web
from msgspec import Meta

from lms.access.authority import ACCESS_COOKIE
from lms.access.roles import Permission
from lms.api.caller import Caller
from lms.api.languages import Language, choose_language
from lms.api.phrases import Phrase, same
from lms.api.problems import NOT_SIGNED_IN, UNAVAILABLE, Problem, ProblemError, bad_field
from lms.live.codes import CloseCode
from lms.live.connection import FRAME_BYTES_TAKEN_MAX, Connection
from lms.live.events import Ack, Pong, Welcome, encode_event
from lms.live.live import Live
from lms.live.ports import OwnRoom
from lms.live.presence import Status
from lms.live.speech import Conversation, Spoken, problem_of, read_as, refusal_of, request_id_of, split
from lms.parts import Parts

logger = logging.getLogger(__name__)

PATH: Final = "/api/v1/ws"
AUTH: Final = "auth"
UPGRADE_REQUIRED: Final = Problem(
    "upgrade_required", 426, "This address speaks WebSocket (RFC 6455).", "هذا العنوان يعمل ببروتوكول WebSocket."
)
TOO_MANY_CONNECTIONS: Final = Problem(
    "too_many_connections", 429, "You have {value} connections, which is the most.", "بلغ عدد الاتصالات الحد: {value}."
)
_TOO_MANY_REFUSED_S: Final = 1.0
"""Who asks too often is read more slowly."""


class Auth(Spoken, frozen=True, kw_only=True):
    """Who you are, and what you have heard already. Sent again before the token runs out, with a new one."""

    token: Annotated[str, Meta(min_length=1, max_length=2048)] | None = None
    """An access token; without it the one that came with the request."""
    after: Annotated[dict[UUID, Annotated[int, Meta(ge=0, le=1 << 53)]], Meta(max_length=300)] | None = None
    """Of rooms: the last `change` that you were told. What you missed in them is told again, and you listen to them."""
    language: Language | None = None
    """Of messages for people; without it the account's, else what the request accepts, else the organization's."""
    status: Literal["online", "away"] = "online"


class Ping(Spoken, frozen=True, kw_only=True):
    """Answered by `pong`."""


class SetStatus(Spoken, frozen=True, kw_only=True):
    """How you are there on this device."""

    status: Literal["online", "away"]


def add_live_route(application: web.Application, parts: Parts) -> None:
    """Mount the WebSocket, and close what is open when the application ends."""
    server = LiveServer(parts)
    application.router.add_get(PATH, server.serve)
    application.on_shutdown.append(server.shut_down)


class LiveServer:
    """All WebSockets of one process."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._live: Live = parts.live
        self._open: set[Connection] = set()
        self._is_closing = False
        self._live.speech.on("ping", Ping, self._ping)
        self._live.speech.on("user:status", SetStatus, self._set_status)

    async def shut_down(self, _application: web.Application) -> None:
        """Close every connection."""
        self._is_closing = True
        for connection in self._open:
            connection.close(CloseCode.SHUTTING_DOWN, "the server goes, or is started anew")
        await asyncio.gather(*(connection.finished.wait() for connection in list(self._open)))

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Carry one WebSocket from its request to its end."""
        self._parts.authority.check_origin(request)
        websocket: web.WebSocketResponse[Literal[False]] = web.WebSocketResponse(
            heartbeat=self._live.settings.heartbeat_s,
            compress=False,  # costs more memory a client than it saves traffic
            max_msg_size=FRAME_BYTES_TAKEN_MAX,
            decode_text=False,
        )
        if not websocket.can_prepare(request).ok:
            raise ProblemError(UPGRADE_REQUIRED, headers={hdrs.UPGRADE: "websocket"})
        if self._is_closing or len(self._open) >= self._live.settings.connections:
            raise ProblemError(UNAVAILABLE, headers={hdrs.RETRY_AFTER: "5"})
        await websocket.prepare(request)
        connection = Connection(websocket, request.transport, self._live.settings)
        self._open.add(connection)
        writing = asyncio.create_task(connection.write(), name="live: write")
        try:
            await self._converse(connection, request)
        except Exception:
            logger.exception("a connection failed")
            connection.close(CloseCode.INTERNAL, "internal error")
        finally:
            self._live.depart(connection)
            await connection.end(writing)
            self._open.discard(connection)
        return websocket

    async def _converse(self, connection: Connection, request: web.Request) -> None:
        conversation = await self._begin(connection, request)
        if conversation is None:
            return
        checking = asyncio.create_task(self._check_on(conversation), name="live: check")
        try:
            while (frame := await connection.read()) is not None:
                await self._answer(conversation, frame, request)
        finally:
            checking.cancel()
            await asyncio.gather(checking, return_exceptions=True)

    async def _begin(self, connection: Connection, request: web.Request) -> Conversation | None:
        """Wait for `auth`; None if there is nobody to talk to."""
        language = choose_language(request.headers.get(hdrs.ACCEPT_LANGUAGE))
        frame: bytes | None = None
        try:
            async with asyncio.timeout(self._live.settings.auth_timeout_s):
                frame = await connection.read()
            if frame is None:
                return None
            type_, value = split(frame)
            if type_ != AUTH:
                raise bad_field("type", type_, same(AUTH), "choice")
            asked = read_as(value, Auth)
            language = asked.language or language
            return await self._welcome(connection, request, asked)
        except TimeoutError:
            connection.close(CloseCode.NOT_SIGNED_IN, f"no auth within {self._live.settings.auth_timeout_s:g} s")
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
            connection.send(encode_event(refusal_of(problem, language, request_id_of(frame or b""))))
            connection.close(_code_of(problem), problem.problem.code)
        return None

    async def _welcome(self, connection: Connection, request: web.Request, asked: Auth) -> Conversation:
        caller, expires_at, version = await self._identify(request, asked)
        language = asked.language or caller.speaks(request.headers.get(hdrs.ACCEPT_LANGUAGE))
        caller.check(Permission.CHAT)
        most = self._live.settings.connections_per_user
        if len(self._live.hub.connections_of(caller.org_id, caller.user_id)) >= most:
            raise ProblemError(TOO_MANY_CONNECTIONS, value=most, rule="count")
        connection.org_id, connection.user_id, connection.name = caller.org_id, caller.user_id, caller.name
        connection.status, connection.expires_at = Status(asked.status), expires_at
        conversation = Conversation(connection, caller, language, version)
        number = secrets.token_hex(4)
        connection.send(
            encode_event(
                Welcome(
                    user_id=caller.user_id, name=caller.name, at=self._parts.clock.now(), expires_at=expires_at,
                    connection=number,
                )
            )
        )  # fmt: skip
        own = await self._live.rooms.own(caller)
        self._live.arrive(connection, [room.id for room in own])
        await self._listen(connection, asked.after, {room.id: room for room in own if room.is_direct}, caller)
        if asked.id is not None:
            connection.send(encode_event(Ack(re=asked.id)))
        return conversation

    async def _listen(
        self, connection: Connection, after: dict[UUID, int] | None, direct: dict[UUID, OwnRoom], caller: Caller
    ) -> None:
        """Have a connection hear of rooms of two people, and of those that it heard of before."""
        marks = after or {}
        others = [room_id for room_id in marks if room_id not in direct]
        lost = frozenset(await self._live.rooms.lost(caller, others))
        for room_id in others:
            if room_id in lost:
                connection.send(encode_event(self._live.rooms.dropped(room_id, "removed")))
            else:
                await self._live.hub.join(connection, room_id, marks[room_id], marks[room_id])
        for room_id, room in direct.items():
            # Who tells marks was here before: a room without one has begun since then.
            mark = room.change if after is None else marks.get(room_id, 0)
            await self._live.hub.join(connection, room_id, room.change, mark)
        self._live.refresh(connection)

    async def _identify(self, request: web.Request, asked: Auth) -> tuple[Caller, datetime, int]:
        """Return who it is, until when the token holds, and the count of logins-out that it knows."""
        authority, by_cookie = self._parts.authority, False
        token = asked.token
        if token is None:
            scheme, _, shown = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
            token = shown.strip() if scheme.lower() == "bearer" else None
        if token is None:
            token, by_cookie = request.cookies.get(ACCESS_COOKIE), True
        if not token:
            raise ProblemError(NOT_SIGNED_IN, field="token", rule="required")
        caller = await authority.caller_of(token, by_cookie=by_cookie)
        claims = authority.claims_of(token)
        assert claims.expires_at is not None, "it was read"
        return caller, claims.expires_at, claims.version

    async def _answer(self, conversation: Conversation, frame: bytes, request: web.Request) -> None:
        """Do what a message asks for, and answer it."""
        connection = conversation.connection
        re: int | None = None
        try:
            await self._parts.server.count(("live", str(conversation.caller.user_id)))
            type_, value = split(frame)
            if type_ == AUTH:
                await self._renew(conversation, request, read_as(value, Auth))
                return
            _, said, act = self._live.speech.read(frame)
            re = said.id
            result = await act(conversation, said)
            if re is not None:
                connection.send(encode_event(result if isinstance(result, Pong) else Ack(re=re, result=result)))
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                logger.exception("a message failed")
                connection.close(CloseCode.INTERNAL, "internal error")
                return
            re = request_id_of(frame) if re is None else re
            connection.send(encode_event(refusal_of(problem, conversation.language, re)))
            if problem.problem.code == "rate_limited":
                await asyncio.sleep(_TOO_MANY_REFUSED_S)

    async def _renew(self, conversation: Conversation, request: web.Request, asked: Auth) -> None:
        """Go on with a new token of the same person."""
        caller, expires_at, version = await self._identify(request, asked)
        if (caller.org_id, caller.user_id) != (conversation.caller.org_id, conversation.caller.user_id):
            raise bad_field("token", None, Phrase("one of the same person", "رمز دخول للشخص نفسه"), "same_person")
        conversation.caller, conversation.version = caller, version
        conversation.language = asked.language or conversation.language
        conversation.connection.expires_at = expires_at
        if asked.id is not None:
            conversation.connection.send(encode_event(Ack(re=asked.id)))

    async def _check_on(self, conversation: Conversation) -> None:
        """Close a connection whose token has run out or whose account was closed; leave rooms that are no more its."""
        connection = conversation.connection
        while True:
            await asyncio.sleep(self._live.settings.checked_every_s)
            with contextlib.suppress(Exception):  # the database is away: looked at again
                if not await self._still_holds(conversation):
                    connection.close(CloseCode.EXPIRED, "the token no longer holds")
                    return
                listened = list(connection.rooms)
                for room_id in await self._live.rooms.lost(conversation.caller, listened):
                    if self._live.hub.drop(connection, room_id):
                        connection.send(encode_event(self._live.rooms.dropped(room_id, "removed")))

    async def _still_holds(self, conversation: Conversation) -> bool:
        caller = conversation.caller
        if self._parts.clock.now() >= conversation.connection.expires_at:
            return False
        standing = await self._parts.standings.get(caller.org_id, caller.user_id)
        if standing is None or not standing.active or standing.token_version != conversation.version:
            return False
        conversation.caller = replace(caller, roles=standing.roles, name=standing.name)
        return True

    async def _ping(self, conversation: Conversation, said: Ping) -> Pong:
        pong = Pong(re=said.id, at=self._parts.clock.now())
        if said.id is None:
            conversation.connection.send(encode_event(pong))
        return pong

    async def _set_status(self, conversation: Conversation, said: SetStatus) -> None:
        conversation.connection.status = Status(said.status)
        self._live.refresh(conversation.connection)


def _code_of(error: ProblemError) -> CloseCode:
    match error.problem.status:
        case 401 | 403:
            return CloseCode.NOT_SIGNED_IN
        case 429:
            return CloseCode.TOO_MANY
        case 503:
            return CloseCode.SHUTTING_DOWN
        case _:
            return CloseCode.BAD_MESSAGE
