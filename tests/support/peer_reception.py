"""Sequence numbers of one stream that a test peer receives: what is missing, when to ask for it, what to report."""

from __future__ import annotations

from dataclasses import dataclass, field

from media.native import rtcp

REORDER_GRACE_S = 0.02
ASK_AGAIN_S = 0.1
ASKED_MAX = 10


@dataclass(slots=True)
class Gap:
    """One missing number."""

    due_at: float
    asked: int = 0


@dataclass(slots=True)
class Reception:
    """Extends 16-bit numbers; every number between the first and the highest is either received or missing."""

    received: int = 0
    duplicates: int = 0
    asked: int = 0
    highest: int | None = None
    _first: int = 0
    _missing: dict[int, Gap] = field(default_factory=dict)
    _last_sr: int = 0
    _last_sr_at: float = 0.0

    @property
    def lost(self) -> int:
        """Numbers that have not come (yet)."""
        return len(self._missing)

    def arrive(self, number: int, *, now: float) -> int | None:
        """Take note of a packet; return its extended number, None if it came before."""
        if self.highest is None:
            self.highest = self._first = number
            self.received += 1
            return number
        step = (number - self.highest + 0x8000) % 0x10000 - 0x8000
        extended = self.highest + step
        if step > 0:
            for skipped in range(self.highest + 1, extended):
                self._missing[skipped] = Gap(now + REORDER_GRACE_S)
            self.highest = extended
        elif self._missing.pop(extended, None) is None:
            self.duplicates += 1
            return None
        self.received += 1
        return extended

    def due(self, now: float) -> list[int]:
        """Return the 16-bit numbers to ask for now, in order."""
        numbers = []
        for extended, gap in self._missing.items():
            if gap.due_at <= now and gap.asked < ASKED_MAX:
                gap.asked += 1
                gap.due_at = now + ASK_AGAIN_S
                numbers.append(extended & 0xFFFF)
        self.asked += len(numbers)
        return numbers

    def take_sender_report(self, ntp: int, *, now: float) -> None:
        self._last_sr = ntp >> 16 & 0xFFFFFFFF
        self._last_sr_at = now

    def report(self, ssrc: int, *, now: float) -> rtcp.Report | None:
        """Return a report block (RFC 3550 section 6.4.1) without jitter; None before the first packet."""
        if self.highest is None:
            return None
        delay = round((now - self._last_sr_at) * 65536) if self._last_sr else 0
        return rtcp.Report(ssrc, 0, len(self._missing), self.highest, 0, self._last_sr, delay & 0xFFFFFFFF)
