"""Fuzz layer selection: each 8 bytes are a frame or a wish; no frame is sent without those that it refers to."""

from __future__ import annotations

from media.native.selection import Selection

LAYERS = [(size, rate) for size in range(3) for rate in range(3)]
STEP = 8
SEEDS = [
    bytes([0, 1, 0, 255, 255, 255, 0, 0]) + bytes([0, 1, 0, 255, 255, 0, 1, 0]) * 20,
    bytes([0, 1, 0, 255, 255, 255, 0, 0]) + bytes([4, 1, 0, 0, 0, 0, 0, 0]) + bytes([0, 1, 3, 240, 240, 0, 3, 0]) * 9,
    bytes([0, 2, 0, 255, 255, 255, 0, 0]) + bytes([5, 1, 0, 255, 9, 1, 1, 2]) * 9,
]


def target(data: bytes) -> None:
    selection = Selection()
    selection.set_targets(LAYERS)
    number = timestamp = 0
    decided: dict[int, bool] = {}
    for at in range(0, len(data) - STEP + 1, STEP):
        kind, distance, layer, present, required, switches, reference, flags = data[at : at + STEP]
        match kind % 6:
            case 4:
                selection.want(distance % 4, layer % 4)
                continue
            case 5:
                late = True
            case _:
                late = False
                number += 1 + distance % 3
                timestamp += layer & 1
        frame = max(number - distance % 5, 0) if late else number
        answer = selection.take(
            frame,
            timestamp,
            spatial=layer >> 1 & 3,
            present=present | (flags & 1) << 8,
            required=required,
            switches=switches,
            references=(reference,) if reference else (),
            active=0x1FF if flags & 2 else required,
            own=flags >> 2 if flags & 0x80 else 255,
            ends=bool(kind & 8),
            marker=bool(kind & 16),
            late=late,
        )
        selection.waits()
        selection.climbs()
        if answer is None:
            continue
        known = decided.get(frame)
        assert known is None or known == answer[0]
        if known is None and answer[0] and reference:
            assert decided.get(frame - reference) is not False
        assert answer[0] or not answer[1]
        decided[frame] = answer[0]
