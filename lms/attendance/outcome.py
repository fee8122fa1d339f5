"""From one person's intervals to a status, by the rules of a policy. Pure, and the same live and at the end."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from lms.attendance.facts import SECOND_US
from lms.attendance.intervals import Close, Interval
from lms.attendance.policy import Policy
from lms.attendance.spans import Span, present_spans

RULES: Final = "1"
"""Goes up when these rules change, so that what was computed by others is known as such."""

_CENT: Final = Decimal("0.01")


class Status(enum.Enum):
    """What somebody was, worst first; `excused` stands outside."""

    ABSENT = "absent"
    PARTIAL = "partial"
    """There, but for less than the policy asks."""
    LATE = "late"
    LEFT_EARLY = "left_early"
    PRESENT = "present"
    EXCUSED = "excused"


class Standing(enum.Enum):
    """Where somebody is now."""

    HERE = "here"
    RECONNECTING = "reconnecting"
    GONE = "gone"
    NEVER_CAME = "never_came"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes out for one person. Times are wall time in microseconds since 1970."""

    identity: str
    status: Status
    present_us: int
    percent: Decimal
    """Of the window, 0 to 100 with two decimals."""
    first_join_us: int | None
    last_leave_us: int | None
    joins: int
    """How often they came, as others would see it: short gaps are none."""
    late_s: int
    """Seconds from the start of the window to when they came."""
    early_s: int
    """Seconds from when they went to the end of the window."""
    standing: Standing
    input_hash: str
    """Of everything that this depends on; equal inputs have equal hashes in whatever order they came."""

    @property
    def present_s(self) -> int:
        """Whole seconds of presence."""
        return self.present_us // SECOND_US


def judge(identity: str, intervals: Sequence[Interval], policy: Policy, window: Span, *, excused: bool) -> Outcome:
    """Return what comes out for one person; `window` ends now while the class lasts."""
    counted = [Span(each.start_us, each.end_us) for each in intervals if policy.counts(each.place)]
    spans = present_spans(
        counted, window, gap_us=policy.gap_merge_s * SECOND_US, minimum_us=policy.min_interval_s * SECOND_US
    )
    present_us = sum(span.length_us for span in spans)
    first = spans[0].start_us if spans else None
    last = spans[-1].end_us if spans else None
    return Outcome(
        identity=identity,
        status=Status.EXCUSED if excused else _status(present_us, first, last, policy, window),
        present_us=present_us,
        percent=percent_of(present_us, window.length_us),
        first_join_us=first,
        last_leave_us=last,
        joins=len(spans),
        late_s=0 if first is None else (first - window.start_us) // SECOND_US,
        early_s=0 if last is None else (window.end_us - last) // SECOND_US,
        standing=_standing(intervals),
        input_hash=_hash(counted, policy, window, excused=excused),
    )


def percent_of(part: int, whole: int) -> Decimal:
    """Return how many percent of `whole` are `part`, with two decimals, halves to even; 0 of nothing."""
    return (Decimal(100 * part) / Decimal(whole) if whole else Decimal(0)).quantize(_CENT, ROUND_HALF_EVEN)


def _status(present_us: int, first: int | None, last: int | None, policy: Policy, window: Span) -> Status:
    if first is None or last is None:
        return Status.ABSENT
    if not policy.is_enough(present_us, window):
        return Status.PARTIAL
    if first > window.start_us + policy.late_after_s * SECOND_US:
        return Status.LATE
    if last < window.end_us - policy.early_leave_s * SECOND_US:
        return Status.LEFT_EARLY
    return Status.PRESENT


def _standing(intervals: Sequence[Interval]) -> Standing:
    if not intervals:
        return Standing.NEVER_CAME
    if any(each.close is None for each in intervals):
        return Standing.HERE
    newest = max(intervals, key=lambda each: (each.end_us, each.ordinal))
    return Standing.RECONNECTING if newest.close in {Close.SUSPEND, Close.NODE_LOST, Close.MOVED} else Standing.GONE


def _hash(counted: Sequence[Span], policy: Policy, window: Span, *, excused: bool) -> str:
    rules = [f"{each.name}={getattr(policy, each.name)}" for each in fields(policy)]
    spans = [f"{start}-{end}" for start, end in sorted(counted)]
    text = "\n".join((RULES, f"{window.start_us}-{window.end_us}", str(excused), *rules, *spans))
    return hashlib.sha256(text.encode()).hexdigest()
