"""One WebSocket: frames in one by one, frames out through a bounded queue that nobody waits for."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

from aiohttp import WSMsgType, web

from lms.live.codes import CloseCode
from lms.live.presence import Status
from lms.live.settings import LiveSettings

FRAME_BYTES_TAKEN_MAX: Final = 64 * 1024
CLOSE_TIMEOUT_S: Final = 5.0
"""For what is queued to be taken, and for the closing handshake."""
_REASON_BYTES_MAX: Final = 123  # RFC 6455 section 5.5


class Connection:
    """`send` and `close` never wait; reading and the end are the serving task's."""

    def __init__(
        self,
        websocket: web.WebSocketResponse[Literal[False]],
        transport: asyncio.Transport | None,
        settings: LiveSettings,
    ) -> None:
        self._websocket = websocket
        self._transport = transport
        self._settings = settings
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._to_write = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()
        self._closing: tuple[CloseCode, str] | None = None
        self._reading: asyncio.Timeout | None = None
        self.org_id = self.user_id = UUID(int=0)
        self.name = ""
        self.status = Status.ONLINE
        self.expires_at = datetime.max.replace(tzinfo=UTC)
        """When the token runs out."""
        self.rooms: set[UUID] = set()
        """That it listens to."""
        self.finished = asyncio.Event()
        """Set when nothing of it is left."""

    @property
    def is_closing(self) -> bool:
        return self._closing is not None

    def send(self, frame: bytes) -> None:
        """Queue one text frame; who leaves too much unread is closed, and what is queued is dropped."""
        if self._closing is not None:
            return
        if len(self._queue) >= self._settings.queued_messages or (
            self._queue and self._queued_bytes + len(frame) > self._settings.queued_bytes
        ):
            self._queue.clear()
            self._queued_bytes = 0
            self.close(CloseCode.SLOW_READER, "too much was left unread")
            return
        self._queue.append(frame)
        self._queued_bytes += len(frame)
        self._to_write.set()
        if 2 * len(self._queue) > self._settings.queued_messages or (
            2 * self._queued_bytes > self._settings.queued_bytes
        ):
            self._space.clear()

    def close(self, code: CloseCode, reason: str) -> None:
        """Close after what is queued; the first reason counts."""
        if self._closing is None:
            self._closing = (code, reason)
            self._to_write.set()
            self._space.set()
            if self._reading is not None:
                with contextlib.suppress(RuntimeError):  # it has ended by itself
                    self._reading.reschedule(0)

    async def has_space(self) -> None:
        """Wait until half of the queue is free, or nothing is sent any more."""
        await self._space.wait()

    async def read(self) -> bytes | None:
        """Return the next text frame, None at the end."""
        if self._closing is not None:
            return None
        try:
            async with asyncio.timeout(None) as self._reading:
                message = await self._websocket.receive()
        except TimeoutError:
            return None  # `close` was called
        finally:
            self._reading = None
        if message.type is WSMsgType.TEXT and isinstance(message.data, bytes):
            return message.data
        if message.type is WSMsgType.BINARY:
            self.close(CloseCode.BAD_MESSAGE, "messages are text frames, this one is binary")
        return None

    async def write(self) -> None:
        """Send what is queued, until the connection is closed and everything is sent."""
        with contextlib.suppress(ConnectionError):
            while True:
                while self._queue:
                    frame = self._queue.popleft()
                    self._queued_bytes -= len(frame)
                    await self._websocket.send_frame(frame, WSMsgType.TEXT)
                self._space.set()
                if self._closing is not None:
                    return
                self._to_write.clear()
                await self._to_write.wait()
        self.close(CloseCode.NORMAL, "")  # the client is gone

    async def end(self, writing: asyncio.Task[None]) -> None:
        """Send what is queued and shake hands; a client that takes nothing is cut off."""
        self.close(CloseCode.NORMAL, "")
        assert self._closing is not None, "it was just closed"
        code, reason = self._closing
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await writing
                message = reason.encode()[:_REASON_BYTES_MAX].decode(errors="ignore").encode()
                await self._websocket.close(code=code, message=message)
        except (TimeoutError, ConnectionError):
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        finally:
            if self._websocket.close_code is None and self._transport is not None:
                self._transport.abort()  # an orderly end would wait for a client that takes nothing
            self.finished.set()
