"""What became of counted media: frames lost, doubled, out of order, freezes, and how far sound is from picture. Pure.

Counters may begin again at 0 (media played in a circle); `loop_frames` says after how many, and numbers are unwrapped.
Times are those of the receiver or of the file, in seconds.
"""

from __future__ import annotations

import itertools
import math
import statistics
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.counted.mark import Mark

SOUND_PERIOD_S: Final = 12
FREEZE_FRAMES: Final = 3
FREEZE_BESIDE_S: Final = 0.15
"""A freeze is a gap above max(3 frames, 1 frame + 150 ms): `freezeCount` of W3C's webrtc-stats."""
INTERPOLATED_S_MAX: Final = 1.0  # a second whose own frame is missing is placed by others, this far away at most
RATE_BESIDE: Final = 0.02
NEIGHBOURS: Final = 7  # frames that say together when a second was shown


@dataclass(frozen=True, slots=True)
class SeenFrame:
    at_s: float
    mark: Mark | None
    """None: the picture came, but its mark could not be read."""
    likeness: float | None = None
    """SSIM with the source, where it was computed."""


@dataclass(frozen=True, slots=True)
class HeardSecond:
    at_s: float
    second: int | None
    """Modulo 12; None: heard, but not which."""


@dataclass(frozen=True, slots=True)
class FrameFaults:
    """Lost are counters between the first and the last that were seen, which never came."""

    seen: int
    distinct: int
    lost: tuple[int, ...]
    """Unwrapped counters."""
    duplicated: int
    """Frames that had come before."""
    out_of_order: int
    """Frames that came for the first time, after a later one."""
    unreadable: int


@dataclass(frozen=True, slots=True)
class Freeze:
    at_s: float
    for_s: float


@dataclass(frozen=True, slots=True)
class Offset:
    """Of one second: positive if the sound comes after its picture."""

    at_s: float
    second: int
    offset_ms: float


@dataclass(frozen=True, slots=True)
class NumberedFrame:
    at_s: float
    number: int
    """Unwrapped."""


def main_participant(frames: Sequence[SeenFrame]) -> int | None:
    """Return whose frames these are mostly."""
    found = Counter(frame.mark.participant for frame in frames if frame.mark is not None)
    return found.most_common(1)[0][0] if found else None


def find_frame_rate(frames: Sequence[SeenFrame]) -> float | None:
    """Return counters per second, None if too few frames say: by the longest runs without a fault.

    Runs, because single steps are as coarse as the file's clock; within 2 % of a whole number it is that.
    """
    runs = [run for run in _runs_without_fault(frames) if run[-1].at_s > run[0].at_s]
    longest = max(map(len, runs), default=0)
    rates = [(run[-1].number - run[0].number) / (run[-1].at_s - run[0].at_s) for run in runs if len(run) > longest // 2]
    if not rates:
        return None
    rate = statistics.median(rates)
    return float(round(rate)) if abs(rate - round(rate)) <= RATE_BESIDE * rate else rate


def _runs_without_fault(frames: Sequence[SeenFrame]) -> list[list[NumberedFrame]]:
    """Return stretches in which each counter is the one before plus one; repeated pictures are passed over."""
    runs: list[list[NumberedFrame]] = []
    for frame in frames:
        if frame.mark is None:
            continue
        last = runs[-1][-1].number if runs else None
        if frame.mark.frame == last:
            continue
        if last is None or frame.mark.frame != last + 1:
            runs.append([])
        runs[-1].append(NumberedFrame(frame.at_s, frame.mark.frame))
    return runs


def find_loop(frames: Sequence[SeenFrame], frames_per_second: float) -> int | None:
    """Return after how many frames the counter begins again, told from where it falls back; None if it does not."""
    numbers = [frame.mark.frame for frame in frames if frame.mark is not None]
    highest = max(numbers, default=0)
    falls = any(later < earlier - highest / 2 for earlier, later in itertools.pairwise(numbers))
    if not falls or highest < frames_per_second:
        return None
    return math.ceil((highest + 1) / frames_per_second) * round(frames_per_second)


def number_frames(
    frames: Sequence[SeenFrame], participant: int, loop_frames: int | None, frames_per_second: float | None = None
) -> tuple[NumberedFrame, ...]:
    """Return one participant's readable frames with unwrapped counters, as they came.

    In a circle the counter is the one nearest to what the time since the frame before leads to expect: a gap may be
    longer than the circle, and a picture that is shown again and again stays the same.
    """
    numbered: list[NumberedFrame] = []
    latest: int | None = None
    before_s = 0.0
    for frame in frames:
        if frame.mark is None or frame.mark.participant != participant:
            continue
        number = frame.mark.frame
        if latest is not None and loop_frames is not None:
            expected = latest + round((frame.at_s - before_s) * (frames_per_second or 0.0))
            number = expected + (number - expected + loop_frames // 2) % loop_frames - loop_frames // 2
        latest = number if latest is None else max(latest, number)
        before_s = frame.at_s
        numbered.append(NumberedFrame(frame.at_s, number))
    return tuple(numbered)


def find_faults(numbered: Sequence[NumberedFrame], unreadable: int = 0) -> FrameFaults:
    """Return what is missing, double or late, by counters alone."""
    known: set[int] = set()
    highest: int | None = None
    duplicated = late = 0
    for frame in numbered:
        if frame.number in known:
            duplicated += 1
        elif highest is not None and frame.number < highest:
            late += 1
        known.add(frame.number)
        highest = frame.number if highest is None else max(highest, frame.number)
    lost = tuple(number for number in range(min(known), max(known)) if number not in known) if known else ()
    return FrameFaults(len(numbered), len(known), lost, duplicated, late, unreadable)


def find_freezes(numbered: Sequence[NumberedFrame], longer_than_s: float) -> tuple[Freeze, ...]:
    """Return the times in which no picture came that was newer than those before."""
    freezes: list[Freeze] = []
    highest: int | None = None
    since_s = 0.0
    for frame in numbered:
        if highest is not None and frame.number <= highest:
            continue
        if highest is not None and frame.at_s - since_s > longer_than_s:
            freezes.append(Freeze(since_s, frame.at_s - since_s))
        highest, since_s = frame.number, frame.at_s
    return tuple(freezes)


def freeze_threshold_s(frames_per_second: float) -> float:
    return max(FREEZE_FRAMES / frames_per_second, 1 / frames_per_second + FREEZE_BESIDE_S)


def find_offsets(
    numbered: Sequence[NumberedFrame],
    heard: Sequence[HeardSecond],
    frames_per_second: float,
    loop_frames: int | None,
) -> tuple[Offset, ...]:
    """Return, for each second that was heard, how far it is from the picture of that second.

    Sound tells its second modulo 12 s and pictures theirs modulo their loop, so an offset is known modulo what both
    have in common: it is the smallest that fits. Seconds without a picture nearby are left out.
    """
    first_at: dict[int, float] = {}
    for frame in numbered:
        first_at.setdefault(frame.number, frame.at_s)
    numbers = sorted(first_at)
    if not numbers:
        return ()
    loop_s = round(loop_frames / frames_per_second) if loop_frames is not None else SOUND_PERIOD_S
    step_s = math.gcd(SOUND_PERIOD_S, max(1, loop_s))
    last_second = math.floor(numbers[-1] / frames_per_second) + 1
    first_second = math.floor(numbers[0] / frames_per_second)
    found: list[Offset] = []
    for chirp in heard:
        if chirp.second is None:
            continue
        start = first_second + (chirp.second - first_second) % step_s
        shown = (
            (second, at_s)
            for second in range(start, last_second + 1, step_s)
            if (at_s := _shown_at(second * frames_per_second, numbers, first_at, frames_per_second)) is not None
        )
        best = min(shown, key=lambda one: abs(chirp.at_s - one[1]), default=None)
        if best is not None and abs(chirp.at_s - best[1]) <= step_s / 2:
            found.append(Offset(chirp.at_s, best[0], (chirp.at_s - best[1]) * 1000))
    return tuple(found)


def _shown_at(
    number: float, numbers: Sequence[int], first_at: dict[int, float], frames_per_second: float
) -> float | None:
    """Return when this counter was shown, by the clock of the frames around it: one late frame is no shift."""
    at = bisect_left(numbers, number)
    around = sorted(numbers[max(0, at - NEIGHBOURS) : at + NEIGHBOURS], key=lambda one: abs(one - number))
    places = [
        first_at[one] + (number - one) / frames_per_second
        for one in around[:NEIGHBOURS]
        if abs(number - one) <= INTERPOLATED_S_MAX * frames_per_second
    ]
    return statistics.median(places) if places else None
