"""Fuzz the level meter: each 2 bytes of input are a producer's level or a question; nobody is told of twice."""

from __future__ import annotations

from media.native.audio_levels import LevelMeter

SEEDS = [
    bytes([1, 30, 2, 40, 3, 127, 0, 60] * 10),
    bytes([7, 30] * 40 + [0, 127]),
    bytes([*(byte for producer in range(1, 60) for byte in (producer, 20)), 0, 127, 0, 127]),
    bytes([1, 30, 255, 1, 1, 31, 0, 127]),
]


def target(data: bytes) -> None:
    meter = LevelMeter()
    expected: set[int] = set()
    for kind, value in zip(data[::2], data[1::2], strict=False):
        if kind == 0:
            readings = meter.take(value & 0x7F)
            producers = [producer for producer, _ in readings]
            assert len(producers) == len(set(producers))
            assert set(producers) <= expected
            assert all(0 < len(levels) <= 16 for _, levels in readings)
            expected.clear()
        elif kind == 255:
            meter.forget(value)
            expected.discard(value)
        else:
            meter.add(kind, value & 0x7F, bool(value >> 7))
            expected.add(kind)
