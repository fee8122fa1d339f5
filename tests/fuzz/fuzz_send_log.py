"""Fuzz the send log: each 3 bytes of input send some packets or tell of one; no packet is told of as come twice."""

from __future__ import annotations

from media.native.send_log import PacketLog

SEEDS = [bytes([0, 0, 9, 1, 0, 0, 2, 0, 1]), bytes([0, 4, 255, 1, 3, 255, 1, 4, 0] * 3), bytes([0, 255, 255, 2, 0, 7])]


def target(data: bytes) -> None:
    log = PacketLog()
    sent = 0
    came: set[int] = set()
    for at in range(0, len(data) - 2, 3):
        kind, high, low = data[at : at + 3]
        value = high << 8 | low
        if kind % 3 == 0:
            for _ in range(value % 1500):
                assert log.add(value % 1300, 1000 * sent, kind) == sent % 65536
                sent += 1
            continue
        told = log.tell((sent - value) % 65536, value if kind % 3 == 1 else None, 1000 * sent)
        if told is not None:
            extended = sent - value if value else sent - 65536
            assert told[0] == 1000 * extended
            assert 0 < sent - extended <= 1024
            assert extended not in came
            if kind % 3 == 1:
                came.add(extended)
