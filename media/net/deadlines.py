"""Who wants to be called when: deadlines of many transports, of which most are moved before they come."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass
from typing import Generic, TypeVar

Owner = TypeVar("Owner")


@dataclass(slots=True)
class _Wish(Generic[Owner]):
    """An owner's deadline, and the one entry of the heap that stands for it: it comes up then or earlier."""

    owner: Owner
    deadline: float
    queued: tuple[float, int, int]


class Deadlines(Generic[Owner]):
    """A heap with lazy removal. It knows keys only: an owner without a deadline is let go at once."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, int]] = []
        self._live: dict[int, _Wish[Owner]] = {}
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._live)

    @property
    def queued(self) -> int:
        """How many entries the heap has, those that mean nothing any more too."""
        return len(self._heap)

    def set(self, key: int, owner: Owner, deadline: float | None) -> None:
        """Set or move the owner's deadline; None removes it. Moving it later costs nothing until the old one comes."""
        current = self._live.get(key)
        if deadline is None:
            self._live.pop(key, None)
        elif current is not None and current.queued[0] <= deadline:
            current.deadline = deadline
        else:
            self._live[key] = _Wish(owner, deadline, self._queue(deadline, key))

    def next(self) -> float | None:
        """Return the earliest deadline."""
        while self._heap:
            entry = self._heap[0]
            wish = self._live.get(entry[2])
            if wish is not None and wish.queued is entry:
                if wish.deadline == entry[0]:
                    return wish.deadline
                wish.queued = self._queue(wish.deadline, entry[2])
            heapq.heappop(self._heap)
        return None

    def pop_due(self, now: float) -> list[Owner]:
        """Return and forget the owners whose deadline has come, earliest first."""
        due: list[Owner] = []
        while (deadline := self.next()) is not None and deadline <= now:
            _, _, key = heapq.heappop(self._heap)
            due.append(self._live.pop(key).owner)
        return due

    def _queue(self, deadline: float, key: int) -> tuple[float, int, int]:
        entry = (deadline, next(self._order), key)
        heapq.heappush(self._heap, entry)
        return entry
