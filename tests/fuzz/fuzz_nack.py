"""Fuzz loss recovery: each 3 bytes of input are an operation and its amount; the table must stay sorted and bounded."""

from __future__ import annotations

from itertools import pairwise

from media.native.nack import LossRecovery

SEEDS = [
    bytes([0, 5, 0, 2, 11, 0, 3, 255, 0] * 20),  # lose, wait, ask
    bytes([0, 250, 0] * 10 + [3, 2, 0] * 10),  # overflow
    bytes([0, 20, 0, 2, 30, 0, 3, 8, 0, 1, 3, 0, 1, 1, 0, 4, 5, 0] * 10),
]


def target(data: bytes) -> None:
    recovery = LossRecovery()
    highest, now_us = 65536 + 65500, 0
    for position in range(0, len(data) - 2, 3):
        amount = int.from_bytes(data[position + 1 : position + 3], "little")
        match data[position] % 6:
            case 0:
                recovery.expected(highest, highest + amount % 512, now_us)
                highest += amount % 512
            case 1:
                recovery.arrived(highest - amount % 300, now_us)
            case 2:
                now_us += amount * 1000
            case 3:
                numbers, abandoned = recovery.due(now_us, amount % 300)
                assert len(numbers) <= amount % 300
                assert abandoned >= 0
            case 4:
                recovery.forget_before(highest - amount % 100)
            case _:
                recovery.expected(highest - amount, highest, now_us)
    pending = recovery.pending()
    assert len(pending) <= 256
    assert all(left < right for left, right in pairwise(pending))
