"""Twin of loss recovery: a dictionary of awaited numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

PENDING_MAX = 256
GRACE_US = 10_000
ASKS_MAX = 10


@dataclass
class Awaited:
    due_us: int
    asked_at: list[int]


class LossRecovery:
    def __init__(self) -> None:
        self.awaited: dict[int, Awaited] = {}
        self.recovery_us = 100_000
        self.has_recovery = False
        self.given_up = 0
        self.asked = 0
        self.arrivals = 0
        self.abandoned = 0

    def expected(self, previous_highest: int, highest: int, now_us: int) -> int:
        missing = range(previous_highest + 1, highest)
        if len(missing) > PENDING_MAX:
            self.abandoned += len(self.awaited)
            self.clear()
            return -1
        newest = max(self.awaited, default=previous_highest)
        fresh = [number for number in missing if number > newest]
        surplus = max(len(self.awaited) + len(fresh) - PENDING_MAX, 0)
        for number in sorted(self.awaited)[:surplus]:
            del self.awaited[number]
        self.given_up += surplus
        self.abandoned += surplus
        self.awaited |= {number: Awaited(now_us + GRACE_US, []) for number in fresh}
        return len(fresh)

    def arrived(self, extended: int, now_us: int) -> bool:
        found = self.awaited.pop(extended, None)
        if found is None:
            return False
        if found.asked_at:
            took_us = max(now_us - found.asked_at[0], 0)
            is_sure = len(found.asked_at) == 1 and took_us >= self.recovery_us - self.recovery_us // 4
            share = 8 if is_sure else 64
            self.recovery_us = (self.recovery_us * (share - 1) + took_us) // share if self.has_recovery else took_us
            self.has_recovery |= len(found.asked_at) == 1
            self.arrivals += 1
        return True

    def due(self, now_us: int, capacity: int = PENDING_MAX) -> tuple[list[int], int]:
        interval_us = min(max(self.recovery_us + self.recovery_us // 4, 40_000), 400_000)
        abandoned, self.given_up = self.given_up, 0
        numbers: list[int] = []
        for number in sorted(self.awaited):
            entry = self.awaited[number]
            if entry.due_us > now_us:
                continue
            if len(entry.asked_at) == ASKS_MAX:
                del self.awaited[number]
                self.abandoned += 1
                abandoned += 1
            elif len(numbers) < capacity:
                numbers.append(number % 65536)
                entry.asked_at.append(now_us)
                entry.due_us = now_us + interval_us
        self.asked += len(numbers)
        return numbers, abandoned

    def clear(self) -> None:
        self.awaited = {}
        self.given_up = 0

    def forget_before(self, extended: int) -> int:
        old = [number for number in self.awaited if number < extended]
        for number in old:
            del self.awaited[number]
        return len(old)

    def pending(self) -> list[int]:
        numbers = list(self.awaited)
        assert all(left < right for left, right in pairwise(numbers))
        return numbers

    def earliest_due_us(self) -> int | None:
        return min((entry.due_us for entry in self.awaited.values()), default=None)

    def counters(self) -> tuple[int, int, int, int]:
        return self.asked, self.arrivals, self.abandoned, self.recovery_us
