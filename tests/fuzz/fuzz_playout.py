"""Fuzz the playout delay: whatever block it is added to, what stood there stays, and the delay can be read."""

from __future__ import annotations

from media.native import rtp
from media.native.playout import PlayoutDelay, needed_ms, write_delay

SEEDS = [
    bytes([3, 20, 1, 0, 50]) + bytes([1, 2, 3]) * 4,
    bytes([14, 0, 0, 0, 0]) + bytes(10),
    bytes([16, 40, 2, 200, 9]) + bytes([255]) * 30,
]


def target(data: bytes) -> None:
    if len(data) < 5:
        return
    extension_id, steps, count, first, second = data[:5]
    taken = {value % 14 + 1: data[5 + at : 8 + at] for at, value in enumerate(data[5 : 5 + count % 8])}
    taken.pop(extension_id, None)
    items = [(number, value) for number, value in taken.items() if value]
    before = rtp.write_extensions(items)
    delay_ms = min(steps, 254) * 10
    after = write_delay(before, extension_id, delay_ms)
    assert len(after) % 4 == 0
    found = rtp.parse_header(bytes([0x90 if after else 0x80, 96]) + bytes(10) + after).extensions
    written = dict(found).get(extension_id)
    assert [item for item in found if item[0] != extension_id] == items
    if written is not None:
        assert int.from_bytes(written) >> 12 == delay_ms // 10
    assert needed_ms([first / 255, second / 255, steps / 255], first << 24 | second << 8) <= 400
    told, now_us = PlayoutDelay(), 1
    for step in data[5:]:
        now_us += step * 40_000
        told_ms = told.follow(step * 2, now_us)
        assert told_ms is None or 0 <= told_ms <= 510
