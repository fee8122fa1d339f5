"""Consent (RFC 7675): the checks that a peer repeats from where he is already are answered here, without Python."""

from typing import Self, final

@final
class Answerer:
    """The answers to one peer, by hand: for tests."""

    def __new__(cls, username: bytes, password: bytes, source: tuple[str, int], family: int = 2) -> Self: ...
    def answer(self, check: bytes, source: tuple[str, int], now_us: int = 0) -> bytes | None:
        """Return the answer to a check, None if the agent must see it."""

    def heard(self) -> tuple[int, bytes]:
        """Return when the last check came (us, 0 for never) and the transaction ids since the last call."""
