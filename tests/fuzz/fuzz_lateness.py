"""Fuzz the lateness of a publisher's pictures: whatever is late when, its twin says the same."""

from __future__ import annotations

from media.native.lateness import PublisherLateness
from tests.oracle import lateness as oracle

SEEDS = [bytes([12, 10, 40]) * 12, bytes([255, 250, 0, 1, 1, 5]) * 6, bytes(9)]


def target(data: bytes) -> None:
    native, twin = PublisherLateness(), oracle.PublisherLateness()
    now_us = 1
    for late, later, how in zip(*[iter(data)] * 3, strict=False):
        now_us += later * (1_000 if how < 128 else 100_000)
        native.note(late * 10_000, now_us)
        twin.note(late * 10_000, now_us)
        told = native.tell(now_us)
        assert told == twin.tell(now_us)
        assert told is None or 0 <= told <= 400
