"""Counted media that is encoded already: made once, kept on disk, played in a circle with key frames on demand.

`load_clip` is all that a native publisher needs:

    clip = load_clip(Codec.VP8, height=720, frames_per_second=30, bitrate_bps=1_500_000)
    playback = clip.play()
    frame = playback.next()            # every clip.frame_s seconds; RTP timestamps go on by clip.frame_ticks
    playback.request_key_frame()       # comes within clip.key_frame_wait_s, without a hole in the counter

A camera that is asked for a key frame makes one at once; a file cannot. So the circle is encoded several times, each
time with its one key frame at another place, and playback changes to the turn that has its key frame next.
"""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.counted.needs import need

FORMAT: Final = 4
"""Of clips on disk: counts up when the picture, the encoding or the file changes."""
FOLDER: Final = Path(__file__).parents[2] / "build" / "counted"
SECONDS_DEFAULT: Final = 4
KEY_FRAME_WAIT_S: Final = 0.5
SOUND_PERIOD_S: Final = 12
SIMULCAST: Final = {"q": (180, 120_000), "h": (360, 500_000), "f": (720, 1_500_000)}
"""Height and bits per second by rid, as browsers share them out for 720p."""


class Codec(enum.Enum):
    VP8 = "VP8"
    H264 = "H264"
    OPUS = "opus"

    @property
    def clock_rate_hz(self) -> int:
        return 48_000 if self is Codec.OPUS else 90_000


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """`data` is a VP8 frame, an H.264 access unit (Annex B; key frames with SPS and PPS) or an Opus packet."""

    data: bytes
    is_key: bool
    duration_s: float


class Clip(msgspec.Struct, frozen=True, array_like=True):
    """A circle of frames. `turns[t][n]` is frame n in turn t; turn t has its one key frame at `key_at[t]`."""

    codec: Codec
    height: int
    """0: sound."""
    frame_s: float
    participant: int
    key_at: list[int]
    turns: list[list[bytes]]

    @property
    def frames(self) -> list[EncodedFrame]:
        """The first turn: begins with a key frame."""
        return [self.frame(0, number) for number in range(len(self))]

    @property
    def frame_ticks(self) -> int:
        """How far RTP timestamps go on with each frame."""
        return round(self.frame_s * self.codec.clock_rate_hz)

    @property
    def key_frame_wait_s(self) -> float:
        """The longest time from a request to its key frame."""
        return self.frame_s * len(self) / len(self.turns)

    @property
    def bitrate_bps(self) -> float:
        """Of the first turn, without RTP."""
        return 8 * sum(map(len, self.turns[0])) / (self.frame_s * len(self))

    def __len__(self) -> int:
        """Frames in a circle: the counter in the pictures begins again at 0 after so many."""
        return len(self.turns[0])

    def frame(self, turn: int, number: int) -> EncodedFrame:
        is_key = self.codec is Codec.OPUS or self.key_at[turn] == number
        return EncodedFrame(self.turns[turn][number], is_key, self.frame_s)

    def play(self, turn: int = 0) -> Playback:
        """Begin with the key frame of a turn (taken modulo their number), so that not all publishers send alike."""
        return Playback(self, turn % len(self.turns))


class Playback:
    """One publisher's way through a clip: endless, one frame a call."""

    def __init__(self, clip: Clip, turn: int = 0) -> None:
        self.clip = clip
        self.key_frames = 0
        self._turn = turn
        self._number = clip.key_at[turn]
        self._wants_key = False
        self._turn_of_key = {number: which for which, number in enumerate(clip.key_at)}

    @property
    def number(self) -> int:
        """The counter of the frame that comes next."""
        return self._number

    def request_key_frame(self) -> None:
        """Send a key frame as soon as there is one; requests until then are one."""
        self._wants_key = True

    def next(self) -> EncodedFrame:
        if self._wants_key and self._number in self._turn_of_key:
            self._turn = self._turn_of_key[self._number]
        frame = self.clip.frame(self._turn, self._number)
        if frame.is_key:
            self._wants_key = False
            self.key_frames += 1
        self._number = (self._number + 1) % len(self.clip)
        return frame


def load_clip(
    codec: Codec,
    *,
    height: int,
    frames_per_second: int,
    bitrate_bps: int,
    seconds: int = SECONDS_DEFAULT,
    participant: int = 0,
    folder: Path = FOLDER,
) -> Clip:
    """Return a clip of video, from disk if it was made before. Making takes seconds and needs PyAV: Missing without."""
    name = f"{codec.value}-{height}p{frames_per_second}-{bitrate_bps}bps-{seconds}s-p{participant}".lower()
    path = folder / f"{name}.v{FORMAT}.clip"
    clip = _read(path)
    if clip is None:
        need("av", "numpy")
        from benchmarks.counted.encode import encode_video  # noqa: PLC0415  # PyAV only when something is made

        clip = encode_video(codec, height, frames_per_second, bitrate_bps, seconds, participant)
        _write(path, clip)
    return clip


def load_sound(*, bitrate_bps: int = 32_000, participant: int = 0, folder: Path = FOLDER) -> Clip:
    """Return 12 seconds of Opus in packets of 20 ms, from disk if made before; Missing as with `load_clip`."""
    path = folder / f"opus-{bitrate_bps}bps-p{participant}.v{FORMAT}.clip"
    clip = _read(path)
    if clip is None:
        need("av", "numpy")
        from benchmarks.counted.encode import encode_sound  # noqa: PLC0415  # PyAV only when something is made

        clip = encode_sound(bitrate_bps, SOUND_PERIOD_S, participant)
        _write(path, clip)
    return clip


def load_simulcast(
    codec: Codec, *, frames_per_second: int = 30, participant: int = 0, folder: Path = FOLDER
) -> dict[str, Clip]:
    """Return the clips of the rids q, h and f, lowest first."""
    return {
        rid: load_clip(
            codec,
            height=height,
            frames_per_second=frames_per_second,
            bitrate_bps=bitrate_bps,
            participant=participant,
            folder=folder,
        )
        for rid, (height, bitrate_bps) in SIMULCAST.items()
    }


def _read(path: Path) -> Clip | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Clip)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _write(path: Path, clip: Clip) -> None:
    """Write it whole or not at all: other processes read these files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_bytes(msgspec.msgpack.encode(clip))
    beside.replace(path)
