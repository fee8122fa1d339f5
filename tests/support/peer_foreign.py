"""A participant on libwebrtc (the `wrtc` package): real encoders, decoders, congestion control, and no code of ours."""

from __future__ import annotations

import array
import asyncio
import contextlib
import itertools
import math
import os
import statistics
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

os.environ["WRTC_ALLOW_LOOPBACK"] = "1"  # read at its import: without it there are no candidates of 127.0.0.1
import webrtc

from tests.support.peer_signal import Message, PeerSignal

WIDTH, HEIGHT = 960, 540  # the least that libwebrtc sends in three encodings
FRAMES_PER_SECOND = 15
SAMPLE_RATE_HZ = 48_000
CHUNK_SAMPLES = SAMPLE_RATE_HZ // 100  # 10 ms, as libwebrtc takes it
AMPLITUDE = 12_000
CONNECT_TIMEOUT_S = 20.0
ENCODINGS = (("q", 4.0, 100_000), ("h", 2.0, 300_000), ("f", 1.0, 800_000))
"""rid, by how much smaller, at most so many bit/s."""


@dataclass(frozen=True, slots=True)
class Look:
    """By what one publisher is told from another: how bright the picture is, how high the tone."""

    luma: int
    tone_hz: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One decoded frame."""

    width: int
    luma: float


@dataclass(frozen=True, slots=True)
class Sound:
    """10 ms of decoded sound."""

    loudness: float
    """Root mean square of the samples."""
    tone_hz: float
    """By its zero crossings."""


class ForeignPeer:
    """Joins with a microphone, a simulcast camera, and one slot for each."""

    def __init__(self, room: str, identity: str, look: Look) -> None:
        self.room, self.identity, self.look = room, identity, look
        self.slots: dict[str, Message] = {}
        """The newest entry of `slots` messages by mid."""
        self.seen: list[Seen] = []
        self.heard: list[Sound] = []
        self._connection = webrtc.RTCPeerConnection()
        self._camera = webrtc.MediaStreamTrackGenerator("video")
        self._microphone = webrtc.MediaStreamTrackGenerator("audio")
        self._signal: PeerSignal | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def join(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        """Offer, join, and wait until media can flow."""
        connection = self._connection
        encodings = [
            webrtc.RTCRtpEncodingParameters(rid=rid, scale_resolution_down_by=scale, max_bitrate=bitrate)
            for rid, scale, bitrate in ENCODINGS
        ]
        connection.add_transceiver(self._microphone, webrtc.RTCRtpTransceiverInit(direction="sendonly"))
        connection.add_transceiver(
            self._camera, webrtc.RTCRtpTransceiverInit(direction="sendonly", send_encodings=encodings)
        )
        receiving = webrtc.RTCRtpTransceiverInit(direction="recvonly")
        slots = {kind: connection.add_transceiver(kind, receiving) for kind in ("audio", "video")}
        await connection.set_local_description(await connection.create_offer())
        assert connection.local_description is not None
        self._signal = await PeerSignal.open(http, url, self.room, token, self._hear)
        wanted = [{"mid": transceiver.mid, "kind": kind} for kind, transceiver in slots.items()]
        joined = await self._signal.ask({"type": "join", "offer": connection.local_description.sdp, "slots": wanted})
        await connection.set_remote_description(webrtc.RTCSessionDescriptionInit(type="answer", sdp=joined["answer"]))
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            while connection.connection_state != "connected":
                await asyncio.sleep(0.02)
        self._start(self._watch(slots["video"].receiver.track))
        self._start(self._listen(slots["audio"].receiver.track))

    async def publish(self) -> None:
        """Begin to send a grey picture and a tone."""
        assert self._signal is not None
        microphone, camera = self._connection.get_transceivers()[:2]
        self._start(self._show())
        self._start(self._hum())
        await self._signal.ask({"type": "publish", "mid": microphone.mid, "source": "microphone"})
        size = {"width": WIDTH, "height": HEIGHT}
        await self._signal.ask({"type": "publish", "mid": camera.mid, "source": "camera", **size})

    async def view(self, height: int) -> None:
        """Say how high the picture is drawn."""
        assert self._signal is not None
        mid = self._connection.get_transceivers()[3].mid
        await self._signal.ask({"type": "view", "slots": [{"mid": mid, "height": height}]})

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._signal is not None:
            await self._signal.close()
        self._connection.close()

    async def stats(self, kind: str) -> list[Any]:
        """Return the reports of a type, e.g. "inbound-rtp"."""
        return [report for report in (await self._connection.get_stats()).values() if report.type == kind]

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    def _hear(self, message: Message) -> None:
        if message["type"] == "slots":
            self.slots |= {entry["mid"]: entry for entry in message["slots"]}

    async def _show(self) -> None:
        writer = self._camera.writable.get_writer()
        chroma = bytes([128]) * (WIDTH * HEIGHT // 2)
        async for number in ticks(1 / FRAMES_PER_SECOND):
            stripe = bytes([(self.look.luma + number) % 256]) * WIDTH  # something moves: an encoder may skip a still
            picture = stripe * 2 + bytes([self.look.luma]) * (WIDTH * (HEIGHT - 2)) + chroma
            init = webrtc.VideoFrameBufferInit(
                format="I420",
                coded_width=WIDTH,
                coded_height=HEIGHT,
                timestamp=number * 1_000_000 // FRAMES_PER_SECOND,
            )
            await writer.write(webrtc.VideoFrame(picture, init))

    async def _hum(self) -> None:
        writer = self._microphone.writable.get_writer()
        async for number in ticks(CHUNK_SAMPLES / SAMPLE_RATE_HZ):
            angle = 2 * math.pi * self.look.tone_hz / SAMPLE_RATE_HZ
            first = number * CHUNK_SAMPLES
            samples = array.array(
                "h", (round(AMPLITUDE * math.sin(angle * at)) for at in range(first, first + CHUNK_SAMPLES))
            )
            init = webrtc.AudioDataInit(
                format="s16",
                sample_rate=SAMPLE_RATE_HZ,
                number_of_frames=CHUNK_SAMPLES,
                number_of_channels=1,
                timestamp=number * 10_000,
                data=samples.tobytes(),
            )
            await writer.write(webrtc.AudioData(init))

    async def _watch(self, track: webrtc.MediaStreamTrack) -> None:
        processor = webrtc.MediaStreamTrackProcessor(webrtc.MediaStreamTrackProcessorInit(track, 30))
        async for frame in processor.readable:
            assert isinstance(frame, webrtc.VideoFrame)
            buffer = bytearray(frame.allocation_size())
            await frame.copy_to(buffer)
            width, height = frame.coded_width, frame.coded_height
            middle = buffer[width * (height // 2) : width * (height // 2 + 1)]
            self.seen.append(Seen(width, statistics.fmean(middle)))
            frame.close()

    async def _listen(self, track: webrtc.MediaStreamTrack) -> None:
        processor = webrtc.MediaStreamTrackProcessor(webrtc.MediaStreamTrackProcessorInit(track, 100))
        async for chunk in processor.readable:
            assert isinstance(chunk, webrtc.AudioData)
            options = webrtc.AudioDataCopyToOptions(plane_index=0, format="s16")
            buffer = bytearray(chunk.allocation_size(options))
            chunk.copy_to(buffer, options)
            samples = array.array("h", bytes(buffer))[:: chunk.number_of_channels]
            loudness = math.sqrt(statistics.fmean(sample * sample for sample in samples))
            crossings = sum((one < 0) != (two < 0) for one, two in itertools.pairwise(samples))
            self.heard.append(Sound(loudness, crossings / 2 * chunk.sample_rate / len(samples)))
            chunk.close()


@asynccontextmanager
async def running_libwebrtc() -> AsyncIterator[None]:
    """Keep the threads of the library, which it starts with the first connection and ends with the last."""
    connection = webrtc.RTCPeerConnection()
    connection.add_transceiver("audio")
    await connection.set_local_description(await connection.create_offer())
    await asyncio.sleep(0.2)
    try:
        yield
    finally:
        connection.close()


async def ticks(interval_s: float) -> AsyncIterator[int]:
    """Count on, in time; what is late comes at once."""
    started = time.monotonic()
    for number in itertools.count():
        await asyncio.sleep(max(started + number * interval_s - time.monotonic(), 0))
        yield number
