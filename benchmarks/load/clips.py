"""Real encoded media as the native sender takes them: cut into payloads, with room for a stamp at each frame's end.

The stamp hurts no decoder: behind a VP8 frame nobody reads, Opus has padding (RFC 6716 section 3.2.5), and H.264 has
filler units.
"""

from __future__ import annotations

import enum
import functools
from typing import Final

from benchmarks.counted.clip import SIMULCAST, Clip, Codec, load_clip, load_sound
from benchmarks.counted.payloads import Packetiser
from media.native.load_plane import LoadFrames
from media.native.payload import CODEC_H264, CODEC_OPUS, CODEC_VP8

STAMP_BYTES: Final = 16
"""STAMP_BYTES of `media/native/load_peer.pxd`."""
FRAMES_PER_SECOND: Final = 30
FILLER_UNIT: Final = 12
_OPUS_ONE_FRAME: Final = 0
_OPUS_COUNTED: Final = 3
_ONE_FRAME_WITH_PADDING: Final = 0x41
NATIVE_CODECS: Final = {Codec.VP8: CODEC_VP8, Codec.H264: CODEC_H264, Codec.OPUS: CODEC_OPUS}


class Layers(enum.Enum):
    """What a publisher's camera sends."""

    SIMULCAST = "simulcast"
    SINGLE = "single"


def stamped_payloads(packetiser: Packetiser, codec: Codec, frame: bytes) -> list[bytes]:
    """Return the payloads of a frame with STAMP_BYTES at their end that may be overwritten.

    They are cut as a camera's encoder would cut a frame of that size: none is longer than the others because of it.
    """
    stamp = bytes(STAMP_BYTES)
    match codec:
        case Codec.VP8:
            return packetiser.payloads(frame + stamp)
        case Codec.H264:
            return [*packetiser.payloads(frame), bytes([FILLER_UNIT]) + stamp]
        case Codec.OPUS:
            (packet,) = packetiser.payloads(frame)
            if packet[0] & 3 != _OPUS_ONE_FRAME:
                raise ValueError(f"an Opus packet of code {packet[0] & 3}, expected one frame (code 0)")
            head = bytes([packet[0] | _OPUS_COUNTED, _ONE_FRAME_WITH_PADDING, STAMP_BYTES])
            return [head + packet[1:] + stamp]


def native_frames(clip: Clip) -> LoadFrames:
    """Return a clip in native memory."""
    turns = []
    for turn in clip.turns:
        packetiser = Packetiser(clip.codec)
        turns.append([stamped_payloads(packetiser, clip.codec, frame) for frame in turn])
    frame_ns = round(clip.frame_s * 1e9)
    return LoadFrames(NATIVE_CODECS[clip.codec], frame_ns, clip.frame_ticks, clip.key_at, turns)


@functools.cache
def sound_frames() -> LoadFrames:
    """Return the voice of all publishers; Missing if it must be made and PyAV is not there."""
    return native_frames(load_sound())


@functools.cache
def video_frames(codec: Codec, rid: str, bitrate_bps: int | None = None) -> LoadFrames:
    """Return the pictures of an encoding, of all publishers alike: q, h or f, and another bitrate if one is given."""
    height, usual_bps = SIMULCAST[rid]
    return native_frames(
        load_clip(codec, height=height, frames_per_second=FRAMES_PER_SECOND, bitrate_bps=bitrate_bps or usual_bps)
    )


def prepare(*codecs: Codec) -> None:
    """Encode what cameras send beforehand: while one joins it would hold up all others."""
    sound_frames()
    for codec in codecs:
        for rid in SIMULCAST:
            video_frames(codec, rid)
