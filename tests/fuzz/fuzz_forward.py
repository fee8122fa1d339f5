"""Fuzz forwarding: each 6 bytes of input are a packet or a wish; numbers that go out never repeat and never skip."""

from __future__ import annotations

from media.native.forward import Forwarder

SEEDS = [
    bytes([6, 0, 0, 0, 0, 0]) + bytes([0, 1, 1, 0, 1, 10]) + bytes([0, 1, 0, 1, 1, 10]) * 30,
    bytes([6, 1, 0, 0, 0, 0]) + bytes([1, 1, 1, 255, 1, 10]) + bytes([1, 3, 0, 255, 0, 10]) * 10,
    bytes([6, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 9, 6, 1, 0, 0, 0, 0, 1, 1, 1, 0, 1, 9]) * 4,
]


def target(data: bytes) -> None:
    forwarder = Forwarder(True, 65530)
    numbers = [1 << 16, 1 << 17]
    sent: set[int] = set()
    highest = 65529
    since_sent = 0  # source numbers passed since: packets that may still come late keep theirs
    now_us = 1
    for at in range(0, len(data) - 5, 6):
        kind, distance, flags, layer, size, step = data[at : at + 6]
        source = distance & 1
        match kind % 10:
            case 6:
                forwarder.set_target(source)
            case 7:
                forwarder.set_temporal(layer)
            case 8:
                forwarder.resync()
                if distance & 2:
                    forwarder.hasten((numbers[source] + layer) * 900 & 0xFFFFFFFF)
            case 9:
                forwarder.resend(distance << 8 | layer)
            case _:
                source = kind & 1
                numbers[source] += 1 + distance % 4
                since_sent += 1 + distance % 4
                now_us += step * 500
                out = forwarder.decide(
                    source,
                    numbers[source],
                    numbers[source] * 900 & 0xFFFFFFFF,
                    key_frame=bool(flags & 1),
                    layer_sync=bool(flags & 2),
                    temporal_id=layer,
                    payload_length=size,
                    picture_id=layer << 7,
                    now_us=now_us,
                )
                if out is not None:
                    extended = highest + ((out[0] - highest) & 0xFFFF)
                    assert extended not in sent
                    assert extended - highest <= since_sent
                    sent.add(extended)
                    highest, since_sent = extended, 0
