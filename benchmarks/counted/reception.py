"""From RTP packets to what was seen and heard: the analyser's end of a native viewer."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import av

from benchmarks.counted.analysis import HeardSecond, SeenFrame
from benchmarks.counted.clip import Codec
from benchmarks.counted.decode import PictureDecoder, mono_of
from benchmarks.counted.listening import ChirpSearch
from benchmarks.counted.payloads import join_payloads
from benchmarks.counted.picture import read
from benchmarks.counted.sound import SAMPLE_RATE_HZ
from media.native.payload import CODEC_H264, CODEC_VP8, Facts, inspect
from media.native.rtp import MalformedPacket

PATIENCE_S: Final = 1.0
"""How long a frame is waited for whose packets are not all there: retransmissions come within a round trip or two."""
PACKETS_MAX: Final = 4096
"""Waiting packets of a stream; beyond it the oldest frame is given up at once."""
_HALF: Final = 1 << 15
_TIMESTAMPS: Final = 1 << 32
_NATIVE: Final = {Codec.VP8: CODEC_VP8, Codec.H264: CODEC_H264}


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """What of a packet matters here."""

    sequence_number: int
    timestamp: int
    marker: bool
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Waiting:
    packet: RtpPacket
    came: float


class FrameAssembler:
    """Puts the packets of one stream into whole frames, in order of sequence numbers. Pure."""

    def __init__(self, codec: Codec) -> None:
        self.given_up = 0
        """Gaps that were not filled in time; frames that depend on what was lost are passed over up to a key frame."""
        self.skipped = 0
        """Whole frames that were passed over for want of a key frame."""
        self._codec = codec
        self._waiting: dict[int, _Waiting] = {}
        self._next: int | None = None
        self._highest = 0
        self._needs_key = True

    def receive(self, packet: RtpPacket, *, now: float) -> Iterator[bytes]:
        """Take a packet (a repeated one does no harm), yield the frames that are whole and can be decoded."""
        number = self._extend(packet.sequence_number)
        if self._next is None:
            self._next = number
        if number >= self._next:
            self._waiting.setdefault(number, _Waiting(packet, now))
        while self._waiting:
            frame = self._take_frame()
            if frame is not None:
                yield from self._decodable(frame)
            elif not self._give_up(now):
                return

    def _extend(self, sequence_number: int) -> int:
        """Return the number without its wraps, by its distance to the highest so far."""
        if self._next is None:
            self._highest = sequence_number + (1 << 16)
            return self._highest
        number = self._highest + (sequence_number - self._highest + _HALF) % (1 << 16) - _HALF
        self._highest = max(self._highest, number)
        return number

    def _take_frame(self) -> list[bytes] | None:
        """Return the payloads up to the next marker (Opus: the next packet), None if one is missing."""
        assert self._next is not None
        number = self._next
        payloads: list[bytes] = []
        while (waiting := self._waiting.get(number)) is not None:
            payloads.append(waiting.packet.payload)
            number += 1
            if waiting.packet.marker or self._codec is Codec.OPUS:
                for taken in range(self._next, number):
                    del self._waiting[taken]
                self._next = number
                return payloads
        return None

    def _give_up(self, now: float) -> bool:
        """Pass over the first gap if it was waited for long enough; return whether."""
        assert self._next is not None
        gap = self._next
        while gap in self._waiting:
            gap += 1
        behind = [number for number in self._waiting if number > gap]
        if not behind:
            return False
        first = min(behind)
        if now - self._waiting[first].came < PATIENCE_S and len(self._waiting) < PACKETS_MAX:
            return False
        self.given_up += 1
        self._needs_key = self._codec is not Codec.OPUS
        for number in range(self._next, gap):
            del self._waiting[number]
        while (waiting := self._waiting.get(first)) is not None and not self._starts_frame(waiting.packet.payload):
            del self._waiting[first]  # the rest of the frame in which the gap ends
            first += 1
        self._next = first
        return True

    def _starts_frame(self, payload: bytes) -> bool:
        facts = self._facts(payload)
        return self._codec is Codec.OPUS or (facts is not None and facts.frame_start)

    def _is_key(self, payload: bytes) -> bool:
        facts = self._facts(payload)
        return self._codec is Codec.OPUS or (facts is not None and facts.key_frame)

    def _facts(self, payload: bytes) -> Facts | None:
        """Return what the payload's first bytes say; None if they are damaged, or of sound."""
        if self._codec is Codec.OPUS:
            return None
        try:
            return inspect(_NATIVE[self._codec], payload)
        except MalformedPacket:
            return None

    def _decodable(self, payloads: list[bytes]) -> Iterator[bytes]:
        if self._needs_key and not self._is_key(payloads[0]):
            self.skipped += 1
            return
        self._needs_key = False
        yield join_payloads(self._codec, payloads)


class PictureReception:
    """A native viewer's picture: RTP packets of one stream in, counted frames with their times out."""

    def __init__(self, codec: Codec) -> None:
        """Missing PyAV: ImportError; ask `needs.need` first."""
        self.frames: list[SeenFrame] = []
        self.assembler = FrameAssembler(codec)
        self.malformed = 0
        """Payloads that are none of the codec."""
        self._decoder = PictureDecoder(codec)

    def receive(self, packet: RtpPacket, *, now: float) -> None:
        """Take a packet; a frame's time is that of the packet that made it whole."""
        try:
            for frame in self.assembler.receive(packet, now=now):
                self.frames += [SeenFrame(now, read(luma)) for luma in self._decoder.decode(frame)]
        except ValueError:
            self.malformed += 1


class SoundReception:
    """A native viewer's sound: Opus packets in, whole seconds that were heard out."""

    def __init__(self) -> None:
        self._packets: dict[int, bytes] = {}
        self._ahead_s: list[float] = []
        self._highest: int | None = None

    def receive(self, packet: RtpPacket, *, now: float) -> None:
        """Take a packet; repeated ones do no harm, those that never come are silence."""
        if self._highest is None:
            self._highest = packet.timestamp + _TIMESTAMPS
        distance = (packet.timestamp - self._highest + _TIMESTAMPS // 2) % _TIMESTAMPS - _TIMESTAMPS // 2
        media_time = self._highest + distance
        self._highest = max(self._highest, media_time)
        if media_time not in self._packets:
            self._packets[media_time] = packet.payload
            self._ahead_s.append(now - media_time / SAMPLE_RATE_HZ)

    def heard(self, participant: int) -> list[HeardSecond]:
        """Return the seconds, at the times at which packets came on the whole: jitter of single ones is evened out."""
        search = ChirpSearch(participant)
        began_s = statistics.median(self._ahead_s) if self._ahead_s else 0.0
        decoder = av.CodecContext.create("opus", "r")
        assert isinstance(decoder, av.AudioCodecContext)
        for media_time in sorted(self._packets):
            try:
                pieces = [samples for _, samples in mono_of(decoder.decode(av.Packet(self._packets[media_time])))]
            except av.FFmpegError:
                continue
            at_s = began_s + media_time / SAMPLE_RATE_HZ
            for samples in pieces:
                search.take(at_s, samples)
                at_s += len(samples) / SAMPLE_RATE_HZ
        return search.finish()
