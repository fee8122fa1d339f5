"""Fuzz the reader of transport-wide feedback: as input, and with the beginning of a message before it."""

from __future__ import annotations

from media.native.twcc import ArrivalRecorder
from media.native.twcc_feedback import parse_feedback
from tests.oracle import twcc_feedback
from tests.oracle.agreement import outcome


def recorded(*steps: tuple[int, int]) -> bytes:
    recorder = ArrivalRecorder()
    for number, now_us in steps:
        recorder.received(number, now_us)
    return recorder.build(1, 2)


SEEDS = [
    recorded(*((number, 1_000_000 + 700 * number) for number in range(60))),
    recorded((65535, 10**9), (0, 10**9 + 8_000_000), (9, 10**9 + 9), (4, 10**9 + 70_000)),
    recorded((1, 64_000), (300, 128_000))[4:],
]


def target(data: bytes) -> None:
    length = len(data) // 4
    for packet in (data, bytes([0x8F, 205, length >> 8 & 0xFF, length & 0xFF]) + data):
        assert outcome(parse_feedback, packet) == outcome(twcc_feedback.parse_feedback, packet)
