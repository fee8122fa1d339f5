"""A test peer's WebSocket: requests with their answers, and everything else to whoever listens, in order."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import aiohttp

ANSWER_TIMEOUT_S = 20.0
CLOSE_TIMEOUT_S = 5.0

Message = dict[str, Any]


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class PeerSignal:
    """Made by `open`; `listen` hears every message before a request's answer is handed out."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse, listen: Callable[[Message], None]) -> None:
        self._websocket = websocket
        self._listen = listen
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._reader: asyncio.Task[None] | None = None
        self.close_code: int | None = None
        """Set when the server has closed."""

    @classmethod
    async def open(
        cls, http: aiohttp.ClientSession, url: str, room: str, token: str, listen: Callable[[Message], None]
    ) -> PeerSignal:
        """Connect; raises aiohttp.WSServerHandshakeError if the upgrade is refused."""
        websocket = await http.ws_connect(
            f"{url}/v1/rooms/{quote(room)}/ws",
            headers={"Authorization": f"Bearer {token}"},
            max_msg_size=0,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
        )
        signal = cls(websocket, listen)
        signal._reader = asyncio.create_task(signal._read())
        return signal

    async def ask(self, message: Message) -> Message:
        """Send a request and return its answer; raises Refused, or ConnectionError if the server closes instead."""
        request_id = next(self._ids)
        answer = self._waiting[request_id] = asyncio.get_running_loop().create_future()
        try:
            await self.send_text(json.dumps({**message, "id": request_id}, ensure_ascii=False))
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                reply: Message = await answer
                return reply
        finally:
            del self._waiting[request_id]

    async def send_text(self, text: str) -> None:
        """Send a frame as it is."""
        await self._websocket.send_str(text)

    async def leave(self) -> None:
        """Say `leave`, and wait until the server closes."""
        with contextlib.suppress(ConnectionError):
            await self._websocket.send_json({"type": "leave"})
        await self.wait_closed()

    async def wait_closed(self) -> int | None:
        """Wait until the server has closed; return its code."""
        if self._reader is not None:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._reader
        return self.close_code

    async def close(self) -> None:
        """Close the WebSocket with 1000, as a page does that goes away."""
        await self._stop_reading()
        await self._websocket.close()

    async def vanish(self) -> None:
        """Stop reading and answering, without a word; the TCP connection stays open until `abort`."""
        await self._stop_reading()

    async def abort(self) -> None:
        """Cut the TCP connection."""
        await self._stop_reading()
        transport = self._websocket.get_extra_info("transport") if not self._websocket.closed else None
        if transport is not None:
            transport.abort()
        with contextlib.suppress(aiohttp.ClientError):
            await self._websocket.close()

    async def break_off(self) -> None:
        """Reset the TCP connection, as networks do that go away: the server cannot know that nobody comes back."""
        connection = self._websocket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()
        await self._stop_reading()

    async def _read(self) -> None:
        async for frame in self._websocket:
            assert frame.type is aiohttp.WSMsgType.TEXT, frame
            message: Message = json.loads(frame.data)
            self._listen(message)
            self._answer(message)
        self.close_code = self._websocket.close_code
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionError(f"the server closed with {self.close_code}"))

    def _answer(self, message: Message) -> None:
        answer = self._waiting.get(message.get("re", 0))
        if answer is None or answer.done():
            return
        if message["type"] == "error":
            answer.set_exception(Refused(message["code"], message["message"]))
        else:
            answer.set_result(message)

    async def _stop_reading(self) -> None:
        if self._reader is None:
            return
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
