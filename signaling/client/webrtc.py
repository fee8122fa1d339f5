"""Media by libwebrtc (the `wrtc` package): real encoders, decoders and congestion control, as a browser has them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from signaling.client.frames import AudioOutgoing, VideoOutgoing, read_audio, read_video
from signaling.client.media import Frame, Media, MediaState, Outgoing, SlotSection
from signaling.client.silence import Silence
from signaling.identifiers import SlotKind, Source
from signaling.server_messages import EncodingWanted

try:
    import webrtc
except ImportError as error:  # pragma: no cover - the message is what counts
    raise ImportError("media needs libwebrtc and numpy: pip install 'halqa[bots]'") from error

CAMERA_ENCODINGS: Final = (("q", 4.0, 150_000), ("h", 2.0, 500_000), ("f", 1.0, 1_500_000))
"""rid, by how much smaller, at most so many bit/s; the lowest first, as the browser SDK has them."""

SCREEN_BITRATE_BPS: Final = 2_500_000
VIDEO_FRAMES_WAITING_MAX: Final = 3
AUDIO_FRAMES_WAITING_MAX: Final = 50
"""Half a second: a program may be busy for a moment without losing a word."""

LOOKS_PER_SILENCE: Final = 3

_SENT: Final = (Source.MICROPHONE, Source.CAMERA, Source.SCREEN, Source.SCREEN_AUDIO)
_STATES: Final = {
    "connected": MediaState.CONNECTED,
    "disconnected": MediaState.INTERRUPTED,
    "failed": MediaState.FAILED,
    "closed": MediaState.CLOSED,
}


@dataclass(frozen=True, slots=True)
class WebRtc:
    """How to make PeerConnections; give it to `Room(media=...)`."""

    audio_slots: int = 4
    """Three loudest speakers and a pinned teacher."""
    video_slots: int = 9
    screen_slots: int = 1
    simulcast: bool = True
    """Whether the camera is sent in three sizes."""
    silence_s: float | None = 0.4
    """When nothing comes for so long where much came before, another path is looked for (None: never). libwebrtc checks
    a good path every 2.5 s only, so that a NAT with a new mapping would cost as much. A teacher who mutes sounds the
    same; looking costs one offer then."""
    edit_answer: Callable[[str], str] = field(default=lambda sdp: sdp)
    """Changes every answer of the server before it is applied, e.g. to go through a relay."""

    def __call__(self) -> Media:
        return WebRtcMedia(self)


class WebRtcMedia:
    """One RTCPeerConnection of libwebrtc; see `media.Media` for what its methods mean."""

    def __init__(self, options: WebRtc) -> None:
        with contextlib.suppress(webrtc.InvalidStateError):  # decided already, with the first connection
            webrtc.allow_loopback()  # else there is no way to a server on the same machine
        self._options = options
        self._changed: Callable[[MediaState], None] = lambda _state: None
        self._silent: Callable[[], None] = lambda: None
        self._ear: asyncio.Task[None] | None = None
        self._peer = webrtc.RTCPeerConnection(webrtc.RTCConfiguration(bundle_policy="max-bundle"))
        self._peer.on("connectionstatechange", lambda _event: self._changed(self.state))
        self._sending = {source: self._send(source) for source in _SENT}
        counts = {
            SlotKind.AUDIO: options.audio_slots,
            SlotKind.VIDEO: options.video_slots,
            SlotKind.SCREEN: options.screen_slots,
        }
        self._receiving = [(kind, self._receive(kind)) for kind, count in counts.items() for _ in range(count)]
        self._negotiating = False

    @property
    def state(self) -> MediaState:
        return _STATES.get(str(self._peer.connection_state), MediaState.NEW)

    @property
    def negotiating(self) -> bool:
        return self._negotiating

    @property
    def slots(self) -> Sequence[SlotSection]:
        return [SlotSection(transceiver.mid or "", kind) for kind, transceiver in self._receiving]

    def watch(self, changed: Callable[[MediaState], None], silent: Callable[[], None]) -> None:
        self._changed, self._silent = changed, silent

    async def offer(self, *, restart_ice: bool = False) -> str:
        self._negotiating = True
        options = webrtc.RTCOfferOptions(ice_restart=restart_ice)
        await self._peer.set_local_description(await self._peer.create_offer(options))
        assert self._peer.local_description is not None
        return str(self._peer.local_description.sdp)

    async def accept(self, answer: str) -> None:
        sdp = self._options.edit_answer(answer)
        await self._peer.set_remote_description(webrtc.RTCSessionDescriptionInit(type="answer", sdp=sdp))
        self._negotiating = False
        if self._ear is None and self._options.silence_s is not None and self._receiving:
            self._ear = asyncio.create_task(self._listen(self._options.silence_s), name="halqa silence")

    def mid_of(self, source: Source) -> str:
        return self._sending[source].mid or ""

    def make_outgoing(self, source: Source) -> Outgoing:
        return VideoOutgoing() if source.kind.value == "video" else AudioOutgoing()

    async def carry(self, source: Source, outgoing: Outgoing | None) -> None:
        if outgoing is not None and not isinstance(outgoing, VideoOutgoing | AudioOutgoing):
            raise TypeError(f"{source.value} cannot carry {type(outgoing).__name__}: make it with make_outgoing")
        await self._sending[source].sender.replace_track(None if outgoing is None else outgoing.track)

    async def set_encodings(self, source: Source, encodings: Sequence[EncodingWanted]) -> None:
        sender = self._sending[source].sender
        parameters = sender.get_parameters()
        wishes: dict[str | None, EncodingWanted] = {wish.rid: wish for wish in encodings}
        for encoding in parameters.encodings:
            wish = wishes.get(encoding.rid or None)
            if wish is not None:
                encoding.active = wish.active
                encoding.max_bitrate = wish.max_bitrate_bps
        await sender.set_parameters(parameters)

    async def frames(self, mid: str) -> AsyncIterator[Frame]:
        kind, transceiver = next(each for each in self._receiving if each[1].mid == mid)
        is_audio = kind is SlotKind.AUDIO
        waiting_max = AUDIO_FRAMES_WAITING_MAX if is_audio else VIDEO_FRAMES_WAITING_MAX
        processor = webrtc.MediaStreamTrackProcessor(
            webrtc.MediaStreamTrackProcessorInit(transceiver.receiver.track, waiting_max)
        )
        async for chunk in processor.readable:
            with contextlib.closing(chunk):
                frame = await read_video(chunk) if isinstance(chunk, webrtc.VideoFrame) else read_audio(chunk)
            yield frame

    async def close(self) -> None:
        self._changed = lambda _state: None
        if self._ear is not None:
            self._ear.cancel()
            await asyncio.wait({self._ear})
        self._peer.close()

    async def _listen(self, silence_s: float) -> None:
        """Notice when packets stop to come; half the time between two looks is lost on average."""
        interval_s = silence_s / LOOKS_PER_SILENCE
        silence = Silence(LOOKS_PER_SILENCE)
        receiver = self._receiving[0][1].receiver
        while True:
            await asyncio.sleep(interval_s)
            reports = (await receiver.get_stats()).values()  # of one receiver: a tenth of what all of them cost
            transports = (each for each in reports if isinstance(each, webrtc.RTCTransportStats))
            received = sum(each.packets_received or 0 for each in transports)
            if silence.look(received) and self.state is MediaState.CONNECTED:
                self._silent()

    def _send(self, source: Source) -> webrtc.RTCRtpTransceiver:
        encodings: list[webrtc.RTCRtpEncodingParameters] = []
        if source is Source.CAMERA and self._options.simulcast:
            encodings = [
                webrtc.RTCRtpEncodingParameters(rid=rid, scale_resolution_down_by=scale, max_bitrate=bitrate)
                for rid, scale, bitrate in CAMERA_ENCODINGS
            ]
        elif source is Source.SCREEN:
            encodings = [webrtc.RTCRtpEncodingParameters(max_bitrate=SCREEN_BITRATE_BPS)]
        init = webrtc.RTCRtpTransceiverInit(direction="sendonly", send_encodings=encodings)
        return self._peer.add_transceiver("audio" if source.kind.value == "audio" else "video", init)

    def _receive(self, kind: SlotKind) -> webrtc.RTCRtpTransceiver:
        receiving = webrtc.RTCRtpTransceiverInit(direction="recvonly")
        return self._peer.add_transceiver("audio" if kind is SlotKind.AUDIO else "video", receiving)
