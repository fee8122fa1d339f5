"""A class that one takes part in: connect, hear what happens, talk, publish and watch."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar

from media.rtp.parameters import Mid
from signaling.client.credentials import TokenSource
from signaling.client.errors import ClassOverError, DisconnectedError, HalqaError, LeftError, WrongStateError
from signaling.client.events import Event, RoomState, StateChanged, Track, TrackChanged
from signaling.client.knowledge import Knowledge
from signaling.client.listeners import Listeners
from signaling.client.media import Frame, Media, MediaFactory, MediaState, SlotSection
from signaling.client.publishing import LocalTrack, Publications
from signaling.client.reconnect import ReconnectPolicy
from signaling.client.requests import Requests
from signaling.client.roster import Roster
from signaling.client.signal import room_address
from signaling.client.stay import Stay, constant
from signaling.identifiers import Role, Source
from signaling.server_messages import AnyServerMessage, Layers, SlotView

LEAVE_TIMEOUT_S: Final = 3.0
"""A server that does not answer a goodbye is not waited for."""

EventT = TypeVar("EventT", bound=Event)


class Room(Requests, Knowledge):
    """`async with Room(server, room, token) as room:` joins, and leaves at the end. It comes back by itself.

    `token` is a token, or a source of fresh ones (`KeyHolder`, or any coroutine function that returns one). Without
    `media` (`WebRtc()`) one talks, and neither sends nor receives media. `name`: shown, if the token has none.
    """

    def __init__(
        self,
        server: str,
        room: str,
        token: str | TokenSource,
        *,
        name: str | None = None,
        media: MediaFactory | None = None,
        policy: ReconnectPolicy | None = None,
    ) -> None:
        """`server`: its URL, e.g. https://media.example.org; ValueError if it is none."""
        super().__init__(Roster())
        self._listeners = Listeners()
        self._stay = Stay(
            self,
            room_address(server, room),
            constant(token) if isinstance(token, str) else token,
            renewable=not isinstance(token, str),
            name=name,
            media=media,
            policy=policy or ReconnectPolicy(),
        )
        self._publications = Publications(self.ask, lambda: self._stay.media)
        self._views: dict[str, dict[str, Any]] = {}
        self._values: dict[str, Any] = {}
        self._running: asyncio.Task[None] | None = None
        self._chores: set[asyncio.Task[None]] = set()
        self._bringing_back: asyncio.Task[None] | None = None
        self._entered = asyncio.Event()
        self._changed = asyncio.Condition()
        self.closed: BaseException | None = None
        """Why the room is closed, once it is."""

    # -- coming and going -----------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Join, and return when we are in (somebody may have to admit us first); only once.

        Raises a RoomClosedError: UnreachableError, NotAllowedInError ...
        """
        if self._running is not None:
            raise WrongStateError(f"this room is {self.state.value} already")
        self._running = asyncio.create_task(self._run(), name="halqa room")
        entered = asyncio.create_task(self._entered.wait())
        try:
            await asyncio.wait({self._running, entered}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._running.cancel()
            await asyncio.wait({self._running})
            raise
        finally:
            entered.cancel()
        if self.closed is not None:
            raise self.closed

    async def leave(self) -> None:
        """Leave; does nothing if the stay is over."""
        if self._running is None or self._running.done():
            return
        if await self._stay.leave():
            await asyncio.wait({self._running}, timeout=LEAVE_TIMEOUT_S)
        if not self._running.done():
            self._running.cancel()
        await asyncio.wait({self._running})

    async def wait_closed(self) -> None:
        """Wait for the end of the stay: returns after `leave` and at the end of the class, else raises why."""
        async for _ in self._listeners.listen():
            pass

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave()

    # -- what happens ---------------------------------------------------------------------------------------------

    def events(self) -> AsyncIterator[Event]:
        """Return everything that happens, one by one: the first call from our joining on, others from the call on.

        It ends after `leave` and with the class, and raises the RoomClosedError if the stay ends otherwise.
        """
        return self._listeners.listen_from_the_start()

    def on(self, kind: type[EventT], callback: Callable[[EventT], None]) -> Callable[[], None]:
        """Call `callback` at every event of this type, until the returned function is called. It must not wait."""
        return self._listeners.on(kind, callback)

    async def next(self, kind: type[EventT], condition: Callable[[EventT], bool] = lambda _event: True) -> EventT:
        """Wait for the next event of this type that fulfils the condition; raises a RoomClosedError."""
        async for event in self._listeners.listen():
            if isinstance(event, kind) and condition(event):
                return event
        raise self.closed if self.closed is not None else LeftError("left", "")

    # -- what there is --------------------------------------------------------------------------------------------

    @property
    def state(self) -> RoomState:
        return self._stay.state

    @property
    def slots(self) -> list[SlotView]:
        """What each slot carries now: `mid track participant encoding`, in the order of the offer."""
        mids = [Mid(section.mid) for section in self.sections]
        empty = (SlotView(mid=mid, track=None, participant=None, encoding=None) for mid in mids)
        return [self._roster.slots.get(each.mid, each) for each in empty]

    @property
    def sections(self) -> Sequence[SlotSection]:
        """The receive sections: `mid kind`; the same after a fresh join."""
        return () if self._stay.media is None else self._stay.media.slots

    # -- media ----------------------------------------------------------------------------------------------------

    async def publish_camera(self, width: int, height: int, *, audience: Sequence[Role] | None = None) -> LocalTrack:
        """Publish pictures of this size, in pixels: `await track.send(picture)`."""
        return await self._publications.publish(Source.CAMERA, size=(width, height), audience=audience)

    async def publish_microphone(self, *, muted: bool = False, audience: Sequence[Role] | None = None) -> LocalTrack:
        """Publish sound: `await track.send(samples)`."""
        return await self._publications.publish(Source.MICROPHONE, muted=muted, audience=audience)

    async def publish_screen(self, width: int, height: int) -> LocalTrack:
        """Publish pictures as a shared screen."""
        return await self._publications.publish(Source.SCREEN, size=(width, height))

    async def publish_screen_audio(self) -> LocalTrack:
        """Publish the sound of a shared screen."""
        return await self._publications.publish(Source.SCREEN_AUDIO)

    def local_track(self, source: Source) -> LocalTrack | None:
        """Return what we publish from a source."""
        return self._publications.get(source)

    async def unpublish(self, source: Source) -> None:
        await self._publications.unpublish(source)

    async def mute(self, source: Source, muted: bool = True) -> None:
        """Stop or resume sending; the others keep the track and see it muted."""
        await self._publications.mute(source, muted)

    async def frames(self, slot: SlotView | SlotSection | str) -> AsyncIterator[Frame]:
        """Decode what a slot receives, whatever it shows, through every break; ends with the stay.

        Sound comes as AudioFrame of 10 ms, pictures as VideoFrame; who reads slowly misses the oldest.
        """
        mid = slot if isinstance(slot, str) else slot.mid
        media = None
        while (media := await self._next_media(media)) is not None:
            if mid not in {section.mid for section in media.slots}:
                raise WrongStateError(f"there is no slot {mid!r}: see room.sections")
            async for frame in media.frames(mid):
                yield frame

    async def _next_media(self, known: Media | None) -> Media | None:
        """Return the media connection that follows this one, None at the end of the stay."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.closed is not None or self._stay.media not in (None, known))
        return None if self.closed is not None else self._stay.media

    def carrying(self, track: Track | str) -> SlotView | None:
        """Return the slot that carries this track now."""
        track_id = track if isinstance(track, str) else track.id
        return next((slot for slot in self.slots if slot.track == track_id), None)

    @property
    def media_state(self) -> MediaState:
        """How the media path is."""
        return MediaState.NEW if self._stay.media is None else self._stay.media.state

    # -- requests -------------------------------------------------------------------------------------------------

    async def ask(self, request: dict[str, Any]) -> AnyServerMessage | None:
        """Send any request of protocol.md, without `id`, and return its answer."""
        if self.closed is not None:
            raise WrongStateError(f"the room is closed: {self.closed}")
        if self._running is None:
            raise WrongStateError("connect first")
        answer = await self._stay.ask(request)
        self._remember(request)
        return answer

    async def end_class(self, reason: str = "") -> None:
        """End the class for everybody, ourselves too."""
        try:
            await super().end_class(reason)
        except DisconnectedError:  # the end of the class comes before an answer can
            if self._running is not None:
                await asyncio.wait({self._running}, timeout=LEAVE_TIMEOUT_S)
            if not isinstance(self.closed, ClassOverError):
                raise

    def simulate(self, failure: Literal["signal-lost", "media-lost"]) -> None:
        """Rehearse a failure: cut the WebSocket, or look for a new media path, as if the network had changed."""
        if failure == "signal-lost":
            self._stay.drop_signal()
        else:
            self._stay.mend()

    def _remember(self, request: dict[str, Any]) -> None:
        """Keep what must be asked for again after a fresh join."""
        if request["type"] == "view":
            for wanted in request["slots"]:
                view = self._views.setdefault(wanted["mid"], {})
                view |= {name: value for name, value in wanted.items() if name != "track" or value in (None, "auto")}
        elif request["type"] == "state" and request["scope"] == "own":
            self._values[request["key"]] = request["value"]

    # -- what the stay asks of its home ---------------------------------------------------------------------------

    @property
    def resume_token(self) -> str:
        return self._roster.resume_token

    @property
    def seq(self) -> int:
        """Number of the last room event heard."""
        return self._roster.seq

    def hear(self, message: AnyServerMessage) -> None:
        """Take a message of the server."""
        for event in self._roster.apply(message):
            if isinstance(event, TrackChanged) and event.participant.id == self._roster.own_id:
                self._own_track_changed(event.track)
            self._listeners.tell(event)
        if isinstance(message, Layers):
            self._do(self._publications.set_encodings(message.track, message.encodings))

    def state_changed(self, state: RoomState) -> None:
        """Tell everybody where the stay is."""
        self._listeners.tell(StateChanged(state))

    async def entered(self) -> None:
        """We are in as a new participant: bring back what was there."""
        if self._entered.is_set():
            if self._bringing_back is not None:
                self._bringing_back.cancel()  # it was for a connection that is gone
            self._bringing_back = self._do(self._bring_back())
        self._entered.set()
        async with self._changed:
            self._changed.notify_all()

    async def _bring_back(self) -> None:
        await self._publications.publish_again()
        requests: list[dict[str, Any]] = [
            {"type": "state", "scope": "own", "key": key, "value": value} for key, value in self._values.items()
        ]
        if self._views:
            requests.append({"type": "view", "slots": list(self._views.values())})
        for request in requests:
            await self._stay.ask(request)

    def _own_track_changed(self, track: Track) -> None:
        if track.state == "ended":
            self._publications.ended(track.id)
        else:
            self._publications.muted(track.id, track.state == "muted")

    def _do(self, chore: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run what nobody waits for; a refusal of it is nobody's business, either."""

        async def work() -> None:
            with contextlib.suppress(HalqaError):
                await chore

        task = asyncio.create_task(work(), name="halqa room chore")
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
        return task

    async def _run(self) -> None:
        try:
            self.closed = await self._stay.run()
        except asyncio.CancelledError:
            self.closed = LeftError("left", "")
        except Exception as error:  # noqa: BLE001 - it is raised to whoever listens
            self.closed = error
        for task in list(self._chores):
            task.cancel()
        self._publications.close()
        self._listeners.end(self.closed)
        async with self._changed:
            self._changed.notify_all()
