"""Playing a file into a room: pictures and sound at the pace of the file."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from signaling.client.media import SAMPLE_RATE_HZ
from signaling.identifiers import Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from signaling.client.publishing import LocalTrack
    from signaling.client.room import Room


async def play_file(room: Room, path: Path | str, *, times: int = 1) -> None:
    """Publish the first video stream of a file as camera and its first audio stream as microphone, and play it.

    Returns at the end, with both unpublished. Raises OSError or ValueError for a file that cannot be played.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="halqa file") as thread:
        streams = await asyncio.get_running_loop().run_in_executor(thread, _look_at, Path(path))
    tracks: dict[Source, LocalTrack] = {}
    try:
        if streams.size is not None:
            tracks[Source.CAMERA] = await room.publish_camera(*streams.size)
        if streams.has_audio:
            tracks[Source.MICROPHONE] = await room.publish_microphone()
        for _ in range(times):
            async with asyncio.TaskGroup() as tasks:
                for source, track in tracks.items():
                    play = _show if source is Source.CAMERA else _sound
                    tasks.create_task(play(Path(path), track))
    finally:
        for source in tracks:
            with contextlib.suppress(Exception):  # the room may be closed: then nothing is published
                await room.unpublish(source)


@dataclass(frozen=True, slots=True)
class _Streams:
    size: tuple[int, int] | None
    has_audio: bool


def _look_at(path: Path) -> _Streams:
    try:
        with av.open(str(path)) as container:
            video = next(iter(container.streams.video), None)
            streams = _Streams(None if video is None else (video.width, video.height), bool(container.streams.audio))
    except av.error.InvalidDataError as error:
        raise ValueError(f"{path} is no media file: {error}") from error
    if streams.size is None and not streams.has_audio:
        raise ValueError(f"{path} has neither video nor audio")
    return streams


async def _show(path: Path, track: LocalTrack) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    async for due_s, picture in _decoded(path, "video"):
        await asyncio.sleep(max(started + due_s - loop.time(), 0))
        await track.send(picture)


async def _sound(path: Path, track: LocalTrack) -> None:
    async for _, samples in _decoded(path, "audio"):
        await track.send(samples)


async def _decoded(path: Path, kind: str) -> AsyncIterator[tuple[float, NDArray[np.generic]]]:
    """Decode in a thread, one frame at a time: decoders hold the event loop up for milliseconds."""
    frames = _frames(path, kind)
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="halqa file") as thread, contextlib.closing(frames):
        while (frame := await loop.run_in_executor(thread, next, frames, None)) is not None:
            yield frame


def _frames(path: Path, kind: str) -> Generator[tuple[float, NDArray[np.generic]], None, None]:
    """Decode: when each frame is due, in seconds from the first, and the picture or the samples."""
    with av.open(str(path)) as container:
        first: float | None = None
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        stream = container.streams.video[0] if kind == "video" else container.streams.audio[0]
        for frame in container.decode(stream):
            if not isinstance(frame, av.VideoFrame | av.AudioFrame):
                continue
            time_s = frame.time or 0.0
            first = time_s if first is None else first
            if isinstance(frame, av.VideoFrame):
                yield time_s - first, frame.to_ndarray(format="rgb24")
            else:
                for part in resampler.resample(frame):
                    yield time_s - first, part.to_ndarray().reshape(-1)
