"""What worlds of a whole worker share: packets on their way in both directions, and what is done at regular times."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Iterator

from tests.sim.path import Path


class Crossing:
    """Packets between a worker and its viewer; moments in microseconds."""

    def __init__(self) -> None:
        self._under_way: list[tuple[int, int, bytes]] = []
        self._numbers = itertools.count()
        self._coming_back: deque[tuple[int, bytes]] = deque()

    def send(self, path: Path, datagram: bytes, now_us: int) -> float:
        """Put on a path what the worker sent; return for how many milliseconds it queues there."""
        arrives, waits_s = path.send(now_us / 1e6, len(datagram))
        if arrives is not None:
            heapq.heappush(self._under_way, (int(arrives * 1e6), next(self._numbers), datagram))
        return waits_s * 1000

    def arrived(self, now_us: int) -> Iterator[tuple[int, bytes]]:
        """Take what has reached the viewer, and when."""
        while self._under_way and self._under_way[0][0] <= now_us:
            at_us, _, datagram = heapq.heappop(self._under_way)
            yield at_us, datagram

    def answer(self, path: Path, packet: bytes, now_us: int) -> None:
        """Put on its way what the viewer says: nothing queues there."""
        self._coming_back.append((now_us + int(path.delay_s * 1e6), packet))

    def answered(self, now_us: int) -> Iterator[bytes]:
        """Take what has reached the worker."""
        while self._coming_back and self._coming_back[0][0] <= now_us:
            yield self._coming_back.popleft()[1]


class Rhythm:
    """Says when what is done again and again is due."""

    def __init__(self, start_us: int) -> None:
        self._start_us = start_us
        self._due_us: dict[str, int] = {}

    def is_due(self, name: str, every_us: int, now_us: int) -> bool:
        due_us = self._due_us.setdefault(name, self._start_us)
        if now_us < due_us:
            return False
        self._due_us[name] = due_us + every_us
        return True
