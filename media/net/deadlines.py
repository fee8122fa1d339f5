"""Who wants to be called when: deadlines of many transports, of which most are moved before they come."""

from __future__ import annotations

import heapq
import itertools
from typing import Generic, TypeVar

Owner = TypeVar("Owner")


class Deadlines(Generic[Owner]):
    """A heap with lazy removal: an owner has one live entry; older ones are skipped when they come up."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, int, Owner]] = []
        self._live: dict[int, tuple[float, int]] = {}
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._live)

    def set(self, key: int, owner: Owner, deadline: float | None) -> None:
        """Set or move the owner's deadline; None removes it. Moving it later costs nothing until the old one comes."""
        current = self._live.get(key)
        if deadline is None:
            self._live.pop(key, None)
        elif current is None or current[0] != deadline:
            order = next(self._order)
            self._live[key] = (deadline, order)
            heapq.heappush(self._heap, (deadline, order, key, owner))

    def next(self) -> float | None:
        """Return the earliest deadline."""
        while self._heap:
            deadline, order, key, _ = self._heap[0]
            if self._live.get(key) == (deadline, order):
                return deadline
            heapq.heappop(self._heap)
        return None

    def pop_due(self, now: float) -> list[Owner]:
        """Return and forget the owners whose deadline has come, earliest first."""
        due: list[Owner] = []
        while (deadline := self.next()) is not None and deadline <= now:
            _, _, key, owner = heapq.heappop(self._heap)
            del self._live[key]
            due.append(owner)
        return due
