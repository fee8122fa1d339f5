"""Reads a recorded file with PyAV: marks of its pictures, chirps of its sound, each with its time in the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import av
from av.container import InputContainer

from benchmarks.counted.analysis import HeardSecond, SeenFrame, main_participant
from benchmarks.counted.decode import luma_of, mono_of
from benchmarks.counted.likeness import likeness_to_source
from benchmarks.counted.listening import ChirpSearch
from benchmarks.counted.picture import read


class UnreadableRecording(ValueError):
    """The file is none that can be analysed: the message says why."""


@dataclass(slots=True)
class Recording:
    """What a file shows and plays."""

    frames: list[SeenFrame] = field(default_factory=list)
    heard: list[HeardSecond] = field(default_factory=list)
    participant: int | None = None
    picture_size: tuple[int, int] | None = None
    sound_s: float = 0.0
    problem: str | None = None
    """Why reading ended before the end of the file, if it did."""


class Region(NamedTuple):
    """A part of the picture, in pixels from its top left: one person's tile of a composite."""

    left: int
    top: int
    width: int
    height: int


def read_recording(
    path: Path, *, participant: int | None = None, likeness_every: int = 0, region: Region | None = None
) -> Recording:
    """Decode a file: first its pictures, then its sound. UnreadableRecording; OSError.

    `participant`: whose sound to search, else whose pictures it mostly has; `likeness_every`: compute SSIM for each
    so-many-th picture, 0 for none; `region`: where in the picture to look, None for all of it.
    """
    recording = Recording()
    with _open(path) as container:
        if not container.streams.video and not container.streams.audio:
            raise UnreadableRecording(f"{path} has neither picture nor sound")
        if container.streams.video:
            _read_pictures(container, recording, likeness_every, region)
    recording.participant = main_participant(recording.frames) if participant is None else participant
    with _open(path) as container:
        if container.streams.audio:
            _read_sound(container, recording)
    return recording


def _open(path: Path) -> InputContainer:
    path.open("rb").close()  # for the plain error that says what is wrong with the path
    try:
        return av.open(str(path), "r")
    except av.FFmpegError as error:
        raise UnreadableRecording(f"{path} is no recording that FFmpeg can read: {error.strerror}") from None


def _read_pictures(container: InputContainer, recording: Recording, likeness_every: int, region: Region | None) -> None:
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    try:
        for picture in container.decode(stream):
            recording.picture_size = picture.width, picture.height
            luma = luma_of(picture)
            if region is not None:
                luma = luma[region.top : region.top + region.height, region.left : region.left + region.width]
            mark = read(luma)
            wanted = mark is not None and likeness_every and len(recording.frames) % likeness_every == 0
            likeness = likeness_to_source(luma, mark) if mark is not None and wanted else None
            recording.frames.append(SeenFrame(picture.time or 0.0, mark, likeness))
    except av.FFmpegError as error:
        recording.problem = f"pictures end at {_last(recording.frames)} s: {error.strerror}"


def _last(frames: list[SeenFrame]) -> float:
    return round(frames[-1].at_s, 3) if frames else 0.0


def _read_sound(container: InputContainer, recording: Recording) -> None:
    search = ChirpSearch(recording.participant)
    try:
        for at_s, samples in mono_of(container.decode(container.streams.audio[0])):
            search.take(at_s, samples)
    except av.FFmpegError as error:
        recording.problem = recording.problem or f"sound ends at {search.ends_s:.3f} s: {error.strerror}"
    recording.heard, recording.sound_s = search.finish(), search.ends_s
