"""The whole data plane in virtual time: numbers out, feedback in, probes; held to paths that are known."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import mean, median

import pytest

from tests.sim.path import Path, Second
from tests.sim.worker_call import VIEWER, WorkerCall

SECONDS = int(os.environ.get("HALQA_TEST_CALL_SECONDS", "20"))
"""How long a steady link is looked at."""


@contextmanager
def call(path: Path, *, wanted_bps: int = 8_000_000, has_rtx: bool = True) -> Iterator[WorkerCall]:
    opened = WorkerCall(path, wanted_bps=wanted_bps, has_rtx=has_rtx)
    try:
        yield opened
    finally:
        opened.close()


def sent_bps(seconds: list[Second]) -> float:
    return mean(second.sent_bps for second in seconds)


@pytest.mark.parametrize("rate_bps", [300_000, 1_000_000, 3_000_000, 5_000_000])
def test_a_steady_link_is_used_and_its_queue_stays_short(rate_bps: int) -> None:
    with call(Path(rate_bps)) as running:
        running.run(8)
        seconds = running.run(SECONDS)
        print(f"{rate_bps}: {sent_bps(seconds) / rate_bps:.2f}", running.room.counters())
        assert 0.85 <= sent_bps(seconds) / rate_bps <= 1.0
        assert median(second.queue_p95_ms for second in seconds) <= 150


@pytest.mark.parametrize("has_rtx", [True, False])
def test_a_link_that_narrows_is_obeyed_within_two_seconds_and_found_again_within_ten(has_rtx: bool) -> None:
    path = Path(3_000_000)
    with call(path, has_rtx=has_rtx) as running:
        running.run(12)
        assert sent_bps(running.run(3)) > 2_000_000
        path.rate_bps = 300_000
        running.run(2)
        assert sent_bps(running.run(8)) < 300_000 * 1.05
        path.rate_bps = 3_000_000
        running.run(9)
        assert sent_bps(running.run(1)) > 1_500_000, "the top layer"


def test_a_path_is_probed_for_what_is_wanted_and_no_more() -> None:
    with call(Path(5_000_000), wanted_bps=200_000) as running:
        running.run(5)
        assert running.room.counters().get("path_probes", 0) == 0
        running.worker.set_wanted(VIEWER, 2_000_000)
        running.run(4)
        assert running.estimate_bps > 1_000_000, "although little is sent"
        counters = running.worker.counters()
        assert counters["path_probes_used"] <= counters["path_probes"] < 20
        assert counters["path_probe_bytes"] < 200_000
