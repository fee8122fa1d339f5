"""The client's WebSocket: requests find their answers, everything heard goes to one listener, in order."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote, urlsplit, urlunsplit

import aiohttp
import msgspec

from signaling.client.errors import DisconnectedError, RequestRefusedError
from signaling.client.reading import read_message
from signaling.server_messages import AnyServerMessage, Waiting

CONNECT_TIMEOUT_S: Final = 10.0
REQUEST_TIMEOUT_S: Final = 10.0
HEARTBEAT_S: Final = 10.0
"""Below the 30-60 s after which proxies and mobile networks forget an idle connection; aiohttp takes a server that
does not answer within half of it for gone."""
CLOSE_TIMEOUT_S: Final = 2.0
"""A server that does not answer a close is not waited for."""

UPGRADE_REQUIRED: Final = 426
"""What a plain GET is told where a WebSocket would be let in (protocol.md)."""
PASSED_STATUS: Final = 503
"""Of a refusal whose reason was gone when we asked for it: another try makes sense."""


Listener: TypeAlias = Callable[[AnyServerMessage], None]


class UpgradeRefusedError(Exception):
    """The server answered with HTTP instead of a WebSocket."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message


class Signal:
    """Made by `open`; `run` reads until the end and returns the close code, None if the connection broke."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse[Literal[False]], hear: Listener) -> None:
        self._websocket = websocket
        self._hear = hear
        self._ids = itertools.count(1)
        self._asked: dict[int, asyncio.Future[AnyServerMessage | None]] = {}
        self.last_error: RequestRefusedError | None = None
        """The last `error` that was heard: a close code may have no more to say."""
        self.dropped = False
        self._reading: asyncio.Timeout | None = None

    @classmethod
    async def open(cls, http: aiohttp.ClientSession, address: str, token: str, hear: Listener) -> Signal:
        """Connect; raises UpgradeRefusedError, OSError, TimeoutError or aiohttp.ClientError.

        `hear` gets every message before the request that it answers goes on.
        """
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            try:
                websocket = await http.ws_connect(
                    address,
                    headers={"Authorization": f"Bearer {token}"},
                    heartbeat=HEARTBEAT_S,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                    max_msg_size=0,
                    decode_text=False,
                )
            except aiohttp.WSServerHandshakeError as error:
                raise await _diagnose(http, address, token, error.status) from error
        return cls(websocket, hear)

    async def run(self) -> int | None:
        """Pass on what is heard, until the end of the connection."""
        try:
            async with asyncio.timeout(None) as self._reading:
                if not self.dropped:
                    async for frame in self._websocket:
                        if frame.type is aiohttp.WSMsgType.TEXT:
                            self._receive(frame.data)
        except TimeoutError:
            pass  # `drop` ended it
        finally:
            self._end_requests()
        # aiohttp's own close code is 1000 or 1006 for connections that broke.
        broken = self.dropped or self._websocket.exception() is not None or self._websocket.close_code == 1006
        return None if broken else self._websocket.close_code

    async def ask(
        self, request: dict[str, Any], *, timeout_s: float | None = REQUEST_TIMEOUT_S
    ) -> AnyServerMessage | None:
        """Send a request and return its answer (None: one that is not understood here).

        Raises RequestRefusedError, or DisconnectedError if the connection ends before, or no answer comes in time.
        """
        request_id = next(self._ids)
        answer = self._asked[request_id] = asyncio.get_running_loop().create_future()
        try:
            await self.say({**request, "id": request_id})
            async with asyncio.timeout(timeout_s):
                heard: AnyServerMessage | None = await answer
                return heard
        except TimeoutError as error:
            message = f"the server did not answer {request['type']!r} within {timeout_s} s"
            raise DisconnectedError(message) from error
        finally:
            del self._asked[request_id]

    async def say(self, message: dict[str, Any]) -> None:
        """Send without waiting for an answer; raises DisconnectedError."""
        try:
            await self._websocket.send_frame(msgspec.json.encode(message), aiohttp.WSMsgType.TEXT)
        except (ConnectionError, aiohttp.ClientError) as error:
            raise DisconnectedError(f"{message['type']!r} was not sent: the connection is gone") from error

    async def close(self) -> None:
        """Close in good order: the participant leaves."""
        await self._websocket.close()

    def drop(self) -> None:
        """Cut the connection, so that `run` ends: for one that seems dead."""
        self.dropped = True
        if self._reading is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                self._reading.reschedule(asyncio.get_running_loop().time())
        transport = self._websocket.get_extra_info("transport")
        if transport is not None:
            transport.abort()

    def _receive(self, frame: bytes) -> None:
        read = read_message(frame)
        if read is None:
            return
        envelope, message = read
        asked = None if envelope.re is None else self._asked.get(envelope.re)
        if envelope.type == "error":
            self.last_error = RequestRefusedError(envelope.code, envelope.message)
        if message is not None:
            self._hear(message)
        if asked is None or asked.done() or isinstance(message, Waiting):
            return
        if envelope.type == "error":
            asked.set_exception(RequestRefusedError(envelope.code, envelope.message))
        else:
            asked.set_result(message)

    def _end_requests(self) -> None:
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(DisconnectedError("the connection ended before the answer came"))


def room_address(server: str, room: str) -> str:
    """Return the WebSocket address of a room of a server (`http:`, `https:`, `ws:` or `wss:` URL); ValueError."""
    parts = urlsplit(server)
    scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(parts.scheme)
    if scheme is None or not parts.netloc:
        raise ValueError(f"server is {server!r}, expected a URL like https://media.example.org")
    return urlunsplit((scheme, parts.netloc, f"{parts.path.rstrip('/')}/v1/rooms/{quote(room, safe='')}/ws", "", ""))


async def _diagnose(http: aiohttp.ClientSession, address: str, token: str, status: int) -> UpgradeRefusedError:
    """Return why the upgrade was refused: a plain GET is answered with the reason."""
    parts = urlsplit(address)
    url = urlunsplit(parts._replace(scheme={"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)))
    try:
        async with http.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
            error = (await answer.json())["error"]
            if answer.status == UPGRADE_REQUIRED:  # what refused us is over, or lets no WebSocket through: no verdict
                return UpgradeRefusedError(PASSED_STATUS, "unreachable", f"the WebSocket was refused with {status}")
            return UpgradeRefusedError(answer.status, str(error["code"]), str(error["message"]))
    except (aiohttp.ClientError, ValueError, KeyError, TypeError):
        return UpgradeRefusedError(status, "unreachable", "the server refuses WebSockets here")
