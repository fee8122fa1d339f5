"""A voice and a shared screen over a path that carries hardly more: sound never waits, the screen goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.sim.path import Path
from tests.sim.screen_call import SCREEN_SLOT, VIEWER, ScreenCall

SEEDS = range(1, 1 + int(os.environ.get("HALQA_TEST_SEEDS", "3")))
SECONDS = 20


@contextmanager
def call(path: Path) -> Iterator[ScreenCall]:
    opened = ScreenCall(path)
    try:
        yield opened
    finally:
        opened.close()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rate_bps", [200_000, 300_000, 500_000])
def test_sound_passes_what_a_screen_sends_over_a_narrow_path(rate_bps: int, seed: int) -> None:
    with call(Path(rate_bps, seed=seed)) as running:
        running.run(8)
        running.run(SECONDS)
        assert running.sound_gap_ms <= 200
        assert running.screen_fps >= 1
        assert running.queue_p95_ms <= 150


def test_a_wide_path_is_sent_a_screen_as_it_comes() -> None:
    with call(Path(5_000_000)) as running:
        running.run(8)
        running.run(5)
        assert running.screen_gap_ms <= 300
        assert running.queue_p95_ms <= 10


@pytest.mark.parametrize("loss", [0.1, 0.3])
def test_who_asks_again_for_much_is_sent_no_more_than_the_path_carries(loss: float) -> None:
    with call(Path(300_000, loss=loss)) as running:
        running.run(8)
        running.run(10)
        assert running.sent_bits / 10 * (1 - loss) <= 1.05 * 300_000, "what is lost does not reach the bottleneck"
        assert running.room.counters()["nack_served"] > 20


def test_a_path_that_narrows_gives_up_pictures_that_would_come_late() -> None:
    path = Path(2_000_000)
    with call(path) as running:
        running.run(8)
        path.rate_bps = 250_000
        running.run(4)
        running.run(SECONDS)
        assert running.sound_gap_ms <= 200
        assert running.screen_fps >= 1


def test_a_slot_that_is_emptied_is_sent_nothing_of_what_waited() -> None:
    with call(Path(300_000)) as running:
        running.run(8)
        running.until_waiting()
        before = running.room.worker.consumer_stats(SCREEN_SLOT)["packets"]
        running.worker.detach(SCREEN_SLOT)
        running.run(1)
        assert running.room.worker.consumer_stats(SCREEN_SLOT)["packets"] == before


def test_who_leaves_while_something_waits_harms_nobody() -> None:
    with call(Path(300_000)) as running:
        running.run(8)
        running.until_waiting()
        running.worker.remove_transport(VIEWER)
        for _ in range(100):
            running.tick()
