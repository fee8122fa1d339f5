"""One WHIP or WHEP client in a room: it asks in the messages of the JSON protocol, without a wire between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec

from signaling.client_messages import AnyClientMessage, Join
from signaling.codes import CloseCode, ErrorCode, LeftReason
from signaling.grants import Grants
from signaling.protocol import decode_server_message
from signaling.server_messages import AnyServerMessage, Error
from signaling.websocket import SignalingServer, Stay
from signaling.whip.refusals import RefusedError

Answered = TypeVar("Answered", bound=AnyServerMessage)


class Seat:
    """From `enter` to `leave`, or until the room puts the client out. It hears answers only: events pass by unread."""

    def __init__(self, signaling: SignalingServer, *, reply_timeout_s: float, gone: Callable[[], None]) -> None:
        """`gone` is called once, at the end of the stay, whoever ended it."""
        self._signaling = signaling
        self._reply_timeout_s = reply_timeout_s
        self._gone = gone
        self._stay: Stay | None = None
        self._requests = 0
        self._waiting: tuple[int, asyncio.Future[AnyServerMessage]] | None = None

    async def enter(self, join: Join, grants: Grants, expected: type[Answered]) -> Answered:
        """Join the room; RequestError or RefusedError, and the seat is left, if it does not let the client in."""
        request_id, reply = self._expect()
        self._stay = self._signaling.enter(self, msgspec.structs.replace(join, id=request_id), grants)
        return await self._receive(reply, expected)

    async def ask(self, message: AnyClientMessage, expected: type[Answered]) -> Answered:
        """Ask for something, one thing at a time; RefusedError if the room refuses, or the stay is over."""
        if self._stay is None:
            raise _over("the stay in the room has ended")
        request_id, reply = self._expect()
        self._signaling.say(self._stay, msgspec.structs.replace(message, id=request_id))
        return await self._receive(reply, expected)

    @property
    def stay(self) -> Stay | None:
        """None before and after."""
        return self._stay

    def leave(self, reason: LeftReason) -> None:
        """Give the seat back; nothing happens if it is given back already."""
        if (stay := self._stay) is not None:
            self._stay = None
            self._signaling.leave(stay, reason)
            self._gone()

    # -- the room's side ------------------------------------------------------------------------------------------

    def send(self, frame: bytes) -> None:
        if self._waiting is None:
            return
        message = decode_server_message(frame)
        request_id, reply = self._waiting
        if message.re == request_id and not reply.done():
            reply.set_result(message)

    def hold(self, frame: bytes) -> None:
        """What many are told answers nobody."""

    def flush(self) -> None:
        """Nothing is held."""

    def close(self, code: CloseCode, reason: str) -> None:
        if self._waiting is not None and not self._waiting[1].done():
            self._waiting[1].set_exception(_over(reason))
        self.leave(LeftReason.TIMEOUT if code is CloseCode.MEDIA_FAILED else LeftReason.DISCONNECTED)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _expect(self) -> tuple[int, asyncio.Future[AnyServerMessage]]:
        assert self._waiting is None, "one request at a time"
        self._requests += 1
        self._waiting = self._requests, asyncio.get_running_loop().create_future()
        return self._waiting

    async def _receive(self, reply: asyncio.Future[AnyServerMessage], expected: type[Answered]) -> Answered:
        try:
            async with asyncio.timeout(self._reply_timeout_s):
                message = await reply
        finally:
            self._waiting = None
        if isinstance(message, Error):
            raise RefusedError(message.code, message.message)
        assert isinstance(message, expected), f"the room answered with {type(message).__name__}"
        return message


def _over(reason: str) -> RefusedError:
    return RefusedError(ErrorCode.NOT_ALLOWED, f"the room put the stream out: {reason}")
