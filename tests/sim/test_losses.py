"""What a look at losses does to the estimate: bursts are a property of radios, lasting losses and queues are not."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

import pytest

from media.native.gcc import Estimator
from tests.sim.path import Call, Path

PACKETS = 24
"""Of a look: what a camera and a voice send in a fifth of a second."""
LOOK_US = 200_000
DELAY_US = 50_000
CLOCK_US = 77_000_000
SENT_BPS = 640_000
FEW = 20
"""Looks without a loss: the path is known to be a good one then."""
CLEAN: Sequence[int] = ()
BURST = range(8, 18)
"""Ten in a row: loss 0.42, as seen in a browser behind bursts of five."""


class Looks:
    """An estimate that is told of one look after the other."""

    def __init__(self) -> None:
        self.estimator = Estimator(900_000)
        self.estimate_bps = 900_000
        self._now_us = 1_000_000

    def take(self, lost: Sequence[int], *, queued_us: int = 0) -> int:
        """Lose packets by their places; return the estimate in bit/s. `queued_us`: how late the last one is."""
        step_us = LOOK_US // PACKETS
        results = []
        for place in range(PACKETS):
            sent_us = self._now_us + place * step_us
            late_us = DELAY_US + queued_us * (place + 1) // PACKETS
            came_us = None if place in lost else sent_us + late_us + CLOCK_US
            results.append((sent_us, came_us, SENT_BPS * step_us // 8_000_000, 0))
        self._now_us += LOOK_US
        self.estimate_bps = self.estimator.feedback(results, self._now_us + 2 * DELAY_US)
        return self.estimate_bps

    def settle(self) -> int:
        for _ in range(FEW):
            self.take(CLEAN)
        return self.estimate_bps


def test_one_look_at_a_burst_without_a_queue_takes_nothing() -> None:
    looks = Looks()
    before_bps = looks.settle()
    assert looks.take(BURST) >= before_bps
    assert looks.estimator.facts()["loss"] == pytest.approx(10 / 24), "and is told as it is"
    assert looks.take(CLEAN) >= before_bps


def test_a_burst_that_two_looks_share_counts_as_the_lesser_part() -> None:
    looks = Looks()
    before_bps = looks.settle()
    looks.take(range(14, 24))
    assert looks.take(range(3)) >= before_bps * 0.93, "three of 24"


def test_losses_that_go_on_are_obeyed_though_nothing_queues() -> None:
    looks = Looks()
    before_bps = looks.settle()
    assert looks.take(range(0, 24, 2)) >= before_bps
    assert looks.take(range(0, 24, 2)) <= before_bps * 0.8
    for _ in range(10):
        looks.take(range(0, 24, 2))
    assert looks.estimate_bps <= before_bps / 3, "a limit without a queue drops all that is beyond it"


def test_what_a_queue_drops_is_obeyed_at_the_first_look() -> None:
    looks = Looks()
    before_bps = looks.settle()
    assert looks.take(BURST, queued_us=60_000) <= before_bps * 0.85


@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("loss", [0.02, 0.05, 0.1])
def test_bursts_of_five_do_not_take_away_what_is_sent(loss: float, seed: int) -> None:
    call = Call(Path(20_000_000, seed=seed, loss=loss, burst=5.0), wanted_bps=900_000, sends_bps=SENT_BPS)
    call.run(10)
    assert call.until(lambda: call.estimate_bps < SENT_BPS * 0.9, 40.0) >= 40.0


def test_losses_of_the_simulated_path_come_in_bursts_and_are_as_many_as_asked() -> None:
    path = Path(1e9, seed=3, loss=0.05, burst=5.0)
    came = "".join("." if path.send(number / 1000, 100)[0] is None else " " for number in range(100_000))
    bursts = came.split()
    assert came.count(".") / len(came) == pytest.approx(0.05, rel=0.1)
    assert mean(len(burst) for burst in bursts) == pytest.approx(5.0, rel=0.1)


def test_what_arrives_is_believed_again_soon_after_a_path_was_starved() -> None:
    path = Path(30_000, seed=1)
    call = Call(path)
    call.run(20)
    assert call.estimator.facts()["acked_bps"] < 60_000
    path.rate_bps = 5_000_000
    call.until(lambda: call.estimate_bps > 600_000, 30.0)
    call.run(2)
    assert call.estimator.facts()["acked_bps"] > 400_000
