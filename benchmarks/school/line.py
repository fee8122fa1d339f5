"""A person's WebSocket to the LMS: says things, and times how long the messages of others were on their way."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Any, Final, Self
from uuid import uuid4

import aiohttp
import msgspec

from benchmarks.api.scenario import StepFailed

CLOSE_S: Final = 3.0
STAMP: Final = "sent at "
"""Begins a message of ours; behind it the monotonic nanoseconds of this computer."""


class _Message(msgspec.Struct):
    body: str = ""


class _Told(msgspec.Struct):
    """Of most messages nothing else is looked at."""

    type: str
    re: int | None = None
    code: str | None = None
    message: _Message | str | None = None


_DECODER: Final = msgspec.json.Decoder(_Told)


class Line:
    """Open from `connect` to `close`; `delivered` is called with the seconds that each message took to come."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse, delivered: Callable[[float], None]) -> None:
        self._websocket = websocket
        self._delivered = delivered
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[_Told]] = {}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(
        cls, http: aiohttp.ClientSession, url: str, token: str, delivered: Callable[[float], None]
    ) -> Self:
        """Return once the service knows who it is; StepFailed, aiohttp.ClientError."""
        try:
            websocket = await http.ws_connect(
                f"{url}/api/v1/ws", max_msg_size=0, timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S)
            )
        except aiohttp.WSServerHandshakeError as error:
            raise StepFailed(f"WebSocket refused with status {error.status}") from None
        line = cls(websocket, delivered)
        try:
            await line.ask("auth", token=token)
        except BaseException:
            await line.close()
            raise
        return line

    async def ask(self, kind: str, **fields: Any) -> None:
        """Say something and wait for its answer; StepFailed if it is refused."""
        if self._reader.done():
            raise StepFailed(f"WebSocket closed with {self._websocket.close_code}")
        request = next(self._ids)
        waiting = self._waiting[request] = asyncio.get_running_loop().create_future()
        try:
            asked = {"type": kind, "id": request, **fields}
            await self._websocket.send_str(msgspec.json.encode(asked).decode())
            answer = await waiting
        finally:
            del self._waiting[request]
        if answer.type == "error":
            raise StepFailed(f"refused: {answer.code}")

    async def say(self, room_id: str) -> None:
        """Send a message that says when it was sent."""
        body = f"{STAMP}{time.monotonic_ns()}"
        await self.ask("community:message", room_id=room_id, body=body, client_id=str(uuid4()))

    async def close(self) -> None:
        """Hang up."""
        await self._websocket.close()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        async for frame in self._websocket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                break
            told = _DECODER.decode(frame.data)
            if told.re is not None:
                waiting = self._waiting.get(told.re)
                if waiting is not None and not waiting.done():
                    waiting.set_result(told)
            elif told.type == "community:message" and isinstance(told.message, _Message):
                stamp = told.message.body
                if stamp.startswith(STAMP):
                    self._delivered((time.monotonic_ns() - int(stamp.removeprefix(STAMP))) / 1e9)
        for each in self._waiting.values():
            if not each.done():
                each.set_exception(StepFailed(f"WebSocket closed with {self._websocket.close_code}"))
