"""What a test peer captures: a simulcast camera (or screen) and a microphone, as packets that are due."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from tests.support.peer_offer import CAMERA, ENCODINGS, MICROPHONE, Numbers
from tests.support.peer_packets import Mark, write_opus, write_vp8
from tests.support.peer_streams import OutgoingStream, Unit

VIDEO_CLOCK_HZ = 90_000
AUDIO_CLOCK_HZ = 48_000
HEIGHTS = {"q": 180, "h": 360, "f": 720, "": 720}
TEMPORAL_LAYERS = ((0, False), (2, True), (1, True), (2, False))
"""(temporal id, layer sync) of frame after frame: L1T3 as libvpx makes it."""
CATCH_UP_S = 0.5  # a source that is further behind lets frames go
VOICE_LEVEL = 30  # -dBov
SILENT_LEVEL = 127
VOICE_BIT = 0x80  # of a level (RFC 6464)


@dataclass(frozen=True, slots=True)
class Rates:
    """How much a peer sends."""

    frames_per_second: float = 10.0
    packets_per_frame: int = 1
    video_bytes: int = 60
    """Filler of each packet, behind the mark."""
    key_frame_every: int | None = None
    """Frames from one key frame to the next; None: only at the start and when asked."""
    audio_per_second: float = 5.0
    audio_bytes: int = 20
    audio_level: int = VOICE_LEVEL
    """In -dBov, at first."""


class Source(Protocol):
    """Something that makes packets as time goes on."""

    @property
    def streams(self) -> tuple[OutgoingStream, ...]: ...
    def due(self, now: float) -> Iterator[tuple[OutgoingStream, Unit]]:
        """Yield what is to be sent by now, in order."""

    def request_key_frame(self, ssrc: int) -> None: ...


@dataclass(slots=True)
class Schedule:
    """Moments at a fixed distance; those that are too long ago are passed over."""

    interval_s: float
    _next: float | None = None

    def pop(self, now: float) -> Iterator[float]:
        if self._next is None or now - self._next > CATCH_UP_S:
            self._next = now
        while self._next <= now:
            moment = self._next
            self._next += self.interval_s
            yield moment


@dataclass(slots=True)
class VideoEncoding:
    """One encoding's frames: picture ids, temporal layers, key frames."""

    stream: OutgoingStream
    room: str
    identity: str
    rid: str
    rates: Rates
    chance: random.Random
    frames: int = 0
    key_frames: int = 0
    wants_key_frame: bool = True
    _picture_id: int = field(init=False)
    _tl0: int = field(init=False)
    _step: int = 0

    def __post_init__(self) -> None:
        self._picture_id = self.chance.randrange(1 << 15)
        self._tl0 = self.chance.randrange(1 << 8)

    def frame(self, timestamp: int) -> Iterator[Unit]:
        """Yield the packets of the next frame."""
        every = self.rates.key_frame_every
        is_key = self.wants_key_frame or (every is not None and self.frames % every == 0)
        self.wants_key_frame = False
        if is_key:
            self._step = 0
            self.key_frames += 1
        temporal_id, layer_sync = TEMPORAL_LAYERS[self._step]
        self._step = (self._step + 1) % len(TEMPORAL_LAYERS)
        self._picture_id = (self._picture_id + 1) & 0x7FFF
        if temporal_id == 0:
            self._tl0 = (self._tl0 + 1) & 0xFF
        height = HEIGHTS[self.rid]
        payloads = write_vp8(
            Mark(self.room, self.identity, self.rid, self.frames),
            picture_id=self._picture_id,
            tl0=self._tl0,
            temporal_id=temporal_id,
            layer_sync=layer_sync,
            key_size=(height * 16 // 9, height) if is_key else None,
            packets=self.rates.packets_per_frame,
            filler_bytes=self.rates.video_bytes,
        )
        self.frames += 1
        for number, payload in enumerate(payloads, 1):
            yield Unit(payload, timestamp, marker=number == len(payloads))


class Camera:
    """Video with the encodings q, h and f, or with one alone (a screen)."""

    def __init__(
        self,
        room: str,
        identity: str,
        *,
        numbers: Numbers,
        rates: Rates,
        chance: random.Random,
        mid: str = CAMERA,
        rids: tuple[str, ...] = ENCODINGS,
    ) -> None:
        self._schedule = Schedule(1 / rates.frames_per_second)
        self.encodings: dict[int, VideoEncoding] = {}
        for rid in rids:
            stream = OutgoingStream(
                numbers.vp8,
                VIDEO_CLOCK_HZ,
                [(numbers.mid, mid.encode()), *([(numbers.rid, rid.encode())] if rid else [])],
                chance,
                rtx_payload_type=numbers.vp8_rtx,
                rtx_extensions=[
                    (numbers.mid, mid.encode()),
                    *([(numbers.repaired_rid, rid.encode())] if rid else []),
                ],
            )
            self.encodings[stream.ssrc] = VideoEncoding(stream, room, identity, rid, rates, chance)

    @property
    def streams(self) -> tuple[OutgoingStream, ...]:
        return tuple(encoding.stream for encoding in self.encodings.values())

    def due(self, now: float) -> Iterator[tuple[OutgoingStream, Unit]]:
        for moment in self._schedule.pop(now):
            for encoding in self.encodings.values():
                stream = encoding.stream
                for unit in encoding.frame(stream.timestamp(moment)):
                    yield stream, unit

    def request_key_frame(self, ssrc: int) -> None:
        if ssrc in self.encodings:
            self.encodings[ssrc].wants_key_frame = True


class Microphone:
    """Opus packets with an audio level."""

    def __init__(self, room: str, identity: str, *, numbers: Numbers, rates: Rates, chance: random.Random) -> None:
        self._room, self._identity, self._rates = room, identity, rates
        self._schedule = Schedule(1 / rates.audio_per_second)
        self._frames = 0
        self._numbers = numbers
        self._stream = OutgoingStream(numbers.opus, AUDIO_CLOCK_HZ, (), chance)
        self.speak(rates.audio_level)

    def speak(self, level: int = VOICE_LEVEL) -> None:
        """Be as loud as this from now on, in -dBov; SILENT_LEVEL is silence."""
        voice = VOICE_BIT if level < SILENT_LEVEL else 0
        levels = bytes([voice | level])
        self._stream.extensions = [(self._numbers.mid, MICROPHONE.encode()), (self._numbers.audio_level, levels)]

    @property
    def streams(self) -> tuple[OutgoingStream, ...]:
        return (self._stream,)

    def due(self, now: float) -> Iterator[tuple[OutgoingStream, Unit]]:
        for moment in self._schedule.pop(now):
            payload = write_opus(Mark(self._room, self._identity, "", self._frames), self._rates.audio_bytes)
            self._frames += 1
            yield self._stream, Unit(payload, self._stream.timestamp(moment), marker=False)

    def request_key_frame(self, ssrc: int) -> None:
        """Every packet of audio is one."""
