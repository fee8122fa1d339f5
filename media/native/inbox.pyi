"""A worker's inbox: bounded, many threads write, one reads."""

from typing import Self, final

@final
class Inbox:
    """Keeps the memory of an inbox, for the worker that reads it and for those that write."""

    refused: int
    def __new__(cls, wake_descriptor: int = -1) -> Self: ...
    def put(self, octets: bytes, producer: int = 0) -> bool:
        """Leave a packet: for tests."""
    def take(self) -> tuple[int, bytes] | None:
        """Return and remove the oldest packet, (producer, bytes): for tests."""
    def accept(self, accepting: bool) -> None:
        """Take letters from now on, or refuse them."""
