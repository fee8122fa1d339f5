"""Twin of the playout delay: what a viewer is told, from his losses and round trip, and how it is written."""

from __future__ import annotations

from collections.abc import Sequence

ONE_BYTE = 0xBEDE
TWO_BYTES = 0x1000


def needed_ms(seconds_loss: Sequence[float], round_trip_us: int) -> int:
    if sum(loss > 0 for loss in seconds_loss) < 3:
        return 0
    mean = 0.0
    for loss in seconds_loss:
        mean += loss / len(seconds_loss)
    more_us = 200_000 if mean >= 0.03 else 100_000
    return min(round_trip_us + more_us, 400_000) // 10_000 * 10


def write_delay(block: bytes, extension_id: int, delay_ms: int) -> bytes:
    if extension_id == 0:
        return block
    profile = int.from_bytes(block[:2]) if block else (ONE_BYTE if extension_id < 15 else TWO_BYTES)
    value = (delay_ms // 10 << 12 | 1000).to_bytes(3)
    if profile != ONE_BYTE:
        element = bytes([extension_id, 3]) + value + bytes(3)
    elif extension_id < 15:
        element = bytes([extension_id << 4 | 2]) + value
    else:
        return block
    elements = block[4:] + element
    return profile.to_bytes(2) + (len(elements) // 4).to_bytes(2) + elements


class PlayoutDelay:
    def __init__(self) -> None:
        self.told_ms: int | None = None
        self.changed_us = self.needed_us = 0

    def follow(self, needed: int, now_us: int) -> int | None:
        told = self.told_ms or 0
        if needed >= told:
            self.needed_us = now_us
        step = 0
        if needed > told and (self.told_ms is None or now_us - self.changed_us >= 50_000):
            step = 10
        elif needed < told and now_us - self.needed_us >= 10_000_000 and now_us - self.changed_us >= 1_000_000:
            step = -10
        if step:
            self.told_ms, self.changed_us = told + step, now_us
        return self.told_ms
