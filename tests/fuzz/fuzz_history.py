"""Fuzz the packet ring: each 3 bytes of input are a step and a size; what comes back must be what was stored."""

from __future__ import annotations

from media.native.history import PacketHistory

SEEDS = [
    bytes(range(96)),
    bytes([1, 0, 40] * 60),  # in order
    bytes([1, 0, 255] * 30),  # as large as the ring allows
    bytes([2, 0, 60, 255, 255, 60] * 20),  # every second one late
    bytes([0, 4, 10] * 20),  # jumps beyond the ring
]


def target(data: bytes) -> None:
    ring = PacketHistory(16, 512)
    number = 65530
    for position in range(0, len(data) - 2, 3):
        number += int.from_bytes(data[position : position + 2], "little", signed=True)
        size = 3 * data[position + 2]
        packet = bytes([number & 0xFF]) * size
        if ring.put(number, packet, position):
            assert ring.get(number) == packet
        for asked in (number, number - 1, number - 15):
            found = ring.get(asked)
            assert found is None or set(found) == {asked & 0xFF}
    if data and data[0] % 2:
        ring.clear()
        assert ring.get(number) is None
