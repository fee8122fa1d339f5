"""Fuzz transport-wide feedback: each 4 bytes of input are a number and a pause, or a build; every packet decodes."""

from __future__ import annotations

import struct

from media.native.twcc import ArrivalRecorder
from tests.oracle.twcc import decode

SEEDS = [
    b"".join(struct.pack("<HH", number, 250) for number in range(100)),
    b"".join(struct.pack("<HH", (65500 + 3 * number) % 65536, 40_000) for number in range(60)),
    b"".join(struct.pack("<HH", number ^ 1, 65535 * (number % 2)) for number in range(60)),
    b"".join(struct.pack("<HH", number, 9) for number in (0, 1023, 1, 2047, 2048, 40_000, 40_001, 5)),
]


def target(data: bytes) -> None:
    recorder = ArrivalRecorder()
    now_us = 10**9
    for number, pause in struct.iter_unpack("<HH", data[: len(data) // 4 * 4]):
        now_us += pause * (number % 300)
        recorder.received(number, now_us)
        if pause % 16 == 7:
            packet = recorder.build(1, 2, capacity=pause >> 5)
            assert len(packet) <= pause >> 5
            if packet:
                decode(packet)
    while packet := recorder.build(1, 2, capacity=200):
        assert any(tick is not None for tick in decode(packet).ticks)
    assert recorder.pending() == 0
