"""Decodes frames and sound with PyAV into what the readers of marks and chirps take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.video.frame import VideoFrame

from benchmarks.counted.clip import Codec
from benchmarks.counted.picture import Plane
from benchmarks.counted.sound import SAMPLE_RATE_HZ, Samples

_DECODERS: Final = {Codec.VP8: "vp8", Codec.H264: "h264"}


class PictureDecoder:
    """Decodes the frames of one encoding, as a native viewer gets them."""

    def __init__(self, codec: Codec) -> None:
        decoder = av.CodecContext.create(_DECODERS[codec], "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.thread_count = 1  # frames come out at once, in order
        self._decoder = decoder
        self.failures = 0

    def decode(self, frame: bytes) -> Iterator[Plane]:
        """Yield the luma of each picture that comes out; what cannot be decoded is counted in `failures`."""
        try:
            pictures = self._decoder.decode(av.Packet(frame))
        except av.FFmpegError:
            self.failures += 1
            return
        for picture in pictures:
            yield luma_of(picture)


def luma_of(picture: VideoFrame) -> Plane:
    """Return brightness, 8 bits a pixel, of a picture in any format."""
    if picture.format.name not in {"yuv420p", "yuvj420p", "nv12", "gray"}:
        picture = picture.reformat(format="gray")
    plane = picture.planes[0]
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return lines[: picture.height, : picture.width]


def mono_of(frames: Iterable[AudioFrame]) -> Iterator[tuple[float, Samples]]:
    """Yield (time in seconds, 48 kHz mono sound) of decoded sound in any format."""
    resampler = AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    for frame in frames:
        for one in resampler.resample(frame):
            at_s = 0.0 if one.time is None else float(one.time)
            yield at_s, one.to_ndarray()[0].astype(np.float32)
