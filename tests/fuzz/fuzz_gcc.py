"""Fuzz the bandwidth estimate: feedback of any kind leaves it between its bounds."""

from __future__ import annotations

import struct

from media.native.gcc import Estimator

LEAST_BPS, MOST_BPS = 30_000, 20_000_000
_ITEM = struct.Struct("<HhHB")
SEEDS = [
    b"".join(_ITEM.pack(5 * index, 5 * index, 1200, index % 3) for index in range(60)),
    b"".join(_ITEM.pack(65535, -32768, 65535, 255) for _ in range(30)),
    bytes(70),
]


def target(data: bytes) -> None:
    estimator = Estimator(300_000, LEAST_BPS, MOST_BPS)
    estimator.want(4_000_000_000)
    now_us, sent_us, received_us = 1, 1, 1 << 40
    results: list[tuple[int, int | None, int, int]] = []
    for pause, late, size, probe in _ITEM.iter_unpack(data[: len(data) // _ITEM.size * _ITEM.size]):
        sent_us += pause * 10
        received_us += late * 100
        results.append((sent_us, None if late == 7 else received_us, size, probe))
        if probe % 5 == 4 or len(results) == 100:
            now_us = max(now_us, sent_us + pause)
            assert LEAST_BPS <= estimator.feedback(results, now_us) <= MOST_BPS
            results = []
            cluster = estimator.probe(now_us)
            assert cluster is None or (cluster[0] > 0 and cluster[1] <= MOST_BPS)
            if size % 50 == 3:
                assert LEAST_BPS <= estimator.remb(size * 1000, now_us) <= MOST_BPS
