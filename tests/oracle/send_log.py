"""Twin of the send log: a dict of what is under way, by extended number."""

from __future__ import annotations

ENTRIES = 1024


class PacketLog:
    def __init__(self) -> None:
        self.sent: dict[int, tuple[int, int, int]] = {}
        self.lost: set[int] = set()
        self.next = 0

    def add(self, size: int, now_us: int, probe: int = 0) -> int:
        number = self.next
        self.sent[number] = (now_us, size, probe)
        self.next += 1
        self.sent.pop(self.next - 1 - ENTRIES, None)
        return number % 65536

    def tell(self, number: int, received_us: int | None, now_us: int) -> tuple[int, int | None, int, int] | None:
        extended = self.next - 1 - (self.next - 1 - number) % 65536
        known = self.sent.get(extended)
        if known is None or (received_us is None and extended in self.lost):
            return None
        sent_us, size, probe = known
        if received_us is None:
            self.lost.add(extended)
        else:
            del self.sent[extended]
        assert now_us - sent_us < 1 << 32
        return sent_us, received_us, size, probe
