"""Fuzz the key frame gate: each 3 bytes of input are a call and a pause; requests must keep their distance."""

from __future__ import annotations

from media.native.keyframe_gate import RequestGate

SEEDS = [
    bytes([0, 0, 0, 1, 100, 0, 2, 200, 0] * 20),
    bytes([0, 232, 3] * 20),
    bytes([2, 100, 0, 0, 1, 0, 1, 16, 39] * 20),
]


def target(data: bytes) -> None:
    gate = RequestGate()
    now_us, asked_us = 0, -1_000_000
    for position in range(0, len(data) - 2, 3):
        now_us += 1000 * int.from_bytes(data[position + 1 : position + 3], "little")
        match data[position] % 3:
            case 0:
                asked = gate.request(now_us)
            case 1:
                asked = gate.poll(now_us)
            case _:
                gate.key_frame(now_us)
                asked = False
        if asked:
            assert now_us - asked_us >= 1_000_000
            asked_us = now_us
