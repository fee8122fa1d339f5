"""When to come back, and how: decisions about broken connections, as a pure machine. Times are monotonic seconds."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from signaling.codes import CloseCode


class Way(enum.Enum):
    """How to go on after a connection ended."""

    RESUME = "resume"
    """As the same participant, if the server still knows us; else by joining."""
    JOIN = "join"
    """As a new participant: the server has forgotten us, or ended our stay."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class ReconnectPolicy:
    """How patient a client is."""

    first_delay_s: float = 0.1
    """Before the first try after a break; most breaks are over at once."""
    factor: float = 2.0
    delay_max_s: float = 4.0
    """Clients of a server that restarts find it this late at most; a class of 500 makes about 125 tries a second."""
    jitter: float = 0.5
    """Each delay is shorter by a random part, up to this: not all clients come at the same moment."""
    give_up_after_s: float | None = None
    """Without any connection for so long; None: never."""
    wait_for_server_s: float = 0.0
    """How long the first connection is tried."""
    resume_window_s: float = 60.0
    """As long as servers keep a participant whose connection broke; later only joining makes sense."""
    media_failures_max: int = 3
    """Joins in a row after which no media came about: the network lets none through."""
    wait_again: bool = True
    """Whether to knock again when a moderator sent us back to the waiting room."""


_WAYS: Final[dict[int, Way]] = {
    CloseCode.NORMAL: Way.NEVER,
    CloseCode.SLOW_READER: Way.RESUME,
    CloseCode.TOO_LONG: Way.RESUME,
    CloseCode.INTERNAL: Way.JOIN,
    CloseCode.BAD_JOIN: Way.NEVER,
    CloseCode.TOKEN_EXPIRED: Way.NEVER,
    CloseCode.JOIN_TIMEOUT: Way.JOIN,
    CloseCode.REPLACED: Way.NEVER,
    CloseCode.MEDIA_FAILED: Way.JOIN,
    CloseCode.REMOVED: Way.NEVER,
    CloseCode.SENT_BACK: Way.JOIN,
    CloseCode.RESUMED: Way.NEVER,
    CloseCode.MOVED: Way.JOIN,
    CloseCode.SHUTTING_DOWN: Way.JOIN,
    CloseCode.ENDED: Way.NEVER,
}
"""Of close codes that say more than that the connection broke; all others mean `RESUME`."""

_PASSING: Final = frozenset({"shutting_down", "join_timeout", "internal"})
"""Codes of refused joins that another try may find changed."""


class Reconnection:
    """Knows how long we have been away, and says what to do next."""

    def __init__(self, policy: ReconnectPolicy, *, renewable: bool, chance: Callable[[], float]) -> None:
        """`renewable`: there will be another token when one runs out; `chance` returns a random number from 0 to 1."""
        self._policy = policy
        self._renewable = renewable
        self._chance = chance
        self._lost_at: float | None = None
        self._was_in = False
        self._tries = 0
        self._media_failures = 0

    def connected(self) -> None:
        """Take note that the server let us in or took us back."""
        self._lost_at = None
        self._was_in = True
        self._tries = 0

    def media_connected(self) -> None:
        """Take note that media flows."""
        self._media_failures = 0

    def lost(self, close_code: int | None, code: str | None = None, *, now: float) -> Way:
        """Return how to go on after a connection that was open ended; `code` is that of an `error` heard before."""
        if self._lost_at is None:
            self._lost_at = now
        way = Way.RESUME if close_code is None else _WAYS.get(close_code, Way.RESUME)
        if close_code == CloseCode.BAD_JOIN and code in _PASSING:
            return Way.JOIN
        if close_code == CloseCode.TOKEN_EXPIRED and self._renewable:
            return Way.JOIN
        if close_code == CloseCode.SENT_BACK and not self._policy.wait_again:
            return Way.NEVER
        if close_code == CloseCode.MEDIA_FAILED:
            self._media_failures += 1
            if self._media_failures >= self._policy.media_failures_max:
                return Way.NEVER
        return way

    def is_passing(self, status: int) -> bool:
        """Return whether another try makes sense after an upgrade was refused with this HTTP status."""
        return status >= 500 or status in (408, 429)

    def may_resume(self, *, now: float) -> bool:
        """Return whether the server may still know us."""
        return self._lost_at is not None and now - self._lost_at < self._policy.resume_window_s

    def next_delay(self, *, now: float) -> float | None:
        """Return how long to wait before the next try, None to give up."""
        if self._lost_at is None:
            self._lost_at = now
        patience_s = self._policy.give_up_after_s if self._was_in else self._policy.wait_for_server_s
        if patience_s is not None and now - self._lost_at >= patience_s:
            return None
        delay = self._policy.first_delay_s * self._policy.factor ** min(self._tries, 32)
        self._tries += 1
        return min(delay, self._policy.delay_max_s) * (1 - self._policy.jitter * self._chance())
