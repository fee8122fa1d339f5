"""How many DTLS handshakes may be in progress at once, over all transports.

A handshake costs about a millisecond of CPU and up to 200 KiB until it ends. When a whole school joins in the same
second, the ones beyond the cap wait: their ClientHello is dropped, and the client's own timer sends it again.
"""

from __future__ import annotations

HANDSHAKES_MAX = 64  # at about 1 ms each, 64 are done within one first retransmission time of a browser (50 ms) or two


class HandshakeSlot:
    """The right to one handshake; given back once, however often release() is called."""

    __slots__ = ("_admission", "_held")

    def __init__(self, admission: HandshakeAdmission) -> None:
        self._admission = admission
        self._held = True

    def release(self) -> None:
        if self._held:
            self._held = False
            self._admission.leave()


class HandshakeAdmission:
    """Gives out at most `limit` slots; the refused are counted, not queued."""

    def __init__(self, limit: int = HANDSHAKES_MAX) -> None:
        assert limit > 0
        self._limit = limit
        self._in_progress = 0
        self._admitted = 0
        self._refused = 0

    def enter(self) -> HandshakeSlot | None:
        """Return a slot, or None when all are taken. Whoever gets one must release it."""
        if self._in_progress >= self._limit:
            self._refused += 1
            return None
        self._in_progress += 1
        self._admitted += 1
        return HandshakeSlot(self)

    def leave(self) -> None:
        """Called by the slot itself."""
        assert self._in_progress > 0
        self._in_progress -= 1

    @property
    def in_progress(self) -> int:
        return self._in_progress

    @property
    def admitted(self) -> int:
        return self._admitted

    @property
    def refused(self) -> int:
        return self._refused
