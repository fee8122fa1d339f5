"""Two ways in: our WebSocket protocol, or an offer by HTTP to any WHIP or WHEP server."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import Callable
from typing import Any, Final, Protocol
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from benchmarks.load.failures import RefusedError, UnreachableError

ANSWER_TIMEOUT_S: Final = 30.0
CLOSE_TIMEOUT_S: Final = 3.0
BODY_SHOWN_MAX: Final = 200
SLOTS_MESSAGE: Final = "slots"

Message = dict[str, Any]


class Entrance(Protocol):
    """One peer's signalling."""

    ended: str | None
    """Why the server ended it, None as long as it did not."""

    async def enter(self, offer: str, slots: list[Message]) -> str:
        """Join with an offer and return the answer; a JoinError says why not."""

    async def ask_for(self, requests: list[Message]) -> list[Message]:
        """Say what our protocol wants said, now that media can flow; return the answers, or raise RefusedError."""

    async def leave(self) -> None: ...
    async def break_off(self) -> None:
        """End the connection without a word."""


class _Envelope(msgspec.Struct):
    type: str
    re: int | None = None


class WebSocketEntrance:
    """Our own protocol (`signaling/protocol.md`)."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        room: str,
        token: str,
        hear: Callable[[Message], None] | None = None,
    ) -> None:
        """`hear` is called with `layers` and `slots` messages."""
        self.ended: str | None = None
        self._http, self._token, self._hear = http, token, hear
        self._url = f"{url.rstrip('/')}/v1/rooms/{quote(room)}/ws"
        self._websocket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._ids = itertools.count(1)
        self._leaving = False

    async def enter(self, offer: str, slots: list[Message]) -> str:
        try:
            self._websocket = await self._http.ws_connect(
                self._url,
                headers={"Authorization": f"Bearer {self._token}"},
                max_msg_size=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
            )
        except aiohttp.WSServerHandshakeError as error:
            raise RefusedError(await self._why(error.status)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise UnreachableError(f"{self._url} cannot be reached: {error}") from error
        self._reader = asyncio.create_task(self._read(self._websocket))
        joined = await self.ask({"type": "join", "offer": offer, "slots": slots})
        if joined["type"] != "joined":
            raise RefusedError(f"the server answered {joined['type']} to join: {joined.get('message', '')}")
        return str(joined["answer"])

    async def ask_for(self, requests: list[Message]) -> list[Message]:
        return [await self.ask(request) for request in requests]

    async def ask(self, message: Message) -> Message:
        """Send a request and return its answer; RefusedError if that is an error or does not come."""
        assert self._websocket is not None
        request = next(self._ids)
        answer = self._waiting[request] = asyncio.get_running_loop().create_future()
        try:
            await self._websocket.send_str(msgspec.json.encode({**message, "id": request}).decode())
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                answered: Message = await answer
                return answered
        except TimeoutError:
            raise RefusedError(f"no answer to {message['type']} within {ANSWER_TIMEOUT_S:g} s") from None
        except (ConnectionError, aiohttp.ClientError) as error:
            raise RefusedError(f"the connection ended before {message['type']} was answered: {error}") from error
        finally:
            del self._waiting[request]

    async def leave(self) -> None:
        self._leaving = True
        if self._websocket is not None:
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                await self._websocket.send_str('{"type":"leave"}')
        if self._reader is not None:
            await asyncio.wait({self._reader}, timeout=CLOSE_TIMEOUT_S)
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        if self._websocket is not None:
            await self._websocket.close()

    async def break_off(self) -> None:
        self._leaving = True
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        if self._websocket is not None:
            stream = self._websocket.get_extra_info("socket")
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.shutdown(socket.SHUT_RDWR)  # no close frame: the server cannot know that nobody comes back
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                await self._websocket.close()

    async def _read(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        """Read until the end; of most messages only the type is looked at: a class of 500 says a great deal."""
        envelopes = msgspec.json.Decoder(_Envelope)
        async for frame in websocket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                break
            envelope = envelopes.decode(frame.data)
            if envelope.re is not None and (answer := self._waiting.get(envelope.re)) is not None:
                self._settle(answer, msgspec.json.decode(frame.data))
            elif self._hear is not None and envelope.type in {"layers", SLOTS_MESSAGE}:
                self._hear(msgspec.json.decode(frame.data))
            elif envelope.type in {"ended", "moved"}:
                self.ended = f"the server said {envelope.type}"
        if not self._leaving:
            self.ended = self.ended or f"the server closed the WebSocket with {websocket.close_code}"
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionError(f"close code {websocket.close_code}"))

    @staticmethod
    def _settle(answer: asyncio.Future[Message], message: Message) -> None:
        if answer.done():
            return
        if message["type"] == "error":
            answer.set_exception(RefusedError(f"{message['code']}: {message['message']}"))
        else:
            answer.set_result(message)

    async def _why(self, status: int) -> str:
        """Ask once more as plain HTTP, which says why."""
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with self._http.get(self._url, headers={"Authorization": f"Bearer {self._token}"}) as refused:
                return f"the server refused with status {refused.status}: {(await refused.text())[:BODY_SHOWN_MAX]}"
        return f"the server refused with status {status}"


class HttpEntrance:
    """WHIP (RFC 9725) or WHEP."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str | None) -> None:
        self.ended: str | None = None
        self._http, self._url = http, url
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._resource: URL | None = None

    async def enter(self, offer: str, slots: list[Message]) -> str:
        del slots  # what a section is for, is told by nothing but its kind
        headers = {**self._headers, "Content-Type": "application/sdp"}
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                async with self._http.post(self._url, data=offer.encode(), headers=headers) as created:
                    answer = await created.text()
                    if created.status not in {200, 201}:
                        shown = answer[:BODY_SHOWN_MAX].strip()
                        raise RefusedError(f"{self._url} answered {created.status}: {shown}")
                    if "Location" in created.headers:
                        self._resource = created.url.join(URL(created.headers["Location"]))
                    return answer
        except TimeoutError:
            raise UnreachableError(f"{self._url} did not answer within {ANSWER_TIMEOUT_S:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise UnreachableError(f"{self._url} cannot be reached: {error}") from error

    async def ask_for(self, requests: list[Message]) -> list[Message]:
        """Nothing is asked for: all was said in the offer."""
        del requests
        return []

    async def break_off(self) -> None:
        """There is no connection."""

    async def leave(self) -> None:
        if self._resource is not None:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    async with self._http.delete(self._resource, headers=self._headers) as deleted:
                        await deleted.read()
