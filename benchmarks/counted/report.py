"""Puts what was found in counted media into one report: figures as JSON, and a table to read."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.counted.analysis import (
    FrameFaults,
    Freeze,
    HeardSecond,
    Offset,
    SeenFrame,
    find_faults,
    find_frame_rate,
    find_freezes,
    find_loop,
    find_offsets,
    freeze_threshold_s,
    main_participant,
    number_frames,
)

LISTED_MAX: Final = 20
"""Of lost counters and freezes, in the table; JSON has all."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that is known of one participant's media."""

    participant: int | None
    frames_per_second: float | None
    loop_frames: int | None
    faults: FrameFaults
    freezes: tuple[Freeze, ...]
    offsets: tuple[Offset, ...]
    heard: int
    likenesses: tuple[float, ...]
    seconds: float
    """From the first picture to the last."""

    @property
    def frozen_s(self) -> float:
        return sum(freeze.for_s for freeze in self.freezes)

    def figures(self) -> dict[str, object]:
        """Return what JSON gets."""
        return {
            "participant": self.participant,
            "frames_per_second": self.frames_per_second,
            "loop_frames": self.loop_frames,
            "seconds": round(self.seconds, 3),
            "frames_seen": self.faults.seen,
            "frames_distinct": self.faults.distinct,
            "frames_lost": len(self.faults.lost),
            "frames_duplicated": self.faults.duplicated,
            "frames_out_of_order": self.faults.out_of_order,
            "frames_unreadable": self.faults.unreadable,
            "lost": list(self.faults.lost),
            "freezes": [{"at_s": round(one.at_s, 3), "for_s": round(one.for_s, 3)} for one in self.freezes],
            "frozen_s": round(self.frozen_s, 3),
            "seconds_heard": self.heard,
            "sound_after_picture_ms": _spread([one.offset_ms for one in self.offsets]),
            "offsets": [
                {"at_s": round(one.at_s, 3), "second": one.second, "ms": round(one.offset_ms, 2)}
                for one in self.offsets
            ],
            "ssim": _spread(self.likenesses),
        }


def analyse(
    frames: Sequence[SeenFrame],
    heard: Sequence[HeardSecond] = (),
    *,
    participant: int | None = None,
    frames_per_second: float | None = None,
    loop_frames: int | None = None,
    freeze_s: float | None = None,
) -> Report:
    """Return the report of one participant; what is None is told from the media."""
    participant = main_participant(frames) if participant is None else participant
    mine = [frame for frame in frames if frame.mark is None or frame.mark.participant == participant]
    rate = frames_per_second or find_frame_rate(mine)
    if loop_frames is None and rate is not None:
        loop_frames = find_loop(mine, rate)
    numbered = () if participant is None else number_frames(mine, participant, loop_frames, rate)
    freeze_after_s = freeze_s or (freeze_threshold_s(rate) if rate else None)
    return Report(
        participant,
        rate,
        loop_frames,
        find_faults(numbered, unreadable=sum(frame.mark is None for frame in mine)),
        find_freezes(numbered, freeze_after_s) if freeze_after_s else (),
        find_offsets(numbered, heard, rate, loop_frames) if rate else (),
        len(heard),
        tuple(frame.likeness for frame in mine if frame.likeness is not None),
        numbered[-1].at_s - numbered[0].at_s if numbered else 0.0,
    )


def format_report(report: Report) -> str:
    """Return the table."""
    faults = report.faults
    rate = f"{report.frames_per_second:g} frames/s" if report.frames_per_second else "unknown frame rate"
    loop = f", counter begins again after {report.loop_frames}" if report.loop_frames else ""
    rows = [
        ("participant", f"{report.participant}, {rate}{loop}, {report.seconds:.1f} s"),
        ("frames", f"{faults.seen} seen, {faults.distinct} different, {faults.unreadable} unreadable"),
        ("lost", f"{len(faults.lost)}{_listed([str(number) for number in faults.lost])}"),
        ("duplicated", str(faults.duplicated)),
        ("out of order", str(faults.out_of_order)),
        (
            "freezes",
            f"{len(report.freezes)}, {report.frozen_s:.2f} s in all"
            + _listed([f"{freeze.for_s:.2f} s at {freeze.at_s:.2f}" for freeze in report.freezes]),
        ),
        ("seconds heard", str(report.heard)),
        ("sound after picture", _spread_text([one.offset_ms for one in report.offsets], "ms", 1)),
        ("SSIM", _spread_text(report.likenesses, "", 3)),
    ]
    return "\n".join(f"{name:20} {value}" for name, value in rows)


def _listed(items: Sequence[str]) -> str:
    if not items:
        return ""
    more = f", and {len(items) - LISTED_MAX} more" if len(items) > LISTED_MAX else ""
    return f": {', '.join(items[:LISTED_MAX])}{more}"


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {
        "min": round(min(values), 4),
        "median": round(statistics.median(values), 4),
        "max": round(max(values), 4),
    }


def _spread_text(values: Sequence[float], unit: str, digits: int) -> str:
    spread = _spread(values)
    if spread is None:
        return "-"
    shown = ", ".join(f"{name} {value:.{digits}f}" for name, value in spread.items())
    return f"{shown} {unit} ({len(values)} measured)".replace("  ", " ")
