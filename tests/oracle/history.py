"""Twin of the packet ring: every byte of the ring knows which packet wrote it last."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stored:
    """A packet and where it lies."""

    extended: int
    packet: bytes
    arrival_us: int
    offset: int


class PacketHistory:
    def __init__(self, entries: int, size_bytes: int) -> None:
        for size in (entries, size_bytes):
            if size < 1 or size.bit_count() != 1:
                raise ValueError(f"{size} is no power of two")
        self.entries = entries
        self.size_bytes = size_bytes
        self.clear()

    def clear(self) -> None:
        self.slots: dict[int, Stored] = {}
        self.owners: list[Stored | None] = [None] * self.size_bytes
        self.offset = 0
        self.stored = 0
        self.duplicates = 0
        self.refused = 0
        self.highest: int | None = None

    def put(self, extended: int, packet: bytes, now_us: int) -> bool:
        too_old = self.highest is not None and extended + self.entries <= self.highest
        if not 0 < len(packet) <= self.size_bytes or too_old:
            self.refused += 1
            return False
        occupant = self.slots.get(extended % self.entries)
        if occupant is not None and occupant.extended == extended:
            self.duplicates += 1
            return False
        if self.offset + len(packet) > self.size_bytes:
            self._write(self.size_bytes - self.offset, None)  # what is skipped counts as overwritten
        new = Stored(extended, packet, now_us, self.offset)
        self._write(len(packet), new)
        self.slots[extended % self.entries] = new
        self.stored += 1
        self.highest = extended if self.highest is None else max(self.highest, extended)
        return True

    def _write(self, size: int, owner: Stored | None) -> None:
        for position in range(self.offset, self.offset + size):
            self.owners[position] = owner
        self.offset = (self.offset + size) % self.size_bytes

    def _find(self, extended: int) -> Stored | None:
        found = self.slots.get(extended % self.entries)
        if found is None or found.extended != extended:
            return None
        mine = self.owners[found.offset : found.offset + len(found.packet)]
        return found if all(owner is found for owner in mine) else None

    def get(self, extended: int) -> bytes | None:
        found = self._find(extended)
        return found.packet if found else None

    def arrival_us(self, extended: int) -> int | None:
        found = self._find(extended)
        return found.arrival_us if found else None
