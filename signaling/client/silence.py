"""Whether what flowed has stopped, all at once: a pure judgement on a count of packets, looked at in equal steps."""

from __future__ import annotations

from collections import deque
from typing import Final

FLOW_LOOKS: Final = 8
"""How far back a flow is remembered: a second or so."""

FLOW_PACKETS_PER_LOOK_MIN: Final = 2.0
"""Sound alone makes 50 packets a second. Below, e.g. reports alone, gaps are no sign of anything."""


class Silence:
    """Says once that a flow has stopped, and not again before packets came."""

    def __init__(self, looks: int) -> None:
        """`looks`: how many looks in a row must find nothing."""
        self._looks = looks
        self._last: int | None = None
        self._steps: deque[int] = deque(maxlen=FLOW_LOOKS + looks)
        self._told = False

    def look(self, received: int) -> bool:
        """Take the number of packets that ever came; return whether they have just stopped."""
        step = 0 if self._last is None else max(received - self._last, 0)
        self._last = received
        self._steps.append(step)
        if step:
            self._told = False
            return False
        steps = list(self._steps)
        recent, before = steps[-self._looks :], steps[: -self._looks]
        if self._told or any(recent) or len(before) < FLOW_LOOKS:
            return False
        self._told = sum(before) / len(before) >= FLOW_PACKETS_PER_LOOK_MIN
        return self._told
