"""What we publish: one track a source, kept through fresh joins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from signaling.client.errors import DisconnectedError, RequestRefusedError, WrongStateError
from signaling.client.media import Media, Outgoing
from signaling.identifiers import Role, Source, TrackId
from signaling.server_messages import AnyServerMessage, EncodingWanted, TrackChanged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Ask = Callable[[dict[str, Any]], Awaitable[AnyServerMessage | None]]


@dataclass(eq=False, slots=True)
class LocalTrack:
    """What we publish from one source."""

    source: Source
    id: TrackId
    """Given by the server; another one after a fresh join."""
    muted: bool
    _outgoing: Outgoing
    _wishes: dict[str, Any] = field(default_factory=dict)
    ended: bool = False

    async def send(self, frame: NDArray[np.generic]) -> None:
        """Send a picture: uint8, RGB, (height, width, 3); or sound of 48 kHz: int16, or float from -1 to 1.

        Sound is taken as fast as it is played; of a picture the newest counts. Raises ValueError for what is neither,
        WrongStateError after the track has ended.
        """
        if self.ended:
            raise WrongStateError(f"{self.source.value} is not published any more")
        await self._outgoing.send(frame)


class Publications:
    """Publishes over whichever media connection there is now."""

    def __init__(self, ask: Ask, media: Callable[[], Media | None]) -> None:
        self._ask = ask
        self._media = media
        self._tracks: dict[Source, LocalTrack] = {}
        self._beginning: set[Source] = set()

    def get(self, source: Source) -> LocalTrack | None:
        """Return what is published from a source."""
        return self._tracks.get(source)

    async def publish(
        self,
        source: Source,
        *,
        size: tuple[int, int] | None = None,
        muted: bool = False,
        audience: Sequence[Role] | None = None,
    ) -> LocalTrack:
        """Announce a track; frames are sent from then on. Raises WrongStateError, or what a request raises."""
        if source in self._tracks or source in self._beginning:
            raise WrongStateError(f"{source.value} is published already")
        media = self._need_media()
        wishes: dict[str, Any] = {} if size is None else {"width": size[0], "height": size[1]}
        if audience is not None:
            wishes["audience"] = [role.value for role in audience]
        track = LocalTrack(source, TrackId(""), muted, media.make_outgoing(source), wishes)
        self._beginning.add(source)  # `publish_again` must not announce it a second time
        try:
            await self._announce(track)
            if self._need_media() is not media:  # a fresh join came in between
                await self._carry(track)
        except BaseException:
            self._drop(track)
            raise
        finally:
            self._beginning.discard(source)
        self._tracks[source] = track
        return track

    async def unpublish(self, source: Source) -> None:
        """End a track; nothing happens if there is none."""
        track = self._tracks.get(source)
        if track is not None:
            self._drop(track)
            await self._need_media().carry(source, None)
            await self._ask({"type": "unpublish", "track": track.id})

    async def mute(self, source: Source, muted: bool) -> None:
        """Stop or resume sending; the others keep the track and see it muted."""
        track = self._tracks.get(source)
        if track is None:
            raise WrongStateError(f"{source.value} is not published")
        await self._need_media().carry(source, None if muted else track._outgoing)
        await self._ask({"type": "mute", "track": track.id, "muted": muted})
        track.muted = muted

    async def publish_again(self) -> None:
        """Announce everything on a new connection, of which the server knows nothing."""
        for track in list(self._tracks.values()):
            try:
                await self._announce(track)
            except DisconnectedError:
                return  # the next connection brings the next try
            except RequestRefusedError:
                self._drop(track)  # it is not allowed any more

    def ended(self, track_id: TrackId) -> None:
        """The server ended one of our tracks."""
        for track in [each for each in self._tracks.values() if each.id == track_id]:
            self._drop(track)

    def muted(self, track_id: TrackId, muted: bool) -> None:
        """A moderator muted one of our tracks."""
        for track in self._tracks.values():
            if track.id == track_id:
                track.muted = muted

    async def set_encodings(self, track_id: TrackId, encodings: Sequence[EncodingWanted]) -> None:
        """Send what the server has a use for."""
        for track in list(self._tracks.values()):
            if track.id == track_id:
                await self._need_media().set_encodings(track.source, encodings)

    def close(self) -> None:
        """End every track."""
        for track in list(self._tracks.values()):
            self._drop(track)

    async def _announce(self, track: LocalTrack) -> None:
        media = await self._carry(track)
        request = {"type": "publish", "mid": media.mid_of(track.source), "source": track.source.value}
        answer = await self._ask({**request, "muted": track.muted, **track._wishes})
        assert isinstance(answer, TrackChanged), f"publish was answered by {answer}"
        track.id = answer.track.id

    async def _carry(self, track: LocalTrack) -> Media:
        media = self._need_media()
        await media.carry(track.source, None if track.muted else track._outgoing)
        return media

    def _drop(self, track: LocalTrack) -> None:
        if self._tracks.get(track.source) is track:
            del self._tracks[track.source]
        track.ended = True
        track._outgoing.close()

    def _need_media(self) -> Media:
        media = self._media()
        if media is None:
            raise WrongStateError("this room was joined without media: Room(..., media=WebRtc())")
        return media
