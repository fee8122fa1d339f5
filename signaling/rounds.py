"""When what a crowd is told goes out: at once, but to nobody in pieces while there is more of it than time to write.

In a lecture of a thousand each who comes is a notice for all others, and each write to a socket costs the kernel some
10 us: written one by one, fifty who come in a second would take half a core. So notices that follow each other soon
wait for each other, and go out in one write for each member. The meaning and the order of messages stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from signaling.identifiers import ParticipantId

CROWD_MIN: Final = 50
"""Who share a message. What fewer are told never waits."""

WRITES_PER_S: Final = 5000.0
"""Of one room: some 5 % of a core. A thousand are told five times a second, a hundred fifty times."""


class Rounds:
    """Of one room. A round begins with the first message after the time of the one before is over."""

    def __init__(self) -> None:
        self._waiting: set[ParticipantId] = set()
        self._next_at = 0.0

    def add(self, to: Iterable[ParticipantId]) -> None:
        """Take note that something waits for these."""
        self._waiting.update(to)

    def next_round(self) -> float | None:
        """Return from when on it may go out, in monotonic seconds; None if nothing waits."""
        return self._next_at if self._waiting else None

    def take(self, *, now: float) -> set[ParticipantId]:
        """Return for whom something waits: write it now."""
        waiting, self._waiting = self._waiting, set()
        self._next_at = now + len(waiting) / WRITES_PER_S
        return waiting
