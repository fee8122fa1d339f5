"""Pictures and sound between numpy arrays and libwebrtc."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Final

import numpy as np
import webrtc
from numpy.typing import NDArray

from signaling.client.errors import WrongStateError
from signaling.client.media import SAMPLE_RATE_HZ, AudioFrame, VideoFrame

CHUNK_SAMPLES: Final = SAMPLE_RATE_HZ // 100
"""10 ms, as libwebrtc takes sound."""

LATE_MAX_S: Final = 0.5
"""Sound that is written later than this after the last went out begins a new clock, instead of a burst."""


class VideoOutgoing:
    """A track of pictures; see `media.Outgoing`."""

    def __init__(self) -> None:
        self.track = webrtc.MediaStreamTrackGenerator("video")
        self._writer = self.track.writable.get_writer()
        self._closed = False

    async def send(self, frame: NDArray[np.generic]) -> None:
        """Send one picture, now; raises ValueError for what is none."""
        if self._closed:
            raise WrongStateError("the track has ended")
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise ValueError(f"picture is {frame.dtype} {frame.shape}, expected uint8 (height, width, 3)")
        height, width = frame.shape[0] & ~1, frame.shape[1] & ~1  # chroma is halved
        padded = np.full((height, width, 4), 255, np.uint8)
        padded[:, :, :3] = frame[:height, :width]
        init = webrtc.VideoFrameBufferInit(
            format="RGBX", coded_width=width, coded_height=height, timestamp=time.monotonic_ns() // 1000
        )
        await self._writer.write(webrtc.VideoFrame(padded.tobytes(), init))

    def close(self) -> None:
        """End the track."""
        self._closed = True
        self.track.stop()


class AudioOutgoing:
    """A track of sound; see `media.Outgoing`."""

    def __init__(self) -> None:
        self.track = webrtc.MediaStreamTrackGenerator("audio")
        self._writer = self.track.writable.get_writer()
        self._rest = np.zeros((0, 1), np.int16)
        self._due = -LATE_MAX_S
        self._closed = False

    async def send(self, frame: NDArray[np.generic]) -> None:
        """Play these samples of 48 kHz after those before; returns when the next are due. Raises ValueError."""
        samples = _as_samples(frame)
        if samples.shape[1] == self._rest.shape[1]:
            samples = np.concatenate([self._rest, samples])
        for first in itertools.count(0, CHUNK_SAMPLES):
            chunk = samples[first : first + CHUNK_SAMPLES]
            if len(chunk) < CHUNK_SAMPLES:
                self._rest = chunk
                return
            await self._play(chunk)

    def close(self) -> None:
        """End the track."""
        self._closed = True
        self.track.stop()

    async def _play(self, chunk: NDArray[np.int16]) -> None:
        if self._closed:
            raise WrongStateError("the track has ended")
        now = time.monotonic()
        if now - self._due > LATE_MAX_S:
            self._due = now
        init = webrtc.AudioDataInit(
            format="s16",
            sample_rate=SAMPLE_RATE_HZ,
            number_of_frames=CHUNK_SAMPLES,
            number_of_channels=chunk.shape[1],
            timestamp=round(self._due * 1_000_000),
            data=chunk.tobytes(),
        )
        await self._writer.write(webrtc.AudioData(init))
        self._due += CHUNK_SAMPLES / SAMPLE_RATE_HZ
        await asyncio.sleep(max(self._due - now, 0))


async def read_video(frame: webrtc.VideoFrame) -> VideoFrame:
    """Return a decoded picture as an array."""
    options = webrtc.VideoFrameCopyToOptions(format="RGBX")
    buffer = bytearray(frame.allocation_size(options))
    await frame.copy_to(buffer, options)
    visible = frame.visible_rect
    assert visible is not None
    pixels = np.frombuffer(buffer, np.uint8).reshape(round(visible.height), round(visible.width), 4)
    return VideoFrame(pixels[:, :, :3], frame.timestamp)


def read_audio(chunk: webrtc.AudioData) -> AudioFrame:
    """Return decoded sound as an array."""
    options = webrtc.AudioDataCopyToOptions(plane_index=0, format="s16")
    buffer = bytearray(chunk.allocation_size(options))
    chunk.copy_to(buffer, options)
    samples = np.frombuffer(buffer, np.int16).reshape(-1, chunk.number_of_channels)
    return AudioFrame(samples, round(chunk.sample_rate), chunk.timestamp)


def _as_samples(frame: NDArray[np.generic]) -> NDArray[np.int16]:
    samples = frame.reshape(-1, 1) if frame.ndim == 1 else frame
    if samples.ndim != 2 or samples.shape[1] not in (1, 2):
        raise ValueError(f"sound is {frame.shape}, expected (samples,) or (samples, 1 or 2 channels)")
    if np.issubdtype(samples.dtype, np.floating):
        return np.round(np.clip(samples.astype(np.float64), -1, 1) * 32767).astype(np.int16)
    if samples.dtype != np.int16:
        raise ValueError(f"sound is {frame.dtype}, expected int16, or float from -1 to 1")
    return np.asarray(samples, np.int16)
