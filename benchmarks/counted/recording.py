"""Reads a recorded file with PyAV: marks of its pictures, chirps of its sound, each with its time in the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.container import InputContainer

from benchmarks.counted.analysis import HeardSecond, SeenFrame, main_participant
from benchmarks.counted.decode import luma_of, mono_of
from benchmarks.counted.likeness import likeness_to_source
from benchmarks.counted.picture import read
from benchmarks.counted.sound import (
    CHIRP_S,
    PERIOD_S,
    PLACE_STEP_S,
    SAMPLE_RATE_HZ,
    SECOND_PLACE_S,
    Samples,
    find_chirps,
)

WINDOW_S: Final = 60.0
"""Sound is searched in pieces, so that hours of it need not be in memory."""
LEAD_S: Final = 2 * CHIRP_S
OVERLAP_S: Final = SECOND_PLACE_S + PERIOD_S * PLACE_STEP_S + 2 * CHIRP_S


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


def read_recording(path: Path, *, participant: int | None = None, likeness_every: int = 0) -> Recording:
    """Decode a file: first its pictures, then its sound. UnreadableRecording; OSError.

    `participant`: whose sound to search, else whose pictures it mostly has; `likeness_every`: compute SSIM for each
    so-many-th picture, 0 for none.
    """
    recording = Recording()
    with _open(path) as container:
        if not container.streams.video and not container.streams.audio:
            raise UnreadableRecording(f"{path} has neither picture nor sound")
        if container.streams.video:
            _read_pictures(container, recording, likeness_every)
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


def _read_pictures(container: InputContainer, recording: Recording, likeness_every: int) -> None:
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    try:
        for picture in container.decode(stream):
            recording.picture_size = picture.width, picture.height
            luma = luma_of(picture)
            mark = read(luma)
            wanted = mark is not None and likeness_every and len(recording.frames) % likeness_every == 0
            likeness = likeness_to_source(luma, mark) if mark is not None and wanted else None
            recording.frames.append(SeenFrame(picture.time or 0.0, mark, likeness))
    except av.FFmpegError as error:
        recording.problem = f"pictures end at {_last(recording.frames)} s: {error.strerror}"


def _last(frames: list[SeenFrame]) -> float:
    return round(frames[-1].at_s, 3) if frames else 0.0


def _read_sound(container: InputContainer, recording: Recording) -> None:
    search = _Search(recording)
    try:
        for at_s, samples in mono_of(container.decode(container.streams.audio[0])):
            search.take(at_s, samples)
    except av.FFmpegError as error:
        recording.problem = recording.problem or f"sound ends at {search.ends_s:.3f} s: {error.strerror}"
    search.finish()


class _Search:
    """Puts pieces of sound at their times and searches window after window; gaps are silence.

    A window begins with the last of the one before, so that a chirp across the border is whole in one of them; it is
    taken where its beginning lies in the window's own part.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._starts_s: float | None = None
        self._taken_from_s = 0.0
        self._window = np.zeros(round((LEAD_S + WINDOW_S + OVERLAP_S) * SAMPLE_RATE_HZ), np.float32)
        self.ends_s = 0.0

    def take(self, at_s: float, samples: Samples) -> None:
        if self._starts_s is None:
            self._starts_s = at_s - LEAD_S
        while at_s + len(samples) / SAMPLE_RATE_HZ - self._starts_s > LEAD_S + WINDOW_S + OVERLAP_S:
            if self._starts_s > self.ends_s:  # a gap longer than a window: nothing to search
                self._starts_s = at_s - LEAD_S
                break
            self._search()
        start = round((at_s - self._starts_s) * SAMPLE_RATE_HZ)
        if start < 0:  # older than what is searched already
            return
        place = self._window[start : start + len(samples)]
        place[:] = samples[: len(place)]
        self.ends_s = max(self.ends_s, at_s + len(samples) / SAMPLE_RATE_HZ)

    def finish(self) -> None:
        """Search the rest."""
        while self._starts_s is not None and self._starts_s + LEAD_S < self.ends_s:
            self._search()
        self._recording.sound_s = self.ends_s

    def _search(self) -> None:
        assert self._starts_s is not None
        participant = self._recording.participant
        if participant is not None:
            filled = max(0, round((self.ends_s - self._starts_s) * SAMPLE_RATE_HZ))
            self._recording.heard += [
                HeardSecond(self._starts_s + chirp.at_s, chirp.second)
                for chirp in find_chirps(self._window[:filled], participant)
                if self._taken_from_s <= chirp.at_s < LEAD_S + WINDOW_S
            ]
        keep = round(WINDOW_S * SAMPLE_RATE_HZ)
        rest = self._window[keep:].copy()
        self._window[:] = 0
        self._window[: len(rest)] = rest
        self._starts_s += WINDOW_S
        self._taken_from_s = LEAD_S
