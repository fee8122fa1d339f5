"""The last DTLS flight and when to send it again (RFC 6347 section 4.2.4), in the caller's time.

OpenSSL has a timer of its own, but it reads the wall clock, starts at a whole second, and does not answer a peer that
repeats himself. So the last flight is kept here and sent again with new record numbers where they are in the clear;
its encrypted part (Finished) goes out unchanged, which only a peer that has already used it refuses.
"""

from __future__ import annotations

FIRST_RESEND_S = 0.2  # below most people's patience, above most round trips; an early copy does no harm
RESEND_MAX_S = 2.0  # the whole handshake ends after seconds: longer waits would waste it
REPEAT_SPACING_S = 0.05  # a browser repeats itself every 50 ms at the most; faster ones are a flood


class FlightResender:
    """Holds one flight; says when it is due and answers the peer's repetitions."""

    __slots__ = ("_datagrams", "_due_at", "_sent_at", "_wait_s")

    def __init__(self) -> None:
        self._datagrams: tuple[bytes, ...] = ()
        self._due_at: float | None = None
        self._sent_at = 0.0
        self._wait_s = FIRST_RESEND_S

    def sent(self, datagrams: tuple[bytes, ...], *, awaits_answer: bool, now: float) -> None:
        """Keep a new flight. The last flight of a handshake awaits no answer and so runs no timer."""
        self._datagrams = datagrams
        self._sent_at = now
        self._wait_s = FIRST_RESEND_S
        self._due_at = now + self._wait_s if awaits_answer else None

    def stop(self) -> None:
        """The flight was answered: run no timer, but keep the flight for a peer that repeats his."""
        self._due_at = None

    def forget(self) -> None:
        self._datagrams = ()
        self._due_at = None

    @property
    def due_at(self) -> float | None:
        return self._due_at

    def take_due(self, *, now: float) -> tuple[bytes, ...]:
        """Return the flight if its time has come, and wait twice as long for the next time."""
        if self._due_at is None or now < self._due_at:
            return ()
        self._wait_s = min(self._wait_s * 2, RESEND_MAX_S)
        self._due_at = now + self._wait_s
        self._sent_at = now
        return self._datagrams

    def answer_repetition(self, *, now: float) -> tuple[bytes, ...]:
        """Return the flight for a peer that sent his last one again, unless it has just gone out."""
        if now - self._sent_at < REPEAT_SPACING_S:
            return ()
        self._sent_at = now
        return self._datagrams
