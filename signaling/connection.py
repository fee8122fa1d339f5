"""One client's WebSocket: frames in at a bearable pace, frames out through a bounded queue that never blocks a room.

What is queued in one turn of the event loop leaves in one write. aiohttp does all of RFC 6455 but our text frames,
which are written to its transport as they are: a task that wakes up for each would cost as much as the kernel does.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Final, Literal

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.abc import AbstractStreamWriter

from signaling.codes import CloseCode, ErrorCode
from signaling.config import SignalingConfig
from signaling.errors import RequestError
from signaling.framing import frame_head
from signaling.pace import Pace, request_units
from signaling.protocol import FRAME_BYTES_MAX

_FAULTS: Final = frozenset(
    {WSCloseCode.PROTOCOL_ERROR, WSCloseCode.INVALID_TEXT, WSCloseCode.MESSAGE_TOO_BIG, WSCloseCode.UNSUPPORTED_DATA}
)
"""What aiohttp closes with when a client breaks RFC 6455."""

_WRITE_BYTES: Final = 64 * 1024
"""Written at a time; in between we look whether the client takes it."""

_CLOSE_REASON_BYTES_MAX: Final = 123  # RFC 6455 section 5.5: a control frame has 125 bytes, two are the code


class Connection:
    """Owned by the task that serves it, which also runs `write` beside its reading. `send` and `close` never wait."""

    def __init__(
        self,
        websocket: web.WebSocketResponse[Literal[False]],
        stream: AbstractStreamWriter,
        transport: asyncio.Transport,
        config: SignalingConfig,
    ) -> None:
        """`stream` is what `websocket.prepare` returned, over the same transport."""
        self._websocket = websocket
        self._stream = stream
        self._transport = transport
        self._config = config
        loop = asyncio.get_running_loop()
        self._pace = Pace(units_per_s=config.requests_per_s, burst=config.requests_burst, now=loop.time())
        self._loop = loop
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._closing: tuple[CloseCode, str] | None = None
        self._writes_soon = False
        self._is_behind = False
        """Whether the transport takes no more at present, and `write` waits for it."""
        self._to_write = asyncio.Event()
        self._to_close = asyncio.Event()
        self._not_reading = asyncio.Event()
        self._reading: asyncio.Timeout | None = None
        self._sending: asyncio.Timeout | None = None
        self.ended_by_client = False
        """Whether the client closed the WebSocket on purpose (1000)."""
        self._client_went_away = False
        self._heard_at = loop.time()
        """When the last frame was read, of whatever kind: a pong is a sign of life, too. Monotonic seconds."""
        self.finished = asyncio.Event()
        """Set by the task that serves the connection when nothing of it is left."""

    async def read(self) -> bytes | None:
        """Return the next message, None when the connection is at its end; raises RequestError for what is no text."""
        kind, frame = await self._receive()
        if kind is WSMsgType.BINARY:
            raise RequestError(ErrorCode.BAD_MESSAGE, "messages are text frames, this one is binary")
        if kind is not WSMsgType.TEXT:
            return None
        if len(frame) > FRAME_BYTES_MAX:
            self.close(CloseCode.TOO_LONG, f"frames have at most {FRAME_BYTES_MAX} bytes")
            return None
        await self._hold_back(self._pace.spend(request_units(len(frame)), now=self._loop.time()))
        return frame

    def send(self, frame: bytes) -> None:
        """Queue one text frame; a client that leaves too much unread is closed, and what is queued is dropped.

        It is written at the end of this turn of the event loop.
        """
        self.hold(frame)
        if not self._writes_soon:
            self._writes_soon = True
            self._loop.call_soon(self.flush)

    def hold(self, frame: bytes) -> None:
        """Queue one text frame, which is written with the next that is sent, or by `flush`."""
        if self._closing is not None:
            return
        if len(self._queue) >= self._config.queued_messages_max or (
            self._queue and self._queued_bytes + len(frame) > self._config.queued_bytes_max
        ):
            self._give_up()
            return
        self._queue.append(frame)
        self._queued_bytes += len(frame)

    def flush(self) -> None:
        """Write what is queued, as much of it as the client takes."""
        self._writes_soon = False
        while self._queue and not self._is_behind:
            if self._websocket.closed or self._transport.is_closing():
                self._drop_queue()  # nothing may follow a close frame
                return
            self._transport.write(self._take_some())
            if self._transport.get_write_buffer_size() > self._transport.get_write_buffer_limits()[1]:
                self._is_behind = True
                self._to_write.set()

    def close(self, code: CloseCode, reason: str) -> None:
        """Close after what is queued; the first reason counts."""
        if self._closing is None:
            self._closing = (code, reason)
            self._to_write.set()
            self._to_close.set()

    @property
    def lost_by_silence(self) -> bool:
        """Whether the end came because the heartbeat was not answered."""
        return isinstance(self._websocket.exception(), TimeoutError)

    @property
    def silent_s(self) -> float | None:
        """For how long nothing came when the connection was given up for silence; None if it ended otherwise."""
        return max(0.0, self._loop.time() - self._heard_at) if self.lost_by_silence else None

    @property
    def worth_resuming(self) -> bool:
        """Whether the client may come back: not if it closed in good order (a page that is left: 1001), or was wrong.

        One that read too slowly may: its queue fills up too while a phone is between two networks.
        """
        if self._closing is not None:
            return self._closing[0] is CloseCode.SLOW_READER
        return not self.ended_by_client and not self._client_went_away and self._websocket.close_code not in _FAULTS

    async def write(self) -> None:
        """Send what is queued until the connection is closed; returns when the WebSocket is."""
        try:
            try:
                async with asyncio.timeout(None) as self._sending:
                    await self._write_queue()
            except TimeoutError:
                pass  # `_give_up` cut a send short that a slow reader was blocking
            await self._shake_hands()
        except (ConnectionError, TimeoutError):
            pass  # the client is gone, or does not read: nothing is left to tell
        finally:
            if self._websocket.close_code in (None, WSCloseCode.ABNORMAL_CLOSURE):
                self._transport.abort()  # an orderly end would wait for a client that takes nothing

    async def _shake_hands(self) -> None:
        """Close the WebSocket with the closing handshake (RFC 6455 section 7), unless the client has done so.

        Reading stops first: aiohttp cuts the connection without waiting for the client's close frame if it is closed
        while a task reads, and the client may never see ours.
        """
        code, reason = self._closing or (CloseCode.NORMAL, "")
        if self._reading is not None:
            _expire(self._reading, now=self._loop.time())
            await self._not_reading.wait()
        async with asyncio.timeout(2 * self._config.close_timeout_s):
            await self._websocket.close(code=code, message=_cut_reason(reason))

    async def _receive(self) -> tuple[WSMsgType, bytes]:
        if self._closing is not None:
            return WSMsgType.CLOSING, b""
        self._not_reading.clear()
        try:
            async with asyncio.timeout(None) as self._reading:
                while True:
                    message = await self._websocket.receive()
                    if message.type is not WSMsgType.ERROR and not self._websocket.closed:
                        self._heard_at = self._loop.time()
                    if message.type is WSMsgType.PING:
                        await self._websocket.pong(message.data)  # RFC 6455 section 5.5.3
                    elif message.type is not WSMsgType.PONG:
                        break
                # aiohttp's own close code is 1000 for a broken connection, too; what the client sent is in the message.
                closed = message.type is WSMsgType.CLOSE
                self.ended_by_client = closed and message.data == CloseCode.NORMAL
                self._client_went_away = closed and message.data == WSCloseCode.GOING_AWAY
                return message.type, message.data if isinstance(message.data, bytes) else b""
        except TimeoutError:
            return WSMsgType.CLOSING, b""  # `_shake_hands` wants to be alone
        finally:
            self._reading = None
            self._not_reading.set()

    async def _write_queue(self) -> None:
        """Go on with what `flush` had to leave, until the connection is to be closed."""
        while True:
            self.flush()
            if self._closing is not None and not self._is_behind:
                return
            await self._to_write.wait()
            self._to_write.clear()
            await self._stream.drain()
            self._is_behind = False

    def _take_some(self) -> bytes:
        """Take frames from the queue as they stand on the wire, in one piece."""
        pieces: list[bytes] = []
        size_bytes = 0
        while self._queue and size_bytes < _WRITE_BYTES:
            frame = self._queue.popleft()
            pieces += (frame_head(len(frame)), frame)
            size_bytes += len(frame)
        self._queued_bytes -= size_bytes
        return b"".join(pieces)

    def _drop_queue(self) -> None:
        self._queue.clear()
        self._queued_bytes = 0

    def _give_up(self) -> None:
        self._drop_queue()
        self.close(CloseCode.SLOW_READER, "too many messages were left unread")
        if self._sending is not None:
            _expire(self._sending, now=self._loop.time())

    async def _hold_back(self, delay_s: float) -> None:
        """Wait, but not for longer than the connection lives."""
        if delay_s > 0:
            try:
                async with asyncio.timeout(delay_s):
                    await self._to_close.wait()
            except TimeoutError:
                pass


def _expire(scope: asyncio.Timeout, *, now: float) -> None:
    """End what is awaited in this scope, now."""
    with contextlib.suppress(RuntimeError):  # it has ended by itself
        scope.reschedule(now)


def _cut_reason(reason: str) -> bytes:
    return reason.encode()[:_CLOSE_REASON_BYTES_MAX].decode(errors="ignore").encode()
