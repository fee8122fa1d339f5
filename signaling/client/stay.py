"""Our stay in a room, through every break: connects, joins, comes back, and mends the media path."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable
from typing import Any, Final, Protocol
from urllib.parse import urljoin

import aiohttp

from signaling.client.credentials import TokenSource
from signaling.client.errors import (
    DisconnectedError,
    LeftError,
    NotAllowedInError,
    RequestRefusedError,
    RoomClosedError,
    TokenExpiredError,
    UnreachableError,
    closed_by,
)
from signaling.client.events import RoomState
from signaling.client.media import Media, MediaFactory, MediaState
from signaling.client.reconnect import Reconnection, ReconnectPolicy, Way
from signaling.client.signal import REQUEST_TIMEOUT_S, Signal, UpgradeRefusedError
from signaling.server_messages import Answer, AnyServerMessage, Ended, Joined, MediaPath, Moved, Resumed, Waiting

JOIN_TIMEOUT_S: Final = 15.0
"""Longer than other requests: the server may be starting the room."""

MEND_ANSWER_TIMEOUT_S: Final = 3.0
"""Where the media path broke, the WebSocket often did, too, and nobody has noticed yet."""

MEND_AGAIN_S: Final = 6.0
"""An ICE restart that did not help is not repeated sooner: checks of the one before go on."""


class Home(Protocol):
    """Who owns the stay."""

    def hear(self, message: AnyServerMessage) -> None: ...
    def state_changed(self, state: RoomState) -> None: ...
    async def entered(self) -> None:
        """We are in as a new participant: publish and ask again for what was there before."""

    @property
    def resume_token(self) -> str: ...
    @property
    def seq(self) -> int: ...


class Stay:
    """`run` lasts as long as the stay does, and returns why it ended."""

    def __init__(
        self,
        home: Home,
        address: str,
        token: TokenSource,
        *,
        renewable: bool,
        name: str | None,
        media: MediaFactory | None,
        policy: ReconnectPolicy,
    ) -> None:
        self._home = home
        self._address = address
        self._token = token
        self._name = name
        self._make_media = media
        self._reconnection = Reconnection(policy, renewable=renewable, chance=random.random)
        self.media: Media | None = None
        self.state = RoomState.NEW
        self._signal: Signal | None = None
        """While we are in the room."""
        self._way = Way.JOIN
        self._farewell: Ended | None = None
        self._join_timeout: asyncio.Timeout | None = None
        self._leaving = False
        self._news = asyncio.Condition()
        self._media_news = asyncio.Event()
        self._mend_wanted = False

    async def run(self) -> RoomClosedError:
        """Stay until it is over; whatever it raises is a bug."""
        self._set_state(RoomState.CONNECTING)
        try:
            async with aiohttp.ClientSession() as http:
                while True:
                    if (over := await self._visit(http)) is not None:
                        return over
                    delay_s = self._reconnection.next_delay(now=_now())
                    if delay_s is None:
                        return UnreachableError("unreachable", f"there is no server at {self._address}")
                    await asyncio.sleep(delay_s)
        finally:
            if self.media is not None:
                await self.media.close()
            self._set_state(RoomState.CLOSED)
            async with self._news:
                self._news.notify_all()

    async def ask(self, request: dict[str, Any], *, timeout_s: float = REQUEST_TIMEOUT_S) -> AnyServerMessage | None:
        """Send a request, waiting for the connection if it is broken just now, and return its answer.

        Raises RequestRefusedError or DisconnectedError.
        """
        signal = self._signal
        if signal is None:
            try:
                async with asyncio.timeout(timeout_s):
                    signal = await self._wait_for_signal()
            except TimeoutError as error:
                message = f"{request['type']!r} was not sent: no connection within {timeout_s} s"
                raise DisconnectedError(message) from error
        return await signal.ask(request, timeout_s=timeout_s)

    async def leave(self) -> bool:
        """Say goodbye; return whether somebody hears it, so that `run` returns soon."""
        self._leaving = True
        if self._signal is None:
            return False
        try:
            await self._signal.say({"type": "leave"})
        except DisconnectedError:
            return False
        return True

    def mend(self) -> None:
        """Find a new path for the media, whatever state the old one seems to be in."""
        self._mend_wanted = True
        self._media_news.set()

    def drop_signal(self) -> None:
        """Cut the WebSocket, as a bad network does."""
        if self._signal is not None:
            self._signal.drop()

    async def _wait_for_signal(self) -> Signal:
        async with self._news:
            await self._news.wait_for(lambda: self._signal is not None or self.state is RoomState.CLOSED)
        if self._signal is None:
            raise DisconnectedError("the room is closed")
        return self._signal

    # -- one connection -------------------------------------------------------------------------------------------

    async def _visit(self, http: aiohttp.ClientSession) -> RoomClosedError | None:
        """Connect and stay until the connection ends; return why the whole stay is over, None if it is not."""
        try:
            signal = await Signal.open(http, self._address, await self._token(), self._hear)
        except UpgradeRefusedError as refusal:
            if self._reconnection.is_passing(refusal.status):
                return None
            kind = TokenExpiredError if refusal.code == "token_expired" else NotAllowedInError
            return kind(refusal.code, refusal.message)
        except (OSError, TimeoutError, aiohttp.ClientError):
            return None
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(signal.run())
            mending: asyncio.Task[None] | None = None
            if await self._enter(signal):
                mending = tasks.create_task(self._keep_media(signal))
            close_code = await reading
            if mending is not None:
                mending.cancel()
        return self._judge(signal, close_code)

    def _judge(self, signal: Signal, close_code: int | None) -> RoomClosedError | None:
        """Decide how to go on after the end of a connection."""
        self._signal = None
        if self._leaving:
            return LeftError("left", "")
        error = signal.last_error
        way = self._reconnection.lost(close_code, None if error is None else error.code, now=_now())
        if way is Way.NEVER:
            if self._farewell is not None:
                return closed_by(close_code, code=self._farewell.reason, message=self._farewell.message)
            if error is not None and close_code == 4000:
                return closed_by(close_code, code=error.code, message=str(error))
            return closed_by(close_code)
        if self._way is not Way.JOIN or way is Way.JOIN:
            self._way = way
        self._set_state(RoomState.RECONNECTING)
        return None

    async def _enter(self, signal: Signal) -> bool:
        """Resume or join; return whether we are in. If not, the connection is about to end."""
        try:
            if self._way is Way.RESUME and self._reconnection.may_resume(now=_now()):
                try:
                    await self._resume(signal)
                    return True
                except RequestRefusedError:
                    pass  # the server has forgotten us: join, on the same connection
            self._way = Way.JOIN
            await self._join(signal)
        except (DisconnectedError, TimeoutError):
            signal.drop()
            return False
        except RequestRefusedError:
            return False  # the server closes with a code that says how to go on
        return True

    async def _resume(self, signal: Signal) -> None:
        media = self.media
        offer = None
        if media is not None and (media.state is not MediaState.CONNECTED or media.negotiating):
            offer = await media.offer(restart_ice=True)
        request = {"type": "resume", "token": self._home.resume_token, "seq": self._home.seq}
        answer = await signal.ask(request if offer is None else {**request, "offer": offer})
        if media is not None and isinstance(answer, Resumed) and answer.answer is not None:
            await media.accept(answer.answer)
        await self._settle(signal)

    async def _join(self, signal: Signal) -> None:
        request: dict[str, Any] = {"type": "join"}
        if self._name is not None:
            request["name"] = self._name
        if self.media is not None:
            await self.media.close()
        if self._make_media is not None:
            self.media = self._make_media()
            self.media.watch(self._media_changed, self.mend)
            request["offer"] = await self.media.offer()
            request["slots"] = [{"mid": slot.mid, "kind": slot.kind.value} for slot in self.media.slots]
        async with asyncio.timeout(JOIN_TIMEOUT_S) as self._join_timeout:
            answer = await signal.ask(request, timeout_s=None)
        if self.media is not None and isinstance(answer, Joined) and answer.answer is not None:
            await self.media.accept(answer.answer)
        await self._settle(signal)
        await self._home.entered()

    async def _settle(self, signal: Signal) -> None:
        self._way = Way.RESUME
        self._mend_wanted = False
        self._farewell = None
        self._reconnection.connected()
        if self.state is RoomState.WAITING:
            self._set_state(RoomState.CONNECTING)
        async with self._news:
            self._signal = signal
            self._news.notify_all()
        self._media_changed(MediaState.NEW if self.media is None else self.media.state)

    # -- what is heard --------------------------------------------------------------------------------------------

    def _hear(self, message: AnyServerMessage) -> None:
        match message:
            case Waiting():
                if self._join_timeout is not None:
                    with contextlib.suppress(RuntimeError):  # no join is under way
                        self._join_timeout.reschedule(None)  # people decide now
                self._set_state(RoomState.WAITING)
            case Moved():
                self._address = urljoin(self._address, message.url)
                if message.token is not None:
                    self._token = constant(message.token)
            case Ended():
                self._farewell = message
            case MediaPath(state="silent"):
                self.mend()
            case _:
                pass
        self._home.hear(message)

    # -- the media path -------------------------------------------------------------------------------------------

    def _media_changed(self, _state: MediaState) -> None:
        self._media_news.set()
        if self.media is not None and self.media.state is MediaState.CONNECTED:
            self._reconnection.media_connected()
        if self._signal is not None:
            connected = self.media is None or self.media.state is MediaState.CONNECTED
            if connected:
                self._set_state(RoomState.CONNECTED)
            elif self.state is not RoomState.CONNECTING:
                self._set_state(RoomState.RECONNECTING)

    async def _keep_media(self, signal: Signal) -> None:
        """Restart ICE whenever the media path breaks while the WebSocket lives."""
        if self.media is None:
            return
        while True:
            self._media_news.clear()
            if self.media.state not in (MediaState.INTERRUPTED, MediaState.FAILED) and not self._mend_wanted:
                await self._media_news.wait()
                continue
            self._mend_wanted = False
            try:
                offer = await self.media.offer(restart_ice=True)
                answer = await signal.ask({"type": "offer", "sdp": offer}, timeout_s=MEND_ANSWER_TIMEOUT_S)
                if isinstance(answer, Answer):
                    await self.media.accept(answer.sdp)
            except DisconnectedError:
                signal.drop()  # a resumption brings the next offer
                return
            except RequestRefusedError:
                self._way = Way.JOIN  # nothing mends this media path: begin anew
                signal.drop()
                return
            await _wait_at_most(self._media_news.wait(), MEND_AGAIN_S)

    def _set_state(self, state: RoomState) -> None:
        if state is not self.state:
            self.state = state
            self._home.state_changed(state)


def constant(token: str) -> TokenSource:
    """Return a source of always the same token."""

    async def get() -> str:
        return token

    return get


async def _wait_at_most(work: Awaitable[object], timeout_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await work


def _now() -> float:
    return asyncio.get_running_loop().time()
