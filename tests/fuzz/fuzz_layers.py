"""Packets of layered streams from arbitrary bytes: each 24 are a dependency descriptor, or a VP9 payload."""

from __future__ import annotations

from media.native.layers import LayeredFrame, LayerReader
from tests.fuzz.fuzz_dependency import L1T3, L3T3

PIECE = 24
SEEDS = [
    L3T3,
    L1T3 + bytes(PIECE),
    bytes.fromhex("aa8123000058 0140 00b4 0280 0168 0500 02d0 04 00 81c1c2c3 824983420014100b56"),
    bytes.fromhex("8a812318 0142 00b6 02 04 1501"),
    bytes.fromhex("e88123500a 86001234") * 4,
]


def target(data: bytes) -> None:
    reader = LayerReader()
    for at in range(0, len(data), PIECE):
        piece = data[at : at + PIECE]
        check(reader, reader.vp9(piece[1:]) if piece[0] & 1 else reader.descriptor(piece[1:]))
    check(reader, reader.descriptor(data))


def check(reader: LayerReader, frame: LayeredFrame | None) -> None:
    assert len(reader.received()) == len(reader.targets()) <= 32
    if frame is not None:
        assert frame.switches & ~frame.required == 0
        assert frame.required & ~frame.present == 0
