"""Writes recordings of counted media with faults whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from random import Random

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import PictureType

from benchmarks.counted.encode import picture
from benchmarks.counted.mark import Mark
from benchmarks.counted.sound import SAMPLE_RATE_HZ, draw_sound

TICKS_PER_S = 90_000
AUDIO_FRAME_SAMPLES = 960
HEIGHT = 180


@dataclass(frozen=True, slots=True)
class Faults:
    """What was done to a recording."""

    participant: int
    frames_per_second: int
    first: int
    """Counter of the first frame, which stands at a whole second."""
    count: int
    removed: frozenset[int]
    doubled: frozenset[int]
    swapped: frozenset[int]
    """Frames that change places with the one after them."""
    sound_late_ms: float

    def shown(self) -> list[tuple[float, int]]:
        """Return (time in s, counter) of each frame of the recording. What stays, stays at its time."""
        step = 1 / self.frames_per_second
        order = list(range(self.first, self.first + self.count))
        for number in self.swapped:
            at = number - self.first
            order[at], order[at + 1] = order[at + 1], order[at]
        shown: list[tuple[float, int]] = []
        for slot, number in enumerate(order):
            if number in self.removed:
                continue
            shown.append((slot * step, number))
            if number in self.doubled:
                shown.append(((slot + 0.5) * step, number))
        return shown


def random_faults(seed: int, *, seconds: int = 3) -> Faults:
    """Return faults that do not hide each other: first and last frame stay, a swapped pair has no other fault."""
    chance = Random(seed)
    rate = chance.choice([15, 24, 25, 30])
    count, first = rate * seconds, rate * chance.randrange(12)
    inner = list(range(first + 1, first + count - 1))
    chance.shuffle(inner)
    removed = frozenset(inner[: chance.randrange(0, 8)])
    doubled = frozenset(number for number in inner[8 : 8 + chance.randrange(0, 8)])
    faulty = removed | doubled
    swapped: set[int] = set()
    for number in inner[16 : 16 + chance.randrange(0, 4)]:
        if number + 1 < first + count - 1 and not {number, number + 1} & faulty:
            swapped.add(number)
            faulty |= {number - 1, number, number + 1}
    return Faults(
        chance.randrange(40), rate, first, count, removed, doubled, frozenset(swapped), chance.uniform(-300, 300)
    )


def write_recording(path: Path, faults: Faults) -> None:
    """Write H.264 and Opus into a container told by the name's end."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=faults.frames_per_second)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = 320, HEIGHT, "yuv420p"
        video.codec_context.time_base = Fraction(1, TICKS_PER_S)
        video.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "28"}
        audio = container.add_stream("libopus", rate=SAMPLE_RATE_HZ, layout="mono")
        assert isinstance(audio, av.AudioStream)
        for number, (at_s, counter) in enumerate(faults.shown()):
            frame = picture(Mark(faults.participant, counter), HEIGHT)
            frame.pts, frame.time_base = round(at_s * TICKS_PER_S), Fraction(1, TICKS_PER_S)
            frame.pict_type = PictureType.NONE if number else PictureType.I
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for start, samples in _sound(faults):
            sound = AudioFrame.from_ndarray(samples[None], "s16", "mono")
            sound.sample_rate, sound.pts, sound.time_base = SAMPLE_RATE_HZ, start, Fraction(1, SAMPLE_RATE_HZ)
            container.mux(audio.encode(sound))
        container.mux(audio.encode(None))


def _sound(faults: Faults) -> list[tuple[int, np.ndarray[tuple[int], np.dtype[np.int16]]]]:
    seconds = faults.count // faults.frames_per_second
    drawn = draw_sound(faults.participant, seconds + 1, first_second=faults.first // faults.frames_per_second)
    late = round(faults.sound_late_ms * SAMPLE_RATE_HZ / 1000)
    moved = np.concatenate([np.zeros(late, np.float32), drawn]) if late > 0 else drawn[-late:]
    samples = np.round(moved[: seconds * SAMPLE_RATE_HZ] * 32767).astype(np.int16)
    return [
        (start, samples[start : start + AUDIO_FRAME_SAMPLES]) for start in range(0, len(samples), AUDIO_FRAME_SAMPLES)
    ]
