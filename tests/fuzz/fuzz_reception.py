"""Fuzz reception: each 8 bytes of input are a number, a timestamp and a pause; extended numbers keep the number."""

from __future__ import annotations

import struct

from media.native.reception import RECEPTION_NEW, RECEPTION_RESTART, StreamReception

SEEDS = [
    b"".join(struct.pack("<HIH", number, 3000 * number, 3000) for number in range(40)),
    b"".join(struct.pack("<HIH", (65500 + number) % 65536, 960, 20) for number in range(60)),
    b"".join(struct.pack("<HIH", number, 0, 65535) for number in (1, 2, 9000, 9001, 9002, 3, 4)),
]


def target(data: bytes) -> None:
    stream = StreamReception(90_000)
    now_us = highest = 0
    for number, timestamp, pause in struct.iter_unpack("<HIH", data[: len(data) // 8 * 8]):
        now_us += pause * (1 + timestamp % 1000)
        verdict, extended = stream.update(number, timestamp, now_us)
        if extended is not None:
            assert extended % 65536 == number
            assert (extended > highest) == (verdict in {RECEPTION_NEW, RECEPTION_RESTART})
            highest = max(highest, extended)
        if pause % 5 == 0:
            _, fraction, lost, *_ = stream.report(1, now_us)
            assert 0 <= fraction <= 255
            assert -0x800000 <= lost <= 0x7FFFFF
        elif pause % 5 == 1:
            recovered = stream.recover(timestamp % 65536)
            assert recovered is None or abs(recovered - highest) <= 3000
        elif pause % 5 == 2:
            stream.sender_report(timestamp << 16, timestamp, now_us)
