"""A participant without media: a WebSocket that joined, answers matched to requests, all else read and forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import Any, Final, Self
from urllib.parse import quote

import aiohttp
import msgspec

from benchmarks.api.scenario import StepFailed

CLOSE_S: Final = 3.0


class _Envelope(msgspec.Struct):
    """Of most messages nothing else is looked at."""

    type: str
    re: int | None = None
    code: str | None = None


_DECODER: Final = msgspec.json.Decoder(_Envelope)


class Seat:
    """In a room; `join` makes one, `close` must be called."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self._websocket = websocket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[_Envelope]] = {}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def join(cls, http: aiohttp.ClientSession, url: str, room: str, token: str) -> Self:
        """Return once the server said `joined`; StepFailed, aiohttp.ClientError."""
        try:
            websocket = await http.ws_connect(
                f"{url}/v1/rooms/{quote(room, safe='')}/ws",
                headers={"Authorization": f"Bearer {token}"},
                max_msg_size=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
            )
        except aiohttp.WSServerHandshakeError as error:
            raise StepFailed(f"WebSocket refused with status {error.status}") from None
        seat = cls(websocket)
        try:
            await seat.ask({"type": "join"}, answer="joined")
        except BaseException:
            await seat.close()
            raise
        return seat

    async def ask(self, message: dict[str, Any], answer: str = "done") -> None:
        """Send a request and wait for its answer; StepFailed if that is another one."""
        if self._reader.done():
            raise StepFailed(self._ending())
        request = next(self._ids)
        waiting = self._waiting[request] = asyncio.get_running_loop().create_future()
        try:
            await self._websocket.send_str(msgspec.json.encode({**message, "id": request}).decode())
            got = await waiting
        finally:
            del self._waiting[request]
        if got.type != answer:
            raise StepFailed(f"{message['type']} was answered {got.type} {got.code or ''}".rstrip())

    async def leave(self) -> None:
        """Say goodbye, and wait until the server has closed."""
        await self._websocket.send_str('{"type":"leave"}')
        await asyncio.wait({self._reader}, timeout=CLOSE_S)
        if not self._reader.done():
            raise StepFailed("the server did not close after leave")

    async def close(self) -> None:
        """End it, whatever its state."""
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await self._websocket.close()

    async def _read(self) -> None:
        try:
            async for message in self._websocket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                envelope = _DECODER.decode(message.data)
                waiting = None if envelope.re is None else self._waiting.get(envelope.re)
                if waiting is not None and not waiting.done():
                    waiting.set_result(envelope)
        finally:
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(StepFailed(self._ending()))

    def _ending(self) -> str:
        return f"the server closed the WebSocket with {self._websocket.close_code}"
