"""When each of the last packets to one peer went out, until the peer tells whether it came."""

from typing import Self, final

@final
class PacketLog:
    """Python face of one log, for tests."""

    def __new__(cls) -> Self: ...
    def add(self, size: int, now_us: int, probe: int = 0) -> int:
        """Note that a packet went out; return its number."""

    def tell(self, number: int, received_us: int | None, now_us: int) -> tuple[int, int | None, int, int] | None:
        """Return (sent_us, received_us, size, probe) if this is news of a packet; None: it did not come."""
