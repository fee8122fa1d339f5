"""Forward latency: how long it takes from a datagram's arrival until the copies of its batch went out."""

from typing import final

def bounds_us() -> tuple[int, ...]: ...

@final
class Latency:
    """A histogram that is driven from Python (tests)."""

    def observe(self, latency_us: int) -> None: ...
    def reading(self) -> tuple[list[int], int]: ...
