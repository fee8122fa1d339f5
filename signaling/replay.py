"""The last events of a room, so that who comes back hears what it missed; bounded, the oldest go first."""

from __future__ import annotations

from collections import deque
from collections.abc import Container
from typing import Final, NamedTuple

from signaling.identifiers import ParticipantId
from signaling.server_messages import ServerMessage

EVENTS_MAX: Final = 2048
"""A minute of a lively class; who missed more is better served with the room as it is now."""

BYTES_MAX: Final = 1024 * 1024
"""Of one room; messages are what is large."""

EVENT_BYTES: Final = 256
"""What an event without a body counts."""

REPLAYED_BYTES_MAX: Final = 256 * 1024
"""Told to one who comes back: well below what may wait for one client, else it is closed for reading slowly."""

REPLAYED_EVENTS_MAX: Final = 512


class _Event(NamedTuple):
    seq: int
    to: Container[ParticipantId]
    message: ServerMessage
    size_bytes: int


class EventLog:
    """Events with numbers that follow each other."""

    def __init__(self, *, events_max: int = EVENTS_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._events_max = events_max
        self._bytes_max = bytes_max
        self._events: deque[_Event] = deque()
        self._bytes = 0
        self._last = 0

    def add(self, seq: int, to: Container[ParticipantId], message: ServerMessage, *, size_bytes: int) -> None:
        """Take an event that was told to these."""
        assert seq == self._last + 1, f"event {seq} follows {self._last}"
        self._last = seq
        self._events.append(_Event(seq, to, message, size_bytes))
        self._bytes += size_bytes
        while len(self._events) > self._events_max or self._bytes > self._bytes_max:
            self._bytes -= self._events.popleft().size_bytes

    def since(self, seq: int, participant: ParticipantId) -> list[ServerMessage] | None:
        """Return what a participant was told after event `seq`; None if that is too much, or not known any more."""
        if seq > self._last or seq < self._last - len(self._events):
            return None
        missed: list[ServerMessage] = []
        size_bytes = 0
        for event in reversed(self._events):
            if event.seq <= seq:
                break
            if participant in event.to:
                missed.append(event.message)
                size_bytes += event.size_bytes
        if len(missed) > REPLAYED_EVENTS_MAX or size_bytes > REPLAYED_BYTES_MAX:
            return None
        missed.reverse()
        return missed
