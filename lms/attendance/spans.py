"""Presence as a set of moments: clip, unite, merge, drop, in this order. Pure.

The order is what makes attendance right. Dropping short pieces before uniting them would turn three reconnects in a
row into an absence; adding up before uniting would count a phone beside a laptop twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """From `start_us` to before `end_us`."""

    start_us: int
    end_us: int

    @property
    def length_us(self) -> int:
        return max(0, self.end_us - self.start_us)


def present_spans(intervals: Iterable[Span], window: Span, *, gap_us: int, minimum_us: int) -> tuple[Span, ...]:
    """Return when somebody counts as present: apart by more than `gap_us`, none shorter than `minimum_us`."""
    clipped = sorted(
        Span(max(start, window.start_us), min(end, window.end_us))
        for start, end in intervals
        if min(end, window.end_us) > max(start, window.start_us)
    )
    merged: list[Span] = []
    for start, end in clipped:
        if merged and start - merged[-1].end_us <= gap_us:
            merged[-1] = Span(merged[-1].start_us, max(merged[-1].end_us, end))
        else:
            merged.append(Span(start, end))
    return tuple(span for span in merged if span.length_us >= minimum_us)
