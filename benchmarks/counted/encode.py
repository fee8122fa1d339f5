"""Encodes counted pictures and sound with PyAV, in circles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import PictureType, VideoFrame

from benchmarks.counted.clip import KEY_FRAME_WAIT_S, Clip, Codec
from benchmarks.counted.mark import Mark
from benchmarks.counted.picture import draw, size_of
from benchmarks.counted.sound import SAMPLE_RATE_HZ, draw_sound

OPUS_FRAME_S: Final = 0.02
OPUS_FRAME_SAMPLES: Final = 960
OPUS_DELAY_SAMPLES: Final = 312  # what libopus adds before the sound at 48 kHz (RFC 7845 calls it pre-skip)
BUFFER_S: Final = 0.5  # of the rate control: how far a frame may borrow from those before
NEVER: Final = 1_000_000
_ENCODERS: Final = {Codec.VP8: "libvpx", Codec.H264: "libx264"}


def encode_video(
    codec: Codec, height: int, frames_per_second: int, bitrate_bps: int, seconds: int, participant: int
) -> Clip:
    """Return a clip with as many turns as its key frames must not keep one waiting. ValueError for sound."""
    if codec not in _ENCODERS:
        raise ValueError(f"{codec.value} is not video: expected VP8 or H264")
    count = frames_per_second * seconds
    pictures = [picture(Mark(participant, number), height) for number in range(count)]
    turns = max(1, round(seconds / KEY_FRAME_WAIT_S))
    key_at = [count * turn // turns for turn in range(turns)]
    encoded: list[list[bytes]] = []
    for first in key_at:
        turn = list(encode_pictures(codec, pictures[first:] + pictures[:first], frames_per_second, bitrate_bps))
        encoded.append(turn[count - first :] + turn[: count - first])
    return Clip(codec, height, 1 / frames_per_second, participant, key_at, encoded)


def encode_pictures(
    codec: Codec, pictures: Sequence[VideoFrame], frames_per_second: int, bitrate_bps: int
) -> Iterator[bytes]:
    """Yield a frame for each picture; only the first is a key frame."""
    encoder = av.CodecContext.create(_ENCODERS[codec], "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = pictures[0].width, pictures[0].height, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(frames_per_second), Fraction(1, frames_per_second)
    encoder.bit_rate, encoder.gop_size = bitrate_bps, NEVER
    encoder.options = _options(codec, bitrate_bps)
    encoder.thread_count = 1  # libvpx lets its threads spin, which takes the cores from all others
    for number, drawn in enumerate(pictures):
        drawn.pts, drawn.time_base = number, encoder.time_base
        drawn.pict_type = PictureType.NONE if number else PictureType.I
        yield from map(bytes, encoder.encode(drawn))
    yield from map(bytes, encoder.encode(None))


def encode_sound(bitrate_bps: int, seconds: int, participant: int) -> Clip:
    """Return a circle of Opus packets whose chirps come out of a decoder exactly at whole seconds."""
    circle = np.roll(draw_sound(participant, seconds), -OPUS_DELAY_SAMPLES)
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = SAMPLE_RATE_HZ, "mono", "s16"
    encoder.bit_rate = bitrate_bps
    encoder.options = {"frame_duration": "20", "application": "audio", "vbr": "constrained"}
    samples = np.round(np.tile(circle, 2) * 32767).astype(np.int16)  # the first round fills the encoder's memory
    packets: list[bytes] = []
    for start in range(0, len(samples), OPUS_FRAME_SAMPLES):
        frame = AudioFrame.from_ndarray(samples[None, start : start + OPUS_FRAME_SAMPLES], "s16", "mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, start
        packets += map(bytes, encoder.encode(frame))
    packets += map(bytes, encoder.encode(None))
    count = round(seconds / OPUS_FRAME_S)
    return Clip(Codec.OPUS, 0, OPUS_FRAME_S, participant, [0], [packets[count : 2 * count]])


def picture(mark: Mark, height: int) -> VideoFrame:
    """Return a counted picture for an encoder."""
    width, height = size_of(height)
    frame = VideoFrame(width, height, "yuv420p")
    for plane, drawn in zip(frame.planes, draw(mark, height), strict=True):
        lines = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        lines[:, : plane.width] = drawn
    return frame


def _options(codec: Codec, bitrate_bps: int) -> dict[str, str]:
    limits = {"maxrate": str(bitrate_bps), "bufsize": str(round(bitrate_bps * BUFFER_S))}
    if codec is Codec.VP8:
        return limits | {
            "minrate": str(bitrate_bps),
            "deadline": "realtime",
            "cpu-used": "12",  # half the time of 6; counters stay readable at 100 kbit/s
            "lag-in-frames": "0",
            "auto-alt-ref": "0",
            "error-resilient": "default",
        }
    return limits | {
        "preset": "veryfast",
        "tune": "zerolatency",
        "profile": "baseline",
        "x264-params": "scenecut=0:sliced-threads=0:rc-lookahead=0",
    }
